//! Security contexts. What is about Windows has a file of its own.

use super::report::Report;
use super::{volume, windows};
use crate::api::document::{Fragment, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::wire::PodSpec;

const SYSCTL_MAX: usize = 253;
const PROFILE_PATH_MAX: usize = 4_095;
const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

/// The context of a Pod, with the namespaces that it shares with its node.
pub(super) fn of_pod(out: &mut Report, spec: &PodSpec, path: &Path) {
    let own = Fragment::part(&spec.security_context);
    if own.is_there() {
        pod_context(out, own, spec, &path.child("securityContext"));
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let words = "ShareProcessNamespace and HostPID cannot both be enabled";
        out.invalid_at(path, "shareProcessNamespace", true, words);
    }
}

fn pod_context(out: &mut Report, own: Part<'_>, spec: &PodSpec, path: &Path) {
    ids(out, own, path);
    for (index, group) in own.at("supplementalGroups").items().enumerate() {
        let path = path.child("supplementalGroups").index(index);
        let group = group.number().unwrap_or_default();
        out.each(&path, group, names::group_id(group));
    }
    sysctls(out, own.at("sysctls"), spec, &path.child("sysctls"));
    for (field, supported) in [
        ("fsGroupChangePolicy", ["Always", "OnRootMismatch"]),
        ("supplementalGroupsPolicy", ["Merge", "Strict"]),
        ("seLinuxChangePolicy", ["MountOption", "Recursive"]),
    ] {
        if own.at(field).is_there() {
            out.supported_at(path, field, own.at(field).text(), &supported);
        }
        // Profiles come after the first of them.
        if field == "fsGroupChangePolicy" {
            seccomp(out, own.at("seccompProfile"), &path.child("seccompProfile"));
            windows::options(out, own.at("windowsOptions"), &path.child("windowsOptions"));
            app_armor(out, own.at("appArmorProfile"), &path.child("appArmorProfile"));
        }
    }
}

fn ids(out: &mut Report, own: Part<'_>, path: &Path) {
    type Rule = fn(i64) -> Vec<String>;
    for (field, rule) in [
        ("fsGroup", names::group_id as Rule),
        ("runAsUser", names::user_id),
        ("runAsGroup", names::group_id),
    ] {
        if let Some(id) = own.at(field).number() {
            out.number_at(path, field, id, rule);
        }
    }
}

fn sysctls(out: &mut Report, sysctls: Part<'_>, spec: &PodSpec, path: &Path) {
    for (index, sysctl) in sysctls.items().enumerate() {
        let path = path.index(index).child("name");
        let name = sysctl.at("name").text();
        if name.is_empty() {
            out.required(&path, "");
        } else if !is_sysctl(name) {
            let words = format!(
                "must have at most {SYSCTL_MAX} characters and match regex \
                 ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
            );
            out.invalid(&path, name, words);
        } else if sysctls.items().take(index).any(|earlier| earlier.at("name").text() == name) {
            out.duplicate(&path, name);
        }
        let name_dots = name.replace('/', ".");
        let of = |prefixes: &[&str]| prefixes.iter().any(|prefix| name_dots.starts_with(prefix));
        if spec.host_network == Some(true) && of(&["net."]) {
            out.invalid(&path, name, "may not be specified when 'hostNetwork' is true");
        } else if spec.host_ipc == Some(true)
            && (name_dots == "kernel.sem" || of(&["kernel.shm", "kernel.msg", "fs.mqueue."]))
        {
            out.invalid(&path, name, "may not be specified when 'hostIPC' is true");
        }
    }
}

fn is_sysctl(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let segment = |segment: &str| {
        let bytes = segment.as_bytes();
        let edges = [bytes.first(), bytes.last()];
        edges.into_iter().all(|byte| byte.is_some_and(|byte| letter(*byte)))
            && bytes.iter().all(|byte| letter(*byte) || b"-_".contains(byte))
    };
    name.len() <= SYSCTL_MAX && name.split(['.', '/']).all(segment)
}

/// The context of one container.
pub(super) fn of_container(out: &mut Report, own: Part<'_>, host_users: bool, path: &Path) {
    ids(out, own, path);
    let mount = own.at("procMount");
    if mount.is_there() {
        let (path, mount) = (path.child("procMount"), mount.text());
        out.supported(&path, mount, &["Default", "Unmasked"]);
        if host_users && mount == "Unmasked" {
            out.invalid(&path, mount, "`hostUsers` must be false to use `Unmasked`");
        }
    }
    seccomp(out, own.at("seccompProfile"), &path.child("seccompProfile"));
    if own.at("allowPrivilegeEscalation").value() == false {
        if own.at("privileged").is_true() {
            let words = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            out.invalid(path, own.value().clone(), words);
        }
        let added = own.at("capabilities").at("add").texts();
        for _ in added.filter(|name| *name == "CAP_SYS_ADMIN") {
            let words = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` \
                         CAP_SYS_ADMIN";
            out.invalid(path, own.value().clone(), words);
        }
    }
    windows::options(out, own.at("windowsOptions"), &path.child("windowsOptions"));
    app_armor(out, own.at("appArmorProfile"), &path.child("appArmorProfile"));
}

fn seccomp(out: &mut Report, profile: Part<'_>, path: &Path) {
    if !profile.is_there() {
        return;
    }
    let (kind, local) = (profile.at("type").text(), profile.at("localhostProfile"));
    if kind.is_empty() {
        out.required_at(path, "type", "type is required when seccompProfile is set");
    } else {
        out.supported_at(path, "type", kind, &PROFILES);
    }
    let path = path.child("localhostProfile");
    match (local.is_there(), kind == "Localhost") {
        (false, true) => out.required(&path, "must be set when seccomp type is Localhost"),
        (true, true) => volume::descending(out, local.text(), &path),
        (true, false) => {
            let words = "can only be set when seccomp type is Localhost";
            out.invalid(&path, profile.value().clone(), words);
        }
        (false, false) => {}
    }
}

fn app_armor(out: &mut Report, profile: Part<'_>, path: &Path) {
    if !profile.is_there() {
        return;
    }
    let local_path = path.child("localhostProfile");
    let (local, name) = (profile.at("localhostProfile"), profile.at("localhostProfile").text());
    match profile.at("type").text() {
        "Localhost" => {
            if name.trim() != name {
                out.invalid(&local_path, name, "must not be padded with whitespace");
            } else if name.is_empty() {
                out.required(&local_path, "must be set when AppArmor type is Localhost");
            }
            if name.len() > PROFILE_PATH_MAX {
                out.errors.push(FieldError::too_long(&local_path, PROFILE_PATH_MAX));
            }
        }
        "RuntimeDefault" | "Unconfined" => {
            if local.is_there() {
                let words = "can only be set when AppArmor type is Localhost";
                out.invalid(&local_path, name, words);
            }
        }
        "" => out.required_at(path, "type", "type is required when appArmorProfile is set"),
        other => out.supported_at(path, "type", other, &PROFILES),
    }
}
