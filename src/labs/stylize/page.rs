//! The style lab: the photograph repainted, with a line to slide between before and after.

use leptos::prelude::*;

use super::views::pad::Pad;
use crate::labs::detect::page::Stage;
use crate::labs::stylize::spec::{BUILT_IN, Painted, SOURCE, STYLE, STYLES};
use crate::labs::stylize::views::paintings::Paintings;
use crate::page::canvas::{Compare, Painting};
use crate::page::controls::Control;
use crate::page::engine::Answer;
use crate::page::export;
use crate::page::intake::Intake;
use crate::page::job_panel::{JobPanel, Notices};
use crate::page::notes::Notes;
use crate::page::shell::ShareButton;
use crate::page::state::use_state;
use crate::page::style_tabs::StyleTabs;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::message::LabResult;
use crate::protocol::params::{Lab, MIX_MAX, Value, only};
use crate::protocol::settings::Settings;

/// Tiles in a row of `styles.jpg`, which `tools/style_sheet.py` makes.
const SHEET_COLUMNS: usize = 13;

/// Where the tile of a style lies in the sheet, as CSS wants it.
pub fn tile_position(index: usize) -> String {
    let (column, row) = (index % SHEET_COLUMNS, index / SHEET_COLUMNS);
    let x = column as f32 / (SHEET_COLUMNS - 1) as f32 * 100.0;
    let y = row as f32 / (STYLES.div_ceil(SHEET_COLUMNS) - 1).max(1) as f32 * 100.0;
    format!("{x:.2}% {y:.2}%")
}

/// The page of the lab.
#[component]
pub fn StylizeLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let painting: RwSignal<Option<Answer>, LocalStorage> = RwSignal::new_local(None);
    Effect::new(move |_| {
        let answer = state
            .engine
            .answer
            .get()
            .filter(|answer| matches!(answer.outcome.result, LabResult::Stylize(_)));
        painting.set(answer);
    });
    // The share of the stage, from the left, that shows the photograph.
    let split = RwSignal::new(0u32);
    let nothing = move || painting.with(Option::is_none);
    let export = move |_| {
        let name = state
            .source
            .get_untracked()
            .map_or("picture.png".into(), |source| source.name);
        let settings = state.settings(Lab::Stylize).get_untracked();
        state
            .engine
            .export(settings, None, export::file_name(&name, "styled.png"));
    };
    view! {
        <div class="lab">
            <header class="lab-head">
                <h1>{move || t_string!(i18n, stylize_title)}</h1>
                <p>{move || t_string!(i18n, stylize_lead)}</p>
            </header>
            <StyleTabs lab=Lab::Stylize />
            <Intake />
            <Pad />
            <Notices />
            <div class="bench">
                <div>
                    <Stage>
                        {move || painting.get().map(|answer| painted(answer, split))}
                    </Stage>
                    <Compare split hidden=Signal::derive(nothing) />
                </div>
                <div class="inspector">
                    <JobPanel />
                    <StylePicker />
                    <Paintings lab=Lab::Stylize />
                    <section class="panel">
                        <Control lab=Lab::Stylize name="strength" />
                        <Control lab=Lab::Stylize name="colors" />
                        <Control lab=Lab::Stylize name="size" />
                    </section>
                    <div class="row exports">
                        <ShareButton />
                        <button type="button" class="button quiet" id="export-png" disabled=nothing on:click=export>
                            {move || t_string!(i18n, export_png)}
                        </button>
                    </div>
                </div>
            </div>
            <Notes lab=Lab::Stylize hot=RwSignal::new(None) />
        </div>
    }
}

/// The repainted picture of an answer.
fn painted(answer: Answer, split: RwSignal<u32>) -> Option<impl IntoView> {
    let LabResult::Stylize(Painted { width, height }) = answer.outcome.result else {
        return None;
    };
    let rgba = answer.bytes;
    Some(view! { <Painting rgba width height split /> })
}

