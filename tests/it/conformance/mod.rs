//! Runs the language-neutral cases of `tests/data/corpus`.
//!
//! `cargo test --test it conformance` runs every file that has a runner here and says per file how
//! many cases passed and which did not. `PODFLOW_CORPUS=<folder>` runs another folder instead.

mod columns;
mod constants;
mod http;
mod objects;
mod patches;
mod scheduler;
mod status;
mod status_errors;
mod values;

use std::fmt::Debug;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// `Err` says in words what came out and what should have.
pub type Outcome = Result<(), String>;

/// With what the outcome of a case begins that cannot hold yet: it does not pass, and fails no test.
pub const NOT_THERE: &str = "not there yet: ";

/// Runs one case; the first value is the whole file, for the tables beside the cases.
pub type Run = fn(&Value, &Value) -> Outcome;

/// A form of cases: the name its file has (or begins with), keys that only its cases have, its run.
pub struct Form {
    pub file: &'static str,
    pub keys: &'static [&'static str],
    pub run: Run,
}

/// Every form there is a runner for; each file beside this one brings its own.
static FORMS: &[&[Form]] = &[
    values::FORMS,
    columns::FORMS,
    constants::FORMS,
    http::FORMS,
    objects::FORMS,
    patches::FORMS,
    scheduler::FORMS,
    status_errors::FORMS,
];

#[test]
fn every_case_of_the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/corpus");
    let folders = env::var_os("PODFLOW_CORPUS").map_or_else(
        || {
            [
                corpus.join("api"),
                corpus.join("scheduler"),
                corpus.join("golden/http.json"),
                corpus.with_file_name("cases"),
            ]
            .into()
        },
        |folder| vec![PathBuf::from(folder)],
    );
    let files = folders.iter().flat_map(|folder| json_files(folder));
    let failed: usize = files.map(|path| run_file(&path)).sum();
    assert_eq!(failed, 0, "cases failed; they are named above");
}

/// Runs the cases of one file and returns how many failed.
fn run_file(path: &Path) -> usize {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let Some(cases) = file["cases"].as_array() else {
        say(&format!("{name}: no cases"));
        return 0;
    };
    let Some(form) = form_of(&name, cases.first()) else {
        say(&format!("{name}: no runner for its {} cases", cases.len()));
        return 0;
    };
    let (mut failures, mut absent) = (Vec::new(), 0);
    for case in cases {
        let outcome = catch_unwind(AssertUnwindSafe(|| (form.run)(&file, case)))
            .unwrap_or_else(|_| Err("panicked".to_owned()));
        if let Err(why) = outcome {
            absent += usize::from(why.starts_with(NOT_THERE));
            failures.push(format!("  {}: {why}", case["name"].as_str().unwrap_or("(no name)")));
        }
    }
    say(&format!("{name}: {} of {} passed", cases.len() - failures.len(), cases.len()));
    for failure in &failures {
        say(failure);
    }
    failures.len() - absent
}

fn form_of(name: &str, first: Option<&Value>) -> Option<&'static Form> {
    let forms = || FORMS.iter().copied().flatten();
    let named = forms().filter(|form| name.starts_with(form.file));
    let alike = |form: &&Form| {
        let has = |key: &&str| first.is_some_and(|case| case.get(key).is_some());
        !form.keys.is_empty() && form.keys.iter().all(has)
    };
    named.max_by_key(|form| form.file.len()).or_else(|| forms().find(alike))
}

/// The files below a folder, or the one that is named.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    if folder.is_file() {
        return vec![folder.to_owned()];
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Writes past the capture of the test runner: the counts are wanted when all is well, too.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").unwrap();
}

/// Reads a part of a case.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| format!("bad case: {error}: {value}"))
}

/// The text under `key`, or the empty one.
pub fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_default()
}

/// Compares one result.
pub fn same<T: PartialEq + Debug>(what: &str, got: &T, want: &T) -> Outcome {
    if got == want { Ok(()) } else { Err(format!("{what}: got {got:?}, want {want:?}")) }
}
