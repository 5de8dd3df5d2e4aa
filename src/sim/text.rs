//! Texts that are quick to compare.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use equivalent::{Comparable, Equivalent};

/// So many bytes are compared at once.
const WORD: usize = size_of::<u64>();

/// A shared text as the key of a tree, in the order of texts.
///
/// It has its first bytes beside it: those of a uid tell any two apart, without a look at texts that lie
/// all over the memory. Keys of a store begin alike, so the rest is compared by words, too: where the page
/// runs there is nothing that compares bytes by more than one at a time.
#[derive(Clone)]
pub struct Text {
    head: u64,
    text: Rc<str>,
}

impl Text {
    /// The text itself.
    pub fn shared(&self) -> &Rc<str> {
        &self.text
    }
}

impl From<Rc<str>> for Text {
    fn from(text: Rc<str>) -> Self {
        Self { head: head(&text), text }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Rc::<str>::from(text).into()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Rc::<str>::from(text).into()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.head.cmp(&other.head).then_with(|| rest(&self.text, &other.text))
    }
}

impl Equivalent<Text> for str {
    fn equivalent(&self, key: &Text) -> bool {
        self.compare(key).is_eq()
    }
}

impl Comparable<Text> for str {
    fn compare(&self, key: &Text) -> Ordering {
        head(self).cmp(&key.head).then_with(|| rest(self, &key.text))
    }
}

/// The first bytes as a number that is ordered as they are; zeros stand for those that are not there.
fn head(text: &str) -> u64 {
    let bytes = text.as_bytes();
    bytes.first_chunk().map_or_else(
        || bytes.iter().rev().fold(0, |word, byte| word >> 8 | u64::from(*byte) << 56),
        |word| u64::from_be_bytes(*word),
    )
}

/// The order of two texts whose heads are equal.
fn rest(one: &str, other: &str) -> Ordering {
    let [one, other] = [one, other].map(str::as_bytes);
    let (Some(one), Some(other)) = (one.get(WORD..), other.get(WORD..)) else {
        // Zeros stood for the end of one of them, or were there.
        return one.cmp(other);
    };
    let (words, bytes) = one.as_chunks::<WORD>();
    let (other_words, other_bytes) = other.as_chunks::<WORD>();
    let differs = words.iter().zip(other_words).find(|(one, other)| one != other);
    match differs {
        Some((one, other)) => u64::from_be_bytes(*one).cmp(&u64::from_be_bytes(*other)),
        None if words.len() == other_words.len() => bytes.cmp(other_bytes),
        // The shorter one ends within a word of the longer one.
        None => {
            let common = words.len().min(other_words.len()) * WORD;
            one.get(common..).cmp(&other.get(common..))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Of few letters, so that many are the beginning of others.
        #[test]
        fn texts_are_in_the_order_of_texts(one in "[a\0]{0,20}[ab/é]{0,4}", other in "[a\0]{0,20}[ab/é]{0,4}") {
            let [first, second] = [&one, &other].map(|text| Text::from(text.as_str()));
            prop_assert_eq!(first.cmp(&second), one.cmp(&other));
            prop_assert_eq!(one.as_str().compare(&second), one.cmp(&other));
            prop_assert_eq!(first == second, one == other);
            prop_assert_eq!(one.as_str().equivalent(&second), one == other);
        }
    }
}
