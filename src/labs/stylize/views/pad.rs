//! A pad to draw on with mouse, pen, finger or keys: a picture to repaint, or where each style goes.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, KeyboardEvent, PointerEvent};

use crate::page::export;
use crate::page::state::{State, use_state};
use crate::page::text::{t_string, use_i18n};
use super::tiles::tile_position;
use crate::labs::stylize::page::run_with;
use crate::labs::stylize::spec::{
    LAB, NAMES, POINTS_MAX, REGIONS_MAX, Region, STYLES, StylizeSettings,
};
use crate::protocol::param::Value;

/// Columns and rows of a drawing.
const SIZE: [u32; 2] = [640, 448];
/// Longer side in pixels of what follows the pen.
const PREVIEW: f32 = 192.0;
/// How often the picture follows the pen at most, in milliseconds.
const PREVIEW_EVERY: u64 = 120;
/// How far an arrow key moves the brush, as a share of the pad.
const KEY_STEP: f32 = 0.02;
/// Paper, and what the eraser leaves.
const PAPER: &str = "#ffffff";

/// A stroke of a drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Ink {
    color: String,
    /// As in [`Region`].
    width: f32,
    /// As in [`Region`].
    points: Vec<[f32; 3]>,
}

/// What the visitor drew on the pad.
#[derive(Clone, Copy)]
struct Sketch(RwSignal<Vec<Ink>>);

fn sketch(state: State) -> RwSignal<Vec<Ink>> {
    state.memory(|| Sketch(RwSignal::new(Vec::new()))).0
}

/// Where the visitor wants which style.
#[derive(Clone, Copy)]
struct Regions(RwSignal<Vec<Region>>);

/// Where the visitor wants which style.
pub fn regions(state: State) -> RwSignal<Vec<Region>> {
    state.memory(|| Regions(RwSignal::new(Vec::new()))).0
}

/// What the pad is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// The drawing is the picture that is repainted.
    Draw,
    /// Strokes say where a style goes.
    Regions,
}

/// The pad, below the ways in.
#[component]
pub fn Pad() -> impl IntoView {
    let i18n = use_i18n();
    let open: RwSignal<Option<Use>> = RwSignal::new(None);
    let toggle = move |what: Use| {
        open.update(|open| *open = (*open != Some(what)).then_some(what));
    };
    view! {
        <section class="pad-panel" aria-label=move || t_string!(i18n, stylize.pad_title).to_string()>
            <div class="row">
                <button
                    type="button"
                    class="button quiet"
                    id="open-draw"
                    aria-expanded=move || (open.get() == Some(Use::Draw)).to_string()
                    on:click=move |_| toggle(Use::Draw)
                >{move || t_string!(i18n, stylize.pad_draw)}</button>
                <button
                    type="button"
                    class="button quiet"
                    id="open-regions"
                    aria-expanded=move || (open.get() == Some(Use::Regions)).to_string()
                    on:click=move |_| toggle(Use::Regions)
                >{move || t_string!(i18n, stylize.pad_regions)}</button>
            </div>
            {move || open.get().map(|what| view! { <Board what /> })}
        </section>
    }
}

