//! The grids into which a region is pooled: one over the picture, and in the panel all of a pyramid, beside RoI pooling's.

use leptos::prelude::*;

use super::super::spec::{Laid, Proposal, Proposals};
use super::cells::heat;
use super::proposals::{Look, shift};
use super::{Opened, placement};
use crate::maths::boxes::Corners;
use crate::page::text::{I18n, t_string, use_i18n};

/// The grid of a proposal that lies over the picture: the visitor's choice, or the finest of the finest map.
pub fn chosen(proposals: &Proposals, of: &Proposal, choice: Option<usize>) -> Option<Laid> {
    let finest = proposals.grids.first()?.len().checked_sub(1)?;
    let laid = proposals.laid(of);
    laid.get(choice.unwrap_or(finest)).or(laid.get(finest)).copied()
}

/// The bins of a grid in percent of what it covers, glowing on one scale for all grids of a map; empty where nothing was pooled
/// into them.
fn bins(opened: &Opened, proposals: &Proposals, of: &Proposal, laid: Laid) -> impl IntoView + use<> {
    let (side, step) = (laid.side, 100.0 / laid.side as f32);
    let values = of.region.map_or(&[][..], |region| opened.bins(region));
    let of_map = proposals.laid(of).into_iter().filter(|other| other.part.map == laid.part.map);
    let of_map = of_map.filter_map(|other| values.get(other.first?..other.first? + other.side * other.side));
    let of_map: Vec<f32> = of_map.flatten().copied().collect();
    // Features may be negative: what glows least is nothing, or the least of them.
    let least = of_map.iter().copied().fold(0.0, f32::min);
    let most = of_map.iter().copied().fold(least + 1e-6, f32::max);
    let each = (0..side * side).map(|bin| {
        let value = laid.first.and_then(|first| values.get(first + bin));
        let heat = value.map(|value| format!(";--heat:{}", heat((value - least) / (most - least)))).unwrap_or_default();
        let (left, top) = ((bin % side) as f32 * step, (bin / side) as f32 * step);
        view! { <i style=format!("left:{left:.2}%;top:{top:.2}%;width:{step:.2}%;height:{step:.2}%{heat}")></i> }
    });
    each.collect_view()
}

/// A grid over the picture, with the cells of its map.
#[component]
pub fn Bins<'a>(opened: &'a Opened, proposals: &'a Proposals, of: &'a Proposal, laid: Laid) -> impl IntoView + use<> {
    let [width, height] = opened.size;
    let map = proposals.maps.get(laid.part.map);
    let cells = map.and_then(|map| map.step).map(|[across, down]| {
        let [across, down] = [across / width, down / height].map(|share| 100.0 * share);
        view! { <div class="map-cells" style=format!("background-size:{across:.3}% {down:.3}%")></div> }
    });
    view! {
        {cells}
        <div class="bins" class:empty=laid.first.is_none() style=placement(laid.part.covers, width, height)>
            {bins(opened, proposals, of, laid)}
        </div>
    }
}

/// The shape of a part, as large as a square holds it.
fn window(covers: Corners) -> String {
    let [width, height] = [covers.x1 - covers.x0, covers.y1 - covers.y0].map(|side| side.max(1.0));
    let most = width.max(height);
    format!("width:{:.1}%;height:{:.1}%", 100.0 * width / most, 100.0 * height / most)
}

/// What a grid is called.
fn name(i18n: I18n, laid: Laid) -> String {
    match laid.first {
        Some(_) => format!("{side} x {side}", side = laid.side),
        None => t_string!(i18n, detect.grid_roi, side = laid.side).to_string(),
    }
}

/// How far rounding moved an edge of a region inside the picture, in pixels.
fn moved(opened: &Opened, of: &Proposal, laid: Laid) -> f32 {
    let [width, height] = opened.size;
    shift(of.box_in_image, laid.part.covers.clip(width, height))
}

/// How the cells of its map are shared among the bins of a grid.
fn shares(i18n: I18n, opened: &Opened, proposals: &Proposals, of: &Proposal, laid: Laid) -> Option<String> {
    let side = laid.side;
    let [columns, rows] = proposals.maps.get(laid.part.map)?.cells_in(laid.part.covers)?;
    let covers = t_string!(
        i18n,
        detect.grid_covers,
        name = name(i18n, laid),
        columns = columns,
        rows = rows,
        pixels = format!("{:.0}", moved(opened, of, laid))
    )
    .to_string();
    let uneven = columns % side != 0 || rows % side != 0;
    let shared = uneven.then(|| t_string!(i18n, detect.grid_shared).to_string());
    Some([Some(covers), shared].into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// All grids of the open proposal, where it was read as a pyramid; a click lays one over the picture.
#[component]
pub fn Pyramid(opened: Opened, look: Look) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let proposals = opened.inside.proposals.as_ref().filter(|of| of.is_pyramid())?;
        let of = proposals.all.get(look.open.get()?)?;
        let laid = proposals.laid(of);
        let over = chosen(proposals, of, look.grid.get())?;
        let figures = laid.iter().enumerate().map(|(number, &laid)| {
            let map = proposals.maps.get(laid.part.map)?;
            let [columns, rows] = map.cells_in(laid.part.covers)?;
            let (name, on) = (name(i18n, laid), t_string!(i18n, detect.grid_map, cells = map.cells).to_string());
            let cells = format!("background-size:{:.3}% {:.3}%", 100.0 / columns as f32, 100.0 / rows as f32);
            Some(view! {
                <button
                    type="button"
                    class="grid-figure"
                    class:lit=laid == over
                    aria-pressed=(laid == over).to_string()
                    aria-label=format!("{name}, {on}")
                    on:click=move |_| look.grid.set(Some(number))
                >
                    <span class="well"><span class="window" class:empty=laid.first.is_none() style=window(laid.part.covers)>
                        {bins(&opened, proposals, of, laid)}
                        <span class="map-cells" style=cells></span>
                    </span></span>
                    <span class="says">{name.clone()}<small>{on.clone()}</small></span>
                </button>
            })
        });
        let beside = laid.iter().find(|laid| laid.first.is_none()).map(|roi| {
            let cells = proposals.maps.get(roi.part.map).map_or(0, |map| map.cells);
            let pixels = format!("{:.0}", moved(&opened, of, *roi));
            t_string!(i18n, detect.pyramid_roi, side = roi.side, cells = cells, pixels = pixels).to_string()
        });
        Some(view! {
            <div class="grid-figures" id="pyramid">{figures.collect_view()}</div>
            <p class="help" id="grid">{shares(i18n, &opened, proposals, of, over)}</p>
            <p class="help" id="roi">{beside}</p>
        })
    }
}
