//! What somebody types: to a command that `pods/exec` runs, and to a process by `pods/attach`.

use std::time::Duration;

use podflow::testing::api::Kind;
use podflow::testing::api::request::RequestId;
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";
const SOON: Duration = Duration::from_secs(1);

/// A cluster in which a Pod called `p` of one container has had a minute.
fn cluster(container: Value) -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 1));
    cluster.run_for(Duration::from_secs(5));
    let mut container = container;
    container["name"] = "c".into();
    container["image"] = "busybox".into();
    let spec = json!({"containers": [container], "restartPolicy": "Never"});
    let pod = json!({"metadata": {"name": "p"}, "spec": spec});
    cluster.submit(&HttpCall::new("POST", PODS, Some(pod)));
    cluster.run_for(Duration::from_mins(1));
    cluster
}

fn sleeping() -> Cluster {
    cluster(json!({"command": ["sleep", "9999"]}))
}

fn call(part: &str, query: &str) -> HttpCall {
    let path = format!("{PODS}/p/{part}?stdin=true&stdout=true&stderr=true&{query}");
    HttpCall { upgrade: Some("websocket".into()), ..HttpCall::get(&path) }
}

fn begin(cluster: &mut Cluster, part: &str, query: &str) -> RequestId {
    let id = cluster.submit(&call(part, query));
    cluster.run_for(SOON);
    assert_eq!(cluster.reply(id).expect("an answer").code, 101);
    id
}

/// Sends `text`, and has a second pass.
fn send(cluster: &mut Cluster, id: RequestId, text: &str) {
    cluster.type_in(id, Some(text));
    cluster.run_for(SOON);
}

/// Says that no more will come.
fn end(cluster: &mut Cluster, id: RequestId) {
    cluster.type_in(id, None);
    cluster.run_for(SOON);
}

/// All that was written so far, whatever the stream, and how it ended.
fn told(cluster: &Cluster, id: RequestId) -> (String, Option<String>) {
    let (mut text, mut ended) = (String::new(), None);
    for message in cluster.lines(id, 0) {
        let (channel, rest) = message.split_at(1);
        if channel.as_bytes()[0] == 3 {
            let status: Value = serde_json::from_str(rest).unwrap_or_default();
            let code = &status["details"]["causes"][0]["message"];
            ended = Some(code.as_str().or(status["status"].as_str()).unwrap_or_default().into());
        } else {
            text.push_str(rest);
        }
    }
    (text, ended)
}

fn said(text: &str, end: &str) -> (String, Option<String>) {
    (text.to_owned(), Some(end).filter(|end| !end.is_empty()).map(str::to_owned))
}

#[test]
fn a_command_reads_what_it_is_sent() {
    let mut cluster = sleeping();
    let cat = begin(&mut cluster, "exec", "command=cat");
    assert_eq!(told(&cluster, cat), said("", ""));
    assert!(cluster.is_settled(), "who waits for input keeps nobody at work");
    send(&mut cluster, cat, "one\ntw");
    assert_eq!(told(&cluster, cat), said("one\ntw", ""));
    send(&mut cluster, cat, "o\n");
    end(&mut cluster, cat);
    assert_eq!(told(&cluster, cat), said("one\ntwo\n", "Success"));
    assert!(cluster.log().contains("TypeIn"));
    for (command, pieces, want) in [
        ("command=wc&command=-l", &["a\nb\n", "c\n"][..], said("3\n", "Success")),
        ("command=sort", &["b\n", "a\n"], said("a\nb\n", "Success")),
        ("command=xargs&command=echo&command=-", &["b\n", "a\n"], said("- b a\n", "Success")),
        (
            "command=sh&command=-c&command=read+a;+read+b;+echo+%22$b$a%22;+exit+7",
            &["one", "\ntwo\n"],
            said("twoone\n", "7"),
        ),
        ("command=sh&command=-c&command=cat+|+tr+a+b", &["a", "a\n"], said("bb\n", "Success")),
        ("command=timeout&command=5&command=wc", &["a\n"], said("1 1 2\n", "Success")),
        // Who is sent nothing reads to the end at once, and a job in the background, too.
        ("command=sh&command=-c&command=cat+%26+wait", &["a"], said("", "Success")),
        ("command=cat&stdin=false", &["a"], said("", "Success")),
    ] {
        let path = call("exec", command).path.replace("stdin=true&", "");
        let path = if command.contains("stdin") { path } else { format!("{path}&stdin=true") };
        let id = cluster.submit(&HttpCall { path: path.into(), ..call("exec", "") });
        cluster.run_for(SOON);
        for piece in pieces {
            send(&mut cluster, id, piece);
        }
        end(&mut cluster, id);
        let (text, ended) = told(&cluster, id);
        let words = text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        assert_eq!((words, ended), want, "{command}");
    }
    let slow = begin(&mut cluster, "exec", "command=timeout&command=5&command=wc");
    cluster.run_for(Duration::from_secs(5));
    assert_eq!(told(&cluster, slow), said("", "143"));
}

