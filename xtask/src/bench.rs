//! `cargo xtask bench`: the same benches natively and in Chromium.
//!
//! The protocol: a bench prints one line of JSON a result,
//! `{"bench":"…","where":"native","value":1.5,"unit":"s"}`, `where` being `native` or `chromium`, and
//! maybe a `floor`: what Kubernetes' own CI demands of the same. Natively
//! that is `benches/engine`, in Chromium `tests/browser/bench.mjs`; both take a filter, a part of the
//! benches' names.

use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

use crate::dist;
use crate::process::{Stop, say, stop};
use crate::project::Project;
use crate::table::table;
use crate::tools::{self, PageTools};

/// Runs all benches whose names contain `filter`.
pub fn run(project: &Project, filter: Option<&str>) -> Result<ExitCode, Stop> {
    let mut results = Vec::new();

    say("── natively");
    let mut native = project.cargo();
    native.args(["bench", "-q", "--bench", "engine", "--"]).args(filter);
    results.extend(results_of(&mut native)?);

    say("── in Chromium");
    let site = project.web_target().join("bench");
    dist::build(project, &PageTools::bring(project)?, &site)?;
    let mut chromium = tools::browser_node(project, &site)?;
    chromium.arg(project.root.join("tests/browser/bench.mjs")).args(filter);
    results.extend(results_of(&mut chromium)?);

    let rows: Vec<Vec<String>> = results.iter().map(row).collect();
    print!("\n{}\n", table(&["bench", "where", "value ", "unit", "× floor "], &rows));
    for result in &results {
        println!("{result}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `command` and reads the results it prints; its other lines go to stderr.
fn results_of(command: &mut Command) -> Result<Vec<Value>, Stop> {
    let Ok(output) = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output() else {
        return stop("the benches cannot be started");
    };
    let mut results = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match result(line) {
            Some(result) => results.push(result),
            None => eprintln!("{line}"),
        }
    }
    if output.status.success() { Ok(results) } else { stop("a bench failed") }
}

/// The result that `line` is, if it is one.
fn result(line: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(line).ok()?;
    let is_text = |key| value.get(key).is_some_and(Value::is_string);
    (is_text("bench") && is_text("where") && is_text("unit") && value.get("value")?.is_number())
        .then_some(value)
}

fn row(result: &Value) -> Vec<String> {
    let text = |key| result.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let value = result.get("value").and_then(Value::as_f64).unwrap_or_default();
    let floor = result.get("floor").and_then(Value::as_f64);
    let times = floor.map(|floor| format!("{:.1}", value / floor)).unwrap_or_default();
    vec![text("bench"), text("where"), readable(value), text("unit"), times]
}

/// Three or more digits of `value`.
fn readable(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{readable, result, row};
    use serde_json::json;

    #[test]
    fn only_whole_results_count() {
        assert!(result(r#"{"bench":"a","where":"native","value":1,"unit":"s"}"#).is_some());
        assert!(result(r#"{"bench":"a","where":"native","value":"1","unit":"s"}"#).is_none());
        assert!(result(r#"{"bench":"a"}"#).is_none());
        assert!(result("running 1 test").is_none());
    }

    #[test]
    fn what_has_a_floor_is_measured_by_it() {
        let result =
            json!({"bench": "a", "where": "native", "value": 1700, "unit": "s", "floor": 680});
        assert_eq!(row(&result), ["a", "native", "1700", "s", "2.5"]);
        let result = json!({"bench": "b", "where": "native", "value": 1700, "unit": "s"});
        assert_eq!(row(&result), ["b", "native", "1700", "s", ""]);
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(readable(1_234_567.8), "1234568");
        assert_eq!(readable(2.345_6), "2.35");
        assert_eq!(readable(0.012_34), "0.0123");
    }
}
