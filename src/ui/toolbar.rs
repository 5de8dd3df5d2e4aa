//! The bar on top: playback, the clock, the speed, language and colours.

use yew::{AttrValue, Callback, Event, Html, Properties, TargetCast, classes, component, html};

use super::i18n::Words;
use super::icons::{Icon, icon, logo};
use super::state::{Action, Gear, Theme};
use super::view::clock;
use crate::platform;
use crate::sim::Instant;

/// What the bar shows.
#[derive(Clone, PartialEq, Properties)]
pub struct ToolbarProps {
    pub now: Instant,
    pub playing: bool,
    pub gear: Gear,
    pub theme: Theme,
    pub words: Words,
    pub on_action: Callback<Action>,
    /// Only playback: the rest is whose the page around is.
    #[prop_or_default]
    pub plain: bool,
    /// What else belongs there.
    #[prop_or_default]
    pub children: Html,
}

/// Draws the bar.
#[component]
pub fn Toolbar(props: &ToolbarProps) -> Html {
    let ToolbarProps { now, playing, theme, words, on_action, children, .. } = props;
    let tool = |kind, key: &str, action: Action| {
        let name = words.get(key);
        let onclick = on_action.reform(move |_| action.clone());
        let class = classes!("toolbar-button", (action_is_main(kind)).then_some("toolbar-main"));
        html! {
            <button {class} title={name.clone()} aria-label={name} {onclick}>{ icon(kind) }</button>
        }
    };
    let (play, play_key) =
        if *playing { (Icon::Pause, "play.pause") } else { (Icon::Play, "play.play") };
    let language = words.language().other();
    let speak = on_action.reform(move |_| Action::SetLanguage(language));
    let next_theme = theme.next();
    let paint = on_action.reform(move |_| Action::SetTheme(next_theme));
    let theme = words.get(&format!("theme.{}", theme.name()));
    html! {
        <header class="toolbar">
            <h1 class="toolbar-name">{ logo() }<span>{ "podflow" }</span></h1>
            <div class="toolbar-transport" role="group" aria-label={words.get("play.controls")}>
                { tool(Icon::ToStart, "play.to-start", Action::ToStart) }
                { tool(Icon::Back, "play.back", Action::StepBack) }
                { tool(play, play_key, Action::TogglePlay) }
                { tool(Icon::Step, "play.step", Action::Step) }
                <output class="toolbar-clock" aria-label={words.get("play.clock")} aria-live="off">
                    { clock(*now) }
                </output>
                <Gears gear={props.gear} words={words.clone()} on_action={on_action.clone()} />
            </div>
            <div class="toolbar-tools">
                { children.clone() }
                if !props.plain {
                    <button class="button" lang={language.tag()} onclick={speak}
                        title={words.get("tool.language.name")}
                        aria-label={words.get("tool.language.name")}>
                        { words.get("tool.language") }
                    </button>
                    <button class="button" title={theme.clone()} aria-label={theme} onclick={paint}>
                        { icon(Icon::Theme) }
                    </button>
                }
            </div>
        </header>
    }
}

fn action_is_main(kind: Icon) -> bool {
    matches!(kind, Icon::Play | Icon::Pause)
}

/// What the choice of the speed needs.
#[derive(Clone, PartialEq, Properties)]
struct GearsProps {
    gear: Gear,
    words: Words,
    on_action: Callback<Action>,
}

/// The choice of the speed.
#[component]
fn Gears(props: &GearsProps) -> Html {
    let GearsProps { gear, words, on_action } = props;
    let onchange = on_action.reform(|event: Event| {
        let chosen = event.target_dyn_into::<web_sys::HtmlSelectElement>();
        let index = chosen.map_or(0, |select| select.selected_index());
        let index = usize::try_from(index).unwrap_or_default();
        Action::SetGear(Gear::ALL.get(index).copied().unwrap_or(Gear::Story))
    });
    let options = Gear::ALL.iter().map(|each| {
        html! { <option selected={each == gear}>{ name(*each, words) }</option> }
    });
    html! {
        <select class="toolbar-gear" aria-label={words.get("play.gear")}
            title={words.get("play.gear")} {onchange}>
            { for options }
        </select>
    }
}

fn name(gear: Gear, words: &Words) -> AttrValue {
    match gear {
        Gear::Story => words.get("play.gear.story"),
        Gear::Tenths(tenths) if tenths % 10 == 0 => format!("{}×", tenths / 10).into(),
        Gear::Tenths(tenths) => format!("{}.{}×", tenths / 10, tenths % 10).into(),
    }
}

/// Makes the whole document speak `words`' language in the colours of `theme`, and keeps both.
pub fn dress(words: &Words, theme: Theme) {
    let language = words.language().tag();
    platform::set_root_attribute("lang", Some(&AttrValue::from(language)));
    let painted = match theme {
        Theme::System => None,
        Theme::Light | Theme::Dark => Some(AttrValue::from(theme.name())),
    };
    platform::set_root_attribute("data-theme", painted.as_ref());
    platform::store("language", language);
    platform::store("theme", theme.name());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_shows_thousandths() {
        assert_eq!(clock(Instant::from_micros(12_482_013)), "00:00:12.482");
    }

    #[test]
    fn speeds_have_names() {
        let words = Words::english();
        let names: Vec<_> = Gear::ALL.iter().map(|gear| name(*gear, &words).to_string()).collect();
        assert_eq!(names, ["story", "0.1×", "1×", "10×", "60×", "1000×"]);
    }
}
