//! `cargo xtask test`: every check, each run even if one before it failed.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::dist;
use crate::process::{Stop, run as run_command, say, stdout, stop};
use crate::project::Project;
use crate::table::table;
use crate::tools::{self, PageTools, Toolchain};

/// Whether the page is tested in a real browser, and the server with real clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// As `.ci/run` does.
    Included,
    /// With `--fast`.
    LeftOut,
}

/// A check that was made.
struct Step {
    name: &'static str,
    result: Result<(), Stop>,
    took: Duration,
}

/// Makes every check and prints the summary.
pub fn run(project: &Project, browser: Browser) -> ExitCode {
    let mut steps = vec![
        step("formatting", || formatting(project)),
        step("clippy", || clippy(project)),
        step("clippy wasm32", || clippy_wasm(project)),
        step("tests", || native_tests(project)),
    ];
    if browser == Browser::Included {
        steps.push(step("real clients", || client_tests(project)));
    }
    let mut site = None;
    steps.push(step("page", || {
        site = Some(build_page(project)?);
        Ok(())
    }));
    if browser == Browser::Included {
        steps.push(step("browser tests", || match &site {
            Some(site) => browser_tests(project, site, &|name| name != IN_PARTS),
            None => stop("there is no page to test"),
        }));
        steps.push(step("published page", || published_page(project)));
    }
    summary(&steps)
}

fn step(name: &'static str, check: impl FnOnce() -> Result<(), Stop>) -> Step {
    say(format!("── {name}"));
    let begin = Instant::now();
    let result = check();
    if let Err(Stop(why)) = &result {
        say(format!("{name}: {why}"));
    }
    Step { name, result, took: begin.elapsed() }
}

fn summary(steps: &[Step]) -> ExitCode {
    let rows: Vec<Vec<String>> = steps
        .iter()
        .map(|step| {
            let result = match &step.result {
                Ok(()) => "ok".to_owned(),
                Err(Stop(why)) => format!("FAILED: {}", why.lines().next().unwrap_or_default()),
            };
            vec![step.name.to_owned(), format!("{:.1}", step.took.as_secs_f64()), result]
        })
        .collect();
    let failed = steps.iter().filter(|step| step.result.is_err()).count();
    print!("\n{}", table(&["step", "seconds ", "result"], &rows));
    println!("{} passed, {failed} failed", steps.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn formatting(project: &Project) -> Result<(), Stop> {
    tools::bring_component("rustfmt", "fmt")?;
    run_command(project.cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(project: &Project) -> Result<(), Stop> {
    tools::bring_component("clippy", "clippy")?;
    let mut cargo = project.cargo();
    run_command(cargo.args([
        "clippy",
        "-q",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn clippy_wasm(project: &Project) -> Result<(), Stop> {
    let toolchain = Toolchain::bring(project)?;
    toolchain.bring_clippy(project)?;
    let mut cargo = tools::wasm_cargo(project, toolchain);
    // The page's own profile, so that both share the crates that run during a build.
    cargo.args(["clippy", "-q", "--target", "wasm32-unknown-unknown", "--profile", "web"]);
    run_command(cargo.args(["--lib", "--bins", "--", "-D", "warnings"]))
}

fn native_tests(project: &Project) -> Result<(), Stop> {
    let mut cargo = project.cargo();
    cargo.env("INSTA_UPDATE", "no");
    let nextest = stdout(Command::new("cargo").args(["nextest", "--version"])).is_some();
    if nextest {
        cargo.args(["nextest", "run", "--no-fail-fast", "--status-level", "slow"]);
        cargo.args(["--final-status-level", "fail", "--cargo-quiet"]);
    } else {
        cargo.args(["test", "-q", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    }
    run_command(cargo.arg("--workspace"))
}

fn client_tests(project: &Project) -> Result<(), Stop> {
    run_command(project.cargo().args(["build", "-q", "--example", "apiserver"]))?;
    let mut node = tools::clients_node(project)?;
    run_command(node.args(["--test", "--test-reporter=spec"]).arg("tests/clients/clients.test.mjs"))
}

fn build_page(project: &Project) -> Result<PathBuf, Stop> {
    let tools = PageTools::bring(project)?;
    let site = project.web_target().join("test");
    run_command(
        tools.trunk(project, "build").env("CARGO_TERM_QUIET", "true").arg("--dist").arg(&site),
    )?;
    Ok(site)
}

/// What the page is like once it is made small: that changes how it begins and how it is written, not
/// what it does, which the other tests see to.
const PUBLISHED: [&str; 5] =
    ["learner.test.mjs", "log.test.mjs", "page.test.mjs", IN_PARTS, "smoke.test.mjs"];
/// Only a published engine comes in two parts.
const IN_PARTS: &str = "parts.test.mjs";

fn published_page(project: &Project) -> Result<(), Stop> {
    let site = project.web_target().join("published");
    dist::build(project, &PageTools::bring(project)?, &site)?;
    dist::weigh(&site)?;
    browser_tests(project, &site, &|name| PUBLISHED.contains(&name))
}

/// Plays the tests in a browser whose file is `wanted`.
fn browser_tests(
    project: &Project,
    site: &Path,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(), Stop> {
    let mut node = tools::browser_node(project, site)?;
    let folder = project.root.join("tests/browser");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            name.ends_with(".test.mjs") && wanted(&name)
        })
        .collect();
    files.sort();
    run_command(node.args(["--test", "--test-reporter=spec"]).args(files))
}
