//! Latent sliders: one picture, its neighbours, many, a walk, sums and differences.

use js_sys::Uint8Array;
use leptos::prelude::*;

use super::spec::{LAB, NAMES, Question, SampleSettings, View, opening_seed};
use crate::labs::generate::page::{attribute, random_seed};
use crate::page::controls::{Control, Panel, RowSliders};
use crate::page::engine::{self, now_ms};
use crate::page::frame::LabFrame;
use crate::page::terms::Hot;
use crate::page::home::Door;
use crate::page::latest::{Latest, Standing};
use crate::page::pointer::{Drag, place_of};
use crate::page::state::{Room, asks_by_itself};
use crate::page::sheet::{Drawn, SheetView, drawn as drawn_of, save_sheet};
use crate::page::state::use_state;
use crate::labs::generate::page::model_label;
use crate::page::text::{t_string, use_i18n};
use crate::page::words::{setting_label};
use crate::protocol::generative::{DataSet, Family, SHIPPED, Shipped};
use crate::protocol::param::{ROW_MAX, Value};
use crate::protocol::picture::Sheet;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <SampleLab /> }.into_any(),
    act: asks_by_itself,
    door: Some(|| {
        view! {
            <Door lab=&LAB><img src="samples/avatars.png" alt="" width="768" height="512" /></Door>
        }
        .into_any()
    }),
};

/// Milliseconds of a picture of a walk.
const FRAME_MS: u64 = 140;
/// How far the pad reaches, in standard deviations.
const PAD_REACH: f32 = 3.0;

/// The settings, read.
fn read() -> SampleSettings {
    let state = use_state();
    state.settings(&LAB).with(|settings| settings.read())
}

/// What the engine drew last.
#[derive(Clone, Copy)]
struct Drawing {
    drawn: RwSignal<Option<Drawn>, LocalStorage>,
    /// Milliseconds from the question to the answer.
    ms: RwSignal<Option<f64>>,
    /// Sheets drawn since the page was opened.
    count: RwSignal<u32>,
}

impl Drawing {
    /// Asks for what the settings describe, whenever they change.
    fn follow(latest: Latest) -> Self {
        let settings = use_state().settings(&LAB);
        let drawing = Self {
            drawn: RwSignal::new_local(None),
            ms: RwSignal::new(None),
            count: RwSignal::new(0),
        };
        Effect::new(move |_| {
            let began = now_ms();
            let question = engine::Question::new(&Question::Sheet, &settings.get());
            latest.ask("sheet", question, move |says| {
                drawing.drawn.set(drawn_of(&says));
                drawing.ms.set(Some(now_ms() - began));
                drawing.count.update(|count| *count += 1);
            });
        });
        drawing
    }
}

/// The page.
#[component]
fn SampleLab() -> impl IntoView {
    let i18n = use_i18n();
    let latest = Latest::new(use_state().engine);
    let drawing = Drawing::follow(latest);
    view! {
        <LabFrame lab=&LAB>
            <div class="bench">
                <div class="hero-column">
                    <Pictures drawing />
                    <Control lab=&LAB name=NAMES.view />
                    <Show when=move || read().view == View::Walk><Walk drawn=drawing.drawn /></Show>
                    <Standing latest />
                    <section class="panel">
                        <h2>{move || t_string!(i18n, sample.pad)}</h2>
                        <div class="pad-row">
                            <Pad />
                            <div class="pad-choices">
                                <Control lab=&LAB name=NAMES.across />
                                <Control lab=&LAB name=NAMES.down />
                                <p class="help">{move || t_string!(i18n, sample.pad_help)}</p>
                            </div>
                        </div>
                    </section>
                </div>
                <div class="inspector">
                    <Point />
                    <Panel lab=&LAB group="point" />
                    <Directions />
                    <Exports drawing />
                </div>
            </div>
        </LabFrame>
    }
}

/// The sheet, and what it shows.
#[component]
fn Pictures(drawing: Drawing) -> impl IntoView {
    let i18n = use_i18n();
    let view = Memo::new(move |_| read().view);
    let large = move || read().shipped().data.side() > 28 && view.get() == View::One;
    let caption = move || match view.get() {
        View::One => t_string!(i18n, sample.caption_one),
        View::Neighbours => t_string!(i18n, sample.caption_neighbours),
        View::Many => t_string!(i18n, sample.caption_many),
        View::Walk => t_string!(i18n, sample.caption_walk),
        View::Arithmetic => t_string!(i18n, sample.caption_arithmetic),
    };
    let ms = move || drawing.ms.get().map(|ms| format!("{ms:.1}"));
    let empty = move || drawing.drawn.with(Option::is_none);
    let name = move || -> &'static str { view.get().into() };
    view! {
        <div class="stage sheet-stage" data-view=name class:empty=empty>
            <SheetView
                drawn=drawing.drawn
                label=Signal::derive(move || t_string!(i18n, sample.sheet).to_string())
                smooth=Signal::derive(large)
            />
        </div>
        <p class="help" id="sample-caption" data-ms=ms data-drawings=move || drawing.count.get().to_string()>{caption}</p>
    }
}

