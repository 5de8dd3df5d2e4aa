//! Every object there is, as kubectl's tables.

use std::rc::Rc;

use yew::{
    Callback, Event, Html, InputEvent, MouseEvent, TargetCast, classes, component, html, use_memo,
    use_state_eq,
};

use super::super::engine::PanelProps;
use super::super::i18n::Words;
use super::super::state::{Action, Selection};
use super::super::view::date;
use super::super::view::table::{Order, Row, Table, table};
use super::delete::{Delete, Target};
use crate::api::Kind;

/// The kinds that are always at hand.
const USUAL: [Kind; 4] = [Kind::Pod, Kind::Node, Kind::Namespace, Kind::Event];

/// Draws the table of one kind at a time.
#[component]
pub fn Objects(props: &PanelProps) -> Html {
    let PanelProps { engine, seen, selection, words, on_action, .. } = props;
    let kind = use_state_eq(|| Kind::Pod);
    let filter = use_state_eq(String::new);
    let order = use_state_eq(Order::default);
    let deleting = use_state_eq(|| None::<Target>);
    // What changed since the table was opened is worth a flash.
    let opened_at = use_state_eq(|| seen.revision);
    let second = seen.now.as_micros() / 1_000_000;
    let about = (*kind, (*filter).clone(), *order, seen.messages, second);
    let shown = use_memo(about, |(kind, filter, order, ..)| {
        engine.look(|cluster| {
            table(*kind, &cluster.objects(*kind), filter, *order, date(cluster.now()))
        })
    });
    let pick = |each: Kind| {
        let (kind, order, deleting) = (kind.clone(), order.clone(), deleting.clone());
        let is_picked = *kind == each;
        let onclick = move |_: MouseEvent| {
            kind.set(each);
            order.set(Order::default());
            deleting.set(None);
        };
        html! {
            <button class={classes!("objects-kind", is_picked.then_some("is-selected"))}
                aria-pressed={is_picked.to_string()} {onclick}>{ each.resource().plural }</button>
        }
    };
    let all: Rc<[Kind]> = engine.look(|cluster| cluster.kinds().preferred()).into();
    // Kinds without a single object stand in the list of all, not beside the others.
    let near: Vec<Kind> = engine.look(|cluster| {
        let is_near =
            |each: &Kind| USUAL.contains(each) || *each == *kind || cluster.has_any(*each);
        all.iter().copied().filter(is_near).collect()
    });
    let choose = {
        let (kind, order, deleting) = (kind.clone(), order.clone(), deleting.clone());
        let all = Rc::clone(&all);
        move |event: Event| {
            let select = event.target_dyn_into::<web_sys::HtmlSelectElement>();
            let Some(select) = select else { return };
            let chosen = usize::try_from(select.selected_index() - 1).ok();
            select.set_selected_index(0);
            if let Some(chosen) = chosen.and_then(|chosen| all.get(chosen)) {
                kind.set(*chosen);
                order.set(Order::default());
                deleting.set(None);
            }
        }
    };
    let oninput = {
        let filter = filter.clone();
        move |event: InputEvent| {
            let field = event.target_dyn_into::<web_sys::HtmlInputElement>();
            filter.set(field.map(|field| field.value()).unwrap_or_default());
        }
    };
    let sort = {
        let order = order.clone();
        Callback::from(move |column| order.set(order.clicked(column)))
    };
    let ask = (!props.readonly).then(|| {
        let deleting = deleting.clone();
        Callback::from(move |target: Option<Target>| deleting.set(target))
    });
    let row = |row: &Row| {
        let is_selected = is_selected(selection.as_ref(), *kind, row);
        let is_fresh = row.version > *opened_at;
        object(row, *kind, (is_selected, is_fresh), words, on_action, ask.as_ref())
    };
    html! {
        <div class="objects">
            <div class="objects-tools">
                <div class="objects-kinds" role="group" aria-label={words.get("objects.kinds")}>
                    { for near.into_iter().map(pick) }
                </div>
                <select class="objects-more" aria-label={words.get("objects.more")} onchange={choose}>
                    <option selected={true}>{ words.get("objects.more") }</option>
                    { for all.iter().map(|each| html! {
                        <option>{ each.resource().plural }</option>
                    }) }
                </select>
                <input class="objects-filter" type="search" value={(*filter).clone()} {oninput}
                    placeholder={words.get("objects.filter")} aria-label={words.get("objects.filter")} />
                <span class="objects-count">{ count(&shown, words) }</span>
            </div>
            if let (Some(target), Some(ask)) = (&*deleting, &ask) {
                <Delete target={target.clone()} engine={engine.clone()} words={words.clone()}
                    on_action={on_action.clone()} on_close={ask.reform(|()| None)} />
            }
            <div class="objects-scroll" tabindex="0" role="region" aria-label={words.get("bottom.objects")}>
                <table class="objects-table">
                    <thead>
                        <tr>
                            { for shown.columns.iter().enumerate().map(|(at, name)| head(at, name, *order, &sort)) }
                            <td></td>
                        </tr>
                    </thead>
                    <tbody>{ for shown.rows.iter().map(row) }</tbody>
                </table>
                if shown.rows.is_empty() {
                    <p class="objects-none">{ none(&shown, words) }</p>
                }
            </div>
        </div>
    }
}

