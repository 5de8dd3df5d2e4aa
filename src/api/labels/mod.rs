//! Label selectors: `app=web,tier in (fe,be),!old`.
//!
//! Mirrors: `apimachinery/pkg/labels` and `LabelSelectorAsSelector` of `apis/meta/v1`.

mod parse;
mod requirement;
mod selector;

use std::collections::BTreeMap;

pub use requirement::{Operator, Requirement};
pub use selector::Selector;

/// The labels of an object.
pub type Labels = BTreeMap<String, String>;

/// Why a text or an object is no selector, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(String);