/// The network and the seed.
#[component]
fn Point() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let randomise = move |_| state.set(&LAB, NAMES.seed, Value::Number(random_seed()));
    let reset = move |_| {
        let zero = || Value::Row([0; ROW_MAX]);
        state.set_all(&LAB, &[(NAMES.sliders, zero()), (NAMES.attributes, zero())]);
    };
    view! {
        <section class="panel">
            <ModelChoice />
            <Control lab=&LAB name=NAMES.seed />
            <div class="row">
                <button type="button" class="button" id="randomise" on:click=randomise>{move || t_string!(i18n, sample.randomise)}</button>
                <button type="button" class="button quiet" id="to-middle" on:click=reset>{move || t_string!(i18n, sample.reset)}</button>
            </div>
        </section>
    }
}

/// Sliders along attributes, where they are known, and along directions.
#[component]
fn Directions() -> impl IntoView {
    let i18n = use_i18n();
    let has_attributes = move || {
        let shipped = read().shipped();
        shipped.data == DataSet::Avatars && shipped.family.encodes()
    };
    let attribute = Callback::new(move |(index,)| attribute(i18n, index));
    let direction =
        Callback::new(move |(index,)| t_string!(i18n, generate.direction_n, n = index + 1).to_string());
    view! {
        <Show when=has_attributes>
            <section class="panel" class:lit=Hot::is(NAMES.attributes)>
                <h2>{move || t_string!(i18n, sample.attributes)}</h2>
                <RowSliders lab=&LAB name=NAMES.attributes label=attribute />
            </section>
        </Show>
        <section class="panel" class:lit=Hot::is(NAMES.sliders)>
            <h2>{move || t_string!(i18n, sample.directions)}</h2>
            <p class="help">{move || t_string!(i18n, sample.directions_help)}</p>
            <RowSliders lab=&LAB name=NAMES.sliders reach=PAD_REACH shown=Signal::derive(move || read().shipped().latent) label=direction />
        </section>
    }
}

/// The link, and the sheet.
#[component]
fn Exports(drawing: Drawing) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let save = move |_| {
        if let Some(drawn) = drawing.drawn.get_untracked() {
            save_sheet(state, drawn, "kiln-sample.png".into());
        }
    };
    view! {
        <div class="row exports">
            <button type="button" class="button quiet" id="export-png" on:click=save>{move || t_string!(i18n, page.export_png)}</button>
        </div>
    }
}

/// The networks, by what they are.
#[component]
fn ModelChoice() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let groups = [Family::Vae, Family::Cvae, Family::Ae, Family::Gan];
    let group = move |family: Family| {
        let label = move || match family {
            Family::Vae => t_string!(i18n, generate.family_vae),
            Family::Cvae => t_string!(i18n, generate.family_cvae),
            Family::Ae => t_string!(i18n, generate.family_ae),
            Family::Gan => "GAN",
        };
        let options = SHIPPED
            .iter()
            .filter(|shipped| shipped.family == family)
            .map(|shipped| {
                let chosen =
                    move || read().shipped() == shipped;
                view! { <option value=shipped.name prop:selected=chosen>{move || model_label(i18n, shipped)}</option> }
            })
            .collect_view();
        view! { <optgroup label=label>{options}</optgroup> }
    };
    view! {
        <div class="control">
            <label for="model">{move || setting_label(i18n, LAB.name, NAMES.model)}</label>
            <select
                id="model"
                class="select wide"
                on:change:target=move |event| {
                    let value = event.target().value();
                    let known = |shipped: &Shipped| shipped.name == value;
                    if let Some(index) = SHIPPED.iter().position(known) {
                        let mut values = vec![(NAMES.model, Value::Choice(index))];
                        // A seed that the visitor chose stays.
                        let before = state
                            .settings(&LAB)
                            .with_untracked(|settings| settings.read::<SampleSettings>());
                        if before.seed as f32 == opening_seed(before.shipped()) {
                            let seed = opening_seed(&SHIPPED[index]);
                            values.push((NAMES.seed, Value::Number(seed)));
                        }
                        state.set_all(&LAB, &values);
                    }
                }
            >
                {groups.map(group).collect_view()}
            </select>
        </div>
    }
}

