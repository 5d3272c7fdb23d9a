//! How far two densities are apart, by many measures.

use leptos::prelude::*;

use super::densities::{Densities, DensitySliders, Pair};
use super::duality::{Discriminator, Duality};
use crate::labs::divergence::page::read;
use crate::labs::divergence::spec::{LAB, NAMES};
use crate::maths::divergence::FDivergence;
use crate::page::controls::Control;
use crate::page::terms::Hot;
use crate::page::plot::number;
use crate::page::text::{I18n, t_string, use_i18n};

/// The topic.
#[component]
pub fn Divergences() -> impl IntoView {
    let pair = Pair::of_settings();
    view! {
        <div class="bench">
            <div class="hero-column">
                <Densities pair />
                <Discriminator pair />
                <Duality pair />
            </div>
            <div class="inspector">
                <section class="panel"><Table pair /></section>
                <section class="panel"><Control lab=&LAB name=NAMES.divergence /></section>
                <section class="panel" class:lit=Hot::is("densities")>
                    <DensitySliders pair />
                    <Control lab=&LAB name=NAMES.form />
                </section>
            </div>
        </div>
    }
}

/// What a divergence is called.
fn divergence_name(i18n: I18n, divergence: FDivergence) -> String {
    match divergence {
        FDivergence::Kl => "KL(P‖Q)".to_string(),
        FDivergence::ReverseKl => "KL(Q‖P)".to_string(),
        FDivergence::JensenShannon => "Jensen-Shannon".to_string(),
        FDivergence::Pearson => "Pearson χ²(P‖Q)".to_string(),
        FDivergence::LeastSquares => t_string!(i18n, divergence.least_squares).to_string(),
        FDivergence::SquaredHellinger => t_string!(i18n, divergence.hellinger).to_string(),
        FDivergence::TotalVariation => t_string!(i18n, divergence.tv).to_string(),
        FDivergence::Gan => "GAN: 2 JS − log 4".to_string(),
    }
}

/// All divergences of the two densities.
#[component]
fn Table(pair: Pair) -> impl IntoView {
    let i18n = use_i18n();
    let rows = move || {
        let shown = read().divergence;
        pair.logs.with(|[p, q]| {
            FDivergence::ALL
                .iter()
                .map(|&divergence| {
                    let value = divergence.between_logs(p, q);
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
    view! {
        <table id="divergences">
            <thead><tr><th scope="col">{move || t_string!(i18n, divergence.name)}</th><th scope="col" class="number">{move || t_string!(i18n, divergence.nats)}</th><th scope="col" class="number">{move || t_string!(i18n, divergence.bits)}</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}
