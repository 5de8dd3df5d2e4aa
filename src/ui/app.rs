//! The page: one state, one session, and the frames in which time goes on.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use gloo::events::EventListener;
use gloo::render::{AnimationFrame, request_animation_frame};
use yew::{Callback, Classes, Component, Context, Html, Properties, classes, html};

use super::Page;
use super::autosave::{Autosave, Turn};
use super::embed::Options;
use super::engine::{Engine, PanelProps};
use super::i18n::{Language, Words};
use super::listening::{follow_links, keys, leave};
use super::narration::{Line, Narration, line};
use super::pace::{Pace, Progress, run, step, step_back};
use super::panels::{BottomPanel, EditorPanel, InspectorPanel};
use super::stage::{Scenery, Stage, flights};
use super::state::{Action, Phase, State, Tab, Theme};
use super::toolbar::{Toolbar, dress};
use super::tools::{shared, tools, way_out, why};
use crate::cluster::Setup;
use crate::platform;
use crate::recording::Session;
use crate::recording::import::{Import, Imported};
use crate::share::{self, LinkError, Shared};
use crate::sim::Instant;

/// How long the engine may work in each frame.
const SLICE: Duration = Duration::from_millis(6);
/// How long it may where drawing takes long, too.
const LONGEST_SLICE: Duration = Duration::from_millis(25);
/// What passes on the wall in a frame at most, however long it took.
const LONGEST_FRAME: Duration = Duration::from_millis(100);
/// When the page opens: all nodes are ready by then.
const OPENING: Instant = Instant::from_micros(5_000_000);
const NODES: usize = 3;
const SEED: u64 = 1;
/// Under which name the session is kept.
const SESSION: &str = "session";
/// Under which name it is kept while the recording of a link is open instead.
const ASIDE: &str = "session-aside";

/// What the page hears.
pub enum Msg {
    /// A frame, at so many milliseconds.
    Frame(f64),
    /// From here on in these words.
    Speak(Words),
    Do(Action),
    /// What was put off may be kept now.
    Keep,
    /// The page is out of sight, and may not come back.
    Leave,
}

/// Tells somebody of the page, and gets what to call after every frame.
#[derive(Clone)]
pub struct Connect(Rc<dyn Fn(Page) -> Rc<dyn Fn()>>);

impl Connect {
    /// From what is to be told.
    pub fn new(connect: impl Fn(Page) -> Rc<dyn Fn()> + 'static) -> Self {
        Self(Rc::new(connect))
    }
}

impl PartialEq for Connect {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// What the page is given.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    pub connect: Connect,
    /// Those of [`language`].
    pub words: Words,
}

/// The page.
pub struct App {
    state: State,
    engine: Engine,
    words: Words,
    scenery: Scenery,
    pace: Pace,
    last_frame: Option<f64>,
    frame: Option<AnimationFrame>,
    reduced_motion: bool,
    on_action: Callback<Action>,
    after_frame: Rc<dyn Fn()>,
    autosave: Autosave,
    /// Whether it will be asked to keep what it put off.
    keep_later: bool,
    options: Options,
    said: Rc<RefCell<Line>>,
    /// Whether a session of the person's own was put aside for a link.
    aside: bool,
    is_open: Rc<Cell<bool>>,
    /// How long drawing took.
    drawing: Rc<Cell<Duration>>,
    drawn_from: Duration,
    _listeners: [EventListener; 3],
}

