//! The files a container begins with.

use std::net::Ipv4Addr;

use super::catalogue::{ImageEntry, Userland};
use super::cri::ContainerConfig;
use super::shell::Files;

const DIRECTORIES: &[&str] = &[
    "/bin",
    "/dev",
    "/etc",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr/bin",
    "/usr/local/bin",
    "/usr/share",
    "/var/lib",
    "/var/log",
    "/var/run",
];

/// What image, runtime and mounts put there.
pub(super) fn files(
    image: &ImageEntry,
    config: &ContainerConfig,
    hostname: &str,
    ip: Ipv4Addr,
) -> Files {
    let release = match image.userland {
        Userland::Scratch | Userland::Busybox => None,
        Userland::Alpine => Some("NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.2\n"),
        Userland::Debian => Some(
            "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\n\
             VERSION_ID=\"13\"\nID=debian\n",
        ),
    };
    let hosts = format!(
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost \
         ip6-loopback\n{ip}\t{hostname}\n"
    );
    let own = [
        ("/etc/hostname", format!("{hostname}\n")),
        ("/etc/hosts", hosts),
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n".to_owned()),
    ];
    let release = release.map(|text| ("/etc/os-release", text.to_owned()));
    let all = own.into_iter().chain(release).map(|(path, text)| (path.to_owned(), text));
    let directory =
        if config.working_dir.is_empty() { &image.config.working_dir } else { &config.working_dir };
    let mounted = config.mounts.iter().flat_map(|mount| {
        let top = mount.container_path.trim_end_matches('/');
        mount.files.iter().map(move |(path, text)| {
            let whole = if path.is_empty() { top.to_owned() } else { format!("{top}/{path}") };
            (whole, text.clone())
        })
    });
    let of_image = image.files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let mut files = Files::new(all.chain(of_image).chain(mounted), DIRECTORIES);
    files.make_all(directory);
    for own in &image.directories {
        files.make_all(own);
    }
    for mount in &config.mounts {
        if mount.files.iter().all(|(path, _)| !path.is_empty()) {
            files.make_all(&mount.container_path);
        }
        if mount.readonly {
            files.protect(&mount.container_path);
        }
    }
    files
}
