//! What is stored, as far as the scheduler has heard of it: without what it only takes to be so.

use std::rc::Rc;

use super::framework::{Labels, Snapshot};
use super::node_info::NodeInfo;
use super::{DOCUMENTS, Scheduler};
use crate::api::{Document, Kind};
use crate::client::Informer;

/// The cluster without what is reserved and not heard of yet.
pub(super) struct Stored<'a>(pub &'a Scheduler);

impl Scheduler {
    /// A document as it is stored.
    pub(super) fn stored(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Rc<Document>> {
        self.informer(kind)?.get(namespace, name)
    }

    fn informer(&self, kind: Kind) -> Option<&Informer<Document>> {
        let mut informers = DOCUMENTS.iter().zip(&self.documents);
        informers.find(|(own, _)| **own == kind).map(|(_, informer)| informer)
    }
}

impl Snapshot for Stored<'_> {
    fn nodes(&self) -> Box<dyn Iterator<Item = &NodeInfo> + '_> {
        Snapshot::nodes(&self.0.cache)
    }

    fn namespace(&self, name: &str) -> Option<&Labels> {
        self.document(Kind::Namespace, "", name)?.metadata.labels.as_deref()
    }

    fn documents(&self, kind: Kind) -> Box<dyn Iterator<Item = &Document> + '_> {
        let informer = self.0.informer(kind).into_iter();
        Box::new(informer.flat_map(|informer| informer.iter().map(|document| &**document)))
    }

    fn document(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Document> {
        self.0.stored(kind, namespace, name).map(|document| &**document)
    }
}
