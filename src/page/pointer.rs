//! Where a pointer is on an element.

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

/// Keeps a drag even where it leaves the element.
pub fn capture(event: &web_sys::PointerEvent, selector: &str) {
    if let Some(element) = element_of(event, selector) {
        let _ = element.set_pointer_capture(event.pointer_id());
    }
}
