//! A runtime driven as a kubelet would drive it.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::cri::{
    CallId, ContainerConfig, ContainerEvent, ContainerEventType, ContainerStatus, CriError,
    CriRequest, CriResponse, Id, LogOptions, Outcome, PodSandboxConfig, PodSandboxStatus,
};
use super::{Catalogue, Host, Runtime, Timing};
use crate::sim::{Instant, Rng};

/// A runtime, its clock, and all that it said by itself.
pub(super) struct Driver {
    pub runtime: Runtime,
    pub now: Instant,
    pub events: Vec<ContainerEvent>,
    /// What was written to calls that go on.
    pub wrote: Vec<(CallId, String)>,
    answers: Vec<(CallId, Result<CriResponse, CriError>)>,
    rng: Rng,
    calls: u64,
}

impl Driver {
    /// Without a network.
    pub fn new(catalogue: Catalogue, timing: &Timing) -> Self {
        let host = Host {
            hostname: "node-1".into(),
            ip: Ipv4Addr::new(172, 18, 0, 3),
            epoch: "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
            timing: *timing,
        };
        Self {
            runtime: Runtime::new(host, Rc::new(catalogue)),
            now: Instant::ZERO,
            events: Vec::new(),
            wrote: Vec::new(),
            answers: Vec::new(),
            rng: Rng::new(1),
            calls: 0,
        }
    }

    /// With a network, on the well-known images.
    pub fn ready() -> Self {
        let mut driver = Self::new(Catalogue::well_known(), &Timing::default());
        let pod_cidr = "10.244.1.0/24".to_owned();
        driver.call(CriRequest::UpdateRuntimeConfig { pod_cidr }).unwrap();
        driver
    }

