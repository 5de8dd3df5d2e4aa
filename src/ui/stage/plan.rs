//! The fixed parts: you, the scheduler, the API server with its doors, etcd and the lines.

use std::rc::Rc;

use yew::{Callback, Html, KeyboardEvent, Properties, classes, component, html};

use super::super::i18n::Words;
use super::super::px::{Px, px};
use super::super::state::Selection;
use super::layout::{Layout, Rect, path};
use super::text::{clip, presses};
use crate::cluster::Address;

/// What the plan is drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct PlanProps {
    pub layout: Rc<Layout>,
    pub revision: u64,
    /// How many nodes have a kubelet: the first.
    pub kubelets: usize,
    pub selection: Option<Selection>,
    pub words: Words,
    pub on_select: Callback<Option<Selection>>,
}

/// Draws the fixed parts.
#[component]
pub fn Plan(props: &PlanProps) -> Html {
    let PlanProps { layout, revision, kubelets, words, .. } = props;
    let bus = layout.apiserver;
    let stages = clip(&words.get("stage.at-api"), bus.w - 32.0, 11.0);
    let revision = words.fill("stage.revision", &[("revision", &revision.to_string())]);
    html! {
        <g class="plan">
            { wires(layout, *kubelets) }
            { part(props, Address::You, layout.you, &words.get("who.you"), "kubectl") }
            { part(props, Address::Scheduler, layout.scheduler,
                &words.get("who.component.scheduler"), "kube-scheduler") }
            { button(props, Address::ApiServer, html! {
                <>
                    <rect class="plan-bus" x={px(bus.x)} y={px(bus.y)} width={px(bus.w)}
                        height={px(bus.h)} rx="10" />
                    <text class="plan-title" x={px(bus.x + 16.0)} y={px(bus.y + bus.h / 2.0 - 2.0)}>
                        { words.get("who.component.apiserver") }
                    </text>
                    <text class="plan-note" x={px(bus.x + 16.0)} y={px(bus.y + bus.h / 2.0 + 18.0)}>
                        { stages }
                    </text>
                </>
            }) }
            { door(layout.you, bus, "8080") }
            { door(layout.scheduler, bus, "6443") }
            { button(props, Address::Etcd, cylinder(layout.etcd, &revision)) }
            <text class="plan-note plan-tray" x={px(layout.tray.x)} y={px(layout.tray.y + 10.0)}>
                { words.get("stage.waiting") }
            </text>
        </g>
    }
}

fn wires(layout: &Layout, kubelets: usize) -> Html {
    let nodes = (0_u32..).zip(&layout.nodes).map(|(number, _)| Address::Kubelet(number));
    let nodes = nodes.take(if layout.cards { kubelets } else { 0 });
    let parts = [Address::You, Address::Scheduler, Address::Etcd].into_iter().chain(nodes);
    let wires = parts.map(|part| {
        let class = classes!("wire", (part == Address::Etcd).then_some("wire-store"));
        html! { <path {class} d={path(&layout.route(Address::ApiServer, part))} /> }
    });
    html! { <g>{ for wires }</g> }
}

/// A box with a name and a note.
fn part(props: &PlanProps, address: Address, place: Rect, name: &str, program: &str) -> Html {
    button(
        props,
        address,
        html! {
            <>
                <rect class="plan-box" x={px(place.x)} y={px(place.y)} width={px(place.w)}
                    height={px(place.h)} rx="8" />
                <text class="plan-name" x={px(place.x + 14.0)} y={px(place.y + place.h / 2.0 - 3.0)}>
                    { name }
                </text>
                <text class="plan-mono" x={px(place.x + 14.0)} y={px(place.y + place.h / 2.0 + 14.0)}>
                    { clip(program, place.w - 16.0, 11.0) }
                </text>
            </>
        },
    )
}

/// Makes `drawing` a button that selects a component.
fn button(props: &PlanProps, address: Address, drawing: Html) -> Html {
    let chosen = Selection::Component(address);
    let selected = props.selection.as_ref() == Some(&chosen);
    let choose = props.on_select.reform(move |()| Some(chosen.clone()));
    let onkeydown = {
        let choose = choose.clone();
        move |event: KeyboardEvent| {
            if presses(&event.key()) {
                event.prevent_default();
                choose.emit(());
            }
        }
    };
    let onclick = choose.reform(|_| ());
    html! {
        <g class={classes!("plan-part", selected.then_some("is-selected"))} role="button"
            tabindex="0" aria-pressed={selected.to_string()} {onclick} {onkeydown}>
            { drawing }
        </g>
    }
}

/// A door of the API server, where the line of `above` meets it.
fn door(above: Rect, bus: Rect, port: &'static str) -> Html {
    let x = above.centre().x;
    html! {
        <g class="plan-door">
            <rect x={px(x - 20.0)} y={px(bus.y - 9.0)} width="40" height="17" rx="4" />
            <text x={px(x)} y={px(bus.y + 3.5)} text-anchor="middle">{ port }</text>
        </g>
    }
}

fn cylinder(rect: Rect, revision: &str) -> Html {
    let Rect { x, y, w, h } = rect;
    let (left, top, wide) = (Px(x), Px(y + 9.0), Px(w));
    let body =
        format!("M{left} {top}c0-11 {wide}-11 {wide} 0v{}c0 11-{wide} 11-{wide} 0z", Px(h - 18.0));
    let lid = format!("M{left} {top}c0 11 {wide} 11 {wide} 0");
    let middle = px(x + w / 2.0);
    html! {
        <>
            <path class="plan-etcd" d={body} />
            <path class="plan-etcd-lid" d={lid} />
            <text class="plan-name" x={middle.clone()} y={px(y + h / 2.0 + 6.0)}
                text-anchor="middle">{ "etcd" }</text>
            <text class="plan-mono" x={middle} y={px(y + h / 2.0 + 22.0)}
                text-anchor="middle">{ clip(revision, w - 8.0, 10.0) }</text>
        </>
    }
}
