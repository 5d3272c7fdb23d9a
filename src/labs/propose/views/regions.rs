//! Regions over the picture, merge by merge.

use js_sys::Uint8Array;
use leptos::prelude::*;

use super::{Opened, Told};
use crate::labs::detect::views::placement;
use crate::labs::propose::spec::{LAB, NAMES};
use crate::page::canvas::image_data;
use crate::page::export;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::param::Value;

/// How much of the picture a region hides, 0 to 255.
const OVER: u8 = 150;

/// The regions after so many merges; the last merge is framed.
#[component]
pub fn Regions(
    /// What was found.
    opened: Opened,
    /// Merges so far.
    step: Memo<usize>,
) -> impl IntoView {
    let [width, height] = opened.answer.cut;
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let of = StoredValue::new(opened);
    Effect::new(move |_| {
        let (Some(canvas), merges) = (canvas.get(), step.get()) else {
            return;
        };
        let pixels = of.with_value(|opened| painted(opened, merges.min(opened.merges())));
        let bytes = Uint8Array::from(&*pixels);
        let data = image_data(&bytes, width as u32, height as u32);
        let drawn = data.and_then(|data| export::context(&canvas)?.put_image_data(&data, 0.0, 0.0));
        if let Err(error) = drawn {
            leptos::logging::error!("regions: {error:?}");
        }
    });
    let frames = move || {
        of.with_value(|opened| {
            let number = step.get().min(opened.merges()).checked_sub(1)?;
            let Told { of: halves, .. } = opened.merge(number)?;
            let place = |region: usize| placement(opened.bounds(region), width as f32, height as f32);
            let halves = halves.map(|region| view! { <div class="shape" style=place(region)></div> });
            let whole = place(opened.answer.segments + number);
            Some(view! { {halves.collect_view()} <div class="moved best" style=whole></div> })
        })
    };
    view! {
        <canvas class="layer regions" id="regions" node_ref=canvas width=width height=height></canvas>
        {frames}
    }
}

/// RGBA by row: regions in their colours, dark lines between them.
fn painted(opened: &Opened, merges: usize) -> Vec<u8> {
    let [width, height] = opened.answer.cut;
    let (regions, colors) = (opened.after(merges), opened.colors(merges));
    let mut rgba = Vec::with_capacity(4 * regions.len());
    for row in 0..height {
        for column in 0..width {
            let at = row * width + column;
            let other = |is: bool, next: usize| is && regions[next] != regions[at];
            let is_edge = other(column + 1 < width, at + 1) || other(row + 1 < height, at + width);
            let [r, g, b] = colors[regions[at]];
            rgba.extend(if is_edge { [0, 0, 0, 220] } else { [r, g, b, OVER] });
        }
    }
    rgba
}

/// How far merging has gone, and why the last two were merged.
#[component]
pub fn MergePanel(
    /// What was found.
    opened: Opened,
    /// Merges so far.
    step: Memo<usize>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let all = opened.merges();
    let segments = opened.answer.segments;
    let shown = move || step.get().min(all);
    let told = move || {
        let merge = shown().checked_sub(1).and_then(|number| opened.merge(number));
        let Some(Told { of, similarity }) = merge else {
            return view! { <p class="help">{t_string!(i18n, propose.merge_none, count = segments).to_string()}</p> }.into_any();
        };
        let [a, b] = of.map(|region| opened.pixels(region));
        let names = [
            t_string!(i18n, propose.color),
            t_string!(i18n, propose.texture),
            t_string!(i18n, propose.size),
            t_string!(i18n, propose.fill),
        ];
        let rows = names.into_iter().zip(similarity).map(|(name, share)| {
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td class="bar"><span style=format!("width:{:.1}%", 100.0 * share.clamp(0.0, 1.0))></span></td>
                    <td class="number">{format!("{share:.2}")}</td>
                </tr>
            }
        });
        view! {
            <p class="help" id="merged">{t_string!(i18n, propose.merge_text, a = a, b = b, left = segments - shown()).to_string()}</p>
            <table class="bars" style="--class:#0072b2"><tbody>{rows.collect_view()}</tbody></table>
        }
        .into_any()
    };
    view! {
        <div class="control">
            <label for="merge-step">{move || t_string!(i18n, propose.merges)}</label>
            <output for="merge-step">{move || format!("{} / {all}", shown())}</output>
            <input
                type="range"
                id="merge-step"
                min="0"
                max=all
                prop:value=shown
                style=move || format!("--filled:{}%", 100 * shown() / all.max(1))
                on:input:target=move |event| {
                    let to: f32 = event.target().value().parse().unwrap_or(0.0);
                    state.set(&LAB, NAMES.step, Value::Number(to));
                }
            />
        </div>
        {told}
    }
}
