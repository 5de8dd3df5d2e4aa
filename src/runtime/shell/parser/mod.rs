//! From text to a script.
//!
//! Mirrors: POSIX shell grammar and the words of `BusyBox` ash where it refuses.

mod compound;
mod redirect;

use std::rc::Rc;

use super::ast::{Chain, Command, Compound, Item, Link, List, Part, Pipeline, Simple, Word};

/// Deeper nesting is refused, so that no script exhausts the stack.
const MAX_DEPTH: u32 = 60;

/// What is wrong with a script, without the leading `syntax error: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError(pub String);

/// What a part of the parser comes to.
pub(super) type Parsed<T> = Result<T, SyntaxError>;

const RESERVED: [&str; 15] = [
    "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for", "case", "esac", "{",
    "}", "!",
];

/// Reads a whole script.
///
/// # Errors
///
/// [`SyntaxError`] for the first thing that is no shell.
pub fn parse(script: &str) -> Result<List, SyntaxError> {
    parse_at(script, 0)
}

/// Reads a script of which more lines may come; none if it is not complete without them.
pub fn parse_so_far(script: &str) -> Option<Parsed<List>> {
    if script.ends_with("\\\n") {
        return None;
    }
    let mut parser = Parser::new(script, 0);
    let list = parser.list(&[]);
    match (list, parser.peek()) {
        _ if parser.is_open => None,
        (Err(SyntaxError(why)), None)
            if why.starts_with("unterminated") || why.starts_with("unexpected end of file") =>
        {
            None
        }
        (Ok(_), Some(_)) => Some(Err(parser.unexpected(None))),
        (list, _) => Some(list),
    }
}

/// As [`parse`], for a script that stands `depth` levels deep in another.
pub(super) fn parse_at(script: &str, depth: u32) -> Parsed<List> {
    let mut parser = Parser::new(script, depth);
    let list = parser.list(&[])?;
    match parser.peek() {
        None => Ok(list),
        Some(_) => Err(parser.unexpected(None)),
    }
}

/// A place in the text.
pub(super) struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: u32,
    /// Here-documents whose text begins at the next line: delimiter, `<<-`, quoted.
    awaited: Vec<(String, bool, bool)>,
    /// Whether one of them did not end, or has not begun.
    is_open: bool,
    /// Their texts, in order.
    heres: Vec<Word>,
}

impl Parser {
    /// At the beginning of `script`, itself `depth` levels deep.
    pub fn new(script: &str, depth: u32) -> Self {
        Self {
            chars: script.chars().collect(),
            at: 0,
            depth,
            awaited: Vec::new(),
            is_open: false,
            heres: Vec::new(),
        }
    }

    /// How deep it stands.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// The next character.
    pub fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// The character so many further on.
    pub fn peek_at(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Takes the next character.
    pub fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    /// Takes `text`, if it stands here.
    pub fn eat(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(ahead, c)| self.peek_at(ahead) == Some(c));
        if found {
            self.at += text.chars().count();
        }
        found
    }

