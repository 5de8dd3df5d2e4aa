//! The stage: a star with the API server in its middle, and the messages that fly along its lines.

mod cells;
mod flights;
mod layout;
mod nodes;
mod plan;
mod pods;
mod scene;
mod scenery;
mod text;

use std::rc::Rc;

use yew::{
    Callback, Html, Properties, component, html, use_effect_with, use_memo, use_node_ref,
    use_state_eq,
};

use super::i18n::Words;
use super::px::px;
use super::state::{Action, Selection};
use crate::platform;

use flights::Flights;
use layout::Layout;
use nodes::Nodes;
use plan::Plan;
use pods::Pods;
pub use scene::{Flight, Scene, flights};
pub use scenery::Scenery;

/// What the stage shows.
#[derive(Clone, PartialEq, Properties)]
pub struct StageProps {
    pub scene: Rc<Scene>,
    pub flights: Rc<[Flight]>,
    pub selection: Option<Selection>,
    pub reduced_motion: bool,
    pub words: Words,
    pub on_action: Callback<Action>,
}

/// The size before it is measured.
const FIRST_SIZE: (i32, i32) = (740, 560);

/// Draws the cluster to the size of its place.
#[component]
pub fn Stage(props: &StageProps) -> Html {
    let place = use_node_ref();
    let size = use_state_eq(|| FIRST_SIZE);
    {
        let (place, size) = (place.clone(), size.clone());
        use_effect_with((), move |()| {
            platform::watch_size(&place, Box::new(move |now| size.set(now)))
        });
    }
    let StageProps { scene, flights, selection, reduced_motion, words, on_action } = props;
    let layout = use_memo((*size, scene.nodes.len()), |((width, height), nodes)| {
        Layout::new(f64::from(*width), f64::from(*height), *nodes)
    });
    let select = on_action.reform(Action::Select);
    let hold = on_action.reform(Action::Hold);
    let size = format!("0 0 {} {}", layout.width, layout.height);
    html! {
        <div class="stage" ref={place}>
            <svg class="stage-picture" viewBox={size} width={px(layout.width)}
                height={px(layout.height)} role="group"
                aria-label={words.get("stage.name")}>
                <Plan layout={Rc::clone(&layout)} revision={scene.revision} kubelets={scene.kubelets}
                    selection={selection.clone()} words={words.clone()} on_select={select.clone()} />
                <Nodes layout={Rc::clone(&layout)} nodes={Rc::clone(&scene.nodes)} kubelets={scene.kubelets}
                    selection={selection.clone()} words={words.clone()} on_select={select.clone()} />
                <Pods layout={Rc::clone(&layout)} pods={Rc::clone(&scene.pods)}
                    selection={selection.clone()} words={words.clone()} on_select={select.clone()} />
                <Flights {layout} flights={Rc::clone(flights)} selection={selection.clone()}
                    reduced_motion={*reduced_motion} words={words.clone()} on_select={select}
                    on_hold={hold} />
            </svg>
        </div>
    }
}
