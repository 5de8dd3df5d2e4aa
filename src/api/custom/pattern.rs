//! Patterns that the texts of custom objects have to match.
//!
//! Mirrors: what is used of Go's `regexp`: classes, groups, alternatives, repetitions and the two ends.
//! A crate of regular expressions would weigh more in the page than all else about definitions. As in
//! Go, all ways to match are followed at once, so that no pattern takes long.

use std::iter::Peekable;
use std::str::Chars;

/// How often a part may be repeated by number, and how many steps a pattern may have.
const MOST_REPEATS: usize = 1000;
const MOST_STEPS: usize = 20_000;

/// A pattern.
#[derive(Clone, Debug)]
pub struct Pattern(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    /// One character that is, or is not, in the ranges.
    One {
        ranges: Vec<(char, char)>,
        negated: bool,
    },
    Begin,
    End,
    WordEdge {
        wanted: bool,
    },
    /// On both ways.
    Split(usize, usize),
    Jump(usize),
    Match,
}

/// A part of a pattern as it is written.
#[derive(Clone, Debug)]
enum Part {
    Step(Step),
    Sequence(Vec<Part>),
    Either(Vec<Part>),
    /// At least so often, and at most; rather seldom than often if it is lazy.
    Repeat {
        part: Box<Part>,
        least: usize,
        most: Option<usize>,
        is_lazy: bool,
    },
}

impl Step {
    /// Where what takes no character leads to from `at`, if it does.
    fn passes(&self, at: usize, (before, after): (Option<char>, Option<char>)) -> Option<usize> {
        match self {
            Self::Begin => before.is_none().then_some(at + 1),
            Self::End => after.is_none().then_some(at + 1),
            Self::WordEdge { wanted } => {
                let is_edge = before.is_some_and(is_word) != after.is_some_and(is_word);
                (is_edge == *wanted).then_some(at + 1)
            }
            Self::Jump(to) => Some(*to),
            Self::One { .. } | Self::Split(..) | Self::Match => None,
        }
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// It is none, or one of a form that is not known here.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { letters: text.chars().peekable(), depth: 0 };
        let part = parser.alternatives()?;
        if parser.letters.next().is_some() {
            return Err(format!("error parsing regexp: unexpected ): `{text}`"));
        }
        let mut steps = Vec::new();
        compile(&part, &mut steps)?;
        steps.push(Step::Match);
        Ok(Self(steps))
    }

    /// Whether it is found anywhere in the text.
    pub fn is_in(&self, text: &str) -> bool {
        let mut now: Vec<usize> = Vec::new();
        let mut before = None;
        let mut letters = text.chars();
        loop {
            let letter = letters.clone().next();
            let mut seen = vec![false; self.0.len()];
            let mut reached = Vec::new();
            // It may begin anywhere.
            for at in now.drain(..).chain([0]) {
                if self.follow(at, (before, letter), &mut seen, &mut reached) {
                    return true;
                }
            }
            let Some(letter) = letters.next() else { return false };
            now =
                reached.into_iter().filter(|at| self.takes(*at, letter)).map(|at| at + 1).collect();
            before = Some(letter);
        }
    }

    /// How many steps it has, which tells what it costs to look for it.
    pub fn steps(&self) -> usize {
        self.0.len()
    }

    /// Where it is found first from `from` on: where that begins and ends. Of several ways to match there,
    /// the one that the pattern prefers.
    pub fn find(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        // Ways to match, the best first: the step that each is at, and where it began.
        let mut now: Vec<(usize, usize)> = Vec::new();
        let mut found = None;
        let mut before = text.get(..from)?.chars().next_back();
        let mut letters = text.get(from..)?.char_indices();
        loop {
            let mut ahead = letters.clone();
            let next = ahead.next();
            let place = from + next.map_or(text.len() - from, |(place, _)| place);
            let letter = next.map(|(_, letter)| letter);
            let mut seen = vec![false; self.0.len()];
            let mut ways = Vec::new();
            let begins = found.is_none().then_some((0, place));
            for (at, begin) in now.drain(..).chain(begins) {
                let mut reached = Vec::new();
                let matches = self.follow(at, (before, letter), &mut seen, &mut reached);
                ways.extend(reached.into_iter().map(|at| (at, begin)));
                if matches {
                    // All that would come after it is worse.
                    found = Some((begin, place));
                    break;
                }
            }
            let Some(letter) = letter else { return found };
            letters.next();
            ways.retain(|(at, _)| self.takes(*at, letter));
            now.extend(ways.into_iter().map(|(at, begin)| (at + 1, begin)));
            if now.is_empty() && found.is_some() {
                return found;
            }
            before = Some(letter);
        }
    }

