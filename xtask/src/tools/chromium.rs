//! The browser that tests run in.

use std::path::{Path, PathBuf};

use super::debian;
use crate::process::{Stop, find, stop};
use crate::project::Project;

const NAMES: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
];
const PLACES: [&str; 4] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
];

/// Finds a Chromium or a Chrome, or installs Debian's.
pub fn chromium(project: &Project) -> Result<PathBuf, Stop> {
    if let Some(chosen) = std::env::var_os("PODFLOW_CHROMIUM") {
        return Ok(chosen.into());
    }
    if let Some(browser) = found() {
        return Ok(browser);
    }
    if debian::may_install() {
        debian::install(project, "the page's tests", &["chromium"])?;
        if let Some(browser) = found() {
            return Ok(browser);
        }
    }
    stop("no Chromium or Chrome found: install one, or name it in PODFLOW_CHROMIUM")
}

fn found() -> Option<PathBuf> {
    let places =
        PLACES.iter().map(Path::new).filter(|place| place.is_file()).map(Path::to_path_buf);
    NAMES.iter().filter_map(|name| find(name)).chain(places).next()
}
