//! The build tools that are crates: Trunk and wasm-bindgen.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{Stop, run_aside, say, stdout, stop};
use crate::project::Project;

const TRUNK: &str = "0.21.14";

/// A program to install.
struct Tool<'a> {
    krate: &'a str,
    program: &'a str,
    version: &'a str,
    /// Whether the crate's own lock file is followed.
    locked: bool,
}

/// The folder where both are, after installing what is missing or of another version.
pub fn bring(project: &Project) -> Result<PathBuf, Stop> {
    let bindgen = project.locked_version("wasm-bindgen")?;
    let tools = [
        Tool { krate: "trunk", program: "trunk", version: TRUNK, locked: true },
        // Its lock file can name versions that were never published.
        Tool {
            krate: "wasm-bindgen-cli",
            program: "wasm-bindgen",
            version: &bindgen,
            locked: false,
        },
    ];
    let folder = project.tools.join("bin");
    for tool in &tools {
        if !is_there(&folder.join(tool.program), tool.version) {
            install(project, tool)?;
        }
    }
    Ok(folder)
}

fn is_there(program: &Path, version: &str) -> bool {
    stdout(Command::new(program).arg("--version"))
        .is_some_and(|text| text.split_whitespace().nth(1) == Some(version))
}

fn install(project: &Project, tool: &Tool<'_>) -> Result<(), Stop> {
    let Tool { krate, version, .. } = tool;
    say(format!("installing {krate} {version} (1 to 5 minutes, once)"));
    let build = project.tools.join("build");
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(&project.tools)
        .env("CARGO_TARGET_DIR", &build)
        .env("CARGO_NET_RETRY", "10")
        // They run for a moment at a time, so what counts is how soon they are there.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_STRIP", "true")
        .args(["install", krate, "--version", version, "--no-default-features", "--force"])
        .arg("--root")
        .arg(&project.tools);
    for slow in ["sha2", "seahash", "walrus", "wasmparser", "wasm-bindgen-cli-support"] {
        cargo.args(["--config", &format!("profile.release.package.{slow}.opt-level=2")]);
    }
    if tool.locked {
        cargo.arg("--locked");
    }
    let log = project.tools.join(format!("{krate}.log"));
    let installed = run_aside(&mut cargo, &log, Duration::from_mins(40));
    if let Err(Stop(why)) = installed {
        return stop(format!("{krate} {version} could not be installed: {why}"));
    }
    // What is left over from the build is large and of no more use.
    match std::fs::remove_dir_all(&build) {
        Ok(()) => Ok(()),
        Err(error) => stop(format!("cannot remove {}: {error}", build.display())),
    }
}