    /// Follows what takes no character from `at`, the best way first, up to one that leads to a match;
    /// whether there is one.
    fn follow(
        &self,
        at: usize,
        (before, after): (Option<char>, Option<char>),
        seen: &mut [bool],
        reached: &mut Vec<usize>,
    ) -> bool {
        let mut todo = vec![at];
        while let Some(at) = todo.pop() {
            let Some(was_seen) = seen.get_mut(at) else { continue };
            if std::mem::replace(was_seen, true) {
                continue;
            }
            match self.0.get(at) {
                Some(Step::One { .. }) => reached.push(at),
                Some(Step::Split(one, other)) => todo.extend([*other, *one]),
                Some(Step::Match) => return true,
                Some(step @ (Step::Begin | Step::End | Step::WordEdge { .. } | Step::Jump(_))) => {
                    todo.extend(step.passes(at, (before, after)));
                }
                None => {}
            }
        }
        false
    }

    fn takes(&self, at: usize, letter: char) -> bool {
        let Some(Step::One { ranges, negated }) = self.0.get(at) else { return false };
        ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter)) != *negated
    }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn compile(part: &Part, steps: &mut Vec<Step>) -> Result<(), String> {
    if steps.len() > MOST_STEPS {
        return Err("error parsing regexp: expression too large".to_owned());
    }
    match part {
        Part::Step(step) => steps.push(step.clone()),
        Part::Sequence(parts) => parts.iter().try_for_each(|part| compile(part, steps))?,
        Part::Either(parts) => {
            let mut ends = Vec::new();
            for (number, part) in parts.iter().enumerate() {
                let split = (number + 1 < parts.len()).then(|| push(steps, Step::Match));
                compile(part, steps)?;
                if let Some(split) = split {
                    ends.push(push(steps, Step::Match));
                    split_to_end(steps, split);
                }
            }
            let after = steps.len();
            for end in ends {
                set(steps, end, Step::Jump(after));
            }
        }
        Part::Repeat { part, least, most, is_lazy } => {
            for _ in 0..*least {
                compile(part, steps)?;
            }
            let mut splits = Vec::new();
            match most {
                None => {
                    let split = push(steps, Step::Match);
                    compile(part, steps)?;
                    steps.push(Step::Jump(split));
                    splits.push(split);
                }
                Some(most) => {
                    for _ in *least..*most {
                        splits.push(push(steps, Step::Match));
                        compile(part, steps)?;
                    }
                }
            }
            for split in splits {
                split_to_end(steps, split);
                if *is_lazy && let Some(Step::Split(one, other)) = steps.get_mut(split) {
                    std::mem::swap(one, other);
                }
            }
        }
    }
    Ok(())
}

fn push(steps: &mut Vec<Step>, step: Step) -> usize {
    steps.push(step);
    steps.len() - 1
}

/// What stands at `split` goes on after it, and at the end.
fn split_to_end(steps: &mut [Step], split: usize) {
    let end = steps.len();
    set(steps, split, Step::Split(split + 1, end));
}

fn set(steps: &mut [Step], at: usize, step: Step) {
    if let Some(slot) = steps.get_mut(at) {
        *slot = step;
    }
}

struct Parser<'t> {
    letters: Peekable<Chars<'t>>,
    depth: usize,
}

