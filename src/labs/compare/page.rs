//! The page: the picture once for each detector, what each costs, and the truth by hand.

use js_sys::Uint8Array;
use leptos::prelude::*;

use super::spec::{Answer, BACKBONES, CompareSettings, LAB, NAMES, Question, SCENE};
use super::views::backbones::Backbones;
use super::views::costs::Costs;
use super::views::figures::Figures;
use super::views::steps::Steps;
use super::views::truth::TruthPanel;
use crate::labs::detect::families::FAMILIES;
use crate::labs::propose;
use crate::labs::truth::compose::ComposePanel;
use crate::labs::truth::composed::{backdrop, with_picture};
use crate::labs::truth::read;
use crate::page::controls::Panel;
use crate::page::engine;
use crate::page::export;
use crate::page::frame::{LabFrame, Stage};
use crate::page::job_panel::RunPanel;
use crate::page::state::{Room, State, Trigger, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::protocol::param::Value;
use crate::protocol::settings::Settings;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <CompareLab /> }.into_any(),
    act,
    door: None,
};

fn act(state: State, settings: &Settings, trigger: Trigger) {
    let desk = state.desk(&LAB);
    let ask = |question| engine::Question::new(&question, settings);
    match trigger {
        Trigger::Run => {
            let question = ask(Question::Run);
            with_picture(state, SCENE, move |picture| desk.run(question.with("picture", Some(picture))));
        }
        Trigger::Refine => desk.refine(ask(Question::Refine)),
        Trigger::Adjust => {}
    }
}

/// The page of the lab.
#[component]
fn CompareLab() -> impl IntoView {
    let state = use_state();
    let desk = state.desk(&LAB);
    let backdrop = backdrop(state, &LAB);
    let settings = state.settings(&LAB);
    let answer = RwSignal::new_local(None::<Answer>);
    // Each family shows itself before there is an answer.
    desk.on_says(move |says| {
        if let Some(on_the_way) = says.read::<Answer>() {
            answer.try_set(Some(on_the_way));
        }
    });
    Effect::new(move |_| {
        desk.answer.with(|says| match says {
            Some(says) => answer.set(says.read::<Answer>()),
            None => answer.set(None),
        });
    });
    let truth = Memo::new(move |_| {
        settings.with(|settings| {
            let settings = settings.read::<CompareSettings>();
            (read(&settings.truth), settings.overlap)
        })
    });
    let figures = move || {
        let (truth, overlap) = truth.get();
        match answer.get() {
            Some(answer) => view! { <div class="families" id="families"><Figures answer truth overlap backdrop /></div> }.into_any(),
            None => view! { <Stage>""</Stage> }.into_any(),
        }
    };
    view! {
        <LabFrame lab=&LAB>
            <div class="bench">
                <div class="hero-column">
                    {figures}
                    {move || answer.get().map(|answer| view! { <Costs answer=answer.clone() /><Steps answer=answer.clone() /><Backbones answer /> })}
                    <ComposePanel of=SCENE to=propose::spec::SCENE />
                    <TruthPanel answer=answer.into() backdrop />
                </div>
                <div class="inspector">
                    <RunPanel lab=&LAB />
                    <Chooser />
                    <Panel lab=&LAB group="searched" />
                    <Panel lab=&LAB group="thresholds" />
                    <Panel lab=&LAB group="truth" />
                    <Exports answer />
                </div>
            </div>
        </LabFrame>
    }
}

/// What was found, as a file.
#[component]
fn Exports(answer: RwSignal<Option<Answer>, LocalStorage>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let save = move |_| {
        let Some(answer) = answer.get_untracked() else {
            return;
        };
        let families: Vec<_> = answer
            .found
            .iter()
            .map(|of| {
                let family = FAMILIES[of.family];
                let ms: serde_json::Map<_, _> = of
                    .timings
                    .iter()
                    .map(|(stage, ms)| (stage.name().to_string(), serde_json::json!((ms * 10.0).round() / 10.0)))
                    .collect();
                serde_json::json!({
                    "family": family.name,
                    "places": of.places,
                    "ms": ms,
                    "detections": of.detections.to_json(family),
                })
            })
            .collect();
        let file = serde_json::json!([{
            "width": answer.width,
            "height": answer.height,
            "families": families,
            "truth": state.settings(&LAB).with_untracked(|settings| settings.read::<CompareSettings>().truth),
        }]);
        export::download(
            &Uint8Array::from(file.to_string().as_bytes()),
            "application/json",
            &state.file_name("compare.json"),
        );
    };
    view! {
        <div class="row exports">
            <button type="button" class="button quiet" id="export-json" disabled=move || answer.with(Option::is_none) on:click=save>
                {move || t_string!(i18n, page.export_json)}
            </button>
        </div>
    }
}

/// Which detectors are compared.
#[component]
fn Chooser() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(&LAB);
    let chosen = Memo::new(move |_| {
        let of = |settings: &Settings| settings.read::<CompareSettings>().chosen();
        let names = settings.with(|settings| of(settings));
        names.iter().map(|family| family.name).collect::<Vec<_>>()
    });
    // In the order of the list.
    let ordered = |names: &[&str]| -> Vec<&'static str> {
        let all = FAMILIES.iter().map(|family| family.name);
        all.filter(|name| names.contains(name)).collect()
    };
    let choose = move |names: &[&str]| {
        let names = ordered(names);
        // One has to stay.
        if !names.is_empty() {
            state.set(&LAB, NAMES.families, Value::Text(names.join(",")));
        }
    };
    let change = move |name: &'static str, is: bool| {
        let mut names = chosen.get_untracked();
        names.retain(|of| *of != name);
        if is {
            names.push(name);
        }
        choose(&names);
    };
    let on_both = BACKBONES.map(|family| family.name);
    let is_on_both = move || chosen.with(|chosen| *chosen == ordered(&on_both));
    let boxes = FAMILIES.iter().filter(|family| family.is_measured()).map(|family| {
        let name = family.name;
        let is = move || chosen.with(|chosen| chosen.contains(&name));
        let last = move || is() && chosen.with(Vec::len) == 1;
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    name="families"
                    value=name
                    prop:checked=is
                    disabled=last
                    on:change:target=move |event| change(name, event.target().checked())
                />
                {family.title}
            </label>
        }
    });
    view! {
        <section class="panel">
            <fieldset class="segments" id="families-chosen">
                <legend>{move || t_string!(i18n, compare.families)}</legend>
                <div class="column">{boxes.collect_view()}</div>
            </fieldset>
            <button
                type="button"
                class="button quiet"
                id="preset-backbones"
                aria-pressed=move || is_on_both().to_string()
                on:click=move |_| choose(&on_both)
            >
                {move || t_string!(i18n, compare.backbones_choose)}
            </button>
        </section>
    }
}
