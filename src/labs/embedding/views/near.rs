//! The nearest pictures of one, by features and by pixels.

use leptos::prelude::*;

use super::map::SHEET;
use crate::labs::embedding::page::Results;
use crate::labs::embedding::spec::{COLUMNS, Near, SIDE, shipped};
use crate::page::canvas::Still;
use crate::page::terms::Hot;
use crate::page::text::{t_string, use_i18n};

/// The nearest pictures, each a button that goes on from there.
#[component]
pub fn Neighbours(
    /// What is shown.
    shown: Results,
    /// The picture that was clicked.
    chosen: RwSignal<Option<usize>>,
    /// Its neighbours, once they are known.
    near: RwSignal<Option<Near>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let row = move |title: String, space: &'static str, pick: fn(&Near) -> &Vec<(usize, f32)>| {
        let pictures = near.with(|near| near.as_ref().map(|near| pick(near).clone())).unwrap_or_default();
        let pictures = pictures.into_iter().map(|(index, distance)| {
            view! {
                <li>
                    <button type="button" class="thumb" data-index=index.to_string() on:click=move |_| chosen.set(Some(index))>
                        <Thumb shown index />
                        <span>{format!("{distance:.2}")}</span>
                    </button>
                </li>
            }
        });
        view! { <h3>{title}</h3><ul class="thumbs" data-space=space>{pictures.collect_view()}</ul> }
    };
    let found = move || {
        let index = near.with(|near| near.as_ref().map(|near| near.of))?;
        Some(view! {
            <div class="thumbs"><Thumb shown index /></div>
            {row(t_string!(i18n, embedding.by_features).to_string(), "features", |near| &near.features)}
            {row(t_string!(i18n, embedding.by_pixels).to_string(), "pixels", |near| &near.pixels)}
        })
    };
    view! {
        <section class="panel" id="near" class:lit=Hot::is("neighbours") data-term="neighbours">
            <h2>{move || t_string!(i18n, embedding.near)}</h2>
            <Show when=move || near.with(Option::is_some) fallback=move || view! { <p class="help">{t_string!(i18n, embedding.near_empty)}</p> }>
                {found}
            </Show>
        </section>
    }
}

/// A picture of the map by itself.
#[component]
fn Thumb(shown: Results, index: usize) -> impl IntoView {
    if index < shipped() {
        let rows = shipped().div_ceil(COLUMNS);
        let along = |place: usize, count: usize| place as f64 * 100.0 / (count - 1) as f64;
        let style = format!(
            "background-image:url({SHEET});background-size:{}% {}%;background-position:{:.4}% {:.4}%",
            COLUMNS * 100,
            rows * 100,
            along(index % COLUMNS, COLUMNS),
            along(index / COLUMNS, rows)
        );
        return view! { <span class="picture" style=style></span> }.into_any();
    }
    let each = SIDE * SIDE * 4;
    let start = (index - shipped()) * each;
    let rgba = shown.with_untracked(|shown| Some(shown.as_ref()?.own.slice(start as u32, (start + each) as u32)));
    rgba.filter(|rgba| rgba.length() as usize == each)
        .map(|rgba| view! { <Still rgba width=SIDE as u32 height=SIDE as u32 /> })
        .into_any()
}
