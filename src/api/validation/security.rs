//! Security contexts.
//!
//! Left out: Windows, and the annotations that were there before the fields.

use k8s_openapi::api::core::v1::{
    AppArmorProfile, PodSecurityContext, SeccompProfile, SecurityContext, Sysctl,
};

use super::report::{Report, text};
use super::volume;
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::wire::PodSpec;

const SYSCTL_MAX: usize = 253;
const PROFILE_PATH_MAX: usize = 4_095;
const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

/// The context of a Pod, with the namespaces that it shares with its node.
pub(super) fn of_pod(out: &mut Report, spec: &PodSpec, path: &Path) {
    let Some(own) = &spec.security_context else { return };
    let path = path.child("securityContext");
    ids(out, own.fs_group, own.run_as_user, own.run_as_group, &path);
    for (index, group) in own.supplemental_groups.iter().flatten().enumerate() {
        let path = path.child("supplementalGroups").index(index);
        out.number(&path, *group, names::group_id(*group));
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let words = "ShareProcessNamespace and HostPID cannot both be enabled";
        out.invalid(&path.child("shareProcessNamespace"), true, words);
    }
    sysctls(out, own, spec, &path.child("sysctls"));
    for (field, value, supported) in [
        ("fsGroupChangePolicy", &own.fs_group_change_policy, ["Always", "OnRootMismatch"]),
        ("supplementalGroupsPolicy", &own.supplemental_groups_policy, ["Merge", "Strict"]),
        ("seLinuxChangePolicy", &own.se_linux_change_policy, ["MountOption", "Recursive"]),
    ] {
        if let Some(value) = value {
            out.supported(&path.child(field), value, &supported);
        }
    }
    seccomp(out, own.seccomp_profile.as_ref(), &path.child("seccompProfile"));
    app_armor(out, own.app_armor_profile.as_ref(), &path.child("appArmorProfile"));
}

fn ids(
    out: &mut Report,
    fs_group: Option<i64>,
    user: Option<i64>,
    group: Option<i64>,
    path: &Path,
) {
    if let Some(id) = fs_group {
        out.number(&path.child("fsGroup"), id, names::group_id(id));
    }
    if let Some(id) = user {
        out.number(&path.child("runAsUser"), id, names::user_id(id));
    }
    if let Some(id) = group {
        out.number(&path.child("runAsGroup"), id, names::group_id(id));
    }
}

fn sysctls(out: &mut Report, own: &PodSecurityContext, spec: &PodSpec, path: &Path) {
    let sysctls = own.sysctls.as_deref().unwrap_or_default();
    for (index, Sysctl { name, .. }) in sysctls.iter().enumerate() {
        let path = path.index(index).child("name");
        if name.is_empty() {
            out.required(&path, "");
        } else if !is_sysctl(name) {
            let words = format!(
                "must have at most {SYSCTL_MAX} characters and match regex \
                 ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
            );
            out.invalid(&path, name.as_str(), words);
        } else if sysctls.iter().take(index).any(|earlier| earlier.name == *name) {
            out.duplicate(&path, name.as_str());
        }
        let name_dots = name.replace('/', ".");
        let of = |prefixes: &[&str]| prefixes.iter().any(|prefix| name_dots.starts_with(prefix));
        if spec.host_network == Some(true) && of(&["net."]) {
            let words = "may not be specified when 'hostNetwork' is true";
            out.invalid(&path, name.as_str(), words);
        } else if spec.host_ipc == Some(true)
            && of(&["kernel.sem", "kernel.shm", "kernel.msg", "fs.mqueue."])
        {
            out.invalid(&path, name.as_str(), "may not be specified when 'hostIPC' is true");
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
pub(super) fn of_container(out: &mut Report, own: &SecurityContext, host_users: bool, path: &Path) {
    ids(out, None, own.run_as_user, own.run_as_group, path);
    if let Some(mount) = &own.proc_mount {
        let path = path.child("procMount");
        out.supported(&path, mount, &["Default", "Unmasked"]);
        if host_users && mount == "Unmasked" {
            let words = "`hostUsers` must be false to use `Unmasked`";
            out.invalid(&path, mount.as_str(), words);
        }
    }
    seccomp(out, own.seccomp_profile.as_ref(), &path.child("seccompProfile"));
    if own.allow_privilege_escalation == Some(false) {
        if own.privileged == Some(true) {
            let words = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            out.invalid_object(path, own, words);
        }
        let added = own.capabilities.iter().filter_map(|own| own.add.as_ref()).flatten();
        for _ in added.filter(|name| *name == "CAP_SYS_ADMIN") {
            let words = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` \
                         CAP_SYS_ADMIN";
            out.invalid_object(path, own, words);
        }
    }
    app_armor(out, own.app_armor_profile.as_ref(), &path.child("appArmorProfile"));
}

fn seccomp(out: &mut Report, profile: Option<&SeccompProfile>, path: &Path) {
    let Some(profile) = profile else { return };
    if profile.type_.is_empty() {
        out.required(&path.child("type"), "type is required when seccompProfile is set");
    } else {
        out.supported(&path.child("type"), &profile.type_, &PROFILES);
    }
    let path = path.child("localhostProfile");
    match (&profile.localhost_profile, profile.type_ == "Localhost") {
        (None, true) => out.required(&path, "must be set when seccomp type is Localhost"),
        (Some(local), true) => volume::descending(out, local, &path),
        (Some(_), false) => {
            out.invalid_object(&path, profile, "can only be set when seccomp type is Localhost");
        }
        (None, false) => {}
    }
}

fn app_armor(out: &mut Report, profile: Option<&AppArmorProfile>, path: &Path) {
    let Some(profile) = profile else { return };
    let local_path = path.child("localhostProfile");
    let local = profile.localhost_profile.as_ref();
    match profile.type_.as_str() {
        "Localhost" => {
            let name = text(&profile.localhost_profile);
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
            if let Some(local) = local {
                let words = "can only be set when AppArmor type is Localhost";
                out.invalid(&local_path, local.as_str(), words);
            }
        }
        "" => out.required(&path.child("type"), "type is required when appArmorProfile is set"),
        other => out.supported(&path.child("type"), other, &PROFILES),
    }
}