impl Component for App {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Self>) -> Self {
        let options = Options::parse(&platform::query());
        for unknown in &options.unknown {
            platform::warn(&format!(
                "podflow: the address asks for \"{unknown}\", which is not known"
            ));
        }
        let words = ctx.props().words.clone();
        let state = begin(&options, words.language());
        let engine = Engine::new(Session::new(Setup::new(SEED, NODES)));
        dress(&words, state.theme);
        let on_action = ctx.link().callback(Msg::Do);
        let said = Rc::<RefCell<Line>>::default();
        let (is_open, drawing) = (Rc::default(), Rc::default());
        let page = Page {
            session: engine.share(),
            on_action: on_action.clone(),
            said: Rc::clone(&said),
            is_open: Rc::clone(&is_open),
            drawing: Rc::clone(&drawing),
        };
        let mut app = Self {
            after_frame: (ctx.props().connect.0)(page),
            scenery: Scenery::default(),
            state,
            engine,
            words,
            pace: Pace::default(),
            last_frame: None,
            frame: None,
            reduced_motion: platform::prefers_reduced_motion(),
            autosave: Autosave::default(),
            keep_later: false,
            options,
            said,
            aside: false,
            is_open,
            drawing,
            drawn_from: Duration::ZERO,
            _listeners: [
                keys(&on_action),
                follow_links(&on_action),
                leave(ctx.link().callback(|()| Msg::Leave)),
            ],
            on_action,
        };
        app.open_first();
        app.next_frame(ctx);
        app
    }

    fn update(&mut self, ctx: &Context<Self>, message: Msg) -> bool {
        let mut leaving = false;
        match message {
            Msg::Frame(at) => self.pass(at),
            Msg::Keep => self.keep_later = false,
            Msg::Leave => leaving = true,
            // Who speaks is heard once the words are there.
            Msg::Do(Action::SetLanguage(language)) => {
                ctx.link().send_future(async move { Msg::Speak(Words::load(language).await) });
            }
            Msg::Do(action) => self.act(&action),
            Msg::Speak(words) => {
                self.words = words;
                self.act(&Action::SetLanguage(self.words.language()));
            }
        }
        self.drawn_from = platform::wall_clock();
        self.engine.look(|cluster| self.scenery.look(cluster));
        *self.said.borrow_mut() = line(&self.engine, &self.state, &self.words);
        self.is_open.set(self.state.phase == Phase::Ready);
        self.keep(ctx, leaving);
        self.next_frame(ctx);
        (self.after_frame)();
        true
    }

    fn rendered(&mut self, _ctx: &Context<Self>, _first: bool) {
        self.drawing.set(platform::wall_clock().saturating_sub(self.drawn_from));
    }

    fn view(&self, _ctx: &Context<Self>) -> Html {
        let State { playing, gear, theme, ref selection, tab, .. } = self.state;
        let seen = self.engine.seen();
        let on_action = &self.on_action;
        let props = PanelProps {
            engine: self.engine.clone(),
            seen,
            selection: selection.clone(),
            playing,
            readonly: self.options.readonly,
            words: self.words.clone(),
            on_action: on_action.clone(),
        };
        let flights = self.engine.look(flights);
        let words = &self.words;
        let line = self.said.borrow().clone();
        let shown = |each: Tab| {
            classes!(
                "app-part",
                format!("app-{}", each.name()),
                (tab == each).then_some("is-shown")
            )
        };
        let name = |each: Tab| words.get(&format!("panel.{}", each.name()));
        html! {
            <div class={self.class()}>
                <Toolbar now={seen.now} {playing} {gear} {theme} words={words.clone()}
                    plain={self.options.embed.is_some()} on_action={on_action.clone()}>
                    if self.options.embed.is_some() {
                        { way_out(&self.engine, words) }
                    } else {
                        { tools(&self.engine, words, on_action, Setup::new(SEED, NODES)) }
                    }
                </Toolbar>
                <nav class="app-tabs" aria-label={words.get("page.parts")}>
                    { for Tab::ALL.into_iter().map(|each| self.tab(each)) }
                </nav>
                { for self.state.notice.iter().map(|notice| html! {
                    <p class="app-notice" role="alert">{ &**notice }</p>
                }) }
                if self.aside {
                    <p class="app-notice" role="status">
                        { words.get("say.aside") }{ " " }
                        <button class="button" onclick={on_action.reform(|_| Action::BackToOwn)}>
                            { words.get("say.back-to-own") }
                        </button>
                    </p>
                }
                <main class="app-main">
                    <section class={shown(Tab::Editor)} aria-label={name(Tab::Editor)}>
                        <EditorPanel ..props.clone() />
                    </section>
                    <section class={shown(Tab::Stage)} aria-label={name(Tab::Stage)}>
                        <Stage scene={Rc::clone(self.scenery.scene())} {flights}
                            selection={selection.clone()} reduced_motion={self.reduced_motion}
                            words={words.clone()} on_action={on_action.clone()} />
                        <Narration {line} />
                    </section>
                    <section class={shown(Tab::Inspector)} aria-label={name(Tab::Inspector)}>
                        <InspectorPanel ..props.clone() />
                    </section>
                    <section class={shown(Tab::Bottom)} aria-label={name(Tab::Bottom)}>
                        <BottomPanel ..props />
                    </section>
                </main>
            </div>
        }
    }
}

