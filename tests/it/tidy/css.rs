//! Rules for style sheets.

use std::collections::BTreeSet;

use super::Problem;
use super::text::Source;

/// Classes of libraries, which we style and do not write.
const FOREIGN: [&str; 2] = ["cm-", "xterm"];

const COLOUR_FUNCTIONS: [&str; 9] =
    ["rgb(", "rgba(", "hsl(", "hsla(", "hwb(", "lab(", "lch(", "oklab(", "oklch("];

const COLOUR_NAMES: [&str; 16] = [
    "aqua", "black", "blue", "gray", "green", "grey", "navy", "orange", "pink", "purple", "red",
    "silver", "teal", "violet", "white", "yellow",
];

/// A declaration, or the words before a `{`.
struct Part {
    line: usize,
    text: String,
    kind: Kind,
}

#[derive(PartialEq, Eq)]
enum Kind {
    /// What a rule is for; at-rules included.
    Selector,
    /// `name: value`, and whether it stands in a block for reduced motion.
    Declaration { reduced_motion: bool },
}

/// The custom properties that `sheets` define.
pub fn tokens<'a>(sheets: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let parts = sheets.flat_map(parts);
    let defined = parts.filter(|part| part.kind != Kind::Selector).filter_map(|part| {
        let (name, _) = part.text.split_once(':')?;
        let name = name.trim();
        name.starts_with("--").then(|| name.to_owned())
    });
    defined.collect()
}

/// Declarations in the sheet at `path` with a raw colour, with a token that nobody defines, or that
/// shout.
pub fn values(path: &str, text: &str, tokens: &BTreeSet<String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for part in parts(text) {
        let Kind::Declaration { reduced_motion } = part.kind else { continue };
        let Some((_, value)) = part.text.split_once(':') else { continue };
        let mut found = |what: String| problems.push(Problem { line: part.line, what });
        if !path.ends_with("/tokens.css")
            && let Some(colour) = raw_colour(value)
        {
            found(format!("the raw colour {colour}: tokens.css gives colours their names"));
        }
        if value.contains("!important") && !reduced_motion {
            found("!important: let the order of the sheets decide".to_owned());
        }
        for token in value.split("var(").skip(1).map(name) {
            if !tokens.contains(token) {
                found(format!("{token} is defined nowhere"));
            }
        }
    }
    problems
}

/// Classes that the sheet defines and none of `users`, the other files, names.
pub fn unused(text: &str, users: &[&str]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for part in parts(text).into_iter().filter(|part| part.kind == Kind::Selector) {
        for class in classes(&part.text) {
            if !FOREIGN.iter().any(|prefix| class.starts_with(prefix))
                && !users.iter().any(|user| names(user, class))
            {
                let what = format!("nothing has the class {class}");
                problems.push(Problem { line: part.line, what });
            }
        }
    }
    problems
}

