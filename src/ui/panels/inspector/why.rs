//! Why a Pod is where it is, or nowhere: the scheduler's table.

use std::rc::Rc;

use web_sys::HtmlSelectElement;
use yew::{
    Callback, Event, Html, MouseEvent, Properties, TargetCast, UseStateHandle, classes, component,
    html, use_state_eq,
};

use super::parts;
use crate::platform;
use crate::scheduler::helps::Change;
use crate::scheduler::{Decision, Score};
use crate::share::decision::{as_csv, as_json};
use crate::ui::engine::Engine;
use crate::ui::i18n::Words;
use crate::ui::view::clock;
use crate::ui::view::inspect::PodView;
use crate::ui::view::why::{Column, NodeVerdict, Room, Why, WhyRow};

/// The Pod that is asked about.
#[derive(Clone, PartialEq, Properties)]
pub struct WhyHereProps {
    pub engine: Engine,
    pub pod: Rc<PodView>,
    pub words: Words,
}

/// Draws what the scheduler last thought of a Pod, or at an earlier attempt.
#[component]
pub fn WhyHere(props: &WhyHereProps) -> Html {
    let WhyHereProps { engine, pod, words } = props;
    let earlier = use_state_eq(|| None::<Rc<Decision>>);
    let full = use_state_eq(|| None::<Rc<Decision>>);
    let Some(why) = &pod.why else {
        let scheduled: Vec<_> = pod
            .conditions
            .iter()
            .filter(|row| row.name == crate::api::words::POD_SCHEDULED)
            .cloned()
            .collect();
        return html! {
            <>
                <p class="inspector-empty">{ words.get("why.unknown") }</p>
                if !scheduled.is_empty() { { parts::conditions(&scheduled, words) } }
            </>
        };
    };
    // One that is kept no more, or is of another Pod, is not looked at.
    let picked = earlier.as_ref().filter(|one| **one != why.decision && why.attempts.contains(one));
    let shown = picked.map_or_else(|| why.clone(), |attempt| why.at(Rc::clone(attempt)));
    let title = match &shown.decision.chosen {
        Some(node) => words.fill("why.chosen", &[("node", node)]),
        None => words.get("why.nowhere").to_string(),
    };
    let choice = html! {
        if why.attempts.len() > 1 { { attempts(why, &shown.decision, &earlier, words) } }
    };
    let on_all = {
        let (engine, full, decision) = (engine.clone(), full.clone(), Rc::clone(&shown.decision));
        Callback::from(move |()| full.set(engine.session(|session| session.in_full(&decision))))
    };
    let shown = match full.as_ref() {
        Some(full) if full.is_of_attempt(&shown.decision) => shown.in_full(Rc::clone(full)),
        Some(_) | None => shown,
    };
    html! { <>{ choice }<WhyTable why={shown} {title} words={words.clone()} {on_all} /></> }
}

/// The choice of the attempt, the latest first.
fn attempts(
    why: &Why,
    shown: &Rc<Decision>,
    earlier: &UseStateHandle<Option<Rc<Decision>>>,
    words: &Words,
) -> Html {
    let onchange = {
        let (earlier, all) = (earlier.clone(), why.attempts.clone());
        move |event: Event| {
            let select: HtmlSelectElement = event.target_unchecked_into();
            let at = usize::try_from(select.selected_index()).unwrap_or_default();
            earlier.set(all.iter().rev().nth(at).map(Rc::clone));
        }
    };
    let option = |one: &Rc<Decision>| {
        let (time, room) = (clock(one.at), one.candidates.first());
        let said = match (&one.chosen, room) {
            (Some(node), _) => words.fill("why.attempt.bound", &[("time", &time), ("node", node)]),
            (None, Some(room)) => {
                words.fill("why.attempt.room", &[("time", &time), ("node", &room.node)])
            }
            (None, None) => words.fill("why.attempt.nowhere", &[("time", &time)]),
        };
        html! { <option selected={one == shown}>{ said }</option> }
    };
    html! {
        <label class="why-attempts">
            { words.get("why.attempts") }
            <select {onchange}>{ for why.attempts.iter().rev().map(option) }</select>
        </label>
    }
}

/// What the scheduler thought, and how it is headed.
#[derive(Clone, PartialEq, Properties)]
pub struct WhyTableProps {
    pub why: Why,
    pub title: String,
    pub words: Words,
    /// Called to have all nodes told, where it can be.
    #[prop_or_default]
    pub on_all: Option<Callback<()>>,
}

