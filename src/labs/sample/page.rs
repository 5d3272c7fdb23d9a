//! Latent sliders: one picture, its neighbours, many, a walk, sums and differences.

use leptos::prelude::*;

use crate::labs::generate::ask::{Ask, Sheet, Told};
use crate::labs::generate::page::{
    Drawn, Latest, SheetView, Standing, capture, place_of, random_seed,
};
use crate::labs::generate::spec::{
    ATTRIBUTES_OF_AVATARS, DataSet, Family, MODEL_NAMES, Shipped, find, setting,
};
use crate::page::controls::{Control, RowSliders};
use crate::page::export;
use crate::page::shell::ShareButton;
use crate::page::state::use_state;
use crate::page::text::{I18n, model_label, t_string, use_i18n};
use crate::protocol::params::{Lab, Value};

/// Milliseconds of a picture of a walk.
const FRAME_MS: u64 = 140;
/// How far the pad reaches, in standard deviations.
const PAD_REACH: f32 = 3.0;

/// What an attribute is called.
pub fn attribute(i18n: I18n, index: usize) -> String {
    match ATTRIBUTES_OF_AVATARS[index] {
        "hair-light" => t_string!(i18n, attribute_hair_light),
        "hair-warm" => t_string!(i18n, attribute_hair_warm),
        "hair-long" => t_string!(i18n, attribute_hair_long),
        "skin-dark" => t_string!(i18n, attribute_skin_dark),
        "glasses" => t_string!(i18n, attribute_glasses),
        "dark-glasses" => t_string!(i18n, attribute_dark_glasses),
        "mood" => t_string!(i18n, attribute_mood),
        _ => t_string!(i18n, attribute_eyes_open),
    }
    .to_string()
}

/// The page.
#[component]
pub fn SampleLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let lab = Lab::Sample;
    let settings = state.settings(lab);
    let drawn: RwSignal<Option<Drawn>, LocalStorage> = RwSignal::new_local(None);
    let latest = Latest::new(state.engine);
    let ms = RwSignal::new(None::<f64>);
    // Sheets drawn since the page was opened.
    let drawings = RwSignal::new(0u32);
    Effect::new(move |_| {
        let began = now();
        latest.ask(Ask::Sample(settings.get()), move |told, bytes| {
            if let Told::Sheet(sheet) = told {
                drawn.set(Some((sheet, bytes)));
                ms.set(Some(now() - began));
                drawings.update(|count| *count += 1);
            }
        });
    });
    let shipped = Memo::new(move |_| {
        let name = settings.with(|settings| settings.choice(setting::MODEL));
        find(name).map_or(0, |found| {
            MODEL_NAMES
                .iter()
                .position(|&known| known == found.name)
                .unwrap_or(0)
        })
    });
    let model =
        move || -> &'static Shipped { &crate::labs::generate::spec::SHIPPED[shipped.get()] };
    let view_name = Memo::new(move |_| settings.with(|s| s.choice(setting::VIEW)));
    let has_attributes = move || model().data == DataSet::Avatars && model().family.encodes();
    let randomise = move |_| state.set(lab, setting::SEED, Value::Number(random_seed()));
    let reset = move |_| {
        for name in [setting::SLIDERS, setting::ATTRIBUTES] {
            state.set(lab, name, Value::Row([0; crate::protocol::params::ROW_MAX]));
        }
    };
    let save = move |_| {
        drawn.with_untracked(|drawn| {
            if let Some(drawn) = drawn {
                let link = state.link();
                let fragment = link.split_once('#').map_or("", |(_, f)| f).to_string();
                save_sheet(
                    drawn.clone(),
                    format!("#{fragment}"),
                    "kiln-sample.png".into(),
                );
            }
        });
    };
    let caption = move || match view_name.get() {
        "neighbours" => t_string!(i18n, sample_caption_neighbours),
        "many" => t_string!(i18n, sample_caption_many),
        "walk" => t_string!(i18n, sample_caption_walk),
        "arithmetic" => t_string!(i18n, sample_caption_arithmetic),
        _ => t_string!(i18n, sample_caption_one),
    };
    view! {
        <div class="bench">
            <div class="hero-column">
                <div class="stage sheet-stage" data-view=move || view_name.get() class:empty=move || drawn.with(Option::is_none)>
                    <SheetView
                        drawn
                        label=Signal::derive(move || t_string!(i18n, sample_sheet).to_string())
                        smooth=Signal::derive(move || model().data.side() > 28 && view_name.get() == "one")
                    />
                </div>
                <p class="help" id="sample-caption" data-ms=move || ms.get().map(|ms| format!("{ms:.1}")) data-drawings=move || drawings.get().to_string()>{caption}</p>
                <Control lab name=setting::VIEW />
                <Show when=move || view_name.get() == "walk"><Walk drawn /></Show>
                <Standing latest />
                <section class="panel">
                    <h2>{move || t_string!(i18n, sample_pad)}</h2>
                    <div class="pad-row">
                        <Pad />
                        <div class="pad-choices">
                            <Control lab name=setting::ACROSS />
                            <Control lab name=setting::DOWN />
                            <p class="help">{move || t_string!(i18n, sample_pad_help)}</p>
                        </div>
                    </div>
                </section>
            </div>
            <div class="inspector">
                <section class="panel">
                    <ModelChoice />
                    <Control lab name=setting::SEED />
                    <div class="row">
                        <button type="button" class="button" id="randomise" on:click=randomise>{move || t_string!(i18n, randomise)}</button>
                        <button type="button" class="button quiet" id="to-middle" on:click=reset>{move || t_string!(i18n, sample_reset)}</button>
                    </div>
                    <Control lab name=setting::SPREAD />
                    <Show when=move || model().family == Family::Cvae><Control lab name=setting::CLASS /></Show>
                    <Show when=move || matches!(view_name.get(), "walk" | "arithmetic")><Control lab name=setting::SEED_B /></Show>
                    <Show when=move || view_name.get() == "arithmetic"><Control lab name=setting::SEED_C /></Show>
                    <Show when=move || view_name.get() == "walk"><Control lab name=setting::PATH /></Show>
                </section>
                <Show when=has_attributes>
                    <section class="panel">
                        <h2>{move || t_string!(i18n, sample_attributes)}</h2>
                        <RowSliders lab name=setting::ATTRIBUTES label=Callback::new(move |(index,)| attribute(i18n, index)) />
                    </section>
                </Show>
                <section class="panel">
                    <h2>{move || t_string!(i18n, sample_directions)}</h2>
                    <p class="help">{move || t_string!(i18n, sample_directions_help)}</p>
                    <RowSliders lab name=setting::SLIDERS reach=3.0 shown=Signal::derive(move || model().latent) label=Callback::new(move |(index,)| t_string!(i18n, direction_n, n = index + 1).to_string()) />
                </section>
                <div class="row exports">
                    <ShareButton />
                    <button type="button" class="button quiet" id="export-png" on:click=save>{move || t_string!(i18n, export_png)}</button>
                </div>
            </div>
        </div>
    }
}

fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

/// A sheet as a PNG with the link inside.
pub fn save_sheet((sheet, rgba): Drawn, link: String, name: String) {
    leptos::task::spawn_local(async move {
        let save = async {
            let canvas: web_sys::HtmlCanvasElement =
                wasm_bindgen::JsCast::unchecked_into(document().create_element("canvas")?);
            crate::labs::generate::page::put(&canvas, sheet, &rgba)?;
            export::save_canvas(&canvas, &link, &name).await
        };
        if let Err(error) = save.await {
            leptos::logging::error!("export: {error:?}");
        }
    });
}

/// The networks, by what they are.
#[component]
fn ModelChoice() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(Lab::Sample);
    let groups = [Family::Vae, Family::Cvae, Family::Ae, Family::Gan];
    let group = move |family: Family| {
        let label = move || match family {
            Family::Vae => t_string!(i18n, family_vae),
            Family::Cvae => t_string!(i18n, family_cvae),
            Family::Ae => t_string!(i18n, family_ae),
            Family::Gan => "GAN",
        };
        let options = crate::labs::generate::spec::SHIPPED
            .iter()
            .filter(|shipped| shipped.family == family)
            .map(|shipped| {
                let chosen =
                    move || settings.with(|s| s.choice(setting::MODEL)) == shipped.name;
                view! { <option value=shipped.name prop:selected=chosen>{move || model_label(i18n, shipped)}</option> }
            })
            .collect_view();
        view! { <optgroup label=label>{options}</optgroup> }
    };
    view! {
        <div class="control">
            <label for="model">{move || t_string!(i18n, param_model)}</label>
            <select
                id="model"
                class="select wide"
                on:change:target=move |event| {
                    let value = event.target().value();
                    if let Some(index) = MODEL_NAMES.iter().position(|&name| name == value) {
                        state.set(Lab::Sample, setting::MODEL, Value::Choice(index));
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
    let lab = Lab::Sample;
    let settings = state.settings(lab);
    let down = StoredValue::new(false);
    let axes = move || {
        settings.with(|s| [setting::ACROSS, setting::DOWN].map(|name| s.number(name) as usize - 1))
    };
    // Choosing the direction that the other axis has exchanges the two.
    Effect::new(move |before: Option<[usize; 2]>| {
        let [across, up] = axes();
        if across == up {
            let [old_across, old_up] = before.unwrap_or([0, 1]);
            let (name, other) = if across == old_up {
                (setting::DOWN, old_across)
            } else {
                (setting::ACROSS, old_up)
            };
            state.set(lab, name, Value::Number(other as f32 + 1.0));
        }
        axes()
    });
    let at = move || {
        let [across, up] = axes();
        settings.with(|s| {
            let row = s.row(setting::SLIDERS);
            [row[across], row[up]]
        })
    };
    let go = move |x: f32, y: f32| {
        let [across, up] = axes();
        let hold = |v: f32| v.clamp(-PAD_REACH, PAD_REACH);
        state.set_in_row(lab, setting::SLIDERS, &[(across, hold(x)), (up, hold(y))]);
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
            aria-label=move || t_string!(i18n, sample_pad_label).to_string()
            on:pointerdown=move |event| { down.set_value(true); capture(&event, "#latent-pad"); drag(&event); }
            on:pointermove=move |event| { if down.get_value() { drag(&event) } }
            on:pointerup=move |_| down.set_value(false)
            on:pointercancel=move |_| down.set_value(false)
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
                <SheetView drawn=one label=Signal::derive(move || t_string!(i18n, sample_walk_picture).to_string()) />
            </div>
            <button type="button" class="button quiet" id="walk-play" on:click=move |_| playing.update(|p| *p = !*p)>
                {move || if playing.get() { t_string!(i18n, search_pause) } else { t_string!(i18n, walk_play) }}
            </button>
        </section>
    }
}

/// One picture of a sheet.
fn cut(sheet: Sheet, rgba: &[u8], index: usize) -> Drawn {
    let (side, columns) = (sheet.side as usize, sheet.columns as usize);
    let (row, column) = (index / columns, index % columns);
    let width = columns * side * 4;
    let mut one = Vec::with_capacity(side * side * 4);
    for y in 0..side {
        let from = (row * side + y) * width + column * side * 4;
        one.extend(rgba.get(from..from + side * 4).unwrap_or_default());
    }
    let sheet = Sheet {
        side: sheet.side,
        columns: 1,
        rows: 1,
    };
    (sheet, one)
}
