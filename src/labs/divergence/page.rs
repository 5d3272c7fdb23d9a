//! Two densities and how far they are apart.

use leptos::prelude::*;

use super::spec::{DivergenceSettings, Form, LAB, NAMES, Topic};
use super::views::convexity::Convexity;
use super::views::lipschitz::Lipschitz;
use crate::maths::densities::{Bump, CELLS, RANGE, place, probabilities};
use crate::maths::divergence::{FDivergence, optimal_discriminator, value_at_optimum};
use crate::page::controls::Control;
use crate::page::frame::{LabFrame, ShareButton};
use crate::page::plot::{COLORS, Line, Plot, PlotView, number};
use crate::page::pointer::{capture, place_of};
use crate::page::state::{Room, asks_by_itself};
use crate::page::state::use_state;
use crate::page::text::{I18n, t_string, use_i18n};

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <DivergenceLab /> }.into_any(),
    act: asks_by_itself,
    door: None,
};

/// The settings, read.
pub fn read() -> DivergenceSettings {
    let state = use_state();
    state.settings(&LAB).with(|settings| settings.read())
}

/// Centre and width of the first density, then of the second, before the visitor moves them.
const DEFAULTS: [f64; 4] = [-0.8, 0.6, 0.9, 0.8];
/// Narrowest and widest density.
const WIDTHS: [f64; 2] = [0.15, 2.0];

/// The page.
#[component]
fn DivergenceLab() -> impl IntoView {
    let topic = Memo::new(move |_| read().topic);
    view! {
        <LabFrame lab=&LAB>
            <Control lab=&LAB name=NAMES.topic />
            {move || match topic.get() {
                Topic::Divergences => view! { <Divergences /> }.into_any(),
                Topic::Convexity => view! { <Convexity /> }.into_any(),
                Topic::Lipschitz => view! { <Lipschitz /> }.into_any(),
            }}
        </LabFrame>
    }
}

/// What a divergence is called.
fn divergence_name(i18n: I18n, divergence: FDivergence) -> String {
    match divergence {
        FDivergence::Kl => "KL(P‖Q)".to_string(),
        FDivergence::ReverseKl => "KL(Q‖P)".to_string(),
        FDivergence::JensenShannon => "Jensen-Shannon".to_string(),
        FDivergence::Pearson => "Pearson χ² (LSGAN)".to_string(),
        FDivergence::SquaredHellinger => t_string!(i18n, divergence.hellinger).to_string(),
        FDivergence::TotalVariation => t_string!(i18n, divergence.tv).to_string(),
        FDivergence::Gan => "GAN: 2 JS − log 4".to_string(),
    }
}

