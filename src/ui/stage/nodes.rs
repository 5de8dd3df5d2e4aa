//! The nodes: cards with their parts and how full they are, or a picture of cells once there are many.

use std::rc::Rc;

use yew::{Callback, Html, KeyboardEvent, Properties, classes, component, html};

use super::super::i18n::Words;
use super::super::px::{Px, px};
use super::super::state::Selection;
use super::cells::Cells;
use super::layout::{Layout, Rect};
use super::scene::{NodeView, Share};
use super::text::{clip, presses};
use crate::api::Kind;

/// What the nodes are drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct NodesProps {
    pub layout: Rc<Layout>,
    pub nodes: Rc<[NodeView]>,
    /// How many of them have a kubelet: the first.
    pub kubelets: usize,
    pub selection: Option<Selection>,
    pub words: Words,
    pub on_select: Callback<Option<Selection>>,
}

/// Draws the nodes.
#[component]
pub fn Nodes(props: &NodesProps) -> Html {
    let NodesProps { layout, nodes, words, .. } = props;
    if nodes.is_empty() {
        let y = px(layout.tray.bottom() + 48.0);
        return html! {
            <text class="plan-note" x={px(layout.width / 2.0)} {y} text-anchor="middle">
                { words.get("stage.no-nodes") }
            </text>
        };
    }
    if !layout.cards {
        return html! { <Cells ..props.clone() /> };
    }
    let nodes = nodes.iter().zip(&layout.nodes).enumerate().map(|(number, (node, rect))| {
        button(props, node, card(props, node, *rect, number < props.kubelets))
    });
    html! { <g class="nodes">{ for nodes }</g> }
}

/// What kubectl says in its STATUS column, as far as it is shown here.
fn state_of(node: &NodeView, words: &Words) -> (yew::AttrValue, &'static str) {
    match (node.ready, node.schedulable) {
        (false, _) => (words.get("stage.not-ready"), "node-bad"),
        (true, false) => (words.get("stage.unschedulable"), "node-held"),
        (true, true) => (words.get("stage.ready"), "node-good"),
    }
}

/// A node and its state in words.
pub fn name_of(node: &NodeView, words: &Words) -> String {
    let (state, _) = state_of(node, words);
    words.fill("stage.node", &[("name", &node.name), ("state", &state)])
}

/// What is selected when `node` is.
pub fn chosen(node: &NodeView) -> Selection {
    Selection::Object { kind: Kind::Node, namespace: "".into(), name: Rc::clone(&node.name) }
}

/// Makes `drawing` a button that selects a node.
fn button(props: &NodesProps, node: &NodeView, drawing: Html) -> Html {
    let name = name_of(node, &props.words);
    let chosen = chosen(node);
    let selected = props.selection.as_ref() == Some(&chosen);
    let choose = props.on_select.reform(move |()| Some(chosen.clone()));
    let onclick = choose.reform(|_| ());
    let onkeydown = move |event: KeyboardEvent| {
        if presses(&event.key()) {
            event.prevent_default();
            choose.emit(());
        }
    };
    html! {
        <g key={&*node.name} class={classes!("node", selected.then_some("is-selected"))}
            role="button" tabindex="0" aria-label={name.clone()} aria-pressed={selected.to_string()}
            {onclick} {onkeydown}>
            <title>{ name }</title>
            { drawing }
        </g>
    }
}

