//! Scripts and what they come to.

use std::time::Duration;

use proptest::prelude::*;

use crate::runtime::cri::ContainerConfig;
use crate::runtime::tests::{Driver, container};

/// Output (both streams as they came), exit code, and virtual time of `image` running `argv`.
fn run(config: ContainerConfig) -> (String, i32, Duration) {
    let mut driver = Driver::ready();
    let id = driver.start(config);
    for _ in 0..10_000 {
        if driver.now.as_micros() > 3_600_000_000 || !driver.step() {
            break;
        }
    }
    let output = driver.logs(&id);
    let status = driver.status(&id);
    let length = match (status.started_at, status.finished_at) {
        (Some(start), Some(end)) => Duration::from_micros(end.as_micros() - start.as_micros()),
        _ => panic!("still runs after an hour; so far: {output}"),
    };
    (output, status.exit_code, length)
}

fn sh(script: &str) -> (String, i32, Duration) {
    run(container("busybox", &["sh", "-c", script], &[]))
}

#[test]
fn a_script_prints_and_ends_as_in_busybox() {
    for case in include_str!("cases.txt").split("\n--\n") {
        let (script, want) = case.trim_start_matches('\n').split_once("\n=> ").expect(case);
        let (code, output) = want.split_once('\n').unwrap_or((want, ""));
        let (got, status, _) = sh(script);
        assert_eq!(
            (got.trim_end(), status.to_string().as_str()),
            (output.trim_end(), code),
            "{script}"
        );
    }
}

#[test]
fn time_passes_as_a_script_sleeps() {
    for (script, millis) in [
        ("true", 0),
        ("sleep 2", 2_000),
        ("sleep 0.5; sleep 0.25", 750),
        ("sleep 1m; sleep 1", 61_000),
        ("for i in 1 2 3; do sleep 1; done", 3_000),
        ("i=0; while [ $i -lt 4 ]; do sleep .5; i=$((i+1)); done", 2_000),
        ("x=$(sleep 1; echo a); sleep 1", 2_000),
        ("sleep 5 & sleep 3 & wait", 5_000),
        ("(sleep 1; echo a) | cat; sleep 1", 2_000),
        ("sleep 3 && sleep 1 || sleep 100", 4_000),
        ("f() { sleep 1; }; f; f", 2_000),
        ("timeout 2 sleep 100; sleep 1", 3_000),
        ("sleep 100 & sleep 1; kill $!; wait $!", 1_000),
    ] {
        let (output, _, length) = sh(script);
        let within = Duration::from_millis(millis)..Duration::from_millis(millis + 5);
        assert!(within.contains(&length), "{script}: {length:?} {output}");
    }
}

#[test]
fn a_first_process_ignores_the_signals_that_it_does_not_handle() {
    for (script, exit, seconds) in [
        ("sleep 1000", 137, 5),
        ("sleep 1000; true", 137, 5),
        ("while true; do sleep 1; done", 137, 5),
        ("trap 'exit 3' TERM; sleep 1000 & wait", 3, 0),
        ("trap 'echo bye; exit 0' TERM; while true; do sleep 2; done", 0, 2),
        ("trap '' TERM; sleep 1000", 137, 5),
        ("exec sleep 1000", 137, 5),
        ("trap 'exit 0' TERM; tail -f /dev/null", 137, 5),
        ("trap 'kill $!; exit 9' TERM; sleep 1000 & wait $!", 9, 0),
    ] {
        let mut driver = Driver::ready();
        let id = driver.start(container("busybox", &["sh", "-c", script], &[]));
        driver.run_for(Duration::from_millis(10_100));
        let took = driver.stop(&id, 5).as_secs_f64();
        let status = driver.status(&id);
        assert_eq!(status.exit_code, exit, "{script}");
        assert!(took <= f64::from(seconds) + 0.01, "{script}: {took}");
        assert!(took >= f64::from(seconds) - 2.0, "{script}: {took}");
    }
}

#[test]
fn no_loop_stops_the_clock() {
    for script in [
        "while true; do :; done",
        "while :; do date; done",
        "while :; do echo x >> /tmp/f; done",
        "while :; do x=$x$x.; y=${x#a*}; done",
        "while :; do (while :; do :; done) & done",
        ":(){ :|:& };:; sleep 1000",
        "yes",
        "while :; do x=$(yes); done",
        "while :; do for i in $(seq 1 100000); do :; done; done",
        "while :; do seq 1 100000 | sort | tail -1; done",
        "set -- $(seq 1 4000); while :; do set -- $@ $@; done",
        "trap 'kill -TERM 1' TERM; kill -TERM 1; while :; do sleep 1; done",
        "while :; do kill 1; sleep 0; done",
        "f() { f; }; while :; do f; done",
        "f() { f | f; }; f",
        "f() { echo $(f); }; f",
        "while :; do eval 'eval \"eval :\"'; done",
    ] {
        let mut driver = Driver::ready();
        driver.start(container("busybox", &["sh", "-c", script], &[]));
        let end = driver.now + Duration::from_secs(1);
        let mut wakeups = 0;
        while driver.runtime.next_wakeup().is_some_and(|next| next <= end) {
            driver.step();
            wakeups += 1;
        }
        assert!(wakeups < 10_000, "{script}: {wakeups}");
    }
}

#[test]
fn bash_counts_with_braces() {
    let script = "for i in {3..1}; do echo $i; done; echo {1..2} '{1..2}' x{1..2}";
    let (output, ..) = run(container("debian", &["bash", "-c", script], &[]));
    assert_eq!(output, "3\n2\n1\n1 2 {1..2} x{1..2}\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_script_panics_or_hangs(script in "([a-z $\"'`(){};|&<>!=\\[\\]*?#\n0-9\\\\-]|if |then |fi|while |do |done|for |in |case |esac|echo |sleep 1|exit |\\$\\(|\\$\\(\\(|\\)\\)|\\$\\{|:-|true|false|cat |set -e|trap |&& |read x|wait|break){0,40}") {
        let mut driver = Driver::ready();
        driver.start(container("busybox", &["sh", "-c", &script], &[]));
        driver.run_for(Duration::from_secs(30));
    }
}
