//! What the query of the page's address asks for: how an article embeds the page.

use super::i18n::Language;
use super::state::{Gear, Theme};
use crate::api::text::float;

/// The parts that an embedded page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// The cluster alone.
    Stage,
    /// The manifest and the cluster.
    #[default]
    Split,
    /// The manifest alone.
    Editor,
}

/// What the query asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How the page is embedded; none if it stands by itself.
    pub embed: Option<Layout>,
    pub theme: Option<Theme>,
    pub language: Option<Language>,
    pub gear: Option<Gear>,
    /// Play as soon as the page is open.
    pub autoplay: bool,
    /// Look, but do not touch.
    pub readonly: bool,
    /// What was asked for and there is not.
    pub unknown: Vec<String>,
}

impl Layout {
    /// Those that there are.
    pub const ALL: [Self; 3] = [Self::Split, Self::Stage, Self::Editor];

    /// Its name in the query and in the style sheets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Split => "split",
            Self::Editor => "editor",
        }
    }
}

impl Options {
    /// Reads a query, with or without its question mark. What it does not know it leaves aside.
    pub fn parse(query: &str) -> Self {
        let mut options = Self::default();
        let mut layout = None;
        let query = query.strip_prefix('?').unwrap_or(query);
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let is_on = !matches!(value, "0" | "false");
            let known = match name {
                "embed" => {
                    options.embed = is_on.then_some(Layout::default());
                    true
                }
                "layout" => {
                    // There is no terminal yet.
                    let value = if value == "terminal" { "split" } else { value };
                    layout = Layout::ALL.into_iter().find(|layout| layout.name() == value);
                    layout.is_some()
                }
                "theme" => {
                    options.theme = Theme::named(value);
                    options.theme.is_some()
                }
                "lang" => {
                    options.language = Some(Language::of_tag(value));
                    !value.is_empty()
                }
                "gear" => {
                    options.gear = gear(value);
                    options.gear.is_some()
                }
                "autoplay" => {
                    options.autoplay = is_on;
                    true
                }
                "readonly" => {
                    options.readonly = is_on;
                    true
                }
                _ => false,
            };
            if !known {
                options.unknown.push(part.to_owned());
            }
        }
        options.embed = options.embed.map(|default| layout.unwrap_or(default));
        options
    }
}

fn gear(value: &str) -> Option<Gear> {
    if value == "story" {
        return Some(Gear::Story);
    }
    let times = float(value)?;
    (times.is_finite() && times > 0.0).then(|| Gear::times(times))
}

/// The address of the page at `address`, embedded, at the moment of the link `fragment`.
pub fn address(address: &str, options: &Options, fragment: &str) -> String {
    let address = address.split('?').next().unwrap_or_default();
    let mut query = vec!["embed".to_owned()];
    if let Some(layout) = options.embed.filter(|layout| *layout != Layout::default()) {
        query.push(format!("layout={}", layout.name()));
    }
    if let Some(theme) = options.theme {
        query.push(format!("theme={}", theme.name()));
    }
    if let Some(language) = options.language {
        query.push(format!("lang={}", language.tag()));
    }
    if options.autoplay {
        query.push("autoplay".to_owned());
    }
    if options.readonly {
        query.push("readonly".to_owned());
    }
    format!("{address}?{}#{fragment}", query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read() {
        let options =
            Options::parse("?embed&layout=stage&theme=dark&lang=zh&autoplay&gear=2&readonly");
        assert_eq!(
            options,
            Options {
                embed: Some(Layout::Stage),
                theme: Some(Theme::Dark),
                language: Some(Language::Chinese),
                gear: Some(Gear::Tenths(20)),
                autoplay: true,
                readonly: true,
                unknown: Vec::new(),
            }
        );
        assert_eq!(Options::parse(""), Options::default());
        assert_eq!(Options::parse("layout=stage").embed, None);
    }

    #[test]
    fn what_there_is_not_is_named_and_left_aside() {
        let options = Options::parse("embed&layout=round&gear=fast&theme=pink&x=1&autoplay=0");
        assert_eq!(options.embed, Some(Layout::Split));
        assert_eq!(options.unknown, ["layout=round", "gear=fast", "theme=pink", "x=1"]);
        assert!(!options.autoplay);
    }

    #[test]
    fn an_address_says_again_what_was_read() {
        let options = Options {
            embed: Some(Layout::Editor),
            theme: Some(Theme::Light),
            autoplay: true,
            ..Options::default()
        };
        let address = address("https://x.example/p/?lang=zh", &options, "p1=abc");
        assert_eq!(address, "https://x.example/p/?embed&layout=editor&theme=light&autoplay#p1=abc");
        let query = address.split_once('?').and_then(|(_, rest)| rest.split_once('#'));
        assert_eq!(Options::parse(query.unwrap().0), options);
    }
}
