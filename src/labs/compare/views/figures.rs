//! The picture once for each family, with what it found.

use leptos::prelude::*;

use crate::labs::compare::spec::{Answer, OfFamily};
use crate::labs::truth::Object;
use crate::labs::compare::verdicts::Verdicts;
use crate::labs::detect::families::FAMILIES;
use crate::labs::detect::views::{class_style, name_and_score, placement};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};

/// A figure for each family that has answered.
#[component]
pub fn Figures(
    /// What they found.
    answer: Answer,
    /// What is really there.
    truth: Vec<Object>,
    /// Overlap from which on a box is a hit.
    overlap: f32,
    /// The address of the composed picture, where there is one.
    backdrop: Signal<Option<String>>,
) -> impl IntoView {
    let state = use_state();
    let url = move || {
        let own = || state.source.get().map(|source| source.url);
        backdrop.get().or_else(own).unwrap_or_default()
    };
    let size = [answer.width as f32, answer.height as f32];
    answer
        .found
        .into_iter()
        .map(|of| view! { <Figure of url=url() size truth=truth.clone() overlap /> })
        .collect_view()
}

#[component]
fn Figure(
    of: OfFamily,
    url: String,
    size: [f32; 2],
    truth: Vec<Object>,
    overlap: f32,
) -> impl IntoView {
    let i18n = use_i18n();
    let [width, height] = size;
    let family = FAMILIES[of.family];
    let verdicts = Verdicts::of(&of, &truth, size, overlap);
    let boxes: Vec<_> = of
        .detections
        .kept()
        .enumerate()
        .map(|(number, (_, found))| {
            let style = format!(
                "{};{}",
                placement(found.box_in_image, width, height),
                class_style(family, found.class)
            );
            let words = name_and_score(i18n, family, found);
            let is_wrong = verdicts.as_ref().is_some_and(|of| of.hits[number].is_none());
            let words = match verdicts.as_ref().and_then(|of| of.hits[number]) {
                Some(iou) => format!("{words}, IoU {iou:.2}"),
                None => words,
            };
            let high = found.box_in_image.y0 / height < 0.06;
            view! { <div class="box" class:inside=high class:gone=is_wrong style=style title=words.clone()><span>{words.clone()}</span></div> }
        })
        .collect();
    let objects = truth.iter().map(|object| {
        let place = object.place.scale(width, height);
        view! { <div class="box truth" style=placement(place, width, height)></div> }
    });
    let total: f64 = of.timings.iter().map(|(_, ms)| ms).sum();
    let count = boxes.len();
    let found = t_string!(i18n, compare.figure, count = count, ms = format!("{total:.0}")).to_string();
    let alt = format!("{}: {found}", family.title);
    let judged = verdicts.map(|of| {
        let hits = of.hits.iter().flatten().count();
        let words = t_string!(i18n, compare.judged, hits = hits, misses = of.misses, alarms = count - hits).to_string();
        view! { <small class="judged">{words}</small> }
    });
    view! {
        <figure class="family" data-family=family.name>
            <figcaption>
                <b>{family.title}</b>
                <small>{found}</small>
                {judged}
            </figcaption>
            <div class="frame" style=format!("--ratio:{:.5}", width / height)>
                <img src=url alt=alt />
                {objects.collect_view()}
                {boxes}
            </div>
        </figure>
    }
}
