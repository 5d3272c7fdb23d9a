//! The portrait lab: the browser lays picture, matte and background over each other, so that the
//! sliders act at once; the finished file is composed by the engine.

use leptos::prelude::*;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{
    Blob, CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement, ImageData, Url,
};

use crate::labs::detect::page::Stage;
use crate::page::controls::Control;
use crate::page::engine::Answer;
use crate::page::export;
use crate::page::intake::{FileButton, Intake, Samples, check_file, fetch_sample};
use crate::page::job_panel::{JobPanel, Notices};
use crate::page::notes::Notes;
use crate::page::shell::ShareButton;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::message::LabResult;
use crate::protocol::params::Lab;

/// Below this share of the picture, nobody is in it.
const NOBODY: f32 = 0.005;

/// The picture to put behind the person.
#[derive(Clone)]
struct Background {
    blob: Blob,
    url: String,
    sample: Option<&'static str>,
}

/// The page of the lab.
#[component]
pub fn SegmentLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let matte: RwSignal<Option<Answer>, LocalStorage> = RwSignal::new_local(None);
    let background: RwSignal<Option<Background>, LocalStorage> = RwSignal::new_local(None);
    Effect::new(move |_| {
        let answer = state
            .engine
            .answer
            .get()
            .filter(|answer| matches!(answer.outcome.result, LabResult::Segment(_)));
        matte.set(answer);
    });
    let effect = move || state.segment.with(|settings| settings.choice("effect"));
    let set_background = move |blob: Blob, sample: Option<&'static str>| {
        // The visitor may have left the lab while the file was on its way.
        let Some(old) = background.try_get_untracked() else {
            return;
        };
        let Ok(url) = Url::create_object_url_with_blob(&blob) else {
            return;
        };
        if let Some(old) = old {
            let _ = Url::revoke_object_url(&old.url);
        }
        background.set(Some(Background { blob, url, sample }));
    };
    on_cleanup(move || {
        if let Some(Some(old)) = background.try_get_untracked() {
            let _ = Url::revoke_object_url(&old.url);
        }
    });
    let take_background = move |file: web_sys::File| {
        leptos::task::spawn_local(async move {
            match check_file(&file).await {
                Ok(_) => set_background(file.unchecked_into(), None),
                Err(failure) => state.refuse(failure),
            }
        });
    };
    let export = move |_| {
        let settings = state.segment.get_untracked();
        let effect = settings.choice("effect");
        let behind = background.get_untracked().filter(|_| effect == "picture");
        let name = state
            .source
            .get_untracked()
            .map_or("picture.png".into(), |source| source.name);
        let file_name = export::file_name(&name, &format!("{effect}.png"));
        state.engine.export(
            settings,
            behind.map(|background| background.blob),
            file_name,
        );
    };
    let cannot_export = move || {
        matte.with(Option::is_none) || (effect() == "picture" && background.with(Option::is_none))
    };
    view! {
        <div class="lab">
            <header class="lab-head">
                <h1>{move || t_string!(i18n, segment_title)}</h1>
                <p>{move || t_string!(i18n, segment_lead)}</p>
            </header>
            <Intake />
            <Notices />
            <div class="bench">
                <Stage>
                    {move || matte.get().map(|answer| view! { <Layers answer background /> })}
                </Stage>
                <div class="inspector">
                    <JobPanel />
                    <section class="panel">
                        <Control lab=Lab::Segment name="effect" />
                        {move || match effect() {
                            "mask" => view! {
                                <Control lab=Lab::Segment name="opacity" />
                                <Control lab=Lab::Segment name="color" />
                            }.into_any(),
                            "blur" => view! { <Control lab=Lab::Segment name="blur" /> }.into_any(),
                            "color" => view! { <Control lab=Lab::Segment name="color" /> }.into_any(),
                            "picture" => view! {
                                <div class="row">
                                    <FileButton
                                        id="open-background"
                                        label=Signal::derive(move || t_string!(i18n, background_open).to_string())
                                        on_file=take_background
                                    />
                                </div>
                                <ul class="samples" aria-label=move || t_string!(i18n, background_samples).to_string()>
                                    <Samples
                                        chosen=Signal::derive(move || background.with(|b| b.as_ref().and_then(|b| b.sample)))
                                        on_choose=move |sample| leptos::task::spawn_local(async move {
                                            match fetch_sample(sample).await {
                                                Ok(blob) => set_background(blob, Some(sample.name)),
                                                Err(failure) => state.refuse(failure),
                                            }
                                        })
                                    />
                                </ul>
                            }.into_any(),
                            _ => view! { <p class="help">{t_string!(i18n, cutout_hint)}</p> }.into_any(),
                        }}
                    </section>
                    <section class="panel" id="coverage">
                        {move || matte.get().and_then(|answer| match answer.outcome.result {
                            LabResult::Segment(matte) if matte.coverage < NOBODY => {
                                Some(view! { <p class="sentence">{t_string!(i18n, nobody)}</p> }.into_any())
                            }
                            LabResult::Segment(matte) => {
                                let percent = format!("{:.1}", matte.coverage * 100.0);
                                Some(view! { <p>{t_string!(i18n, coverage, percent = percent).to_string()}</p> }.into_any())
                            }
                            _ => None,
                        })}
                        {move || state.source.with(Option::is_none).then(|| view! { <p class="quiet">{t_string!(i18n, table_empty)}</p> })}
                    </section>
                    <div class="row exports">
                        <ShareButton />
                        <button type="button" class="button quiet" id="export-png" disabled=cannot_export on:click=export>
                            {move || t_string!(i18n, export_png)}
                        </button>
                    </div>
                </div>
            </div>
            <Notes lab=Lab::Segment hot=RwSignal::new(None) />
        </div>
    }
}

/// Background and person, or the tint, over the picture.
#[component]
fn Layers(answer: Answer, background: RwSignal<Option<Background>, LocalStorage>) -> impl IntoView {
    let state = use_state();
    let person: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let tint: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let LabResult::Segment(size) = answer.outcome.result else {
        return ().into_any();
    };
    let (width, height) = (size.width, size.height);
    let number = move |name: &'static str| state.segment.with(|settings| settings.number(name));
    let effect = move || state.segment.with(|settings| settings.choice("effect"));
    let color = move || {
        let [r, g, b] = state.segment.with(|settings| settings.color("color"));
        format!("rgb({r} {g} {b})")
    };
    let source = state
        .source
        .get_untracked()
        .map(|source| source.url)
        .unwrap_or_default();
    let alpha = StoredValue::new(answer.bytes);
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
    let behind = move || {
        match effect() {
        "blur" => view! {
            <img class="layer" src=source.clone() alt="" style=move || format!("filter:blur(calc({:.4} * var(--longer)))", number("blur") / 1000.0) />
        }.into_any(),
        "color" => view! { <div class="layer" style=move || format!("background:{}", color())></div> }.into_any(),
        "picture" => background.get().map(|b| view! { <img class="layer cover" src=b.url alt="" /> }).into_any(),
        "cutout" => view! { <div class="layer checker"></div> }.into_any(),
        _ => ().into_any(),
    }
    };
    let masked = move || effect() == "mask";
    let covered = move || !masked() && (effect() != "picture" || background.with(Option::is_some));
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
                style=move || format!("opacity:{:.2}", number("opacity") / 100.0)
            ></canvas>
        </div>
    }
    .into_any()
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
    context.set_global_composite_operation("source-in")?;
    context.draw_image_with_html_image_element_and_dw_and_dh(
        &image,
        0.0,
        0.0,
        f64::from(width),
        f64::from(height),
    )?;
    context.set_global_composite_operation("source-over")
}
