//! How the two-step detector came to be: what each step from R-CNN to Faster R-CNN saved, measured here.

use leptos::prelude::*;

use crate::labs::compare::spec::{Answer, OfFamily};
use crate::labs::detect::families::FAMILIES;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::message::Stage;

/// The parts of the lecture's chart: which stages they are made of.
const PROPOSALS: &[Stage] = &[Stage::Proposals];
const FEATURES: &[Stage] = &[Stage::Backbone, Stage::Network];
const HEADS: &[Stage] = &[Stage::Heads];

/// How long these stages took, none where there were none.
fn took(of: &OfFamily, stages: &[Stage]) -> Option<f64> {
    let all = of.timings.iter().filter(|(stage, _)| stages.contains(stage));
    all.map(|(_, ms)| *ms).reduce(|sum, ms| sum + ms)
}

/// As it is said: whole milliseconds, tenths where there are few.
fn ms(of: &OfFamily, stages: &[Stage]) -> String {
    match took(of, stages) {
        None => String::new(),
        Some(ms) if ms < 9.95 => format!("{ms:.1}"),
        Some(ms) => format!("{ms:.0}"),
    }
}

/// A table of the families of this line that ran, and a paragraph on each step between two that did.
#[component]
pub fn Steps(
    /// What they took.
    answer: Answer,
) -> impl IntoView {
    let i18n = use_i18n();
    let of = |name: &str| answer.found.iter().find(|of| FAMILIES[of.family].name == name);
    let line = ["r-cnn", "sppnet", "fast-rcnn", "faster-rcnn"].map(of);
    let ran: Vec<&OfFamily> = line.iter().copied().flatten().collect();
    if ran.len() < 2 {
        return ().into_any();
    }
    let rows = ran.iter().map(|of| {
        let parts = [PROPOSALS, FEATURES, HEADS].map(|stages| view! { <td class="number">{ms(of, stages)}</td> });
        view! {
            <tr data-family=FAMILIES[of.family].name>
                <th scope="row">{FAMILIES[of.family].title}</th>
                {parts.collect_view()}
            </tr>
        }
    });
    let [r_cnn, sppnet, fast, faster] = line;
    let spp = r_cnn.zip(sppnet).map(|(before, after)| {
        t_string!(
            i18n,
            compare.step_sppnet,
            boxes = before.places,
            before = ms(before, FEATURES),
            features = ms(after, FEATURES),
            heads = ms(after, HEADS)
        )
        .to_string()
    });
    let learned = sppnet.zip(fast).map(|(before, after)| {
        t_string!(i18n, compare.step_fast, before = ms(before, HEADS), after = ms(after, HEADS)).to_string()
    });
    let proposed = fast.zip(faster).map(|(before, after)| {
        let (search, proposals) = (ms(before, PROPOSALS), ms(after, PROPOSALS));
        let is_slowest = [FEATURES, HEADS].iter().all(|part| took(before, part) < took(before, PROPOSALS));
        let said = match is_slowest {
            true => t_string!(i18n, compare.step_faster_slow, search = search, after = proposals).to_string(),
            false => t_string!(i18n, compare.step_faster, search = search, after = proposals).to_string(),
        };
        let fewer = (after.places < before.places)
            .then(|| t_string!(i18n, compare.step_faster_few, few = after.places, many = before.places).to_string());
        [Some(said), fewer].into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let told = [spp, learned, proposed].into_iter().flatten().map(|said| view! { <p>{said}</p> });
    view! {
        <section class="panel" id="steps">
            <h2>{t_string!(i18n, compare.steps_title)}</h2>
            <div class="scroll" tabindex="0">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{t_string!(i18n, compare.detector)}</th>
                            <th scope="col" class="number">{t_string!(i18n, compare.ms_proposals)}</th>
                            <th scope="col" class="number">{t_string!(i18n, compare.ms_features)}</th>
                            <th scope="col" class="number">{t_string!(i18n, compare.ms_heads)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            {told.collect_view()}
        </section>
    }
    .into_any()
}
