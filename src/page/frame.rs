//! What every lab's page has: title, tabs, ways in, notices, notes; and the stage.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::export;
use super::intake::Intake;
use super::job_panel::Notices;
use super::notes::Notes;
use super::state::use_state;
use super::text::{t_string, use_i18n};
use super::words::lab_word;
use crate::protocol::lab::{LabSpec, Wing};

/// The frame of a lab's page.
#[component]
pub fn LabFrame(
    /// Whose page.
    lab: &'static LabSpec,
    /// What stands between the ways in and the notices.
    #[prop(optional, into)]
    above: ViewFn,
    /// The term that is pointed at, in the notes or elsewhere.
    #[prop(default = RwSignal::new(None))]
    hot: RwSignal<Option<String>>,
    /// The lab itself.
    children: Children,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="lab" class:generate=lab.wing == Wing::Generative>
            <header class="lab-head">
                <h1>{move || lab_word(i18n, lab.name, "title")}</h1>
                <p>{move || lab_word(i18n, lab.name, "lead")}</p>
            </header>
            <Tabs lab />
            {lab.uses_picture.then(|| view! { <Intake /> })}
            {above.run()}
            <Notices />
            {children()}
            <Notes lab hot />
        </div>
    }
}

/// Links to the labs of the same part of the course.
#[component]
fn Tabs(lab: &'static LabSpec) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let tabs = state
        .labs()
        .into_iter()
        .map(|row| row.spec)
        .filter(|other| other.wing == lab.wing)
        .map(|other| {
            let address = format!("#/{}", other.name);
            let label = move || lab_word(i18n, other.name, "tab");
            view! { <a href=address aria-current=(other == lab).then_some("page")>{label}</a> }
        })
        .collect_view();
    let label = move || lab_word(i18n, "page", &format!("wings.{}", lab.wing.name()));
    view! { <nav class="tabs" aria-label=label>{tabs}</nav> }
}

/// The picture at its own aspect ratio, with something over it.
#[component]
pub fn Stage(children: ChildrenFn) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let ratio = RwSignal::new(1.5f64);
    view! {
        <div class="stage" class:empty=move || state.source.with(Option::is_none)>
            {move || match state.source.get() {
                None => view! { <p class="invite">{t_string!(i18n, page.source_empty)}</p> }.into_any(),
                Some(source) => {
                    let children = children.clone();
                    view! {
                        <div class="frame" style=move || format!("--ratio:{:.5}", ratio.get())>
                            <img
                                src=source.url
                                alt=t_string!(i18n, page.stage_alt).to_string()
                                on:load:target=move |event| {
                                    let image = event.target();
                                    if image.natural_height() > 0 {
                                        ratio.set(f64::from(image.natural_width()) / f64::from(image.natural_height()));
                                    }
                                }
                            />
                            {children()}
                        </div>
                    }.into_any()
                }
            }}
        </div>
    }
}

/// Copies the link to what is on the page.
#[component]
pub fn ShareButton() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let said: RwSignal<Option<String>> = RwSignal::new(None);
    let share = move |_| {
        state.write_address();
        let lab = state.page.get_untracked().lab();
        let own = lab.is_none_or(|lab| lab.uses_picture)
            && state
                .source
                .with_untracked(|source| source.as_ref().is_some_and(|s| s.sample.is_none()));
        spawn_local(async move {
            let sentence = match export::copy(&state.link()).await {
                Ok(()) if own => t_string!(i18n, page.share_own),
                Ok(()) => t_string!(i18n, page.share_copied),
                Err(_) => t_string!(i18n, page.share_failed),
            };
            let _ = said.try_set(Some(sentence.to_string()));
        });
    };
    view! {
        <button type="button" class="button" id="share" on:click=share>{move || t_string!(i18n, page.share)}</button>
        <span class="said" role="status">{move || said.get()}</span>
    }
}
