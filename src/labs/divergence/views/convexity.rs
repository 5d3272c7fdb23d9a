//! A chord on a curve; the way down a convex and a non-convex surface.

use leptos::prelude::*;
use web_sys::HtmlCanvasElement;

use super::slider::{Row, RowSlider};
use crate::labs::divergence::page::read;
use crate::labs::divergence::spec::{LAB, NAMES};
use crate::page::pointer::place_of;
use crate::maths::convexity::{Surface, chord_gap};
use crate::maths::color_map::inferno;
use crate::page::controls::Control;
use crate::page::export;
use crate::page::keys::KeyCursor;
use crate::page::plot::{COLORS, Line, Plot, PlotView, number};
use crate::page::text::{t_string, use_i18n};

/// Ends of the chord as shares of the range.
const CHORD: Row = Row {
    name: NAMES.chord,
    id: "chord",
    defaults: &[0.15, 0.8],
    unit: 0.25,
};
/// Pixels of a surface's side.
const SIDE: f64 = 260.0;
/// Rows and columns of what is painted of a surface.
const CELLS: usize = 52;
/// Steps of a descent.
const STEPS: usize = 60;

/// The topic.
#[component]
pub fn Convexity() -> impl IntoView {
    let i18n = use_i18n();
    let curve = move || read().curve;
    let share = move |index: usize| CHORD.value(&read().chord, index).clamp(0.0, 1.0);
    let ends = move || {
        let [low, high] = curve().range();
        [0, 1].map(|i| low + share(i) * (high - low))
    };
    let plot = Signal::derive(move || {
        let curve = curve();
        let ([low, high], [a, b]) = (curve.range(), ends());
        let along = (0..=200).map(|i| low + (high - low) * f64::from(i) / 200.0);
        let points = along.map(|x| [x, curve.value(x)]).collect();
        let chord = vec![[a, curve.value(a)], [b, curve.value(b)]];
        Plot::fitted(
            vec![
                Line::new("f", COLORS[0], points),
                Line::new(t_string!(i18n, divergence.convex_chord), COLORS[1], chord),
            ],
            false,
        )
    });
    let verdict = move || {
        let [a, b] = ends();
        let [above, below] = chord_gap(curve(), a, b);
        if below < 1e-9 {
            t_string!(i18n, divergence.convex_above, gap = number(above)).to_string()
        } else {
            t_string!(i18n, divergence.convex_below, gap = number(below)).to_string()
        }
    };
    let slider = move |index: usize| {
        view! {
            <RowSlider
                row=CHORD
                index
                ends=[0.0, 1.0]
                label=["a", "b"][index]
                value=Signal::derive(move || share(index))
                told=Signal::derive(move || number(ends()[index]))
            />
        }
    };
    let rate = RwSignal::new(0.1f64);
    view! {
        <div class="bench">
            <div class="hero-column">
                <section class="panel">
                    <h2>{move || t_string!(i18n, divergence.convex_title)}</h2>
                    <PlotView plot label=Signal::derive(move || t_string!(i18n, divergence.convex_title).to_string()) />
                    <p class="number" id="verdict">{verdict}</p>
                </section>
                <section class="panel">
                    <h2>{move || t_string!(i18n, divergence.convex_descent)}</h2>
                    <p class="help">{move || t_string!(i18n, divergence.convex_descent_help)}</p>
                    <div class="plots">
                        <SurfaceView surface=Surface::Bowl rate />
                        <SurfaceView surface=Surface::Egg rate />
                    </div>
                    <div class="control">
                        <label for="descent-rate">{move || t_string!(i18n, divergence.convex_rate)}</label>
                        <output for="descent-rate">{move || format!("{:.2}", rate.get())}</output>
                        <input type="range" id="descent-rate" min="0.02" max="1.1" step="0.02" prop:value=move || rate.get().to_string()
                            on:input:target=move |event| { if let Ok(v) = event.target().value().parse() { rate.set(v) } } />
                    </div>
                </section>
            </div>
            <div class="inspector">
                <section class="panel"><Control lab=&LAB name=NAMES.curve /></section>
                <section class="panel">{slider(0)}{slider(1)}</section>
            </div>
        </div>
    }
}