impl App {
    /// How long the engine may work in this frame: as long as drawing takes, if that is more than it should.
    fn slice(&self) -> Duration {
        self.drawing.get().clamp(SLICE, LONGEST_SLICE)
    }

    fn class(&self) -> Classes {
        let embed = self.options.embed.map(|layout| format!("is-embed layout-{}", layout.name()));
        classes!("app", embed)
    }

    /// What the page opens with: a link always wins over what was kept, which is put aside for it.
    fn open_first(&mut self) {
        let own = platform::stored(SESSION).filter(|_| self.options.embed.is_none());
        match platform::fragment().filter(|fragment| share::is_link(fragment)) {
            Some(link) => {
                if let Some(own) = own.filter(|own| share::restore(own) != share::decode(&link)) {
                    platform::store(ASIDE, &own);
                    self.aside = true;
                }
                self.act(&Action::Open(link.into()));
            }
            None => {
                if let Some(own) = own {
                    self.open(share::restore(&own));
                }
            }
        }
    }

    fn tab(&self, each: Tab) -> Html {
        let selected = self.state.tab == each;
        let onclick = self.on_action.reform(move |_| Action::ShowTab(each));
        html! {
            <button class={classes!("app-tab", selected.then_some("is-selected"))}
                aria-pressed={selected.to_string()} {onclick}>
                { self.words.get(&format!("panel.{}", each.name())) }
            </button>
        }
    }

    /// Asks for a frame if time goes on and none is asked for yet.
    fn next_frame(&mut self, ctx: &Context<Self>) {
        if !self.state.is_moving() {
            self.frame = None;
            self.last_frame = None;
        } else if self.frame.is_none() {
            let link = ctx.link().clone();
            self.frame = Some(request_animation_frame(move |at| link.send_message(Msg::Frame(at))));
        }
    }

    /// Lets the time of a frame pass.
    fn pass(&mut self, at: f64) {
        self.frame = None;
        let last = self.last_frame.replace(at).unwrap_or(at);
        let wall = Duration::try_from_secs_f64((at - last) / 1000.0).unwrap_or_default();
        let began = platform::wall_clock();
        let slice = self.slice();
        let spent = || platform::wall_clock().saturating_sub(began) >= slice;
        match self.state.phase {
            Phase::Starting { until } => {
                self.engine.change(|session| run(session, until, spent));
                if self.engine.session(Session::now) >= until {
                    self.state = self.state.after(&Action::Opened);
                    if std::mem::take(&mut self.options.autoplay) {
                        self.state = self.state.after(&Action::Play);
                    }
                }
            }
            Phase::Ready if self.state.is_moving() => {
                let (pace, gear) = (&mut self.pace, self.state.gear);
                let wall = wall.min(LONGEST_FRAME);
                let progress =
                    self.engine.change(|session| pace.advance(session, gear, wall, spent));
                if progress == Progress::Rested {
                    self.state = self.state.after(&Action::Rested);
                }
            }
            Phase::Ready => {}
        }
    }

    /// Opens the recording of a link or one that was kept, or says why that cannot be.
    fn open(&mut self, read: Result<Shared, LinkError>) {
        match read {
            Ok(Shared { recording, moment }) => {
                let inputs = recording.inputs.len();
                self.autosave = Autosave::begin(inputs, false);
                self.engine.change(|session| *session = Session::open(recording));
                self.state.phase = Phase::Starting { until: moment };
                self.state.selection = None;
            }
            Err(error) => {
                let why = why(error, &self.words);
                self.state.notice = Some(self.words.fill("say.bad-link", &[("why", &why)]).into());
            }
        }
    }

