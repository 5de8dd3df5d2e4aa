//! The space-time diagram of messages.

use std::time::Duration;

use yew::{
    Callback, Html, MouseEvent, PointerEvent, TargetCast, WheelEvent, classes, component, html,
    use_memo, use_state_eq,
};

use super::super::engine::PanelProps;
use super::super::i18n::Words;
use super::super::px::{Px, px};
use super::super::state::{Action, Selection};
use super::super::view::span;
use super::super::view::timeline::{Diagram, LANE, Lane, WIDTH, Window, diagram};
use crate::cluster::BodyKind;

/// The stretches of time that can be shown, in milliseconds.
const SPANS: [u64; 9] = [20, 50, 200, 500, 2_000, 5_000, 20_000, 60_000, 600_000];
const KINDS: [BodyKind; 7] = [
    BodyKind::Read,
    BodyKind::Write,
    BodyKind::Answer,
    BodyKind::Watch,
    BodyKind::Store,
    BodyKind::Cri,
    BodyKind::Error,
];

/// The longest of them that is chosen by itself.
const WIDEST_FIT: usize = 7;

/// A drag: the window stays while the moment in it changes.
#[derive(Clone, Copy, PartialEq)]
struct Drag {
    window: Window,
    from: i32,
    has_moved: bool,
}

/// Draws the timeline: a click opens the message there, a drag travels in time.
#[component]
pub fn Timeline(props: &PanelProps) -> Html {
    let PanelProps { engine, seen, selection, words, on_action, .. } = props;
    // Until the person chooses, the stretch since the last thing that was sent.
    let chosen = use_state_eq(|| None::<usize>);
    let since = engine.session(|session| {
        let inputs = session.recording().inputs.iter().map(|input| input.at);
        inputs.rev().find(|at| *at <= seen.now)
    });
    let fitting = since.map_or(Duration::ZERO, |at| seen.now.since(at) * 5 / 4);
    let fitting = SPANS.iter().position(|span| Duration::from_millis(*span) >= fitting);
    let span_at = chosen.unwrap_or(fitting.unwrap_or(WIDEST_FIT).clamp(1, WIDEST_FIT));
    let heartbeats = use_state_eq(|| false);
    let drag = use_state_eq(|| None::<Drag>);
    let hovered = use_state_eq(|| None::<u64>);
    let wide = Duration::from_millis(SPANS.get(span_at).copied().unwrap_or(2_000));
    let window = drag.map_or_else(|| Window::around(seen.now, wide), |drag| drag.window);
    let drawn = use_memo((window, *heartbeats, seen.messages), |(window, heartbeats, _)| {
        engine.look(|cluster| {
            diagram(cluster.trace(), cluster.node_names().count(), *window, *heartbeats)
        })
    });

    let onpointerdown = {
        let drag = drag.clone();
        Callback::from(move |event: PointerEvent| {
            if let Some(element) = event.target_dyn_into::<web_sys::Element>() {
                // Without the capture a drag ends at the edge, no more.
                element.set_pointer_capture(event.pointer_id()).unwrap_or_default();
            }
            drag.set(Some(Drag { window, from: event.offset_x(), has_moved: false }));
        })
    };
    let onpointermove = {
        let (drag, hovered, drawn, on_action) =
            (drag.clone(), hovered.clone(), std::rc::Rc::clone(&drawn), on_action.clone());
        Callback::from(move |event: PointerEvent| match *drag {
            Some(Drag { window, from, has_moved }) => {
                if has_moved || (event.offset_x() - from).abs() > 3 {
                    drag.set(Some(Drag { window, from, has_moved: true }));
                    on_action.emit(Action::Seek(window.at(share(&event))));
                }
            }
            None => hovered.set(pointed(&drawn, &event)),
        })
    };
    let onpointerup = {
        let (drag, drawn, on_action) =
            (drag.clone(), std::rc::Rc::clone(&drawn), on_action.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some(Drag { window, has_moved: false, .. }) = *drag {
                on_action.emit(match pointed(&drawn, &event) {
                    Some(id) => Action::Select(Some(Selection::Message(id))),
                    None => Action::Seek(window.at(share(&event))),
                });
            }
            drag.set(None);
        })
    };
    let onpointercancel = { Callback::from(move |_: PointerEvent| drag.set(None)) };
    let onpointerleave = {
        let hovered = hovered.clone();
        Callback::from(move |_: PointerEvent| hovered.set(None))
    };

    let selected = match selection {
        Some(Selection::Message(id)) => Some(*id),
        Some(Selection::Object { .. } | Selection::Component(_)) | None => None,
    };
    let height = drawn.height();
    let hint = hovered.and_then(|id| {
        engine.look(|cluster| cluster.trace().get(id).map(|message| message.body.label()))
    });
    let zoom = |to: Option<usize>| {
        let chosen = chosen.clone();
        (to.is_none(), Callback::from(move |_: MouseEvent| chosen.set(to)))
    };
    let (no_nearer, nearer) = zoom(span_at.checked_sub(1));
    let (no_wider, wider) = zoom(Some(span_at + 1).filter(|at| *at < SPANS.len()));
    let (is_fitting, fit) = (chosen.is_none(), chosen.clone());
    let fit = Callback::from(move |_: MouseEvent| fit.set(None));
    let onwheel = {
        let chosen = chosen.clone();
        Callback::from(move |event: WheelEvent| {
            event.prevent_default();
            let next = if event.delta_y() > 0.0 { span_at + 1 } else { span_at.saturating_sub(1) };
            chosen.set(Some(next.min(SPANS.len() - 1)));
        })
    };
    let fold = {
        let heartbeats = heartbeats.clone();
        Callback::from(move |_: MouseEvent| heartbeats.set(!*heartbeats))
    };
    html! {
        <div class="timeline">
            <div class="timeline-tools">
                <button class="timeline-tool" disabled={no_nearer} onclick={nearer}
                    aria-label={words.get("timeline.nearer")} title={words.get("timeline.nearer")}>{ "+" }</button>
                <button class="timeline-tool" disabled={no_wider} onclick={wider}
                    aria-label={words.get("timeline.wider")} title={words.get("timeline.wider")}>{ "−" }</button>
                <span class="timeline-span">{ span(wide) }</span>
                <button class={classes!("timeline-tool", is_fitting.then_some("is-on"))}
                    aria-pressed={is_fitting.to_string()} title={words.get("timeline.fit.title")}
                    onclick={fit}>{ words.get("timeline.fit") }</button>
                <button class={classes!("timeline-tool", heartbeats.then_some("is-on"))}
                    aria-pressed={heartbeats.to_string()} onclick={fold}>
                    { words.get("timeline.heartbeats") }
                </button>
                <span class="timeline-hint">{ hint.unwrap_or_default() }</span>
            </div>
            <div class="timeline-picture">
                <ol class="timeline-lanes">
                    { for drawn.lanes.iter().map(|lane| html! { <li>{ name(*lane, props) }</li> }) }
                    if drawn.quiet > 0 { <li class="timeline-quiet">{ quiet(drawn.quiet, words) }</li> }
                </ol>
                <svg class="timeline-chart" viewBox={format!("0 0 {WIDTH} {height}")}
                    height={px(height)} preserveAspectRatio="none" role="img"
                    aria-label={words.get("timeline.name")} {onpointerdown} {onpointermove}
                    {onpointerup} {onpointercancel} {onpointerleave} {onwheel}>
                    <path class="timeline-grid" d={grid(drawn.lanes.len())} />
                    { for KINDS.iter().map(|kind| html! {
                        <path class={classes!("timeline-lines", tone(*kind))} d={drawn.path(*kind)} />
                    }) }
                    { marked(&drawn, hovered.or(selected)) }
                    <path class="timeline-now" d={format!("M{} 0V{height}", Px(window.x(seen.now)))} />
                </svg>
            </div>
        </div>
    }
}

