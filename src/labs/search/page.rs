//! The labs that take steps: style by optimisation, texture, dreams. One page, three sets of
//! controls.

use leptos::prelude::*;

use super::live::{BOUND, Live, Needs, answer_link, can_go_on, go_on, search_of};
use super::spec::Question;
use super::views::curves::Curves;
use super::views::grams::Grams;
use super::views::pins::Pins;
use crate::labs::stylize::views::paintings::Paintings;
use crate::page::canvas::{Compare, Painting};
use crate::page::controls::{Beside, Panels};
use crate::page::engine;
use crate::page::frame::{LabFrame, Stage};
use crate::page::job_panel::{RunStatus, stop};
use crate::page::keys::focus;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::page::words::{lab_word, sample_name, setting_label};
use crate::protocol::lab::LabSpec;
use crate::protocol::param::Value;

/// What a lab shows of its search.
pub type Below = fn(RwSignal<Option<Live>, LocalStorage>) -> AnyView;

/// The page of such a lab.
#[component]
pub fn SearchLab(
    /// Whose.
    lab: &'static LabSpec,
    /// What its search needs.
    needs: Needs,
    /// What the lab shows below its picture.
    #[prop(optional)]
    below: Option<Below>,
    /// What the lab shows in the panel of a group.
    #[prop(optional)]
    beside: Option<Beside>,
) -> impl IntoView {
    let state = use_state();
    let search = search_of(state, lab);
    let live = search.live;
    answer_link(state, lab, needs);
    // The term that is pointed at, in the notes or in the legend.
    let hot: RwSignal<Option<String>> = RwSignal::new(None);
    let is_kept = Signal::derive(move || search.kept(state).is_some());
    let nothing = Signal::derive(move || live.with(Option::is_none) || is_kept.get());
    view! {
        <LabFrame lab hot>
            <div class="bench">
                <div class="hero-column">
                    <Picture lab live needs nothing />
                    {below.map(|below| below(live))}
                    <Show when=move || !is_kept.get()>
                        <Curves lab live hot />
                        {needs.style.then(|| view! { <Grams live /> })}
                    </Show>
                    <Pins lab nothing />
                </div>
                <div class="inspector">
                    <SearchPanel lab needs />
                    {needs.style.then(|| view! { <Paintings lab title="paintings.title" /> })}
                    <Panels lab beside />
                    <Exports lab nothing />
                </div>
            </div>
        </LabFrame>
    }
}

/// The present picture: over the photograph, or alone.
#[component]
fn Picture(
    lab: &'static LabSpec,
    live: RwSignal<Option<Live>, LocalStorage>,
    needs: Needs,
    /// Whether there is none yet, or none of the picture on the stage.
    nothing: Signal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let split = RwSignal::new(0u32);
    let picture = move || {
        if nothing.get() {
            return None;
        }
        live.with(|live| {
            let live = live.as_ref()?;
            let [width, height] = [live.progress.width, live.progress.height];
            let rgba = live.says.file("rgba");
            let (names, columns) = (live.progress.captions.clone(), live.progress.columns);
            Some(view! {
                <Painting rgba width height split />
                <Captions names columns />
            })
        })
    };
    if needs.picture && !needs.alone {
        return view! {
            <Stage>{picture}</Stage>
            <Compare split hidden=nothing />
        }
        .into_any();
    }
    let ratio = Memo::new(move |_| {
        let of = |live: &Live| f64::from(live.progress.width) / f64::from(live.progress.height);
        live.with(|live| live.as_ref().map_or(1.0, of))
    });
    let alone = move || {
        view! { <div class="frame" style=move || format!("--ratio:{:.5}", ratio.get())>{picture}</div> }
    };
    if needs.picture {
        // Until there is something, the picture that it is made from.
        return view! {
            <Show when=move || nothing.get() fallback=move || view! { <div class="stage">{alone()}</div> }>
                <Stage>{None::<()>}</Stage>
            </Show>
        }
        .into_any();
    }
    let empty = move || lab_word(i18n, lab.name, "texts.empty");
    view! {
        <div class="stage" class:empty=nothing>
            <Show when=move || !nothing.get() fallback=move || view! { <p class="invite">{empty()}</p> }>
                {alone()}
            </Show>
        </div>
    }
    .into_any()
}

