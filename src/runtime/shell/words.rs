//! Words of a script: quotes, parameters, substitutions.

use super::ast::{Change, Part, Word};
use super::parser::{Parsed, Parser, SyntaxError, is_meta, parse_at};

fn unterminated(what: &str) -> SyntaxError {
    SyntaxError(format!("unterminated {what}"))
}

/// Collects characters into literals around the other parts.
#[derive(Default)]
struct Builder {
    parts: Word,
    text: String,
}

impl Builder {
    fn flush(&mut self, quoted: bool) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.parts.push(Part::Literal { text, quoted });
        }
    }

    fn push(&mut self, part: Part, quoted: bool) {
        self.flush(quoted);
        self.parts.push(part);
    }
}

impl Parser {
    /// The word at this place, if one begins here.
    pub fn word(&mut self) -> Parsed<Option<Word>> {
        if self.peek().is_none_or(is_meta) {
            return Ok(None);
        }
        let word = self.nested(|parser| parser.word_until(is_meta))?;
        Ok(Some(word))
    }

    /// Parts up to a character that `ends` the word outside quotes.
    fn word_until(&mut self, ends: impl Fn(char) -> bool) -> Parsed<Word> {
        let mut word = Builder::default();
        while let Some(c) = self.peek().filter(|c| !ends(*c)) {
            self.next();
            match c {
                '\\' => match self.next() {
                    Some('\n') => {}
                    Some(escaped) => {
                        let part = Part::Literal { text: escaped.to_string(), quoted: true };
                        word.push(part, false);
                    }
                    None => word.text.push('\\'),
                },
                '\'' => {
                    let text = self.single_quoted()?;
                    word.push(Part::Literal { text, quoted: true }, false);
                }
                '"' => {
                    word.flush(false);
                    self.double_quoted(&mut word)?;
                }
                '`' => {
                    let part = self.backquoted(false)?;
                    word.push(part, false);
                }
                '$' => match self.dollar(false)? {
                    Some(part) => word.push(part, false),
                    None => word.text.push('$'),
                },
                _ => word.text.push(c),
            }
        }
        word.flush(false);
        Ok(word.parts)
    }

    fn single_quoted(&mut self) -> Parsed<String> {
        let mut text = String::new();
        loop {
            match self.next() {
                Some('\'') => return Ok(text),
                Some(c) => text.push(c),
                None => return Err(unterminated("quoted string")),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut Builder) -> Parsed<()> {
        let before = word.parts.len();
        loop {
            match self.next() {
                Some('"') => break,
                Some('\\') => self.escape_in_quotes(word, "$`\"\\"),
                Some('`') => {
                    let part = self.backquoted(true)?;
                    word.push(part, true);
                }
                Some('$') => match self.dollar(true)? {
                    Some(part) => word.push(part, true),
                    None => word.text.push('$'),
                },
                Some(c) => word.text.push(c),
                None => return Err(unterminated("quoted string")),
            }
        }
        word.flush(true);
        if word.parts.len() == before {
            // "" is a word, though an empty one.
            word.parts.push(Part::Literal { text: String::new(), quoted: true });
        }
        Ok(())
    }

    fn escape_in_quotes(&mut self, word: &mut Builder, special: &str) {
        match self.peek() {
            Some('\n') => {
                self.next();
            }
            Some(c) if special.contains(c) => {
                self.next();
                word.text.push(c);
            }
            Some(_) | None => word.text.push('\\'),
        }
    }

    /// The text of a here-document whose delimiter is not quoted.
    pub fn here_text(&mut self) -> Parsed<Word> {
        let mut word = Builder::default();
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape_in_quotes(&mut word, "$`\\"),
                '`' => {
                    let part = self.backquoted(true)?;
                    word.push(part, true);
                }
                '$' => match self.dollar(true)? {
                    Some(part) => word.push(part, true),
                    None => word.text.push('$'),
                },
                _ => word.text.push(c),
            }
        }
        word.flush(true);
        Ok(word.parts)
    }

    fn backquoted(&mut self, quoted: bool) -> Parsed<Part> {
        let mut text = String::new();
        loop {
            match self.next() {
                Some('`') => break,
                Some('\\') if self.peek().is_some_and(|c| "$`\\".contains(c)) => {
                    text.extend(self.next());
                }
                Some(c) => text.push(c),
                None => return Err(unterminated("quoted string")),
            }
        }
        let list = self.nested(|parser| parse_at(&text, parser.depth()))?;
        Ok(Part::Command { list, quoted })
    }

