//! The portrait lab: the browser lays picture, matte and background over each other, so that the
//! sliders act at once; the finished file is composed by the engine.

use js_sys::Uint8Array;
use leptos::prelude::*;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{
    Blob, CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement, ImageData, Url,
};

use super::spec::{Effect as What, LAB, Matte, NAMES, Question, SegmentSettings};
use crate::page::controls::Panel;
use crate::page::engine;
use crate::page::export;
use crate::page::frame::{LabFrame, Stage};
use crate::page::home::Door;
use crate::page::fetch;
use crate::page::intake::{FileButton, Samples, open_beside};
use crate::page::job_panel::RunPanel;
use crate::page::state::{Room, State, Trigger, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::protocol::settings::Settings;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <SegmentLab /> }.into_any(),
    act,
    door: Some(|| {
        view! {
            <Door lab=&LAB><img src="samples/astronaut-blur.jpg" alt="" width="512" height="341" /></Door>
        }
        .into_any()
    }),
};

fn act(state: State, settings: &Settings, trigger: Trigger) {
    match trigger {
        Trigger::Run => {
            if let Some(picture) = state.picture() {
                let question = engine::Question::new(&Question::Run, settings);
                state
                    .desk(&LAB)
                    .run(question.with("picture", Some(picture)));
            }
        }
        // The page lays the layers over each other itself.
        Trigger::Refine | Trigger::Adjust => {}
    }
}

/// Below this share of the picture, nobody is in it.
const NOBODY: f32 = 0.005;

/// The picture to put behind the person.
#[derive(Clone)]
struct Background {
    blob: Blob,
    url: String,
    sample: Option<&'static str>,
}

/// The picture behind the person, as a signal that gives back its address in the end.
#[derive(Clone, Copy)]
struct Behind(RwSignal<Option<Background>, LocalStorage>);

impl Behind {
    fn new() -> Self {
        let behind = Self(RwSignal::new_local(None));
        on_cleanup(move || behind.revoke());
        behind
    }

    fn revoke(self) {
        if let Some(Some(old)) = self.0.try_get_untracked() {
            let _ = Url::revoke_object_url(&old.url);
        }
    }

    fn set(self, blob: Blob, sample: Option<&'static str>) {
        // The visitor may have left the lab while the file was on its way.
        if self.0.try_get_untracked().is_none() {
            return;
        }
        if let Ok(url) = Url::create_object_url_with_blob(&blob) {
            self.revoke();
            self.0.set(Some(Background { blob, url, sample }));
        }
    }
}

/// The settings, read.
fn read(state: State) -> SegmentSettings {
    state.settings(&LAB).with(|settings| settings.read())
}

/// A matte with its bytes: 0 background to 255 person.
type Cut = (Matte, Uint8Array);

/// The page of the lab.
#[component]
fn SegmentLab() -> impl IntoView {
    let state = use_state();
    let matte = Signal::derive_local(move || {
        let says = state.desk(&LAB).answer.get()?;
        Some((says.read::<Matte>()?, says.file("alpha")))
    });
    let behind = Behind::new();
    view! {
        <LabFrame lab=&LAB>
            <div class="bench">
                <Stage>
                    {move || matte.get().map(|cut| view! { <Layers cut background=behind.0 /> })}
                </Stage>
                <div class="inspector">
                    <RunPanel lab=&LAB />
                    <Panel lab=&LAB group=NAMES.effect><More behind /></Panel>
                    <Coverage matte />
                    <Exports matte behind />
                </div>
            </div>
        </LabFrame>
    }
}

/// What an effect needs beside its settings.
#[component]
fn More(behind: Behind) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let effect = Memo::new(move |_| read(state).effect);
    let take = move |file| open_beside(state, file, move |blob| behind.set(blob, None));
    let choose = move |sample: &'static crate::protocol::samples::Sample| {
        leptos::task::spawn_local(async move {
            match fetch::sample(sample).await {
                Ok(blob) => behind.set(blob, Some(sample.name)),
                Err(failure) => state.refuse(failure),
            }
        });
    };
    let chosen = Signal::derive(move || behind.0.with(|b| b.as_ref().and_then(|b| b.sample)));
    move || match effect.get() {
        What::Picture => view! {
                <div class="row">
                    <FileButton
                        id="open-background"
                        label=Signal::derive(move || t_string!(i18n, segment.background_open).to_string())
                        on_file=take
                    />
                </div>
                <ul class="samples" aria-label=move || t_string!(i18n, segment.background_samples).to_string()>
                    <Samples chosen on_choose=choose />
                </ul>
        }
        .into_any(),
        What::Cutout => view! { <p class="help">{t_string!(i18n, segment.cutout_hint)}</p> }.into_any(),
        What::Mask | What::Blur | What::Color => ().into_any(),
    }
}

/// How much of the picture the person covers.
#[component]
fn Coverage(matte: Signal<Option<Cut>, LocalStorage>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let told = move || {
        matte.get().map(|(matte, _)| {
            if matte.coverage < NOBODY {
                return view! { <p class="sentence">{t_string!(i18n, segment.nobody)}</p> }.into_any();
            }
            let percent = format!("{:.1}", matte.coverage * 100.0);
            view! { <p>{t_string!(i18n, segment.coverage, percent = percent).to_string()}</p> }.into_any()
        })
    };
    view! {
        <section class="panel" id="coverage">
            {told}
            <p class="help">{move || t_string!(i18n, segment.one_person)}</p>
            {move || state.source.with(Option::is_none).then(|| view! { <p class="quiet">{t_string!(i18n, page.choose_first)}</p> })}
        </section>
    }
}

