//! A parsed script. Nodes are shared, so that a machine in the middle of one holds only its place.

use std::rc::Rc;

/// Commands one after the other.
pub type List = Rc<[Item]>;

/// A chain of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub chain: Rc<Chain>,
    /// Ends in `&`.
    pub background: bool,
}

/// `a && b || c`.
#[derive(Debug, PartialEq, Eq)]
pub struct Chain {
    pub first: Rc<Pipeline>,
    pub rest: Vec<(Link, Rc<Pipeline>)>,
}

/// What joins two pipelines of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    And,
    Or,
}

/// `! a | b`.
#[derive(Debug, PartialEq, Eq)]
pub struct Pipeline {
    pub negated: bool,
    pub commands: Vec<Rc<Command>>,
}

/// One command of a pipeline.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Simple(Simple),
    Compound { kind: Compound, redirects: Vec<Redirect> },
    Function { name: String, body: Rc<Command> },
}

/// Assignments, words, redirections; each may be missing, though not all.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Simple {
    pub assignments: Vec<(String, Word)>,
    pub words: Vec<Word>,
    pub redirects: Vec<Redirect>,
}

/// Commands that hold others.
#[derive(Debug, PartialEq, Eq)]
pub enum Compound {
    Brace(List),
    Subshell(List),
    /// Conditions and what follows if they hold, tried in order.
    If {
        arms: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    /// `while`, or `until`.
    Loop {
        until: bool,
        condition: List,
        body: List,
    },
    /// Without words it goes over the positional parameters.
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: List,
    },
    Case {
        subject: Word,
        arms: Vec<(Vec<Word>, List)>,
    },
}

/// A redirection of one stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Redirect {
    pub fd: u32,
    pub kind: RedirectKind,
    pub target: Word,
}

/// What becomes of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// `<`
    Read,
    /// `>`
    Write,
    /// `>>`
    Append,
    /// `>&` or `<&`
    Duplicate,
    /// `&>`, both outputs
    WriteBoth,
    /// `<<`: the target is the text itself
    Here,
}

/// Parts that are joined into one word, or split into several.
pub type Word = Vec<Part>;

/// A part of a word. What is quoted is neither split nor a pattern.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    Literal { text: String, quoted: bool },
    Parameter { name: String, change: Change, quoted: bool },
    Command { list: List, quoted: bool },
    Arithmetic { expression: Word, quoted: bool },
}

/// What `${name…}` does with the value.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    None,
    Length,
    /// `-`, `=`, `?`, `+`; with a colon an empty value counts as none.
    Default {
        operator: char,
        colon: bool,
        word: Word,
    },
    /// `#`, `##`, `%`, `%%`.
    Strip {
        suffix: bool,
        longest: bool,
        pattern: Word,
    },
}