/// What stands in a class.
enum Member {
    One(char),
    Several(Vec<(char, char)>),
}

/// Groups in groups, at most.
const DEEPEST: usize = 100;
const LAST: char = char::MAX;

impl Parser<'_> {
    fn alternatives(&mut self) -> Result<Part, String> {
        let mut all = vec![self.sequence()?];
        while self.letters.next_if_eq(&'|').is_some() {
            all.push(self.sequence()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Part::Either(all) })
    }

    fn sequence(&mut self) -> Result<Part, String> {
        let mut parts = Vec::new();
        while let Some(letter) = self.letters.next_if(|letter| !matches!(letter, '|' | ')')) {
            let mut part = self.one(letter)?;
            while let Some((least, most)) = self.repetition()? {
                let is_lazy = self.letters.next_if_eq(&'?').is_some();
                part = Part::Repeat { part: Box::new(part), least, most, is_lazy };
            }
            parts.push(part);
        }
        Ok(Part::Sequence(parts))
    }

    fn one(&mut self, letter: char) -> Result<Part, String> {
        Ok(Part::Step(match letter {
            '^' => Step::Begin,
            '$' => Step::End,
            '.' => Step::One { ranges: vec![('\n', '\n')], negated: true },
            '[' => self.class()?,
            '(' => return self.group(),
            '\\' => self.escape()?,
            '*' | '+' | '?' => {
                return Err(format!(
                    "error parsing regexp: missing argument to repetition operator: `{letter}`"
                ));
            }
            other => Step::One { ranges: vec![(other, other)], negated: false },
        }))
    }

    fn group(&mut self) -> Result<Part, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("error parsing regexp: expression nests too deeply".to_owned());
        }
        if self.letters.next_if_eq(&'?').is_some() {
            match self.letters.next() {
                Some(':') => {}
                // A name.
                Some('P' | '<') => while self.letters.next_if(|letter| *letter != '>').is_some() {},
                _ => {
                    return Err(
                        "error parsing regexp: invalid or unsupported Perl syntax".to_owned()
                    );
                }
            }
            self.letters.next_if_eq(&'>');
        }
        let part = self.alternatives()?;
        self.depth -= 1;
        match self.letters.next() {
            Some(')') => Ok(part),
            _ => Err("error parsing regexp: missing closing )".to_owned()),
        }
    }

    /// How often what was read may come: `*`, `+`, `?`, `{2}`, `{2,}` or `{2,5}`.
    fn repetition(&mut self) -> Result<Option<(usize, Option<usize>)>, String> {
        if self.letters.next_if_eq(&'*').is_some() {
            return Ok(Some((0, None)));
        }
        if self.letters.next_if_eq(&'+').is_some() {
            return Ok(Some((1, None)));
        }
        if self.letters.next_if_eq(&'?').is_some() {
            return Ok(Some((0, Some(1))));
        }
        let mut ahead = self.letters.clone();
        if ahead.next() != Some('{') {
            return Ok(None);
        }
        let text: String = ahead.by_ref().take_while(|letter| *letter != '}').collect();
        let (least, most) =
            text.split_once(',').map_or((&*text, None), |(one, two)| (one, Some(two)));
        let Ok(least) = least.parse::<usize>() else { return Ok(None) };
        let most = match most {
            None => Some(least),
            Some("") => None,
            Some(most) => match most.parse::<usize>() {
                Ok(most) => Some(most),
                Err(_) => return Ok(None),
            },
        };
        if least > MOST_REPEATS || most.is_some_and(|most| most > MOST_REPEATS || most < least) {
            return Err(format!("error parsing regexp: invalid repeat count: `{{{text}}}`"));
        }
        self.letters = ahead;
        Ok(Some((least, most)))
    }

    fn class(&mut self) -> Result<Step, String> {
        let negated = self.letters.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        let mut is_first = true;
        loop {
            if !is_first && self.letters.next_if_eq(&']').is_some() {
                return Ok(Step::One { ranges, negated });
            }
            is_first = false;
            let from = match self.of_class()? {
                Member::One(letter) => letter,
                Member::Several(several) => {
                    ranges.extend(several);
                    continue;
                }
            };
            let mut ahead = self.letters.clone();
            let is_range =
                ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
            if !is_range {
                ranges.push((from, from));
                continue;
            }
            self.letters.next();
            match self.of_class()? {
                Member::One(to) if from <= to => ranges.push((from, to)),
                Member::One(_) | Member::Several(_) => {
                    return Err("error parsing regexp: invalid character class range".to_owned());
                }
            }
        }
    }

    /// One member of a class.
    fn of_class(&mut self) -> Result<Member, String> {
        let letter = self.letters.next().ok_or("error parsing regexp: missing closing ]")?;
        if letter == '[' && self.letters.peek() == Some(&':') {
            return self.named_class().map(Member::Several);
        }
        if letter != '\\' {
            return Ok(Member::One(letter));
        }
        let Step::One { ranges, negated } = self.escape()? else {
            return Err("error parsing regexp: invalid escape sequence".to_owned());
        };
        Ok(match ranges.as_slice() {
            [(one, same)] if one == same && !negated => Member::One(*one),
            _ => Member::Several(if negated { inverse(&ranges) } else { ranges }),
        })
    }

    fn named_class(&mut self) -> Result<Vec<(char, char)>, String> {
        let name: String = self.letters.by_ref().take_while(|letter| *letter != ']').collect();
        Ok(match name.as_str() {
            ":alpha:" => vec![('a', 'z'), ('A', 'Z')],
            ":digit:" => vec![('0', '9')],
            ":alnum:" => vec![('a', 'z'), ('A', 'Z'), ('0', '9')],
            ":lower:" => vec![('a', 'z')],
            ":upper:" => vec![('A', 'Z')],
            ":space:" => vec![('\t', '\r'), (' ', ' ')],
            ":punct:" => vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            ":xdigit:" => vec![('0', '9'), ('a', 'f'), ('A', 'F')],
            _ => {
                return Err(format!(
                    "error parsing regexp: invalid character class range: `[{name}]`"
                ));
            }
        })
    }

    fn escape(&mut self) -> Result<Step, String> {
        let letter = self.letters.next();
        let letter =
            letter.ok_or("error parsing regexp: trailing backslash at end of expression")?;
        let word = || vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];
        let space = || vec![('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')];
        let one = |letter| Step::One { ranges: vec![(letter, letter)], negated: false };
        Ok(match letter {
            'd' | 'D' => Step::One { ranges: vec![('0', '9')], negated: letter == 'D' },
            'w' | 'W' => Step::One { ranges: word(), negated: letter == 'W' },
            's' | 'S' => Step::One { ranges: space(), negated: letter == 'S' },
            'b' | 'B' => Step::WordEdge { wanted: letter == 'b' },
            'A' => Step::Begin,
            'z' => Step::End,
            'n' => one('\n'),
            't' => one('\t'),
            'r' => one('\r'),
            'f' => one('\u{c}'),
            'v' => one('\u{b}'),
            'x' => one(self.by_number()?),
            other if !other.is_ascii_alphanumeric() => one(other),
            other => {
                return Err(format!("error parsing regexp: invalid escape sequence: `\\{other}`"));
            }
        })
    }

    /// The character after `\x`: two digits, or more in braces.
    fn by_number(&mut self) -> Result<char, String> {
        let digits: String = if self.letters.next_if_eq(&'{').is_some() {
            self.letters.by_ref().take_while(|letter| *letter != '}').collect()
        } else {
            self.letters.by_ref().take(2).collect()
        };
        let number = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
        number
            .ok_or_else(|| format!("error parsing regexp: invalid escape sequence: `\\x{digits}`"))
    }
}

