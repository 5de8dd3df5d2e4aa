//! Long lists in pages: `limit` and the token by which a list goes on.
//!
//! Mirrors: `apiserver/pkg/storage/continue.go`.

use std::rc::Rc;

use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{NO_PAD, URL_SAFE_NO_PAD};
use base64::{DecodeError, Engine as _};
use serde_json::{Value, json};

use super::status::StatusError;
use super::text::go_json_error;

const VERSION: &str = "meta.k8s.io/v1";

/// As Go reads base64: bits after the last byte mean nothing.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// As many objects at most; none for all.
    pub limit: Option<usize>,
    pub after: Option<Continue>,
}

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continue {
    /// The revision of the first page; none to go on with the objects as they are by now.
    pub revision: Option<u64>,
    /// The key after which to go on, below the prefix of the list.
    pub key: Rc<str>,
}

impl Continue {
    /// As clients hand it back.
    pub fn token(&self) -> String {
        // A key ends before the first that is greater.
        let start = format!("{}\0", self.key);
        let revision = self.revision.map_or(-1, |revision| i64::try_from(revision).unwrap_or(-1));
        let text = json!({"v": VERSION, "rv": revision, "start": start}).to_string();
        URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads a token.
    ///
    /// # Errors
    ///
    /// 400 for what is none.
    pub fn parse(token: &str) -> Result<Self, StatusError> {
        let wrong = |why: &str| {
            let words = format!("invalid continue token: continue key is not valid: {why}");
            StatusError::bad_request(words)
        };
        let bytes = LENIENT
            .decode(token)
            .map_err(|error| wrong(&format!("illegal base64 data at input byte {}", at(&error))))?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_error| {
            // Go takes each byte for a character.
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            wrong(&go_json_error(&text))
        })?;
        let version = token.get("v").and_then(Value::as_str).unwrap_or_default();
        if version != VERSION {
            let why = format!("server does not recognize this encoded version {version}");
            return Err(wrong(&why));
        }
        let revision = token.get("rv").and_then(Value::as_i64).unwrap_or_default();
        if revision == 0 {
            return Err(wrong(&format!(
                "incorrect encoded start resourceVersion (version {VERSION})"
            )));
        }
        let start = token.get("start").and_then(Value::as_str).unwrap_or_default();
        let key = start.trim_end_matches('\0');
        if start.is_empty() {
            return Err(wrong(&format!("encoded start key empty (version {VERSION})")));
        }
        // No key may lead out of the list.
        if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(wrong(start));
        }
        Ok(Self { revision: u64::try_from(revision).ok(), key: key.into() })
    }
}

/// Where a text stops being base64.
fn at(error: &DecodeError) -> usize {
    match error {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => *at,
        DecodeError::InvalidLength(length) => *length,
        DecodeError::InvalidPadding => 0,
    }
}

/// What a page leaves for the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    pub token: String,
    /// How many objects are left; not known where selectors choose among them.
    pub count: Option<usize>,
}

impl Page {
    /// Takes the page out of all objects of a list, sorted by key; `key` tells each one's.
    pub fn take<T>(
        &self,
        all: Vec<T>,
        key: impl Fn(&T) -> Rc<str>,
        revision: u64,
        all_count: bool,
    ) -> (Vec<T>, Option<Rest>) {
        let after = self.after.as_ref().map(|after| &*after.key);
        let mut items: Vec<T> =
            all.into_iter().filter(|one| after.is_none_or(|after| *key(one) > *after)).collect();
        let limit = self.limit.unwrap_or(usize::MAX);
        if items.len() <= limit {
            return (items, None);
        }
        let left = items.len() - limit;
        items.truncate(limit);
        let rest = items.last().map(|last| Rest {
            token: Continue { revision: Some(revision), key: key(last) }.token(),
            count: all_count.then_some(left),
        });
        (items, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_without_gap_or_repetition() {
        let all: Vec<Rc<str>> = ["a", "ab", "b", "c/d", "e"].map(Into::into).into();
        let (mut seen, mut page) = (Vec::new(), Page { limit: Some(2), after: None });
        let mut left = Vec::new();
        loop {
            let (items, rest) = page.take(all.clone(), Rc::clone, 7, true);
            seen.extend(items);
            let Some(rest) = rest else { break };
            left.push(rest.count);
            let after = Continue::parse(&rest.token).unwrap();
            assert_eq!(after.revision, Some(7));
            page.after = Some(after);
        }
        assert_eq!(seen, all);
        assert_eq!(left, [Some(3), Some(1)]);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let escape = URL_SAFE_NO_PAD.encode(r#"{"v":"meta.k8s.io/v1","rv":1,"start":"../x"}"#);
        for token in ["%", "e30", "", &escape] {
            assert_eq!(Continue::parse(token).unwrap_err().code, 400, "{token}");
        }
    }
}
