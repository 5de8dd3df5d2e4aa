//! Running other programs, and the one error of this crate.

use std::ffi::OsStr;
use std::fs::File;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Why a command cannot go on, in one line that says what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Stop(pub String);

/// The error that says `why`.
pub fn stop<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop(why.into()))
}

/// Tells the person in one line what happens now.
pub fn say(what: impl AsRef<str>) {
    eprintln!("xtask: {}", what.as_ref());
}

/// What `program` is called on `PATH`, as a whole path.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program).with_extension(std::env::consts::EXE_EXTENSION))
        .find(|file| file.is_file())
}

/// Whether `command` ran and succeeded; its output goes where ours goes.
pub fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// Runs `command` to its end.
///
/// # Errors
///
/// If it cannot be started or fails; its own words stand above ours then.
pub fn run(command: &mut Command) -> Result<(), Stop> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => stop(format!("{} failed ({status})", name(command))),
        Err(error) => stop(format!("cannot start {}: {error}", name(command))),
    }
}

/// What `command` printed, if it succeeded.
pub fn stdout(command: &mut Command) -> Option<String> {
    let Output { status, stdout, .. } = command.stderr(Stdio::null()).output().ok()?;
    status.success().then(|| String::from_utf8_lossy(&stdout).trim().to_owned())
}

/// Runs a long `command` that the person does not read: shown on a terminal, else kept in `log`.
///
/// # Errors
///
/// If it fails or takes longer than `limit`, after the last lines of the log.
pub fn run_aside(command: &mut Command, log: &Path, limit: Duration) -> Result<(), Stop> {
    if std::io::stderr().is_terminal() {
        // Their progress is no result of ours, so it goes to stderr as well.
        return ends_well(command.stdin(Stdio::null()).stdout(std::io::stderr()), limit);
    }
    let ended = run_unseen(command, log, limit);
    if ended.is_err() {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(20)) {
            eprintln!("  {line}");
        }
    }
    ended
}

/// Runs a `command` that may well fail; what it says is kept in `log` alone.
///
/// # Errors
///
/// If it fails or takes longer than `limit`.
pub fn run_unseen(command: &mut Command, log: &Path, limit: Duration) -> Result<(), Stop> {
    match File::create(log).and_then(|file| Ok((file.try_clone()?, file))) {
        Ok((out, err)) => ends_well(command.stdin(Stdio::null()).stdout(out).stderr(err), limit),
        Err(error) => stop(format!("cannot write {}: {error}", log.display())),
    }
}

fn ends_well(command: &mut Command, limit: Duration) -> Result<(), Stop> {
    match status_within(command, limit) {
        Ok(Some(status)) if status.success() => Ok(()),
        Ok(Some(status)) => stop(format!("{} failed ({status})", name(command))),
        Ok(None) => stop(format!("{} took longer than {} s", name(command), limit.as_secs())),
        Err(error) => stop(format!("cannot start {}: {error}", name(command))),
    }
}

/// How `command` ended, or `None` if it had to be ended after `limit`.
fn status_within(command: &mut Command, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let mut child = command.spawn()?;
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begin.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let first = command.get_args().next().unwrap_or(OsStr::new(""));
    format!("{} {}", program.to_string_lossy(), first.to_string_lossy()).trim_end().to_owned()
}