fn is_selected(selection: Option<&Selection>, of: Kind, row: &Row) -> bool {
    match selection {
        Some(Selection::Object { kind, namespace, name }) => {
            *kind == of && *namespace == row.namespace && *name == row.name
        }
        Some(Selection::Message(_) | Selection::Component(_)) | None => false,
    }
}

fn head(at: usize, name: &str, order: Order, sort: &Callback<usize>) -> Html {
    let (direction, sign) = match order {
        Order { column: Some(column), descending: false } if column == at => ("ascending", " ↑"),
        Order { column: Some(column), descending: true } if column == at => ("descending", " ↓"),
        Order { .. } => ("none", ""),
    };
    let onclick = sort.reform(move |_| at);
    html! {
        <th scope="col" aria-sort={direction}>
            <button class="objects-head" {onclick}>{ name.to_ascii_uppercase() }{ sign }</button>
        </th>
    }
}

fn object(
    row: &Row,
    kind: Kind,
    (is_selected, is_fresh): (bool, bool),
    words: &Words,
    on_action: &Callback<Action>,
    ask: Option<&Callback<Option<Target>>>,
) -> Html {
    let (namespace, name) = (std::rc::Rc::clone(&row.namespace), std::rc::Rc::clone(&row.name));
    let select = on_action.reform(move |_: MouseEvent| {
        let (namespace, name) = (std::rc::Rc::clone(&namespace), std::rc::Rc::clone(&name));
        Action::Select(Some(Selection::Object { kind, namespace, name }))
    });
    let target = Target {
        kind,
        namespace: std::rc::Rc::clone(&row.namespace),
        name: std::rc::Rc::clone(&row.name),
    };
    let delete = ask.map(|ask| {
        let onclick = ask.reform(move |event: MouseEvent| {
            event.stop_propagation();
            Some(target.clone())
        });
        let label = words.fill("objects.delete-one", &[("name", &row.name)]);
        html! {
            <button class="objects-delete" aria-label={label} {onclick}>
                { words.get("objects.delete") }
            </button>
        }
    });
    let name_at = usize::from(kind.resource().namespaced);
    let cell = |(at, text): (usize, String)| {
        if at == name_at {
            html! { <td><button class="objects-name" title={text.clone()}>{ text }</button></td> }
        } else {
            html! { <td title={text.clone()}>{ text }</td> }
        }
    };
    let cells = row.cells.iter().map(crate::api::columns::Cell::show).enumerate().map(cell);
    html! {
        // A row of another version is another row, so that its flash begins anew.
        <tr key={format!("{}/{}/{}", row.namespace, row.name, row.version)} onclick={select}
            class={classes!("objects-row", is_selected.then_some("is-selected"), is_fresh.then_some("is-fresh"))}>
            { for cells }
            <td>{ for delete }</td>
        </tr>
    }
}

fn count(table: &Table, words: &Words) -> String {
    let shown = table.rows.len().to_string();
    let matching = (table.rows.len() + table.more).to_string();
    let values =
        [("shown", &*shown), ("matching", &*matching), ("total", &*table.total.to_string())]
            .map(|(name, value)| (name, value.to_owned()));
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, &**value)).collect();
    words.fill(if table.more > 0 { "objects.first" } else { "objects.count" }, &values)
}

fn none(table: &Table, words: &Words) -> String {
    let plural = table.kind.resource().plural;
    let key = if table.total == 0 { "objects.none" } else { "objects.no-match" };
    words.fill(key, &[("plural", plural)])
}