/// Whether `user` has the name `class`, whole or put together as `format!("phase-{phase}")` does.
fn names(user: &str, class: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let whole = user.match_indices(class).any(|(at, _)| {
        let before = user.get(..at).and_then(|text| text.chars().next_back());
        let after = user.get(at + class.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    });
    let stems = class.match_indices('-').filter_map(|(at, _)| class.get(..=at));
    whole || stems.into_iter().any(|stem| user.contains(&format!("{stem}{{")))
}

/// The classes that `selector` names.
fn classes(selector: &str) -> Vec<&str> {
    if selector.starts_with('@') {
        return Vec::new();
    }
    let classes = selector.split('.').skip(1).map(name);
    classes.filter(|class| class.starts_with(|c: char| c.is_alphabetic() || c == '_')).collect()
}

/// The CSS name at the beginning of `text`.
fn name(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

/// The first colour in `value` that is written out.
fn raw_colour(value: &str) -> Option<String> {
    let words = value.split(|c: char| c.is_whitespace() || c == ',' || c == ')' || c == '/');
    // What a function is called stands before its first bracket, so it is a word's end or the whole.
    for word in words {
        let inner = word.rsplit('(').next().unwrap_or(word);
        let hex = inner.strip_prefix('#').is_some_and(|digits| {
            digits.len() >= 3 && digits.chars().all(|c| c.is_ascii_hexdigit())
        });
        let written = COLOUR_FUNCTIONS.iter().any(|function| {
            word.split('(').rev().skip(1).any(|called| format!("{called}(") == **function)
        });
        if hex || written || COLOUR_NAMES.contains(&inner) {
            return Some(word.to_owned());
        }
    }
    None
}

/// The sheet in its parts.
fn parts(sheet: &str) -> Vec<Part> {
    let source = Source::new(sheet);
    let mut parts = Vec::new();
    // For each open block, whether it is for reduced motion.
    let mut blocks: Vec<bool> = Vec::new();
    let mut part = String::new();
    let mut begin = 1;
    for (at, line) in source.bare.iter().enumerate() {
        for c in line.chars().chain(['\n']) {
            if part.trim().is_empty() {
                begin = at + 1;
            }
            if !matches!(c, '{' | '}' | ';') {
                part.push(c);
                continue;
            }
            let text = std::mem::take(&mut part).trim().to_owned();
            let reduced_motion = blocks.last().copied().unwrap_or(false);
            if c == '{' {
                blocks.push(reduced_motion || text.contains("prefers-reduced-motion"));
                parts.push(Part { line: begin, text, kind: Kind::Selector });
                continue;
            }
            if !text.is_empty() {
                parts.push(Part { line: begin, text, kind: Kind::Declaration { reduced_motion } });
            }
            if c == '}' {
                blocks.pop();
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{Problem, tokens, unused, values};

    fn bad_values(path: &str, sheet: &str) -> Vec<usize> {
        let problems = values(path, sheet, &tokens([sheet].into_iter()));
        problems.iter().map(|problem: &Problem| problem.line).collect()
    }

    #[test]
    fn raw_colours_are_for_the_tokens() {
        assert_eq!(
            bad_values("www/css/a.css", "a { color: #fff; }\nb { border: 1px solid red }"),
            [1, 2]
        );
        assert_eq!(bad_values("www/css/a.css", "a {\n  color: rgb(1 2 3);\n}"), [2]);
        assert_eq!(
            bad_values("www/css/a.css", "a { fill: color-mix(in oklab, white, teal) }"),
            [1]
        );
        assert!(bad_values("www/css/tokens.css", ":root { --ink: #222; }").is_empty());
        let good = ":root { --red: inherit; }\n#add { color: var(--red); fill: currentColor; }";
        assert!(bad_values("www/css/a.css", good).is_empty());
    }

    #[test]
    fn tokens_are_defined_and_nothing_shouts() {
        assert_eq!(bad_values("www/css/a.css", "a { color: var(--ink, inherit); }"), [1]);
        assert_eq!(bad_values("www/css/a.css", "a { margin: 0 !important; }"), [1]);
        let calm = "@media (prefers-reduced-motion: reduce) { * { animation: none !important; } }";
        assert!(bad_values("www/css/a.css", calm).is_empty());
    }

    #[test]
    fn a_class_that_nobody_has_is_found() {
        let sheet = ".card { margin: .5rem; }\n.card.is-open > .lane-etcd { }\n.cm-editor { }";
        let lines = |users: &[&str]| -> Vec<usize> {
            unused(sheet, users).iter().map(|problem| problem.line).collect()
        };
        assert_eq!(lines(&[]), [1, 2, 2, 2]);
        let rust = r#"classes!("card", open.then_some("is-open")); format!("lane-{name}")"#;
        assert!(lines(&[rust]).is_empty());
        assert_eq!(lines(&["card-title is-open lane-etcd"]), [1, 2]);
    }
}