/// The link, and the finished picture.
#[component]
fn Exports(matte: Signal<Option<Cut>, LocalStorage>, behind: Behind) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let needs_picture = move || read(state).effect == What::Picture;
    let cannot =
        move || matte.with(Option::is_none) || (needs_picture() && behind.0.with(Option::is_none));
    let export = move |_| {
        let settings = state.settings(&LAB).get_untracked();
        let background = behind.0.get_untracked().filter(|_| needs_picture());
        let question = engine::Question::new(&Question::Export, &settings)
            .with("background", background.map(|background| background.blob));
        let name = state.file_name(&format!("{}.png", settings.word(NAMES.effect)));
        state.desk(&LAB).save(question, "png", "image/png", name);
    };
    view! {
        <div class="row exports">
            <button type="button" class="button quiet" id="export-png" disabled=cannot on:click=export>
                {move || t_string!(i18n, page.export_png)}
            </button>
        </div>
    }
}

/// Background and person, or the tint, over the picture.
#[component]
fn Layers(cut: Cut, background: RwSignal<Option<Background>, LocalStorage>) -> impl IntoView {
    let state = use_state();
    let person: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let tint: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let (size, alpha) = cut;
    let (width, height) = (size.width, size.height);
    let color = move || {
        let [r, g, b] = read(state).color;
        format!("rgb({r} {g} {b})")
    };
    let effect = Memo::new(move |_| read(state).effect);
    let source = state
        .source
        .get_untracked()
        .map(|source| source.url)
        .unwrap_or_default();
    let alpha = StoredValue::new(alpha.to_vec());
    // The tint follows its colour; the person is drawn once.
    Effect::new(move |_| {
        let Some(tint) = tint.get() else { return };
        let color = color();
        if let Some(Err(error)) =
            alpha.try_with_value(|alpha| draw_tint(&tint, alpha, width, height, &color))
        {
            leptos::logging::error!("matte: {error:?}");
        }
    });
    Effect::new({
        let source = source.clone();
        move |_| {
            let Some(person) = person.get() else { return };
            let source = source.clone();
            leptos::task::spawn_local(async move {
                let Some(alpha) = alpha.try_get_value() else {
                    return;
                };
                if let Err(error) = draw_person(&person, &source, &alpha, width, height).await {
                    leptos::logging::error!("matte: {error:?}");
                }
            });
        }
    });
    let behind = move || match effect.get() {
        What::Blur => {
            let style = move || {
                let blur = read(state).blur / 1000.0;
                format!("filter:blur(calc({blur:.4} * var(--longer)))")
            };
            view! { <img class="layer" src=source.clone() alt="" style=style /> }.into_any()
        }
        What::Color => {
            view! { <div class="layer" style=move || format!("background:{}", color())></div> }
                .into_any()
        }
        What::Picture => background
            .get()
            .map(|b| view! { <img class="layer cover" src=b.url alt="" /> })
            .into_any(),
        What::Cutout => view! { <div class="layer checker"></div> }.into_any(),
        What::Mask => ().into_any(),
    };
    let masked = move || effect.get() == What::Mask;
    let covered =
        move || !masked() && (effect.get() != What::Picture || background.with(Option::is_some));
    view! {
        <div class="layers">
            <div class="layer">{behind}</div>
            <canvas class="layer" node_ref=person width=width height=height class:hidden=move || !covered()></canvas>
            <canvas
                class="layer"
                node_ref=tint
                width=width
                height=height
                class:hidden=move || !masked()
                style=move || format!("opacity:{:.2}", read(state).opacity / 100.0)
            ></canvas>
        </div>
    }
}

/// The matte as white pixels of its opacity.
fn put_matte(
    context: &CanvasRenderingContext2d,
    alpha: &[u8],
    width: u32,
    height: u32,
) -> Result<(), JsValue> {
    let rgba: Vec<u8> = alpha.iter().flat_map(|&a| [255, 255, 255, a]).collect();
    let data = ImageData::new_with_u8_clamped_array_and_sh(Clamped(&rgba), width, height)?;
    context.put_image_data(&data, 0.0, 0.0)
}

/// Draws the matte in one colour.
fn draw_tint(
    canvas: &HtmlCanvasElement,
    alpha: &[u8],
    width: u32,
    height: u32,
    color: &str,
) -> Result<(), JsValue> {
    let context = export::context(canvas)?;
    put_matte(&context, alpha, width, height)?;
    context.set_global_composite_operation("source-in")?;
    context.set_fill_style_str(color);
    context.fill_rect(0.0, 0.0, f64::from(width), f64::from(height));
    context.set_global_composite_operation("source-over")
}

/// Draws the person cut out of the picture.
async fn draw_person(
    canvas: &HtmlCanvasElement,
    picture: &str,
    alpha: &[u8],
    width: u32,
    height: u32,
) -> Result<(), JsValue> {
    let image = HtmlImageElement::new()?;
    image.set_src(picture);
    wasm_bindgen_futures::JsFuture::from(image.decode()).await?;
    let context = export::context(canvas)?;
    put_matte(&context, alpha, width, height)?;
    // What is transparent in the picture is white, here, too: the matte is that already.
    let (width, height) = (f64::from(width), f64::from(height));
    context.set_global_composite_operation("source-atop")?;
    context.draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, width, height)?;
    context.set_global_composite_operation("source-over")
}
