//! Why a Pod is where it is, or nowhere: the scheduler's table.

use std::rc::Rc;

use yew::{Html, MouseEvent, Properties, UseStateHandle, classes, component, html, use_state_eq};

use super::parts;
use crate::platform;
use crate::scheduler::Decision;
use crate::scheduler::helps::Change;
use crate::share::decision::{as_csv, as_json};
use crate::ui::i18n::Words;
use crate::ui::view::inspect::PodView;
use crate::ui::view::why::{Column, NodeVerdict, Why, WhyRow};

/// The Pod that is asked about.
#[derive(Clone, PartialEq, Properties)]
pub struct WhyHereProps {
    pub pod: Rc<PodView>,
    pub words: Words,
}

/// Draws what the scheduler last thought of a Pod.
#[component]
pub fn WhyHere(props: &WhyHereProps) -> Html {
    let WhyHereProps { pod, words } = props;
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
    let title = match &why.decision.chosen {
        Some(node) => words.fill("why.chosen", &[("node", node)]),
        None => words.get("why.nowhere").to_string(),
    };
    html! { <WhyTable why={why.clone()} {title} words={words.clone()} /> }
}

/// What the scheduler thought, and how it is headed.
#[derive(Clone, PartialEq, Properties)]
pub struct WhyTableProps {
    pub why: Why,
    pub title: String,
    pub words: Words,
}

/// Draws the table: nodes are rows, plugins are columns, and a column's head orders the rows.
#[component]
pub fn WhyTable(props: &WhyTableProps) -> Html {
    let WhyTableProps { why, title, words } = props;
    let by = use_state_eq(Column::default);
    // What was copied last, and of which decision.
    let copied = use_state_eq(|| None::<(&'static str, Rc<Decision>)>);
    let head = |column: Column, name: &str, full: &'static str| {
        let onclick = {
            let by = by.clone();
            move |_: MouseEvent| by.set(column)
        };
        let order = if column == Column::Node { "ascending" } else { "descending" };
        let sort = if *by == column { order } else { "none" };
        html! {
            <th scope="col" key={name.to_owned()} title={full} aria-sort={sort}>
                <button class="why-order" {onclick}>{ name }</button>
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
                        { head(Column::Node, &words.get("why.node"), "") }
                        if why.plugins.is_empty() {
                            <td></td>
                        } else {
                            { head(Column::Total, &words.get("why.total"), "") }
                        }
                        { for plugins.map(|(at, name)| head(Column::Plugin(at), &short(name), name)) }
                    </tr>
                </thead>
                <tbody>{ for why.ordered(*by).into_iter().map(|row| node(row, why, words)) }</tbody>
            </table>
            if untold > 0 {
                <p class="why-untold">{ words.fill("why.untold", &[("count", &untold.to_string())]) }</p>
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

fn node(row: &WhyRow, why: &Why, words: &Words) -> Html {
    let is_chosen = row.has(why.decision.chosen.as_ref());
    let inside = match &row.verdict {
        NodeVerdict::Fits { scores } => html! {
            <>
                <td><b>{ row.total().unwrap_or_default().to_string() }</b></td>
                { for scores.iter().map(|score| html! { <td>{ score.to_string() }</td> }) }
            </>
        },
        NodeVerdict::Refused { plugin, reasons } => html! {
            <td class="why-refused" title={*plugin}
                colspan={(why.plugins.len() + 1).to_string()}>{ reasons.clone() }</td>
        },
    };
    let first = row.nodes.first().map(ToString::to_string).unwrap_or_default();
    let name = match row.nodes.len() {
        1 => first.clone(),
        many => words.fill("why.nodes", &[("count", &many.to_string())]),
    };
    html! {
        <tr key={first} class={classes!(is_chosen.then_some("is-chosen"))}>
            <th scope="row" title={row.nodes.join(", ")}>{ name }</th>
            { inside }
        </tr>
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

/// A plugin's name without what its place already says; it may go on in another line before each word.
fn short(plugin: &str) -> String {
    let short = plugin.replace("NodeResources", "").replace("BalancedAllocation", "Balance");
    let before = |letter: char| letter.is_ascii_uppercase().then_some('\u{200b}');
    short.chars().flat_map(|letter| before(letter).into_iter().chain([letter])).collect()
}
