//! A source file taken apart into code and comments, line by line.

/// The text of a file in Rust, JavaScript or CSS. Lines are counted from 1.
pub struct Source<'a> {
    /// Every line as it stands.
    pub lines: Vec<&'a str>,
    /// Every line without its comments; what comes after `#[cfg(test)] mod` is left out.
    pub code: Vec<String>,
    /// Like `code`, and strings are empty.
    pub bare: Vec<String>,
    /// What the comments of every line say.
    pub comments: Vec<String>,
}

/// Where the scanner is between two characters.
#[derive(Clone, Copy)]
enum State {
    Code,
    Line,
    /// How deep.
    Block(usize),
    Text,
    /// How many `#` end it.
    RawText(usize),
}

impl<'a> Source<'a> {
    /// Takes `text` apart.
    pub fn new(text: &'a str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let mut source = Self { lines, code: Vec::new(), bare: Vec::new(), comments: Vec::new() };
        let mut state = State::Code;
        for line in text.lines() {
            if let State::Line = state {
                state = State::Code;
            }
            let (mut code, mut bare, mut comment) = (String::new(), String::new(), String::new());
            let mut rest = line;
            while !rest.is_empty() {
                let (next, taken) = step(state, rest);
                let (piece, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
                match (state, next) {
                    (State::Code, State::Line | State::Block(_)) => {}
                    (State::Line | State::Block(_), _) => comment.push_str(piece),
                    (State::Code, _) | (State::Text | State::RawText(_), State::Code) => {
                        code.push_str(piece);
                        bare.push_str(piece);
                    }
                    (State::Text | State::RawText(_), _) => code.push_str(piece),
                }
                state = next;
                rest = after;
            }
            source.code.push(code);
            source.bare.push(bare);
            source.comments.push(comment);
        }
        source.forget_tests();
        source
    }

    /// Empties the code from where the module of unit tests begins.
    fn forget_tests(&mut self) {
        let begin = self.code.windows(2).position(|pair| {
            matches!(pair, [attribute, module]
                if attribute.trim() == "#[cfg(test)]" && module.trim_start().starts_with("mod "))
        });
        let Some(begin) = begin else { return };
        for lines in [&mut self.code, &mut self.bare] {
            lines.iter_mut().skip(begin).for_each(String::clear);
        }
    }
}

/// The state after the next piece of `rest`, and how many bytes that piece has.
fn step(state: State, rest: &str) -> (State, usize) {
    let one = rest.chars().next().map_or(1, char::len_utf8);
    match state {
        State::Code => code_step(rest, one),
        State::Line => (State::Line, rest.len()),
        State::Block(depth) if rest.starts_with("*/") => match depth {
            1 => (State::Code, 2),
            _ => (State::Block(depth - 1), 2),
        },
        State::Block(depth) if rest.starts_with("/*") => (State::Block(depth + 1), 2),
        State::Block(depth) => (State::Block(depth), one),
        State::Text if rest.starts_with('\\') => {
            let escaped = rest.chars().nth(1).map_or(0, char::len_utf8);
            (State::Text, 1 + escaped)
        }
        State::Text if rest.starts_with('"') => (State::Code, 1),
        State::Text => (State::Text, one),
        State::RawText(hashes) => {
            let end = format!("\"{}", "#".repeat(hashes));
            if rest.starts_with(&end) { (State::Code, end.len()) } else { (state, one) }
        }
    }
}

fn code_step(rest: &str, one: usize) -> (State, usize) {
    if rest.starts_with("//") {
        return (State::Line, 2);
    }
    if rest.starts_with("/*") {
        return (State::Block(1), 2);
    }
    if rest.starts_with('"') {
        return (State::Text, 1);
    }
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.chars().take_while(|c| *c == '#').count();
        if raw.chars().nth(hashes) == Some('"') {
            return (State::RawText(hashes), hashes + 2);
        }
    }
    // A whole word, so that the `r` of `for"` starts no raw string.
    let word = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8);
    let word: usize = word.sum();
    if word > 0 {
        return (State::Code, word);
    }
    // A character such as '"', but not a lifetime.
    for quote in ["'\"'", "'\\\"'", "'\\''", "'/'"] {
        if rest.starts_with(quote) {
            return (State::Code, quote.len());
        }
    }
    (State::Code, one)
}

/// The places in `line` where `word` stands by itself.
pub fn words<'l>(line: &'l str, word: &'l str) -> impl Iterator<Item = usize> + 'l {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = line.get(..*at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[test]
fn comments_and_strings_are_told_from_code() {
    let source = Source::new(
        "let a = \"// no\"; // yes\nlet b = r#\"a \" /* no\"#; /* one\n two */ let c = '\"';\nfor\"x\"",
    );
    assert_eq!(source.comments, [" yes", " one", " two */", ""]);
    assert_eq!(source.bare, ["let a = \"\"; ", "let b = r#\"\"#; ", " let c = '\"';", "for\"\""]);
    assert_eq!(source.code[0], "let a = \"// no\"; ");
    assert_eq!(source.code[3], "for\"x\"");
}

#[test]
fn unit_tests_are_left_out() {
    let source = Source::new("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n");
    assert_eq!(source.bare, ["fn a() {}", "", "", "", "", ""]);
}

#[test]
fn words_stand_alone() {
    assert_eq!(words("static is statics", "static").collect::<Vec<_>>(), [0]);
}