/// Two sliders at once: across is one direction, up another.
#[component]
fn Pad() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let hand = Drag::default();
    // Counted from 0: across, up.
    let axes = move || {
        let settings = read();
        [settings.across - 1, settings.down - 1]
    };
    // Choosing the direction that the other axis has exchanges the two.
    Effect::new(move |before: Option<[usize; 2]>| {
        let [across, up] = axes();
        if across == up {
            let [old_across, old_up] = before.unwrap_or([0, 1]);
            let (name, other) = if across == old_up {
                (NAMES.down, old_across)
            } else {
                (NAMES.across, old_up)
            };
            state.set(&LAB, name, Value::Number(other as f32 + 1.0));
        }
        axes()
    });
    let at = move || axes().map(|axis| read().sliders.0[axis]);
    let go = move |x: f32, y: f32| {
        let [across, up] = axes();
        let hold = |v: f32| v.clamp(-PAD_REACH, PAD_REACH);
        state.set_in_row(&LAB, NAMES.sliders, &[(across, hold(x)), (up, hold(y))]);
    };
    let drag = move |event: &web_sys::PointerEvent| {
        if let Some([x, y]) = place_of(event, "#latent-pad") {
            go(
                (x as f32 * 2.0 - 1.0) * PAD_REACH,
                (1.0 - y as f32 * 2.0) * PAD_REACH,
            );
        }
    };
    let key = move |event: web_sys::KeyboardEvent| {
        let [x, y] = at();
        let (dx, dy) = match event.key().as_str() {
            "ArrowLeft" => (-0.1, 0.0),
            "ArrowRight" => (0.1, 0.0),
            "ArrowUp" => (0.0, 0.1),
            "ArrowDown" => (0.0, -0.1),
            _ => return,
        };
        event.prevent_default();
        go(x + dx, y + dy);
    };
    let percent = |v: f32| (v / PAD_REACH + 1.0) * 50.0;
    view! {
        <div
            class="latent-pad"
            id="latent-pad"
            tabindex="0"
            role="application"
            aria-label=move || t_string!(i18n, sample.pad_label).to_string()
            on:pointerdown=move |event| { if hand.begin(&event, "#latent-pad") { drag(&event) } }
            on:pointermove=move |event| { if hand.moves(&event) { drag(&event) } else { hand.end(&event); } }
            on:pointerup=move |event| { hand.end(&event); }
            on:pointercancel=move |event| { hand.end(&event); }
            on:keydown=key
        >
            <span class="knob" style=move || { let [x, y] = at(); format!("left:{:.2}%;top:{:.2}%", percent(x), 100.0 - percent(y)) }></span>
        </div>
    }
}

/// The pictures of a walk one after the other, there and back.
#[component]
fn Walk(drawn: RwSignal<Option<Drawn>, LocalStorage>) -> impl IntoView {
    let i18n = use_i18n();
    let still = window()
        .match_media("(prefers-reduced-motion: reduce)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches());
    let playing = RwSignal::new(!still);
    let frame = RwSignal::new(0usize);
    let one: RwSignal<Option<Drawn>, LocalStorage> = RwSignal::new_local(None);
    let handle = set_interval_with_handle(
        move || {
            if playing.try_get_untracked() == Some(true) {
                let _ = frame.try_update(|frame| *frame += 1);
            }
        },
        std::time::Duration::from_millis(FRAME_MS),
    );
    on_cleanup(move || {
        if let Ok(handle) = handle {
            handle.clear();
        }
    });
    Effect::new(move |_| {
        let at = frame.get();
        drawn.with(|drawn| {
            let Some((sheet, rgba)) = drawn else { return };
            let count = (sheet.columns * sheet.rows) as usize;
            if count < 2 {
                return;
            }
            // There, and back without standing at the ends.
            let turn = at % (2 * count - 2);
            let index = if turn < count {
                turn
            } else {
                2 * count - 2 - turn
            };
            one.set(Some(cut(*sheet, rgba, index)));
        });
    });
    view! {
        <section class="panel walk">
            <div class="walk-picture">
                <SheetView drawn=one label=Signal::derive(move || t_string!(i18n, sample.walk_picture).to_string()) />
            </div>
            <button type="button" class="button quiet" id="walk-play" on:click=move |_| playing.update(|p| *p = !*p)>
                {move || if playing.get() { t_string!(i18n, page.pause) } else { t_string!(i18n, sample.walk_play) }}
            </button>
        </section>
    }
}

/// One picture of a sheet.
fn cut(sheet: Sheet, rgba: &Uint8Array, index: usize) -> Drawn {
    let (side, columns) = (sheet.side as usize, sheet.columns as usize);
    let (row, column) = (index / columns, index % columns);
    let width = columns * side * 4;
    let one = Uint8Array::new_with_length((side * side * 4) as u32);
    for y in 0..side {
        let from = ((row * side + y) * width + column * side * 4) as u32;
        let line = rgba.subarray(from, from + side as u32 * 4);
        one.set(&line, (y * side * 4) as u32);
    }
    let sheet = Sheet {
        side: sheet.side,
        columns: 1,
        rows: 1,
    };
    (sheet, one)
}