#[component]
fn Divergences() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let bumps = Memo::new(move |_| {
        let settings = read();
        let row = settings.bumps.0;
        let value = |i: usize| DEFAULTS[i] + f64::from(row[i]);
        [0, 2].map(|i| Bump {
            center: value(i).clamp(RANGE[0], RANGE[1]),
            width: value(i + 1).clamp(WIDTHS[0], WIDTHS[1]),
            is_box: settings.form == Form::Box,
        })
    });
    let densities = Memo::new(move |_| bumps.get().map(|bump| probabilities(&[bump])));
    // Which density is dragged.
    let dragged = StoredValue::new(None::<usize>);
    let width = (RANGE[1] - RANGE[0]) / CELLS as f64;
    let curve = move |which: usize| {
        densities.with(|d| {
            d[which]
                .iter()
                .enumerate()
                .map(|(cell, p)| [place(cell), p / width])
                .collect::<Vec<_>>()
        })
    };
    let plot = Signal::derive(move || {
        let lines = vec![
            Line::new("P", COLORS[0], curve(0)).filled(),
            Line::new("Q", COLORS[1], curve(1)).filled(),
        ];
        let mut plot = Plot::fitted(lines, true);
        plot.ends[0] = RANGE;
        plot
    });
    let discriminator = Signal::derive(move || {
        let points = densities.with(|[p, q]| {
            (0..CELLS)
                .map(|cell| [place(cell), optimal_discriminator(p[cell], q[cell])])
                .collect::<Vec<_>>()
        });
        Plot {
            lines: vec![Line::new("D*(x) = p / (p + q)", COLORS[2], points)],
            ends: [RANGE, [0.0, 1.0]],
        }
    });
    let chosen = move || read().divergence;
    let generator = Signal::derive(move || {
        let f = chosen();
        let points = (0..=150)
            .map(|i| f64::from(i) / 50.0)
            .map(|u| [u, f.f(u)])
            .collect();
        let mut plot = Plot::fitted(vec![Line::new("f(u), u = p / q", COLORS[3], points)], true);
        plot.ends[1][1] = plot.ends[1][1].min(4.0);
        plot
    });
    let conjugate = Signal::derive(move || {
        let f = chosen();
        let points = (-150..=100)
            .map(|i| f64::from(i) / 50.0)
            .map(|t| [t, f.conjugate(t)])
            .collect();
        let mut plot = Plot::fitted(vec![Line::new("f*(t)", COLORS[4], points)], true);
        plot.ends[1] = [plot.ends[1][0].max(-3.0), plot.ends[1][1].min(4.0)];
        plot
    });
    let best = Signal::derive(move || {
        let f = chosen();
        let points = densities.with(|[p, q]| {
            (0..CELLS)
                .map(|cell| {
                    let ratio = p[cell] / q[cell];
                    let known = p[cell] > 1e-9 && q[cell] > 1e-9;
                    [place(cell), if known { f.slope(ratio) } else { f64::NAN }]
                })
                .collect::<Vec<_>>()
        });
        let mut plot = Plot::fitted(
            vec![Line::new("T*(x) = f'(p / q)", COLORS[2], points)],
            true,
        );
        plot.ends[0] = RANGE;
        plot.ends[1] = [plot.ends[1][0].max(-6.0), plot.ends[1][1].min(6.0)];
        plot
    });
    let rows = move || {
        let shown = chosen();
        densities.with(|[p, q]| {
            FDivergence::ALL
                .iter()
                .map(|&divergence| {
                    let value = divergence.between(p, q);
                    let bits = matches!(
                        divergence,
                        FDivergence::Kl | FDivergence::ReverseKl | FDivergence::JensenShannon
                    );
                    let bits = bits.then(|| number(value / 2f64.ln()));
                    view! {
                        <tr class:lit=divergence == shown data-divergence=format!("{divergence:?}") data-value=value.to_string()>
                            <th scope="row">{divergence_name(i18n, divergence)}</th>
                            <td class="number">{number(value)}</td>
                            <td class="number">{bits}</td>
                        </tr>
                    }
                })
                .collect_view()
        })
    };
    let game = move || {
        densities.with(|[p, q]| {
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
    let stuck = move || {
        densities.with(|[p, q]| {
            let apart = p.iter().zip(q).all(|(&p, &q)| p == 0.0 || q == 0.0);
            apart.then(|| view! { <p class="sentence" id="stuck">{t_string!(i18n, divergence.stuck)}</p> })
        })
    };
    let to = move |event: &web_sys::PointerEvent, which: usize| {
        if let Some([x, _]) = place_of(event, "#densities") {
            let at = RANGE[0] + x * (RANGE[1] - RANGE[0]);
            let index = which * 2;
            state.set_in_row(
                &LAB,
                NAMES.bumps,
                &[(index, (at - DEFAULTS[index]) as f32)],
            );
        }
    };
    let begin = move |event: web_sys::PointerEvent| {
        let Some([x, _]) = place_of(&event, "#densities") else {
            return;
        };
        let at = RANGE[0] + x * (RANGE[1] - RANGE[0]);
        let near = bumps.get_untracked().map(|bump| (bump.center - at).abs());
        let which = usize::from(near[1] < near[0]);
        dragged.set_value(Some(which));
        capture(&event, "#densities");
        to(&event, which);
    };
    let slider = move |index: usize| {
        let label = move || {
            let name = if index < 2 { "P" } else { "Q" };
            if index.is_multiple_of(2) {
                t_string!(i18n, divergence.center, name = name).to_string()
            } else {
                t_string!(i18n, divergence.width, name = name).to_string()
            }
        };
        let ends = if index.is_multiple_of(2) {
            [-3.0, 3.0]
        } else {
            WIDTHS
        };
        let value = move || {
            let bump = bumps.get()[index / 2];
            if index.is_multiple_of(2) {
                bump.center
            } else {
                bump.width
            }
        };
        let id = format!("bump-{index}");
        view! {
            <div class="control">
                <label for=id.clone()>{label}</label>
                <output for=id.clone()>{move || format!("{:.2}", value())}</output>
                <input type="range" id=id min=ends[0] max=ends[1] step="0.05"
                    prop:value=move || value().to_string()
                    on:input:target=move |event| { if let Ok(v) = event.target().value().parse::<f64>() {
                        state.set_in_row(&LAB, NAMES.bumps, &[(index, (v - DEFAULTS[index]) as f32)]);
                    } }
                />
            </div>
        }
    };
    let label = move |text: &'static str| Signal::derive(move || text.to_string());
    view! {
        <div class="bench">
            <div class="hero-column">
                <section class="panel">
                    <h2>{move || t_string!(i18n, divergence.densities)}</h2>
                    <div
                        class="drag-across"
                        id="densities"
                        on:pointerdown=begin
                        on:pointermove=move |event| { if let Some(which) = dragged.get_value() { to(&event, which) } }
                        on:pointerup=move |_| dragged.set_value(None)
                        on:pointercancel=move |_| dragged.set_value(None)
                    >
                        <PlotView plot label=Signal::derive(move || t_string!(i18n, divergence.densities).to_string()) />
                    </div>
                    <p class="help">{move || t_string!(i18n, divergence.drag)}</p>
                    {stuck}
                </section>
                <section class="panel">
                    <h2>{move || t_string!(i18n, divergence.discriminator)}</h2>
                    <PlotView plot=discriminator label=Signal::derive(move || t_string!(i18n, divergence.discriminator).to_string()) />
                    <p class="number" id="game">{game}</p>
                </section>
                <div class="plots">
                    <section class="panel"><h2>{move || t_string!(i18n, divergence.f)}</h2><PlotView plot=generator label=label("f") /></section>
                    <section class="panel"><h2>{move || t_string!(i18n, divergence.conjugate)}</h2><PlotView plot=conjugate label=label("f*") /></section>
                    <section class="panel"><h2>{move || t_string!(i18n, divergence.best)}</h2><PlotView plot=best label=label("T*") /></section>
                </div>
            </div>
            <div class="inspector">
                <section class="panel">
                    <table id="divergences">
                        <thead><tr><th scope="col">{move || t_string!(i18n, divergence.name)}</th><th scope="col" class="number">{move || t_string!(i18n, divergence.nats)}</th><th scope="col" class="number">{move || t_string!(i18n, divergence.bits)}</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </section>
                <section class="panel"><Control lab=&LAB name=NAMES.divergence /></section>
                <section class="panel">
                    {(0..4).map(slider).collect_view()}
                    <Control lab=&LAB name=NAMES.form />
                </section>
                <div class="row exports"><ShareButton /></div>
            </div>
        </div>
    }
}
