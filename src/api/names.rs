//! The forms that names and other short texts must have, with upstream's messages.
//!
//! Each check returns what is wrong in words, nothing when all is well; it allocates only then.
//!
//! Mirrors: `apimachinery/pkg/util/validation` and `apimachinery/pkg/api/validate/content`. Upstream
//! counts bytes in both, but the first calls them characters.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::api::field::{FieldError, Path};

const LABEL_MAX: usize = 63;
const SUBDOMAIN_MAX: usize = 253;
const PORT_NAME_MAX: usize = 15;

const LABEL_FORM: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FORM: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const LABEL_KEY_FORM: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_KEY_WORDS: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must \
                               start and end with an alphanumeric character";

/// A label of a DNS name: containers, namespaces; at most 63 bytes.
pub fn dns1123_label(value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if value.len() > LABEL_MAX {
        wrong.push(too_many_characters(LABEL_MAX));
    }
    if !is_dns1123_label(value) {
        wrong.push(if is_dns1123_subdomain(value) {
            "must not contain dots".to_owned()
        } else {
            form(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
                 '-', and must start and end with an alphanumeric character",
                LABEL_FORM,
                &["my-name", "123-abc"],
            )
        });
    }
    wrong
}

/// A DNS name: what most objects are called; at most 253 bytes.
pub fn dns1123_subdomain(value: &str) -> Vec<String> {
    subdomain(value, too_many_characters)
}

/// A domain to search: a DNS name whose labels may have underscores, as those of services do.
pub fn search_path(value: &str) -> Vec<String> {
    let is_label = |label: &str| {
        let label = label.strip_prefix('_').unwrap_or(label);
        let edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        framed(label, edge, |byte| lower_or_dash(byte) || byte == b'_')
    };
    let mut wrong = Vec::new();
    if value.len() > SUBDOMAIN_MAX {
        wrong.push(too_many_characters(SUBDOMAIN_MAX));
    }
    if !value.split('.').all(is_label) {
        wrong.push(form(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', \
             '-' or '.', and must start and end with an alphanumeric character",
            r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
            &["example.com"],
        ));
    }
    wrong
}

