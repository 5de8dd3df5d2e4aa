//! What Pods of Windows may not have, and what they alone may.

use super::pod_spec::each_security_context;
use super::report::Report;
use crate::api::document::{Fragment, Part};
use crate::api::field::Path;
use crate::api::names;
use crate::api::wire::PodSpec;

const CREDENTIALS_MAX_KIB: usize = 64;
const DOMAIN_LIMIT: usize = 256;
const USER_MAX: usize = 104;

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

/// The options of a security context.
pub(super) fn options(out: &mut Report, own: Part<'_>, path: &Path) {
    let (name, field) = (own.at("gmsaCredentialSpecName"), "gmsaCredentialSpecName");
    if name.is_there() {
        out.words(&path.child(field), name.text(), names::dns1123_subdomain(name.text()));
    }
    let (credentials, field) = (own.at("gmsaCredentialSpec"), "gmsaCredentialSpec");
    let text = credentials.text();
    if credentials.is_there() && text.is_empty() {
        out.invalid(&path.child(field), text, format!("{field} cannot be an empty string"));
    } else if text.len() > CREDENTIALS_MAX_KIB << 10 {
        let words = format!("{field} size must be under {CREDENTIALS_MAX_KIB} KiB");
        out.invalid(&path.child(field), text, words);
    }
    let user = own.at("runAsUserName");
    if user.is_there() {
        let user = user.text();
        for words in user_name(user) {
            out.invalid(&path.child("runAsUserName"), user, format!("runAsUserName{words}"));
        }
    }
}

/// `user` or `domain\user`.
fn user_name(name: &str) -> Vec<String> {
    if name.is_empty() {
        return vec![" cannot be an empty string".to_owned()];
    }
    if name.chars().any(|c| c.is_ascii_control()) {
        return vec![" cannot contain control characters".to_owned()];
    }
    let (domain, user) = name.split_once('\\').map_or((None, name), |(a, b)| (Some(a), b));
    if user.contains('\\') {
        return vec![" cannot contain more than one backslash".to_owned()];
    }
    let mut wrong = Vec::new();
    if domain.is_some_and(|domain| domain.len() >= DOMAIN_LIMIT) {
        wrong.push(format!("'s Domain length must be under {DOMAIN_LIMIT} characters"));
    }
    if domain.is_some_and(|domain| !is_net_bios(domain) && !is_dns(domain)) {
        wrong.push("'s Domain doesn't match the NetBios nor the DNS format".to_owned());
    }
    if user.is_empty() {
        wrong.push("'s User cannot be empty".to_owned());
    } else if user.len() > USER_MAX {
        wrong.push(format!("'s User length must not be longer than {USER_MAX} characters"));
    }
    if !user.is_empty() && user.chars().all(|c| c == '.' || c == ' ') {
        wrong.push("'s User cannot contain only periods or spaces".to_owned());
    }
    if user.contains(|c| r#""/\:;|=,+*?<>@[]"#.contains(c)) {
        let words = r#"'s User cannot contain the following characters: "/\:;|=,+*?<>@[]"#;
        wrong.push(words.to_owned());
    }
    wrong
}

fn is_net_bios(domain: &str) -> bool {
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && !domain.contains(|c| r#"\/:*?"<>|"#.contains(c))
}

fn is_dns(domain: &str) -> bool {
    domain.split('.').all(|label| names::dns1123_label(&label.to_ascii_lowercase()).is_empty())
}

#[cfg(test)]
mod tests {
    use super::user_name;

    #[test]
    fn a_user_may_have_a_domain() {
        for (name, wrong) in [
            ("ContainerAdministrator", None),
            (r"NT AUTHORITY\SYSTEM", None),
            (r"example.com\user", None),
            ("", Some(" cannot be an empty string")),
            ("a\tb", Some(" cannot contain control characters")),
            (r"a\b\c", Some(" cannot contain more than one backslash")),
            (r".a\b", Some("'s Domain doesn't match the NetBios nor the DNS format")),
            (r"a\", Some("'s User cannot be empty")),
            ("...", Some("'s User cannot contain only periods or spaces")),
        ] {
            assert_eq!(user_name(name).first().map(String::as_str), wrong, "{name}");
        }
    }
}
