//! Names of images: what is written in a pod, taken apart and made whole.
//!
//! Mirrors: `github.com/distribution/reference` (grammar, defaults, texts of errors).

use std::fmt;

use crate::sim::Rng;

const DEFAULT_DOMAIN: &str = "docker.io";
const LEGACY_DOMAIN: &str = "index.docker.io";
const DEFAULT_TAG: &str = "latest";
const NAME_LIMIT: usize = 255;
const TAG_LIMIT: usize = 128;

/// A well-formed image name with its registry filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReference {
    /// Host, with a port if one was given.
    pub domain: String,
    /// Such as `library/nginx`.
    pub path: String,
    pub tag: Option<String>,
    /// Such as `sha256:…`.
    pub digest: Option<String>,
}

/// Why a text is no image name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("invalid reference format")]
    Format,
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(String),
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Identifier(String),
    #[error("repository name must not be more than {NAME_LIMIT} characters")]
    TooLong,
    #[error("unsupported digest algorithm")]
    DigestAlgorithm,
    #[error("invalid checksum digest length")]
    DigestLength,
}

impl ImageReference {
    /// Reads `text` as docker and the kubelet do; no tag is added.
    ///
    /// # Errors
    ///
    /// [`ReferenceError`], which is what a pod shows as `InvalidImageName`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err(ReferenceError::Identifier(text.to_owned()));
        }
        let (domain, remainder) = split_domain(text);
        let (named, digest) = match remainder.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (remainder.as_str(), None),
        };
        let (path, tag) = match named.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (named, None),
        };
        if path.chars().any(char::is_uppercase) {
            return Err(ReferenceError::Uppercase(path.to_owned()));
        }
        let well_formed = is_domain(&domain)
            && path.split('/').all(is_path_component)
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest_shaped);
        if !well_formed {
            return Err(ReferenceError::Format);
        }
        if domain.len() + 1 + path.len() > NAME_LIMIT {
            return Err(ReferenceError::TooLong);
        }
        digest.map_or(Ok(()), check_digest)?;
        Ok(Self {
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
            domain,
        })
    }

    /// Reads `text` as containerd does: `latest` where nothing is said, no tag beside a digest.
    ///
    /// # Errors
    ///
    /// As [`ImageReference::parse`].
    pub fn parse_docker_ref(text: &str) -> Result<Self, ReferenceError> {
        let mut reference = Self::parse(text)?;
        if reference.digest.is_some() {
            reference.tag = None;
        } else if reference.tag.is_none() {
            reference.tag = Some(DEFAULT_TAG.to_owned());
        }
        Ok(reference)
    }

    /// Domain and path: `docker.io/library/nginx`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The digest of the image's manifest: the one that is asked for, else one made of the name.
    pub fn manifest_digest(&self) -> String {
        self.digest.clone().unwrap_or_else(|| made_up_digest("manifest", &self.to_string()))
    }

    /// The digest of the image's configuration, which is the image's identity.
    pub fn image_id(&self) -> String {
        made_up_digest("config", &self.manifest_digest())
    }

    /// The name by content: `docker.io/library/nginx@sha256:…`.
    pub fn repo_digest(&self) -> String {
        format!("{}@{}", self.name(), self.manifest_digest())
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Domain and the rest, with docker's defaults: no host means Docker Hub, no path its library.
fn split_domain(text: &str) -> (String, String) {
    let split = text.split_once('/').filter(|(host, _)| {
        host.contains(['.', ':']) || *host == "localhost" || host.chars().any(char::is_uppercase)
    });
    let (domain, rest) = split.unwrap_or((DEFAULT_DOMAIN, text));
    let domain = if domain == LEGACY_DOMAIN { DEFAULT_DOMAIN } else { domain };
    let rest = if domain == DEFAULT_DOMAIN && !rest.contains('/') {
        format!("library/{rest}")
    } else {
        rest.to_owned()
    };
    (domain.to_owned(), rest)
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (domain, None),
    };
    let component = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    host.split('.').all(component) && port.is_none_or(digits)
}