fn card(props: &NodesProps, node: &NodeView, rect: Rect, has_kubelet: bool) -> Html {
    let NodesProps { layout, words, .. } = props;
    let (state, look) = state_of(node, words);
    let (kubelet, runtime) = layout.parts(rect);
    let room = if layout.narrow { rect.w - 32.0 } else { rect.w / 2.0 };
    let empty = layout.node_slot(0, 0).is_some() && node.pods == 0;
    html! {
        <>
            <rect class="node-card" x={px(rect.x)} y={px(rect.y)} width={px(rect.w)}
                height={px(rect.h)} rx="10" />
            <text class="plan-name" x={px(kubelet.x)} y={px(rect.y + 22.0)}>
                { clip(&node.name, room, 12.0) }
            </text>
            if layout.narrow {
                <circle class={classes!("node-lamp", look)} cx={px(runtime.right() - 5.0)}
                    cy={px(rect.y + 18.0)} r="5" />
            } else {
                <text class={classes!("node-state", look)} x={px(runtime.right())}
                    y={px(rect.y + 22.0)} text-anchor="end">
                    { clip(&state, rect.w / 2.0, 11.0) }
                </text>
            }
            if has_kubelet {
                <path class="wire wire-cri" d={format!("M{} {}H{}", Px(kubelet.right()),
                    Px(kubelet.centre().y), Px(runtime.x))} />
                { box_of(kubelet, &words.get("who.component.kubelet")) }
                { box_of(runtime, &words.get("who.component.runtime")) }
            } else {
                <text class="node-empty" x={px(kubelet.x)} y={px(kubelet.y + 16.0)}>
                    { clip(&words.get("stage.no-kubelet"), runtime.right() - kubelet.x, 11.0) }
                </text>
            }
            if empty {
                <text class="node-empty" x={px(kubelet.x)} y={px(kubelet.bottom() + 28.0)}>
                    { words.get("stage.empty") }
                </text>
            }
            { bar(layout, rect, rect.bottom() - 36.0, &words.get("stage.cpu"), node.cpu, cores) }
            { bar(layout, rect, rect.bottom() - 16.0, &words.get("stage.memory"), node.memory, bytes) }
        </>
    }
}

fn box_of(rect: Rect, name: &str) -> Html {
    let Rect { x, y, w, h } = rect;
    html! {
        <>
            <rect class="node-part" x={px(x)} y={px(y)} width={px(w)} height={px(h)} rx="5" />
            <text class="node-part-name" x={px(x + w / 2.0)} y={px(y + 16.0)} text-anchor="middle">
                { clip(name, w, 9.5) }
            </text>
        </>
    }
}

fn bar(
    layout: &Layout,
    card: Rect,
    y: f64,
    name: &str,
    share: Share,
    show: fn(Share) -> String,
) -> Html {
    let (kubelet, runtime) = layout.parts(card);
    let left = kubelet.x + 30.0;
    let width = (runtime.right() - left - if layout.narrow { 0.0 } else { 68.0 }).max(8.0);
    let value = show(share);
    html! {
        <g>
            <title>{ format!("{name} {value}") }</title>
            <text class="node-bar-name" x={px(kubelet.x)} y={px(y + 4.0)}>{ name }</text>
            <rect class="node-bar" x={px(left)} y={px(y - 4.0)} width={px(width)} height="8" rx="4" />
            <rect class="node-bar-used" x={px(left)} y={px(y - 4.0)}
                width={px(width * share.fraction())} height="8" rx="4" />
            if !layout.narrow {
                <text class="plan-mono" x={px(runtime.right())} y={px(y + 4.0)} text-anchor="end">
                    { value }
                </text>
            }
        </g>
    }
}

/// Requested of allocatable, in cores.
fn cores(share: Share) -> String {
    let cores = |milli: i128| {
        let text = format!("{}.{:03}", milli / 1000, milli % 1000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    format!("{}/{}", cores(share.requested), cores(share.allocatable.into()))
}

/// Requested of allocatable, in a unit that suits the node.
fn bytes(share: Share) -> String {
    let gib = |bytes: i128| {
        let tenths = (bytes * 10 + (1 << 29)) >> 30;
        let text = format!("{}.{}", tenths / 10, tenths % 10);
        text.trim_end_matches(".0").to_owned()
    };
    format!("{}/{}Gi", gib(share.requested), gib(share.allocatable.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_in_the_units_people_use() {
        let share = |requested, allocatable| Share { requested, allocatable };
        assert_eq!(cores(share(250, 4000)), "0.25/4");
        assert_eq!(cores(share(0, 3500)), "0/3.5");
        assert_eq!(bytes(share(2_362_232_013, 8 << 30)), "2.2/8Gi");
        assert_eq!(bytes(share(0, 4 << 30)), "0/4Gi");
    }
}
