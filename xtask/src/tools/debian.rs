//! Debian's packages, where we may install them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::{Stop, find, run_aside, say, stdout, stop};
use crate::project::Project;

/// Whether this machine has `apt-get` and we are root.
pub fn may_install() -> bool {
    let root = stdout(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    root && Path::new("/etc/debian_version").exists() && find("apt-get").is_some()
}

/// Installs `packages` for `what`.
pub fn install(project: &Project, what: &str, packages: &[&str]) -> Result<(), Stop> {
    say(format!("installing {} from Debian, for {what}", packages.join(" ")));
    let log = project.tools.join("apt.log");
    let limit = Duration::from_mins(15);
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-o", "Acquire::Retries=5"]);
        apt
    };
    let installed = run_aside(apt().arg("update"), &log, limit).and_then(|()| {
        run_aside(
            apt().args(["install", "-y", "--no-install-recommends"]).args(packages),
            &log,
            limit,
        )
    });
    match installed {
        Ok(()) => Ok(()),
        Err(Stop(why)) => stop(format!("{why}: install {} by hand", packages.join(" "))),
    }
}