/// Lower-case letters and digits, joined by one of `.`, `_`, `__` or any number of `-`.
fn is_path_component(part: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends_well = part.bytes().next().is_some_and(word) && part.bytes().last().is_some_and(word);
    let separators = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    ends_well
        && separators.filter(|s| !s.is_empty()).all(|separator| {
            matches!(separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
        })
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= TAG_LIMIT
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

fn is_digest_shaped(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        algorithm.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && algorithm.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-_".contains(&b))
            && hex.len() >= 32
            && hex.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let (algorithm, hex) = digest.split_once(':').ok_or(ReferenceError::Format)?;
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(ReferenceError::DigestAlgorithm),
    };
    if hex.len() != length {
        return Err(ReferenceError::DigestLength);
    }
    if hex.bytes().all(is_lower_hex) { Ok(()) } else { Err(ReferenceError::Format) }
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// A digest that looks real and is the same in every run: nothing here has bytes to be hashed.
fn made_up_digest(what: &str, name: &str) -> String {
    let seed = what.bytes().chain(name.bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("sha256:{}", hex64(&mut Rng::new(seed)))
}

/// 64 hexadecimal digits, as containers, sandboxes and digests have.
pub(super) fn hex64(rng: &mut Rng) -> String {
    let digit = |_| char::from_digit(u32::try_from(rng.below(16)).unwrap_or(0), 16).unwrap_or('0');
    (0..64).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_whole_as_containerd_does() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, want) in [
            ("nginx", "docker.io/library/nginx:latest".to_owned()),
            ("nginx:1.14.2", "docker.io/library/nginx:1.14.2".to_owned()),
            ("bitnami/redis", "docker.io/bitnami/redis:latest".to_owned()),
            ("docker.io/nginx", "docker.io/library/nginx:latest".to_owned()),
            ("index.docker.io/nginx", "docker.io/library/nginx:latest".to_owned()),
            ("localhost/app", "localhost/app:latest".to_owned()),
            ("localhost:5000/app:v1", "localhost:5000/app:v1".to_owned()),
            ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10".to_owned()),
            ("a--b/c__d.e_f", "docker.io/a--b/c__d.e_f:latest".to_owned()),
            ("Host/app", "Host/app:latest".to_owned()),
        ] {
            let parsed = ImageReference::parse_docker_ref(text).map(|name| name.to_string());
            assert_eq!(parsed, Ok(want), "{text}");
        }
        let both = ImageReference::parse_docker_ref(&format!("nginx:1@{digest}")).unwrap();
        assert_eq!(both.to_string(), format!("docker.io/library/nginx@{digest}"));
        assert_eq!(both.manifest_digest(), digest);
    }

    #[test]
    fn a_malformed_name_fails_in_the_words_of_the_reference_library() {
        for (text, want) in [
            ("", "invalid reference format"),
            ("nginx:", "invalid reference format"),
            ("nginx:a:b", "invalid reference format"),
            ("nginx latest", "invalid reference format"),
            ("-nginx", "invalid reference format"),
            ("a//b", "invalid reference format"),
            ("a..b", "invalid reference format"),
            ("a___b", "invalid reference format"),
            ("nginx@sha256:short", "invalid reference format"),
            ("nginx:-x", "invalid reference format"),
            (
                "Nginx",
                "invalid reference format: repository name (library/Nginx) must be lowercase",
            ),
            (
                "registry.k8s.io/Pause:3",
                "invalid reference format: repository name (Pause) must be lowercase",
            ),
        ] {
            let error = ImageReference::parse(text).unwrap_err();
            assert_eq!(error.to_string(), want, "{text}");
        }
        assert_eq!(ImageReference::parse(&"a".repeat(300)), Err(ReferenceError::TooLong));
        let md5 = format!("a@md5:{}", "a".repeat(32));
        assert_eq!(ImageReference::parse(&md5), Err(ReferenceError::DigestAlgorithm));
        let short = format!("a@sha256:{}", "a".repeat(40));
        assert_eq!(ImageReference::parse(&short), Err(ReferenceError::DigestLength));
        let id = "0".repeat(64);
        assert_eq!(ImageReference::parse(&id), Err(ReferenceError::Identifier(id.clone())));
    }

    #[test]
    fn an_image_is_itself_in_every_run_and_nothing_else() {
        let parse = |text| ImageReference::parse_docker_ref(text).unwrap();
        assert_eq!(parse("nginx").image_id(), parse("docker.io/nginx:latest").image_id());
        assert_ne!(parse("nginx").image_id(), parse("nginx:1.14.2").image_id());
        assert_eq!(parse("nginx").image_id().len(), "sha256:".len() + 64);
    }
}
