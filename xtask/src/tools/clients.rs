//! The real clients of `tests/clients/requirements.txt`: kubectl and the Python client.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::debian;
use crate::process::{Stop, find, run_aside, say, stdout, stop};
use crate::project::Project;

/// The folder where they are, `bin` with the programs in it, after installing what is missing or changed.
pub fn bring(project: &Project) -> Result<PathBuf, Stop> {
    let requirements = project.root.join("tests/clients/requirements.txt");
    let wanted = fs::read(&requirements).unwrap_or_default();
    let folder = project.tools.join("clients");
    let mark = folder.join(".podflow-requirements");
    if fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    let python = bring_python(project)?;
    say("installing what tests/clients/requirements.txt names");
    if let Err(error) = fs::remove_dir_all(&folder)
        && folder.exists()
    {
        return stop(format!("cannot remove {}: {error}", folder.display()));
    }
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--retries", "5", "--target"]);
    pip.arg(&folder).arg("--requirement").arg(&requirements);
    run_aside(&mut pip, &project.tools.join("pip.log"), Duration::from_mins(10))?;
    if let Err(error) = fs::write(&mark, wanted) {
        return stop(format!("cannot write {}: {error}", mark.display()));
    }
    Ok(folder)
}

fn bring_python(project: &Project) -> Result<PathBuf, Stop> {
    if let Some(python) = with_pip() {
        return Ok(python);
    }
    if debian::may_install() {
        debian::install(project, "the clients' tests", &["python3", "python3-pip"])?;
        if let Some(python) = with_pip() {
            return Ok(python);
        }
    }
    stop("Python 3 with pip is missing: install it, and put it on PATH")
}

fn with_pip() -> Option<PathBuf> {
    let python = find("python3")?;
    stdout(Command::new(&python).args(["-m", "pip", "--version"])).map(|_| python)
}
