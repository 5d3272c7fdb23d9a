//! A divergence as a bound: its generator, the conjugate, and the discriminators at their best.

use leptos::prelude::*;

use super::densities::Pair;
use crate::labs::divergence::page::read;
use crate::maths::densities::RANGE;
use crate::maths::divergence::{FDivergence, value_at_optimum};
use crate::page::plot::{COLORS, Line, Plot, PlotView, number};
use crate::page::text::{t_string, use_i18n};

/// The discriminator of the original game at its best, and what the game is worth then.
#[component]
pub fn Discriminator(pair: Pair) -> impl IntoView {
    let i18n = use_i18n();
    let plot = Signal::derive(move || {
        let points = pair.discriminator();
        Plot::new(vec![Line::new("D*(x) = p / (p + q)", COLORS[2], points)], [RANGE, [0.0, 1.0]])
    });
    let game = move || {
        pair.cells.with(|[p, q]| {
            let js = FDivergence::JensenShannon.between(p, q);
            let value = value_at_optimum(p, q);
            format!(
                "V(D*, G) = {}; JS = {}; 2 JS − log 4 = {}",
                number(value),
                number(js),
                number(2.0 * js - 4f64.ln())
            )
        })
    };
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, divergence.discriminator)}</h2>
            <PlotView plot label=Signal::derive(move || t_string!(i18n, divergence.discriminator).to_string()) />
            <p class="number" id="game">{game}</p>
        </section>
    }
}

/// The functions of the chosen divergence.
#[component]
pub fn Duality(pair: Pair) -> impl IntoView {
    let i18n = use_i18n();
    let chosen = move || read().divergence;
    view! {
        <div class="plots">
            <section class="panel">
                <h2>{move || t_string!(i18n, divergence.f)}</h2>
                <PlotView plot=Signal::derive(move || generator(chosen())) label="f" />
            </section>
            <section class="panel">
                <h2>{move || t_string!(i18n, divergence.conjugate)}</h2>
                <PlotView plot=Signal::derive(move || conjugate(chosen())) label="f*" />
            </section>
            <section class="panel">
                <h2>{move || t_string!(i18n, divergence.best)}</h2>
                <PlotView plot=Signal::derive(move || best(chosen(), pair)) label="T*" />
            </section>
        </div>
    }
}

fn generator(f: FDivergence) -> Plot {
    let points = (0..=150)
        .map(|i| f64::from(i) / 50.0)
        .map(|u| [u, f.f(u)])
        .collect();
    let mut plot = Plot::fitted(vec![Line::new("f(u), u = p / q", COLORS[3], points)], true);
    plot.ends[1][1] = plot.ends[1][1].min(4.0);
    plot
}

fn conjugate(f: FDivergence) -> Plot {
    let points = (-150..=100)
        .map(|i| f64::from(i) / 50.0)
        .map(|t| [t, f.conjugate(t)])
        .collect();
    let mut plot = Plot::fitted(vec![Line::new("f*(t)", COLORS[4], points)], true);
    plot.ends[1] = [plot.ends[1][0].max(-3.0), plot.ends[1][1].min(4.0)];
    plot
}

/// The discriminator that makes the bound tight.
fn best(f: FDivergence, pair: Pair) -> Plot {
    let points = pair.curve(&|p, q| {
        let known = p > 1e-9 && q > 1e-9;
        if known { f.slope(p / q) } else { f64::NAN }
    });
    let line = Line::new("T*(x) = f'(p / q)", COLORS[2], points);
    let mut plot = Plot::fitted(vec![line], true);
    plot.ends[0] = RANGE;
    plot.ends[1] = [plot.ends[1][0].max(-6.0), plot.ends[1][1].min(6.0)];
    plot
}