/// The styles as tiles: one of them, or several with a weight each.
#[component]
fn StylePicker() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let mix = move || match state
        .settings(Lab::Stylize)
        .with(|settings| settings.get(STYLE))
    {
        Value::Mix(mix) => mix,
        _ => [0; MIX_MAX],
    };
    let built_in = move || {
        let source = |settings: &Settings| settings.choice(SOURCE);
        state.settings(Lab::Stylize).with(source) == BUILT_IN
    };
    let count = move || mix().iter().filter(|&&weight| weight > 0).count();
    let mixing = RwSignal::new(count() > 1);
    // A link may bring a mixture while the page is open.
    Effect::new(move |_| {
        if count() > 1 {
            mixing.set(true);
        }
    });
    let set = move |mix| state.set(Lab::Stylize, STYLE, Value::Mix(mix));
    let choose = move |index: usize| {
        if !mixing.get_untracked() {
            return set(only(index));
        }
        if !built_in() {
            return set(only(index));
        }
        let mut changed = mix();
        changed[index] = if changed[index] > 0 { 0 } else { 100 };
        // The last one stays: a mixture of nothing is no picture.
        if changed.iter().any(|&weight| weight > 0) {
            set(changed);
        }
    };
    let stop_mixing = move |mixes: bool| {
        mixing.set(mixes);
        if !mixes {
            let largest = (0..STYLES).max_by_key(|&index| (mix()[index], STYLES - index));
            set(only(largest.unwrap_or(0)));
        }
    };
    let tiles = (0..STYLES)
        .map(|index| {
            let chosen = move || built_in() && mix()[index] > 0;
            let position = tile_position(index);
            view! {
                <button
                    type="button"
                    class="style-tile"
                    data-style=index
                    aria-pressed=move || chosen().to_string()
                    aria-label=move || t_string!(i18n, style_number, n = index).to_string()
                    title=move || t_string!(i18n, style_number, n = index).to_string()
                    style=format!("background-position:{position}")
                    on:click=move |_| choose(index)
                >
                    <span class="number" aria-hidden="true">{index}</span>
                </button>
            }
        })
        .collect_view();
    let sliders = move || {
        let shown = mixing.get() && built_in() && count() > 1;
        shown.then(|| {
            (0..STYLES)
                .filter(|&index| mix()[index] > 0)
                .map(|index| {
                    view! { <Weight index weight=mix()[index] on_change=move |weight| {
                        let mut changed = mix();
                        changed[index] = weight;
                        set(changed);
                    } /> }
                })
                .collect_view()
        })
    };
    view! {
        <section class="panel" id="styles">
            <div class="row spread">
                <h2>{move || t_string!(i18n, param_style)}</h2>
                <label class="check">
                    <input
                        type="checkbox"
                        id="mixing"
                        prop:checked=move || mixing.get()
                        on:change:target=move |event| stop_mixing(event.target().checked())
                    />
                    <span>{move || t_string!(i18n, style_mix)}</span>
                </label>
            </div>
            <div class="style-tiles">{tiles}</div>
            {sliders}
            <p class="help">{move || if mixing.get() { t_string!(i18n, style_mix_help) } else { t_string!(i18n, style_help) }}</p>
        </section>
    }
}

/// The weight of one style of a mixture; acts when it is let go, because the network runs again.
#[component]
fn Weight(index: usize, weight: u8, on_change: impl Fn(u8) + 'static) -> impl IntoView {
    let i18n = use_i18n();
    let value = RwSignal::new(weight);
    let id = format!("weight-{index}");
    view! {
        <div class="control">
            <label for=id.clone()>{move || t_string!(i18n, style_number, n = index).to_string()}</label>
            <output for=id.clone()>{move || value.get()}</output>
            <input
                type="range"
                id=id
                min="1"
                max="100"
                prop:value=move || value.get()
                style=move || format!("--filled:{}%", value.get())
                on:input:target=move |event| value.set(event.target().value().parse().unwrap_or(weight))
                on:change=move |_| on_change(value.get_untracked())
            />
        </div>
    }
}
