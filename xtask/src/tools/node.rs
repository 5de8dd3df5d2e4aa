//! Node.js and the packages of `www/package.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::debian;
use crate::process::{Stop, find, run_aside, say, stdout, stop};
use crate::project::Project;

/// The oldest Node.js that runs all our packages.
const OLDEST: u32 = 18;

/// A Node.js, with our packages installed.
pub struct Node {
    program: PathBuf,
    packages: PathBuf,
}

impl Node {
    /// Finds Node.js and installs the locked packages; both only if missing or changed.
    pub fn bring(project: &Project) -> Result<Self, Stop> {
        let program = bring_node(project)?;
        let www = project.root.join("www");
        let node = Self { program, packages: www.join("node_modules") };
        node.bring_packages(project, &www)?;
        Ok(node)
    }

    /// Node.js itself.
    pub fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// The folder of the packages' programs.
    pub fn packages_bin(&self) -> PathBuf {
        self.packages.join(".bin")
    }

    fn bring_packages(&self, project: &Project, www: &Path) -> Result<(), Stop> {
        let lock = fs::read(www.join("package-lock.json")).unwrap_or_default();
        let mark = self.packages.join(".podflow-lock");
        if fs::read(&mark).is_ok_and(|installed| installed == lock) {
            return Ok(());
        }
        say("installing the packages of www/package-lock.json");
        let Some(npm) = find("npm") else {
            return stop("npm is missing: install it beside Node.js");
        };
        let mut command = Command::new(npm);
        command.current_dir(www).args(["ci", "--no-audit", "--no-fund", "--fetch-retries=5"]);
        run_aside(&mut command, &project.tools.join("npm.log"), Duration::from_mins(10))?;
        if let Err(error) = fs::write(&mark, lock) {
            return stop(format!("cannot write {}: {error}", mark.display()));
        }
        Ok(())
    }
}

fn bring_node(project: &Project) -> Result<PathBuf, Stop> {
    if let Some(node) = found() {
        return Ok(node);
    }
    if debian::may_install() {
        debian::install(project, "the page's scripts", &["nodejs", "npm"])?;
        if let Some(node) = found() {
            return Ok(node);
        }
    }
    stop(format!("Node.js {OLDEST} or later with npm is missing: install it, and put it on PATH"))
}

fn found() -> Option<PathBuf> {
    let node = find("node")?;
    let version = stdout(Command::new(&node).arg("--version"))?;
    (major(&version)? >= OLDEST && find("npm").is_some()).then_some(node)
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn node_tells_its_version() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("20"), None);
    }
}