/// A label of a DNS name by the older rule, which wants a letter first: services.
pub fn dns1035_label(value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if value.len() > LABEL_MAX {
        wrong.push(too_many_characters(LABEL_MAX));
    }
    if !(is_dns1123_label(value) && value.starts_with(|c: char| c.is_ascii_lowercase())) {
        wrong.push(form(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with \
             an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    wrong
}

/// A DNS name behind `*.`: hosts of an ingress.
pub fn wildcard_dns1123_subdomain(value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if value.len() > SUBDOMAIN_MAX {
        wrong.push(too_many_characters(SUBDOMAIN_MAX));
    }
    if !value.strip_prefix("*.").is_some_and(is_dns1123_subdomain) {
        wrong.push(form(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, \
             which must consist of lower case alphanumeric characters, '-' or '.' and end with an \
             alphanumeric character",
            &format!(r"\*\.{SUBDOMAIN_FORM}"),
            &["*.example.com"],
        ));
    }
    wrong
}

/// A qualified name, `[prefix/]name`: keys of labels and annotations, resources, taints.
pub fn label_key(value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = match value.split_once('/') {
        None => value,
        Some((_, rest)) if rest.contains('/') => {
            let form = form(LABEL_KEY_WORDS, LABEL_KEY_FORM, &["MyName", "my.name", "123-abc"]);
            return vec![format!(
                "a valid label key {form} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')"
            )];
        }
        Some(("", name)) => {
            wrong.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            let of_prefix = subdomain(prefix, too_many_bytes);
            wrong.extend(of_prefix.iter().map(|message| format!("prefix part {message}")));
            name
        }
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_MAX {
        wrong.push(format!("name part {}", too_many_bytes(LABEL_MAX)));
    }
    if !is_label_name(name) {
        let form = form(LABEL_KEY_WORDS, LABEL_KEY_FORM, &["MyName", "my.name", "123-abc"]);
        wrong.push(format!("name part {form}"));
    }
    wrong
}

/// The value of a label; may be empty.
pub fn label_value(value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if value.len() > LABEL_MAX {
        wrong.push(too_many_bytes(LABEL_MAX));
    }
    if !value.is_empty() && !is_label_name(value) {
        wrong.push(form(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' \
             or '.', and must start and end with an alphanumeric character",
            &format!("({LABEL_KEY_FORM})?"),
            &["MyValue", "my_value", "12345"],
        ));
    }
    wrong
}

/// The name of a port; lower case although RFC 6335 does not care.
pub fn port_name(value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if value.len() > PORT_NAME_MAX {
        wrong.push(too_many_characters(PORT_NAME_MAX));
    }
    if value.is_empty() || !value.bytes().all(lower_or_dash) {
        let words = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
        wrong.push(words.to_owned());
    }
    if !value.bytes().any(|byte| byte.is_ascii_lowercase()) {
        wrong.push("must contain at least one letter (a-z)".to_owned());
    }
    if value.contains("--") {
        wrong.push("must not contain consecutive hyphens".to_owned());
    }
    if value.starts_with('-') || value.ends_with('-') {
        wrong.push("must not begin or end with a hyphen".to_owned());
    }
    wrong
}

/// A port number that is not zero.
pub fn port_number(value: i64) -> Vec<String> {
    in_range(value, 1, 65_535)
}

/// A Unix user.
pub fn user_id(value: i64) -> Vec<String> {
    in_range(value, 0, i64::from(i32::MAX))
}

/// A Unix group.
pub fn group_id(value: i64) -> Vec<String> {
    in_range(value, 0, i64::from(i32::MAX))
}

/// A number from `low` to `high`, both included.
pub fn in_range(value: i64, low: i64, high: i64) -> Vec<String> {
    if (low..=high).contains(&value) {
        return Vec::new();
    }
    vec![format!("must be between {low} and {high}, inclusive")]
}

/// A whole percentage such as `25%`.
pub fn percent(value: &str) -> Vec<String> {
    let digits = value.strip_suffix('%').unwrap_or_default();
    let words = "a valid percent string must be a numeric string followed by an ending '%'";
    unless(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()), || {
        form(words, "[0-9]+%", &["1%", "93%"])
    })
}

/// The reason of a condition, such as `ReasonA:ReasonB`.
pub fn condition_reason(value: &str) -> Vec<String> {
    let end = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_one = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && framed(value, end, |byte| byte.is_ascii_alphanumeric() || b"_,:".contains(&byte));
    unless(is_one, || {
        form(
            "a condition reason must start with alphabetic character, optionally followed by a string \
             of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
            "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?",
            &["my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"],
        )
    })
}

/// The name of an HTTP header, as a probe sends it.
pub fn http_header_name(value: &str) -> Vec<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    unless(!value.is_empty() && value.bytes().all(allowed), || {
        form(
            "a valid HTTP header must consist of alphanumeric characters or '-'",
            "[-A-Za-z0-9]+",
            &["X-Header-Name"],
        )
    })
}

/// The name of an environment variable: any printable ASCII but `=`.
pub fn env_var_name(value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if value.is_empty() {
        wrong.push("environment variable name must be non-empty".to_owned());
    }
    if !value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=') {
        let words = "a valid environment variable name must consist only of printable ASCII \
                     characters other than '='";
        wrong.push(words.to_owned());
    }
    wrong
}

/// The name of an environment variable by the rule before 1.34.
pub fn env_var_name_strict(value: &str) -> Vec<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let digit_first = value.starts_with(|c: char| c.is_ascii_digit());
    let mut wrong = unless(!value.is_empty() && !digit_first && value.bytes().all(allowed), || {
        form(
            "a valid environment variable name must consist of alphabetic characters, digits, '_', \
             '-', or '.', and must not start with a digit",
            "[-._a-zA-Z][-._a-zA-Z0-9]*",
            &["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
        )
    });
    wrong.extend(climbs_up(value));
    wrong
}

/// A key of a `ConfigMap` or a Secret: it may become a file's name.
pub fn config_map_key(value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if value.len() > SUBDOMAIN_MAX {
        wrong.push(too_many_characters(SUBDOMAIN_MAX));
    }
    if value.is_empty() || !value.bytes().all(label_inner) {
        wrong.push(form(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    wrong.extend(climbs_up(value));
    wrong
}

/// An identifier of C.
pub fn c_identifier(value: &str) -> Vec<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let digit_first = value.starts_with(|c: char| c.is_ascii_digit());
    unless(!value.is_empty() && !digit_first && value.bytes().all(allowed), || {
        form(
            "a valid C identifier must start with alphabetic character or '_', followed by a string \
             of alphanumeric characters or '_'",
            "[A-Za-z_][A-Za-z0-9_]*",
            &["my_name", "MY_NAME", "MyName"],
        )
    })
}

/// A name that can stand in a path of the API: roles and their bindings.
pub fn path_segment(value: &str) -> Vec<String> {
    if value == "." || value == ".." {
        return vec![format!("may not be '{value}'")];
    }
    let found = ['/', '%'].into_iter().filter(|c| value.contains(*c));
    found.map(|c| format!("may not contain '{c}'")).collect()
}

/// A DNS name of two or more labels, with or without the dot at its end.
pub fn fully_qualified_domain_name(path: &Path, value: &str) -> Vec<FieldError> {
    if value.is_empty() {
        return vec![FieldError::required(path, "")];
    }
    let name = value.strip_suffix('.').unwrap_or(value);
    let wrong = dns1123_subdomain(name);
    if !wrong.is_empty() {
        return vec![FieldError::invalid(path, name, wrong.join(","))];
    }
    if !name.contains('.') {
        let words = "should be a domain with at least two segments separated by dots";
        return vec![FieldError::invalid(path, name, words)];
    }
    let wrong = name.split('.').map(|label| (label, dns1123_label(label)));
    let first = wrong.into_iter().find(|(_, wrong)| !wrong.is_empty());
    first
        .map(|(label, wrong)| FieldError::invalid(path, label, wrong.join(",")))
        .into_iter()
        .collect()
}

/// A name behind a domain, such as `acme.io/foo`: finalizers, controllers of a job.
pub fn domain_prefixed_path(path: &Path, value: &str) -> Vec<FieldError> {
    if value.is_empty() {
        return vec![FieldError::required(path, "")];
    }
    let Some((host, rest)) = value.split_once('/').filter(|(a, b)| !a.is_empty() && !b.is_empty())
    else {
        let words = "must be a domain-prefixed path (such as \"acme.io/foo\")";
        return vec![FieldError::invalid(path, value, words)];
    };
    let of_host = dns1123_subdomain(host).into_iter();
    let mut errors: Vec<_> = of_host.map(|words| FieldError::invalid(path, host, words)).collect();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !rest.bytes().all(allowed) {
        let words = form("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", &[]);
        errors.push(FieldError::invalid(path, rest, words));
    }
    errors
}

/// An IP address of either family, written as everybody reads it.
pub fn ip(path: &Path, value: &str) -> Vec<FieldError> {
    let words = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    let words = match (parse_ip(value), value.parse()) {
        (None, _) => words,
        (Some(_), Err(_)) => "must not have leading 0s",
        (Some(_), Ok(ip)) if is_mapped(ip) => "must not be an IPv4-mapped IPv6 address",
        (Some(_), Ok(_)) => return Vec::new(),
    };
    vec![FieldError::invalid(path, value, words)]
}

fn is_mapped(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some())
}

/// Whether bits are set behind a prefix of this length.
fn has_more(ip: IpAddr, length: u32) -> bool {
    let (bits, size) = match ip {
        IpAddr::V4(ip) => (ip.to_bits().into(), 32),
        IpAddr::V6(ip) => (ip.to_bits(), 128),
    };
    let host = u128::MAX.checked_shr(128 - size + length).unwrap_or_default();
    bits & host != 0
}

/// An address range such as `10.9.8.0/24`.
pub fn cidr(path: &Path, value: &str) -> Vec<FieldError> {
    let (address, digits) = value.split_once('/').unwrap_or_default();
    // A mapped address counts as the family it is written in.
    let max = if address.contains(':') { 128 } else { 32 };
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let length = digits.parse().ok().filter(|length| is_number && *length <= max);
    let has_zeros = digits.len() > 1 && digits.starts_with('0');
    let words = match (parse_ip(address), length, address.parse()) {
        (None, ..) | (_, None, _) => {
            "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        }
        (Some(_), Some(_), Err(_)) => "must not have leading 0s in IP or prefix length",
        (Some(_), Some(_), Ok(_)) if has_zeros => "must not have leading 0s in IP or prefix length",
        (Some(_), Some(_), Ok(ip)) if is_mapped(ip) => "must not have an IPv4-mapped IPv6 address",
        (Some(_), Some(length), Ok(ip)) if has_more(ip, length) => {
            "must not have bits set beyond the prefix length"
        }
        (Some(_), Some(_), Ok(_)) => return Vec::new(),
    };
    vec![FieldError::invalid(path, value, words)]
}

/// Reads an address as Go did before 1.17: `010` in an IPv4 address is ten, and `::ffff:1.2.3.4` is one.
pub fn parse_ip(value: &str) -> Option<IpAddr> {
    if value.contains(':') {
        return value.parse::<Ipv6Addr>().ok().map(|ip| ip.to_canonical());
    }
    let mut octets = [0; 4];
    let mut parts = value.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse::<u32>().ok().and_then(|number| u8::try_from(number).ok())?;
    }
    parts.next().is_none().then_some(IpAddr::V4(Ipv4Addr::from(octets)))
}

/// Whether `value` is made like a label of a DNS name, whatever its length.
fn is_dns1123_label(value: &str) -> bool {
    framed(value, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(), lower_or_dash)
}

fn is_dns1123_subdomain(value: &str) -> bool {
    value.split('.').all(is_dns1123_label)
}

fn is_label_name(value: &str) -> bool {
    framed(value, |byte| byte.is_ascii_alphanumeric(), label_inner)
}

fn lower_or_dash(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

fn label_inner(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

/// Whether all bytes are `inner` and the first and the last one are `edge`.
fn framed(value: &str, edge: fn(u8) -> bool, inner: fn(u8) -> bool) -> bool {
    let bytes = value.as_bytes();
    let edges = [bytes.first(), bytes.last()];
    edges.into_iter().all(|byte| byte.is_some_and(|byte| edge(*byte)))
        && bytes.iter().all(|byte| inner(*byte))
}

fn subdomain(value: &str, too_long: fn(usize) -> String) -> Vec<String> {
    let mut wrong = Vec::new();
    if value.len() > SUBDOMAIN_MAX {
        wrong.push(too_long(SUBDOMAIN_MAX));
    }
    if !is_dns1123_subdomain(value) {
        wrong.push(form(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' \
             or '.', and must start and end with an alphanumeric character",
            SUBDOMAIN_FORM,
            &["example.com"],
        ));
    }
    wrong
}

fn climbs_up(value: &str) -> Option<String> {
    match value {
        "." | ".." => Some(format!("must not be '{value}'")),
        _ if value.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    }
}

fn too_many_characters(max: usize) -> String {
    format!("must be no more than {max} characters")
}

fn too_many_bytes(max: usize) -> String {
    format!("must be no more than {max} bytes")
}

fn unless(valid: bool, words: impl FnOnce() -> String) -> Vec<String> {
    if valid { Vec::new() } else { vec![words()] }
}

/// The words for a text that does not have its form. The two blanks after each comma between the
/// examples are upstream's.
fn form(words: &str, regex: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{words} (regex used for validation is '{regex}')");
    }
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{words} (e.g. {}regex used for validation is '{regex}')", examples.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_have_leading_zeros() {
        assert_eq!(parse_ip("010.0.0.1"), Some(IpAddr::from([10, 0, 0, 1])));
        for wrong in ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.+4", "a.b.c.d", ":", "::1%eth0"]
        {
            assert_eq!(parse_ip(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ranges_need_a_length_that_fits() {
        let path = Path::new("podCIDR");
        for (value, valid) in [
            ("10.0.0.0/24", true),
            ("10.0.0.0/33", false),
            ("2001:db8::/64", true),
            ("::/129", false),
            ("10.0.0.0", false),
            ("10.0.0.0/", false),
            ("10.0.0.0/+8", false),
        ] {
            assert_eq!(cidr(&path, value).is_empty(), valid, "{value}");
        }
    }

    #[test]
    fn a_search_path_may_have_underscores() {
        for (value, valid) in [
            ("_sip._tcp.abc_d.example.com", true),
            ("example.com", true),
            ("a-", false),
            ("a_", false),
            ("__a", false),
            ("_", false),
            ("a..b", false),
            ("", false),
        ] {
            assert_eq!(search_path(value).is_empty(), valid, "{value}");
        }
    }

    #[test]
    fn a_path_segment_needs_no_more_than_to_stay_one() {
        assert!(path_segment("system:node:a").is_empty());
        assert_eq!(path_segment(".."), ["may not be '..'"]);
        assert_eq!(path_segment("a/%"), ["may not contain '/'", "may not contain '%'"]);
    }

    #[test]
    fn a_domain_prefixed_path_has_both_parts() {
        let path = Path::new("f");
        assert!(domain_prefixed_path(&path, "acme.io/foo/bar").is_empty());
        for (value, detail) in [
            ("foo", "must be a domain-prefixed path (such as \"acme.io/foo\")"),
            ("acme.io/", "must be a domain-prefixed path (such as \"acme.io/foo\")"),
            (
                "a.b/ ",
                r"Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')",
            ),
        ] {
            assert_eq!(domain_prefixed_path(&path, value)[0].detail, detail);
        }
    }
}
