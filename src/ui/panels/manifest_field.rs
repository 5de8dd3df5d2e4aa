//! The field in which a manifest is written: a plain one at first, in the editor's colours, and the
//! editor itself once it has come. Most of those who open the page only look, so the editor's
//! module, a tenth of the page's weight, is no part of what they wait for.

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlTextAreaElement;
use yew::{
    Callback, Html, InputEvent, KeyboardEvent, NodeRef, Properties, TargetCast, component, html,
    use_effect_with, use_mut_ref, use_node_ref, use_state, use_state_eq,
};

use super::super::editor::{Beginning, Editor};
use super::super::view::manifest::{CHECKED_LIVE, Problem};
use super::super::view::shade::shades;
use crate::platform;

/// Milliseconds after which the editor comes if nobody has turned to the manifest before.
const COMES_UNASKED: u32 = 5_000;

/// A line to go to; each wish is one of its own, if for the same line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    pub line: usize,
    pub wish: u32,
}

/// What is written, and whom to tell.
#[derive(Clone, PartialEq, Properties)]
pub struct FieldProps {
    pub text: Rc<str>,
    pub label: String,
    /// Marked at their lines.
    pub problems: Rc<Vec<Problem>>,
    #[prop_or_default]
    pub jump: Option<Jump>,
    /// Whether the person has turned to the manifest, near the field or in it.
    pub wanted: bool,
    pub on_change: Callback<String>,
    /// Ctrl-Enter.
    pub on_submit: Callback<()>,
}

/// A manifest, to be written.
#[component]
pub fn ManifestField(props: &FieldProps) -> Html {
    let editor = use_state(|| None::<Rc<Editor>>);
    let is_due = use_state_eq(|| false);
    let (place, plain) = (use_node_ref(), use_node_ref());

    // What the editor calls is what is true when it calls, not when it was opened.
    let latest = use_mut_ref(|| props.clone());
    *latest.borrow_mut() = props.clone();
    {
        let is_due = is_due.clone();
        use_effect_with((), move |()| {
            let timer = Timeout::new(COMES_UNASKED, move || is_due.set(true));
            move || drop(timer)
        });
    }
    {
        let (place, plain, editor) = (place.clone(), plain.clone(), editor.clone());
        use_effect_with(props.wanted || *is_due, move |comes| {
            if !comes {
                return;
            }
            spawn_local(async move {
                let Some(place) = place.cast::<web_sys::Element>() else { return };
                let (at_change, at_submit) = (Rc::clone(&latest), Rc::clone(&latest));
                let label = latest.borrow().label.clone();
                let begin = move || {
                    let plain = plain.cast::<HtmlTextAreaElement>();
                    let caret = plain.as_ref().and_then(platform::caret);
                    Beginning { text: latest.borrow().text.to_string(), caret }
                };
                let on_change = move |text| {
                    let change = at_change.borrow().on_change.clone();
                    change.emit(text);
                };
                let on_submit = move || {
                    let submit = at_submit.borrow().on_submit.clone();
                    submit.emit(());
                };
                let shown = Editor::open(place, begin, &label, on_change, on_submit).await;
                editor.set(shown.map(Rc::new));
            });
        });
    }
    {
        let editor = editor.clone();
        let dependencies = (Rc::clone(&props.problems), editor.is_some());
        use_effect_with(dependencies, move |(problems, _)| {
            if let Some(editor) = &*editor {
                editor.set_problems(problems);
            }
        });
    }
    {
        let editor = editor.clone();
        use_effect_with((Rc::clone(&props.text), editor.is_some()), move |(text, _)| {
            if let Some(editor) = &*editor {
                editor.set_text(text);
            }
        });
    }
    {
        let editor = editor.clone();
        use_effect_with((props.jump, editor.is_some()), move |(jump, _)| {
            if let (Some(editor), Some(jump)) = (&*editor, jump) {
                editor.show(jump.line);
            }
        });
    }

    // Always one child, if an empty one: Yew tells children without keys apart by their number, and
    // would make the editor's place anew.
    let before = if editor.is_none() { plain_field(props, plain) } else { Html::default() };
    html! { <><EditorPlace {place} />{ before }</> }
}

/// Where the editor's module draws.
#[derive(Clone, PartialEq, Properties)]
struct EditorPlaceProps {
    place: NodeRef,
}

/// An element that is drawn once: what comes into it later is not Yew's.
#[component]
fn EditorPlace(props: &EditorPlaceProps) -> Html {
    html! { <div class="editor-place" ref={props.place.clone()}></div> }
}

/// The field until the editor is there, and if it never comes: the text in colours, and over it,
/// with letters that cannot be seen, what is typed.
fn plain_field(props: &FieldProps, area: NodeRef) -> Html {
    let oninput = props.on_change.reform(|event: InputEvent| {
        event.target_dyn_into::<HtmlTextAreaElement>().map(|area| area.value()).unwrap_or_default()
    });
    let submit = props.on_submit.clone();
    let onkeydown = move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            submit.emit(());
        }
    };
    let digits = (props.text.lines().count().max(1).ilog10() + 1).max(2);
    let in_colours = props.text.len() <= CHECKED_LIVE;
    html! {
        <div class={if in_colours { "editor-plain editor-shaded" } else { "editor-plain" }}
            style={format!("--digits: {digits}")}>
            if in_colours {
                <pre class="editor-shade" aria-hidden="true">
                    { for props.text.split('\n').map(row) }
                </pre>
            }
            <textarea class="editor-typed" ref={area} aria-label={props.label.clone()}
                spellcheck="false" wrap="off" value={props.text.to_string()} {oninput} {onkeydown} />
        </div>
    }
}

fn row(line: &str) -> Html {
    let parts = shades(line).into_iter().map(|(shade, part)| match shade.class() {
        Some(class) => html! { <span {class}>{ part.to_owned() }</span> },
        None => html! { part.to_owned() },
    });
    html! { <span class="editor-row">{ for parts }</span> }
}
