//! Which command is to run in a container, who is attached to it, or which ports are forwarded: the query of
//! `pods/exec`, `pods/attach` and `pods/portforward`.
//!
//! Mirrors: `PodExecOptions`, `PodAttachOptions` and `PodPortForwardOptions` of `k8s.io/api/core/v1`, and `k8s.io/apimachinery/pkg/util/remotecommand`.

use std::rc::Rc;

use super::route::Query;

/// `v1.PodExecOptions`, `v1.PodAttachOptions` or `v1.PodPortForwardOptions`, and how the answer is to be streamed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are upstream's")]
pub struct ExecOptions {
    /// Empty takes the only one.
    pub container: Rc<str>,
    pub command: Vec<String>,
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    pub tty: bool,
    /// Numbers with commas between them. Over a web socket, no others can be named later.
    pub ports: String,
    /// The header `Upgrade`, in small letters.
    pub upgrade: Option<Rc<str>>,
}

/// What a piece of an answer to an exec belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Stdin,
    Stdout,
    Stderr,
    /// How it ended: a `Status`.
    Error,
    /// Nothing more comes through that of the input.
    Close,
}

impl Channel {
    /// Its number in the protocols that end with `.channel.k8s.io`.
    pub fn number(self) -> u8 {
        match self {
            Self::Stdin => 0,
            Self::Stdout => 1,
            Self::Stderr => 2,
            Self::Error => 3,
            Self::Close => 255,
        }
    }
}

impl ExecOptions {
    /// Reads a query.
    pub(super) fn parse(query: &Query) -> Self {
        let all = |name| query.all(name).map(str::to_owned).collect::<Vec<String>>();
        Self {
            container: query.get("container").unwrap_or_default().into(),
            command: all("command"),
            stdin: query.flag("stdin"),
            stdout: query.flag("stdout"),
            stderr: query.flag("stderr"),
            tty: query.flag("tty"),
            ports: all("ports").join(","),
            upgrade: None,
        }
    }

    /// As a query, but for the container.
    pub fn query(&self) -> Vec<String> {
        let command = self.command.iter().map(|word| format!("command={}", encoded(word)));
        let flags = [
            ("stdin", self.stdin),
            ("stdout", self.stdout),
            ("stderr", self.stderr),
            ("tty", self.tty),
        ];
        let flags = flags.into_iter().filter(|(_, is_set)| *is_set);
        command.chain(flags.map(|(name, _)| format!("{name}=true"))).collect()
    }
}

/// A word as it stands in a query.
fn encoded(word: &str) -> String {
    let mut query = String::new();
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            query.push(char::from(byte));
        } else {
            query.extend([format!("%{byte:02X}")]);
        }
    }
    query
}