#[test]
fn a_shell_reads_its_script_line_by_line() {
    let mut cluster = sleeping();
    let id = begin(&mut cluster, "exec", "command=sh");
    send(&mut cluster, id, "echo a; cd /tmp\npwd");
    assert_eq!(told(&cluster, id), said("a\n", ""));
    send(&mut cluster, id, "\nread x\nfirst\necho \"$x\"; false\nif true\nthen echo 'in");
    assert_eq!(told(&cluster, id), said("a\n/tmp\nfirst\n", ""));
    send(&mut cluster, id, "side'\nfi\ncat <<E\n$x\nE\ncat\nrest");
    end(&mut cluster, id);
    let all = "a\n/tmp\nfirst\ninside\nfirst\nrest";
    assert_eq!(told(&cluster, id), said(all, "Success"));
    for (script, want) in [
        ("exit 4\necho no\n", said("", "4")),
        ("false", said("", "1")),
        ("echo a \\\nb\n", said("a b\n", "Success")),
        ("if\n", said("sh: syntax error: unexpected end of file\n", "2")),
        (")\necho no\n", said("sh: syntax error: unexpected \")\"\n", "2")),
        ("sh\necho in\nexit 3\necho $?\n", said("in\n3\n", "Success")),
    ] {
        let id = begin(&mut cluster, "exec", "command=sh");
        send(&mut cluster, id, script);
        end(&mut cluster, id);
        assert_eq!(told(&cluster, id), want, "{script}");
    }
}

#[test]
fn a_terminal_shows_what_is_typed_and_the_shell_prompts() {
    let mut cluster = sleeping();
    let id = begin(&mut cluster, "exec", "command=sh&tty=true");
    let mut shown = String::from("/ # ");
    assert_eq!(told(&cluster, id), said(&shown, ""));
    for (typed, more) in [
        ("echp", "echp"),
        ("\u{7f}o hi", "\u{8} \u{8}o hi"),
        ("\r", "\r\nhi\r\n/ # "),
        ("cd /root; \u{1b}[A\u{1}pwd\r", "cd /root; pwd\r\n/root\r\n~ # "),
        ("for i in 1\r", "for i in 1\r\n> "),
        ("do echo $i; done\r", "do echo $i; done\r\n1\r\n~ # "),
        ("sleep 100\r", "sleep 100\r\n"),
        ("\u{3}", "^C\r\n~ # "),
        ("half a li\u{3}", "half a li^C\r\n~ # "),
        ("echo $?; )\r", "echo $?; )\r\nsh: syntax error: unexpected \")\"\r\n~ # "),
        ("cat\rline\r", "cat\r\nline\r\nline\r\n"),
        ("\u{3}", "^C\r\n~ # "),
        ("echo $?\r", "echo $?\r\n130\r\n~ # "),
        ("sh\r", "sh\r\n~ # "),
        ("exit 9\r", "exit 9\r\n~ # "),
        ("(exit 5)\r", "(exit 5)\r\n~ # "),
    ] {
        send(&mut cluster, id, typed);
        shown.push_str(more);
        assert_eq!(told(&cluster, id), said(&shown, ""), "{typed:?}");
    }
    // The end of the input is a key of its own.
    send(&mut cluster, id, "\u{4}");
    assert_eq!(told(&cluster, id).1.as_deref(), Some("5"));
    // Each image's shell has a prompt of its own, and what is no shell is ended by its interrupt.
    let id = begin(&mut cluster, "exec", "command=sleep&command=100&tty=true");
    send(&mut cluster, id, "x\u{3}");
    assert_eq!(told(&cluster, id), said("x^C\r\n", "130"));
}

