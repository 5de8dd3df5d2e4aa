//! The documents of a text, YAML or JSON.

use serde_json::Value;

use super::place::{Mark, Place};
use super::{SyntaxError, json, yaml};

/// One object of a text, as values.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub value: Value,
    pub place: Place,
}

/// What a text holds: the documents up to the first mistake, and that mistake.
///
/// kubectl, too, has created the first objects of a file when it comes to a broken one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifests {
    pub documents: Vec<Document>,
    pub error: Option<SyntaxError>,
}

/// What is refused, so that no text can stop the page.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub bytes: usize,
    /// Those that are not empty; the items of a list count as one.
    pub documents: usize,
    pub depth: usize,
    /// About how many bytes the copies may take that aliases make.
    pub copies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 << 20, documents: 2_000, depth: 128, copies: 16 << 20 }
    }
}

/// Reads all documents of `text`: the empty ones left out, lists as the objects in them.
pub fn read(text: &str, limits: Limits) -> Manifests {
    let mut documents = Vec::new();
    let error = fill(text, limits, &mut documents).err();
    let documents = documents.into_iter().flat_map(Document::without_list).collect();
    Manifests { documents, error }
}

fn fill(text: &str, limits: Limits, into: &mut Vec<Document>) -> Result<(), SyntaxError> {
    if text.len() > limits.bytes {
        let words = format!("{} bytes are more than the {} allowed", text.len(), limits.bytes);
        return Err(SyntaxError::new(Mark::START, words));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    control_character(text)?;
    if !text.trim_start().starts_with('{') {
        return yaml::read(text, limits, into);
    }
    let (rest, start) = json::read(text, limits, into)?;
    if rest.trim().is_empty() {
        return Ok(());
    }
    // A map in braces may still be YAML.
    let before = into.len();
    let result = yaml::read(rest, limits, into);
    for document in into.iter_mut().skip(before) {
        document.place = document.place.clone().after(start);
    }
    result.map_err(|error| SyntaxError { mark: error.mark.after(start), ..error })
}

/// Finds characters that no YAML may have; the parser would end the text at a zero.
fn control_character(text: &str) -> Result<(), SyntaxError> {
    let allowed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if text.chars().all(allowed) {
        return Ok(());
    }
    let before: String = text.chars().take_while(|c| allowed(*c)).collect();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let mark = Mark { line: before.matches('\n').count() + 1, column };
    Err(SyntaxError::new(mark, "control characters are not allowed"))
}

impl Document {
    /// The items if this is a list (of any kind: `List`, `PodList`, …), else the document itself.
    fn without_list(self) -> Vec<Self> {
        let kind = self.value.get("kind").and_then(Value::as_str).unwrap_or_default();
        if !kind.ends_with("List") || !self.value.get("items").is_some_and(Value::is_array) {
            return vec![self];
        }
        // The items of a typed list are stored without what the list already says.
        let item_kind = kind.strip_suffix("List").unwrap_or_default().to_owned();
        let api_version = self.value.get("apiVersion").cloned();
        let Self { mut value, place } = self;
        let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) else {
            return Vec::new();
        };
        let mut places = place.into_entries().remove("items").map(Place::into_items);
        let mut places = places.take().unwrap_or_default().into_iter();
        let documents = items.into_iter().map(|mut value| {
            if let (Value::Object(entries), Some(api_version)) = (&mut value, &api_version)
                && !item_kind.is_empty()
            {
                entries.entry("apiVersion").or_insert_with(|| api_version.clone());
                entries.entry("kind").or_insert_with(|| Value::from(item_kind.as_str()));
            }
            Self { value, place: places.next().unwrap_or(Place::scalar(Mark::START)) }
        });
        documents.flat_map(Self::without_list).collect()
    }
}