/// The board and its tools.
#[component]
fn Board(what: Use) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let width = RwSignal::new(if what == Use::Draw { 2.0f32 } else { 16.0 });
    let color = RwSignal::new("#1f4e79".to_string());
    let erases = RwSignal::new(false);
    let style: RwSignal<Option<u8>> = RwSignal::new(Some(12));
    let drawing = RwSignal::new(false);
    // Where the keys have moved the brush to.
    let cursor = RwSignal::new([0.5f32, 0.5]);
    let changed = StoredValue::new(false);
    let begin = move |at: [f32; 3]| {
        let share = width.get_untracked() / 100.0;
        let began = match what {
            Use::Draw => {
                let color = if erases.get_untracked() {
                    PAPER.into()
                } else {
                    color.get_untracked()
                };
                let points = vec![at];
                sketch(state).update(|sketch| {
                    sketch.push(Ink {
                        color,
                        width: share,
                        points,
                    });
                });
                true
            }
            Use::Regions => regions(state)
                .try_update(|regions| {
                    let room = regions.len() < REGIONS_MAX;
                    if room {
                        regions.push(Region {
                            style: style.get_untracked(),
                            width: share,
                            points: vec![at],
                        });
                    }
                    room
                })
                .unwrap_or(false),
        };
        drawing.set(began);
        changed.set_value(began);
    };
    let add = move |at: [f32; 3]| {
        match what {
            Use::Draw => sketch(state).update(|sketch| {
                if let Some(ink) = sketch.last_mut() {
                    ink.points.push(at);
                }
            }),
            Use::Regions => regions(state).update(|regions| {
                if let Some(region) = regions.last_mut().filter(|r| r.points.len() < POINTS_MAX) {
                    region.points.push(at);
                }
            }),
        }
        changed.set_value(true);
    };
    // The whole picture once the pen is up; a small one while it moves.
    let show = move |preview: Option<f32>| {
        changed.set_value(false);
        let Some(canvas) = canvas.get_untracked() else {
            return;
        };
        match what {
            Use::Draw => spawn_local(async move {
                if let Ok(blob) = export::to_blob(&canvas).await {
                    show_drawing(state, blob, preview);
                }
            }),
            Use::Regions => show_regions(state, preview),
        }
    };
    let end = move || {
        if drawing.get_untracked() {
            drawing.set(false);
            show(None);
        }
    };
    let follow = set_interval_with_handle(
        move || {
            let idle = !untrack(|| state.desk(&LAB).is_running());
            if drawing.get_untracked() && changed.get_value() && idle {
                show(Some(PREVIEW));
            }
        },
        std::time::Duration::from_millis(PREVIEW_EVERY),
    );
    on_cleanup(move || {
        if let Ok(follow) = follow {
            follow.clear();
        }
    });
    let ratio = RwSignal::new(f64::from(SIZE[0]) / f64::from(SIZE[1]));
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        // Another height empties a canvas, so that it is set here, before it is painted.
        let rows = (f64::from(SIZE[0]) / ratio.get()).round().max(1.0) as u32;
        if canvas.height() != rows {
            canvas.set_height(rows);
        }
        let painted = match what {
            Use::Draw => sketch(state).with(|sketch| paint_sketch(&canvas, sketch)),
            Use::Regions => regions(state)
                .with(|regions| paint_regions(&canvas, regions)),
        };
        if let Err(error) = painted {
            leptos::logging::error!("the pad: {error:?}");
        }
    });
    let place = move |event: &PointerEvent| {
        let target: web_sys::Element = event.current_target()?.dyn_into().ok()?;
        let area = target.get_bounding_client_rect();
        let share = |at: i32, start: f64, length: f64| {
            // A stroke may leave the pad, but not without end.
            (((f64::from(at) - start) / length) as f32).clamp(-1.0, 2.0)
        };
        // A mouse or a finger has no pressure to speak of.
        let pressure = if event.pointer_type() == "pen" {
            event.pressure().clamp(0.05, 1.0)
        } else {
            1.0
        };
        Some([
            share(event.client_x(), area.left(), area.width()),
            share(event.client_y(), area.top(), area.height()),
            pressure,
        ])
    };
    let down = move |event: PointerEvent| {
        if event.button() != 0 {
            return;
        }
        event.prevent_default();
        if let Some(target) = event.current_target() {
            let target: web_sys::Element = target.unchecked_into();
            // Without it a stroke ends at the edge, which is no harm.
            let _ = target.set_pointer_capture(event.pointer_id());
        }
        if let Some(at) = place(&event) {
            begin(at);
        }
    };
    let moved = move |event: PointerEvent| {
        if let Some(at) = place(&event).filter(|_| drawing.get_untracked()) {
            add(at);
        }
    };
    let key = move |event: KeyboardEvent| {
        let [x, y] = match event.key().as_str() {
            "ArrowLeft" => [-KEY_STEP, 0.0],
            "ArrowRight" => [KEY_STEP, 0.0],
            "ArrowUp" => [0.0, -KEY_STEP],
            "ArrowDown" => [0.0, KEY_STEP],
            " " => {
                event.prevent_default();
                if event.repeat() {
                    return;
                }
                let [x, y] = cursor.get_untracked();
                if drawing.get_untracked() {
                    end();
                } else {
                    begin([x, y, 1.0]);
                }
                return;
            }
            _ => return,
        };
        event.prevent_default();
        cursor.update(|at| *at = [(at[0] + x).clamp(0.0, 1.0), (at[1] + y).clamp(0.0, 1.0)]);
        if drawing.get_untracked() {
            let [x, y] = cursor.get_untracked();
            add([x, y, 1.0]);
        }
    };
    let take_back = move |all: bool| {
        match what {
            Use::Draw => sketch(state).update(|sketch| shorten(sketch, all)),
            Use::Regions => regions(state).update(|regions| shorten(regions, all)),
        }
        // The canvas is painted by an effect, a moment later.
        set_timeout(move || show(None), std::time::Duration::from_millis(20));
    };
    let empty = move || match what {
        Use::Draw => sketch(state).with(Vec::is_empty),
        Use::Regions => regions(state).with(Vec::is_empty),
    };
    let full =
        move || what == Use::Regions && regions(state).with(|regions| regions.len() >= REGIONS_MAX);
    let below = move || {
        let source = state.source.get().filter(|_| what == Use::Regions)?;
        Some(view! {
            <img src=source.url alt="" on:load:target=move |event| {
                let image = event.target();
                if image.natural_height() > 0 {
                    ratio.set(f64::from(image.natural_width()) / f64::from(image.natural_height()));
                }
            } />
        })
    };
    let brush = move || {
        let [x, y] = cursor.get();
        format!("left:{:.1}%;top:{:.1}%", x * 100.0, y * 100.0)
    };
    view! {
        <div class="board">
            <div class="paper" style=move || format!("aspect-ratio:{:.4}", ratio.get())>
                {below}
                <canvas
                    id="pad"
                    node_ref=canvas
                    width=SIZE[0]
                    height=SIZE[1]
                    tabindex="0"
                    role="img"
                    aria-label=move || t_string!(i18n, stylize.pad_keys).to_string()
                    on:pointerdown=down
                    on:pointermove=moved
                    on:pointerup=move |_| end()
                    on:pointercancel=move |_| end()
                    on:keydown=key
                ></canvas>
                <span class="brush" class:down=move || drawing.get() style=brush aria-hidden="true"></span>
            </div>
            <div class="pad-tools">
                <div class="control">
                    <label for="brush-width">{move || t_string!(i18n, stylize.pad_width)}</label>
                    <output for="brush-width">{move || format!("{} %", width.get())}</output>
                    <input
                        type="range"
                        id="brush-width"
                        min="0.5"
                        max="40"
                        step="0.5"
                        prop:value=move || width.get()
                        style=move || format!("--filled:{}%", width.get() / 0.4)
                        on:input:target=move |event| width.set(event.target().value().parse().unwrap_or(4.0))
                    />
                </div>
                {match what {
                    Use::Draw => view! {
                        <div class="row">
                            <label for="ink">{move || t_string!(i18n, stylize.pad_ink)}</label>
                            <input
                                type="color"
                                id="ink"
                                prop:value=move || color.get()
                                on:input:target=move |event| {
                                    color.set(event.target().value());
                                    erases.set(false);
                                }
                            />
                            <button type="button" class="button quiet" id="eraser" aria-pressed=move || erases.get().to_string() on:click=move |_| erases.update(|on| *on = !*on)>
                                {move || t_string!(i18n, stylize.pad_eraser)}
                            </button>
                        </div>
                    }.into_any(),
                    Use::Regions => view! { <BrushStyles style /> }.into_any(),
                }}
                <div class="row">
                    <button type="button" class="button quiet" id="undo" disabled=empty on:click=move |_| take_back(false)>
                        {move || t_string!(i18n, stylize.pad_undo)}
                    </button>
                    <button type="button" class="button quiet" id="clear" disabled=empty on:click=move |_| take_back(true)>
                        {move || t_string!(i18n, page.clear)}
                    </button>
                </div>
                <div role="status" id="pad-full">{move || full().then(|| view! { <p class="sentence">{t_string!(i18n, stylize.pad_full, most = REGIONS_MAX).to_string()}</p> })}</div>
                <p class="help">{move || match what {
                    Use::Draw => t_string!(i18n, stylize.pad_draw_help),
                    Use::Regions => t_string!(i18n, stylize.pad_regions_help),
                }}</p>
            </div>
        </div>
    }
}