/// Names of the pictures side by side of which the picture is made.
#[component]
fn Captions(names: Vec<String>, columns: usize) -> impl IntoView {
    (!names.is_empty()).then(|| {
        let names = names.into_iter().map(|name| view! { <li>{name}</li> });
        view! { <ul class="captions" style=format!("--columns:{columns}")>{names.collect_view()}</ul> }
    })
}

/// Start, pause, step, go on, cancel.
#[component]
fn SearchPanel(lab: &'static LabSpec, needs: Needs) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let desk = state.desk(lab);
    let running = Signal::derive(move || desk.is_running());
    let can_start =
        move || !running.get() && (!needs.picture || state.source.with(Option::is_some));
    let can_go_on = Signal::derive(move || !running.get() && can_go_on(state, lab));
    let go_on = move |steps| go_on(state, &state.settings(lab).get_untracked(), steps);
    let is_kept = Signal::derive(move || search_of(state, lab).kept(state).is_some());
    keep_focus(running, can_go_on);
    view! {
        <section class="panel job" aria-label=move || t_string!(i18n, page.job_title).to_string()>
            <div class="row">
                <button type="button" class="button" id="run" disabled=move || !can_start() on:click=move |_| state.run()>
                    {move || if can_go_on.get() { t_string!(i18n, search.again) } else { t_string!(i18n, page.start) }}
                </button>
                <button type="button" class="button quiet" id="pause" class:gone=move || !running.get() on:click=move |event| stop(&event, || desk.pause())>
                    {move || t_string!(i18n, page.pause)}
                </button>
                <button type="button" class="button quiet" id="step" disabled=move || !can_go_on.get() on:click=move |_| go_on(Some(1))>
                    {move || t_string!(i18n, page.one_step)}
                </button>
                <button type="button" class="button quiet" id="continue" disabled=move || !can_go_on.get() on:click=move |_| go_on(None)>
                    {move || t_string!(i18n, search.go_on)}
                </button>
                <button type="button" class="button quiet" id="cancel" class:gone=move || !running.get() on:click=move |event| stop(&event, || desk.cancel())>
                    {move || t_string!(i18n, page.cancel)}
                </button>
            </div>
            <KeptSearch lab />
            <Show when=move || !is_kept.get()><Standing lab running /></Show>
            <div class:gone=is_kept><RunStatus lab /></div>
            <Large lab />
        </section>
    }
}

/// The way back to a search of another picture than the one on the stage.
#[component]
fn KeptSearch(lab: &'static LabSpec) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let search = search_of(state, lab);
    move || {
        let of = search.kept(state)?;
        let step = search
            .live
            .with(|live| live.as_ref().map_or(0, |live| live.progress.step));
        let name = match of.sample {
            Some(sample) => sample_name(i18n, sample.name).to_string(),
            None => of.name.clone(),
        };
        let said = t_string!(i18n, search.kept, name = name, step = step).to_string();
        let back = move |_| state.take(of.blob.clone(), of.name.clone(), of.sample);
        Some(view! {
            <p class="sentence" id="kept-search">
                <span>{said}</span>
                <button type="button" class="button quiet" id="back-to-search" on:click=back>{t_string!(i18n, search.back)}</button>
            </p>
        })
    }
}

