//! The labs that take steps: style by optimisation, texture, dreams. One page, three sets of
//! controls.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::views::curves::Curves;
use super::views::grams::Grams;
use crate::labs::detect::page::Stage;
use crate::labs::search::spec::AT_START;
use crate::labs::stylize::views::paintings::Paintings;
use crate::page::canvas::{Compare, Painting};
use crate::page::controls::Control;
use crate::page::engine::JobState;
use crate::page::export;
use crate::page::intake::Intake;
use crate::page::job_panel::{JobStatus, Notices};
use crate::page::notes::Notes;
use crate::page::shell::ShareButton;
use crate::page::state::use_state;
use crate::page::style_tabs::StyleTabs;
use crate::page::text::{param_label, t_string, use_i18n};
use crate::protocol::params::Lab;

/// Controls by the term of the formula that they belong to, in the order in which the method uses
/// them.
fn controls(lab: Lab) -> &'static [(&'static str, &'static [&'static str])] {
    match lab {
        Lab::Gatys => &[
            ("content", &["content-weight", "content-layer"]),
            (
                "style",
                &[
                    "style-weight",
                    "style-1",
                    "style-2",
                    "style-3",
                    "style-4",
                    "style-5",
                ],
            ),
            ("tv", &["tv-weight"]),
            ("step", &["optimizer", "rate", "steps", "start", "seed"]),
            ("size", &["size", "colors"]),
        ],
        Lab::Texture => &[
            ("style", &["layers"]),
            ("tv", &["tv-weight"]),
            ("step", &["optimizer", "rate", "steps", "seed"]),
            ("size", &["size"]),
        ],
        _ => &[
            ("activation", &["layer"]),
            ("octaves", &["octaves", "octave-scale"]),
            ("jitter", &["jitter", "seed"]),
            ("step", &["rate", "steps"]),
            ("size", &["size"]),
        ],
    }
}

/// The page of one of the three labs.
#[component]
pub fn SearchLab(lab: Lab) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let live = state.engine.live;
    let split = RwSignal::new(0u32);
    // The term that is pointed at, in the notes or in the legend.
    let hot: RwSignal<Option<String>> = RwSignal::new(None);
    let title = move || match lab {
        Lab::Gatys => t_string!(i18n, gatys_title),
        Lab::Texture => t_string!(i18n, texture_title),
        _ => t_string!(i18n, dream_title),
    };
    let lead = move || match lab {
        Lab::Gatys => t_string!(i18n, gatys_lead),
        Lab::Texture => t_string!(i18n, texture_lead),
        _ => t_string!(i18n, dream_lead),
    };
    let picture = move || {
        live.with(|live| {
            let live = live.as_ref().filter(|live| live.lab == lab)?;
            let [width, height] = [live.progress.width, live.progress.height];
            let rgba = live.bytes.get(..(width * height * 4) as usize)?.to_vec();
            Some(view! { <Painting rgba width height split /> })
        })
    };
    let nothing = move || live.with(|live| live.as_ref().is_none_or(|live| live.lab != lab));
    let groups = controls(lab)
        .iter()
        .map(|(term, names)| {
            let lit = move || hot.with(|hot| hot.as_deref() == Some(*term));
            let controls = names
                .iter()
                .map(|name| view! { <Control lab name /> })
                .collect_view();
            view! { <section class="panel" class:lit=lit data-term=*term>{controls}</section> }
        })
        .collect_view();
    view! {
        <div class="lab">
            <header class="lab-head">
                <h1>{title}</h1>
                <p>{lead}</p>
            </header>
            <StyleTabs lab />
            {(lab != Lab::Texture).then(|| view! { <Intake /> })}
            <Notices />
            <div class="bench">
                <div class="hero-column">
                    {if lab == Lab::Texture {
                        view! {
                            <div class="stage" class:empty=nothing>
                                {move || match picture() {
                                    Some(picture) => view! { <div class="frame" style="--ratio:1">{picture}</div> }.into_any(),
                                    None => view! { <p class="invite">{t_string!(i18n, texture_empty)}</p> }.into_any(),
                                }}
                            </div>
                        }.into_any()
                    } else {
                        view! {
                            <Stage>{picture}</Stage>
                            <Compare split hidden=Signal::derive(nothing) />
                        }.into_any()
                    }}
                    <Curves live hot />
                    {(lab != Lab::Dream).then(|| view! { <Grams live /> })}
                </div>
                <div class="inspector">
                    <SearchPanel lab />
                    {(lab != Lab::Dream).then(|| view! { <Paintings lab /> })}
                    {groups}
                    <Exports lab nothing=Signal::derive(nothing) />
                </div>
            </div>
            <Notes lab hot />
        </div>
    }
}

