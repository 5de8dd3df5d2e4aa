//! The script interface: `window.podflow`.
//!
//! Every call works on the very session that the page shows. What takes virtual time runs in slices,
//! so that the page stays alive; a failed call rejects with the API server's `Status`, or with an
//! `Error` that says what was wrong.

mod drive;
mod events;
mod fetch;
mod manifest;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::api::wire::Node;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};
use wasm_bindgen_futures::future_to_promise;

use crate::api::decode::{TypeError, decode};
use crate::cluster::{Setup, Specs};
use crate::recording::Session;
use crate::share::{self, Shared};
use crate::sim::Instant;

pub use drive::Crowd;
use drive::Idle;
use events::Listeners;

/// What the interface asks of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// Play on: at so many times real time, or in the story's pace if none is given.
    Play(Option<f64>),
    Pause,
    /// The session changed under the page: draw it.
    Refresh,
}

/// What the page lends to the interface.
#[derive(Clone)]
pub struct Host {
    pub session: Rc<RefCell<Session>>,
    pub control: Rc<dyn Fn(Control)>,
    /// Time on the wall.
    pub clock: fn() -> Duration,
    /// Whether the page has come to the moment that it opens at; [`Podflow::ready`] resolves then.
    pub is_open: Rc<Cell<bool>>,
    /// What the page says of the moment, and of which message.
    pub said: Rc<dyn Fn() -> (String, Option<u64>)>,
    /// The page's address without a fragment.
    pub address: Rc<dyn Fn() -> String>,
    pub crowd: Rc<Crowd>,
    /// What scripts have sent last.
    pub specs: Rc<RefCell<Specs>>,
}

/// `window.podflow`.
#[wasm_bindgen]
pub struct Podflow {
    host: Host,
    listeners: Rc<RefCell<Listeners>>,
    ready: Promise,
}

/// Puts the interface into `window.podflow`; the result is to be called once a frame, and tells the
/// listeners what has happened since.
pub fn install(window: &JsValue, host: Host) -> Rc<dyn Fn()> {
    let listeners = Rc::new(RefCell::new(Listeners::default()));
    let ready = Promise::new(&mut |resolve, _| {
        listeners.borrow_mut().wait(resolve);
    });
    let (session, said) = (Rc::clone(&host.session), Rc::clone(&host.said));
    let is_open = Rc::clone(&host.is_open);
    let told = Rc::clone(&listeners);
    let value = JsValue::from(Podflow { host, listeners, ready });
    if Reflect::set(window, &"podflow".into(), &value).is_err() {
        // A page that forbids the name has no interface; all else works.
        return Rc::new(|| {});
    }
    Rc::new(move || events::tell(&told, &session, &said(), is_open.get()))
}

#[wasm_bindgen]
impl Podflow {
    /// Resolves once the page is open: the cluster has started, or what was kept or shared is where it was.
    #[wasm_bindgen(getter)]
    pub fn ready(&self) -> Promise {
        self.ready.clone()
    }

    /// The page's version.
    #[wasm_bindgen(getter)]
    #[expect(clippy::unused_self, reason = "scripts read it from the object")]
    pub fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    /// Applies manifests as `kubectl apply` does; resolves to the objects as they are then, or rejects
    /// with the `Status` of the first that is refused.
    pub fn apply(&self, yaml: String) -> Promise {
        let host = self.host.clone();
        future_to_promise(async move { manifest::apply_all(&host, &yaml).await.map(Into::into) })
    }

    /// Tries the one Pod of a manifest without creating it: resolves to what the scheduler would decide
    /// now, or rejects with the `Status` if it is refused.
    #[wasm_bindgen(js_name = whatIf)]
    pub fn what_if(&self, yaml: String) -> Promise {
        let host = self.host.clone();
        future_to_promise(async move { manifest::what_if(&host, &yaml).await })
    }

    /// Puts the cluster that `kubectl get nodes,pods,… -A -o yaml` (or `json`) has told of in the place of
    /// this one; resolves to what it held, what was left out and what was refused. Values of Secrets
    /// are left out. Nothing leaves the page.
    #[wasm_bindgen(js_name = importCluster)]
    pub fn import_cluster(&self, text: String) -> Promise {
        let host = self.host.clone();
        future_to_promise(async move { manifest::import(&host, &text).await })
    }

    /// The REST API, through the insecure door. Watches and followed logs stream.
    pub fn fetch(&self, path: String, init: Option<Object>) -> Promise {
        let host = self.host.clone();
        let listeners = Rc::clone(&self.listeners);
        future_to_promise(
            async move { fetch::fetch(&host, &listeners, &path, init.as_ref()).await },
        )
    }

    /// Plays on, at `gear` times real time or as `"story"`.
    #[expect(clippy::needless_pass_by_value, reason = "scripts hand over a value")]
    pub fn play(&self, gear: JsValue) {
        (self.host.control)(Control::Play(gear.as_f64().filter(|gear| *gear > 0.0)));
    }

    /// Stops the clock.
    pub fn pause(&self) {
        (self.host.control)(Control::Pause);
    }

