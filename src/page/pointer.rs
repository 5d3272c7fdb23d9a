//! Where a pointer is on an element, and which one drags.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;

/// The element of that selector that an event happened on or in. Not the event's own idea of it:
/// listeners are delegated, and it is the whole page.
fn element_of(event: &web_sys::PointerEvent, selector: &str) -> Option<web_sys::Element> {
    let target: web_sys::Element = event.target()?.dyn_into().ok()?;
    target.closest(selector).ok()?
}

/// Where a pointer is on an element, from 0 to 1 in both directions, from the upper left.
pub fn place_of(event: &web_sys::PointerEvent, selector: &str) -> Option<[f64; 2]> {
    let rect = element_of(event, selector)?.get_bounding_client_rect();
    let x = (f64::from(event.client_x()) - rect.left()) / rect.width().max(1.0);
    let y = (f64::from(event.client_y()) - rect.top()) / rect.height().max(1.0);
    Some([x.clamp(0.0, 1.0), y.clamp(0.0, 1.0)])
}

/// A drag: one pointer at a time, from its main button or touch until that is up. A second finger, or a
/// button that came up unheard, moves nothing.
#[derive(Clone, Copy)]
pub struct Drag(StoredValue<Option<i32>>);

impl Default for Drag {
    fn default() -> Self {
        Self(StoredValue::new(None))
    }
}

impl Drag {
    /// Begins one on the element of that selector, where none is under way. It goes on where the pointer
    /// leaves the element. Whether it began.
    pub fn begin(self, event: &web_sys::PointerEvent, selector: &str) -> bool {
        let begins = event.button() == 0 && self.0.get_value().is_none();
        if begins {
            self.0.set_value(Some(event.pointer_id()));
            capture(event, selector);
        }
        begins
    }

    /// Ends it, whichever pointer's it is.
    pub fn drop(self) {
        self.0.set_value(None);
    }

    /// Whether a move belongs to it.
    pub fn moves(self, event: &web_sys::PointerEvent) -> bool {
        self.0.get_value() == Some(event.pointer_id()) && event.buttons() & 1 != 0
    }

    /// Ends it, if it is the pointer's. Whether it did. To be asked of every move, too: where no button is
    /// down any more, its end went unheard.
    pub fn end(self, event: &web_sys::PointerEvent) -> bool {
        let ends = self.0.get_value() == Some(event.pointer_id()) && event.buttons() & 1 == 0;
        if ends {
            self.0.set_value(None);
        }
        ends
    }
}

fn capture(event: &web_sys::PointerEvent, selector: &str) {
    if let Some(element) = element_of(event, selector) {
        let _ = element.set_pointer_capture(event.pointer_id());
    }
}
