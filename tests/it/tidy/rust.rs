//! Rules for Rust files.

use super::Problem;
use super::text::{Source, words};

/// What the API writes as text and we as enums.
const STATES: [&str; 23] = [
    "Always",
    "Completed",
    "ContainersReady",
    "CrashLoopBackOff",
    "DisruptionTarget",
    "Error",
    "Failed",
    "False",
    "IfNotPresent",
    "Initialized",
    "Never",
    "NoExecute",
    "NoSchedule",
    "OnFailure",
    "Pending",
    "PodScheduled",
    "PreferNoSchedule",
    "Ready",
    "Running",
    "Succeeded",
    "Terminated",
    "True",
    "Waiting",
];

/// The file does not say at its head what it is.
pub fn head(text: &str) -> Vec<Problem> {
    match text.lines().next() {
        Some(line) if line.starts_with("//!") => Vec::new(),
        _ => vec![Problem { line: 1, what: "a file opens with `//!`: what it is".to_owned() }],
    }
}

/// Public items without a doc comment; fields, modules and re-exports may go without.
pub fn contracts(source: &Source<'_>) -> Vec<Problem> {
    let items = source.bare.iter().enumerate().filter_map(|(at, line)| Some((at, item(line)?)));
    items
        .filter(|(at, _)| !is_documented(&source.lines, *at))
        .map(|(at, name)| Problem {
            line: at + 1,
            what: format!("`{name}` is public and has no `///`: what may its callers count on?"),
        })
        .collect()
}

/// The public item that begins in `line`, without what follows its name.
fn item(line: &str) -> Option<&str> {
    let line = line.trim();
    let mut words = line.strip_prefix("pub ")?.split_whitespace().map(|word| {
        let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
        word.get(..end).unwrap_or(word)
    });
    let kind = words.find(|word| !["async", "unsafe", "extern"].contains(word))?;
    let kinds = ["const", "enum", "fn", "static", "struct", "trait", "type", "union"];
    let end = line.find(['(', '{', '<', ':', ';', '=']).unwrap_or(line.len());
    kinds.contains(&kind).then(|| line.get(..end).unwrap_or(line).trim_end())
}

/// Whether the item in line `at` (from 0) has a doc comment above its attributes.
fn is_documented(lines: &[&str], at: usize) -> bool {
    let mut above = lines.iter().take(at).rev().map(|line| line.trim());
    while let Some(line) = above.next() {
        if line.starts_with("///") || line.starts_with("#[doc") {
            return true;
        }
        if line.starts_with("#[") {
            continue;
        }
        // Of an attribute of several lines the end comes first.
        let ends_attribute = line.ends_with(']') && !line.starts_with("//");
        if !(ends_attribute && above.any(|line| line.starts_with("#["))) {
            return false;
        }
    }
    false
}

/// Comparisons with text where there is a type.
pub fn stringly(source: &Source<'_>) -> Vec<Problem> {
    let compared = |line: &str, state: &str| {
        let text = format!("\"{state}\"");
        line.match_indices(&text).any(|(at, _)| {
            let before = line.get(..at).unwrap_or_default();
            let before =
                before.trim_end_matches(['(', '&', ' ']).trim_end_matches("Some").trim_end();
            let after = line.get(at + text.len()..).unwrap_or_default();
            let after = after.trim_start_matches([')', ' ']);
            ["==", "!="].iter().any(|sign| before.ends_with(sign) || after.starts_with(sign))
                || after.starts_with("=>")
                || after.starts_with("| \"")
                || before.contains("matches!(")
        })
    };
    let lines = source.code.iter().enumerate();
    lines
        .flat_map(|(at, line)| {
            STATES.iter().filter(|state| compared(line, state)).map(move |state| Problem {
                line: at + 1,
                what: format!("compares with the text {state:?}: api/ has a type for it"),
            })
        })
        .collect()
}

/// What the engine does without, so that it is a value: it can be cloned, compared and replayed.
pub fn plain_data(source: &Source<'_>) -> Vec<Problem> {
    let lines = source.bare.iter().enumerate();
    lines
        .flat_map(|(at, line)| {
            let found = ["async", "await", "RefCell", "OnceCell", "OnceLock", "LazyLock"]
                .into_iter()
                .chain(["Mutex", "RwLock", "thread_local"])
                .filter(|word| words(line, word).next().is_some())
                .chain(is_static(line).then_some("static"));
            found.map(move |word| Problem {
                line: at + 1,
                what: format!("`{word}` in the engine: its state is plain data"),
            })
        })
        .collect()
}

/// Whether `line` begins a static item.
fn is_static(line: &str) -> bool {
    let line = line.trim();
    let item = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')').map_or(rest, |(_, item)| item),
        Some(rest) => rest,
        None => line,
    };
    item.trim_start().starts_with("static ")
}

#[cfg(test)]
mod tests {
    use super::{Problem, Source, contracts, head, plain_data, stringly};

    fn lines(rule: impl Fn(&Source<'_>) -> Vec<Problem>, text: &str) -> Vec<usize> {
        rule(&Source::new(text)).iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn a_file_without_a_head_is_found() {
        assert!(head("//! The store.\n").is_empty());
        assert_eq!(head("use std::rc::Rc;\n").len(), 1);
        assert_eq!(head("").len(), 1);
    }

    #[test]
    fn a_public_item_without_contract_is_found() {
        let good = "/// A.\n#[derive(\n    Clone,\n)]\npub struct A {\n    pub b: u8,\n}\npub mod c;\n\
                    pub use d::E;\npub(super) fn f() {}\n";
        assert!(lines(contracts, good).is_empty());
        assert_eq!(lines(contracts, "pub fn a() {}\n"), [1]);
        assert_eq!(lines(contracts, "// A.\n#[derive(Clone)]\npub enum A {}\n"), [3]);
        assert_eq!(lines(contracts, "impl A {\n    pub const fn a() {}\n}\n"), [2]);
        assert_eq!(lines(contracts, "pub const A: u8 = 1;\npub type B = u8;\n"), [1, 2]);
        let problems = contracts(&Source::new("pub fn name<T>(a: T) {}"));
        assert!(problems[0].what.starts_with("`pub fn name`"), "{}", problems[0].what);
    }

    #[test]
    fn a_comparison_with_text_is_found() {
        assert_eq!(lines(stringly, "if phase == \"Running\" {}"), [1]);
        assert_eq!(lines(stringly, "if phase != Some(\"Pending\") {}"), [1]);
        assert_eq!(lines(stringly, "match a {\n    \"Failed\" | \"Succeeded\" => b,\n}"), [2, 2]);
        assert_eq!(lines(stringly, "matches!(a, \"Ready\")"), [1]);
        assert!(lines(stringly, "// == \"Running\"\nlet text = \"Running\";").is_empty());
    }

    #[test]
    fn hidden_state_is_found() {
        assert_eq!(lines(plain_data, "async fn a() {}"), [1]);
        assert_eq!(lines(plain_data, "use std::cell::RefCell;"), [1]);
        assert_eq!(lines(plain_data, "pub(super) static A: u8 = 1;"), [1]);
        assert_eq!(lines(plain_data, "static A: u8 = 1;\npub static B: u8 = 1;"), [1, 2]);
        assert!(lines(plain_data, "pub fn a() -> &'static str { \"async\" }").is_empty());
    }
}