/// Draws the table: nodes are rows, plugins are columns, and a column's head orders the rows.
#[component]
pub fn WhyTable(props: &WhyTableProps) -> Html {
    let WhyTableProps { why, title, words, on_all } = props;
    let by = use_state_eq(Column::default);
    // The first node of the row that is told at length.
    let open = use_state_eq(|| None::<Rc<str>>);
    // What was copied last, and of which decision.
    let copied = use_state_eq(|| None::<(&'static str, Rc<Decision>)>);
    let head = |column: Column, name: &str, full: &'static str, weight: i64| {
        let onclick = {
            let by = by.clone();
            move |_: MouseEvent| by.set(column)
        };
        let order = if column == Column::Node { "ascending" } else { "descending" };
        let sort = if *by == column { order } else { "none" };
        html! {
            <th scope="col" key={name.to_owned()} title={full} aria-sort={sort}>
                <button class="why-order" {onclick}>
                    { name }
                    if weight != 1 { <small>{ format!("\u{a0}×{weight}") }</small> }
                </button>
            </th>
        }
    };
    let plugins = why.plugins.iter().enumerate();
    let untold = why.untold();
    html! {
        <div class="why">
            <h3 class="inspector-part">{ title.clone() }</h3>
            if let Some(message) = &why.decision.message {
                <p class="why-message">{ message.to_string() }</p>
            }
            { for remarks(why, words).into_iter().map(|remark| html! { <p class="why-remark">{ remark }</p> }) }
            if !why.helps.is_empty() {
                <h4 class="why-part">{ words.get("why.helps") }</h4>
                <ul class="why-helps">
                    { for why.helps.iter().map(|(change, nodes)| html! {
                        <li>{ said(change, nodes, words) }</li>
                    }) }
                </ul>
            }
            <table class="why-table">
                <thead>
                    <tr>
                        { head(Column::Node, &words.get("why.node"), "", 1) }
                        if why.plugins.is_empty() {
                            <td></td>
                        } else {
                            { head(Column::Total, &words.get("why.total"), "", 1) }
                        }
                        { for plugins.map(|(at, (name, weight))| {
                            head(Column::Plugin(at), &short(name), name, *weight)
                        }) }
                    </tr>
                </thead>
                <tbody>{ for why.ordered(*by).into_iter().map(|row| node(row, why, &open, words)) }</tbody>
            </table>
            if untold > 0 {
                <p class="why-untold">
                    { words.fill("why.untold", &[("count", &untold.to_string())]) }
                    if let Some(on_all) = on_all {
                        { " " }
                        <button class="button" onclick={on_all.reform(|_: MouseEvent| ())}>
                            { words.get("why.all") }
                        </button>
                    }
                </p>
            }
            { exports(why, &copied, words) }
        </div>
    }
}

/// Copies the decision, whole, in forms that other programs read.
fn exports(
    why: &Why,
    copied: &UseStateHandle<Option<(&'static str, Rc<Decision>)>>,
    words: &Words,
) -> Html {
    let button = |label: &'static str, text: fn(&Decision) -> String| {
        let (copied, this) = (copied.clone(), (label, Rc::clone(&why.decision)));
        let said = if copied.as_ref() == Some(&this) { "share.copied" } else { label };
        let onclick = move |_: MouseEvent| {
            platform::copy(&text(&this.1));
            copied.set(Some(this.clone()));
        };
        html! { <button class="button" {onclick}>{ words.get(said) }</button> }
    };
    html! {
        <div class="why-exports">
            { button("why.copy-json", |decision| format!("{:#}", as_json(decision))) }
            { button("why.copy-csv", as_csv) }
        </div>
    }
}

/// What there is to say of the decision as a whole.
fn remarks(why: &Why, words: &Words) -> Vec<String> {
    let Decision { chosen, was_nominated, feasible, tied, .. } = &*why.decision;
    let mut remarks = Vec::new();
    if let Some((node, room)) = why.room() {
        let who = victims(&room, words);
        remarks.push(words.fill("why.room", &[("node", node), ("victims", &who)]));
    }
    if chosen.is_some() {
        if *was_nominated {
            remarks.push(words.get("why.nominated").to_string());
        } else if *feasible == 1 {
            remarks.push(words.get("why.only").to_string());
        } else if *tied > 1 {
            remarks.push(words.fill("why.tied", &[("count", &tied.to_string())]));
        }
    }
    remarks
}

/// Who would have to go, and how important they are.
fn victims(room: &Room, words: &Words) -> String {
    let name = |(name, priority): &(Rc<str>, i32)| {
        words.fill("why.victim", &[("name", name), ("priority", &priority.to_string())])
    };
    let names: Vec<String> = room.victims.iter().map(name).collect();
    let names = names.join(", ");
    match room.violations {
        0 => names,
        some => {
            let count = some.to_string();
            words.fill("why.protected", &[("victims", &names), ("count", &count)])
        }
    }
}

fn node(row: &WhyRow, why: &Why, open: &UseStateHandle<Option<Rc<str>>>, words: &Words) -> Html {
    let is_chosen = row.has(why.decision.chosen.as_ref());
    let width = (why.plugins.len() + 1).to_string();
    let (inside, detail, is_made) = match &row.verdict {
        NodeVerdict::Fits { scores } if scores.is_empty() => (
            html! { <td class="why-fits" colspan={width}>{ words.get("why.fits") }</td> },
            None,
            false,
        ),
        NodeVerdict::Fits { scores } => {
            let cells =
                scores.iter().map(|score| html! { <td>{ score.weighted.to_string() }</td> });
            let total = row.total().unwrap_or_default().to_string();
            let inside = html! { <><td><b>{ total }</b></td>{ for cells }</> };
            (inside, Some(sums(scores, words)), false)
        }
        NodeVerdict::Refused { plugin, reasons, room } => {
            let room_said = room.as_ref().map(|room| {
                let key = if room.is_made { "why.told" } else { "why.would" };
                words.fill(key, &[("victims", &victims(room, words))])
            });
            let inside = html! {
                <td class="why-refused" colspan={width}>
                    { reasons.clone() }
                    if let Some(said) = room_said { <span class="why-room">{ said }</span> }
                </td>
            };
            let by = (!plugin.is_empty()).then(|| {
                html! { <p>{ words.fill("why.by", &[("plugin", plugin)]) }</p> }
            });
            (inside, by, room.as_ref().is_some_and(|room| room.is_made))
        }
    };
    let first = row.nodes.first().map(Rc::clone).unwrap_or_default();
    let name = match row.nodes.len() {
        1 => first.to_string(),
        many => words.fill("why.nodes", &[("count", &many.to_string())]),
    };
    let is_open = open.as_ref() == Some(&first);
    let key = first.to_string();
    let onclick = {
        let (open, first) = (open.clone(), first);
        move |_: MouseEvent| open.set((!is_open).then(|| Rc::clone(&first)))
    };
    let class = classes!(is_chosen.then_some("is-chosen"), is_made.then_some("is-emptied"));
    let many = (row.nodes.len() > 1).then(|| html! { <p>{ row.nodes.join(", ") }</p> });
    html! {
        <>
            <tr key={key.clone()} {class}>
                <th scope="row">
                    <button class="why-node" aria-expanded={is_open.to_string()} {onclick}>{ name }</button>
                </th>
                { inside }
            </tr>
            if is_open {
                <tr key={format!("{key} detail")} class="why-detail">
                    <td colspan={(why.plugins.len() + 2).to_string()}>{ many }{ detail }</td>
                </tr>
            }
        </>
    }
}

/// How a node's total comes about.
fn sums(scores: &[Score], words: &Words) -> Html {
    let row = |score: &Score| {
        let numbers = [score.raw, score.normalized, score.weight, score.weighted];
        let cells = numbers.iter().map(|number| html! { <td>{ number.to_string() }</td> });
        let name = breakable(score.plugin);
        html! { <tr key={score.plugin}><th scope="row">{ name }</th>{ for cells }</tr> }
    };
    let heads = ["why.plugin", "why.raw", "why.normalized", "why.weight", "why.weighted"];
    let head = |key: &'static str| html! { <th scope="col">{ words.get(key) }</th> };
    html! {
        <table class="why-sums">
            <thead><tr>{ for heads.map(head) }</tr></thead>
            <tbody>{ for scores.iter().map(row) }</tbody>
        </table>
    }
}

/// What would make nodes take the Pod.
fn said(change: &Change, nodes: &[Rc<str>], words: &Words) -> String {
    let (key, what) = match change {
        Change::Uncordon => ("why.help.uncordon", String::new()),
        Change::AskFor(asks) => {
            let asks: Vec<String> =
                asks.iter().map(|(name, most)| format!("{name}\u{a0}≤\u{a0}{most}")).collect();
            ("why.help.ask", asks.join(", "))
        }
        Change::Tolerate(taints) => ("why.help.tolerate", taints.join(", ")),
        Change::Label(labels) => {
            let labels: Vec<String> =
                labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            ("why.help.label", labels.join(", "))
        }
    };
    words.fill(key, &[("node", &nodes.join(", ")), ("what", &what)])
}

/// A plugin's name without what its place already says.
fn short(plugin: &str) -> String {
    breakable(&plugin.replace("NodeResources", "").replace("BalancedAllocation", "Balance"))
}

/// A name that may go on in another line before each word.
fn breakable(name: &str) -> String {
    let before = |letter: char| letter.is_ascii_uppercase().then_some('\u{200b}');
    name.chars().flat_map(|letter| before(letter).into_iter().chain([letter])).collect()
}
