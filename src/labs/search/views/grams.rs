//! The Gram matrices of a search: the style's, the picture's, and their difference.

use leptos::prelude::*;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, ImageData};

use crate::labs::search::live::Live;
use crate::labs::search::spec::STYLE_LAYERS;
use crate::maths::color_map::{diverging, inferno};
use crate::page::export;
use crate::page::text::{t_string, use_i18n};

/// Matrices of a layer, and how many rows and columns they have.
#[derive(Clone, PartialEq)]
struct Layer {
    number: usize,
    side: usize,
    target: Vec<f32>,
    own: Vec<f32>,
}

/// Takes the matrices out of what travelled beside a report.
fn layers(live: &Live) -> Vec<Layer> {
    let progress = &live.progress;
    let bytes = live.says.file("grams").to_vec();
    let mut values = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes));
    let views = progress.grams.iter().map(|view| {
        let side = view.channels.len();
        let mut matrix = || values.by_ref().take(side * side).collect::<Vec<_>>();
        Layer {
            number: view.layer,
            side,
            target: matrix(),
            own: matrix(),
        }
    });
    views
        .filter(|layer| layer.own.len() == layer.side * layer.side)
        .collect()
}

/// A row of three matrices for each style layer.
#[component]
pub fn Grams(
    /// The search.
    live: RwSignal<Option<Live>, LocalStorage>,
) -> impl IntoView {
    let i18n = use_i18n();
    let rows = move || {
        let layers = live.with(|live| live.as_ref().map(layers).unwrap_or_default());
        if layers.is_empty() {
            return view! { <p class="quiet">{t_string!(i18n, search.grams_empty)}</p> }.into_any();
        }
        let rows = layers
            .into_iter()
            .map(|layer| {
                let top = layer.target.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
                // A root, so that weak pairs of channels are seen beside strong ones.
                let heat = move |value: f32| inferno((value.max(0.0) / top).sqrt());
                let sign = move |value: f32| diverging(value.signum() * (value.abs() / top).sqrt());
                let difference: Vec<f32> =
                    layer.own.iter().zip(&layer.target).map(|(own, target)| own - target).collect();
                let paint = |values: &[f32], color: &dyn Fn(f32) -> [u8; 3]| -> Vec<u8> {
                    values
                        .iter()
                        .flat_map(|&value| {
                            let [r, g, b] = color(value);
                            [r, g, b, 255]
                        })
                        .collect()
                };
                let pictures = [
                    paint(&layer.target, &heat),
                    paint(&layer.own, &heat),
                    paint(&difference, &sign),
                ];
                let norm = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();
                let off = norm(&difference) / norm(&layer.target).max(f32::MIN_POSITIVE);
                let side = layer.side;
                view! {
                    <tr data-gram=STYLE_LAYERS[layer.number] data-off=off.to_string()>
                        <th scope="row">{STYLE_LAYERS[layer.number]}</th>
                        {pictures.map(|rgba| view! { <td><Matrix rgba side /></td> }).collect_view()}
                        <td class="number">{format!("{:.0} %", off * 100.0)}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <table class="grams">
                <thead><tr>
                    <th scope="col">{t_string!(i18n, search.grams_layer)}</th>
                    <th scope="col">{t_string!(i18n, search.grams_target)}</th>
                    <th scope="col">{t_string!(i18n, search.grams_own)}</th>
                    <th scope="col">{t_string!(i18n, search.grams_difference)}</th>
                    <th scope="col" class="number">{t_string!(i18n, search.grams_off)}</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
            <div class="scale"><span>"0"</span><span class="ramp"></span><span>{t_string!(i18n, search.grams_most)}</span></div>
            <div class="scale"><span>"−"</span><span class="ramp signed"></span><span>"+"</span></div>
            <p class="help">{t_string!(i18n, search.grams_help)}</p>
        }
        .into_any()
    };
    view! {
        <section class="panel" id="grams">
            <h2>{move || t_string!(i18n, search.grams_title)}</h2>
            {rows}
        </section>
    }
}

#[component]
fn Matrix(rgba: Vec<u8>, side: usize) -> impl IntoView {
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    Effect::new(move |_| {
        if let Some(Err(error)) = canvas.get().map(|canvas| draw(&canvas, &rgba, side)) {
            leptos::logging::error!("a Gram matrix: {error:?}");
        }
    });
    view! { <canvas node_ref=canvas width=side height=side aria-hidden="true"></canvas> }
}

fn draw(canvas: &HtmlCanvasElement, rgba: &[u8], side: usize) -> Result<(), JsValue> {
    let data = ImageData::new_with_u8_clamped_array(Clamped(rgba), side as u32)?;
    export::context(canvas)?.put_image_data(&data, 0.0, 0.0)
}
