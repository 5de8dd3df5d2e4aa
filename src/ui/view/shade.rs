//! YAML in colours, as the editor will show it: for the plain field that stands there before it.

/// What a part of a line is, by the class that colours it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shade {
    /// Nothing that stands out.
    Plain,
    Key,
    /// In quotes.
    Quoted,
    Comment,
    /// Dashes, colons, brackets.
    Mark,
}

impl Shade {
    /// The class of the part; the editor's module uses the same ones.
    pub const fn class(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Key => Some("editor-key"),
            Self::Quoted => Some("editor-string"),
            Self::Comment => Some("editor-comment"),
            Self::Mark => Some("editor-mark"),
        }
    }
}

/// The parts of one line, in order and with nothing left out. It looks at the line alone, so the
/// inside of a block of text may be coloured as if it were YAML.
pub fn shades(line: &str) -> Vec<(Shade, &str)> {
    let mut parts = Parts { rest: line, taken: Vec::new() };
    if line.trim_end() == "---" {
        parts.take(Shade::Mark, line.len());
    }
    parts.take_blank();
    while parts.rest == "-" || parts.rest.starts_with("- ") {
        parts.take(Shade::Mark, 1);
        parts.take_blank();
    }
    if let Some(end) = key_end(parts.rest) {
        parts.take(Shade::Key, end);
        parts.take(Shade::Mark, 1);
        parts.take_blank();
    }
    let end = value_end(parts.rest);
    match parts.rest.chars().next() {
        Some('"' | '\'') => parts.take(Shade::Quoted, end),
        // Of a list in brackets only the first is a mark, and of a block only its sign.
        Some('[' | '{' | '|' | '>') => {
            parts.take(Shade::Mark, 1);
            parts.take(Shade::Plain, end - 1);
        }
        _ => parts.take(Shade::Plain, end),
    }
    parts.take(Shade::Comment, parts.rest.len());
    parts.taken
}

/// A line that is taken apart from its front.
struct Parts<'a> {
    rest: &'a str,
    taken: Vec<(Shade, &'a str)>,
}

impl Parts<'_> {
    fn take(&mut self, shade: Shade, len: usize) {
        let (part, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        if !part.is_empty() {
            self.taken.push((shade, part));
        }
        self.rest = rest;
    }

    fn take_blank(&mut self) {
        self.take(Shade::Plain, self.rest.len() - self.rest.trim_start().len());
    }
}

/// Where the key ends that `text` begins with, if it does.
fn key_end(text: &str) -> Option<usize> {
    let key_ends = |(at, _): &(usize, &str)| {
        let after = text.get(at + 1..).unwrap_or_default();
        after.is_empty() || after.starts_with(' ')
    };
    let (end, _) = text.match_indices(':').find(key_ends)?;
    let key = text.get(..end)?;
    (!key.starts_with('#') && !key.contains(" #")).then_some(end)
}

/// Where the comment begins that follows a value, else the end.
fn value_end(text: &str) -> usize {
    if text.starts_with('#') {
        return 0;
    }
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    let from = quote.and_then(|quote| text.get(1..)?.find(quote)).map_or(0, |end| end + 2);
    let rest = text.get(from..).unwrap_or_default();
    rest.find(" #").map_or(text.len(), |at| from + at)
}

#[cfg(test)]
mod tests {
    use super::Shade::{Comment, Key, Mark, Plain, Quoted};
    use super::*;

    #[test]
    fn each_part_has_its_colour() {
        let cases: [(&str, &[(Shade, &str)]); 9] = [
            ("kind: Pod", &[(Key, "kind"), (Mark, ":"), (Plain, " "), (Plain, "Pod")]),
            (
                "  - name: 'a # b' # c",
                &[
                    (Plain, "  "),
                    (Mark, "-"),
                    (Plain, " "),
                    (Key, "name"),
                    (Mark, ":"),
                    (Plain, " "),
                    (Quoted, "'a # b'"),
                    (Comment, " # c"),
                ],
            ),
            ("---", &[(Mark, "---")]),
            ("# all", &[(Comment, "# all")]),
            (
                "image: nginx:1.29",
                &[(Key, "image"), (Mark, ":"), (Plain, " "), (Plain, "nginx:1.29")],
            ),
            ("- sh", &[(Mark, "-"), (Plain, " "), (Plain, "sh")]),
            (
                "args: [a, b]",
                &[(Key, "args"), (Mark, ":"), (Plain, " "), (Mark, "["), (Plain, "a, b]")],
            ),
            ("键: \"值", &[(Key, "键"), (Mark, ":"), (Plain, " "), (Quoted, "\"值")]),
            ("", &[]),
        ];
        for (line, want) in cases {
            assert_eq!(shades(line), want, "{line}");
        }
    }

    #[test]
    fn nothing_is_left_out() {
        for line in ["-", "- - a", ":", "a:b", "a: #", "\"", "''", "{}: {}", " \t- x: | # y", "é:"]
        {
            let whole: String = shades(line).into_iter().map(|(_, part)| part).collect();
            assert_eq!(whole, line);
        }
    }
}
