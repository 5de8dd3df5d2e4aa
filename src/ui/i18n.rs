//! The page's words in each language, read from the catalogues in `www/i18n`. English is compiled in;
//! another language is a module, which comes when somebody speaks it.

use std::rc::Rc;

use serde_json::Value;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use yew::AttrValue;

use crate::platform;
use crate::sim::SortedMap;

#[wasm_bindgen(inline_js = "
export async function catalogues(name) {
  return (await import(new URL(`./modules/${name}.js`, document.baseURI).href)).default;
}")]
extern "C" {
    /// The catalogues of a language, as JSON, each on a line.
    #[wasm_bindgen(catch)]
    async fn catalogues(name: &str) -> Result<JsValue, JsValue>;
}

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
}

const ENGLISH: [&str; 2] =
    [include_str!("../../www/i18n/en.json"), include_str!("../../www/i18n/panels.en.json")];

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
    /// Those that are always at hand.
    pub fn english() -> Self {
        Self::read(Language::English, &ENGLISH)
    }

    /// The words of `language`; English ones where they cannot be had.
    pub async fn load(language: Language) -> Self {
        if language == Language::English {
            return Self::english();
        }
        let found = catalogues("zh").await.ok().and_then(|text| text.as_string());
        let Some(text) = found else {
            platform::warn("podflow: the Chinese words cannot be had just now");
            return Self::english();
        };
        Self::read(language, &text.lines().collect::<Vec<_>>())
    }

    fn read(language: Language, catalogues: &[&str]) -> Self {
        let mut texts = SortedMap::new();
        for catalogue in catalogues {
            // They are made with the page, and a test reads them.
            let part: Value = serde_json::from_str(catalogue).unwrap_or_default();
            for (key, text) in part.as_object().into_iter().flatten() {
                texts.insert(key.as_str().into(), text.as_str().unwrap_or_default().into());
            }
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
        let chinese =
            [include_str!("../../www/i18n/zh.json"), include_str!("../../www/i18n/panels.zh.json")];
        let (english, chinese) = (Words::english(), Words::read(Language::Chinese, &chinese));
        assert!(!english.texts.is_empty());
        let keys = |words: &Words| words.texts.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&english), keys(&chinese));
        for (key, text) in english.texts.iter() {
            assert_eq!(blanks(text), blanks(&chinese.get(key)), "{key}");
        }
    }

    #[test]
    fn blanks_are_filled_and_a_missing_text_shows_its_key() {
        let words = Words::english();
        assert_eq!(words.fill("who.kubelet", &[("node", "node-1")]), "the kubelet of node-1");
        assert_eq!(words.get("no.such.text"), "no.such.text");
        assert_eq!(Language::of_tag("zh-Hans"), Language::Chinese);
    }
}