/// Start, pause, step, go on, cancel.
#[component]
fn SearchPanel(lab: Lab) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let job = state.engine.job;
    let live = state.engine.live;
    let running = move || job.with(|job| matches!(job, JobState::Running { .. }));
    let can_start =
        move || !running() && (lab == Lab::Texture || state.source.with(Option::is_some));
    let can_go_on =
        move || !running() && live.with(|live| live.as_ref().is_some_and(|live| live.lab == lab));
    let go_on = move |steps| {
        let settings = state.settings(lab).get_untracked();
        state.engine.go_on(settings, steps);
    };
    let told = move || {
        let live = live.get().filter(|live| live.lab == lab)?;
        let progress = live.progress;
        // The bar tells while it runs.
        let at = (!running()).then(|| {
            let (done, total) = (progress.step, progress.steps);
            t_string!(i18n, search_step, done = done, total = total).to_string()
        });
        let each = live
            .step_ms
            .map(|ms| t_string!(i18n, search_each, ms = format!("{ms:.0}")).to_string());
        Some(view! {
            <p class="number quiet" id="search-step" data-step=progress.step.to_string() data-ms=live.step_ms.map(|ms| format!("{ms:.1}"))>
                {[at, each].into_iter().flatten().collect::<Vec<_>>().join(" · ")}
            </p>
        })
    };
    // What a search keeps from its beginning, where the visitor has changed it since.
    let waits = move || {
        let settings = state.settings(lab).get();
        live.with(|live| {
            let live = live.as_ref().filter(|live| live.lab == lab)?;
            let changed = AT_START.iter().filter(|name| {
                let is_set = lab.params().iter().any(|param| param.name == **name);
                is_set && settings.get(name) != live.began_with.get(name)
            });
            let names: Vec<String> = changed.map(|name| param_label(i18n, name)).collect();
            (!names.is_empty()).then(|| names.join(", "))
        })
    };
    let waits = move || {
        waits().map(|names| {
            view! { <p class="sentence" id="search-waits">{t_string!(i18n, search_waits, names = names).to_string()}</p> }
        })
    };
    // The button that was pressed may go with the state that it was for: the next one takes its place.
    let pressed = StoredValue::new("continue");
    Effect::new(move |was: Option<bool>| {
        let is = running();
        if was.is_some_and(|was| was != is) {
            let had = document().active_element().map(|element| element.id());
            let had = move |ids: &[&'static str]| {
                let same = |id: &&&'static str| had.as_deref() == Some(**id);
                ids.iter().find(same).copied()
            };
            if is {
                if let Some(id) = had(&["run", "step", "continue"]) {
                    pressed.set_value(id);
                    request_animation_frame(move || focus("pause"));
                }
            } else if had(&["pause", "cancel"]).is_some() {
                // Whoever takes single steps goes on with single steps.
                let next = match pressed.get_value() {
                    _ if !can_go_on() => "run",
                    "step" => "step",
                    _ => "continue",
                };
                request_animation_frame(move || focus(next));
            }
        }
        is
    });
    let large = move || {
        nothing_loaded(&live.read())
            .then(|| view! { <p class="help">{t_string!(i18n, search_large)}</p> })
    };
    view! {
        <section class="panel job" aria-label=move || t_string!(i18n, job_title).to_string()>
            <div class="row">
                <button type="button" class="button" id="run" disabled=move || !can_start() on:click=move |_| state.run()>
                    {move || if can_go_on() { t_string!(i18n, search_again) } else { t_string!(i18n, search_start) }}
                </button>
                <button type="button" class="button quiet" id="pause" class:gone=move || !running() on:click=move |_| state.engine.pause()>
                    {move || t_string!(i18n, search_pause)}
                </button>
                <button type="button" class="button quiet" id="step" disabled=move || !can_go_on() on:click=move |_| go_on(Some(1))>
                    {move || t_string!(i18n, search_one)}
                </button>
                <button type="button" class="button quiet" id="continue" disabled=move || !can_go_on() on:click=move |_| go_on(None)>
                    {move || t_string!(i18n, search_go_on)}
                </button>
                <button type="button" class="button quiet" id="cancel" class:gone=move || !running() on:click=move |_| state.engine.cancel()>
                    {move || t_string!(i18n, cancel)}
                </button>
            </div>
            {told}
            {waits}
            <JobStatus />
            {large}
        </section>
    }
}

/// Moves the focus to an element that can have it.
fn focus(id: &str) {
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        // An element that cannot have it leaves it where it is.
        let _ = element.focus();
    }
}

fn nothing_loaded<T>(live: &Option<T>) -> bool {
    live.is_none()
}

/// The link, the picture, and how it came about.
#[component]
fn Exports(lab: Lab, nothing: Signal<bool>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    // While it searches, the engine would answer at the end.
    let busy = move || {
        state
            .engine
            .job
            .with(|job| matches!(job, JobState::Running { .. }))
    };
    let name = move |suffix: &str| {
        let source = state.source.get_untracked().map(|source| source.name);
        export::file_name(source.as_deref().unwrap_or("kiln"), suffix)
    };
    let png = move |_| {
        let settings = state.settings(lab).get_untracked();
        let file = name(&format!("{}.png", lab.name()));
        state.engine.export(settings, None, file);
    };
    let gif = move |_| {
        state
            .engine
            .animate(lab, name(&format!("{}.gif", lab.name())))
    };
    view! {
        <div class="row exports">
            <ShareButton />
            <button type="button" class="button quiet" id="export-png" disabled=move || nothing.get() || busy() on:click=png>
                {move || t_string!(i18n, export_png)}
            </button>
            <button type="button" class="button quiet" id="export-gif" disabled=move || nothing.get() || busy() on:click=gif>
                {move || t_string!(i18n, export_gif)}
            </button>
        </div>
    }
}
