//! The tools a build needs: found, or brought.

mod chromium;
mod clients;
mod crates;
mod debian;
mod node;
mod wasm;

use std::path::{Path, PathBuf};
use std::process::Command;

pub use wasm::{Toolchain, bring_component, cargo as wasm_cargo};

use chromium::chromium;
use node::Node;

use crate::process::Stop;
use crate::project::Project;

/// All that it takes to build the page.
pub struct PageTools {
    toolchain: Toolchain,
    node: Node,
    crates: PathBuf,
}

impl PageTools {
    /// Finds the tools and installs those that are missing.
    pub fn bring(project: &Project) -> Result<Self, Stop> {
        Ok(Self {
            toolchain: Toolchain::bring(project)?,
            node: Node::bring(project)?,
            crates: crates::bring(project)?,
        })
    }

    /// Trunk, to `build` or to `serve` this project.
    pub fn trunk(&self, project: &Project, command: &str) -> Command {
        let mut trunk = Command::new(self.crates.join("trunk"));
        let mut path = vec![self.crates.clone(), self.node.packages_bin()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        if let Ok(path) = std::env::join_paths(path) {
            trunk.env("PATH", path);
        }
        self.toolchain.choose_for(&mut trunk);
        trunk
            .current_dir(&project.root)
            .env("CARGO_TARGET_DIR", project.web_target())
            // Trunk reads it as a flag of its own and refuses the usual value `1`.
            .env_remove("NO_COLOR")
            .args([command, "--offline", "--log", "warn"]);
        trunk
    }
}

/// Node.js, told which server to start and where its clients are.
pub fn clients_node(project: &Project) -> Result<Command, Stop> {
    let clients = clients::bring(project)?;
    let mut node = Node::bring(project)?.command();
    node.current_dir(&project.root)
        .env("PODFLOW_APISERVER", project.target.join("debug/examples/apiserver"))
        .env("PODFLOW_CLIENTS", clients);
    Ok(node)
}

/// Node.js, told which `site` to test in which browser and where to leave pictures of failures.
pub fn browser_node(project: &Project, site: &Path) -> Result<Command, Stop> {
    let browser = chromium(project)?;
    let mut node = Node::bring(project)?.command();
    node.current_dir(&project.root)
        .env("PODFLOW_CHROMIUM", browser)
        .env("PODFLOW_SITE", site)
        .env("PODFLOW_FAILURES", project.web_target().join("failures"));
    Ok(node)
}
