//! Why a Pod is where it is, or nowhere: the scheduler's table.

use std::rc::Rc;

use yew::{Html, Properties, classes, component, html};

use super::parts;
use crate::scheduler::helps::Change;
use crate::ui::i18n::Words;
use crate::ui::view::inspect::PodView;
use crate::ui::view::why::{NodeVerdict, Why, WhyRow};

/// The Pod that is asked about.
#[derive(Clone, PartialEq, Properties)]
pub struct WhyHereProps {
    pub pod: Rc<PodView>,
    pub words: Words,
}

/// Draws the table: nodes are rows, plugins are columns.
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
    let title = match &why.chosen {
        Some(node) => words.fill("why.chosen", &[("node", node)]),
        None => words.get("why.nowhere").to_string(),
    };
    let plugin = |name: &&'static str| {
        html! { <th scope="col" key={*name} title={*name}>{ short(name) }</th> }
    };
    html! {
        <div class="why">
            <h3 class="inspector-part">{ title }</h3>
            if let Some(message) = &why.message { <p class="why-message">{ message.to_string() }</p> }
            <table class="why-table">
                <thead>
                    <tr>
                        <th scope="col">{ words.get("why.node") }</th>
                        { for why.plugins.iter().map(plugin) }
                        <th scope="col">{ words.get("why.total") }</th>
                    </tr>
                </thead>
                <tbody>{ for why.rows.iter().map(|row| node(row, why)) }</tbody>
            </table>
            if !why.helps.is_empty() {
                <h3 class="inspector-part">{ words.get("why.helps") }</h3>
                <ul class="why-helps">
                    { for why.helps.iter().map(|(change, nodes)| html! {
                        <li>{ said(change, nodes, words) }</li>
                    }) }
                </ul>
            }
        </div>
    }
}

fn node(row: &WhyRow, why: &Why) -> Html {
    let is_chosen = why.chosen.as_ref() == Some(&row.node);
    let inside = match &row.verdict {
        NodeVerdict::Fits { scores } => html! {
            <>
                { for scores.iter().map(|score| html! { <td>{ score.to_string() }</td> }) }
                <td><b>{ row.total().unwrap_or_default().to_string() }</b></td>
            </>
        },
        NodeVerdict::Refused { plugin, reasons } => html! {
            <td class="why-refused" title={*plugin}
                colspan={(why.plugins.len() + 1).to_string()}>{ reasons.clone() }</td>
        },
    };
    html! {
        <tr key={row.node.to_string()} class={classes!(is_chosen.then_some("is-chosen"))}>
            <th scope="row">{ row.node.to_string() }</th>
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

/// A plugin's name without what its place already says.
fn short(plugin: &str) -> String {
    plugin.replace("NodeResources", "").replace("BalancedAllocation", "Balance")
}