/// A surface from above, darker below, with the ways down from where the visitor clicked.
#[component]
fn SurfaceView(surface: Surface, rate: RwSignal<f64>) -> impl IntoView {
    let i18n = use_i18n();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let starts = RwSignal::new(vec![[1.5, 1.3], [-1.6, 1.1], [-1.2, -1.7]]);
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        starts.with(|starts| paint(&canvas, surface, starts, rate.get()));
    });
    let start = move |[x, y]: [f64; 2]| {
        starts.update(|starts| {
            starts.push([x * 4.0 - 2.0, 2.0 - y * 4.0]);
            if starts.len() > 8 {
                starts.remove(0);
            }
        });
    };
    let add = move |event: web_sys::PointerEvent| {
        if let Some(at) = place_of(&event, ".surface") {
            start(at);
        }
    };
    let keys = KeyCursor::default();
    let key = move |event: web_sys::KeyboardEvent| {
        if let Some(at) = keys.press(&event) {
            start(at);
        }
    };
    let label = move || match surface {
        Surface::Bowl => t_string!(i18n, divergence.surface_bowl),
        Surface::Egg => t_string!(i18n, divergence.surface_egg),
    };
    view! {
        <figure>
            <div class="keyed">
                <canvas class="surface" node_ref=canvas width=SIDE height=SIDE tabindex="0" role="img"
                    aria-label=move || format!("{}. {}", label(), t_string!(i18n, divergence.surface_keys))
                    on:pointerdown=add on:keydown=key></canvas>
                {keys.mark()}
            </div>
            <figcaption class="help">{label}</figcaption>
        </figure>
    }
}

/// A surface, and a way down from each start.
fn paint(canvas: &HtmlCanvasElement, surface: Surface, starts: &[[f64; 2]], rate: f64) {
    let Ok(context) = export::context(canvas) else {
        return;
    };
    let place = |i: usize| (i as f64 + 0.5) / CELLS as f64 * 4.0 - 2.0;
    let heights: Vec<f64> = (0..CELLS * CELLS)
        .map(|i| surface.value([place(i % CELLS), -place(i / CELLS)]))
        .collect();
    let low = heights.iter().copied().fold(f64::INFINITY, f64::min);
    let high = heights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let cell = SIDE / CELLS as f64;
    for (i, height) in heights.iter().enumerate() {
        let [r, g, b] = inferno(((height - low) / (high - low)) as f32);
        context.set_fill_style_str(&format!("rgb({r} {g} {b})"));
        let (x, y) = ((i % CELLS) as f64, (i / CELLS) as f64);
        context.fill_rect(x * cell, y * cell, cell + 0.6, cell + 0.6);
    }
    let pixel = |[x, y]: [f64; 2]| [(x + 2.0) / 4.0 * SIDE, (2.0 - y) / 4.0 * SIDE];
    for &start in starts {
        let path = surface.descend(start, rate, STEPS);
        context.set_stroke_style_str("#56b4e9");
        context.set_line_width(2.0);
        context.begin_path();
        for (i, &point) in path.iter().enumerate() {
            let [x, y] = pixel(point);
            if i == 0 {
                context.move_to(x, y);
            } else {
                context.line_to(x, y);
            }
        }
        context.stroke();
        for (at, color, radius) in [
            (path[0], "#ffffff", 3.0),
            (path[path.len() - 1], "#009e73", 5.0),
        ] {
            let [x, y] = pixel(at);
            context.set_fill_style_str(color);
            context.begin_path();
            let _ = context.arc(x, y, radius, 0.0, std::f64::consts::TAU);
            context.fill();
        }
    }
}
