//! The best score of each class, before anything is thrown away.

use leptos::prelude::*;

use super::super::spec::{DetectSettings, LAB};
use super::{Shown, class_name, color};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};

/// Classes that are listed.
const MOST: usize = 25;

/// Best score of each class before the threshold.
#[component]
pub fn Scores(shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    move || {
        let shown = shown.get()?;
        let threshold = state.settings(&LAB).with(|s| s.read::<DetectSettings>().score);
        let family = shown.family();
        let best = shown.detections.best_scores;
        let mut scores: Vec<(usize, f32)> = family
            .foreground()
            .filter_map(|class| Some((class, *best.get(class)?)))
            .collect();
        scores.sort_by(|a, b| b.1.total_cmp(&a.1));
        scores.truncate(MOST);
        let rows = scores
            .into_iter()
            .map(|(class, score)| {
                view! {
                    <tr class:under=score < threshold>
                        <th scope="row">{class_name(i18n, family, class)}</th>
                        <td class="bar">
                            <span style=format!("width:{:.1}%;--class:{}", score * 100.0, color(family, class))></span>
                            <i style=format!("left:{:.1}%", threshold * 100.0) aria-hidden="true"></i>
                        </td>
                        <td class="number">{format!("{score:.3}")}</td>
                    </tr>
                }
            })
            .collect_view();
        Some(view! {
            <p class="help">{t_string!(i18n, detect.scores_text)}</p>
            <table class="bars" id="scores"><tbody>{rows}</tbody></table>
            <p class="help">{format!("{} {threshold:.2}", t_string!(i18n, detect.scores_threshold))}</p>
        })
    }
}
