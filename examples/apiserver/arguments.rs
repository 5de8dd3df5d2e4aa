//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

/// What `--help` says.
pub const USAGE: &str = "\
Usage: apiserver [options]
  --port N         port of the insecure door (8080; 0 takes any)
  --secure-port N  port of the secure door (6443; 0 takes any)
  --nodes N        how many nodes the cluster has (3)
  --seed N         seed of all chance (1)
  --gear X         how many times as fast as the wall clock (1)
  --kubeconfig F   where to write the configuration of kubectl (podflow.kubeconfig)";

/// The options.
pub struct Arguments {
    pub port: u16,
    pub secure_port: u16,
    pub nodes: usize,
    pub seed: u64,
    pub gear: f64,
    pub kubeconfig: PathBuf,
}

impl Arguments {
    /// Reads the arguments; none if only help is wanted.
    ///
    /// # Errors
    ///
    /// Says which argument is unknown, or lacks a value that fits.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut parsed = Self {
            port: 8080,
            secure_port: 6443,
            nodes: 3,
            seed: 1,
            gear: 1.0,
            kubeconfig: "podflow.kubeconfig".into(),
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--help" | "-h" => return Ok(None),
                "--port" => parsed.port = read(&name, &value()?)?,
                "--secure-port" => parsed.secure_port = read(&name, &value()?)?,
                "--nodes" => parsed.nodes = read(&name, &value()?)?,
                "--seed" => parsed.seed = read(&name, &value()?)?,
                "--gear" => parsed.gear = read(&name, &value()?)?,
                "--kubeconfig" => parsed.kubeconfig = value()?.into(),
                _ => return Err(format!("unknown argument: {name}")),
            }
        }
        if !(parsed.gear.is_finite() && parsed.gear > 0.0) {
            return Err("--gear must be a number above 0".to_owned());
        }
        Ok(Some(parsed))
    }
}

fn read<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_error| format!("{name}: not a value that fits: {value}"))
}
