//! The project's own rules, read off its text: what no compiler checks.
//!
//! Each rule is a pure function from a file to the problems in it, with a test that shows it failing.

mod arrows;
mod css;
mod rust;
mod text;
mod words;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use text::Source;

/// What is wrong in a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1.
    line: usize,
    what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

/// A file of the project; its path is relative to the root, with `/` on every system.
pub struct File {
    path: String,
    text: String,
}

/// The project's files below `folder` whose names end with one of `endings`, by path.
fn files(folder: &str, endings: &[&str]) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                // What tools leave there is none of ours.
                if !["bundle", "node_modules", "target"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(read(root, &path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn read(root: &Path, path: &PathBuf) -> File {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    File { path: parts.join("/"), text: fs::read_to_string(path).unwrap_or_default() }
}

/// Fails with every problem that `rule` finds in `files`.
#[track_caller]
fn assert_tidy(files: &[File], rule: impl Fn(&File) -> Vec<Problem>) {
    let problems: Vec<String> = files
        .iter()
        .flat_map(|file| rule(file).into_iter().map(|problem| format!("{}:{problem}", file.path)))
        .collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn imports_follow_the_arrows() {
    let files = files("src", &[".rs"]);
    assert!(!files.is_empty(), "there is a source to read");
    assert_tidy(&files, |file| arrows::problems(&file.path, &Source::new(&file.text)));
}

#[test]
fn every_file_says_what_it_is() {
    for folder in ["src", "tests", "benches", "examples", "xtask"] {
        assert_tidy(&files(folder, &[".rs"]), |file| rust::head(&file.text));
    }
}

#[test]
fn every_public_item_states_its_contract() {
    assert_tidy(&files("src", &[".rs"]), |file| rust::contracts(&Source::new(&file.text)));
}

#[test]
fn states_are_types_outside_of_api() {
    let mut files = files("src", &[".rs"]);
    files.retain(|file| !file.path.starts_with("src/api/"));
    assert_tidy(&files, |file| rust::stringly(&Source::new(&file.text)));
}

#[test]
fn the_engine_is_plain_data() {
    let mut files = files("src", &[".rs"]);
    files.retain(|file| arrows::is_engine(&file.path));
    assert_tidy(&files, |file| rust::plain_data(&Source::new(&file.text)));
}

#[test]
fn comments_give_reasons() {
    for folder in ["src", "tests", "benches", "examples", "xtask", "www"] {
        let files = files(folder, &[".rs", ".css", ".js", ".mjs"]);
        assert_tidy(&files, |file| words::dead(&Source::new(&file.text)));
    }
}

#[test]
fn style_sheets_hold_to_their_tokens() {
    let sheets = files("www/css", &[".css"]);
    let tokens = css::tokens(sheets.iter().map(|sheet| sheet.text.as_str()));
    assert_tidy(&sheets, |sheet| css::values(&sheet.path, &sheet.text, &tokens));
}

#[test]
fn every_class_is_used() {
    let mut users = files("src", &[".rs"]);
    users.extend(files("www", &[".js", ".html"]));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    users.push(read(root, &root.join("index.html")));
    let users: Vec<&str> = users.iter().map(|file| file.text.as_str()).collect();
    assert_tidy(&files("www/css", &[".css"]), |sheet| css::unused(&sheet.text, &users));
}
