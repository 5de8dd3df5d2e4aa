//! Deleting an object: which, and how long it may take to stop.

use std::rc::Rc;

use serde_json::json;
use yew::{
    Callback, Html, InputEvent, Properties, SubmitEvent, TargetCast, component, html, use_state_eq,
};

use super::super::engine::Engine;
use super::super::i18n::Words;
use super::super::state::Action;
use crate::api::{Kind, request};
use crate::cluster::HttpCall;

/// What is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub kind: Kind,
    pub namespace: Rc<str>,
    pub name: Rc<str>,
}

/// The question, and who is told.
#[derive(Clone, PartialEq, Properties)]
pub struct DeleteProps {
    pub target: Target,
    pub engine: Engine,
    pub words: Words,
    pub on_action: Callback<Action>,
    pub on_close: Callback<()>,
}

/// Asks; only a Pod has a grace period, and an empty one leaves it to the Pod.
#[component]
pub fn Delete(props: &DeleteProps) -> Html {
    let DeleteProps { target, engine, words, on_action, on_close } = props;
    let grace = use_state_eq(String::new);
    let oninput = {
        let grace = grace.clone();
        move |event: InputEvent| {
            let field = event.target_dyn_into::<web_sys::HtmlInputElement>();
            grace.set(field.map(|field| field.value()).unwrap_or_default());
        }
    };
    let onsubmit = {
        let (target, engine, on_action) = (target.clone(), engine.clone(), on_action.clone());
        let (on_close, grace) = (on_close.clone(), grace.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            engine.submit(call(&target, grace.trim().parse().ok()));
            on_close.emit(());
            on_action.emit(Action::Play);
        }
    };
    let reference = format!("{}/{}", target.kind.resource().singular(), target.name);
    html! {
        <form class="delete" {onsubmit}>
            <span>{ words.fill("delete.ask", &[("object", &reference)]) }</span>
            if target.kind == Kind::Pod {
                <label class="delete-grace">
                    { words.get("delete.grace") }
                    <input class="delete-seconds" type="number" min="0" max="3600" placeholder="30"
                        value={(*grace).clone()} {oninput} />
                </label>
            }
            <button class="button delete-go" type="submit">{ words.get("objects.delete") }</button>
            <button class="button" type="button" onclick={on_close.reform(|_| ())}>
                { words.get("delete.cancel") }
            </button>
        </form>
    }
}

/// The request that deletes `target`.
fn call(target: &Target, grace: Option<u32>) -> HttpCall {
    let path = request::Target::named(target.kind, &target.namespace, &target.name).to_string();
    let options = grace.map(|seconds| {
        json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": seconds})
    });
    HttpCall::new("DELETE", &path, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_period_goes_into_the_options() {
        let target = Target { kind: Kind::Pod, namespace: "default".into(), name: "web".into() };
        let call = super::call(&target, Some(5));
        assert_eq!((&*call.method, &*call.path), ("DELETE", "/api/v1/namespaces/default/pods/web"));
        let grace = call.body.and_then(|body| body.get("gracePeriodSeconds").cloned());
        assert_eq!(grace, Some(json!(5)));
        assert_eq!(super::call(&target, None).body, None);
    }
}
