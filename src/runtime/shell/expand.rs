//! Expansion: from a word of the script to the words that a command gets.
//!
//! A command substitution takes time, so that an expansion that meets one stops with
//! [`Stop::Need`]; once its output is known the whole expansion is tried again with it. All effects
//! are on a copy of the state, which counts only if the expansion comes to its end.

use super::arith;
use super::ast::{Change, List, Part, Word};
use super::files::Files;
use super::glob::{Glyph, glyphs, is_pattern, matches};
use super::session::Dialect;
use super::state::State;

/// More words than this are refused.
const MAX_FIELDS: usize = 1 << 17;
/// Files that one pattern may match.
const MAX_NAMES: usize = 4_096;
/// Nor may they be longer than this together.
const MAX_SIZE: usize = 1 << 20;

/// Why an expansion did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The output of this is needed first.
    Need(List),
    /// It cannot be expanded; the shell ends with this message.
    Fail(String),
}

/// An expansion under way.
pub struct Expansion<'a> {
    /// Becomes the shell's state if all goes well.
    pub state: State,
    pub files: &'a Files,
    /// The outputs of the substitutions met so far.
    pub outputs: &'a [String],
    pub next_output: usize,
    /// Bytes of the values met so far.
    pub read: usize,
}

type Expanded<T> = Result<T, Stop>;

/// Builds fields out of glyphs.
#[derive(Default)]
struct Fields {
    done: Vec<Vec<Glyph>>,
    current: Option<Vec<Glyph>>,
    size: usize,
}

impl Fields {
    fn add(&mut self, glyphs: impl Iterator<Item = Glyph>) {
        let current = self.current.get_or_insert_with(Vec::new);
        let before = current.len();
        current.extend(glyphs);
        self.size += current.len() - before;
    }

    fn end(&mut self) {
        self.done.extend(self.current.take());
    }

    /// Adds a value that is split where it has one of `separators`.
    fn add_split(&mut self, value: &str, separators: &str) {
        for c in value.chars() {
            if !separators.contains(c) {
                self.add(std::iter::once(Glyph { c, quoted: false }));
            } else if c.is_whitespace() {
                self.end();
            } else {
                self.current.get_or_insert_with(Vec::new);
                self.end();
            }
        }
    }

    fn check(&self) -> Expanded<()> {
        if self.size > MAX_SIZE || self.done.len() > MAX_FIELDS {
            return Err(Stop::Fail("out of memory".to_owned()));
        }
        Ok(())
    }
}

impl<'a> Expansion<'a> {
    /// On a copy of `state`.
    pub fn new(state: &State, files: &'a Files, outputs: &'a [String]) -> Self {
        Self { state: state.clone(), files, outputs, next_output: 0, read: 0 }
    }

