//! The painting at the picture's own size, into a file.

use leptos::prelude::*;

use crate::labs::stylize::spec::{Format, LAB, NAMES, Painted, Question};
use crate::page::desk::{Desk, RunState};
use crate::page::engine;
use crate::page::export;
use crate::page::job_panel::{RunStatus, stop};
use crate::page::state::{State, use_state};
use crate::page::text::{t_string, use_i18n};

use super::brush::regions;
use super::paintings;

/// Where it is painted: what is shown stays on the lab's own desk.
#[derive(Clone, Copy)]
struct Easel(Desk);

fn paint(state: State, desk: Desk, format: Format) {
    let settings = state.settings(&LAB).get_untracked();
    let Some(picture) = state.picture() else {
        return;
    };
    let (ending, mime) = match format {
        Format::Png => ("png", "image/png"),
        Format::Jpeg => ("jpg", "image/jpeg"),
    };
    let name = state.file_name(&format!("styled-large.{ending}"));
    paintings::fetch(state, &settings.clone(), NAMES.source, move |style| {
        // The painting may have come after the visitor left, and after a second click.
        let is_here = state.page.get_untracked().lab() == Some(&LAB);
        if !is_here || untrack(|| desk.is_running()) {
            return;
        }
        desk.on_says(move |says| {
            // On the way it only tells how far it is.
            if says.read::<Painted>().is_some() {
                export::download(&says.file("file"), mime, &name);
            }
        });
        let regions = regions(state).get_untracked();
        let question = engine::Question::new(&Question::Large { regions, format }, &settings)
            .with("picture", Some(picture))
            .with("style", style);
        desk.run(question);
    });
}

/// Buttons, how far it is, and how large it became.
#[component]
pub fn FullSize(
    /// Whether there is nothing to paint larger.
    nothing: Signal<bool>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let desk = state.memory(|| Easel(Desk::new(state.engine))).0;
    // It would keep whatever comes next waiting.
    on_cleanup(move || desk.cancel());
    // What was made of another picture says nothing of this one.
    Effect::new(move |before: Option<()>| {
        state.source.track();
        if before.is_some() && !untrack(|| desk.is_running()) {
            desk.reset();
        }
    });
    let running = move || desk.is_running();
    let button = move |format: Format, id: &'static str, label: fn(crate::page::text::I18n) -> String| {
        view! {
            <button type="button" class="button quiet" id=id disabled=move || nothing.get() || running()
                on:click=move |_| paint(state, desk, format)>
                {move || label(i18n)}
            </button>
        }
    };
    let made = move || {
        let done = desk.state.with(|state| matches!(state, RunState::Done(_)));
        let size = desk.answer.get()?.read::<Painted>().filter(|_| done)?;
        let (width, height) = (size.width, size.height);
        let said = t_string!(i18n, stylize.large_made, width = width, height = height).to_string();
        Some(view! { <p class="sentence" id="large-made">{said}</p> })
    };
    let begun = move || desk.state.with(|state| *state != RunState::Idle);
    view! {
        <section class="panel" id="full-size">
            <h2>{move || t_string!(i18n, stylize.large_title)}</h2>
            <div class="row">
                {button(Format::Png, "export-large-png", |i18n| t_string!(i18n, stylize.large_png).to_string())}
                {button(Format::Jpeg, "export-large-jpeg", |i18n| t_string!(i18n, stylize.large_jpeg).to_string())}
                <button type="button" class="button quiet" id="cancel-large" class:gone=move || !running()
                    on:click=move |event| stop(&event, || desk.cancel())>
                    {move || t_string!(i18n, page.cancel)}
                </button>
            </div>
            <div class:gone=move || !begun()><RunStatus lab=&LAB desk /></div>
            {made}
            <p class="help">{move || t_string!(i18n, stylize.large_help)}</p>
        </section>
    }
}
