//! Podflow: Kubernetes in a web page, on virtual time.
//!
//! ```text
//! sim ← api ← {apiserver, client, runtime} ← {scheduler, kubectl, kubelet} ← cluster ← recording ← share ← {ui, js}
//! ```

mod sim;

#[macro_use]
mod api;

mod apiserver;
mod client;
mod runtime;

mod kubectl;
mod kubelet;
mod scheduler;

mod cluster;

mod recording;

mod share;

mod js;
mod platform;
mod ui;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use ui::{Action, Gear, Page};

/// From one frame to the next while a script works: most of the time is for the work.
const BETWEEN_FRAMES: Duration = Duration::from_millis(50);

/// So many times as long as it took to draw the page stays as it is while a script works.
const SPARE: u32 = 9;

/// Shows the page, and puts its script interface into `window.podflow`.
pub fn mount() {
    platform::make_room();
    ui::mount(|Page { session, on_action, said, is_open, drawing }| {
        let refresh_is_due = Rc::new(Cell::new(false));
        let control = move |control| {
            let action = match control {
                js::Control::Play(None) => Action::PlayIn(Gear::Story),
                js::Control::Play(Some(times)) => Action::PlayIn(Gear::times(times)),
                js::Control::Pause => Action::Pause,
                js::Control::Refresh => {
                    // A thousand requests may end at once: the page is drawn once for all.
                    if !refresh_is_due.replace(true) {
                        let (due, on_action) = (Rc::clone(&refresh_is_due), on_action.clone());
                        platform::after(BETWEEN_FRAMES.max(drawing.get() * SPARE), move || {
                            due.set(false);
                            on_action.emit(Action::Refresh);
                        });
                    }
                    return;
                }
            };
            on_action.emit(action);
        };
        let host = js::Host {
            session,
            control: Rc::new(control),
            clock: platform::wall_clock,
            said: Rc::new(move || {
                let line = said.borrow();
                (line.text.clone(), line.detail.as_ref().map(|(message, _)| *message))
            }),
            is_open,
            address: Rc::new(platform::address),
            crowd: Rc::default(),
            specs: Rc::default(),
        };
        js::install(&platform::global(), host)
    });
}

#[doc(hidden)]
pub mod testing;
