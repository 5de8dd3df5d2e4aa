//! `cargo xtask serve`: the page on this machine, rebuilt and reloaded on every change.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crate::process::{Stop, say, stop};
use crate::project::Project;
use crate::tools::PageTools;

/// What Trunk is told not to watch has to be there, and in a fresh clone this is not.
const BUILT: [&str; 3] = ["dist", "target", "www/bundle"];

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    release: bool,
    open: bool,
    port: u16,
}

impl Options {
    /// Reads what stands after `serve`.
    pub fn parse(args: &[&str]) -> Result<Self, Stop> {
        let mut options = Self { release: false, open: false, port: 8080 };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match *arg {
                "--release" => options.release = true,
                "--open" => options.open = true,
                "--port" => match args.next().and_then(|port| port.parse().ok()) {
                    Some(port) => options.port = port,
                    None => return stop("--port wants a number from 1 to 65535"),
                },
                other => return stop(format!("serve knows no {other:?}: see `cargo xtask help`")),
            }
        }
        Ok(options)
    }
}

/// Serves until it is interrupted.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode, Stop> {
    let port = options.port;
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
        return stop(format!("port {port} is taken: choose another with --port"));
    }
    let tools = PageTools::bring(project)?;
    for folder in BUILT {
        let folder = project.root.join(folder);
        if let Err(error) = std::fs::create_dir_all(&folder) {
            return stop(format!("cannot make {}: {error}", folder.display()));
        }
    }
    let mut trunk = tools.trunk(project, "serve");
    trunk.args(["--address", "127.0.0.1", "--port", &port.to_string(), "--dist"]);
    trunk.arg(project.web_target().join("serve"));
    if options.release {
        trunk.arg("--release");
    }
    if options.open {
        trunk.arg("--open");
    }
    let Ok(mut server) = trunk.spawn() else { return stop("cannot start trunk") };
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if let Ok(Some(status)) = server.try_wait() {
            return stop(format!("trunk ended before the page was served ({status})"));
        }
        thread::sleep(Duration::from_millis(100));
    }
    say("the page is at");
    println!("http://127.0.0.1:{port}/");
    let ended_well = server.wait().is_ok_and(|status| status.success());
    Ok(if ended_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn options_are_read_in_any_order() {
        let read = Options::parse(&["--port", "9000", "--release"]);
        assert_eq!(read, Ok(Options { release: true, open: false, port: 9000 }));
        assert!(Options::parse(&["--port"]).is_err());
        assert!(Options::parse(&["--port", "99999"]).is_err());
        assert!(Options::parse(&["--relaese"]).is_err());
    }
}
