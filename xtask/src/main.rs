//! The project's commands: `cargo xtask serve | test | dist | bench`.
//!
//! Each brings the tools it needs and that are missing, says in one line what it brings, and is quick
//! when everything is there.

#![expect(clippy::disallowed_types, reason = "these commands measure real time, not the engine's")]

mod bench;
mod dist;
mod process;
mod project;
mod serve;
mod table;
mod test;
mod tools;

use std::process::ExitCode;

use process::{Stop, stop};
use project::Project;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  serve [--release] [--port N] [--open]  build the page, serve it on 127.0.0.1 and reload it on changes
  test [--fast]                          every check; --fast leaves the browser and real clients out
  dist                                   write the static site to dist/ and hold it to its size budget
  bench [FILTER]                         run the benches natively and in Chromium

environment:

  PODFLOW_TOOLS     where tools are installed (target/tools)
  PODFLOW_CHROMIUM  the Chromium or Chrome to test with (the first one found)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(code) => code,
        Err(Stop(why)) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<ExitCode, Stop> {
    let project = Project::find()?;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["serve", options @ ..] => serve::run(&project, &serve::Options::parse(options)?),
        ["test"] => Ok(test::run(&project, test::Browser::Included)),
        ["test", "--fast"] => Ok(test::run(&project, test::Browser::LeftOut)),
        ["dist"] => dist::run(&project),
        ["bench"] => bench::run(&project, None),
        ["bench", filter] if !filter.starts_with('-') => bench::run(&project, Some(filter)),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => stop(USAGE),
    }
}