    /// What follows a dollar sign; `None` if it stands for itself.
    fn dollar(&mut self, quoted: bool) -> Parsed<Option<Part>> {
        self.nested(|parser| parser.dollar_part(quoted))
    }

    fn dollar_part(&mut self, quoted: bool) -> Parsed<Option<Part>> {
        let plain = |name: String| Part::Parameter { name, change: Change::None, quoted };
        match self.peek() {
            Some('(') if self.peek_at(1) == Some('(') => {
                self.eat("((");
                self.arithmetic(quoted).map(Some)
            }
            Some('(') => {
                self.next();
                let list = self.substitution()?;
                Ok(Some(Part::Command { list, quoted }))
            }
            Some('{') => {
                self.next();
                self.braced(quoted).map(Some)
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let mut name = String::new();
                while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                    self.next();
                }
                Ok(Some(plain(name)))
            }
            Some(c) if c.is_ascii_digit() || "?$!#@*-".contains(c) => {
                self.next();
                Ok(Some(plain(c.to_string())))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// `$((…))`: to the closing pair at the same depth of parentheses.
    fn arithmetic(&mut self, quoted: bool) -> Parsed<Part> {
        let mut word = Builder::default();
        let mut open = 0_u32;
        loop {
            match self.next() {
                Some(')') if open == 0 && self.peek() == Some(')') => {
                    self.next();
                    word.flush(true);
                    return Ok(Part::Arithmetic { expression: word.parts, quoted });
                }
                Some('$') => match self.dollar(true)? {
                    Some(part) => word.push(part, true),
                    None => word.text.push('$'),
                },
                Some('`') => {
                    let part = self.backquoted(true)?;
                    word.push(part, true);
                }
                Some('"') => {}
                Some(c) => {
                    match c {
                        '(' => open += 1,
                        ')' => open = open.saturating_sub(1),
                        _ => {}
                    }
                    word.text.push(c);
                }
                None => return Err(SyntaxError("missing '))'".to_owned())),
            }
        }
    }

    /// `${…}`.
    fn braced(&mut self, quoted: bool) -> Parsed<Part> {
        let bad = || SyntaxError("bad substitution".to_owned());
        if self.peek() == Some('#') && self.peek_at(1).is_some_and(|c| c != '}') {
            self.next();
            let name = self.parameter_name().ok_or_else(bad)?;
            if !self.eat("}") {
                return Err(bad());
            }
            return Ok(Part::Parameter { name, change: Change::Length, quoted });
        }
        let name = self.parameter_name().ok_or_else(bad)?;
        let colon = self.eat(":");
        let change = match self.next() {
            Some('}') if !colon => {
                return Ok(Part::Parameter { name, change: Change::None, quoted });
            }
            Some(operator @ ('-' | '=' | '?' | '+')) => {
                Change::Default { operator, colon, word: self.brace_word(quoted)? }
            }
            Some(sign @ ('#' | '%')) if !colon => {
                let longest = self.eat(&sign.to_string());
                let pattern = self.brace_word(false)?;
                Change::Strip { suffix: sign == '%', longest, pattern }
            }
            Some(_) => return Err(bad()),
            None => return Err(unterminated("quoted string")),
        };
        Ok(Part::Parameter { name, change, quoted })
    }

    fn parameter_name(&mut self) -> Option<String> {
        let first = self.peek()?;
        let mut name = String::new();
        if first.is_ascii_alphanumeric() || first == '_' {
            while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                name.push(c);
                self.next();
            }
        } else if "?$!#@*-".contains(first) {
            name.push(first);
            self.next();
        } else {
            return None;
        }
        Some(name)
    }

    /// The word inside braces, with the closing brace. Inside double quotes its text is quoted too.
    fn brace_word(&mut self, quoted: bool) -> Parsed<Word> {
        let mut word = self.nested(|parser| parser.word_until(|c| c == '}'))?;
        if !self.eat("}") {
            return Err(unterminated("quoted string"));
        }
        if quoted {
            for part in &mut word {
                match part {
                    Part::Literal { quoted, .. }
                    | Part::Parameter { quoted, .. }
                    | Part::Command { quoted, .. }
                    | Part::Arithmetic { quoted, .. } => *quoted = true,
                }
            }
        }
        Ok(word)
    }
}
