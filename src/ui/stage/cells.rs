//! Many nodes: a picture of cells, a few paths a row. Thousands of elements would take longer to compare
//! than all else on the page.

use std::fmt::Write;
use std::rc::Rc;

use web_sys::Element;
use yew::{Callback, Html, KeyboardEvent, MouseEvent, TargetCast, component, html, use_state_eq};

use super::super::px::{Px, px};
use super::layout::{Layout, Point, Rect};
use super::nodes::{NodesProps, chosen, name_of};
use super::scene::NodeView;
use super::text::{clip, presses};

/// From this size on a cell has its node's name in it.
const NAMED: (f64, f64) = (60.0, 16.0);
/// Between two levels that can be told apart, in pixels: most Pods change nothing that has to be drawn.
const LEVEL: f64 = 0.5;

/// Draws the nodes as cells. One of them is looked at, by pointing at it or with the arrow keys, and says
/// who it is.
#[component]
pub fn Cells(props: &NodesProps) -> Html {
    let NodesProps { layout, nodes, selection, words, on_select, .. } = props;
    let looked_at = use_state_eq(|| None::<usize>);
    let selected = nodes.iter().position(|node| *selection == Some(chosen(node)));
    let place = |number: Option<usize>| Some((nodes.get(number?)?, *layout.nodes.get(number?)?));

    let look = {
        let (looked_at, layout) = (looked_at.setter(), Rc::clone(layout));
        Callback::from(move |event: MouseEvent| {
            let number = pointed_at(&layout, &event);
            looked_at.set(number);
            number
        })
    };
    let choose = {
        let (nodes, on_select) = (Rc::clone(nodes), on_select.clone());
        Callback::from(move |number: Option<usize>| {
            if let Some(node) = number.and_then(|number| nodes.get(number)) {
                on_select.emit(Some(chosen(node)));
            }
        })
    };
    let onclick = {
        let (look, choose) = (look.clone(), choose.clone());
        move |event| {
            choose.emit(look.emit(event));
        }
    };
    let onmousemove = move |event| {
        look.emit(event);
    };
    let onkeydown = {
        let (looked_at, layout) = (looked_at.clone(), Rc::clone(layout));
        move |event: KeyboardEvent| {
            let number = looked_at.or(selected);
            if presses(&event.key()) {
                choose.emit(number);
            } else if let Some(next) = layout.node_beside(number, &event.key()) {
                looked_at.set(Some(next));
            } else {
                return;
            }
            event.prevent_default();
        }
    };
    let onmouseleave = {
        let looked_at = looked_at.setter();
        move |_: MouseEvent| looked_at.set(None)
    };

    let named = layout.nodes.first().is_some_and(|cell| cell.w >= NAMED.0 && cell.h >= NAMED.1);
    let names = nodes.iter().zip(&layout.nodes).filter(|_| named).map(|(node, cell)| {
        html! {
            <text class="node-part-name" x={px(cell.x + 6.0)} y={px(cell.y + cell.h / 2.0 + 4.0)}>
                { clip(&format!("{} · {}", node.name, node.pods), cell.w - 10.0, 10.0) }
            </text>
        }
    });
    let seen = place(*looked_at).map(|(node, cell)| {
        let name = name_of(node, words);
        html! {
            <g id="node-looked-at" role="option" aria-label={name.clone()}
                aria-selected={(*looked_at == selected).to_string()}>
                { frame(cell) }
                { tip(&name, cell, layout) }
            </g>
        }
    });
    let count = [("count", &*nodes.len().to_string())];
    let area = layout.grid();
    html! {
        <g class="nodes cells" role="listbox" tabindex="0" aria-label={words.fill("why.nodes", &count)}
            aria-activedescendant={seen.is_some().then_some("node-looked-at")} {onkeydown}>
            { for rows(nodes, layout) }
            { for names }
            { for place(selected).map(|(_, cell)| frame(cell)) }
            { for seen }
            <rect class="cells-area" x={px(area.x)} y={px(area.y)} width={px(area.w)}
                height={px(area.h)} {onclick} {onmousemove} {onmouseleave} />
        </g>
    }
}

/// Which node's cell the pointer is over: the event is one of the whole area.
fn pointed_at(layout: &Layout, event: &MouseEvent) -> Option<usize> {
    let shown = event.target_dyn_into::<Element>()?.get_bounding_client_rect();
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    let area = layout.grid();
    layout.node_at(Point { x: area.x + x - shown.left(), y: area.y + y - shown.top() })
}

/// The rows of cells: outlines by the states of their nodes, and how full they are.
fn rows(nodes: &[NodeView], layout: &Layout) -> Vec<Html> {
    let mut left = nodes;
    let rows = layout.rows().map(|cells| {
        let (row, rest) = left.split_at_checked(cells.len()).unwrap_or((left, &[]));
        left = rest;
        let [mut good, mut held, mut bad, mut levels] = [const { String::new() }; 4];
        for (node, cell) in row.iter().zip(cells) {
            outline(
                *cell,
                match (node.ready, node.schedulable) {
                    (false, _) => &mut bad,
                    (true, false) => &mut held,
                    (true, true) => &mut good,
                },
            );
            let full = node.cpu.fraction().max(node.memory.fraction());
            let h = (cell.h * full / LEVEL).round() * LEVEL;
            if h > 0.0 {
                outline(Rect { y: cell.bottom() - h, h, ..*cell }, &mut levels);
            }
        }
        html! {
            <g>
                <path class="node-cell node-cell-good" d={good} />
                <path class="node-cell node-cell-held" d={held} />
                <path class="node-cell node-cell-bad" d={bad} />
                <path class="node-cell-level" d={levels} />
            </g>
        }
    });
    rows.collect()
}

/// Adds the outline of `cell` to a path; its corners are round where that can be seen.
fn outline(cell: Rect, path: &mut String) {
    let Rect { x, y, w, h } = cell;
    let r = if w.min(h) < 12.0 { 0.0 } else { 3.0 };
    let corner = |dx: f64, dy: f64| format!("a{r} {r} 0 0 1 {} {}", Px(dx), Px(dy));
    let [one, two, three, four] = if r > 0.0 {
        [corner(r, r), corner(-r, r), corner(-r, -r), corner(r, -r)]
    } else {
        [const { String::new() }; 4]
    };
    let (across, down) = (w - 2.0 * r, h - 2.0 * r);
    let (left, top) = (Px(x + r), Px(y));
    let (right, down, back, up) = (Px(across), Px(down), Px(-across), Px(-down));
    write!(path, "M{left} {top}h{right}{one}v{down}{two}h{back}{three}v{up}{four}z")
        .unwrap_or_default();
}

/// The frame of a cell that is looked at, or that is selected.
fn frame(cell: Rect) -> Html {
    let Rect { x, y, w, h } = cell;
    html! {
        <rect class="cell-frame" x={px(x - 1.0)} y={px(y - 1.0)} width={px(w + 2.0)} height={px(h + 2.0)}
            rx="3" />
    }
}

/// A name over a cell, on the side on which there is room.
fn tip(name: &str, cell: Rect, layout: &Layout) -> Html {
    let (x, anchor) =
        if cell.x > layout.width / 2.0 { (cell.right(), "end") } else { (cell.x, "start") };
    html! { <text class="cell-tip" x={px(x)} y={px(cell.y - 6.0)} text-anchor={anchor}>{ name }</text> }
}
