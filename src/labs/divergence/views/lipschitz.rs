//! A function under its cone; the spectral norm of a matrix, found by power iteration.

use leptos::prelude::*;

use super::slider::{Row, RowSlider};
use crate::labs::divergence::page::read;
use crate::labs::divergence::spec::{LAB, NAMES};
use crate::maths::lipschitz::{diagonal_start, power_iteration, spectral_norm};
use crate::page::controls::Control;
use crate::page::plot::{COLORS, Line, Plot, PlotView, number};
use crate::page::text::{I18n, t_string, use_i18n};

/// Place and slope of the cone.
const CONE: Row = Row {
    name: NAMES.cone,
    id: "cone",
    defaults: &[0.3, 1.5],
    unit: 1.0,
};
/// Ends of its place and its slope.
const CONE_ENDS: [[f64; 2]; 2] = [[-1.9, 1.9], [0.1, 5.5]];
/// The matrix, row by row.
const MATRIX: Row = Row {
    name: NAMES.matrix,
    id: "matrix",
    defaults: &[1.5, 0.8, 0.2, 0.9],
    unit: 1.0,
};
/// Rounds of power iteration.
const ROUNDS: usize = 10;

/// The topic.
#[component]
pub fn Lipschitz() -> impl IntoView {
    let i18n = use_i18n();
    let place = move |index: usize| {
        let label = Signal::derive(move || {
            if index == 0 {
                t_string!(i18n, divergence.lip_place).to_string()
            } else {
                t_string!(i18n, divergence.lip_slope).to_string()
            }
        });
        let value = Signal::derive(move || cone()[index]);
        view! { <RowSlider row=CONE index ends=CONE_ENDS[index] label value /> }
    };
    let cell = move |index: usize| {
        let label = format!("w{}{}", index / 2 + 1, index % 2 + 1);
        let value = Signal::derive(move || matrix()[index / 2][index % 2]);
        view! { <RowSlider row=MATRIX index ends=[-2.5, 2.5] label value /> }
    };
    view! {
        <div class="bench">
            <div class="hero-column">
                <Cone />
                <Power />
            </div>
            <div class="inspector">
                <section class="panel"><Control lab=&LAB name=NAMES.function />{place(0)}{place(1)}</section>
                <section class="panel"><h2>"W"</h2>{(0..4).map(cell).collect_view()}</section>
            </div>
        </div>
    }
}

/// Place and slope of the cone as they are set.
fn cone() -> [f64; 2] {
    let row = read().cone;
    [0, 1].map(|i| CONE.value(&row, i).clamp(CONE_ENDS[i][0], CONE_ENDS[i][1]))
}

/// The matrix as it is set.
fn matrix() -> [[f64; 2]; 2] {
    let row = read().matrix;
    [[0, 1], [2, 3]].map(|cells| cells.map(|i| MATRIX.value(&row, i)))
}

/// A function, and the cone on its point.
#[component]
fn Cone() -> impl IntoView {
    let i18n = use_i18n();
    let plot = Signal::derive(move || {
        let (f, [at, k]) = (read().function, cone());
        let along = || (-200..=200).map(|i| f64::from(i) / 100.0);
        let curve = along().map(|x| [x, f.value(x)]).collect();
        let side = |sign: f64| -> Vec<[f64; 2]> {
            along()
                .map(|x| [x, f.value(at) + sign * k * (x - at).abs()])
                .collect()
        };
        Plot::new(vec![
                Line::new("f", COLORS[0], curve),
                Line::new("f(x₀) ± K |x − x₀|", COLORS[1], side(1.0)).dashed(),
                Line::new("", COLORS[1], side(-1.0)).dashed(),
            ], [[-2.0, 2.0], [-2.2, 2.2]])
    });
    let verdict = move || {
        let (f, [at, k]) = (read().function, cone());
        let constant = number(f.constant());
        if f.stays_in_cone(at, k) {
            t_string!(i18n, divergence.lip_inside, constant = constant).to_string()
        } else {
            t_string!(i18n, divergence.lip_outside, constant = constant).to_string()
        }
    };
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, divergence.lip_title)}</h2>
            <PlotView plot label=Signal::derive(move || t_string!(i18n, divergence.lip_title).to_string()) />
            <p id="lip-verdict">{verdict}</p>
        </section>
    }
}

/// A matrix, and its spectral norm round by round.
#[component]
fn Power() -> impl IntoView {
    let i18n = use_i18n();
    let found = Signal::derive(move || {
        let points = power_iteration(matrix(), diagonal_start(matrix()), ROUNDS)
            .iter()
            .enumerate()
            .map(|(i, (_, s))| [i as f64, *s])
            .collect();
        let exact = spectral_norm(matrix());
        let exact = vec![[0.0, exact], [(ROUNDS - 1) as f64, exact]];
        Plot::fitted(
            vec![
                Line::new(t_string!(i18n, divergence.lip_found), COLORS[0], points),
                Line::new(t_string!(i18n, divergence.lip_exact), COLORS[1], exact).dashed(),
            ],
            true,
        )
    });
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, divergence.lip_power)}</h2>
            <p class="help">{move || t_string!(i18n, divergence.lip_power_help)}</p>
            <div class="plots">
                <figure>{move || ellipse(i18n, matrix())}</figure>
                <div><PlotView plot=found label=Signal::derive(move || t_string!(i18n, divergence.lip_power).to_string()) /></div>
            </div>
        </section>
    }
}

/// The unit circle, the ellipse that a matrix makes of it, and what it makes of the vector of each
/// round.
fn ellipse(i18n: I18n, matrix: [[f64; 2]; 2]) -> impl IntoView {
    let [[a, b], [c, d]] = matrix;
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
    let arrows = power_iteration(matrix, diagonal_start(matrix), ROUNDS)
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
}
