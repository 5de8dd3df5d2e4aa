//! Languages, and the images of Kubernetes itself.

use std::rc::Rc;

use super::{CURL, Known, error};
use crate::runtime::catalogue::{Program, Userland};
use crate::runtime::routine::{Action, Ports, Routine};
use crate::runtime::signal::Signal;
use crate::runtime::special::Special;

const BOTH: &[&str] = &["curl", "wget"];

/// Their rows of the table.
pub(super) fn languages() -> Vec<Known> {
    let special = |names: &[&'static str], special| {
        names.iter().map(|name| (*name, Program::Special(special))).collect::<Vec<_>>()
    };
    let entrypoint = Program::Entrypoint { server: "node", first: Vec::new(), needs: None };
    let mut node = special(&["node", "nodejs"], Special::Node);
    node.push(("docker-entrypoint.sh", entrypoint));
    vec![
        Known {
            entrypoint: &["docker-entrypoint.sh"],
            cmd: &["node"],
            programs: node,
            tools: BOTH,
            ..Known::new(&["docker.io/library/node"], 405_000, 8, Userland::Debian)
        },
        Known {
            cmd: &["python3"],
            programs: special(&["python", "python3"], Special::Python),
            tools: BOTH,
            ..Known::new(&["docker.io/library/python"], 411_000, 7, Userland::Debian)
        },
        Known {
            cmd: &["bash"],
            working_dir: "/go",
            programs: special(&["go"], Special::Go),
            tools: BOTH,
            ..Known::new(&["docker.io/library/golang"], 300_000, 7, Userland::Debian)
        },
        Known {
            cmd: &["perl"],
            programs: special(&["perl"], Special::Perl),
            tools: BOTH,
            ..Known::new(&["docker.io/library/perl"], 355_000, 7, Userland::Debian)
        },
    ]
}

/// Their rows of the table.
pub(super) fn kubernetes_own() -> Vec<Known> {
    let pause_program = Routine {
        actions: vec![Action::Serve],
        handlers: [
            (Signal::Term, "Shutting down, got signal: Terminated"),
            (Signal::Int, "Shutting down, got signal: Interrupt"),
        ]
        .map(|(signal, name)| (signal, vec![error("", name), Action::Exit(0)]))
        .to_vec(),
        ports: Ports::These(Vec::new()),
    };
    vec![
        Known {
            entrypoint: &["/pause"],
            user: "65535:65535",
            programs: vec![("pause", Program::Routine(Rc::new(pause_program)))],
            ..Known::new(
                &["registry.k8s.io/pause", "k8s.gcr.io/pause", "gcr.io/google_containers/pause"],
                320,
                1,
                Userland::Scratch,
            )
        },
        Known {
            entrypoint: &["/agnhost"],
            cmd: &["pause"],
            programs: vec![("agnhost", Program::Special(Special::Agnhost))],
            tools: CURL,
            ..Known::new(
                &["registry.k8s.io/e2e-test-images/agnhost", "k8s.gcr.io/e2e-test-images/agnhost"],
                52_000,
                10,
                Userland::Alpine,
            )
        },
        Known {
            cmd: &["stress", "--verbose", "--vm", "1"],
            programs: vec![("stress", Program::Special(Special::Stress))],
            ..Known::new(
                &["docker.io/polinux/stress", "docker.io/vish/stress"],
                4_000,
                3,
                Userland::Alpine,
            )
        },
    ]
}
