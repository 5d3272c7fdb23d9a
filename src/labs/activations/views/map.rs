//! One channel, large, over the picture.

use leptos::prelude::*;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, ImageData};

use crate::labs::activations::page::{Results, settings};
use crate::maths::color_map::{diverging, inferno};
use crate::page::export;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};

/// The colours of the bytes of a map.
pub fn colors(signed: bool) -> Vec<[u8; 3]> {
    let color = |byte: u8| match signed {
        true => diverging((f32::from(byte) - 128.0) / 127.0),
        false => inferno(f32::from(byte) / 255.0),
    };
    (0..=255).map(color).collect()
}

/// The channel in its colours.
#[component]
pub fn Overlay(
    /// What is shown.
    shown: Results,
) -> impl IntoView {
    let state = use_state();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let size = Memo::new(move |_| {
        shown.with(|shown| {
            let answer = &shown.as_ref()?.answer;
            let [_, rows, columns] = answer.layers[answer.layer].shape;
            Some([columns, rows])
        })
    });
    Effect::new(move |_| {
        let Some(([width, height], canvas)) = size.get().zip(canvas.get()) else {
            return;
        };
        if let Some(Err(error)) = shown.with(|shown| {
            let shown = shown.as_ref()?;
            Some(draw(&canvas, &shown.channel.to_vec(), [width, height], shown.answer.signed))
        }) {
            leptos::logging::error!("channel: {error:?}");
        }
    });
    let opacity = move || format!("opacity:{:.2}", settings(state).opacity / 100.0);
    let side = move |index: usize| size.get().map_or(1, |size| size[index]).to_string();
    view! {
        <div class="layers" class:gone=move || size.get().is_none()>
            <canvas class="layer" id="map" node_ref=canvas width=move || side(0) height=move || side(1) style=opacity></canvas>
        </div>
    }
}

fn draw(canvas: &HtmlCanvasElement, bytes: &[u8], [width, height]: [usize; 2], signed: bool) -> Result<(), JsValue> {
    let colors = colors(signed);
    let pixel = |&byte: &u8| {
        let [r, g, b] = colors[usize::from(byte)];
        [r, g, b, 255]
    };
    let rgba: Vec<u8> = bytes.iter().flat_map(pixel).collect();
    let data = ImageData::new_with_u8_clamped_array_and_sh(Clamped(&rgba), width as u32, height as u32)?;
    export::context(canvas)?.put_image_data(&data, 0.0, 0.0)
}

/// Two digits, with a true minus.
fn signed(value: f32) -> String {
    format!("{value:.2}").replace('-', "−")
}

/// What the colours mean, and what the channel says.
#[component]
pub fn Scale(
    /// What is shown.
    shown: Results,
) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let answer = shown.with(|shown| shown.as_ref().map(|shown| shown.answer.clone()))?;
        let largest = format!("{:.2}", answer.largest);
        let least = match answer.signed {
            true => format!("−{largest}"),
            false => "0".into(),
        };
        let [low, mean, high, above] = answer.channel_says;
        let says = t_string!(
            i18n,
            activations.says,
            low = signed(low),
            mean = signed(mean),
            high = signed(high),
            above = format!("{:.0}", above * 100.0)
        );
        Some(view! {
            <div class="scale">
                <span>{least}</span>
                <span class="ramp" class:signed=answer.signed aria-hidden="true"></span>
                <span>{largest}</span>
            </div>
            <p class="help" id="channel-says">{says.to_string()}</p>
        })
    }
}
