//! The messages on their way: dots along their lines.

use std::rc::Rc;

use yew::{Callback, Html, KeyboardEvent, Properties, classes, component, html};

use super::super::i18n::Words;
use super::super::px::{Px, px};
use super::super::state::Selection;
use super::layout::{Layout, Point, along, path};
use super::scene::Flight;
use super::text::{clip, presses};
use crate::api::text::fixed;
use crate::cluster::{Address, BodyKind};

/// With more labels than this there would be nothing but labels.
const MOST_LABELS: usize = 5;

/// What the flights are drawn from.
#[derive(Clone, PartialEq, Properties)]
pub struct FlightsProps {
    pub layout: Rc<Layout>,
    pub flights: Rc<[Flight]>,
    pub selection: Option<Selection>,
    pub reduced_motion: bool,
    pub words: Words,
    pub on_select: Callback<Option<Selection>>,
    pub on_hold: Callback<Option<u64>>,
}

/// Draws the messages.
#[component]
pub fn Flights(props: &FlightsProps) -> Html {
    let FlightsProps { layout, flights, reduced_motion, .. } = props;
    let told = flights.iter().filter(|flight| flight.told).count();
    let mut labels: Vec<Point> = Vec::new();
    let drawn = flights.iter().filter_map(|flight| {
        let route = layout.route(flight.from, flight.to);
        let fraction = if *reduced_motion { 0.5 } else { flight.fraction };
        let at = along(&route, fraction)?;
        let label =
            (flight.told && told <= MOST_LABELS).then(|| place(layout, &mut labels, flight, at));
        Some(dot(props, flight, &path(&route), at, label))
    });
    html! { <g class="flights">{ for drawn }</g> }
}

/// A place for the label of the dot at `at`, clear of those that have theirs.
fn place(layout: &Layout, taken: &mut Vec<Point>, flight: &Flight, at: Point) -> Point {
    let mut label = match (flight.from, flight.to) {
        (Address::Etcd, _) | (_, Address::Etcd) => {
            Point { x: layout.etcd.right(), y: layout.etcd.y - 24.0 }
        }
        (Address::Runtime(node), _) | (_, Address::Runtime(node)) => layout.above_node(node),
        (
            Address::You | Address::ApiServer | Address::Scheduler | Address::Kubelet(_),
            Address::You | Address::ApiServer | Address::Scheduler | Address::Kubelet(_),
        ) => {
            let beside = if at.x < layout.width * 0.55 { 14.0 } else { -14.0 };
            Point { x: at.x + beside, y: at.y + 4.0 }
        }
    };
    while taken
        .iter()
        .any(|other| (other.y - label.y).abs() < 13.0 && (other.x - label.x).abs() < 180.0)
    {
        label.y += 14.0;
    }
    taken.push(label);
    label
}

fn dot(props: &FlightsProps, flight: &Flight, line: &str, at: Point, label: Option<Point>) -> Html {
    let chosen = Selection::Message(flight.id);
    let selected = props.selection.as_ref() == Some(&chosen);
    let choose = props.on_select.reform(move |()| Some(chosen.clone()));
    let onclick = choose.reform(|_| ());
    let onkeydown = move |event: KeyboardEvent| {
        if presses(&event.key()) {
            event.prevent_default();
            choose.emit(());
        }
    };
    let id = flight.id;
    let onpointerover = props.on_hold.reform(move |_| Some(id));
    let onpointerout = props.on_hold.reform(|_| None);
    let colour = format!("flight-{}", colour(flight.kind));
    let small = (!flight.told).then_some("is-minor");
    let class = classes!("flight", colour, small, selected.then_some("is-selected"));
    let (from, to) = (flight.from.to_string(), flight.to.to_string());
    let values = [("label", &*flight.label), ("from", &*from), ("to", &*to)];
    let name = props.words.fill("stage.message", &values);
    // Without motion a message comes and goes instead of moving.
    let seen = (1.0 - (2.0 * flight.fraction - 1.0).abs()).mul_add(1.6, 0.15).min(1.0);
    let style = props.reduced_motion.then(|| format!("opacity: {}", fixed(seen, 2)));
    let position = format!("translate({} {})", Px(at.x), Px(at.y));
    html! {
        <g key={id} {class} {style}>
            <path class="flight-line" d={line.to_owned()} />
            <g class="flight-dot" transform={position} role="button" tabindex="0"
                aria-label={name.clone()} {onclick} {onkeydown} {onpointerover} {onpointerout}>
                <title>{ name }</title>
                <circle class="flight-reach" r="16" />
                <circle class="flight-halo" r={if flight.told { "11" } else { "0" }} />
                <circle class="flight-core" r={if flight.told { "6.5" } else { "3.5" }} />
            </g>
            if let Some(label) = label {
                { text_of(props, flight, label, at) }
            }
        </g>
    }
}

fn text_of(props: &FlightsProps, flight: &Flight, label: Point, at: Point) -> Html {
    let ends = match (flight.from, flight.to) {
        (Address::Etcd, _) | (_, Address::Etcd) => true,
        (Address::Runtime(_), _) | (_, Address::Runtime(_)) => false,
        (
            Address::You | Address::ApiServer | Address::Scheduler | Address::Kubelet(_),
            Address::You | Address::ApiServer | Address::Scheduler | Address::Kubelet(_),
        ) => label.x < at.x,
    };
    let (anchor, room) =
        if ends { ("end", label.x) } else { ("start", props.layout.width - label.x) };
    html! {
        <text class="flight-label" x={px(label.x)} y={px(label.y)} text-anchor={anchor}>
            { clip(&flight.label, (room - 6.0).min(300.0), 12.5) }
        </text>
    }
}

/// The name of its colour, as the style sheets know it.
fn colour(kind: BodyKind) -> &'static str {
    match kind {
        BodyKind::Read => "read",
        BodyKind::Write => "write",
        BodyKind::Answer => "answer",
        BodyKind::Watch => "watch",
        BodyKind::Store => "store",
        BodyKind::Cri => "cri",
        BodyKind::Error => "error",
    }
}
