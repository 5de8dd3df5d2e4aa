//! `test` and `[`.

use super::arith::Variables;
use super::commands::Io;
use super::files::Entry;
use super::glob::{Glyph, glyphs, matches};

/// Stands where there are no variables.
pub struct Lookup;

impl Variables for Lookup {
    fn get(&self, _name: &str) -> i64 {
        0
    }
    fn set(&mut self, _name: &str, _value: i64) {}
}

/// The status of `[ … ]`: 0 holds, 1 does not, 2 makes no sense.
pub fn run(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    let mut words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let closing = match name {
        "[" => Some("]"),
        "[[" => Some("]]"),
        _ => None,
    };
    if let Some(closing) = closing
        && words.pop() != Some(closing)
    {
        io.say(format_args!("sh: {name}: missing {closing}\n"));
        return 2;
    }
    let mut test = Test { words: &words, at: 0, io, patterns: name == "[[" };
    let result = if words.is_empty() { Ok(false) } else { test.or() };
    let over = test.at >= words.len();
    match result {
        Ok(holds) if over => i32::from(!holds),
        Ok(_) => {
            let word = words.get(test.at).copied().unwrap_or_default();
            io.say(format_args!("sh: {word}: unknown operand\n"));
            2
        }
        Err(message) => {
            io.say(format_args!("sh: {message}\n"));
            2
        }
    }
}

struct Test<'a, 'b> {
    words: &'a [&'a str],
    at: usize,
    io: &'a mut Io<'b>,
    patterns: bool,
}

impl<'a> Test<'a, '_> {
    fn peek(&self, ahead: usize) -> Option<&'a str> {
        self.words.get(self.at + ahead).copied()
    }

    fn eat(&mut self, words: &[&str]) -> bool {
        let found = self.peek(0).is_some_and(|word| words.contains(&word));
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut holds = self.and()?;
        while self.eat(&["-o", "||"]) {
            holds |= self.and()?;
        }
        Ok(holds)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut holds = self.not()?;
        while self.eat(&["-a", "&&"]) {
            holds &= self.not()?;
        }
        Ok(holds)
    }

    fn not(&mut self) -> Result<bool, String> {
        let mut negated = false;
        while self.peek(0) == Some("!") && self.peek(1).is_some() {
            self.at += 1;
            negated = !negated;
        }
        Ok(self.primary()? != negated)
    }

    fn primary(&mut self) -> Result<bool, String> {
        let Some(first) = self.peek(0) else { return Err("argument expected".to_owned()) };
        if let (Some(operator), Some(right)) = (self.peek(1), self.peek(2))
            && let Some(result) = self.binary(first, operator, right)
        {
            self.at += 3;
            return result;
        }
        if first == "(" {
            // Parentheses nest no deeper here: they are rare, and flat is safe.
            self.at += 1;
            let mut holds = self.primary()?;
            loop {
                if self.eat(&["-o", "||"]) {
                    holds |= self.not_flat()?;
                } else if self.eat(&["-a", "&&"]) {
                    holds &= self.not_flat()?;
                } else {
                    break;
                }
            }
            return if self.eat(&[")"]) { Ok(holds) } else { Err("missing )".to_owned()) };
        }
        if let Some(operand) = self.peek(1)
            && let Some(holds) = self.unary(first, operand)
        {
            self.at += 2;
            return Ok(holds);
        }
        self.at += 1;
        Ok(!first.is_empty())
    }

    fn not_flat(&mut self) -> Result<bool, String> {
        if self.peek(0) == Some("(") { Err("too many parentheses".to_owned()) } else { self.not() }
    }

    fn unary(&self, operator: &str, operand: &str) -> Option<bool> {
        let entry = self.io.files.get(&self.io.state.resolve(operand));
        Some(match operator {
            "-n" => !operand.is_empty(),
            "-z" => operand.is_empty(),
            "-e" | "-r" | "-w" => entry.is_some() || operand == "/dev/null",
            "-f" => matches!(entry, Some(Entry::File(_))),
            "-d" => matches!(entry, Some(Entry::Directory)),
            "-x" => entry.is_some(),
            "-s" => match entry {
                Some(Entry::File(text)) => !text.is_empty(),
                Some(Entry::Directory) => true,
                None => false,
            },
            "-t" | "-L" | "-h" | "-p" | "-S" | "-b" | "-c" | "-v" => false,
            _ => return None,
        })
    }

    fn binary(&self, left: &str, operator: &str, right: &str) -> Option<Result<bool, String>> {
        let number = |text: &str| {
            text.trim().parse::<i64>().map_err(|_malformed| format!("{text}: bad number"))
        };
        let compare = |holds: fn(&i64, &i64) -> bool| {
            Some(number(left).and_then(|l| number(right).map(|r| holds(&l, &r))))
        };
        match operator {
            "=" | "==" | "!=" => {
                let same = if self.patterns {
                    let pattern: Vec<Glyph> = glyphs(right, false).collect();
                    matches(&pattern, &left.chars().collect::<Vec<char>>())
                } else {
                    left == right
                };
                Some(Ok(same != (operator == "!=")))
            }
            "<" => Some(Ok(left < right)),
            ">" => Some(Ok(left > right)),
            "-eq" => compare(i64::eq),
            "-ne" => compare(i64::ne),
            "-lt" => compare(i64::lt),
            "-le" => compare(i64::le),
            "-gt" => compare(i64::gt),
            "-ge" => compare(i64::ge),
            _ => None,
        }
    }
}
