//! The contact sheet: every box that the heads looked at, with what they say of it.

use leptos::prelude::*;

use super::super::families::{FAMILIES, Looks};
use super::super::spec::BoxInImage;
use super::proposals::Look;
use super::{Opened, class_name, class_style, margin, said};
use crate::page::text::{t_string, use_i18n};

/// Where the picture lies behind a crop that it fills with this part.
fn behind(part: BoxInImage, [width, height]: [f32; 2]) -> String {
    let [w, h] = [part.x1 - part.x0, part.y1 - part.y0].map(|side| side.max(1.0));
    let [left, top, across, down] =
        [-part.x0 / w, -part.y0 / h, width / w, height / h].map(|share| share * 100.0);
    format!("left:{left:.2}%;top:{top:.2}%;width:{across:.2}%;height:{down:.2}%")
}

/// See above. A click opens a box; the likeliest of the search come first, or the surest of the heads.
#[component]
pub fn ContactSheet(
    /// The last run, or as far as it is.
    opened: RwSignal<Option<Opened>, LocalStorage>,
    look: Look,
    /// Address of the picture.
    picture: Signal<Option<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    // Number of each region and what its best class scores, in the order of the sheet.
    let order = move || -> Vec<usize> {
        opened.with(|opened| {
            let Some(opened) = opened.as_ref().filter(|of| FAMILIES[of.family].looks.searches()) else {
                return Vec::new();
            };
            let mut regions: Vec<usize> = (0..opened.regions()).collect();
            if look.surest.get() {
                regions.sort_by(|&a, &b| opened.best(b).1.total_cmp(&opened.best(a).1));
            }
            regions
        })
    };
    // A crop says the same as long as it is of the same run.
    let run = Memo::new(move |_| opened.with(|opened| opened.as_ref().map(|of| of.family)));
    let crop = move |region: usize| {
        let of_region = opened.with_untracked(|opened| {
            let opened = opened.as_ref()?;
            // What lies around a crop belongs to it; what rounding to cells adds does not.
            let family = FAMILIES[opened.family];
            let of = opened.inside.proposals.as_ref()?.all.get(region)?;
            let crop = of.reads.first().filter(|_| family.looks == Looks::Crops);
            let part = crop.map_or(of.box_in_image, |crop| crop.covers);
            Some((family, behind(part, opened.size)))
        });
        let (family, style) = of_region?;
        // Scores may change as more boxes are looked at, and words with the language.
        let best = Memo::new(move |_| opened.with(|opened| opened.as_ref().map_or((0, 0.0), |opened| opened.best(region))));
        // There is little room under a crop.
        let brief = move || {
            let (class, score) = best.get();
            match family.margins {
                true => format!("{} {:+.1}", class_name(i18n, family, class), margin(score)),
                false => said(i18n, family, class, score),
            }
        };
        let name = move || {
            let (class, score) = best.get();
            let words = said(i18n, family, class, score);
            format!("{}: {words}", t_string!(i18n, detect.proposal_searched, number = region + 1))
        };
        let address = picture.get_untracked();
        Some(view! {
            <button
                type="button"
                class="crop"
                class:low=move || best.get().1 < family.thresholds.score
                class:lit=move || look.open.get() == Some(region)
                style=move || class_style(family, best.get().0)
                title=name
                aria-label=name
                on:click=move |_| look.open.update(|open| *open = if *open == Some(region) { None } else { Some(region) })
            >
                <span class="window"><img src=address alt="" style=style decoding="async" /></span>
                <span class="says">{brief}</span>
            </button>
        })
    };
    view! {
        <section class="panel" id="sheet">
            {move || {
                let count = order().len();
                match run.get() {
                    None => ().into_any(),
                    Some(of) if !FAMILIES[of].looks.searches() => view! { <p class="help">{t_string!(i18n, detect.sheet_none)}</p> }.into_any(),
                    Some(_) => view! {
                        <p class="help">{t_string!(i18n, detect.sheet_text, count = count).to_string()}</p>
                        <label class="check">
                            <input type="checkbox" id="sheet-surest" prop:checked=move || look.surest.get() on:change:target=move |event| look.surest.set(event.target().checked()) />
                            {t_string!(i18n, detect.sheet_surest)}
                        </label>
                    }
                    .into_any(),
                }
            }}
            <div class="crops">
                <For each=move || { let run = look.run.get(); order().into_iter().map(move |region| (run, region)).collect::<Vec<_>>() } key=|of| *of children=move |(_, region)| crop(region) />
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_shows_its_part_of_the_picture() {
        let part = BoxInImage { x0: 50.0, y0: -10.0, x1: 150.0, y1: 40.0 };
        // 400 by 100 pixels: four crops wide, two high; the part begins half a crop to the right, a fifth above.
        assert_eq!(behind(part, [400.0, 100.0]), "left:-50.00%;top:20.00%;width:400.00%;height:200.00%");
    }
}
