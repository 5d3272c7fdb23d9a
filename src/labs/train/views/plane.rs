//! The plane that points are learned on.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, KeyboardEvent, PointerEvent};

use crate::labs::train::spec::{CELLS, Plane, Progress};
use crate::page::pointer::{Drag, place_of};
use crate::maths::color_map::diverging;
use crate::page::export;
use crate::page::keys::KeyCursor;
use crate::page::text::{t_string, use_i18n};

/// Most points that the visitor can draw.
const DRAWN_MAX: usize = 400;
/// The canvas of the plane.
const CANVAS: &str = ".plane canvas";
/// Pixels of the plane's side.
const PLANE: f64 = 480.0;
/// The plane goes from minus this to this in both directions.
const REACH: f64 = 1.2;
/// Where the points of a key's press lie around it.
const CLOUD: [[f32; 2]; 5] = [
    [0.0, 0.0],
    [0.05, 0.02],
    [-0.04, 0.05],
    [-0.02, -0.05],
    [0.03, -0.04],
];

/// The point at a place of the canvas.
fn point_at([x, y]: [f64; 2]) -> [f32; 2] {
    [(x * 2.0 - 1.0) * REACH, (1.0 - y * 2.0) * REACH].map(|v| v as f32)
}

/// Adds points, and forgets the oldest where they are too many.
fn add_points(drawn: RwSignal<Vec<[f32; 2]>>, points: &[[f32; 2]]) {
    drawn.update(|all| {
        all.extend(points);
        let over = all.len().saturating_sub(DRAWN_MAX);
        all.drain(..over);
    });
}

/// The stroke that a pointer draws until it is up: then its points are learned.
#[derive(Clone, Copy)]
struct Stroke {
    canvas: NodeRef<leptos::html::Canvas>,
    points: StoredValue<Option<Vec<[f32; 2]>>>,
    hand: Drag,
}

impl Stroke {
    fn begin(self, event: &PointerEvent) {
        if self.hand.begin(event, CANVAS) {
            self.points.set_value(Some(Vec::new()));
            self.add(event);
        }
    }

    /// Adds a point where the stroke is under way, and marks it.
    fn add(self, event: &PointerEvent) {
        let Some([x, y]) = place_of(event, CANVAS) else {
            return;
        };
        self.points.update_value(|points| {
            if let Some(points) = points {
                points.push(point_at([x, y]));
            }
        });
        if let Some(canvas) = self.canvas.get_untracked()
            && let Ok(context) = export::context(&canvas)
        {
            context.set_fill_style_str("#000");
            context.begin_path();
            let _ = context.arc(x * PLANE, y * PLANE, 3.0, 0.0, std::f64::consts::TAU);
            context.fill();
        }
    }

    /// The points of the stroke, if the pointer lifts it.
    fn end(self, event: &PointerEvent) -> Option<Vec<[f32; 2]>> {
        let ends = self.hand.end(event);
        ends.then(|| self.points.try_update_value(Option::take).flatten())?
    }
}