    /// The words that `words` come to: split, and with file names in place of patterns.
    ///
    /// # Errors
    ///
    /// [`Stop`], as for all of these.
    pub fn words<'w>(
        &mut self,
        words: impl IntoIterator<Item = &'w Word>,
    ) -> Expanded<Vec<String>> {
        let mut all = Vec::new();
        for word in words {
            if let Some(range) = self.range(word) {
                all.extend(range);
                continue;
            }
            for field in self.fields(word)? {
                self.file_names(&field, &mut all);
                if all.len() > MAX_FIELDS {
                    return Err(Stop::Fail("out of memory".to_owned()));
                }
            }
        }
        Ok(all)
    }

    /// The numbers of bash's `{1..5}`, where the whole word is that.
    fn range(&self, word: &Word) -> Option<Vec<String>> {
        let [Part::Literal { text, quoted: false }] = word.as_slice() else { return None };
        if self.state.dialect != Dialect::Bash {
            return None;
        }
        let (first, last) = text.strip_prefix('{')?.strip_suffix('}')?.split_once("..")?;
        let (first, last) = (first.parse::<i32>().ok()?, last.parse::<i32>().ok()?);
        let numbers = (first.min(last)..=first.max(last)).take(MAX_FIELDS);
        let mut words: Vec<String> = numbers.map(|number| number.to_string()).collect();
        if last < first {
            words.reverse();
        }
        Some(words)
    }

    /// One text: nothing is split, no pattern matters.
    ///
    /// # Errors
    ///
    /// [`Stop`].
    pub fn text(&mut self, word: &Word) -> Expanded<String> {
        Ok(self.pattern(word)?.iter().map(|glyph| glyph.c).collect())
    }

    /// As [`Expansion::text`], remembering what was quoted.
    ///
    /// # Errors
    ///
    /// [`Stop`].
    pub fn pattern(&mut self, word: &Word) -> Expanded<Vec<Glyph>> {
        let mut fields = Fields::default();
        for (at, part) in word.iter().enumerate() {
            match part {
                Part::Literal { text, quoted } => {
                    let text = self.tilde(text, *quoted || at > 0);
                    fields.add(glyphs(&text, *quoted));
                }
                Part::Parameter { quoted, .. }
                | Part::Command { quoted, .. }
                | Part::Arithmetic { quoted, .. } => {
                    let value = self.value(part)?.unwrap_or_default();
                    fields.add(glyphs(&value, *quoted));
                }
            }
            fields.check()?;
        }
        Ok(fields.current.unwrap_or_default())
    }

    fn fields(&mut self, word: &Word) -> Expanded<Vec<Vec<Glyph>>> {
        let separators = self.state.get("IFS").unwrap_or(" \t\n").to_owned();
        let mut fields = Fields::default();
        for (at, part) in word.iter().enumerate() {
            match part {
                Part::Literal { text, quoted } => {
                    let text = self.tilde(text, *quoted || at > 0);
                    fields.add(glyphs(&text, *quoted));
                }
                Part::Parameter { name, change: Change::None, quoted }
                    if name == "@" || (name == "*" && !quoted) =>
                {
                    let parameters = std::rc::Rc::clone(&self.state.parameters);
                    for (at, parameter) in parameters.iter().enumerate() {
                        if at > 0 {
                            fields.end();
                        }
                        if *quoted {
                            fields.add(glyphs(parameter, true));
                        } else {
                            fields.add_split(parameter, &separators);
                        }
                    }
                }
                Part::Parameter { quoted, .. }
                | Part::Command { quoted, .. }
                | Part::Arithmetic { quoted, .. } => {
                    let value = self.value(part)?.unwrap_or_default();
                    if *quoted {
                        fields.add(glyphs(&value, true));
                    } else {
                        fields.add_split(&value, &separators);
                    }
                }
            }
            fields.check()?;
        }
        fields.end();
        Ok(fields.done)
    }

    fn tilde(&self, text: &str, ordinary: bool) -> String {
        let home = || self.state.get("HOME").unwrap_or("/root").to_owned();
        match text.strip_prefix('~') {
            Some(rest) if !ordinary && (rest.is_empty() || rest.starts_with('/')) => {
                format!("{}{rest}", home())
            }
            Some(_) | None => text.to_owned(),
        }
    }

    /// Adds the files that `field` matches, or itself if none does.
    fn file_names(&self, field: &[Glyph], all: &mut Vec<String>) {
        let text: String = field.iter().map(|glyph| glyph.c).collect();
        if !is_pattern(field) {
            all.push(text);
            return;
        }
        let before = all.len();
        let absolute = text.starts_with('/');
        let mut found = vec![if absolute { "/".to_owned() } else { self.state.directory.clone() }];
        for part in field.split(|glyph| glyph.c == '/').filter(|part| !part.is_empty()) {
            let mut next = Vec::new();
            for directory in &found {
                for name in self.files.list(directory) {
                    let chars: Vec<char> = name.chars().collect();
                    let hidden = name.starts_with('.') && part.first().is_none_or(|g| g.c != '.');
                    if !hidden && matches(part, &chars) {
                        next.push(format!("{}/{name}", directory.trim_end_matches('/')));
                    }
                }
            }
            next.truncate(MAX_NAMES);
            found = next;
        }
        let base = format!("{}/", self.state.directory.trim_end_matches('/'));
        for path in found {
            let shown = if absolute { Some(path.as_str()) } else { path.strip_prefix(&base) };
            all.extend(shown.filter(|name| !name.is_empty()).map(str::to_owned));
        }
        if all.len() == before {
            all.push(text);
        }
    }

    /// What a part that is no literal stands for; `None` if a variable is not set.
    fn value(&mut self, part: &Part) -> Expanded<Option<String>> {
        match part {
            Part::Literal { text, .. } => Ok(Some(text.clone())),
            Part::Command { list, .. } => {
                let output = self.outputs.get(self.next_output);
                self.read += output.map_or(0, String::len);
                self.next_output += 1;
                match output {
                    Some(output) => Ok(Some(output.trim_end_matches('\n').to_owned())),
                    None => Err(Stop::Need(std::rc::Rc::clone(list))),
                }
            }
            Part::Arithmetic { expression, .. } => {
                let text = self.text(expression)?;
                let value = arith::evaluate(&text, &mut self.state);
                let value = value.map_err(|error| Stop::Fail(error.to_owned()))?;
                Ok(Some(value.to_string()))
            }
            Part::Parameter { name, change, .. } => self.parameter(name, change),
        }
    }

    fn lookup(&self, name: &str) -> Option<String> {
        let state = &self.state;
        match name {
            "?" => Some(state.status.to_string()),
            "$" => Some("1".to_owned()),
            "#" => Some(state.parameters.len().to_string()),
            "!" => state.last_job.map(|pid| pid.to_string()),
            "@" | "*" => Some(state.parameters.join(" ")).filter(|all| !all.is_empty()),
            "-" => Some(if state.exit_on_error { "e" } else { "" }.to_owned()),
            "0" => Some("sh".to_owned()),
            name => match name.parse::<usize>() {
                Ok(number) => state.parameters.get(number.wrapping_sub(1)).cloned(),
                Err(_) => state.get(name).map(str::to_owned),
            },
        }
    }

    fn parameter(&mut self, name: &str, change: &Change) -> Expanded<Option<String>> {
        let value = self.lookup(name);
        self.read += value.as_ref().map_or(0, String::len);
        match change {
            Change::None | Change::Length | Change::Strip { .. }
                if value.is_none() && self.state.unset_is_error && name != "@" && name != "*" =>
            {
                Err(Stop::Fail(format!("{name}: parameter not set")))
            }
            Change::None => Ok(value),
            Change::Length => Ok(Some(value.unwrap_or_default().chars().count().to_string())),
            Change::Strip { suffix, longest, pattern } => {
                let pattern = self.pattern(pattern)?;
                Ok(value.map(|value| strip(&value, &pattern, *suffix, *longest)))
            }
            Change::Default { operator, colon, word } => {
                let there = value.as_ref().is_some_and(|value| !*colon || !value.is_empty());
                match operator {
                    '+' if there => self.text(word).map(Some),
                    '+' => Ok(None),
                    _ if there => Ok(value),
                    '=' => {
                        let text = self.text(word)?;
                        self.state.set(name, text.clone());
                        Ok(Some(text))
                    }
                    '?' => {
                        let text = self.text(word)?;
                        let text =
                            if text.is_empty() { "parameter not set or null" } else { &text };
                        Err(Stop::Fail(format!("{name}: {text}")))
                    }
                    _ => self.text(word).map(Some),
                }
            }
        }
    }
}

/// `value` without the shortest or longest part at one end that matches.
fn strip(value: &str, pattern: &[Glyph], suffix: bool, longest: bool) -> String {
    // Beyond this a try at every length would take too long.
    const MAX_TRIES: usize = 1_024;
    let chars: Vec<char> = value.chars().collect();
    if chars.len() > MAX_TRIES {
        return value.to_owned();
    }
    let shortest_first = 0..=chars.len();
    let mut lengths: Vec<usize> = shortest_first.collect();
    if longest {
        lengths.reverse();
    }
    for length in lengths {
        let cut = if suffix { chars.len() - length } else { length };
        let Some((head, tail)) = chars.split_at_checked(cut) else { continue };
        let (part, rest) = if suffix { (tail, head) } else { (head, tail) };
        if matches(pattern, part) {
            return rest.iter().collect();
        }
    }
    value.to_owned()
}