    /// Plays the next event.
    pub fn step(&self) -> Promise {
        self.host.session.borrow_mut().step();
        (self.host.control)(Control::Refresh);
        Promise::resolve(&JsValue::UNDEFINED)
    }

    /// Runs so many virtual seconds, as fast as the machine can.
    pub fn run(&self, seconds: f64) -> Promise {
        let host = self.host.clone();
        let until = self.host.session.borrow().now() + span(seconds);
        future_to_promise(async move {
            host.run_until(until).await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Runs until nothing but heartbeats has been sent for two virtual seconds, or so many (60) are over.
    #[wasm_bindgen(js_name = runUntilIdle)]
    pub fn run_until_idle(&self, limit_seconds: Option<f64>) -> Promise {
        let host = self.host.clone();
        let until = self.host.session.borrow().now() + span(limit_seconds.unwrap_or(60.0));
        future_to_promise(async move {
            let mut idle = Idle::after(&host.session.borrow());
            host.run_while(until, |session| !idle.is(session)).await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Virtual seconds since the cluster began.
    #[expect(clippy::cast_precision_loss, reason = "exact for the first 285 years")]
    pub fn now(&self) -> f64 {
        self.host.session.borrow().now().as_micros() as f64 / 1e6
    }

    /// Goes to a moment.
    pub fn seek(&self, seconds: f64) -> Promise {
        let host = self.host.clone();
        let moment = Instant::ZERO + span(seconds);
        future_to_promise(async move {
            if moment < host.session.borrow().now() {
                host.session.borrow_mut().seek(moment);
            }
            host.run_until(moment).await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// A link to this very moment.
    ///
    /// # Errors
    ///
    /// If the recording is larger than a link may be.
    pub fn link(&self) -> Result<String, JsError> {
        let session = self.host.session.borrow();
        let recording = session.recording().clone();
        let fragment = share::encode(&Shared { recording, moment: session.now() })?;
        Ok(format!("{}#{fragment}", (self.host.address)()))
    }

    /// Opens a link of [`Podflow::link`].
    pub fn open(&self, link: String) -> Promise {
        let host = self.host.clone();
        future_to_promise(async move {
            let fragment = link.split_once('#').map_or("", |(_, fragment)| fragment);
            let shared = share::decode(fragment).map_err(JsError::from)?;
            *host.session.borrow_mut() = Session::open(shared.recording);
            host.run_until(shared.moment).await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Begins anew: `{ seed, nodes }`, nodes as a count or as Node manifests.
    pub fn reset(&self, setup: Option<Object>) -> Promise {
        let host = self.host.clone();
        future_to_promise(async move {
            let setup = read_setup(setup.as_ref())?;
            *host.session.borrow_mut() = Session::new(setup);
            (host.control)(Control::Refresh);
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Calls `listener` on each `message`, `object`, `decision`, `narration` or `state`; the result
    /// ends that.
    ///
    /// # Errors
    ///
    /// If there are no events of that kind.
    pub fn on(&self, kind: &str, listener: Function) -> Result<JsValue, JsError> {
        events::listen(&self.listeners, &self.host.session.borrow(), kind, listener)
    }

    /// The event log: one line a message.
    pub fn log(&self) -> String {
        self.host.session.borrow().cluster().log()
    }
}

fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::ZERO)
}

/// A value as a script sees it.
fn to_js(value: &serde_json::Value) -> Result<JsValue, JsValue> {
    js_sys::JSON::parse(&value.to_string())
}

/// What a script gave, as values.
fn from_js(value: &JsValue) -> Result<serde_json::Value, JsValue> {
    let text = js_sys::JSON::stringify(value)?.as_string().unwrap_or_default();
    serde_json::from_str(&text).map_err(|error| JsError::new(&error.to_string()).into())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "checked to be whole and in range"
)]
fn read_setup(setup: Option<&Object>) -> Result<Setup, JsValue> {
    let field = |name: &str| match setup {
        Some(setup) => Reflect::get(setup, &name.into()).unwrap_or_default(),
        None => JsValue::UNDEFINED,
    };
    let seed = field("seed").as_f64().unwrap_or(1.0);
    if seed < 0.0 || seed.fract() != 0.0 || seed > 9e15 {
        return Err(JsError::new("seed: a whole number from 0 on").into());
    }
    let nodes = field("nodes");
    if let Some(count) = nodes.as_f64() {
        if count < 0.0 || count.fract() != 0.0 || count > crate::cluster::MOST_NODES as f64 {
            return Err(JsError::new("nodes: a whole number from 0 to 5000").into());
        }
        return Ok(Setup::new(seed as u64, count as usize));
    }
    if nodes.is_undefined() {
        return Ok(Setup::new(seed as u64, 3));
    }
    let serde_json::Value::Array(nodes) = from_js(&nodes)? else {
        return Err(JsError::new("nodes: a number, or a list of Node manifests").into());
    };
    let nodes: Result<Vec<Node>, TypeError> =
        nodes.iter().map(|node| decode(node).map(|read| read.object)).collect();
    let nodes = nodes.map_err(|error| JsError::new(&format!("nodes: {error}")))?;
    Ok(Setup { seed: seed as u64, nodes })
}
