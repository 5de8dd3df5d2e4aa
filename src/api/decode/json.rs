//! JSON values, one after another: what YAML cannot read or reads otherwise.

use serde_json::{StreamDeserializer, Value, de};

use super::SyntaxError;
use super::document::{Document, Limits};
use super::place::{Mark, Place};
use super::yaml;

/// Reads the JSON values of `text` and returns the rest that is no JSON, with where it begins.
pub(super) fn read<'a>(
    text: &'a str,
    limits: Limits,
    into: &mut Vec<Document>,
) -> Result<(&'a str, Mark), SyntaxError> {
    let mut values: StreamDeserializer<'_, de::StrRead<'_>, Value> =
        serde_json::Deserializer::from_str(text).into_iter();
    let (mut rest, mut start) = (text, Mark::START);
    while let Some(Ok(value)) = values.next() {
        if into.len() >= limits.documents {
            let words = format!("more than {} documents in one text", limits.documents);
            return Err(SyntaxError::new(start, words));
        }
        let length = values.byte_offset() - (text.len() - rest.len());
        let Some((one, left)) = rest.split_at_checked(length) else { break };
        into.push(with_places(value, one, start, limits)?);
        start = end_of(one).after(start);
        rest = left;
    }
    Ok((rest, start))
}

/// The value again, as YAML, for its places; some JSON is no YAML, and then only the start counts.
fn with_places(
    value: Value,
    text: &str,
    start: Mark,
    limits: Limits,
) -> Result<Document, SyntaxError> {
    let mut documents = Vec::new();
    match yaml::read(text, limits, &mut documents) {
        Err(error) if error.message.ends_with("already set in map") => {
            Err(SyntaxError { mark: error.mark.after(start), ..error })
        }
        Ok(()) | Err(_) => {
            let place = documents.pop().filter(|document| document.value == value);
            let place = place.map_or(Place::scalar(start), |document| document.place.after(start));
            Ok(Document { value, place })
        }
    }
}

/// The position behind the last character.
fn end_of(text: &str) -> Mark {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Mark { line: text.matches('\n').count() + 1, column: last.chars().count() + 1 }
}
