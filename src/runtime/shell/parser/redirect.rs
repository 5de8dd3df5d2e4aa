//! Redirections, and the texts of here-documents.

use super::{Parsed, Parser};
use crate::runtime::shell::ast::{Part, Redirect, RedirectKind, Word};

impl Parser {
    pub(super) fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        self.skip_blanks();
        let digits = self.peek().filter(char::is_ascii_digit);
        let explicit = digits.filter(|_| matches!(self.peek_at(1), Some('<' | '>')));
        let after = usize::from(explicit.is_some());
        let both = self.peek() == Some('&') && self.peek_at(1) == Some('>');
        if !both && !matches!(self.peek_at(after), Some('<' | '>')) {
            return Ok(None);
        }
        self.at += after;
        let operators = [
            ("&>", 1, RedirectKind::WriteBoth),
            ("<<-", 0, RedirectKind::Here),
            ("<<", 0, RedirectKind::Here),
            ("<&", 0, RedirectKind::Duplicate),
            ("<", 0, RedirectKind::Read),
            (">>", 1, RedirectKind::Append),
            (">&", 1, RedirectKind::Duplicate),
            (">|", 1, RedirectKind::Write),
            (">", 1, RedirectKind::Write),
        ];
        let found = operators.into_iter().find(|(operator, ..)| self.eat(operator));
        let Some((operator, standard, kind)) = found else { return Ok(None) };
        let fd = explicit.and_then(|digit| digit.to_digit(10)).unwrap_or(standard);
        self.skip_blanks();
        let Some(target) = self.word()? else { return Err(self.unexpected(None)) };
        if kind == RedirectKind::Here {
            return self.here(fd, operator == "<<-", &target).map(Some);
        }
        Ok(Some(Redirect { fd, kind, target }))
    }

    /// The text stands on the lines that follow; it is read ahead of them at once.
    fn here(&mut self, fd: u32, strip_tabs: bool, delimiter: &Word) -> Parsed<Redirect> {
        let quoted =
            delimiter.iter().any(|part| matches!(part, Part::Literal { quoted: true, .. }));
        let text = delimiter.iter().map(|part| match part {
            Part::Literal { text, .. } => text.as_str(),
            Part::Parameter { .. } | Part::Command { .. } | Part::Arithmetic { .. } => "",
        });
        self.awaited.push((text.collect(), strip_tabs, quoted));
        let resume = self.at;
        let rest = self.chars.get(resume..).unwrap_or_default();
        let Some(line) = rest.iter().position(|c| *c == '\n') else {
            self.awaited.clear();
            self.is_open = true;
            return Ok(Redirect { fd, kind: RedirectKind::Here, target: Vec::new() });
        };
        self.at = resume + line + 1;
        let start = self.at;
        self.read_heres()?;
        // Cut the text out, so that the commands behind it follow on this line's end.
        let end = self.at;
        self.chars.drain(start..end);
        self.at = resume;
        let target = self.heres.pop().unwrap_or_default();
        Ok(Redirect { fd, kind: RedirectKind::Here, target })
    }

    pub(super) fn read_heres(&mut self) -> Parsed<()> {
        for (delimiter, strip_tabs, quoted) in std::mem::take(&mut self.awaited) {
            let mut text = String::new();
            self.is_open = true;
            while self.peek().is_some() {
                let mut line = String::new();
                while let Some(c) = self.next().filter(|c| *c != '\n') {
                    line.push(c);
                }
                let line = if strip_tabs { line.trim_start_matches('\t') } else { &line };
                if line == delimiter {
                    self.is_open = false;
                    break;
                }
                text.push_str(line);
                text.push('\n');
            }
            let word = if quoted {
                vec![Part::Literal { text, quoted: true }]
            } else {
                Parser::new(&text, self.depth).here_text()?
            };
            self.heres.push(word);
        }
        Ok(())
    }
}
