//! The Pods as tokens: each flies from the tray to its node when it is bound.

use std::rc::Rc;

use yew::{Callback, Html, KeyboardEvent, Properties, classes, component, html};

use super::super::i18n::Words;
use super::super::px::{Px, px};
use super::super::state::Selection;
use super::layout::{Layout, Rect};
use super::scene::{Look, PodView};
use super::text::{clip, presses};
use crate::api::Kind;
use crate::sim::SortedMap;

/// What the tokens are drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct PodsProps {
    pub layout: Rc<Layout>,
    pub pods: Rc<[Rc<PodView>]>,
    pub selection: Option<Selection>,
    pub words: Words,
    pub on_select: Callback<Option<Selection>>,
}

/// Draws every Pod that has room, and says how many have none.
#[component]
pub fn Pods(props: &PodsProps) -> Html {
    let PodsProps { layout, pods, words, .. } = props;
    let mut counts: SortedMap<Option<u32>, usize> = SortedMap::new();
    let mut tokens = Vec::new();
    let mut left_out: SortedMap<Option<u32>, (usize, Rect)> = SortedMap::new();
    // Those on cells are told by their number.
    for pod in pods.iter().filter(|pod| pod.node.is_none() || layout.cards) {
        let count = counts.or_default(pod.node);
        let index = *count;
        *count += 1;
        let slot = |index| match pod.node {
            None => layout.waiting_slot(index),
            Some(node) => layout.node_slot(node, index),
        };
        if let Some(rect) = slot(index) {
            tokens.push(token(props, pod, rect));
        } else {
            if let Some(last) = index.checked_sub(1).and_then(slot) {
                left_out.insert(pod.node, (0, last));
            }
            if let Some((more, _)) = left_out.get_mut(&pod.node) {
                *more += 1;
            }
        }
    }
    let more = left_out.into_values().map(|(more, last)| {
        let text = words.fill("stage.more", &[("count", &more.to_string())]);
        let (x, y) = (last.right(), last.bottom() + 10.0);
        html! { <text class="pod-more" x={px(x)} y={px(y)} text-anchor="end">{ text }</text> }
    });
    html! { <g class="pods">{ for tokens }{ for more }</g> }
}

fn token(props: &PodsProps, pod: &PodView, rect: Rect) -> Html {
    let chosen = Selection::Object {
        kind: Kind::Pod,
        namespace: Rc::clone(&pod.namespace),
        name: Rc::clone(&pod.name),
    };
    let selected = props.selection.as_ref() == Some(&chosen);
    let name = format!("{}/{}", pod.namespace, pod.name);
    let label = props.words.fill("stage.pod", &[("name", &name), ("state", &pod.status)]);
    let choose = props.on_select.reform(move |()| Some(chosen.clone()));
    let onclick = choose.reform(|_| ());
    let onkeydown = move |event: KeyboardEvent| {
        if presses(&event.key()) {
            event.prevent_default();
            choose.emit(());
        }
    };
    let class =
        classes!("pod", format!("pod-{}", pod.look.name()), selected.then_some("is-selected"));
    let style = format!("transform: translate({}px, {}px)", Px(rect.x), Px(rect.y));
    let room = rect.w - 30.0;
    html! {
        <g key={&*pod.uid} {class} {style} role="button" tabindex="0" aria-label={label.clone()}
            aria-pressed={selected.to_string()} {onclick} {onkeydown}>
            <title>{ label }</title>
            <rect class="pod-body" width={px(rect.w)} height={px(rect.h)} rx="6" />
            <path class="pod-mark" d={mark(pod.look)} />
            <text class="pod-name" x="26" y="15">{ clip(&pod.name, room, 11.5) }</text>
            <text class="pod-status" x="26" y="27">{ clip(&pod.status, room, 9.5) }</text>
        </g>
    }
}

/// A shape of its own for each look, so that colour is never alone in saying it.
fn mark(look: Look) -> &'static str {
    match look {
        Look::Waiting => "M9 17a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
        Look::Starting => "M9 17a5 5 0 1 0 10 0a5 5 0 1 0-10 0M14 13.5v3.5l2.5 2",
        Look::Running => "M14 12a5 5 0 1 0 0 10z",
        Look::Ready => "M9 17a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
        Look::Done => "m9 17 3.5 4 7-8",
        Look::Trouble => "m10 13 8 8m0-8-8 8",
        Look::Terminating => "M9 17h10",
    }
}
