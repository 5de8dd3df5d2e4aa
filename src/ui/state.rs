//! What the page is doing: one value, changed by one function.

use std::rc::Rc;

use super::i18n::Language;
use crate::api::Kind;
use crate::cluster::{Address, Setup};
use crate::recording::import::Import;
use crate::sim::Instant;

/// All that the page knows beside the session itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub phase: Phase,
    pub playing: bool,
    /// Playing came to a moment after which nothing is on its way.
    pub rested: bool,
    pub gear: Gear,
    pub selection: Option<Selection>,
    /// The message under the pointer: time stands still meanwhile.
    pub held: Option<u64>,
    /// What went wrong with a link, until something is done.
    pub notice: Option<Rc<str>>,
    pub language: Language,
    pub theme: Theme,
    pub tab: Tab,
}

/// How far the page has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The cluster starts unseen, up to the moment at which the page opens.
    Starting {
        until: Instant,
    },
    Ready,
}

/// How fast time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gear {
    /// Each message stays long enough to be seen, idle time is skipped.
    Story,
    /// So many tenths of a second in each second on the wall.
    Tenths(u32),
}

/// The colours of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    System,
    Light,
    Dark,
}

/// What a narrow page shows; a wide one shows all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    Stage,
    Editor,
    Inspector,
    Bottom,
}

/// What everything on the page looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    Object {
        kind: Kind,
        namespace: Rc<str>,
        name: Rc<str>,
    },
    /// A message, by its id.
    Message(u64),
    Component(Address),
}

/// What a person, or a panel for them, asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Play,
    /// On, at that speed.
    PlayIn(Gear),
    Pause,
    TogglePlay,
    /// On to the next message that is told, and pause.
    Step,
    /// Back to the one before, and pause.
    StepBack,
    /// Back to the moment at which the page opened.
    ToStart,
    /// To a moment, and pause.
    Seek(Instant),
    SetGear(Gear),
    Select(Option<Selection>),
    Hold(Option<u64>),
    SetLanguage(Language),
    SetTheme(Theme),
    ShowTab(Tab),
    /// A fresh cluster.
    Reset(Setup),
    /// A cluster that was read somewhere else.
    Import(Rc<Import>),
    /// The recording in the fragment of a link.
    Open(Rc<str>),
    /// Back to the session that was put aside for a link.
    BackToOwn,
    /// The session was changed from elsewhere, such as by a link: draw it.
    Refresh,
    /// The opening is over.
    Opened,
    /// Nothing more is on its way.
    Rested,
}

impl Gear {
    /// Those that are offered.
    pub const ALL: [Self; 6] = [
        Self::Story,
        Self::Tenths(1),
        Self::Tenths(10),
        Self::Tenths(100),
        Self::Tenths(600),
        Self::Tenths(10_000),
    ];
}

impl Gear {
    /// So many times real time, as near as can be.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from floating point stays in range"
    )]
    pub fn times(times: f64) -> Self {
        Self::Tenths(((times * 10.0).round() as u32).clamp(1, 10_000))
    }
}

impl Theme {
    /// The one after it, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// Its name, as it is kept and as the style sheets know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme called `name`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::System, Self::Light, Self::Dark].into_iter().find(|theme| theme.name() == name)
    }
}

impl Tab {
    /// Those that there are.
    pub const ALL: [Self; 4] = [Self::Stage, Self::Editor, Self::Inspector, Self::Bottom];

    /// Its name, as the style sheets and catalogues know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Editor => "editor",
            Self::Inspector => "inspector",
            Self::Bottom => "bottom",
        }
    }
}

impl State {
    /// The page as it opens: the cluster starts up to `until`.
    pub fn new(language: Language, theme: Theme, until: Instant) -> Self {
        Self {
            phase: Phase::Starting { until },
            playing: false,
            rested: false,
            gear: Gear::Story,
            selection: None,
            held: None,
            notice: None,
            language,
            theme,
            tab: Tab::Editor,
        }
    }

    /// The page after `action`. What the action does to the session is not its matter.
    #[must_use]
    pub fn after(&self, action: &Action) -> Self {
        let next = self.clone();
        let pausing =
            Self { playing: false, rested: false, held: None, notice: None, ..self.clone() };
        match action {
            Action::Play => Self { tab: self.tab_to_watch(), ..self.playing() },
            Action::PlayIn(gear) => Self { gear: *gear, ..self.playing() },
            Action::TogglePlay if self.playing => pausing,
            Action::TogglePlay => self.playing(),
            Action::Pause
            | Action::Step
            | Action::StepBack
            | Action::ToStart
            | Action::Seek(_)
            | Action::Open(_)
            | Action::BackToOwn
            | Action::Reset(_) => pausing,
            Action::Import(_) => Self { tab: self.tab_to_watch(), ..pausing },
            Action::SetGear(gear) => Self { gear: *gear, ..next },
            Action::Select(selection) => Self { selection: selection.clone(), ..next },
            Action::Hold(held) => Self { held: *held, ..next },
            Action::SetLanguage(language) => Self { language: *language, ..next },
            Action::SetTheme(theme) => Self { theme: *theme, ..next },
            Action::ShowTab(tab) => Self { tab: *tab, ..next },
            Action::Refresh => next,
            Action::Opened => Self { phase: Phase::Ready, ..next },
            Action::Rested => Self { rested: true, ..pausing },
        }
    }

    /// Whether time goes on.
    pub fn is_moving(&self) -> bool {
        match self.phase {
            Phase::Starting { .. } => true,
            Phase::Ready => self.playing && self.held.is_none(),
        }
    }

    fn playing(&self) -> Self {
        let playing = self.phase == Phase::Ready;
        Self { playing, rested: false, held: None, notice: None, ..self.clone() }
    }

    /// Where to look when something begins: whoever pressed Create wants to see it.
    fn tab_to_watch(&self) -> Tab {
        match self.tab {
            Tab::Editor => Tab::Stage,
            Tab::Stage | Tab::Inspector | Tab::Bottom => self.tab,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> State {
        let state = State::new(Language::English, Theme::System, Instant::ZERO);
        state.after(&Action::Opened)
    }

    #[test]
    fn nothing_plays_before_the_cluster_has_started() {
        let starting = State::new(Language::English, Theme::System, Instant::ZERO);
        assert!(!starting.after(&Action::Play).playing);
        assert!(ready().after(&Action::Play).playing);
    }

    #[test]
    fn acting_on_time_pauses_and_looking_does_not() {
        let playing = ready().after(&Action::TogglePlay);
        for action in [Action::Step, Action::StepBack, Action::ToStart, Action::TogglePlay] {
            assert!(!playing.after(&action).playing, "{action:?}");
        }
        for action in [Action::Select(Some(Selection::Message(4))), Action::ShowTab(Tab::Bottom)] {
            assert!(playing.after(&action).playing, "{action:?}");
        }
    }

    #[test]
    fn a_held_message_stops_time_until_it_is_let_go() {
        let held = ready().after(&Action::Play).after(&Action::Hold(Some(7)));
        assert!(held.playing && !held.is_moving());
        assert!(held.after(&Action::Hold(None)).is_moving());
    }

    #[test]
    fn themes_and_their_names_go_round() {
        let themes = [Theme::System, Theme::Light, Theme::Dark];
        for theme in themes {
            assert_eq!(Theme::named(theme.name()), Some(theme));
        }
        assert_eq!(Theme::System.next().next().next(), Theme::System);
    }
}
