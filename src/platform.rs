//! What the page asks of the machine it runs on: the wall clock, storage, preferences.
//! Natively each has a fixed answer, so that no test leans on it.

use std::time::Duration;

use gloo::storage::{LocalStorage, Storage};
use gloo::utils::{document, window};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, ResizeObserver};
use yew::{AttrValue, NodeRef};

const PREFIX: &str = "podflow.";

/// How many bytes the page asks for at once.
const ROOM: usize = 32 << 20;

/// Asks the browser for memory in one piece: each time that it grows later, the page stands still. What is
/// not used costs addresses, and no memory.
pub fn make_room() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(ROOM)));
}

/// Time on the wall since the page opened; natively zero.
pub fn wall_clock() -> Duration {
    if !cfg!(target_arch = "wasm32") {
        return Duration::ZERO;
    }
    let now = window().performance().map_or(0.0, |performance| performance.now());
    Duration::try_from_secs_f64(now / 1000.0).unwrap_or_default()
}

/// What was kept under `key`; nothing if the browser keeps nothing for this page.
pub fn stored(key: &str) -> Option<String> {
    if !cfg!(target_arch = "wasm32") {
        return None;
    }
    LocalStorage::get(format!("{PREFIX}{key}")).ok()
}

/// Keeps `value` under `key`. A browser that keeps nothing makes the page forget, no more.
pub fn store(key: &str, value: &str) {
    if cfg!(target_arch = "wasm32") {
        LocalStorage::set(format!("{PREFIX}{key}"), value).unwrap_or_default();
    }
}

/// Forgets what was kept under `key`.
pub fn forget(key: &str) {
    if cfg!(target_arch = "wasm32") {
        LocalStorage::delete(format!("{PREFIX}{key}"));
    }
}

/// What follows the `?` in the page's address, with it; empty if there is nothing.
pub fn query() -> String {
    if !cfg!(target_arch = "wasm32") {
        return String::new();
    }
    window().location().search().unwrap_or_default()
}

/// Where the caret is in the field `area`, in UTF-16 units; none if the person is elsewhere.
pub fn caret(area: &web_sys::HtmlTextAreaElement) -> Option<u32> {
    let active = document().active_element()?;
    (active == ***area).then(|| area.selection_start().ok().flatten()).flatten()
}

/// Tells whoever looks into the browser's console.
pub fn warn(text: &str) {
    if cfg!(target_arch = "wasm32") {
        web_sys::console::warn_1(&text.into());
    }
}

/// What follows the `#` in the page's address; none if there is nothing.
pub fn fragment() -> Option<String> {
    if !cfg!(target_arch = "wasm32") {
        return None;
    }
    let hash = window().location().hash().unwrap_or_default();
    hash.strip_prefix('#').filter(|fragment| !fragment.is_empty()).map(str::to_owned)
}

/// Takes the fragment out of the page's address, without loading anything.
pub fn clear_fragment() {
    if fragment().is_none() {
        return;
    }
    if let Ok(history) = window().history() {
        // A browser may refuse when it is asked too often; then the address only stays longer.
        history.replace_state_with_url(&JsValue::NULL, "", Some(&address())).unwrap_or_default();
    }
}

/// The page's address without a fragment.
pub fn address() -> String {
    if !cfg!(target_arch = "wasm32") {
        return String::new();
    }
    let address = window().location().href().unwrap_or_default();
    address.split('#').next().unwrap_or_default().to_owned()
}

/// Whether the person asked for less motion.
pub fn prefers_reduced_motion() -> bool {
    cfg!(target_arch = "wasm32")
        && matches!(
            window().match_media("(prefers-reduced-motion: reduce)"),
            Ok(Some(query)) if query.matches()
        )
}

/// The language of the browser, such as `zh-CN`.
pub fn browser_language() -> String {
    if !cfg!(target_arch = "wasm32") {
        return String::new();
    }
    window().navigator().language().unwrap_or_default()
}

/// Sets an attribute of the whole document, which its style sheets read; `None` removes it.
pub fn set_root_attribute(name: &str, value: Option<&AttrValue>) {
    if !cfg!(target_arch = "wasm32") {
        return;
    }
    let Some(root) = document().document_element() else { return };
    let done = match value {
        Some(value) => root.set_attribute(name, value),
        None => root.remove_attribute(name),
    };
    // Only an invalid name fails, and ours are fixed.
    done.unwrap_or_default();
}

/// Where in the document the page is shown; none if it has no such place.
pub fn place() -> Option<Element> {
    document().get_element_by_id("page")
}

/// From here on a panic shows the failure screen, which is plain HTML and needs no engine.
pub fn show_failures() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        before(info);
        set_root_attribute("data-failed", Some(&AttrValue::from(info.to_string())));
    }));
}

/// Calls `told` with the size of an element now, and whenever it changes until what is returned is
/// called.
pub fn watch_size(element: &NodeRef, told: Box<dyn Fn((i32, i32))>) -> impl FnOnce() + use<> {
    let watched = element.cast::<Element>();
    let seen = watched.clone();
    let changed = Closure::<dyn FnMut()>::new(move || {
        if let Some(element) = &seen {
            told((element.client_width(), element.client_height()));
        }
    });
    let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok();
    if let (Some(observer), Some(element)) = (&observer, &watched) {
        observer.observe(element);
    }
    move || {
        if let Some(observer) = observer {
            observer.disconnect();
        }
        drop(changed);
    }
}

/// The object that a page's scripts find their names in.
pub fn global() -> JsValue {
    if cfg!(target_arch = "wasm32") { window().into() } else { JsValue::UNDEFINED }
}

/// Does something once `wait` is over.
pub fn after(wait: Duration, what: impl FnOnce() + 'static) {
    if cfg!(target_arch = "wasm32") {
        let millis = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        gloo::timers::callback::Timeout::new(millis, what).forget();
    }
}

/// Opens an address in a page of its own.
pub fn open(address: &str) {
    if cfg!(target_arch = "wasm32") {
        // A browser that forbids new pages says so itself.
        drop(window().open_with_url_and_target(address, "_blank"));
    }
}

/// Puts `text` into the clipboard. A browser that forbids it leaves the text to be copied by hand.
pub fn copy(text: &str) {
    if !cfg!(target_arch = "wasm32") {
        return;
    }
    let written = window().navigator().clipboard().write_text(text);
    wasm_bindgen_futures::spawn_local(async move {
        wasm_bindgen_futures::JsFuture::from(written).await.map(|_| ()).unwrap_or_default();
    });
}
