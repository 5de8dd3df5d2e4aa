//! The page's words in each language, read from the catalogues in `www/i18n`.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::sim::SortedMap;
use yew::AttrValue;

/// A language the page speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    Chinese,
}

impl Language {
    /// Its tag, as a document says it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The nearest language to a tag such as `zh-Hans-CN`.
    pub fn of_tag(tag: &str) -> Self {
        if tag.starts_with("zh") { Self::Chinese } else { Self::English }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }

    fn catalogues(self) -> [&'static str; 2] {
        match self {
            Self::English => [
                include_str!("../../www/i18n/en.json"),
                include_str!("../../www/i18n/panels.en.json"),
            ],
            Self::Chinese => [
                include_str!("../../www/i18n/zh.json"),
                include_str!("../../www/i18n/panels.zh.json"),
            ],
        }
    }
}

/// The words of one language; cheap to clone and to compare.
#[derive(Clone, Debug)]
pub struct Words {
    language: Language,
    texts: Rc<SortedMap<Rc<str>, Rc<str>>>,
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.language == other.language
    }
}

impl Words {
    /// The words of `language`.
    pub fn of(language: Language) -> Self {
        let mut texts = SortedMap::new();
        for catalogue in language.catalogues() {
            // The catalogues are compiled in, and a test reads them.
            let part: BTreeMap<String, String> =
                serde_json::from_str(catalogue).unwrap_or_default();
            texts.extend(part.into_iter().map(|(key, text)| (key.into(), Rc::from(text))));
        }
        Self { language, texts: Rc::new(texts) }
    }

    /// Their language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The text called `key`; the key itself if there is none.
    pub fn get(&self, key: &str) -> AttrValue {
        match self.texts.get(key) {
            Some(text) => AttrValue::from(Rc::clone(text)),
            None => AttrValue::from(key.to_owned()),
        }
    }

    /// The text called `key` with each `{name}` replaced.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        let text = self.get(key).to_string();
        values.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanks(text: &str) -> Vec<&str> {
        let mut blanks: Vec<&str> =
            text.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
        blanks.sort_unstable();
        blanks.dedup();
        blanks
    }

    #[test]
    fn both_languages_say_the_same_things() {
        let (english, chinese) = (Words::of(Language::English), Words::of(Language::Chinese));
        assert!(!english.texts.is_empty());
        let keys = |words: &Words| words.texts.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&english), keys(&chinese));
        for (key, text) in english.texts.iter() {
            assert_eq!(blanks(text), blanks(&chinese.get(key)), "{key}");
        }
    }

    #[test]
    fn blanks_are_filled_and_a_missing_text_shows_its_key() {
        let words = Words::of(Language::English);
        assert_eq!(words.fill("who.kubelet", &[("node", "node-1")]), "the kubelet of node-1");
        assert_eq!(words.get("no.such.text"), "no.such.text");
        assert_eq!(Language::of_tag("zh-Hans"), Language::Chinese);
    }
}