    /// Puts a cluster that was read somewhere else in the place of this one.
    fn import(&mut self, import: &Import) {
        let seed = self.engine.session(|session| session.recording().setup.seed);
        let Imported { session, refused, refusals } = import.start(seed);
        self.engine.change(|own| *own = session);
        self.state.selection = None;
        self.autosave = Autosave::begin(0, true);
        platform::clear_fragment();
        self.state.notice = refused.first().map(|first| {
            let count = refusals.to_string();
            self.words.fill("import.refused", &[("count", &count), ("first", first)]).into()
        });
    }

    /// Keeps the session if it is time to, or if there is no later.
    fn keep(&mut self, ctx: &Context<Self>, leaving: bool) {
        if self.options.embed.is_some() {
            return;
        }
        let inputs = self.engine.session(|session| session.recording().inputs.len());
        let began = platform::wall_clock();
        match self.autosave.turn(inputs, self.state.is_moving(), began) {
            Turn::Later(_) if leaving => self.keep_now(began),
            Turn::Later(when) if !self.keep_later => {
                let link = ctx.link().clone();
                self.keep_later = true;
                platform::after(when.saturating_sub(began), move || link.send_message(Msg::Keep));
            }
            Turn::Rest | Turn::Later(_) => {}
            Turn::Keep => self.keep_now(began),
        }
    }

    fn keep_now(&mut self, began: Duration) {
        if let Ok(kept) = self.engine.session(|session| share::keep(&shared(session))) {
            platform::store(SESSION, &kept);
            platform::clear_fragment();
            self.autosave.kept(began, platform::wall_clock());
        } else {
            self.autosave.outgrown();
            self.state.notice = Some((&*self.words.get("say.outgrown")).into());
        }
    }

    /// Does to the session what `action` asks for, and to the state.
    fn act(&mut self, action: &Action) {
        let before = self.state.clone();
        self.state = before.after(action);
        match action {
            Action::Step => self.engine.change(step),
            Action::StepBack => self.engine.change(step_back),
            Action::ToStart => self.engine.change(|session| session.seek(OPENING)),
            Action::Seek(moment) => self.engine.change(|session| session.seek(*moment)),
            Action::Reset(setup) => {
                self.engine.change(|session| *session = Session::new(setup.clone()));
                self.state.phase = Phase::Starting { until: OPENING };
                self.state.selection = None;
                self.autosave = Autosave::default();
                platform::forget(SESSION);
                platform::clear_fragment();
            }
            Action::Import(import) => self.import(import),
            Action::Open(fragment) => self.open(share::decode(fragment)),
            Action::BackToOwn => {
                self.aside = false;
                if let Some(own) = platform::stored(ASIDE) {
                    platform::forget(ASIDE);
                    platform::clear_fragment();
                    self.open(share::restore(&own));
                }
            }
            Action::Play
            | Action::PlayIn(_)
            | Action::Pause
            | Action::TogglePlay
            | Action::SetGear(_)
            | Action::Select(_)
            | Action::Hold(_)
            | Action::SetTheme(_)
            | Action::SetLanguage(_)
            | Action::ShowTab(_)
            | Action::Refresh
            | Action::Opened
            | Action::Rested => {}
        }
        if (before.language, before.theme) != (self.state.language, self.state.theme) {
            dress(&self.words, self.state.theme);
        }
        if before.playing != self.state.playing || before.gear != self.state.gear {
            self.pace = Pace::default();
        }
    }
}

/// The language that the address asks for, or was chosen before, or that the browser has.
pub fn language() -> Language {
    let kept = platform::stored("language").unwrap_or_else(platform::browser_language);
    let asked = Options::parse(&platform::query()).language;
    asked.unwrap_or_else(|| Language::of_tag(&kept))
}

/// The page's state as the address and what was kept ask for it.
fn begin(options: &Options, language: Language) -> State {
    let kept = platform::stored("theme").and_then(|name| Theme::named(&name));
    let theme = options.theme.or(kept).unwrap_or(Theme::System);
    let state = State::new(language, theme, OPENING);
    State { gear: options.gear.unwrap_or(state.gear), ..state }
}
