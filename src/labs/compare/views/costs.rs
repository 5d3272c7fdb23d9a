//! What each family costs: a table like the lecture's, and a bar for each family's time, by stage.

use leptos::prelude::*;

use crate::labs::compare::spec::{Answer, OfFamily};
use crate::labs::detect::families::{FAMILIES, Looks};
use crate::page::text::{stage_name, t_string, use_i18n};
use crate::protocol::message::Stage;

fn total(of: &OfFamily) -> f64 {
    of.timings.iter().map(|(_, ms)| ms).sum()
}

/// Colours of the stages (Okabe and Ito).
fn color(stage: Stage) -> &'static str {
    match stage {
        Stage::Backbone | Stage::Network => "#0072b2",
        Stage::Proposals => "#d55e00",
        Stage::Heads => "#009e73",
        Stage::Postprocess => "#cc79a7",
        Stage::Decode | Stage::Load | Stage::Prepare => "#999999",
    }
}

/// The table and the bars.
#[component]
pub fn Costs(
    /// What they took.
    answer: Answer,
) -> impl IntoView {
    let i18n = use_i18n();
    let rows = answer.found.iter().map(|of| {
        let family = FAMILIES[of.family];
        let places = match family.looks {
            Looks::Anchors => t_string!(i18n, compare.of_proposals, count = of.places),
            Looks::DefaultBoxes => t_string!(i18n, compare.of_default_boxes, count = of.places),
            Looks::Boxes => t_string!(i18n, compare.of_boxes, count = of.places),
            Looks::Cells => t_string!(i18n, compare.of_cells, count = of.places),
            Looks::Windows => t_string!(i18n, compare.of_windows, count = of.places),
            Looks::Regions | Looks::Crops => t_string!(i18n, compare.of_searched, count = of.places),
        };
        let [half, whole] = match family.map {
            Some(map) => map.map(|map| format!("{map:.2}")),
            None => ["".into(), "".into()],
        };
        view! {
            <tr data-family=family.name>
                <th scope="row">{family.title}</th>
                <td>{places.to_string()}</td>
                <td class="number">{if family.two_steps { 2 } else { 1 }}</td>
                <td class="number">{format!("{:.0}", total(of))}</td>
                <td class="number">{half}</td>
                <td class="number">{whole}</td>
                <td class="number">{format!("{:.1}", family.parameters as f32 / 1e6)}</td>
            </tr>
        }
    });
    let most = answer.found.iter().map(total).fold(1.0, f64::max);
    let bars = answer.found.iter().map(|of| {
        let parts = of.timings.iter().map(|&(stage, ms)| {
            let name = format!("{}: {ms:.1} ms", stage_name(i18n, stage));
            let style = format!("width:{:.2}%;background:{}", 100.0 * ms / most, color(stage));
            view! { <i style=style title=name data-stage=stage.name() data-ms=format!("{ms:.2}")></i> }
        });
        let said: Vec<String> = of
            .timings
            .iter()
            .map(|&(stage, ms)| format!("{} {ms:.0} ms", stage_name(i18n, stage)))
            .collect();
        view! {
            <li>
                <span>{FAMILIES[of.family].title}</span>
                <div class="stages" role="img" aria-label=said.join(", ")>{parts.collect_view()}</div>
                <span class="number">{format!("{:.0} ms", total(of))}</span>
            </li>
        }
    });
    let mut stages: Vec<Stage> = Vec::new();
    for (stage, _) in answer.found.iter().flat_map(|of| &of.timings) {
        if !stages.contains(stage) {
            stages.push(*stage);
        }
    }
    stages.sort_by_key(|stage| *stage as usize);
    let legend = stages.into_iter().map(|stage| {
        view! { <li><span class="swatch" style=format!("--class:{}", color(stage))></span>{stage_name(i18n, stage)}</li> }
    });
    view! {
        <section class="panel" id="costs">
            <h2>{t_string!(i18n, compare.costs)}</h2>
            <div class="scroll" tabindex="0">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{t_string!(i18n, compare.detector)}</th>
                            <th scope="col">{t_string!(i18n, compare.places)}</th>
                            <th scope="col" class="number">{t_string!(i18n, compare.steps)}</th>
                            <th scope="col" class="number">"ms"</th>
                            <th scope="col" class="number">"mAP@.5"</th>
                            <th scope="col" class="number">"mAP@.5:.95"</th>
                            <th scope="col" class="number">{t_string!(i18n, compare.parameters)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            <ul class="times">{bars.collect_view()}</ul>
            <ul class="legend">{legend.collect_view()}</ul>
            <p class="help">{t_string!(i18n, compare.costs_help)}</p>
        </section>
    }
}
