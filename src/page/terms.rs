//! What is pointed at, in the notes, at a control or at a curve, and is lit at the others.

use leptos::prelude::*;

/// The term that is pointed at, in the notes or elsewhere, of the lab that is open: a setting, a group of
/// them, or what the lab calls so.
#[derive(Clone, Copy)]
pub struct Hot(RwSignal<Option<String>>);

impl Hot {
    /// Hands it to all that a lab's page is made of.
    pub fn provide(hot: RwSignal<Option<String>>) {
        provide_context(Self(hot));
    }

    /// Whether a term is pointed at.
    pub fn is(term: &'static str) -> Signal<bool> {
        let hot = use_context::<Self>();
        Signal::derive(move || {
            hot.is_some_and(|Self(hot)| hot.with(|hot| hot.as_deref() == Some(term)))
        })
    }

    /// What is told whether the pointer or the focus is at what a term is about.
    pub fn pointer(term: &'static str) -> impl Fn(bool) + Copy {
        let hot = use_context::<Self>();
        move |is_here| {
            if let Some(Self(hot)) = hot {
                hot.set(is_here.then(|| term.into()));
            }
        }
    }
}

/// Brings what a note points at into sight, where the controls scroll beside the notes.
pub fn show_hot() {
    request_animation_frame(|| {
        let found = document().query_selector(".inspector .lit").ok().flatten();
        let around = found
            .as_ref()
            .and_then(|lit| lit.closest(".inspector").ok().flatten());
        if let (Some(lit), Some(around)) = (found, around) {
            let (lit, seen) = (
                lit.get_bounding_client_rect(),
                around.get_bounding_client_rect(),
            );
            if lit.top() < seen.top() || lit.bottom() > seen.bottom() {
                let by = lit.top() - seen.top() - 8.0;
                around.set_scroll_top(around.scroll_top() + by as i32);
            }
        }
    });
}
