//! The tag of an image's name, by which its pull policy is chosen.

/// The tag, `latest` if there is neither tag nor digest; none if this is no image's name.
pub(super) fn tag(image: &str) -> Option<&str> {
    let (named, digest) = match image.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (image, None),
    };
    let (repository, tag) = match named.rsplit_once(':') {
        // A colon before a slash is that of a registry's port.
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        Some(_) | None => (named, None),
    };
    if !is_repository(repository) || !tag.is_none_or(is_tag) || !digest.is_none_or(is_digest) {
        return None;
    }
    Some(tag.unwrap_or(if digest.is_some() { "" } else { "latest" }))
}

fn is_repository(text: &str) -> bool {
    let (domain, path) = match text.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(first), rest)
        }
        Some(_) | None => (None, text),
    };
    let host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    domain.is_none_or(|domain| domain.bytes().all(host)) && path.split('/').all(is_component)
}

/// Lower-case letters and digits, with dots, dashes and underscores between them.
fn is_component(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| letter(*byte));
    let inner = |byte: &u8| letter(*byte) || b"._-".contains(byte);
    edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner) && !text.contains("..")
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let rest = |byte: u8| word(byte) || b".-".contains(&byte);
    text.bytes().next().is_some_and(word) && text.bytes().all(rest) && text.len() <= 128
}

fn is_digest(text: &str) -> bool {
    let hex = |text: &str| text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_once(':').is_some_and(|(algorithm, value)| !algorithm.is_empty() && hex(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_found() {
        let digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for (image, want) in [
            ("nginx", Some("latest")),
            ("nginx:latest", Some("latest")),
            ("nginx:1.27-alpine", Some("1.27-alpine")),
            ("registry.example.com:5000/team/app", Some("latest")),
            ("registry.example.com:5000/team/app:v2", Some("v2")),
            ("localhost/app", Some("latest")),
            ("", None),
            ("Nginx", None),
            ("nginx:", None),
            ("a b", None),
            ("a//b", None),
        ] {
            assert_eq!(tag(image), want, "{image}");
        }
        assert_eq!(tag(&format!("nginx{digest}")), Some(""));
        assert_eq!(tag(&format!("nginx:latest{digest}")), Some("latest"));
    }
}
