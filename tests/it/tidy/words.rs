//! Words that do not belong into a comment.

use super::Problem;
use super::text::{Source, words};

/// They retell the code or its history, or speak to a reviewer.
const DEAD: [&str; 16] = [
    "as discussed",
    "as requested",
    "fixme",
    "for later",
    "for now",
    "improved",
    "in a real implementation",
    "new:",
    "now we",
    "placeholder",
    "simplified version",
    "step 1",
    "step 2",
    "todo",
    "updated to",
    "xxx",
];

/// Comments that hold a dead word.
pub fn dead(source: &Source<'_>) -> Vec<Problem> {
    let lines = source.comments.iter().enumerate();
    lines
        .flat_map(|(at, comment)| {
            let comment = comment.to_lowercase();
            let found = DEAD.iter().filter(move |word| words(&comment, word).next().is_some());
            found.map(move |word| Problem {
                line: at + 1,
                what: format!("a comment says {word:?}: let it give the reason instead"),
            })
        })
        .collect()
}

#[test]
fn dead_words_are_found() {
    let lines = |text| -> Vec<usize> {
        dead(&Source::new(text)).iter().map(|problem| problem.line).collect()
    };
    assert_eq!(lines("// Now we loop.\nlet a = 1; // TODO\n/* as\n requested */"), [1, 2]);
    assert_eq!(lines("/// An improved store."), [1]);
    assert!(lines("let todo = \"improved\"; // a renewed lease").is_empty());
}
