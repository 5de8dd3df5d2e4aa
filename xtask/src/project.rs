//! Where things are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Stop, stop};

/// The folders of this project.
pub struct Project {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target folder for native builds.
    pub target: PathBuf,
    /// Where tools are installed: `PODFLOW_TOOLS`, else `target/tools`.
    pub tools: PathBuf,
}

impl Project {
    /// The project this command was built from.
    pub fn find() -> Result<Self, Stop> {
        let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf)
        else {
            return stop("xtask was built outside of its project");
        };
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        let tools = match std::env::var_os("PODFLOW_TOOLS") {
            Some(folder) => root.join(folder),
            None => root.join("target/tools"),
        };
        for folder in [&target, &tools] {
            if let Err(error) = std::fs::create_dir_all(folder) {
                return stop(format!("cannot make {}: {error}", folder.display()));
            }
        }
        Ok(Self { root, target, tools })
    }

    /// Cargo, told to work in this project.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        cargo
    }

    /// The target folder of wasm builds, apart because another compiler may have to make them.
    pub fn web_target(&self) -> PathBuf {
        self.target.join("web")
    }

    /// The version of `package` in `Cargo.lock`.
    pub fn locked_version(&self, package: &str) -> Result<String, Stop> {
        let lock = std::fs::read_to_string(self.root.join("Cargo.lock")).unwrap_or_default();
        match locked_version(&lock, package) {
            Some(version) => Ok(version.to_owned()),
            None => stop(format!("Cargo.lock names no {package}: run `cargo update --workspace`")),
        }
    }
}

fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    #[test]
    fn the_lock_file_tells_a_version() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"2.0.0\"\n\n[[package]]\nname = \"a\"\n\
                    version = \"1.2.3\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "a"), Some("1.2.3"));
        assert_eq!(locked_version(lock, "a-b"), Some("2.0.0"));
        assert_eq!(locked_version(lock, "b"), None);
    }
}
