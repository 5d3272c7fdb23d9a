//! What the map points at, cut out.

use leptos::prelude::*;

use crate::labs::explain::spec::{Cutout, LAB, NAMES, Question};
use crate::page::canvas::Still;
use crate::page::desk::RunState;
use crate::page::engine;
use crate::page::latest::{Latest, Standing};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};

/// The object over a chequered ground, and the button that cuts it out.
#[component]
pub fn CutPanel() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let desk = state.desk(&LAB);
    let latest = Latest::new(state.engine);
    let found = RwSignal::new_local(None::<(Cutout, js_sys::Uint8Array)>);
    // That of another map would mislead.
    Effect::new(move |_| {
        desk.answer.track();
        state.source.track();
        found.set(None);
    });
    let nothing = move || !desk.state.with(|state| matches!(state, RunState::Done(_)));
    let settings = move || state.settings(&LAB).get_untracked();
    let cut = move |_| {
        let question = engine::Question::new(&Question::Cut, &settings());
        latest.ask("cut", question, move |says| {
            if let Some(cutout) = says.read::<Cutout>() {
                found.set(Some((cutout, says.file("rgba"))));
            }
        });
    };
    let save = move |_| {
        let settings = settings();
        let name = state.file_name(&format!("{}-cut.png", settings.word(NAMES.method)));
        let question = engine::Question::new(&Question::ExportCut, &settings);
        desk.save(question, "png", "image/png", name);
    };
    let shown = move || {
        let (cutout, rgba) = found.get()?;
        let [width, height] = cutout.size.map(|side| side as u32);
        let percent = format!("{:.0}", cutout.share * 100.0);
        let says = match cutout.share > 0.0 {
            true => t_string!(i18n, explain.cut_share, percent = percent).to_string(),
            false => t_string!(i18n, explain.cut_nothing).to_string(),
        };
        Some(view! {
            <div class="chequered" id="cutout" data-share=format!("{:.3}", cutout.share)><Still rgba width height /></div>
            <p class="sentence">{says}</p>
            <div class="row exports">
                <button type="button" class="button quiet" id="save-cut" on:click=save>{t_string!(i18n, page.export_png)}</button>
            </div>
        })
    };
    view! {
        <section class="panel" id="cut">
            <div class="row spread">
                <h2>{move || t_string!(i18n, explain.cut)}</h2>
                <button type="button" class="button quiet" id="cut-out" disabled=move || nothing() || latest.busy.get() on:click=cut>
                    {move || t_string!(i18n, explain.cut_do)}
                </button>
            </div>
            <p class="help">{move || t_string!(i18n, explain.cut_help)}</p>
            <Standing latest />
            {shown}
        </section>
    }
}
