//! A compiler with the standard library for wasm32.
//!
//! Rustup's own target is all it takes on most machines. Where its host is out of reach, Debian's
//! compiler and its source package do: the library is built once and put beside the compiler, which
//! rustup then knows as the toolchain `distro`. Only wasm builds use it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::debian;
use crate::process::{Stop, find, run, run_aside, run_unseen, say, stdout, stop, succeeds};
use crate::project::Project;

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGES: [&str; 5] =
    ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "libstd-rust-web-dev"];
const CLIPPY_PACKAGE: &str = "rust-web-clippy";
/// The variable by which cargo tells the compiler more.
const FLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";
/// Up to so many instructions a function is made part of its callers, if nobody has marked it for that. LLVM
/// would go to fifty in a build for size, which is no faster and takes fifty kilobytes more.
const INLINED: u32 = 20;
const DISTRO: &str = "distro";
const DISTRO_RUSTC: &str = "/usr/bin/rustc";
const DISTRO_LINKER: &str = "/usr/bin/rust-lld";
const DISTRO_CARGO: &str = "/usr/bin/cargo";

/// Which toolchain makes wasm here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The one that runs everything else too.
    Default,
    /// Debian's, linked into rustup as `distro`.
    Distro,
}

impl Toolchain {
    /// Finds a toolchain that makes wasm, or brings one.
    pub fn bring(project: &Project) -> Result<Self, Stop> {
        if has_std(&mut Command::new("rustc")) {
            return Ok(Self::Default);
        }
        if distro_is_ready() {
            return Ok(Self::Distro);
        }
        say(format!("adding {TARGET} to the toolchain with rustup"));
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "1");
        let added =
            run_unseen(&mut rustup, &project.tools.join("rustup.log"), Duration::from_mins(3));
        if added.is_ok() && has_std(&mut Command::new("rustc")) {
            return Ok(Self::Default);
        }
        if !debian::may_install() {
            return stop(format!(
                "no standard library for {TARGET}: rustup could not fetch it, and only as root on \
                 Debian can it be built instead; run `rustup target add {TARGET}` with a network"
            ));
        }
        say(
            "rustup could not: building the library with Debian's compiler instead (2 minutes, once)",
        );
        debian::install(project, "wasm32", &PACKAGES)?;
        bring_linker(project)?;
        build_std(project)?;
        link()?;
        Ok(Self::Distro)
    }

    /// Makes `command`, which runs cargo, use this toolchain.
    pub fn choose_for(self, command: &mut Command) {
        command.env(FLAGS, flags());
        match self {
            Self::Default => {}
            Self::Distro => {
                without_toolchain(command).env("RUSTUP_TOOLCHAIN", DISTRO);
            }
        }
    }

    /// Clippy for this toolchain.
    pub fn bring_clippy(self, project: &Project) -> Result<(), Stop> {
        match self {
            Self::Default => Ok(()),
            Self::Distro if Path::new("/usr/bin/clippy-driver").exists() => Ok(()),
            Self::Distro => debian::install(project, "clippy on wasm32", &[CLIPPY_PACKAGE]),
        }
    }
}

/// Installs the linker of Debian's compiler: a link names the package, which is no dependency.
fn bring_linker(project: &Project) -> Result<(), Stop> {
    let linker = Path::new(DISTRO_LINKER);
    if linker.exists() {
        return Ok(());
    }
    match fs::read_link(linker).ok().as_deref().and_then(Path::file_name) {
        Some(package) => debian::install(project, "linking wasm32", &[&package.to_string_lossy()]),
        None => stop(format!("{DISTRO_LINKER} is missing: reinstall rust-web-llvm")),
    }
}

/// What the compiler is told. Names tell the types of generic functions, as Binaryen puts functions
/// in the order of their names: those made of one source stand together and compress well. Where the
/// crates lie on this machine is nobody's business.
fn flags() -> String {
    let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = named.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let crates = home.map(|home| home.join("registry/src").display().to_string());
    // Cargo takes a blank for the end of a flag.
    let crates = crates.filter(|path| !path.contains(char::is_whitespace));
    let hidden = crates.map(|path| format!(" --remap-path-prefix={path}="));
    format!(
        "-Csymbol-mangling-version=v0 -Cllvm-args=-inline-threshold={INLINED}{}",
        hidden.unwrap_or_default()
    )
}

/// Whether the compiler `rustc` has the library.
fn has_std(rustc: &mut Command) -> bool {
    std_folder(rustc).is_some_and(|folder| {
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        files.map(|file| file.file_name()).any(|name| name.to_string_lossy().starts_with("libstd-"))
    })
}

fn std_folder(rustc: &mut Command) -> Option<PathBuf> {
    stdout(rustc.args(["--print", "target-libdir", "--target", TARGET])).map(PathBuf::from)
}

/// Debian's compiler, whatever toolchain runs us.
fn distro_rustc() -> Command {
    let mut rustc = Command::new(DISTRO_RUSTC);
    without_toolchain(&mut rustc);
    rustc
}