/// The plane: the discriminator's surface, data, samples, and where samples are driven.
#[component]
pub fn PlaneView(
    progress: RwSignal<Progress>,
    drawn_points: RwSignal<Vec<[f32; 2]>>,
    can_draw: Signal<bool>,
    /// The term that is pointed at, here or elsewhere.
    hot: RwSignal<Option<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let stroke = Stroke {
        canvas,
        points: StoredValue::new(None),
        hand: Drag::default(),
    };
    let keys = KeyCursor::default();
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        let result = progress.with(|p| draw(&canvas, &p.plane.clone().unwrap_or_default()));
        if let Err(error) = result {
            leptos::logging::error!("plane: {error:?}");
        }
    });
    let key = move |event: KeyboardEvent| {
        if !can_draw.get_untracked() {
            return;
        }
        if let Some(at) = keys.press(&event) {
            // A press is a small cloud: single points are no distribution.
            let [x, y] = point_at(at);
            add_points(drawn_points, &CLOUD.map(|[dx, dy]| [x + dx, y + dy]));
        }
    };
    let begin = move |event: PointerEvent| {
        if can_draw.get_untracked() {
            stroke.begin(&event);
        }
    };
    let end = move |event: PointerEvent| {
        if let Some(points) = stroke.end(&event) {
            add_points(drawn_points, &points);
        }
    };
    let is_lit = move |term: &str| hot.with(|hot| hot.as_deref() == Some(term));
    let point = move |term: Option<&str>| hot.set(term.map(Into::into));
    view! {
        <div class="plane">
            <div class="keyed">
            <canvas
                node_ref=canvas
                width=PLANE
                height=PLANE
                role="img"
                class:drawing=can_draw
                tabindex=move || can_draw.get().then_some("0")
                aria-label=move || if can_draw.get() {
                    format!("{}. {}", t_string!(i18n, train.plane), t_string!(i18n, train.plane_keys))
                } else {
                    t_string!(i18n, train.plane).to_string()
                }
                on:keydown=key
                on:pointerdown=begin
                on:pointermove=move |event| match stroke.hand.moves(&event) {
                    true => stroke.add(&event),
                    false => end(event),
                }
                on:pointerup=end
                on:pointercancel=end
            ></canvas>
            <Show when=move || can_draw.get()>{keys.mark()}</Show>
            </div>
            <ul class="legend">
                <li class:lit=move || is_lit("data") on:mouseenter=move |_| point(Some("data")) on:mouseleave=move |_| point(None)>
                    <span class="dot" style="background:#000"></span>{move || t_string!(i18n, train.real)}
                </li>
                <li class:lit=move || is_lit("samples") on:mouseenter=move |_| point(Some("samples")) on:mouseleave=move |_| point(None)>
                    <span class="dot" style="background:#009e73"></span>{move || t_string!(i18n, train.fake)}
                </li>
                <li><span class="ramp signed"></span>{move || t_string!(i18n, train.surface)}</li>
            </ul>
            <Show when=move || can_draw.get()>
                <p class="help">{move || t_string!(i18n, train.draw_help)}</p>
                <button type="button" class="button quiet" id="clear-points" on:click=move |_| drawn_points.set(Vec::new())>{move || t_string!(i18n, page.clear)}</button>
            </Show>
        </div>
    }
}

fn draw(canvas: &HtmlCanvasElement, plane: &Plane) -> Result<(), JsValue> {
    let context = export::context(canvas)?;
    context.set_fill_style_str("#f7f7f7");
    context.fill_rect(0.0, 0.0, PLANE, PLANE);
    // From the lowest score to the highest, blue to orange.
    let low = plane.surface.iter().copied().fold(f32::INFINITY, f32::min);
    let high = plane
        .surface
        .iter()
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    let cell = PLANE / CELLS as f64;
    for (index, score) in plane.surface.iter().enumerate() {
        let share = (score - low) / (high - low).max(1e-6);
        let [r, g, b] = diverging((share * 2.0 - 1.0) * 0.75);
        context.set_fill_style_str(&format!("rgb({r} {g} {b})"));
        let (x, y) = ((index % CELLS) as f64, (index / CELLS) as f64);
        context.fill_rect(x * cell, y * cell, cell + 0.6, cell + 0.6);
    }
    let place = |[x, y]: [f32; 2]| {
        [
            (f64::from(x) / REACH + 1.0) * PLANE / 2.0,
            (1.0 - f64::from(y) / REACH) * PLANE / 2.0,
        ]
    };
    let dots = |points: &[[f32; 2]], color: &str, radius: f64| -> Result<(), JsValue> {
        context.set_fill_style_str(color);
        for &point in points {
            let [x, y] = place(point);
            context.begin_path();
            context.arc(x, y, radius, 0.0, std::f64::consts::TAU)?;
            context.fill();
        }
        Ok(())
    };
    dots(&plane.real, "rgb(0 0 0 / 0.7)", 2.2)?;
    // Arrows as long as the square root of what drives: small ones stay visible.
    context.set_stroke_style_str("rgb(0 80 60 / 0.75)");
    context.set_line_width(1.2);
    for (&point, &[dx, dy]) in plane.fake.iter().zip(&plane.arrows) {
        let size = dx.hypot(dy);
        if size > 0.0 {
            let scale = 0.12 * size.sqrt().min(1.5) / size;
            let [x, y] = place(point);
            let [ex, ey] = place([point[0] + dx * scale, point[1] + dy * scale]);
            context.begin_path();
            context.move_to(x, y);
            context.line_to(ex, ey);
            context.stroke();
        }
    }
    dots(&plane.fake, "#00785a", 2.8)
}
