//! The losses of a search as curves, on a logarithmic scale.

use leptos::prelude::*;

use crate::labs::search::live::Live;
use crate::labs::search::spec::{STYLE_LAYERS, Term};
use crate::page::plot::{Line, Plot, PlotView};
use crate::page::text::{I18n, t_string, use_i18n};
use crate::page::words::lab_word;
use crate::protocol::lab::LabSpec;

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
        Term::Objective => "objective",
        Term::Probability => "probability",
        Term::Best => "best",
        Term::Features(_) => "features",
    }
}

/// A colour that is told apart by everyone (Okabe and Ito); the page darkens or lightens it.
fn color(term: Term) -> &'static str {
    match term {
        Term::Total | Term::Activation | Term::Objective => "var(--ink)",
        Term::Probability => "#d55e00",
        Term::Content => "#d55e00",
        Term::Best => "var(--ink)",
        Term::Features(5) => "#e69f00",
        Term::Style(number) | Term::Features(number) => {
            ["#56b4e9", "#0072b2", "#009e73", "#cc79a7", "#a17400"][number % 5]
        }
        Term::Variation => "#999999",
    }
}

fn label(i18n: I18n, term: Term, captions: &[String]) -> String {
    match term {
        Term::Total => t_string!(i18n, search.term_total).to_string(),
        Term::Content => t_string!(i18n, search.term_content).to_string(),
        Term::Style(number) => STYLE_LAYERS[number].to_string(),
        Term::Variation => t_string!(i18n, search.term_variation).to_string(),
        Term::Activation => t_string!(i18n, search.term_activation).to_string(),
        Term::Objective => t_string!(i18n, search.term_objective).to_string(),
        Term::Probability => t_string!(i18n, search.term_probability).to_string(),
        Term::Best => t_string!(i18n, search.term_best).to_string(),
        Term::Features(number) => captions.get(number).cloned().unwrap_or_default(),
    }
}

/// The curves of the last search. `hot` is the term that is pointed at.
#[component]
pub fn Curves(
    /// Whose.
    lab: &'static LabSpec,
    /// The search.
    live: RwSignal<Option<Live>, LocalStorage>,
    /// See above.
    hot: RwSignal<Option<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let title = move || lab_word(i18n, lab.name, "texts.curves_title");
    let moves = Memo::new(move |_| {
        live.with(|live| live.as_ref().is_some_and(|live| live.history.len() > 1))
    });
    let plot = Signal::derive(move || {
        live.with(|live| {
            live.as_ref()
                .map_or_else(nothing, |live| plot_of(i18n, live))
        })
    });
    let shares = Signal::derive(move || {
        live.with(|live| live.as_ref().and_then(|live| shares_of(i18n, live)))
            .unwrap_or_else(nothing)
    });
    let any = move |wanted: bool| {
        live.with(|live| {
            let terms = live.as_ref().map(|live| &live.progress.terms);
            terms.is_some_and(|terms| terms.iter().any(|&term| is_share(term) == wanted))
        })
    };
    let has_losses = move || any(false);
    let has_shares = move || any(true);
    let totals = move |part: fn(&[Vec<f32>]) -> &[Vec<f32>]| {
        live.with(|live| {
            let rows = part(&live.as_ref()?.history).iter();
            Some(
                rows.map(|row| row[0].to_string())
                    .collect::<Vec<_>>()
                    .join(","),
            )
        })
    };
    view! {
        <section
            class="panel curves"
            data-losses=move || totals(|rows| &rows[..rows.len().min(10)])
            data-last=move || totals(|rows| &rows[rows.len().saturating_sub(1)..])
        >
            <h2>{title}</h2>
            {move || match moves.get() {
                true => view! {
                    <Show when=has_losses><PlotView plot hot label=Signal::derive(move || title().to_string()) /></Show>
                    <Show when=has_shares><PlotView plot=shares hot label=Signal::derive(move || t_string!(i18n, search.term_probability).to_string()) /></Show>
                }.into_any(),
                false => view! { <p class="quiet">{t_string!(i18n, search.curves_empty)}</p> }.into_any(),
            }}
        </section>
    }
}

fn nothing() -> Plot {
    Plot::new(Vec::new(), [[0.0, 1.0]; 2])
}

/// Whether a term is a probability: those have a plot of their own, from 0 to 1.
fn is_share(term: Term) -> bool {
    matches!(term, Term::Probability | Term::Best)
}

/// The probabilities, where there are some.
fn shares_of(i18n: I18n, live: &Live) -> Option<Plot> {
    let history = &live.history;
    let terms = live.progress.terms.iter().enumerate();
    let lines: Vec<Line> = terms
        .filter(|(_, term)| is_share(**term))
        .map(|(number, &term)| {
            let points = history.iter().enumerate();
            let points = points.map(|(step, row)| [step as f64, f64::from(row[number])]);
            let stands = history
                .last()
                .map(|row| format!("{:.1} %", 100.0 * row[number]));
            Line {
                term: word(term),
                stands: stands.unwrap_or_default(),
                ..Line::new(
                    label(i18n, term, &live.progress.captions),
                    color(term),
                    points.collect(),
                )
            }
        })
        .collect();
    let steps = t_string!(i18n, search.curves_steps, n = history.len()).to_string();
    (!lines.is_empty()).then(|| Plot {
        names: Some(["1".into(), String::new(), "0".into(), steps]),
        ..Plot::new(lines, [[0.0, history.len() as f64], [0.0, 1.0]])
    })
}

/// The losses, as their logarithms.
fn plot_of(i18n: I18n, live: &Live) -> Plot {
    let history = &live.history;
    let terms = &live.progress.terms;
    let positive = || {
        let rows = history.iter().flat_map(|row| row.iter().zip(terms));
        let losses = rows.filter(|(_, term)| !is_share(**term));
        losses.map(|(&value, _)| value).filter(|&value| value > 0.0)
    };
    let top = positive().fold(f32::MIN_POSITIVE, f32::max).log10();
    let least = positive().fold(f32::MAX, f32::min).log10();
    let bottom = least.max(top - DECADES).min(top - 0.1);
    let last = history.len();
    let terms = terms.iter().enumerate();
    let losses = terms.filter(|(_, term)| !is_share(**term));
    let lines = losses.map(|(number, &term)| {
        // A term of weight zero that the network does not pass is not known.
        let known = history
            .iter()
            .enumerate()
            .filter(|(_, row)| row[number] > 0.0);
        let points =
            known.map(|(step, row)| [step as f64, f64::from(row[number].log10().max(bottom))]);
        let stands = history.last().map(|row| short(row[number]));
        Line {
            term: word(term),
            stands: stands.unwrap_or_default(),
            ..Line::new(
                label(i18n, term, &live.progress.captions),
                color(term),
                points.collect(),
            )
        }
    });
    let [upper, lower] = [top, bottom].map(|power| short(10f32.powf(power)));
    let steps = t_string!(i18n, search.curves_steps, n = last).to_string();
    let ends = [[0.0, last.max(1) as f64], [bottom, top].map(f64::from)];
    Plot {
        names: Some([upper, String::new(), lower, steps]),
        log: true,
        ..Plot::new(lines.collect(), ends)
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