/// Forgets what `cargo run` and rustup told us about their own toolchain.
fn without_toolchain(command: &mut Command) -> &mut Command {
    for name in ["CARGO", "LD_LIBRARY_PATH", "RUSTC", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command
}

/// The library's mark: which compiler it was built with, to the commit.
fn mark() -> Option<(PathBuf, String)> {
    let folder = std_folder(&mut distro_rustc())?;
    Some((folder.join("podflow-built-with"), stdout(distro_rustc().arg("-vV"))?))
}

/// Whether the library stands beside Debian's compiler, was built with it, and rustup knows it.
fn distro_is_ready() -> bool {
    let Some((file, version)) = mark() else { return false };
    fs::read_to_string(file).is_ok_and(|built| built == version)
        && has_std(&mut distro_rustc())
        && Path::new(DISTRO_LINKER).exists()
        && is_linked()
}

fn is_linked() -> bool {
    stdout(Command::new("rustup").args(["toolchain", "list"]))
        .is_some_and(|list| list.lines().any(|line| line.split(' ').next() == Some(DISTRO)))
}

fn link() -> Result<(), Stop> {
    if is_linked() {
        return Ok(());
    }
    if find("rustup").is_none() {
        return stop("rustup is missing: install it to choose between toolchains");
    }
    run(Command::new("rustup").args(["toolchain", "link", DISTRO, "/usr"]))
}

/// Builds the library for Debian's compiler and puts it where that compiler looks.
fn build_std(project: &Project) -> Result<(), Stop> {
    let Some((mark, version)) = mark() else {
        return stop(format!("{DISTRO_RUSTC} does not work: reinstall {}", PACKAGES.join(" ")));
    };
    if fs::read_to_string(&mark).is_ok_and(|built| built == version) {
        return Ok(());
    }
    let folder = project.tools.join("wasm-std");
    let built = folder.join("target").join(TARGET).join("release/deps");
    let prepared = remove(&folder)
        .and_then(|()| fs::create_dir_all(folder.join("src")))
        .and_then(|()| fs::write(folder.join("Cargo.toml"), EMPTY_CRATE))
        .and_then(|()| fs::write(folder.join("src/lib.rs"), "#![no_std]\n"));
    if let Err(error) = prepared {
        return stop(format!("cannot write below {}: {error}", folder.display()));
    }
    say(format!("building the standard library for {TARGET}"));
    let mut cargo = Command::new(DISTRO_CARGO);
    without_toolchain(&mut cargo)
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("RUSTC", DISTRO_RUSTC)
        // `-Z build-std` is for nightly compilers alone, unless told otherwise.
        .env("RUSTC_BOOTSTRAP", "1")
        // Without bitcode a build with link-time optimisation finds nothing to optimise.
        .env(FLAGS, "-Cembed-bitcode=yes")
        .args(["build", "--release", "--target", TARGET])
        .args(["-Z", "build-std=std,panic_abort,panic_unwind"]);
    run_aside(&mut cargo, &project.tools.join("wasm-std.log"), Duration::from_mins(20))?;

    let installed = install_std(&built, &mark, &version)
        // Cargo does not notice that the library changed below a build.
        .and_then(|()| remove(&project.web_target().join(TARGET)))
        .and_then(|()| remove(&folder));
    match installed {
        Ok(()) => Ok(()),
        Err(error) => stop(format!("cannot install the library for {TARGET}: {error}")),
    }
}

/// The crate that is built so that its library gets built.
const EMPTY_CRATE: &str = "\
[package]
name = \"empty\"
version = \"0.0.0\"
edition = \"2021\"

[workspace]

[profile.release]
opt-level = 3
";

/// Moves the libraries from `built` to where `mark` stands, and the mark last.
fn install_std(built: &Path, mark: &Path, version: &str) -> std::io::Result<()> {
    let Some(folder) = mark.parent() else { return Ok(()) };
    remove(folder)?;
    fs::create_dir_all(folder)?;
    for file in fs::read_dir(built)? {
        let path = file?.path();
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            continue;
        };
        if path.extension().is_some_and(|end| end == "rlib") && !name.starts_with("libempty-") {
            fs::copy(&path, folder.join(name))?;
        }
    }
    fs::write(mark, version)
}

/// Removes `folder` and all in it, if it is there.
fn remove(folder: &Path) -> std::io::Result<()> {
    if folder.exists() { fs::remove_dir_all(folder) } else { Ok(()) }
}

/// Cargo for a wasm build with `toolchain`.
pub fn cargo(project: &Project, toolchain: Toolchain) -> Command {
    let mut cargo = project.cargo();
    toolchain.choose_for(&mut cargo);
    cargo.env("CARGO_TARGET_DIR", project.web_target());
    cargo
}

/// Whether rustup's `component` works on the default toolchain, after adding it if need be.
pub fn bring_component(component: &str, cargo_command: &str) -> Result<(), Stop> {
    if stdout(Command::new("cargo").args([cargo_command, "--version"])).is_some() {
        return Ok(());
    }
    say(format!("adding {component} to the toolchain with rustup"));
    if succeeds(Command::new("rustup").args(["component", "add", component])) {
        return Ok(());
    }
    stop(format!("{component} is missing: run `rustup component add {component}` with a network"))
}
