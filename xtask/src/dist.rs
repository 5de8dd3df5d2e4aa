//! `cargo xtask dist`: the static site, held to its size budget.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::process::{Stop, run as run_command, stop};
use crate::project::Project;
use crate::table::table;
use crate::tools::PageTools;

/// What a person waits for may weigh on its way to them, gzipped: 1 MiB.
const BUDGET: usize = 1024 * 1024;

/// The folder of what comes when it is asked for, after the page is there.
const LATER: &str = "modules/";

/// Builds the site into `dist/` and prints what each file weighs.
pub fn run(project: &Project) -> Result<ExitCode, Stop> {
    let dist = project.root.join("dist");
    build(project, &PageTools::bring(project)?, &dist)?;
    weigh(&dist)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what each file of the site in `dist` weighs, and stops if the first load is over its budget.
pub fn weigh(dist: &Path) -> Result<(), Stop> {
    let mut rows = Vec::new();
    let (mut first, mut first_gzipped) = (0, 0);
    for file in files(dist) {
        let Ok(bytes) = fs::read(&file) else {
            return stop(format!("cannot read {}", file.display()));
        };
        let gzipped = gzipped_len(&bytes);
        let name = file.strip_prefix(dist).unwrap_or(&file).display().to_string();
        if !name.starts_with(LATER) {
            first += bytes.len();
            first_gzipped += gzipped;
        }
        rows.push(vec![name, kib(bytes.len()), kib(gzipped)]);
    }
    rows.push(vec![format!("all but {LATER}"), kib(first), kib(first_gzipped)]);
    print!("{}", table(&["dist/", "KiB ", "gzipped "], &rows));
    if first_gzipped > BUDGET {
        return stop(format!(
            "the first load weighs {} KiB gzipped; its budget is {} KiB",
            kib(first_gzipped),
            kib(BUDGET)
        ));
    }
    Ok(())
}

/// Builds the site as it is published into `dist`.
pub fn build(project: &Project, tools: &PageTools, dist: &Path) -> Result<(), Stop> {
    run_command(tools.trunk(project, "build").arg("--release").arg("--dist").arg(dist))
}

/// Every file below `folder`, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn gzipped_len(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory cannot fail; if it did, the file would count whole.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_or(bytes.len(), |gzipped| gzipped.len())
}

fn kib(bytes: usize) -> String {
    let tenths = (bytes * 10).div_ceil(1024);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::{gzipped_len, kib};

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(kib(0), "0.0");
        assert_eq!(kib(1), "0.1");
        assert_eq!(kib(1536), "1.5");
    }

    #[test]
    fn gzip_shrinks_what_repeats() {
        assert!(gzipped_len(&[7; 10_000]) < 100);
    }
}
