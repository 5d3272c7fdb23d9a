//! What every lab's page has: title, tabs, ways in, notices, notes; and the stage.

use leptos::prelude::*;

use super::intake::Intake;
use super::job_panel::Notices;
use super::notes::{self, Notes};
use super::present::PresentButton;
use super::state::use_state;
use super::terms::Hot;
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
    Hot::provide(hot);
    view! {
        <div class="lab" class:generate=lab.wing == Wing::Generative>
            <header class="lab-head">
                <h1>{move || lab_word(i18n, lab.name, "title")}</h1>
                <p>{move || lab_word(i18n, lab.name, "lead")}</p>
            </header>
            <div class="ways">
                <Tabs lab />
                <div class="row">
                    <button type="button" class="link" id="to-notes" on:click=move |_| notes::go_to()>{move || t_string!(i18n, page.notes)}</button>
                    <PresentButton />
                </div>
            </div>
            <div class="ins">
                {lab.uses_picture.then(|| view! { <Intake /> })}
                {above.run()}
            </div>
            <Notices />
            <div class="lab-body">
                {children()}
                <Notes lab hot />
            </div>
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
    let row: NodeRef<leptos::html::Nav> = NodeRef::new();
    // On a phone the row is wider than the screen: it begins with the tab that is open.
    Effect::new(move |_| {
        if let Some(row) = row.get()
            && let Ok(Some(open)) = row.query_selector("[aria-current]")
        {
            let open: web_sys::HtmlElement = wasm_bindgen::JsCast::unchecked_into(open);
            row.set_scroll_left(open.offset_left() - row.offset_width() / 4);
        }
    });
    view! { <nav class="tabs" aria-label=label node_ref=row>{tabs}</nav> }
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