/// Which style the brush lays down; or the photograph.
#[component]
fn BrushStyles(style: RwSignal<Option<u8>>) -> impl IntoView {
    let i18n = use_i18n();
    let tiles = (0..STYLES)
        .map(|index| {
            let position = tile_position(index);
            view! {
                <button
                    type="button"
                    class="style-tile"
                    data-brush=index
                    style=format!("background-position:{position}")
                    aria-pressed=move || (style.get() == Some(index as u8)).to_string()
                    aria-label=move || t_string!(i18n, stylize.style_number, n = index).to_string()
                    on:click=move |_| style.set(Some(index as u8))
                ></button>
            }
        })
        .collect_view();
    view! {
        <div class="style-tiles small">{tiles}</div>
        <button
            type="button"
            class="button quiet"
            id="brush-photo"
            aria-pressed=move || style.get().is_none().to_string()
            on:click=move |_| style.set(None)
        >{move || t_string!(i18n, stylize.pad_photo)}</button>
    }
}

fn shorten<T>(list: &mut Vec<T>, all: bool) {
    if all {
        list.clear();
    } else {
        list.pop();
    }
}

fn paint_sketch(canvas: &HtmlCanvasElement, sketch: &[Ink]) -> Result<(), JsValue> {
    let context = export::context(canvas)?;
    context.set_fill_style_str(PAPER);
    context.fill_rect(0.0, 0.0, canvas.width().into(), canvas.height().into());
    for ink in sketch {
        line(&context, canvas, &ink.color, ink.width, &ink.points)?;
    }
    Ok(())
}

