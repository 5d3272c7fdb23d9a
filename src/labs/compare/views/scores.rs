//! Hits, misses and precision of each family against the truth.

use leptos::prelude::*;

use crate::labs::compare::spec::Answer;
use crate::labs::truth::Object;
use crate::labs::compare::verdicts::{Verdicts, precision};
use crate::labs::detect::families::FAMILIES;
use crate::page::plot::{COLORS, Line, Plot, PlotView};
use crate::page::text::{t_string, use_i18n};

/// Hits, misses, false alarms, average precision and the curve of each family.
#[component]
pub fn Scores(
    /// What the families found.
    answer: Answer,
    /// What is really there.
    objects: Vec<Object>,
    /// Overlap from which on a box is a hit.
    overlap: f32,
) -> impl IntoView {
    let i18n = use_i18n();
    let size = [answer.width as f32, answer.height as f32];
    let mut lines = Vec::new();
    let rows: Vec<_> = answer
        .found
        .iter()
        .enumerate()
        .map(|(number, of)| {
            let family = FAMILIES[of.family];
            let (average, curve) = precision(of, &objects, size, overlap);
            let color = COLORS[number % COLORS.len()];
            lines.push(Line::new(family.title, color, curve));
            let verdicts = Verdicts::of(of, &objects, size, overlap);
            let (hits, alarms, misses) = verdicts.map_or((0, 0, 0), |of| {
                let hits = of.hits.iter().flatten().count();
                (hits, of.hits.len() - hits, of.misses)
            });
            view! {
                <tr data-family=family.name>
                    <th scope="row">{family.title}</th>
                    <td class="number">{hits}</td>
                    <td class="number">{misses}</td>
                    <td class="number">{alarms}</td>
                    <td class="number">{format!("{average:.2}")}</td>
                </tr>
            }
        })
        .collect();
    let plot = Plot::new(lines, [[0.0, 1.0], [0.0, 1.0]]);
    let label = t_string!(i18n, compare.curve).to_string();
    view! {
        <table id="truth-scores">
            <thead>
                <tr>
                    <th scope="col">{t_string!(i18n, compare.detector)}</th>
                    <th scope="col" class="number">{t_string!(i18n, compare.hits)}</th>
                    <th scope="col" class="number">{t_string!(i18n, compare.misses)}</th>
                    <th scope="col" class="number">{t_string!(i18n, compare.alarms)}</th>
                    <th scope="col" class="number">"AP"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
        <PlotView plot=Signal::stored(plot) label />
        <p class="help">{t_string!(i18n, compare.curve_help)}</p>
    }
}
