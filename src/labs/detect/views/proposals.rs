//! What a first step proposes: before and after suppression, the bins of a region, and what the heads made of it.

use leptos::prelude::*;

use super::super::families::{Family, Looks};
use super::super::spec::{BoxInImage, Detections, Proposals};
use super::pyramid::{Bins, Pyramid, chosen};
use super::{Opened, Shown, class_style, name_and_score, placement};
use crate::page::text::{I18n, t_string, use_i18n};

/// Which proposals are shown, and which one is open.
#[derive(Clone, Copy)]
pub struct Look {
    /// So many of the best.
    pub most: RwSignal<usize>,
    /// Suppressed ones, too.
    pub before: RwSignal<bool>,
    /// Position in the list.
    pub open: RwSignal<Option<usize>>,
    /// The surest first on the contact sheet.
    pub surest: RwSignal<bool>,
    /// Number of the run: a crop of another one is another crop.
    pub run: RwSignal<usize>,
    /// Which of its grids lies over the picture, where the visitor chose one.
    pub grid: RwSignal<Option<usize>>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            most: RwSignal::new(20),
            before: RwSignal::new(false),
            open: RwSignal::new(None),
            surest: RwSignal::new(false),
            run: RwSignal::new(0),
            grid: RwSignal::new(None),
        }
    }
}

/// Positions of the proposals that are shown, the best first.
fn listed(proposals: &Proposals, look: Look) -> Vec<usize> {
    let before = look.before.get();
    let all = proposals.all.iter().enumerate();
    let wanted = all.filter(|(_, of)| before || of.suppressed_by.is_none());
    wanted.map(|(at, _)| at).take(look.most.get()).collect()
}

/// What a proposal is called: a search knows no scores.
fn proposal_name(i18n: I18n, family: &Family, at: usize, score: f32) -> String {
    if family.looks.searches() {
        return t_string!(i18n, detect.proposal_searched, number = at + 1).to_string();
    }
    t_string!(i18n, detect.proposal_name, number = at + 1, score = format!("{score:.2}")).to_string()
}

/// How far an edge moves at most, in pixels.
pub fn shift(from: BoxInImage, to: BoxInImage) -> f32 {
    let edges = [from.x0 - to.x0, from.y0 - to.y0, from.x1 - to.x1, from.y1 - to.y1];
    edges.into_iter().map(f32::abs).fold(0.0, f32::max)
}

/// The box that the heads made of a region, the best where they made several.
fn made_of(detections: &Detections, region: usize) -> Option<usize> {
    let all = detections.candidates.iter();
    all.into_iter().position(|of| of.anchor == region)
}

/// The proposals over the picture. The open one shows its bins.
#[component]
pub fn Regions(opened: Opened, shown: Shown, look: Look) -> impl IntoView {
    let [width, height] = opened.size;
    let proposals = StoredValue::new(opened.inside.proposals.clone().unwrap_or_default());
    let i18n = use_i18n();
    let family = shown.family();
    let boxes = move || {
        let shown = proposals.with_value(|proposals| listed(proposals, look));
        let each = shown.into_iter().rev().map(|at| {
            let (style, gone, score) = proposals.with_value(|proposals| {
                let of = &proposals.all[at];
                let style = placement(of.box_in_image, width, height);
                (style, of.suppressed_by.is_some(), of.score)
            });
            let name = proposal_name(i18n, family, at, score);
            view! {
                <button
                    type="button"
                    class="box proposal"
                    class:gone=gone
                    class:lit=move || look.open.get() == Some(at)
                    class:dim=move || look.open.get().is_some_and(|open| open != at)
                    style=style
                    title=name.clone()
                    aria-label=name
                    on:click=move |_| look.open.update(|open| *open = if *open == Some(at) { None } else { Some(at) })
                ></button>
            }
        });
        each.collect_view()
    };
    let inside = move || {
        let at = look.open.get()?;
        let (drawn, region) = proposals.with_value(|proposals| {
            let of = proposals.all.get(at)?;
            let laid = chosen(proposals, of, look.grid.get());
            let drawn = laid.map(|laid| view! { <Bins opened=&opened proposals of laid /> });
            // Without a grid: what was read, such as a crop with its context.
            let whole = laid.is_none().then(|| {
                let covers = of.reads.first()?.covers;
                Some(view! { <div class="bins empty" style=placement(covers, width, height)></div> })
            });
            Some(((drawn, whole), of.region?))
        })?;
        let made = made_of(&shown.detections, region).map(|index| {
            let found = &shown.detections.candidates[index];
            let style = format!(
                "{};{}",
                placement(found.box_in_image, width, height),
                class_style(family, found.class)
            );
            view! { <div class="box lit" class:inside=found.box_in_image.y0 / height < 0.06 style=style><span>{name_and_score(i18n, family, found)}</span></div> }
        });
        Some(view! {
            {drawn}
            {made}
        })
    };
    view! { <div class="layer">{boxes}{inside}</div> }
}