/// Regions as veils, a hue for each style.
fn paint_regions(canvas: &HtmlCanvasElement, regions: &[Region]) -> Result<(), JsValue> {
    let context = export::context(canvas)?;
    context.clear_rect(0.0, 0.0, canvas.width().into(), canvas.height().into());
    for region in regions {
        let color = match region.style {
            Some(style) => format!("hsl({} 75% 55%)", u32::from(style) * 83 % 360),
            None => "#dddddd".into(),
        };
        line(&context, canvas, &color, region.width, &region.points)?;
    }
    Ok(())
}

fn line(
    context: &CanvasRenderingContext2d,
    canvas: &HtmlCanvasElement,
    color: &str,
    width: f32,
    points: &[[f32; 3]],
) -> Result<(), JsValue> {
    let [columns, rows] = [canvas.width(), canvas.height()].map(f64::from);
    let full = f64::from(width) * columns.max(rows);
    context.set_stroke_style_str(color);
    context.set_line_cap("round");
    let at = |point: &[f32; 3]| (f64::from(point[0]) * columns, f64::from(point[1]) * rows);
    let dot = points.first().filter(|_| points.len() == 1);
    let pieces = points.windows(2).map(|pair| [&pair[0], &pair[1]]);
    for [from, to] in pieces.chain(dot.map(|point| [point, point])) {
        context.set_line_width((full * f64::from(from[2] + to[2]) / 2.0).max(0.5));
        context.begin_path();
        let (x, y) = at(from);
        context.move_to(x, y);
        let (x, y) = at(to);
        context.line_to(x, y);
        context.stroke();
    }
    Ok(())
}

/// Puts a drawing on the stage and repaints it; small while the pen moves.
fn show_drawing(state: State, blob: web_sys::Blob, preview: Option<f32>) {
    state.replace_source(blob, "drawing.png".into());
    run_at(state, preview);
}

/// Repaints the picture with the regions as they are.
fn show_regions(state: State, preview: Option<f32>) {
    if state.source.with_untracked(Option::is_some) {
        run_at(state, preview);
    }
}

fn run_at(state: State, preview: Option<f32>) {
    let mut settings = state.settings(&LAB).get_untracked();
    if let Some(side) = preview {
        let size = settings.read::<StylizeSettings>().size as f32;
        settings.set(NAMES.size, Value::Number(side.min(size)));
    }
    run_with(state, settings);
}
