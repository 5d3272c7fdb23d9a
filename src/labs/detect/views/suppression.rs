//! Which box suppressed which, or was merged into which.

use leptos::prelude::*;

use super::{Shown, class_style, color, name_and_score, placement};
use crate::page::text::{t_string, use_i18n};

/// Every candidate: kept ones solid, suppressed and merged ones dashed, with a line to what suppressed them or to what they were
/// merged into.
#[component]
pub fn Suppression(
    shown: Shown,
    highlight: RwSignal<Option<usize>>,
    /// How many boxes were looked at, by falling score; all where none is said.
    steps: RwSignal<Option<usize>>,
) -> impl IntoView {
    let family = shown.family();
    let Shown {
        detections,
        width,
        height,
        ..
    } = shown;
    let all = StoredValue::new(detections.candidates.clone());
    let lines = detections
        .candidates
        .iter()
        .enumerate()
        .filter_map(|(index, found)| {
            let by = &detections.candidates[found.suppressed_by?];
            let [a, b] = [found, by].map(|c| c.box_in_image.centre_size());
            let (x1, y1, x2, y2) = (a.cx, a.cy, b.cx, b.cy);
            Some(view! {
                <line class:hidden=move || steps.get().is_some_and(|steps| index >= steps) class:lit=move || highlight.get() == Some(index) x1=x1 y1=y1 x2=x2 y2=y2 stroke=color(family, found.class)></line>
            })
        })
        .collect_view();
    let boxes = detections
        .candidates
        .iter()
        .enumerate()
        .rev() // the strongest on top
        .map(|(index, found)| {
            let gone = found.suppressed_by.is_some();
            let lit = move || {
                highlight.get().is_some_and(|lit| {
                    lit == index
                        || all.with_value(|all| {
                            all.get(lit).and_then(|c| c.suppressed_by) == Some(index)
                        })
                })
            };
            let style = format!(
                "{};{}",
                placement(found.box_in_image, width, height),
                class_style(family, found.class)
            );
            let late = move || steps.get().is_some_and(|steps| index >= steps);
            view! { <div class="box" class:gone=gone class:lit=lit class:hidden=late style=style></div> }
        })
        .collect_view();
    view! {
        <div class="layer">{boxes}</div>
        <svg class="layer lines" viewBox=format!("0 0 {width} {height}") preserveAspectRatio="none" aria-hidden="true">{lines}</svg>
    }
}

/// Which box suppressed which, as a list.
#[component]
pub fn SuppressionList(
    shown: RwSignal<Option<Shown>>,
    highlight: RwSignal<Option<usize>>,
    /// See [`Suppression`].
    steps: RwSignal<Option<usize>>,
) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let shown = shown.get()?;
        let family = shown.family();
        let detections = shown.detections;
        let (all, kept) = (detections.candidates.len(), detections.kept().count());
        let text = match family.merges() {
            // What boxes were merged into was not there before.
            true => t_string!(i18n, detect.merged_text, all = all - detections.merged(family).len(), kept = kept).to_string(),
            false => t_string!(i18n, detect.suppressed_text, all = all, kept = kept).to_string(),
        };
        let none = match family.merges() {
            true => t_string!(i18n, detect.merged_none),
            false => t_string!(i18n, detect.suppressed_none),
        };
        let rows = detections
            .candidates
            .iter()
            .enumerate()
            .filter_map(|(index, found)| {
                let by = &detections.candidates[found.suppressed_by?];
                let overlap = format!("{:.2}", found.overlap);
                let reason = match family.merges() {
                    true => t_string!(i18n, detect.merged_into, overlap = overlap).to_string(),
                    false => t_string!(i18n, detect.suppressed_by, overlap = overlap).to_string(),
                };
                Some(view! {
                    <li
                        tabindex="0"
                        class:lit=move || highlight.get() == Some(index)
                        on:mouseenter=move |_| highlight.set(Some(index))
                        on:mouseleave=move |_| highlight.set(None)
                        on:focus=move |_| highlight.set(Some(index))
                        on:blur=move |_| highlight.set(None)
                    >
                        <b>{name_and_score(i18n, family, found)}</b>
                        " "
                        {reason}
                        " "
                        <b>{name_and_score(i18n, family, by)}</b>
                    </li>
                })
            })
            .collect_view();
        Some(view! {
            <p class="help">{text}</p>
            // Merging goes by what matches best, not by scores.
            <div class="control" class:gone=family.merges()>
                <label for="nms-step">{t_string!(i18n, detect.suppressed_step)}</label>
                <output for="nms-step">{move || format!("{} / {all}", steps.get().unwrap_or(all).min(all))}</output>
                <input
                    type="range"
                    id="nms-step"
                    min="0"
                    max=all
                    prop:value=move || steps.get().unwrap_or(all).min(all)
                    style=move || format!("--filled:{}%", 100 * steps.get().unwrap_or(all).min(all) / all.max(1))
                    on:input:target=move |event| {
                        let step = event.target().value().parse().unwrap_or(all);
                        steps.set((step < all).then_some(step));
                        // The box that was looked at last.
                        highlight.set(step.checked_sub(1).filter(|_| step < all));
                    }
                />
            </div>
            {(all == kept).then(|| view! { <p class="quiet">{none}</p> })}
            <ol class="suppressions" id="suppressions">{rows}</ol>
        })
    }
}
