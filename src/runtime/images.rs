//! The images on the node.

use std::rc::Rc;

use super::catalogue::ImageEntry;
use super::cri::Image;
use super::image::ImageReference;
use crate::sim::SortedMap;

/// An image that was pulled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredImage {
    /// In full: `docker.io/library/nginx:1.14.2`.
    pub name: Rc<str>,
    /// `sha256:…` of its configuration.
    pub id: Rc<str>,
    /// By content: `docker.io/library/nginx@sha256:…`.
    pub repo_digest: Rc<str>,
    pub entry: Rc<ImageEntry>,
    is_tagged: bool,
}

impl StoredImage {
    /// As the CRI describes it.
    pub fn describe(&self) -> Image {
        let (uid, username) = self.entry.config.uid_or_name();
        // No real image weighs a round number of bytes.
        let odd = self.id.bytes().fold(0, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000);
        Image {
            id: self.id.to_string(),
            repo_tags: self.is_tagged.then(|| self.name.to_string()).into_iter().collect(),
            repo_digests: vec![self.repo_digest.to_string()],
            size: self.entry.size + if self.entry.size > 0 { odd } else { 0 },
            uid,
            username,
        }
    }
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Images {
    by_name: SortedMap<Rc<str>, Rc<StoredImage>>,
    /// From identity and from content to name.
    names: SortedMap<Rc<str>, Rc<str>>,
}

impl Images {
    /// The image of that name, content or identity.
    pub fn find(&self, text: &str) -> Option<&Rc<StoredImage>> {
        if let Some(name) = self.names.get(text) {
            return self.by_name.get(name);
        }
        let named = ImageReference::parse_docker_ref(text).ok()?.to_string();
        let name = self.names.get(named.as_str()).map_or(named.as_str(), |name| name);
        self.by_name.get(name)
    }

    /// Puts a pulled image on the node.
    pub fn insert(&mut self, reference: &ImageReference, entry: Rc<ImageEntry>) -> Rc<StoredImage> {
        let image = Rc::new(StoredImage {
            name: reference.to_string().into(),
            id: reference.image_id().into(),
            repo_digest: reference.repo_digest().into(),
            entry,
            is_tagged: reference.tag.is_some(),
        });
        for key in [&image.id, &image.repo_digest] {
            self.names.insert(Rc::clone(key), Rc::clone(&image.name));
        }
        self.by_name.insert(Rc::clone(&image.name), Rc::clone(&image));
        image
    }

    /// Takes an image away, if it is there.
    pub fn remove(&mut self, text: &str) {
        let Some(image) = self.find(text).map(Rc::clone) else { return };
        self.by_name.remove(&image.name);
        self.names.retain(|_, name| *name != image.name);
    }

    /// As the CRI describes them.
    pub fn list(&self) -> Vec<Image> {
        self.by_name.values().map(|image| image.describe()).collect()
    }
}
