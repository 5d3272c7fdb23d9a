//! What the keyboard does: a mark that arrow keys move, as a pointer does on a surface; where the focus goes.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;

/// Moves the focus to an element that can have it.
pub fn focus(id: &str) {
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        // An element that cannot have it leaves it where it is.
        let _ = element.focus();
    }
}

/// How far an arrow key moves the mark, as a share of the side.
const STEP: f64 = 0.04;

/// A place on an element, from 0 to 1 in both directions, from the upper left.
#[derive(Clone, Copy)]
pub struct KeyCursor {
    at: RwSignal<[f64; 2]>,
}

impl Default for KeyCursor {
    /// In the middle.
    fn default() -> Self {
        Self {
            at: RwSignal::new([0.5, 0.5]),
        }
    }
}

impl KeyCursor {
    /// Moves the mark with the arrow keys; with Enter or the space bar, where it is.
    pub fn press(self, event: &KeyboardEvent) -> Option<[f64; 2]> {
        let [x, y] = match event.key().as_str() {
            "ArrowLeft" => [-STEP, 0.0],
            "ArrowRight" => [STEP, 0.0],
            "ArrowUp" => [0.0, -STEP],
            "ArrowDown" => [0.0, STEP],
            " " | "Enter" => {
                event.prevent_default();
                return Some(self.at.get_untracked());
            }
            _ => return None,
        };
        event.prevent_default();
        self.at
            .update(|at| *at = [(at[0] + x).clamp(0.0, 1.0), (at[1] + y).clamp(0.0, 1.0)]);
        None
    }

    /// The mark, to stand after the element; seen while the element has the focus.
    pub fn mark(self) -> impl IntoView {
        let place = move || {
            let [x, y] = self.at.get();
            format!("left:{:.1}%;top:{:.1}%", x * 100.0, y * 100.0)
        };
        view! { <span class="brush" style=place aria-hidden="true"></span> }
    }
}
