//! The well-known images, as a table.

mod databases;
mod tools;
mod web;

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

use crate::runtime::catalogue::{Catalogue, ImageConfig, ImageEntry, Program, Userland};
use crate::runtime::cri::Stream;
use crate::runtime::program::printed;
use crate::runtime::routine::{Action, Ports, Routine};
use crate::runtime::signal::Signal;
use crate::sim::SortedMap;

const CURL: &[&str] = &["curl"];

/// A row of the table. Sizes are those of recent releases for amd64, compressed.
struct Known {
    names: &'static [&'static str],
    kilobytes: u64,
    layers: u32,
    userland: Userland,
    entrypoint: &'static [&'static str],
    cmd: &'static [&'static str],
    user: &'static str,
    working_dir: &'static str,
    stop_signal: Signal,
    directories: &'static [&'static str],
    /// Paths of what its server shows, and the text.
    files: &'static [(&'static str, &'static str)],
    /// Commands that ask other servers, where its userland has none.
    tools: &'static [&'static str],
    programs: Vec<(&'static str, Program)>,
}

impl Known {
    fn new(
        names: &'static [&'static str],
        kilobytes: u64,
        layers: u32,
        userland: Userland,
    ) -> Self {
        Self {
            names,
            kilobytes,
            layers,
            userland,
            entrypoint: &[],
            cmd: &[],
            user: "",
            working_dir: "/",
            stop_signal: Signal::Term,
            directories: &[],
            files: &[],
            tools: &[],
            programs: Vec::new(),
        }
    }

    fn entry(self) -> ImageEntry {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let programs = self.programs.into_iter();
        ImageEntry {
            size: self.kilobytes * 1_000,
            layers: self.layers,
            config: ImageConfig {
                entrypoint: owned(self.entrypoint),
                cmd: owned(self.cmd),
                user: self.user.to_owned(),
                working_dir: self.working_dir.to_owned(),
                stop_signal: self.stop_signal,
                ..ImageConfig::default()
            },
            userland: self.userland,
            directories: self.directories.to_vec(),
            files: self.files,
            tools: self.tools,
            programs: programs.map(|(name, program)| (name.to_owned(), program)).collect(),
            unknown: None,
        }
    }
}

impl Catalogue {
    /// The images that everybody knows; any other one is a server that ends at SIGTERM.
    pub fn well_known() -> Self {
        let server = Routine {
            actions: vec![Action::Serve],
            handlers: vec![(Signal::Term, vec![Action::Exit(0)])],
            ports: Ports::Any,
        };
        let other = ImageEntry {
            config: ImageConfig { entrypoint: vec!["/app".to_owned()], ..ImageConfig::default() },
            unknown: Some(Program::Routine(Rc::new(server))),
            ..Known::new(&[], 60_000, 6, Userland::Debian).entry()
        };
        let mut images = SortedMap::new();
        for known in table() {
            let names = known.names;
            let entry = Rc::new(known.entry());
            images.extend(names.iter().map(|name| ((*name).to_owned(), Rc::clone(&entry))));
        }
        let words = ["nonexistent", "does-not-exist", "doesnotexist"];
        Self {
            images,
            other: Rc::new(other),
            missing: words.map(str::to_owned).to_vec(),
            unreachable: vec![".invalid".to_owned()],
        }
    }
}

fn table() -> Vec<Known> {
    let mut all = bases();
    all.extend(web::web_servers());
    all.extend(databases::databases());
    all.extend(tools::languages());
    all.extend(tools::kubernetes_own());
    all
}

fn bases() -> Vec<Known> {
    let hello = printed(Stream::Stdout, HELLO.lines().map(str::to_owned), 0);
    vec![
        Known {
            cmd: &["sh"],
            ..Known::new(
                &[
                    "docker.io/library/busybox",
                    "registry.k8s.io/busybox",
                    "registry.k8s.io/e2e-test-images/busybox",
                    "gcr.io/google-containers/busybox",
                    "gcr.io/google_containers/busybox",
                    "k8s.gcr.io/busybox",
                    "quay.io/prometheus/busybox",
                ],
                2_200,
                1,
                Userland::Busybox,
            )
        },
        Known {
            cmd: &["/bin/sh"],
            ..Known::new(&["docker.io/library/alpine"], 3_800, 1, Userland::Alpine)
        },
        Known {
            cmd: &["bash"],
            ..Known::new(&["docker.io/library/debian"], 49_300, 1, Userland::Debian)
        },
        Known {
            cmd: &["/bin/bash"],
            ..Known::new(
                &[
                    "docker.io/library/ubuntu",
                    "docker.io/library/fedora",
                    "docker.io/library/centos",
                ],
                29_700,
                1,
                Userland::Debian,
            )
        },
        Known {
            cmd: &["/hello"],
            programs: vec![("hello", Program::Routine(Rc::new(hello)))],
            ..Known::new(&["docker.io/library/hello-world"], 3, 1, Userland::Scratch)
        },
    ]
}

fn output(stamp: &'static str, text: &'static str) -> Action {
    Action::Print { stream: Stream::Stdout, stamp, text: Cow::Borrowed(text) }
}

fn error(stamp: &'static str, text: &'static str) -> Action {
    Action::Print { stream: Stream::Stderr, stamp, text: Cow::Borrowed(text) }
}

fn pause(millis: u64) -> Action {
    Action::Wait(Duration::from_millis(millis))
}

const HELLO: &str = "
Hello from Docker!
This message shows that your installation appears to be working correctly.

To generate this message, Docker took the following steps:
 1. The Docker client contacted the Docker daemon.
 2. The Docker daemon pulled the \"hello-world\" image from the Docker Hub.
    (amd64)
 3. The Docker daemon created a new container from that image which runs the
    executable that produces the output you are currently reading.
 4. The Docker daemon streamed that output to the Docker client, which sent it
    to your terminal.

To try something more ambitious, you can run an Ubuntu container with:
 $ docker run -it ubuntu bash

Share images, automate workflows, and more with a free Docker ID:
 https://hub.docker.com/

For more examples and ideas, visit:
 https://docs.docker.com/get-started/

";
