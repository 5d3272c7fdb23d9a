//! A blackboard, for the networks that read digits.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, PointerEvent};

use crate::labs::activations::page::settings;
use crate::page::export;
use crate::page::pointer::{Drag, place_of};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};

/// Columns and rows.
const SIDE: u32 = 280;
/// Width of a stroke: digits of MNIST, 28 pixels wide, have strokes of two or three.
const STROKE: f64 = 24.0;

/// What is written on it, kept while the visitor is elsewhere: strokes of places in shares of the board.
#[derive(Clone, Copy)]
struct Written(StoredValue<Vec<Vec<[f64; 2]>>>);

/// The blackboard.
#[component]
pub fn PadPanel(
    /// Whether the camera is on.
    live: RwSignal<bool>,
) -> impl IntoView {
    let state = use_state();
    let is_small = Memo::new(move |_| settings(state).network.layers().side.is_some());
    view! { <Show when=move || is_small.get() && !live.get()><Pad /></Show> }
}

#[component]
fn Pad() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let hand = Drag::default();
    let written = state.memory(|| Written(StoredValue::new(Vec::new()))).0;
    Effect::new(move |_| {
        if let Some(canvas) = canvas.get() {
            report(wipe(&canvas));
            written.with_value(|strokes| {
                for stroke in strokes {
                    let before = stroke.iter().take(1).chain(stroke);
                    before.zip(stroke).for_each(|(from, to)| report(line(&canvas, *from, *to)));
                }
            });
        }
    });
    let line_to = move |event: &PointerEvent, begins: bool| {
        let (Some(canvas), Some(at)) = (canvas.get_untracked(), place_of(event, "#board")) else {
            return;
        };
        written.update_value(|strokes| {
            if begins || strokes.is_empty() {
                strokes.push(Vec::new());
            }
            if let Some(stroke) = strokes.last_mut() {
                report(line(&canvas, stroke.last().copied().unwrap_or(at), at));
                stroke.push(at);
            }
        });
    };
    let down = move |event: PointerEvent| {
        if hand.begin(&event, "#board") {
            event.prevent_default();
            line_to(&event, true);
        }
    };
    let follow = move |event: PointerEvent| {
        if hand.moves(&event) {
            line_to(&event, false);
        } else if hand.end(&event) {
            let Some(canvas) = canvas.get_untracked() else { return };
            spawn_local(async move {
                match export::to_blob(&canvas).await {
                    Ok(blob) => state.take(blob, "blackboard.png".into(), None),
                    Err(error) => leptos::logging::error!("the blackboard: {error:?}"),
                }
            });
        }
    };
    let clear = move |_| {
        written.set_value(Vec::new());
        if let Some(canvas) = canvas.get_untracked() {
            report(wipe(&canvas));
        }
    };
    view! {
        <section class="panel" id="blackboard">
            <div class="row spread">
                <h2>{move || t_string!(i18n, activations.board)}</h2>
                <button type="button" class="button quiet" id="wipe" on:click=clear>{move || t_string!(i18n, activations.board_wipe)}</button>
            </div>
            <p class="help">{move || t_string!(i18n, activations.board_help)}</p>
            <canvas
                id="board"
                node_ref=canvas
                width=SIDE
                height=SIDE
                role="img"
                aria-label=move || t_string!(i18n, activations.board)
                on:pointerdown=down
                on:pointermove=follow
                on:pointerup=follow
                on:pointercancel=follow
            ></canvas>
        </section>
    }
}

fn report(done: Result<(), JsValue>) {
    if let Err(error) = done {
        leptos::logging::error!("the blackboard: {error:?}");
    }
}

fn wipe(canvas: &HtmlCanvasElement) -> Result<(), JsValue> {
    let context = export::context(canvas)?;
    context.set_fill_style_str("#000");
    context.fill_rect(0.0, 0.0, SIDE.into(), SIDE.into());
    Ok(())
}

/// A stroke between two places, in shares of the board.
fn line(canvas: &HtmlCanvasElement, from: [f64; 2], to: [f64; 2]) -> Result<(), JsValue> {
    let context = export::context(canvas)?;
    let [from, to] = [from, to].map(|place| place.map(|share| share * f64::from(SIDE)));
    context.set_stroke_style_str("#fff");
    context.set_line_width(STROKE);
    context.set_line_cap("round");
    context.begin_path();
    context.move_to(from[0], from[1]);
    // A point is a line, too.
    context.line_to(to[0] + 0.01, to[1]);
    context.stroke();
    Ok(())
}
