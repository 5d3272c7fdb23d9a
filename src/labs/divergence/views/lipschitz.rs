//! A function under its cone; the spectral norm of a matrix, found by power iteration.

use leptos::prelude::*;

use crate::labs::divergence::page::read;
use crate::labs::divergence::spec::{LAB, NAMES};
use crate::maths::lipschitz::{power_iteration, spectral_norm};
use crate::page::controls::Control;
use crate::page::plot::{COLORS, Line, Plot, PlotView, number};
use crate::page::frame::ShareButton;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};

/// Place and slope of the cone before the visitor moves them.
const CONE: [f64; 2] = [0.3, 1.5];
/// The matrix before the visitor changes it.
const MATRIX: [f64; 4] = [1.5, 0.8, 0.2, 0.9];
/// Rounds of power iteration.
const ROUNDS: usize = 10;

/// The topic.
#[component]
pub fn Lipschitz() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let function = move || read().function;
    let cone = move || {
        let row = read().cone.0;
        [
            (CONE[0] + f64::from(row[0])).clamp(-1.9, 1.9),
            (CONE[1] + f64::from(row[1])).clamp(0.1, 5.5),
        ]
    };
    let plot = Signal::derive(move || {
        let (f, [at, k]) = (function(), cone());
        let along = || (-200..=200).map(|i| f64::from(i) / 100.0);
        let curve = along().map(|x| [x, f.value(x)]).collect();
        let side = |sign: f64| -> Vec<[f64; 2]> {
            along()
                .map(|x| [x, f.value(at) + sign * k * (x - at).abs()])
                .collect()
        };
        Plot {
            lines: vec![
                Line::new("f", COLORS[0], curve),
                Line::new("f(x₀) ± K |x − x₀|", COLORS[1], side(1.0)).dashed(),
                Line::new("", COLORS[1], side(-1.0)).dashed(),
            ],
            ends: [[-2.0, 2.0], [-2.2, 2.2]],
        }
    });
    let verdict = move || {
        let (f, [at, k]) = (function(), cone());
        let constant = number(f.constant());
        if f.stays_in_cone(at, k) {
            t_string!(i18n, divergence.lip_inside, constant = constant).to_string()
        } else {
            t_string!(i18n, divergence.lip_outside, constant = constant).to_string()
        }
    };
    let matrix = move || {
        let row = read().matrix.0;
        let value = |i: usize| MATRIX[i] + f64::from(row[i]);
        [[value(0), value(1)], [value(2), value(3)]]
    };
    let rounds = move || power_iteration(matrix(), [1.0, 0.0], ROUNDS);
    let found = Signal::derive(move || {
        let points = rounds()
            .iter()
            .enumerate()
            .map(|(i, (_, s))| [i as f64, *s])
            .collect();
        let exact = spectral_norm(matrix());
        Plot::fitted(
            vec![
                Line::new(t_string!(i18n, divergence.lip_found), COLORS[0], points),
                Line::new(
                    t_string!(i18n, divergence.lip_exact),
                    COLORS[1],
                    vec![[0.0, exact], [(ROUNDS - 1) as f64, exact]],
                )
                .dashed(),
            ],
            true,
        )
    });
    // The unit circle and the ellipse that the matrix makes of it.
    let picture = move || {
        let [[a, b], [c, d]] = matrix();
        let apply = move |[x, y]: [f64; 2]| [a * x + b * y, c * x + d * y];
        let circle: Vec<[f64; 2]> = (0..=72)
            .map(|i| (f64::from(i) / 72.0 * std::f64::consts::TAU).sin_cos())
            .map(|(s, c)| [c, s])
            .collect();
        let text = |points: &[[f64; 2]]| {
            let each = points.iter().map(|[x, y]| format!("{x:.3},{:.3}", -y));
            each.collect::<Vec<_>>().join(" ")
        };
        let ellipse: Vec<_> = circle.iter().map(|&p| apply(p)).collect();
        let arrows = rounds()
            .iter()
            .enumerate()
            .map(|(i, &(v, _))| {
                let [x, y] = apply(v);
                let opacity = 0.25 + 0.75 * i as f64 / (ROUNDS - 1) as f64;
                view! { <line x1="0" y1="0" x2=x y2=-y stroke="#d55e00" stroke-width="0.04" opacity=opacity /> }
            })
            .collect_view();
        let reach = ellipse.iter().flatten().fold(1.2f64, |m, v| m.max(v.abs())) * 1.08;
        view! {
            <svg class="ellipse" viewBox=format!("{} {} {} {}", -reach, -reach, 2.0 * reach, 2.0 * reach) role="img" aria-label=t_string!(i18n, divergence.lip_ellipse).to_string()>
                <polyline points=text(&circle) fill="none" stroke="var(--soft)" stroke-width="0.02" />
                <polyline points=text(&ellipse) fill="none" stroke="#0072b2" stroke-width="0.04" />
                {arrows}
            </svg>
        }
    };
    let cell = move |index: usize| {
        let id = format!("matrix-{index}");
        view! {
            <div class="control">
                <label for=id.clone()>{format!("w{}{}", index / 2 + 1, index % 2 + 1)}</label>
                <output for=id.clone()>{move || format!("{:.2}", matrix()[index / 2][index % 2])}</output>
                <input type="range" id=id min="-2.5" max="2.5" step="0.05"
                    prop:value=move || matrix()[index / 2][index % 2].to_string()
                    on:input:target=move |event| { if let Ok(v) = event.target().value().parse::<f64>() {
                        state.set_in_row(&LAB, NAMES.matrix, &[(index, (v - MATRIX[index]) as f32)]);
                    } }
                />
            </div>
        }
    };
    let slider = move |index: usize| {
        let id = format!("cone-{index}");
        let ends = [[-1.9, 1.9], [0.1, 5.5]][index];
        view! {
            <div class="control">
                <label for=id.clone()>{move || if index == 0 { t_string!(i18n, divergence.lip_place) } else { t_string!(i18n, divergence.lip_slope) }}</label>
                <output for=id.clone()>{move || format!("{:.2}", cone()[index])}</output>
                <input type="range" id=id min=ends[0] max=ends[1] step="0.05"
                    prop:value=move || cone()[index].to_string()
                    on:input:target=move |event| { if let Ok(v) = event.target().value().parse::<f64>() {
                        state.set_in_row(&LAB, NAMES.cone, &[(index, (v - CONE[index]) as f32)]);
                    } }
                />
            </div>
        }
    };
    view! {
        <div class="bench">
            <div class="hero-column">
                <section class="panel">
                    <h2>{move || t_string!(i18n, divergence.lip_title)}</h2>
                    <PlotView plot label=Signal::derive(move || t_string!(i18n, divergence.lip_title).to_string()) />
                    <p id="lip-verdict">{verdict}</p>
                </section>
                <section class="panel">
                    <h2>{move || t_string!(i18n, divergence.lip_power)}</h2>
                    <p class="help">{move || t_string!(i18n, divergence.lip_power_help)}</p>
                    <div class="plots">
                        <figure>{picture}</figure>
                        <div><PlotView plot=found label=Signal::derive(move || t_string!(i18n, divergence.lip_power).to_string()) /></div>
                    </div>
                </section>
            </div>
            <div class="inspector">
                <section class="panel"><Control lab=&LAB name=NAMES.function />{slider(0)}{slider(1)}</section>
                <section class="panel"><h2>"W"</h2>{(0..4).map(cell).collect_view()}</section>
                <div class="row exports"><ShareButton /></div>
            </div>
        </div>
    }
}
