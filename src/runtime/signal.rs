//! The signals that stop programs.

/// A signal, by its name without `SIG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    Hup,
    Int,
    Quit,
    Kill,
    Usr1,
    Usr2,
    Pipe,
    Alrm,
    Term,
    Cont,
    Stop,
    Winch,
}

const ALL: [(Signal, i32, &str); 12] = [
    (Signal::Hup, 1, "HUP"),
    (Signal::Int, 2, "INT"),
    (Signal::Quit, 3, "QUIT"),
    (Signal::Kill, 9, "KILL"),
    (Signal::Usr1, 10, "USR1"),
    (Signal::Usr2, 12, "USR2"),
    (Signal::Pipe, 13, "PIPE"),
    (Signal::Alrm, 14, "ALRM"),
    (Signal::Term, 15, "TERM"),
    (Signal::Cont, 18, "CONT"),
    (Signal::Stop, 19, "STOP"),
    (Signal::Winch, 28, "WINCH"),
];

impl Signal {
    /// From `TERM`, `SIGTERM`, `term` or `15`.
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        ALL.iter()
            .find(|(_, number, known)| *known == name || number.to_string() == name)
            .map(|(signal, ..)| *signal)
    }

    /// Linux's number on x86-64.
    pub fn number(self) -> i32 {
        ALL.iter().find(|(signal, ..)| *signal == self).map_or(0, |(_, number, _)| *number)
    }

    /// The exit code of a process that the signal ended, as a shell and a container report it.
    pub fn exit_code(self) -> i32 {
        128 + self.number()
    }

    /// Whether a process that does not handle the signal lives on.
    pub fn ignored_by_default(self) -> bool {
        match self {
            Self::Cont | Self::Stop | Self::Winch => true,
            Self::Hup
            | Self::Int
            | Self::Quit
            | Self::Kill
            | Self::Usr1
            | Self::Usr2
            | Self::Pipe
            | Self::Alrm
            | Self::Term => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_known_by_each_of_its_names() {
        for text in ["TERM", "SIGTERM", "sigterm", "15"] {
            assert_eq!(Signal::parse(text), Some(Signal::Term), "{text}");
        }
        assert_eq!(Signal::parse("SIGNOTHING"), None);
        assert_eq!(Signal::Kill.exit_code(), 137);
    }
}