/// Where along the width the pointer is, from 0 to 1.
fn share(event: &PointerEvent) -> f64 {
    f64::from(event.offset_x()) / width(event)
}

/// How wide the chart is on the screen.
fn width(event: &PointerEvent) -> f64 {
    let chart = event.current_target().and_then(|target| {
        use wasm_bindgen::JsCast;
        target.dyn_into::<web_sys::Element>().ok()
    });
    chart.map_or(WIDTH, |chart| f64::from(chart.client_width()).max(1.0))
}

fn pointed(drawn: &Diagram, event: &PointerEvent) -> Option<u64> {
    drawn.nearest(share(event) * WIDTH, f64::from(event.offset_y()), width(event) / WIDTH)
}

fn grid(lanes: usize) -> String {
    let lane = |at: usize| {
        let y = u32::try_from(at).map_or(0.0, f64::from) * LANE + LANE / 2.0;
        format!("M0 {y}H{WIDTH}")
    };
    (0..lanes).map(lane).collect()
}

fn marked(drawn: &Diagram, id: Option<u64>) -> Html {
    let line = drawn.lines.iter().find(|line| Some(line.id) == id);
    line.map_or_else(Html::default, |line| {
        let ((x1, y1), (x2, y2)) = (line.from, line.to);
        let d = format!("M{} {}L{} {}", Px(x1), Px(y1), Px(x2), Px(y2));
        html! { <path class={classes!("timeline-marked", tone(line.kind))} {d} /> }
    })
}

fn name(lane: Lane, props: &PanelProps) -> String {
    let words = &props.words;
    match lane {
        Lane::You => words.get("who.you").to_string(),
        Lane::ApiServer => words.get("who.component.apiserver").to_string(),
        Lane::Etcd => words.get("who.etcd").to_string(),
        Lane::Scheduler => words.get("who.component.scheduler").to_string(),
        Lane::Node(number) => props.engine.look(|cluster| {
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            cluster.node_names().nth(number).map(ToString::to_string).unwrap_or_default()
        }),
    }
}

fn quiet(count: usize, words: &Words) -> String {
    words.fill("timeline.quiet", &[("count", &count.to_string())])
}

fn tone(kind: BodyKind) -> &'static str {
    match kind {
        BodyKind::Read => "timeline-read",
        BodyKind::Write => "timeline-write",
        BodyKind::Answer => "timeline-answer",
        BodyKind::Watch => "timeline-watch",
        BodyKind::Store => "timeline-store",
        BodyKind::Cri => "timeline-cri",
        BodyKind::Error => "timeline-error",
    }
}
