//! The losses of a search as curves, on a logarithmic scale.

use leptos::prelude::*;

use crate::labs::search::page::Live;
use crate::labs::search::spec::{STYLE_LAYERS, Term};
use crate::page::text::{I18n, t_string, use_i18n};

/// Columns and rows of the drawing, in its own units.
const SIZE: [f32; 2] = [300.0, 120.0];
/// Powers of ten below the largest value that are shown at most.
const DECADES: f32 = 5.0;

/// The word by which notes, controls and curves name a term.
fn word(term: Term) -> &'static str {
    match term {
        Term::Total => "total",
        Term::Content => "content",
        Term::Style(_) => "style",
        Term::Variation => "tv",
        Term::Activation => "activation",
    }
}

/// A colour that is told apart by everyone (Okabe and Ito); the page darkens or lightens it.
fn color(term: Term) -> &'static str {
    match term {
        Term::Total | Term::Activation => "var(--ink)",
        Term::Content => "#d55e00",
        Term::Style(number) => ["#56b4e9", "#0072b2", "#009e73", "#cc79a7", "#a17400"][number % 5],
        Term::Variation => "#999999",
    }
}

fn label(i18n: I18n, term: Term) -> String {
    match term {
        Term::Total => t_string!(i18n, search.term_total).to_string(),
        Term::Content => t_string!(i18n, search.term_content).to_string(),
        Term::Style(number) => STYLE_LAYERS[number].to_string(),
        Term::Variation => t_string!(i18n, search.term_variation).to_string(),
        Term::Activation => t_string!(i18n, search.term_activation).to_string(),
    }
}

/// The curves of the last search. `hot` is the term that is pointed at.
#[component]
pub fn Curves(
    /// The search.
    live: RwSignal<Option<Live>, LocalStorage>,
    /// See above.
    hot: RwSignal<Option<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <section class="panel curves">
            <h2>{move || t_string!(i18n, search.curves_title)}</h2>
            {move || live.with(|live| match live {
                Some(live) if live.history.len() > 1 => draw(i18n, live, hot).into_any(),
                _ => view! { <p class="quiet">{t_string!(i18n, search.curves_empty)}</p> }.into_any(),
            })}
        </section>
    }
}

fn draw(i18n: I18n, live: &Live, hot: RwSignal<Option<String>>) -> impl IntoView + use<> {
    let history = &live.history;
    let positive = || {
        history
            .iter()
            .flatten()
            .copied()
            .filter(|&value| value > 0.0)
    };
    let top = positive().fold(f32::MIN_POSITIVE, f32::max).log10();
    let bottom = positive()
        .fold(f32::MAX, f32::min)
        .log10()
        .max(top - DECADES);
    let range = (top - bottom).max(0.1);
    let last = (history.len() - 1) as f32;
    let place = |step: usize, value: f32| {
        let x = step as f32 / last * SIZE[0];
        let y = (top - value.max(f32::MIN_POSITIVE).log10()) / range * SIZE[1];
        format!("{x:.1},{:.1}", y.clamp(0.0, SIZE[1]))
    };
    let first_losses: Vec<String> = history
        .iter()
        .take(10)
        .map(|row| row[0].to_string())
        .collect();
    let terms = &live.progress.terms;
    let lines = terms
        .iter()
        .enumerate()
        // A term of weight zero that the network does not pass is not known.
        .filter(|(number, _)| history.iter().any(|row| row[*number] > 0.0))
        .map(|(number, &term)| {
            let points: Vec<_> = history
                .iter()
                .enumerate()
                .filter(|(_, row)| row[number] > 0.0)
                .map(|(step, row)| place(step, row[number]))
                .collect();
            let lit = move || hot.with(|hot| hot.as_deref() == Some(word(term)));
            view! {
                <polyline class="curve" class:lit=lit points=points.join(" ") style=format!("stroke:{}", color(term)) />
            }
        })
        .collect_view();
    let end = history.last().cloned().unwrap_or_default();
    let legend = terms
        .iter()
        .zip(end)
        .map(|(&term, value)| {
            let lit = move || hot.with(|hot| hot.as_deref() == Some(word(term)));
            view! {
                <li
                    class:lit=lit
                    on:mouseenter=move |_| hot.set(Some(word(term).into()))
                    on:mouseleave=move |_| hot.set(None)
                >
                    <span class="line" style=format!("background:{}", color(term))></span>
                    {label(i18n, term)}
                    <span class="number">{short(value)}</span>
                </li>
            }
        })
        .collect_view();
    let axis = [top, bottom].map(|power| short(10f32.powf(power)));
    view! {
        <div class="plot" data-losses=first_losses.join(",") data-last=history.last().map(|row| row[0].to_string())>
            <svg viewBox=format!("0 0 {} {}", SIZE[0], SIZE[1]) preserveAspectRatio="none" role="img" aria-label=t_string!(i18n, search.curves_title).to_string()>
                {lines}
            </svg>
            <span class="axis upper">{axis[0].clone()}</span>
            <span class="axis bottom">{axis[1].clone()}</span>
            <span class="axis end">{t_string!(i18n, search.curves_steps, n = history.len() - 1).to_string()}</span>
        </div>
        <ul class="legend">{legend}</ul>
    }
}

/// Three digits.
fn short(value: f32) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.001 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}