/// All characters that are in none of the ranges.
fn inverse(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut sorted = ranges.to_vec();
    crate::sim::sort::by(&mut sorted, Ord::cmp);
    let mut rest = Vec::new();
    let mut from = Some('\0');
    for (first, last) in sorted {
        let Some(begin) = from else { break };
        if begin < first {
            let end = (begin..first).next_back().unwrap_or(begin);
            rest.push((begin, end));
        }
        from = (last..=LAST).nth(1).map(|next| next.max(begin));
    }
    rest.extend(from.map(|from| (from, LAST)));
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, texts: &[(&str, bool)]) {
        let read = Pattern::parse(pattern).unwrap();
        for (text, wanted) in texts {
            assert_eq!(read.is_in(text), *wanted, "{pattern} in {text:?}");
        }
    }

    #[test]
    fn a_pattern_is_found_anywhere_unless_it_says_where() {
        check("b+", &[("abba", true), ("aca", false), ("", false)]);
        check("^b+$", &[("bbb", true), ("abb", false), ("", false)]);
        check("", &[("", true), ("a", true)]);
        check("^$", &[("", true), ("a", false)]);
        check(r"\bweb\b", &[("a web b", true), ("webs", false)]);
    }

    #[test]
    fn repetitions_and_alternatives() {
        let cron = r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$";
        check(cron, &[("* * * * */5", true), ("5 4 * * 1", true), ("* * *", false), ("x", false)]);
        check("^a{2,3}$", &[("a", false), ("aa", true), ("aaa", true), ("aaaa", false)]);
        check("^a{2,}$", &[("a", false), ("aaaaa", true)]);
        check("^(?:red|green|)$", &[("red", true), ("green", true), ("", true), ("gree", false)]);
        check("^a*?b{x}$", &[("aab{x}", true), ("b", false)]);
        check("^(a*)*$", &[("aaaa", true), ("b", false)]);
    }

    #[test]
    fn classes() {
        check("^[a-z0-9-]+$", &[("a-0", true), ("A", false), ("", false)]);
        check(r"^[^\s/]+$", &[("a.b", true), ("a b", false), ("a/b", false)]);
        check(r"^[\w.-]+@[\D]$", &[("a.b@x", true), ("a@1", false)]);
        check("^[]a]$", &[("]", true), ("a", true), ("b", false)]);
        check("^[[:alpha:]_]+$", &[("a_Z", true), ("1", false)]);
        check(r"^\x41\x{1F600}.$", &[("A😀x", true), ("A😀\n", false)]);
        check(r"^[\]\\a-c]+$", &[(r"]\b", true), ("d", false)]);
    }

    #[test]
    fn what_is_found_is_what_the_pattern_prefers() {
        for (pattern, text, wanted) in [
            ("a+", "baac", Some("aa")),
            ("a+?", "baac", Some("a")),
            ("a*", "baac", Some("")),
            ("a|ab", "xab", Some("a")),
            ("ab|a", "xab", Some("ab")),
            ("(a|b)*c", "xabacx", Some("abac")),
            ("a{1,2}", "aaa", Some("aa")),
            ("a{1,2}?", "aaa", Some("a")),
            ("é.", "aéöb", Some("éö")),
            ("^b", "ab", None),
            ("b$", "ab", Some("b")),
            ("<.*?>", "<a><b>", Some("<a>")),
            ("<.*>", "<a><b>", Some("<a><b>")),
        ] {
            let found = Pattern::parse(pattern).unwrap().find(text, 0);
            assert_eq!(found.and_then(|(begin, end)| text.get(begin..end)), wanted, "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_in_a_text_is_found_there(pattern in "[ab(|)*+?.^$]{0,8}", text in "[abc]{0,8}") {
            if let Ok(read) = Pattern::parse(&pattern) {
                let found = read.find(&text, 0);
                proptest::prop_assert_eq!(found.is_some(), read.is_in(&text));
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["(", ")", "[a", "*", "a{3,2}", "a{2000}", r"\", r"\p", "(?=a)", "[z-a]"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
        assert!(Pattern::parse("((((a{900}){900}){900}){900})").is_err());
        assert!(Pattern::parse(&"(".repeat(10_000)).is_err());
    }
}
