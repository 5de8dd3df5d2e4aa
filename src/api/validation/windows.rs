//! What Pods of Windows may not have, and what they alone may.

use super::pod_spec::each_security_context;
use super::report::Report;
use crate::api::document::{Fragment, Part};
use crate::api::field::Path;
use crate::api::names;
use crate::api::wire::PodSpec;

/// What of a Pod only Linux knows, in the order in which upstream looks; those of the first list are
/// fields of the spec, all others of its security context.
const OF_SPEC: [&str; 4] = ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"];
const OF_LINUX_PODS: [&str; 15] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
    "hostUsers",
    "hostPID",
    "hostIPC",
    "shareProcessNamespace",
];
/// Fields of the security context of a container that only Linux knows.
const OF_LINUX_CONTAINERS: [&str; 10] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

const CREDENTIALS_KIB_MAX: usize = 64;
const DOMAIN_MAX: usize = 256;
const NET_BIOS_MAX: usize = 15;
const USER_MAX: usize = 104;
const NOT_IN_USERS: &str = r#""/\:;|=,+*?<>@[]"#;

/// What a Pod that names its system may not have.
pub(super) fn of_system(out: &mut Report, spec: &PodSpec, system: &str, path: &Path) {
    let own = Fragment::part(&spec.security_context);
    let own_path = path.child("securityContext");
    if system == "linux" {
        let mut options = |own: Part<'_>, path: &Path| {
            if own.at("windowsOptions").is_there() {
                let words = "windows options cannot be set for a linux pod";
                out.forbidden_at(path, "windowsOptions", words);
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
    for field in OF_LINUX_PODS {
        let is_set = match field {
            "hostUsers" => spec.host_users.is_some(),
            "hostPID" => spec.host_pid == Some(true),
            "hostIPC" => spec.host_ipc == Some(true),
            "shareProcessNamespace" => spec.share_process_namespace.is_some(),
            "sysctls" => !own.at(field).is_empty(),
            _ => own.at(field).is_there(),
        };
        let path = if OF_SPEC.contains(&field) { path } else { &own_path };
        not_there(path.child(field), is_set);
    }
    each_security_context(spec, path, |_, own, path| {
        for field in OF_LINUX_CONTAINERS {
            not_there(path.child(field), own.at(field).is_there());
        }
    });
}

/// Who a process runs as, and what it shows.
pub(super) fn options(out: &mut Report, own: Part<'_>, path: &Path) {
    let name = own.at("gmsaCredentialSpecName");
    if name.is_there() {
        out.words_at(path, "gmsaCredentialSpecName", name.text(), names::dns1123_subdomain);
    }
    let credentials = own.at("gmsaCredentialSpec");
    let (field, length) = ("gmsaCredentialSpec", credentials.text().len());
    if credentials.is_there() && length == 0 {
        out.invalid_at(path, field, "", "gmsaCredentialSpec cannot be an empty string");
    } else if length > CREDENTIALS_KIB_MAX << 10 {
        let words = format!("gmsaCredentialSpec size must be under {CREDENTIALS_KIB_MAX} KiB");
        out.invalid_at(path, field, credentials.text(), words);
    }
    let user = own.at("runAsUserName");
    if user.is_there() {
        let words = user_name(user.text()).into_iter().map(|words| format!("runAsUserName{words}"));
        out.each(&path.child("runAsUserName"), user.text(), words.collect());
    }
}

/// What is wrong with a user, such as `DOMAIN\user`: what follows `runAsUserName` in words.
fn user_name(name: &str) -> Vec<String> {
    let only = |words: &str| vec![words.to_owned()];
    if name.is_empty() {
        return only(" cannot be an empty string");
    }
    if name.contains(|c: char| c.is_ascii_control()) {
        return only(" cannot contain control characters");
    }
    let (domain, user) = match name.split_once('\\') {
        Some((_, user)) if user.contains('\\') => {
            return only(" cannot contain more than one backslash");
        }
        Some((domain, user)) => (Some(domain), user),
        None => (None, name),
    };
    let mut words = Vec::new();
    if domain.is_some_and(|domain| domain.len() >= DOMAIN_MAX) {
        words.push(format!("'s Domain length must be under {DOMAIN_MAX} characters"));
    }
    if domain.is_some_and(|domain| !is_net_bios(domain) && !is_dns(domain)) {
        words.push("'s Domain doesn't match the NetBios nor the DNS format".to_owned());
    }
    if user.is_empty() {
        words.push("'s User cannot be empty".to_owned());
    } else if user.len() > USER_MAX {
        words.push(format!("'s User length must not be longer than {USER_MAX} characters"));
    }
    if !user.is_empty() && user.chars().all(|c| ". ".contains(c)) {
        words.push("'s User cannot contain only periods or spaces".to_owned());
    }
    if user.contains(|c| NOT_IN_USERS.contains(c)) {
        words.push(format!("'s User cannot contain the following characters: {NOT_IN_USERS}"));
    }
    words
}

fn is_net_bios(domain: &str) -> bool {
    let length = domain.chars().count();
    (1..=NET_BIOS_MAX).contains(&length)
        && !domain.starts_with('.')
        && !domain.contains(|c| r#"\/:*?"<>|"#.contains(c))
}

/// Whether a domain is a DNS name, in letters of whatever case.
fn is_dns(domain: &str) -> bool {
    domain.split('.').all(|label| names::dns1123_label(&label.to_ascii_lowercase()).is_empty())
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
        out.invalid_at(path, "hostNetwork", false, words);
    }
}
