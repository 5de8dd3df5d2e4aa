//! The images there are: a table of well-known ones and a rule for all the others.

use std::rc::Rc;

use super::cri::CriError;
use super::image::ImageReference;
use super::routine::{Action, Routine};
use super::signal::Signal;
use super::special::Special;
use crate::sim::SortedMap;

/// Which images exist and what they hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// By name without tag, such as `docker.io/library/nginx`, of which every tag exists; a name
    /// with its tag goes before that.
    pub images: SortedMap<String, Rc<ImageEntry>>,
    /// What any other image is.
    pub other: Rc<ImageEntry>,
    /// An image with one of these in its path, tag or digest does not exist.
    pub missing: Vec<String>,
    /// A registry whose host ends so has no address.
    pub unreachable: Vec<String>,
}

/// An image's contents.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageEntry {
    /// Compressed, in bytes.
    pub size: u64,
    pub layers: u32,
    pub config: ImageConfig,
    pub userland: Userland,
    /// Directories that only this image has.
    pub directories: Vec<&'static str>,
    /// Paths of what its servers show, and the text.
    pub files: &'static [(&'static str, &'static str)],
    /// Ordinary commands that its userland does not have.
    pub tools: &'static [&'static str],
    /// The image's own programs by file name; they hide the userland's.
    pub programs: SortedMap<String, Program>,
    /// What a command of any other name is; `None`: there is no such file.
    pub unknown: Option<Program>,
}

/// The part of an image's configuration that the runtime reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageConfig {
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    pub env: Vec<(String, String)>,
    pub working_dir: String,
    /// A number or a name, each with or without a group; empty is root.
    pub user: String,
    pub stop_signal: Signal,
}

/// The ordinary commands an image brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Userland {
    /// None, not even a shell.
    Scratch,
    Busybox,
    Alpine,
    Debian,
}

/// What an executable file does.
#[derive(Clone, Debug, PartialEq)]
pub enum Program {
    Routine(Rc<Routine>),
    /// Runs its arguments as a command, as a `docker-entrypoint.sh` does. Given none or only
    /// options, or `server` itself, it does `first` and goes on as that.
    Entrypoint {
        server: &'static str,
        first: Vec<Action>,
        needs: Option<Needs>,
    },
    Special(Special),
}

/// Variables of which an entry point wants one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    pub variables: &'static [&'static str],
    /// What it does if all are empty.
    pub without: Rc<Routine>,
}

impl Catalogue {
    /// What `reference` names, if a registry has it.
    ///
    /// # Errors
    ///
    /// In containerd's words, when the registry has no such image or the host has no address.
    pub fn resolve(&self, reference: &ImageReference) -> Result<Rc<ImageEntry>, CriError> {
        let full = reference.to_string();
        let missing = |part: &str| self.missing.iter().any(|word| part.contains(word.as_str()));
        let failed = format!("failed to pull and unpack image {full:?}: failed to resolve image");
        let host = reference.domain.split(':').next().unwrap_or_default();
        if self.unreachable.iter().any(|suffix| host.ends_with(suffix.as_str())) {
            let version = reference.digest.as_ref().or(reference.tag.as_ref());
            return Err(CriError::unknown(format!(
                "{failed}: failed to do request: Head \"https://{}/v2/{}/manifests/{}\": \
                 dial tcp: lookup {host}: no such host",
                reference.domain,
                reference.path,
                version.map_or("", String::as_str),
            )));
        }
        if missing(&reference.path) && reference.domain == "docker.io" {
            // Docker Hub does not say which repositories exist.
            return Err(CriError::unknown(format!(
                "{failed}: pull access denied, repository does not exist or may require \
                 authorization: server message: insufficient_scope: authorization failed"
            )));
        }
        let version = reference.tag.as_deref().or(reference.digest.as_deref());
        if missing(&reference.path) || version.is_some_and(missing) {
            return Err(CriError::not_found(format!("{failed}: {full}: not found")));
        }
        let tagged = self.images.get(&full);
        let Some(entry) = tagged.or_else(|| self.images.get(&reference.name())) else {
            return Ok(Rc::clone(&self.other));
        };
        let alpine = reference.tag.as_ref().is_some_and(|tag| tag.contains("alpine"));
        if alpine && entry.userland == Userland::Debian {
            let mut slim = ImageEntry::clone(entry);
            (slim.userland, slim.size) = (Userland::Alpine, entry.size / 3);
            return Ok(Rc::new(slim));
        }
        Ok(Rc::clone(entry))
    }

    /// Images that all do what their arguments say ([`Special::Scripted`]), weigh nothing, and do
    /// not exist if `missing` is in their name.
    pub fn scripted(missing: &str) -> Self {
        let other = ImageEntry {
            size: 0,
            layers: 0,
            config: ImageConfig {
                entrypoint: vec!["/scripted".to_owned()],
                ..ImageConfig::default()
            },
            userland: Userland::Scratch,
            directories: Vec::new(),
            files: &[],
            tools: &[],
            programs: SortedMap::new(),
            unknown: Some(Program::Special(Special::Scripted)),
        };
        Self {
            images: SortedMap::new(),
            other: Rc::new(other),
            missing: vec![missing.to_owned()],
            unreachable: Vec::new(),
        }
    }
}

impl Default for ImageConfig {
    fn default() -> Self {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        Self {
            entrypoint: Vec::new(),
            cmd: Vec::new(),
            env: vec![("PATH".to_owned(), path.to_owned())],
            working_dir: "/".to_owned(),
            user: String::new(),
            stop_signal: Signal::Term,
        }
    }
}

impl ImageConfig {
    /// The user's number, or else its name.
    pub fn uid_or_name(&self) -> (Option<i64>, String) {
        let user = self.user.split(':').next().unwrap_or_default();
        match user.parse() {
            Ok(uid) => (Some(uid), String::new()),
            Err(_) if user.is_empty() => (Some(0), String::new()),
            Err(_) => (None, user.to_owned()),
        }
    }
}
