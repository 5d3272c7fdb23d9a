//! A small board to draw on.

use crate::page::pointer::{Drag, place_of};
use crate::page::export;
use crate::page::text::{t_string, use_i18n};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, HtmlCanvasElement, PointerEvent};

/// A small board to draw a digit or a garment on.
#[component]
pub fn Sketch(own: RwSignal<Option<Blob>, LocalStorage>) -> impl IntoView {
    let i18n = use_i18n();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let last: StoredValue<Option<[f64; 2]>> = StoredValue::new(None);
    let hand = Drag::default();
    const SIDE: f64 = 168.0;
    let clear = move || {
        if let Some(canvas) = canvas.get_untracked()
            && let Ok(context) = export::context(&canvas)
        {
            context.set_fill_style_str("#000");
            context.fill_rect(0.0, 0.0, SIDE, SIDE);
        }
    };
    Effect::new(move |_| {
        if canvas.get().is_some() {
            clear();
        }
    });
    let send = move || {
        let Some(canvas) = canvas.get_untracked() else {
            return;
        };
        let canvas: HtmlCanvasElement = canvas.unchecked_into();
        leptos::task::spawn_local(async move {
            if let Ok(blob) = export::to_blob(&canvas).await {
                let _ = own.try_set(Some(blob));
            }
        });
    };
    let stroke = move |event: &PointerEvent| {
        let Some(canvas) = canvas.get_untracked() else {
            return;
        };
        let (Some([x, y]), Ok(context)) = (place_of(event, "#sketch"), export::context(&canvas))
        else {
            return;
        };
        let here = [x * SIDE, y * SIDE];
        let from = last.get_value().unwrap_or(here);
        context.set_stroke_style_str("#fff");
        context.set_line_width(SIDE / 13.0);
        context.set_line_cap("round");
        context.begin_path();
        context.move_to(from[0], from[1]);
        context.line_to(here[0] + 0.01, here[1]);
        context.stroke();
        last.set_value(Some(here));
    };
    let lift = move |event: PointerEvent| {
        if hand.end(&event) {
            send();
        }
    };
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, encode.draw)}</h2>
            <canvas
                class="sketch"
                id="sketch"
                width=SIDE
                height=SIDE
                node_ref=canvas
                role="img"
                aria-label=move || t_string!(i18n, encode.draw_label).to_string()
                on:pointerdown=move |event| { if hand.begin(&event, "#sketch") { last.set_value(None); stroke(&event) } }
                on:pointermove=move |event| { if hand.moves(&event) { stroke(&event) } else { lift(event) } }
                on:pointerup=lift
                on:pointercancel=lift
            ></canvas>
            <button type="button" class="button quiet" id="sketch-clear" on:click=move |_| { clear(); own.set(None); }>
                {move || t_string!(i18n, page.clear)}
            </button>
        </section>
    }
}