    /// Runs `read` one level deeper.
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SyntaxError("nested too deeply".to_owned()));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// What the parser stumbles over, and what it hoped for instead.
    fn unexpected(&self, expecting: Option<&str>) -> SyntaxError {
        let found = match self.peek() {
            None => "end of file".to_owned(),
            Some('\n') => "newline".to_owned(),
            Some(c) => {
                let doubled = matches!(c, ';' | '&' | '|') && self.peek_at(1) == Some(c);
                let operator = c.to_string().repeat(if doubled { 2 } else { 1 });
                format!("\"{}\"", self.peek_word().unwrap_or(operator))
            }
        };
        let expecting = expecting.map_or(String::new(), |word| format!(" (expecting {word:?})"));
        SyntaxError(format!("unexpected {found}{expecting}"))
    }

    /// Blanks, comments and joined lines.
    fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.peek_at(1) == Some('\n') => self.at += 2,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn skip_newlines(&mut self) -> Parsed<()> {
        loop {
            self.skip_blanks();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.at += 1;
            self.read_heres()?;
        }
    }

    /// The plain word at this place, if it is one; nothing is consumed.
    fn peek_word(&self) -> Option<String> {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|c| is_meta(*c)).unwrap_or(rest.len());
        let word: String = rest.get(..end).unwrap_or_default().iter().collect();
        (!word.is_empty()).then_some(word)
    }

    fn peek_reserved(&self) -> Option<&'static str> {
        let word = self.peek_word()?;
        RESERVED.iter().copied().find(|reserved| *reserved == word)
    }

    fn expect_reserved(&mut self, word: &str) -> Parsed<()> {
        self.skip_newlines()?;
        if self.peek_reserved() == Some(word) && self.eat(word) {
            return Ok(());
        }
        Err(self.unexpected(Some(word)))
    }

    /// Chains until the end, a closing `)`, `;;`, or one of the reserved words in `until`.
    fn list(&mut self, until: &[&str]) -> Parsed<List> {
        let mut items = Vec::new();
        loop {
            self.skip_newlines()?;
            let over = match self.peek() {
                None | Some(')') => true,
                Some(';') => self.peek_at(1) == Some(';'),
                Some(_) => self.peek_reserved().is_some_and(|word| until.contains(&word)),
            };
            if over {
                return Ok(items.into());
            }
            let chain = Rc::new(self.nested(Self::chain)?);
            self.skip_blanks();
            let mut background = false;
            match self.peek() {
                Some('&') if self.peek_at(1) != Some('&') => {
                    self.at += 1;
                    background = true;
                }
                Some(';') if self.peek_at(1) != Some(';') => self.at += 1,
                None | Some('\n' | ')' | ';') => {}
                Some(_) => return Err(self.unexpected(None)),
            }
            items.push(Item { chain, background });
        }
    }

    /// A list that must hold something and ends at one of `until`.
    fn body(&mut self, until: &[&str]) -> Parsed<List> {
        let list = self.list(until)?;
        if list.is_empty() { Err(self.unexpected(None)) } else { Ok(list) }
    }

    fn chain(&mut self) -> Parsed<Chain> {
        let first = Rc::new(self.pipeline()?);
        let mut rest = Vec::new();
        loop {
            self.skip_blanks();
            let link = if self.eat("&&") {
                Link::And
            } else if self.eat("||") {
                Link::Or
            } else {
                return Ok(Chain { first, rest });
            };
            self.skip_newlines()?;
            rest.push((link, Rc::new(self.pipeline()?)));
        }
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut negated = false;
        self.skip_blanks();
        while self.peek_reserved() == Some("!") {
            self.at += 1;
            negated = !negated;
            self.skip_blanks();
        }
        let mut commands = vec![Rc::new(self.command()?)];
        loop {
            self.skip_blanks();
            if self.peek() != Some('|') || self.peek_at(1) == Some('|') {
                return Ok(Pipeline { negated, commands });
            }
            self.at += 1;
            self.skip_newlines()?;
            commands.push(Rc::new(self.command()?));
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        self.nested(|parser| {
            parser.skip_blanks();
            let kind = match parser.peek_reserved() {
                Some("if") => parser.if_clause()?,
                Some("while") => parser.loop_clause(false)?,
                Some("until") => parser.loop_clause(true)?,
                Some("for") => parser.for_clause()?,
                Some("case") => parser.case_clause()?,
                Some("{") => {
                    parser.at += 1;
                    let list = parser.body(&["}"])?;
                    parser.expect_reserved("}")?;
                    Compound::Brace(list)
                }
                Some(_) => return Err(parser.unexpected(None)),
                None if parser.peek() == Some('(') => {
                    parser.at += 1;
                    let list = parser.body(&[])?;
                    if !parser.eat(")") {
                        return Err(parser.unexpected(Some(")")));
                    }
                    Compound::Subshell(list)
                }
                None => return parser.simple_or_function(),
            };
            let mut redirects = Vec::new();
            while let Some(redirect) = parser.redirect()? {
                redirects.push(redirect);
            }
            Ok(Command::Compound { kind, redirects })
        })
    }

    fn simple_or_function(&mut self) -> Parsed<Command> {
        let mut simple = Simple::default();
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect()? {
                simple.redirects.push(redirect);
                continue;
            }
            if simple.words.is_empty()
                && let Some(name) = self.assignment_name()
            {
                let value = self.word()?.unwrap_or_default();
                simple.assignments.push((name, value));
                continue;
            }
            if simple.words.is_empty() && self.peek_word().as_deref() == Some("[[") {
                self.double_bracket(&mut simple)?;
                continue;
            }
            let start = self.at;
            let Some(word) = self.word()? else { break };
            if simple.words.is_empty() && simple.assignments.is_empty() && self.peek() == Some('(')
            {
                let name: String =
                    self.chars.get(start..self.at).unwrap_or_default().iter().collect();
                return self.function(name);
            }
            simple.words.push(word);
        }
        let empty =
            simple.words.is_empty() && simple.assignments.is_empty() && simple.redirects.is_empty();
        if empty { Err(self.unexpected(None)) } else { Ok(Command::Simple(simple)) }
    }

    /// `name() command`, from the parenthesis on.
    fn function(&mut self, name: String) -> Parsed<Command> {
        self.at += 1;
        self.skip_blanks();
        if !self.eat(")") {
            return Err(self.unexpected(Some(")")));
        }
        if !is_name(&name.replace(['-', '.'], "_")) {
            return Err(SyntaxError("bad function name".to_owned()));
        }
        self.skip_newlines()?;
        let body = Rc::new(self.command()?);
        Ok(Command::Function { name, body })
    }

    /// `[[ … ]]`, whose operators are words for once.
    fn double_bracket(&mut self, simple: &mut Simple) -> Parsed<()> {
        loop {
            self.skip_newlines()?;
            let operator = ["&&", "||", "<", ">", "(", ")"].into_iter().find(|op| self.eat(op));
            let word = match operator {
                Some(operator) => {
                    vec![Part::Literal { text: operator.to_owned(), quoted: true }]
                }
                None => match self.word()? {
                    Some(word) => word,
                    None => return Err(self.unexpected(Some("]]"))),
                },
            };
            let last = matches!(word.as_slice(),
                [Part::Literal { text, quoted: false }] if text == "]]");
            simple.words.push(word);
            if last {
                return Ok(());
            }
        }
    }

    /// The name before a `=`, which is consumed with it.
    fn assignment_name(&mut self) -> Option<String> {
        let rest = self.chars.get(self.at..)?;
        let length = rest.iter().position(|c| !(c.is_ascii_alphanumeric() || *c == '_'))?;
        let name: String = rest.get(..length)?.iter().collect();
        if rest.get(length) != Some(&'=') || !is_name(&name) {
            return None;
        }
        self.at += length + 1;
        Some(name)
    }

    /// The list inside `$(…)`, with its closing parenthesis.
    pub fn substitution(&mut self) -> Parsed<List> {
        let list = self.nested(|parser| parser.list(&[]))?;
        if self.eat(")") { Ok(list) } else { Err(self.unexpected(Some(")"))) }
    }
}

/// Whether `c` ends a word that is not quoted.
pub(super) fn is_meta(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
}

/// Whether a variable may be called so.
pub(super) fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().next().is_some_and(|c| !c.is_ascii_digit())
}
