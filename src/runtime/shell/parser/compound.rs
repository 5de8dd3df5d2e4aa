//! Commands that hold others: conditions, loops and choices.

use super::{Parsed, Parser, SyntaxError, is_name};
use crate::runtime::shell::ast::{Compound, List};

impl Parser {
    pub(super) fn if_clause(&mut self) -> Parsed<Compound> {
        self.eat("if");
        let mut arms = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.body(&["then"])?;
            self.expect_reserved("then")?;
            let body = self.body(&["elif", "else", "fi"])?;
            arms.push((condition, body));
            if self.peek_reserved() != Some("elif") {
                break;
            }
            self.eat("elif");
        }
        if self.peek_reserved() == Some("else") {
            self.eat("else");
            otherwise = Some(self.body(&["fi"])?);
        }
        self.expect_reserved("fi")?;
        Ok(Compound::If { arms, otherwise })
    }

    pub(super) fn loop_clause(&mut self, until: bool) -> Parsed<Compound> {
        self.eat(if until { "until" } else { "while" });
        let condition = self.body(&["do"])?;
        let body = self.do_group()?;
        Ok(Compound::Loop { until, condition, body })
    }

    fn do_group(&mut self) -> Parsed<List> {
        self.expect_reserved("do")?;
        let body = self.body(&["done"])?;
        self.expect_reserved("done")?;
        Ok(body)
    }

    pub(super) fn for_clause(&mut self) -> Parsed<Compound> {
        self.eat("for");
        self.skip_blanks();
        let name = self.peek_word().filter(|word| is_name(word));
        let Some(name) = name else { return Err(SyntaxError("bad for loop variable".to_owned())) };
        self.eat(&name);
        self.skip_newlines()?;
        let mut words = None;
        if self.peek_word().as_deref() == Some("in") {
            self.eat("in");
            let mut list = Vec::new();
            loop {
                self.skip_blanks();
                match self.word()? {
                    Some(word) => list.push(word),
                    None => break,
                }
            }
            words = Some(list);
        }
        self.skip_blanks();
        if self.peek() == Some(';') {
            self.at += 1;
        }
        let body = self.do_group()?;
        Ok(Compound::For { name, words, body })
    }

    pub(super) fn case_clause(&mut self) -> Parsed<Compound> {
        self.eat("case");
        self.skip_blanks();
        let Some(subject) = self.word()? else { return Err(self.unexpected(None)) };
        self.skip_newlines()?;
        if self.peek_word().as_deref() != Some("in") {
            return Err(self.unexpected(Some("in")));
        }
        self.eat("in");
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.peek_reserved() == Some("esac") {
                self.eat("esac");
                return Ok(Compound::Case { subject, arms });
            }
            self.eat("(");
            let mut patterns = Vec::new();
            loop {
                self.skip_blanks();
                let Some(pattern) = self.word()? else { return Err(self.unexpected(None)) };
                patterns.push(pattern);
                self.skip_blanks();
                if !self.eat("|") {
                    break;
                }
            }
            if !self.eat(")") {
                return Err(self.unexpected(Some(")")));
            }
            arms.push((patterns, self.list(&["esac"])?));
            self.skip_newlines()?;
            if !self.eat(";;") && self.peek_reserved() != Some("esac") {
                return Err(self.unexpected(Some(";;")));
            }
        }
    }
}