#[test]
fn who_leaves_ends_the_input_of_what_they_began() {
    let mut cluster = sleeping();
    let script = "command=sh&command=-c&command=cat+>/tmp/all;+echo+over+>>/tmp/all";
    let id = begin(&mut cluster, "exec", script);
    send(&mut cluster, id, "a\n");
    cluster.hang_up(id);
    cluster.run_for(SOON);
    let id = begin(&mut cluster, "exec", "command=cat&command=/tmp/all");
    assert_eq!(told(&cluster, id), said("a\nover\n", "Success"));
}

#[test]
fn who_is_attached_hears_and_is_heard() {
    let script = "echo early; while read x; do echo \"got $x\"; done; echo over >&2; exit 3";
    let command = json!(["sh", "-c", script]);
    let mut cluster = cluster(json!({"command": command, "stdin": true}));
    let (one, other) =
        (begin(&mut cluster, "attach", ""), begin(&mut cluster, "attach", "container=c"));
    send(&mut cluster, one, "a\n");
    send(&mut cluster, other, "b\n");
    // What was written before nobody hears, and what is written everybody does.
    for id in [one, other] {
        assert_eq!(told(&cluster, id), said("got a\ngot b\n", ""));
    }
    // Its input stays open, whoever goes.
    end(&mut cluster, one);
    cluster.hang_up(other);
    send(&mut cluster, one, "c\n");
    assert_eq!(told(&cluster, one), said("got a\ngot b\ngot c\n", ""));
    let log = cluster.submit(&HttpCall::get(&format!("{PODS}/p/log")));
    cluster.run_for(SOON);
    let log = cluster.reply(log).expect("a log").body;
    assert_eq!(log, "early\ngot a\ngot b\ngot c\n");
    cluster.submit(&HttpCall::new("DELETE", &format!("{PODS}/p?gracePeriodSeconds=1"), None));
    cluster.run_for(Duration::from_secs(5));
    assert_eq!(told(&cluster, one).1.as_deref(), Some("Success"));
}

#[test]
fn a_process_hears_only_the_first_if_it_is_to() {
    let container = json!({"command": ["sh"], "stdin": true, "stdinOnce": true, "tty": true});
    let mut cluster = cluster(container);
    // Whether there is a terminal was said when it began; what an attach asks for does not count.
    let id = begin(&mut cluster, "attach", "");
    send(&mut cluster, id, "\rhostname\r");
    assert_eq!(told(&cluster, id), said("\r\nhostname\r\n/ # p\r\n/ # ", ""));
    cluster.hang_up(id);
    cluster.run_for(SOON);
    let pod = cluster.object(Kind::Pod, "default", "p").expect("a Pod").to_json();
    assert_eq!(pod["status"]["phase"], "Succeeded");
    let refused = cluster.submit(&call("attach", ""));
    cluster.run_for(SOON);
    let why = "unable to upgrade connection: container c not found in pod p_default";
    let told: String = cluster.lines(refused, 0).collect();
    assert!(told.contains(why), "{told}");
    let id = cluster.submit(&HttpCall::get(&format!("{PODS}/p/attach?stdin=true")));
    cluster.run_for(SOON);
    let reply = cluster.reply(id).expect("an answer");
    assert_eq!((reply.code, reply.body.contains("Upgrade request required")), (400, true));
}
