//! The boxes of the search over the picture, and how many objects they find.

use leptos::prelude::*;

use super::Opened;
use crate::labs::detect::families::PHOTOGRAPH_CLASSES;
use crate::labs::detect::views::placement;
use crate::labs::propose::recall::{found_after, recall};
use crate::labs::truth::Object;
use crate::maths::boxes::Corners;
use crate::page::plot::{COLORS, Line, Plot, PlotView};
use crate::page::text::{t_string, use_i18n};
use crate::page::words::lab_word;

/// The likeliest boxes; of each object the one that fits it best stands out.
#[component]
pub fn Boxes(
    /// What was found.
    opened: Opened,
    /// How many are shown.
    most: Memo<usize>,
    /// What is really there.
    objects: Memo<Vec<Object>>,
) -> impl IntoView {
    let [width, height] = opened.answer.size.map(|side| side as f32);
    move || {
        let shown = &opened.boxes[..most.get().min(opened.boxes.len())];
        let boxes = shown.iter().map(|of| view! { <div class="box proposal" style=placement(*of, width, height)></div> });
        let objects = objects.get().into_iter().map(|object| {
            let place = object.place.scale(width, height);
            let best = best(shown, place).map(|(of, overlap)| {
                let label = format!("IoU {overlap:.2}");
                let high = of.y0 / height < 0.06;
                view! { <div class="box lit fits" class:inside=high style=placement(of, width, height)><span>{label}</span></div> }
            });
            view! { <div class="box truth" style=placement(place, width, height)></div> {best} }
        });
        view! { <div class="layer">{boxes.collect_view()}{objects.collect_view()}</div> }
    }
}

/// The box that overlaps an object most, with its overlap.
fn best(boxes: &[Corners], place: Corners) -> Option<(Corners, f32)> {
    let overlaps = boxes.iter().map(|of| (*of, of.iou(place)));
    overlaps.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, overlap)| *overlap > 0.0)
}

/// Which objects are found by how many boxes.
#[component]
pub fn RecallPanel(
    /// What was found.
    opened: Opened,
    /// How many are shown.
    most: Memo<usize>,
    /// What is really there.
    objects: Memo<Vec<Object>>,
    /// Overlap from which on an object is found.
    overlap: Memo<f32>,
) -> impl IntoView {
    let i18n = use_i18n();
    let [width, height] = opened.answer.size.map(|side| side as f32);
    move || {
        let all = objects.get();
        if all.is_empty() {
            return view! { <p class="help">{t_string!(i18n, propose.recall_none)}</p> }.into_any();
        }
        let places: Vec<Corners> = all.iter().map(|of| of.place.scale(width, height)).collect();
        let found = found_after(&opened.boxes, &places, overlap.get());
        let count = opened.boxes.len().max(1);
        let curve = (0..=count).map(|after| [after as f64, f64::from(recall(&found, after))]);
        let line = Line::new("", COLORS[0], curve.collect());
        let plot = Plot::new(vec![line], [[0.0, count as f64], [0.0, 1.0]]);
        let rows = all.iter().zip(&places).zip(&found).map(|((object, place), found)| {
            let name = lab_word(i18n, "detect", &format!("classes.photographs.{}", object.class.min(PHOTOGRAPH_CLASSES.len() - 1)));
            let fit = best(&opened.boxes[..most.get().min(opened.boxes.len())], *place).map_or(0.0, |(_, overlap)| overlap);
            let after = match found {
                Some(after) => after.to_string(),
                None => t_string!(i18n, propose.never).to_string(),
            };
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td class="number">{format!("{fit:.2}")}</td>
                    <td class="number">{after}</td>
                </tr>
            }
        });
        let now = recall(&found, most.get());
        let label = t_string!(i18n, propose.recall_curve).to_string();
        view! {
            <p class="help" id="recall">{t_string!(i18n, propose.recall_now, most = most.get().min(opened.boxes.len()), share = format!("{:.0}", 100.0 * now)).to_string()}</p>
            <PlotView plot=Signal::stored(plot) label />
            <table id="recall-objects">
                <thead>
                    <tr>
                        <th scope="col">{t_string!(i18n, propose.object)}</th>
                        <th scope="col" class="number">{t_string!(i18n, propose.fit)}</th>
                        <th scope="col" class="number">{t_string!(i18n, propose.found_after)}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        }
        .into_any()
    }
}
