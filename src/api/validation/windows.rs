//! What Pods of Windows may not have, and what they alone may.
//!
//! Left out: the forms of users and of credentials.

use super::pod_spec::each_security_context;
use super::report::Report;
use crate::api::document::{Fragment, Part};
use crate::api::field::Path;
use crate::api::wire::PodSpec;

/// Fields of a security context that only Linux knows, wherever it is.
const OF_LINUX: [&str; 5] =
    ["appArmorProfile", "seLinuxOptions", "seccompProfile", "runAsUser", "runAsGroup"];
const OF_LINUX_PODS: [&str; 6] = [
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
];
const OF_LINUX_CONTAINERS: [&str; 5] = [
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
];

/// What a Pod that names its system may not have.
pub(super) fn of_system(out: &mut Report, spec: &PodSpec, system: &str, path: &Path) {
    let own = Fragment::part(&spec.security_context);
    let own_path = path.child("securityContext");
    if system == "linux" {
        let mut options = |own: Part<'_>, path: &Path| {
            if own.at("windowsOptions").is_there() {
                let words = "windows options cannot be set for a linux pod";
                out.forbidden(&path.child("windowsOptions"), words);
            }
        };
        options(own, &own_path);
        each_security_context(spec, path, |_, own, path| options(own, path));
        return;
    }
    let mut not_there = |path: Path, is_set: bool| {
        if is_set {
            out.forbidden(&path, "cannot be set for a windows pod");
        }
    };
    for (field, is_set) in [
        ("hostUsers", spec.host_users.is_some()),
        ("hostPID", spec.host_pid == Some(true)),
        ("hostIPC", spec.host_ipc == Some(true)),
        ("shareProcessNamespace", spec.share_process_namespace.is_some()),
    ] {
        not_there(path.child(field), is_set);
    }
    for field in OF_LINUX.iter().chain(&OF_LINUX_PODS) {
        not_there(own_path.child(*field), own.at(field).is_there());
    }
    each_security_context(spec, path, |_, own, path| {
        for field in OF_LINUX.iter().chain(&OF_LINUX_CONTAINERS) {
            not_there(path.child(*field), own.at(field).is_there());
        }
    });
}

/// Containers that run as processes of the host: all or none, on the host's network.
pub(super) fn host_process(out: &mut Report, spec: &PodSpec, path: &Path) {
    let of = |own: Part<'_>| own.at("windowsOptions").at("hostProcess").value().as_bool();
    let of_pod = of(Fragment::part(&spec.security_context));
    let (mut on_host, mut all) = (0, 0);
    each_security_context(spec, path, |_, own, path| {
        let own = of(own);
        if let (Some(of_pod), Some(own)) = (of_pod, own)
            && of_pod != own
        {
            let words = format!(
                "pod hostProcess value must be identical if both are specified, was {of_pod}"
            );
            out.invalid(&path.child("windowsOptions").child("hostProcess"), own, words);
        }
        all += 1;
        on_host += u32::from(own.or(of_pod) == Some(true));
    });
    if on_host == 0 {
        return;
    }
    if on_host != all {
        let words = "If pod contains any hostProcess containers then all containers must be \
                     HostProcess containers";
        out.invalid(path, "", words);
    }
    if spec.host_network != Some(true) {
        let words = "hostNetwork must be true if pod contains any hostProcess containers";
        out.invalid(&path.child("hostNetwork"), false, words);
    }
}
