//! The page's own icons, drawn in the colour of the text around them.

use yew::{Html, html};

/// An icon of the toolbar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    ToStart,
    Back,
    Play,
    Pause,
    Step,
    Theme,
}

/// Draws `icon`; it is decoration, the control around it has the name.
pub fn icon(icon: Icon) -> Html {
    let path = match icon {
        Icon::ToStart => "M4 3v10M13 3 6 8l7 5z",
        Icon::Back => "M10 3 4 8l6 5M13 3v10",
        Icon::Play => "M4 2.5v11L13 8z",
        Icon::Pause => "M4 3h3v10H4zM9 3h3v10H9z",
        Icon::Step => "m6 3 6 5-6 5M3 3v10",
        Icon::Theme => "M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12",
    };
    let filled = matches!(icon, Icon::Play | Icon::Pause | Icon::ToStart);
    html! {
        <svg class="icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
            <path d={path} stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"
                stroke-linecap="round" fill={if filled { "currentColor" } else { "none" }} />
        </svg>
    }
}

/// The mark of the project.
pub fn logo() -> Html {
    html! {
        <svg class="icon" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
            <path d="M2 7h16M5 7V3M15 7V3M7 7v9M13 7v9" stroke="currentColor" stroke-width="1.6"
                stroke-linecap="round" fill="none" />
            <circle class="toolbar-mark" cx="13" cy="12" r="2.6" />
        </svg>
    }
}