    /// Makes a call.
    pub fn send(&mut self, request: CriRequest) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls);
        self.runtime.handle(self.now, &mut self.rng, call, request);
        call
    }

    /// Goes on to the next thing that happens; `false` if nothing ever will.
    pub fn step(&mut self) -> bool {
        let Some(next) = self.runtime.next_wakeup() else { return false };
        assert!(next >= self.now, "time runs backwards");
        self.now = next;
        for outcome in self.runtime.advance(next) {
            match outcome {
                Outcome::Answered { call, at, result } => {
                    assert_eq!(at, next);
                    self.answers.push((call, result));
                }
                Outcome::Wrote { call, lines, .. } => {
                    let texts: Vec<&str> = lines.iter().map(|line| &*line.text).collect();
                    self.wrote.push((call, texts.join("|")));
                }
                Outcome::Forwarded { .. } => {}
                Outcome::Happened(event) => self.events.push(event),
            }
        }
        true
    }

    /// Waits for the answer of a call.
    pub fn answer(&mut self, call: CallId) -> Result<CriResponse, CriError> {
        loop {
            if let Some(at) = self.answers.iter().position(|(answered, _)| *answered == call) {
                return self.answers.remove(at).1;
            }
            assert!(self.step(), "no answer will come");
        }
    }

    /// Makes a call and waits for its answer.
    pub fn call(&mut self, request: CriRequest) -> Result<CriResponse, CriError> {
        let call = self.send(request);
        self.answer(call)
    }

    /// Lets time pass.
    pub fn run_for(&mut self, length: Duration) {
        let end = self.now + length;
        while self.runtime.next_wakeup().is_some_and(|next| next <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Runs a sandbox.
    pub fn sandbox(&mut self) -> Result<Id, CriError> {
        let config = Rc::new(PodSandboxConfig { hostname: "web".into(), ..Default::default() });
        let answer = self.call(CriRequest::RunPodSandbox { config })?;
        let CriResponse::RunPodSandbox { pod_sandbox_id } = answer else { panic!("{answer:?}") };
        Ok(pod_sandbox_id)
    }

    /// A sandbox as it is now.
    pub fn sandbox_status(&mut self, pod_sandbox_id: &Id) -> PodSandboxStatus {
        let pod_sandbox_id = Rc::clone(pod_sandbox_id);
        match self.call(CriRequest::PodSandboxStatus { pod_sandbox_id }) {
            Ok(CriResponse::PodSandboxStatus { status }) => Rc::unwrap_or_clone(status),
            other => panic!("{other:?}"),
        }
    }

    /// Pulls the image and creates the container in a sandbox of its own.
    pub fn create(&mut self, config: ContainerConfig) -> Result<Id, CriError> {
        self.call(CriRequest::PullImage { image: config.image.clone() })?;
        let pod_sandbox_id = self.sandbox()?;
        let config = Rc::new(config);
        let answer = self.call(CriRequest::CreateContainer { pod_sandbox_id, config })?;
        let CriResponse::CreateContainer { container_id } = answer else { panic!("{answer:?}") };
        Ok(container_id)
    }

    /// Creates and starts a container.
    pub fn start(&mut self, config: ContainerConfig) -> Id {
        let id = self.create(config).unwrap();
        self.call(CriRequest::StartContainer { container_id: Rc::clone(&id) }).unwrap();
        id
    }

    /// A container as it is now.
    pub fn status(&mut self, container_id: &Id) -> ContainerStatus {
        let container_id = Rc::clone(container_id);
        match self.call(CriRequest::ContainerStatus { container_id }) {
            Ok(CriResponse::ContainerStatus { status }) => Rc::unwrap_or_clone(status),
            other => panic!("{other:?}"),
        }
    }

    /// Stops a container and says how long that took.
    pub fn stop(&mut self, container_id: &Id, seconds: u64) -> Duration {
        let before = self.now;
        let container_id = Rc::clone(container_id);
        let timeout = Duration::from_secs(seconds);
        self.call(CriRequest::StopContainer { container_id, timeout }).unwrap();
        Duration::from_micros(self.now.as_micros() - before.as_micros())
    }

    /// A container's log.
    pub fn logs(&mut self, container_id: &Id) -> String {
        let container_id = Rc::clone(container_id);
        let options = LogOptions::default();
        match self.call(CriRequest::ReadLogs { container_id, options }) {
            Ok(CriResponse::ReadLogs { lines }) => {
                lines.iter().flat_map(|line| [&*line.text, "\n"]).collect()
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A container of `image` that runs `command`.
pub(super) fn container(image: &str, command: &[&str], args: &[&str]) -> ContainerConfig {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    ContainerConfig {
        image: image.to_owned(),
        command: owned(command),
        args: owned(args),
        ..ContainerConfig::default()
    }
}

#[test]
fn a_scripted_container_does_what_its_arguments_say() {
    let mut driver = Driver::new(Catalogue::scripted("nonexistent"), &Timing::INSTANT);
    driver.call(CriRequest::UpdateRuntimeConfig { pod_cidr: "10.0.0.0/24".to_owned() }).unwrap();
    let id = driver.start(container("pause", &[], &["fake-exit=3", "fake-after=2s"]));
    driver.run_for(Duration::from_secs(1));
    assert_eq!(driver.status(&id).finished_at, None);
    driver.run_for(Duration::from_secs(2));
    let status = driver.status(&id);
    assert_eq!((status.exit_code, status.reason), (3, "Error"));
    assert_eq!(status.finished_at, status.started_at.map(|at| at + Duration::from_secs(2)));

    let soft = driver.start(container("pause", &[], &["fake-stop-delay=2s"]));
    assert_eq!(driver.stop(&soft, 30), Duration::from_secs(2));
    assert_eq!(driver.status(&soft).exit_code, 0);
    let stubborn = driver.start(container("pause", &[], &["fake-stop-delay=60s"]));
    assert_eq!(driver.stop(&stubborn, 3), Duration::from_secs(3));
    let status = driver.status(&stubborn);
    assert_eq!((status.exit_code, status.reason), (137, "Error"));
    let forced = driver.start(container("pause", &[], &["fake-stop-delay=60s"]));
    assert_eq!(driver.stop(&forced, 0), Duration::ZERO);
    let missing = driver.call(CriRequest::PullImage { image: "a.invalid/nonexistent:1".into() });
    assert_eq!(
        missing.unwrap_err().to_string(),
        "rpc error: code = NotFound desc = failed to pull and unpack image \
         \"a.invalid/nonexistent:1\": failed to resolve image: a.invalid/nonexistent:1: not found"
    );
}

#[test]
fn a_sandbox_needs_a_network_and_says_so() {
    let mut driver = Driver::new(Catalogue::well_known(), &Timing::default());
    let error = driver.sandbox().unwrap_err().to_string();
    assert!(
        error
            .starts_with("rpc error: code = Unknown desc = failed to setup network for sandbox \"")
    );
    assert!(error.ends_with("\": cni plugin not initialized"), "{error}");
}

#[test]
fn a_sandbox_has_an_address_until_it_stops() {
    let mut driver = Driver::ready();
    let id = driver.sandbox().unwrap();
    assert_eq!(driver.sandbox_status(&id).ip, Some(Ipv4Addr::new(10, 244, 1, 2)));
    driver.call(CriRequest::StopPodSandbox { pod_sandbox_id: Rc::clone(&id) }).unwrap();
    assert_eq!(driver.sandbox_status(&id).ip, None);
    driver.call(CriRequest::RemovePodSandbox { pod_sandbox_id: Rc::clone(&id) }).unwrap();
    let gone = driver.call(CriRequest::PodSandboxStatus { pod_sandbox_id: id }).unwrap_err();
    assert_eq!(gone.code, super::Code::NotFound);
    let kinds: Vec<_> = driver.events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            ContainerEventType::Created,
            ContainerEventType::Started,
            ContainerEventType::Stopped,
            ContainerEventType::Deleted,
        ]
    );
}

#[test]
fn removing_a_sandbox_ends_all_that_is_in_it() {
    let mut driver = Driver::ready();
    let id = driver.start(container("nginx", &[], &[]));
    let pod_sandbox_id = driver.status(&id).pod_sandbox_id;
    driver.call(CriRequest::RemovePodSandbox { pod_sandbox_id }).unwrap();
    let of_container = driver.events.iter().filter(|event| event.container_id == id);
    let kinds: Vec<_> = of_container.map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            ContainerEventType::Created,
            ContainerEventType::Started,
            ContainerEventType::Stopped,
            ContainerEventType::Deleted,
        ]
    );
    assert!(driver.call(CriRequest::ContainerStatus { container_id: id }).is_err());
}

#[test]
fn a_pull_takes_as_long_as_the_image_is_big_and_is_shared() {
    let mut driver = Driver::ready();
    let image = "nginx:1.14.2".to_owned();
    let first = driver.send(CriRequest::PullImage { image: image.clone() });
    driver.run_for(Duration::from_millis(500));
    let second = driver.send(CriRequest::PullImage { image: image.clone() });
    driver.answer(first).unwrap();
    let pulled = driver.now;
    assert!((1_000_000..6_000_000).contains(&pulled.as_micros()), "{pulled:?}");
    driver.answer(second).unwrap();
    assert_eq!(driver.now, pulled);
    let Ok(CriResponse::ImageStatus { image: Some(found) }) =
        driver.call(CriRequest::ImageStatus { image })
    else {
        panic!("the image is not there");
    };
    assert_eq!(found.repo_tags, ["docker.io/library/nginx:1.14.2"]);
}

#[test]
fn an_image_that_does_not_exist_fails_in_containerds_words() {
    let mut driver = Driver::ready();
    for (image, want) in [
        (
            "nginx:does-not-exist",
            "rpc error: code = NotFound desc = failed to pull and unpack image \
             \"docker.io/library/nginx:does-not-exist\": failed to resolve image: \
             docker.io/library/nginx:does-not-exist: not found",
        ),
        (
            "nonexistent",
            "rpc error: code = Unknown desc = failed to pull and unpack image \
             \"docker.io/library/nonexistent:latest\": failed to resolve image: pull access \
             denied, repository does not exist or may require authorization: server message: \
             insufficient_scope: authorization failed",
        ),
        (
            "registry.invalid/app:1",
            "rpc error: code = Unknown desc = failed to pull and unpack image \
             \"registry.invalid/app:1\": failed to resolve image: failed to do request: Head \
             \"https://registry.invalid/v2/app/manifests/1\": dial tcp: lookup \
             registry.invalid: no such host",
        ),
        (
            "Nginx",
            "rpc error: code = Unknown desc = failed to parse image reference \"Nginx\": \
             invalid reference format: repository name (library/Nginx) must be lowercase",
        ),
    ] {
        let error = driver.call(CriRequest::PullImage { image: image.to_owned() }).unwrap_err();
        assert_eq!(error.to_string(), want);
    }
}

#[test]
fn a_copy_goes_the_same_way() {
    let mut driver = Driver::ready();
    driver.start(container("nginx", &[], &[]));
    let mut copy = driver.runtime.clone();
    driver.runtime.handle(driver.now, &mut Rng::new(7), CallId(99), CriRequest::ListContainers);
    copy.handle(driver.now, &mut Rng::new(7), CallId(99), CriRequest::ListContainers);
    let end = driver.now + Duration::from_mins(1);
    assert_eq!(driver.runtime.advance(end), copy.advance(end));
    assert_eq!(driver.runtime, copy);
}

/// The exit code, its reason, how long it took to stop after ten seconds, and the last line.
fn stopped(driver: &mut Driver, config: ContainerConfig) -> (i32, &'static str, u64, String) {
    let id = driver.start(config);
    driver.run_for(Duration::from_secs(20));
    let took = driver.stop(&id, 30);
    let status = driver.status(&id);
    let last = driver.logs(&id).lines().last().unwrap_or_default().to_owned();
    (status.exit_code, status.reason, took.as_secs(), last)
}

#[test]
fn well_known_images_stop_as_they_really_do() {
    let mut driver = Driver::ready();
    for (image, command, code, reason, seconds) in [
        ("nginx", &[][..], 0, "Completed", 0),
        ("nginx:1.14.2", &[], 0, "Completed", 0),
        ("nginx:alpine", &["nginx", "-g", "daemon off;"], 0, "Completed", 0),
        ("httpd", &[], 0, "Completed", 0),
        ("redis", &[], 0, "Completed", 0),
        ("memcached", &[], 0, "Completed", 0),
        ("mongo", &[], 0, "Completed", 0),
        ("registry.k8s.io/pause:3.10", &[], 0, "Completed", 0),
        ("registry.k8s.io/e2e-test-images/agnhost:2.53", &[], 2, "Error", 0),
        ("example.com/team/api:v1", &[], 0, "Completed", 0),
        ("busybox", &["sleep", "3600"], 137, "Error", 30),
        ("busybox", &["sh", "-c", "sleep 3600"], 137, "Error", 30),
        ("ubuntu", &["sleep", "infinity"], 137, "Error", 30),
        ("nginx", &["sh", "-c", "echo hi && exec nginx -g 'daemon off;'"], 0, "Completed", 0),
        ("nginx", &["bash", "-c", "nginx -g 'daemon off;'"], 0, "Completed", 0),
        ("python", &["python", "-m", "http.server"], 137, "Error", 30),
    ] {
        let (got, why, took, _) = stopped(&mut driver, container(image, command, &[]));
        assert_eq!((got, why, took), (code, reason, seconds), "{image} {command:?}");
    }
}

#[test]
fn well_known_images_run_as_they_really_do() {
    for (image, command, code, last) in [
        ("hello-world", &[][..], 0, ""),
        ("busybox", &[], 0, ""),
        ("alpine", &[], 0, ""),
        ("ubuntu", &[], 0, ""),
        ("python", &[], 0, ""),
        ("golang", &["go", "version"], 0, "go version go1.25.4 linux/amd64"),
        (
            "python",
            &["python", "/app.py"],
            2,
            "python: can't open file '/app.py': [Errno 2] No such file or directory",
        ),
        ("busybox", &["echo", "hello", "world"], 0, "hello world"),
        ("busybox", &["true"], 0, ""),
        ("busybox", &["false"], 1, ""),
        ("busybox", &["cat", "/nope"], 1, "cat: can't open '/nope': No such file or directory"),
        ("debian", &["sh", "-c", "foo"], 127, "sh: 1: foo: not found"),
        ("debian", &["bash", "-c", "foo"], 127, "bash: line 1: foo: command not found"),
        ("perl:5.34.0", &["perl", "-Mbignum=bpi", "-wle", "print bpi(10)"], 0, "3.141592653"),
        ("mysql", &[], 1, "    - MYSQL_RANDOM_ROOT_PASSWORD"),
        ("postgres", &[], 1, "       https://www.postgresql.org/docs/current/auth-trust.html"),
    ] {
        let mut driver = Driver::ready();
        let id = driver.start(container(image, command, &[]));
        driver.run_for(Duration::from_mins(1));
        let status = driver.status(&id);
        let want = if code == 0 { "Completed" } else { "Error" };
        assert_eq!((status.exit_code, status.reason), (code, want), "{image} {command:?}");
        let logs = driver.logs(&id);
        assert_eq!(logs.lines().last().unwrap_or_default(), last, "{image} {command:?}");
    }
}

#[test]
fn servers_listen_once_they_are_up() {
    let mut driver = Driver::ready();
    let config = ContainerConfig {
        envs: vec![("POSTGRES_PASSWORD".to_owned(), "secret".to_owned())],
        ..container("postgres", &[], &[])
    };
    let id = driver.start(config);
    let pod_sandbox_id = driver.status(&id).pod_sandbox_id;
    let ip = driver.sandbox_status(&pod_sandbox_id).ip.unwrap();
    assert!(!driver.runtime.listens(ip, 5432));
    driver.run_for(Duration::from_secs(5));
    assert!(driver.runtime.listens(ip, 5432));
    assert!(!driver.runtime.listens(ip, 80));
    assert!(!driver.runtime.listens(Ipv4Addr::new(10, 244, 1, 77), 5432));
}

#[test]
fn nginx_says_what_nginx_says() {
    let mut driver = Driver::ready();
    let id = driver.start(container("nginx", &[], &[]));
    driver.run_for(Duration::from_secs(1));
    let logs = driver.logs(&id);
    assert!(
        logs.starts_with("/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty"),
        "{logs}"
    );
    let notice = " [notice] 1#1: start worker processes\n";
    assert!(logs.contains(notice) && logs.contains("\n2026/01/01 00:00:0"), "{logs}");
}

#[test]
fn what_cannot_start_fails_in_runcs_words() {
    const RUNC: &str = "failed to create containerd task: failed to create shim task: OCI runtime \
                        create failed: runc create failed: unable to start container process: ";
    let tiny = ContainerConfig { memory_limit_in_bytes: 1 << 20, ..container("nginx", &[], &[]) };
    for (config, want) in [
        (
            container("busybox", &["nosuch"], &[]),
            "error during container init: exec: \"nosuch\": executable file not found in $PATH",
        ),
        (
            container("busybox", &["/bin/nosuch", "-x"], &[]),
            "error during container init: exec: \"/bin/nosuch\": stat /bin/nosuch: no such file \
             or directory",
        ),
        (
            container("hello-world", &["sh"], &[]),
            "error during container init: exec: \"sh\": executable file not found in $PATH",
        ),
        (
            container("alpine", &["bash"], &[]),
            "error during container init: exec: \"bash\": executable file not found in $PATH",
        ),
        (tiny, "container init was OOM-killed (memory limit too low?)"),
    ] {
        let mut driver = Driver::ready();
        let container_id = driver.create(config).unwrap();
        let start = CriRequest::StartContainer { container_id: Rc::clone(&container_id) };
        let error = driver.call(start).unwrap_err();
        assert_eq!(error.message, format!("{RUNC}{want}"));
        let status = driver.status(&container_id);
        assert_eq!((status.exit_code, status.reason), (128, "StartError"));
        assert_eq!(status.message, error.message);
        assert_eq!(status.started_at, None);
        assert!(!driver.events.iter().any(|event| {
            event.container_id == container_id && event.kind == ContainerEventType::Started
        }));
    }
}

#[test]
fn a_container_that_takes_more_memory_than_it_may_is_killed() {
    for (limit, reason) in [(100_u64 << 20, "OOMKilled"), (200 << 20, "")] {
        let mut driver = Driver::ready();
        let args = ["--vm", "1", "--vm-bytes", "150M", "--vm-hang", "1"];
        let config = ContainerConfig {
            memory_limit_in_bytes: limit,
            ..container("polinux/stress", &["stress"], &args)
        };
        let id = driver.start(config);
        driver.run_for(Duration::from_secs(5));
        let status = driver.status(&id);
        assert_eq!(status.reason, reason);
        assert_eq!(status.exit_code, if reason.is_empty() { 0 } else { 137 });
    }
}

#[test]
fn a_command_beside_the_first_process_sees_the_same_files() {
    let mut driver = Driver::ready();
    let script = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600";
    let id = driver.start(container("busybox", &["/bin/sh", "-c", script], &[]));
    let probe = |driver: &mut Driver, words: &[&str], timeout| {
        let cmd = words.iter().map(|word| (*word).to_owned()).collect();
        let timeout = Some(Duration::from_secs(timeout));
        driver.call(CriRequest::ExecSync { container_id: Rc::clone(&id), cmd, timeout })
    };
    let exit = |answer| match answer {
        Ok(CriResponse::ExecSync { exit_code, stdout, .. }) => (exit_code, stdout),
        other => panic!("{other:?}"),
    };
    driver.run_for(Duration::from_secs(10));
    assert_eq!(exit(probe(&mut driver, &["cat", "/tmp/healthy"], 1)), (0, String::new()));
    assert_eq!(exit(probe(&mut driver, &["hostname"], 1)), (0, "web\n".to_owned()));
    driver.run_for(Duration::from_secs(25));
    assert_eq!(exit(probe(&mut driver, &["cat", "/tmp/healthy"], 1)).0, 1);
    let late = probe(&mut driver, &["sleep", "5"], 1).unwrap_err();
    assert_eq!(late.code, super::Code::DeadlineExceeded);
    let missing = probe(&mut driver, &["nosuch"], 1).unwrap_err().message;
    assert!(missing.ends_with("exec: \"nosuch\": executable file not found in $PATH"), "{missing}");
}

#[test]
fn who_follows_a_log_gets_lines_as_they_are_written_and_then_the_end() {
    let mut driver = Driver::ready();
    let script = "echo a; printf b; sleep 5; echo c; sleep 5; echo d; printf e";
    let container_id = driver.start(container("busybox", &["sh", "-c", script], &[]));
    driver.run_for(Duration::from_secs(1));
    let options = LogOptions::default();
    let follow = || CriRequest::FollowLog { container_id: Rc::clone(&container_id), options };
    let stays = driver.send(follow());
    let goes = driver.send(follow());
    driver.run_for(Duration::from_secs(1));
    // A line without an end waits for it.
    assert_eq!(driver.wrote, [(stays, "a".to_owned()), (goes, "a".to_owned())]);
    let now = driver.now;
    driver.runtime.handle(now, &mut Rng::new(1), goes, CriRequest::Cancel);
    assert_eq!(driver.answer(goes).unwrap_err().code, super::Code::Canceled);
    driver.wrote.clear();
    assert_eq!(driver.answer(stays), Ok(CriResponse::FollowLog));
    assert_eq!(
        driver.wrote,
        [(stays, "bc".to_owned()), (stays, "d".to_owned()), (stays, "e".to_owned())]
    );
    // Of a container that has ended there is no more to come.
    driver.wrote.clear();
    let late = driver.send(CriRequest::FollowLog {
        container_id: Rc::clone(&container_id),
        options: LogOptions { tail: Some(1), since: None },
    });
    assert_eq!(driver.answer(late), Ok(CriResponse::FollowLog));
    assert_eq!(driver.wrote, [(late, "e".to_owned())]);
}

#[test]
fn what_a_command_writes_is_told_as_it_comes() {
    let mut driver = Driver::ready();
    let container_id = driver.start(container("busybox", &["sleep", "60"], &[]));
    let exec = |script: &str| {
        let cmd = ["sh", "-c", script].map(str::to_owned).to_vec();
        CriRequest::Exec { container_id: Rc::clone(&container_id), cmd, stdin: false, tty: false }
    };
    let call = driver.send(exec("echo a; printf b; sleep 1; echo c >&2; exit 3"));
    assert_eq!(driver.answer(call), Ok(CriResponse::Exec { exit_code: 3 }));
    // The first says that it has started.
    assert_eq!(driver.wrote, ["", "a|b", "c"].map(|text| (call, text.to_owned())));
    let cmd = vec!["nosuch".to_owned()];
    driver.wrote.clear();
    let nosuch =
        CriRequest::Exec { container_id: Rc::clone(&container_id), cmd, stdin: false, tty: false };
    assert!(driver.call(nosuch).unwrap_err().message.contains("executable file not found"));
    // All of it, and not what a log would keep.
    let call = driver.send(exec("seq 1 3000"));
    driver.answer(call).unwrap();
    let lines =
        driver.wrote.iter().flat_map(|(_, text)| text.split('|')).filter(|it| !it.is_empty());
    assert_eq!(lines.count(), 3000);
    // A command that nobody hears any more goes on.
    let call = driver.send(exec("sleep 1; echo done > /tmp/done; echo done"));
    driver.run_for(Duration::from_millis(500));
    driver.wrote.clear();
    let now = driver.now;
    driver.runtime.handle(now, &mut Rng::new(1), call, CriRequest::Cancel);
    assert_eq!(driver.answer(call).unwrap_err().code, super::Code::Canceled);
    driver.run_for(Duration::from_secs(2));
    assert_eq!(driver.wrote, []);
    let call = driver.send(exec("cat /tmp/done"));
    driver.answer(call).unwrap();
    assert_eq!(driver.wrote[1].1, "done");
    // A command ends with its container.
    let call = driver.send(exec("sleep 999"));
    driver.run_for(Duration::from_mins(1));
    assert_eq!(driver.answer(call), Ok(CriResponse::Exec { exit_code: 137 }));
}

#[test]
fn a_node_full_of_pods_is_cheap_to_run_and_to_copy() {
    let mut driver = Driver::ready();
    let ids: Vec<Id> = (0..200).map(|_| driver.start(container("nginx", &[], &[]))).collect();
    let copy = driver.runtime.clone();
    driver.stop(&ids[0], 30);
    assert_ne!(driver.runtime, copy);
    let mut ips: Vec<_> = ids
        .iter()
        .map(|id| driver.status(id).pod_sandbox_id)
        .collect::<Vec<_>>()
        .iter()
        .map(|sandbox| driver.sandbox_status(sandbox).ip)
        .collect();
    ips.sort();
    ips.dedup();
    assert_eq!(ips.len(), 200);
}