/// How far the search is, and what it keeps from its beginning although the visitor has changed it.
#[component]
fn Standing(lab: &'static LabSpec, running: Signal<bool>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let live = search_of(state, lab).live;
    let told = move || {
        let live = live.get()?;
        let progress = live.progress;
        // The bar tells while it runs.
        let at = (!running.get()).then(|| {
            let (done, total) = (progress.step, progress.steps);
            t_string!(i18n, page.step_of, done = done, total = total).to_string()
        });
        let each = live
            .step_ms
            .map(|ms| t_string!(i18n, search.each, ms = format!("{ms:.0}")).to_string());
        Some(view! {
            <p class="number quiet" id="search-step" data-step=progress.step.to_string() data-ms=live.step_ms.map(|ms| format!("{ms:.1}"))>
                {[at, each].into_iter().flatten().collect::<Vec<_>>().join(" · ")}
            </p>
        })
    };
    let is_sketch = search_of(state, lab).is_sketch;
    let waits = move || {
        let settings = state.settings(lab).get();
        let began_with = state.desk(lab).began_with.get()?;
        live.with(Option::is_some).then_some(())?;
        let sketched = |name: &&str| is_sketch.get() && BOUND.contains(name);
        let names = lab.waiting(&settings, &began_with).into_iter();
        let names = names.filter(|name| !sketched(name));
        let labels: Vec<String> = names
            .map(|name| setting_label(i18n, lab.name, name))
            .collect();
        let names = labels.join(", ");
        (!names.is_empty()).then(|| {
            view! { <p class="sentence" id="search-waits">{t_string!(i18n, search.waits, names = names).to_string()}</p> }
        })
    };
    let sketch = move || {
        let live = live.get().filter(|_| is_sketch.get())?;
        // Of one, where several stand side by side.
        let across = live.progress.columns.max(1) as u32;
        let longer = live.progress.width.max(live.progress.height) / across;
        let settings = state.settings(lab).get();
        let size = match settings.get(BOUND[0]) {
            Value::Number(number) => *number,
            _ => 0.0,
        };
        let said = t_string!(i18n, search.sketch, small = longer, size = size);
        Some(view! { <p class="sentence" id="search-sketch">{said.to_string()}</p> })
    };
    view! {
        {told}
        {sketch}
        {waits}
    }
}

/// What the first start fetches.
#[component]
fn Large(lab: &'static LabSpec) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let live = search_of(state, lab).live;
    move || {
        let text = lab_word(i18n, lab.name, "texts.large");
        live.with(Option::is_none)
            .then(|| view! { <p class="help">{text}</p> })
    }
}

/// The button that was pressed may go with the state that it was for: the next one takes the focus.
fn keep_focus(running: Signal<bool>, can_go_on: Signal<bool>) {
    let pressed = StoredValue::new("continue");
    Effect::new(move |was: Option<bool>| {
        let is = running.get();
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
                    _ if !can_go_on.get_untracked() => "run",
                    "step" => "step",
                    _ => "continue",
                };
                request_animation_frame(move || focus(next));
            }
        }
        is
    });
}

/// The link, the picture, and how it came about.
#[component]
fn Exports(lab: &'static LabSpec, nothing: Signal<bool>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    // While it searches, the engine would answer at the end.
    let busy = move || state.desk(lab).is_running();
    let save = move |question: Question, file: &'static str, mime: &'static str| {
        let settings = state.settings(lab).get_untracked();
        let name = state.file_name(&format!("{}.{file}", lab.name));
        let question = engine::Question::new(&question, &settings);
        state.desk(lab).save(question, file, mime, name);
    };
    let png = move |_| save(Question::Export, "png", "image/png");
    let gif = move |_| save(Question::Animate, "gif", "image/gif");
    view! {
        <div class="row exports">
            <button type="button" class="button quiet" id="export-png" disabled=move || nothing.get() || busy() on:click=png>
                {move || t_string!(i18n, page.export_png)}
            </button>
            <button type="button" class="button quiet" id="export-gif" disabled=move || nothing.get() || busy() on:click=gif>
                {move || t_string!(i18n, page.export_gif)}
            </button>
        </div>
    }
}