/// The open one alone.
#[component]
pub fn OpenRegion(opened: Opened, look: Look) -> impl IntoView {
    let [width, height] = opened.size;
    let all = opened.inside.proposals.map(|of| of.all).unwrap_or_default();
    let boxes: Vec<_> = all.into_iter().map(|of| of.box_in_image).collect();
    move || {
        let open = boxes.get(look.open.get()?)?;
        Some(view! { <div class="box proposal lit" style=placement(*open, width, height)></div> })
    }
}

/// What became of the open one.
#[component]
pub fn RegionText(
    opened: Opened,
    shown: Shown,
    look: Look,
    /// Whether its bins are drawn.
    glows: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let family = shown.family();
    let size = opened.size;
    let proposals = opened.inside.proposals.unwrap_or_default();
    move || {
        let at = look.open.get()?;
        let of = proposals.all.get(at)?;
        let what = match (of.region, of.suppressed_by) {
            (Some(region), _) => {
                let first = of.reads.first();
                let map = first.and_then(|part| proposals.maps.get(part.map));
                let cells = map.map_or(0, |map| map.cells);
                let side = proposals.grids.first().and_then(|sides| sides.first()).copied().unwrap_or(0);
                let (warped, pyramid) = (family.looks == Looks::Crops, proposals.is_pyramid());
                let read = if warped {
                    t_string!(i18n, detect.proposal_warped).to_string()
                } else if pyramid {
                    t_string!(i18n, detect.proposal_pyramid, maps = proposals.grids.len(), bins = proposals.bins()).to_string()
                } else {
                    t_string!(i18n, detect.proposal_read, cells = cells, bins = side).to_string()
                };
                // Of a pyramid each map has its own.
                let shift = first.filter(|_| !warped && !pyramid).map_or(0.0, |part| {
                    shift(of.box_in_image, part.covers.clip(size[0], size[1]))
                });
                let shifted = (shift >= 0.5)
                    .then(|| t_string!(i18n, detect.proposal_shift, pixels = format!("{shift:.0}")).to_string());
                let glow = match (glows && side > 0, warped) {
                    (false, _) => None,
                    (true, true) => Some(t_string!(i18n, detect.glow_warped, cells = cells).to_string()),
                    (true, false) if pyramid => Some(t_string!(i18n, detect.glow_pyramid).to_string()),
                    (true, false) => Some(t_string!(i18n, detect.glow_bins).to_string()),
                };
                let made = match made_of(&shown.detections, region) {
                    Some(index) => t_string!(
                        i18n,
                        detect.proposal_made,
                        what = name_and_score(i18n, family, &shown.detections.candidates[index])
                    )
                    .to_string(),
                    None => t_string!(i18n, detect.proposal_nothing).to_string(),
                };
                [Some(read), shifted, glow, Some(made)].into_iter().flatten().collect::<Vec<_>>().join(" ")
            }
            (None, Some(by)) => t_string!(i18n, detect.proposal_gone, by = by + 1).to_string(),
            (None, None) => t_string!(i18n, detect.proposal_late).to_string(),
        };
        Some(view! {
            <h3>{proposal_name(i18n, family, at, of.score)}</h3>
            <p class="help" id="proposal">{what}</p>
        })
    }
}

/// How many there are, which are shown, and what became of the open one.
#[component]
pub fn RegionPanel(opened: Opened, shown: Shown, look: Look) -> impl IntoView {
    let i18n = use_i18n();
    let Some(proposals) = &opened.inside.proposals else {
        return view! { <p class="help">{t_string!(i18n, detect.proposals_none)}</p> }.into_any();
    };
    let all = proposals.all.len();
    let kept = proposals.all.iter().filter(|of| of.region.is_some()).count();
    let family = shown.family();
    view! {
        <p class="help" id="proposals">{if family.looks.searches() {
            t_string!(i18n, detect.proposals_searched, count = kept).to_string()
        } else {
            t_string!(i18n, detect.proposals_text, all = all, kept = kept).to_string()
        }}</p>
        <div class="control">
            <label for="proposals-most">{t_string!(i18n, detect.proposals_most)}</label>
            <output for="proposals-most">{move || look.most.get().min(all)}</output>
            <input
                type="range"
                id="proposals-most"
                min="1"
                max=all.max(1)
                prop:value=move || look.most.get().min(all)
                style=move || format!("--filled:{}%", 100 * look.most.get().min(all) / all.max(1))
                on:input:target=move |event| look.most.set(event.target().value().parse().unwrap_or(20))
            />
        </div>
        {(!family.looks.searches()).then(|| view! {
            <label class="check">
                <input type="checkbox" id="proposals-before" prop:checked=move || look.before.get() on:change:target=move |event| look.before.set(event.target().checked()) />
                {t_string!(i18n, detect.proposals_before)}
            </label>
        })}
        <RegionText opened=opened.clone() shown look glows=true />
        <Pyramid opened look />
    }
    .into_any()
}
