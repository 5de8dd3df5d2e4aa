//! What stands beside the playback: the ways to share what is shown, and to begin anew.

use yew::{AttrValue, Callback, Html, MouseEvent, html};

use super::engine::Engine;
use super::i18n::Words;
use super::panels::{Embed, Share};
use super::state::Action;
use crate::cluster::Setup;
use crate::platform;
use crate::recording::Session;
use crate::share::{self, LinkError, Shared};

/// The tools of the whole page. Another cluster is begun as `fresh`.
pub fn tools(engine: &Engine, words: &Words, on_action: &Callback<Action>, fresh: Setup) -> Html {
    let fragment = fragment(engine, words);
    let link = {
        let fragment = fragment.clone();
        Callback::from(move |()| {
            let made: Result<AttrValue, AttrValue> = fragment.emit(());
            made.map(|fragment| format!("{}#{fragment}", platform::address()).into())
        })
    };
    let reset = on_action.reform(move |_| Action::Reset(fresh.clone()));
    html! {
        <>
            <Share {link} words={words.clone()} />
            <Embed {fragment} words={words.clone()} />
            <button class="button" onclick={reset}>{ words.get("tool.reset") }</button>
        </>
    }
}

/// The one tool in an article: the way to the whole page.
pub fn way_out(engine: &Engine, words: &Words) -> Html {
    let fragment = fragment(engine, words);
    let open = move |_: MouseEvent| {
        let address = platform::address();
        let page = address.split('?').next().unwrap_or_default();
        platform::open(&match fragment.emit(()) {
            Ok(fragment) => format!("{page}#{fragment}"),
            Err(_) => page.to_owned(),
        });
    };
    html! { <button class="button" onclick={open}>{ words.get("embed.open") }</button> }
}

/// What makes a link's fragment of what is shown then, or says why there can be none.
fn fragment(engine: &Engine, words: &Words) -> Callback<(), Result<AttrValue, AttrValue>> {
    let (engine, words) = (engine.clone(), words.clone());
    Callback::from(move |()| {
        let made = engine.session(|session| share::encode(&shared(session)));
        made.map(Into::into).map_err(|error| why(error, &words).into())
    })
}

/// The session as it is shared.
pub fn shared(session: &Session) -> Shared {
    Shared { recording: session.recording().clone(), moment: session.now() }
}

/// What is wrong with a link, in the page's words.
pub fn why(error: LinkError, words: &Words) -> String {
    let key = match error {
        LinkError::NotALink => "link.none",
        LinkError::OtherVersion => "link.other-version",
        LinkError::NotBase64 => "link.not-base64",
        LinkError::Damaged => "link.damaged",
        LinkError::TooLarge => "link.too-large",
        LinkError::NotARecording => "link.no-recording",
    };
    words.get(key).to_string()
}
