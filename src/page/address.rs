//! The address bar: what it says is opened, and what is on the page is said there.

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::engine::now_ms;
use super::state::{Page, State};
use crate::protocol::link::{self, Route, Shared};

/// Milliseconds between two changes of the address while a slider is dragged. Safari takes a hundred in
/// thirty seconds, and refuses more.
const ADDRESS_EVERY_MS: f64 = 400.0;
/// Milliseconds until the address is tried again where the browser refused it.
const REFUSED_WAIT_MS: f64 = 2000.0;

impl State {
    /// Opens what the address says.
    pub fn read_address(self) {
        let fragment = window().location().hash().unwrap_or_default();
        self.address_waits.set_value(false);
        let (route, notices) = link::decode(&self.specs(), &fragment);
        self.notices.set(notices);
        self.refused.set(None);
        self.remarks.set(Vec::new());
        self.present
            .set(matches!(&route, Route::Lab(shared) if shared.present));
        match route {
            Route::Home => self.leave_for(Page::Home),
            Route::Models => self.leave_for(Page::Models),
            Route::Lab(mut shared) => {
                // A bare link of the navigation keeps what the visitor had set. Some programs escape a
                // whole link.
                let (lab, sample) = (shared.settings.lab(), shared.sample);
                let is_bare =
                    !fragment.contains('?') && !fragment.to_ascii_lowercase().contains("%3f");
                if is_bare {
                    shared.settings = self.settings(lab).get_untracked();
                }
                self.open(shared);
                self.linked.set((!is_bare).then_some((lab, sample)));
            }
        }
    }

    /// The link to what is on the page.
    pub fn link(self) -> String {
        self.link_as(false)
    }

    /// The same; `present` where the lab is to be shown alone and large.
    pub fn link_as(self, present: bool) -> String {
        let fragment = match self.page.get_untracked() {
            Page::Home => "#/".into(),
            Page::Models => "#/models".into(),
            Page::Lab(lab) => link::encode(&Shared {
                settings: self.settings(lab).get_untracked(),
                // A lab that makes pictures of its own has no use for the photograph of another.
                sample: self
                    .source
                    .get_untracked()
                    .filter(|_| lab.uses_picture)
                    .and_then(|source| source.sample),
                present,
            }),
        };
        let href = window().location().href().unwrap_or_default();
        format!("{}{fragment}", link::without_tracking(&href))
    }

    /// Shows the open lab alone and large, or the whole page again; the address follows.
    pub fn set_present(self, present: bool) {
        self.present.set(present);
        self.write_address();
    }

    /// Puts the link into the address bar, at once or soon: a slider that is dragged changes it more
    /// often than anyone can read, and than browsers allow.
    pub fn write_address_soon(self) {
        let wait = self.address_written.get_value() + ADDRESS_EVERY_MS - now_ms();
        match wait <= 0.0 {
            true => self.write_address(),
            false => self.write_address_in(wait),
        }
    }

    fn write_address_in(self, ms: f64) {
        if self.address_waits.get_value() {
            return;
        }
        self.address_waits.set_value(true);
        let write = move || self.write_waiting_address();
        set_timeout(write, std::time::Duration::from_millis(ms as u64 + 1));
    }

    /// Puts the link into the address bar if it waits to be put there: something else may have written it
    /// meanwhile, or opened another page.
    pub fn write_waiting_address(self) {
        if self.address_waits.get_value() {
            self.write_address();
        }
    }

    /// Puts the link into the address bar without a step of history. Where the browser has had enough, it
    /// is tried again until the address is right.
    pub fn write_address(self) {
        self.address_written.set_value(now_ms());
        self.address_waits.set_value(false);
        let link = self.link_as(self.present.get_untracked());
        if window().location().href().as_ref() == Ok(&link) {
            return;
        }
        if let Ok(history) = window().history()
            && history
                .replace_state_with_url(&JsValue::NULL, "", Some(&link))
                .is_err()
        {
            self.write_address_in(REFUSED_WAIT_MS);
        }
    }
}
