//! The truth by the visitor's hand: boxes drawn on the picture, and how the families fare against them.

use leptos::prelude::*;

use super::losses::{Judging, LossesPanel};
use super::scores::Scores;
use crate::labs::compare::spec::{Answer, CompareSettings, LAB, NAMES};
use crate::labs::truth::drawing::Drawing;
use crate::labs::truth::read;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};

/// Drawing boxes, and the figures that follow.
#[component]
pub fn TruthPanel(
    /// What the families found.
    answer: Signal<Option<Answer>, LocalStorage>,
    /// The address of the composed picture, where there is one.
    backdrop: Signal<Option<String>>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(&LAB);
    let objects = Memo::new(move |_| settings.with(|settings| read(&settings.read::<CompareSettings>().truth)));
    let overlap = Memo::new(move |_| settings.with(|settings| settings.read::<CompareSettings>().overlap));
    let judging = Judging::default();
    let size = move || {
        answer.with(|answer| answer.as_ref().map(|answer| [answer.width as f32, answer.height as f32]))
    };
    let figures = move || {
        let (answer, objects) = (answer.get()?, objects.get());
        (!objects.is_empty()).then(|| view! { <Scores answer objects overlap=overlap.get() /> })
    };
    view! {
        <section class="panel" id="truth">
            <h2>{move || t_string!(i18n, compare.truth)}</h2>
            <p class="help">{move || t_string!(i18n, compare.truth_help)}</p>
            <Drawing
                lab=&LAB
                name=NAMES.truth
                below=move || backdrop.get().map(|url| view! { <img class="layer" src=url alt="" /> })
                above=move || judging.shapes(size())
            />
            {figures}
            <LossesPanel objects size=Signal::derive(size) judging />
        </section>
    }
}
