//! The class by every method, side by side.

use leptos::prelude::*;
use strum::VariantArray;

use crate::labs::explain::page::{MapCanvas, Shown};
use crate::labs::explain::spec::{LAB, Method, NAMES, Question};
use crate::page::engine;
use crate::page::latest::{Latest, Standing};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::page::words::choice_label;

/// The maps, and the button that makes them one after the other.
#[component]
pub fn ComparePanel() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let latest = Latest::new(state.engine);
    let maps = RwSignal::new_local(Vec::<Shown>::new());
    // How many are to come, and of which settings they are.
    let wanted = RwSignal::new(0usize);
    // Another picture, class or setting makes them those of something else.
    Effect::new(move |_| {
        state.desk(&LAB).answer.track();
        maps.set(Vec::new());
        wanted.set(0);
    });
    Effect::new(move |_| {
        let (made, wanted) = (maps.with(Vec::len), wanted.get());
        if made < wanted {
            let settings = state.settings(&LAB).get_untracked();
            let question = engine::Question::new(&Question::By(made), &settings);
            latest.ask("method", question, move |says| {
                if let Some(map) = Shown::read(&says)
                    && untrack(|| maps.with(Vec::len)) == made
                {
                    maps.update(|maps| maps.push(map));
                }
            });
        }
    });
    let source = move || state.source.with(|source| source.as_ref().map(|source| source.url.clone()));
    let shown = move || {
        let url = source()?;
        let all = maps.get().into_iter().zip(Method::VARIANTS).map(|(map, method)| {
            let word: &'static str = method.into();
            let label = choice_label(i18n, LAB.name, NAMES.method, word);
            let [width, height] = map.answer.seen;
            view! {
                <li data-method=word>
                    <span class="overlaid" style=format!("aspect-ratio:{width}/{height}")>
                        <img src=url.clone() alt="" />
                        <MapCanvas shown=map />
                    </span>
                    <span>{label}</span>
                </li>
            }
        });
        Some(view! { <ul class="pins methods">{all.collect_view()}</ul> })
    };
    let nothing = move || source().is_none() || state.desk(&LAB).answer.with(Option::is_none);
    let is_busy = move || latest.busy.get() && wanted.get() > 0;
    view! {
        <section class="panel" id="compare-methods">
            <div class="row">
                <h2>{move || t_string!(i18n, explain.compare)}</h2>
                <button
                    type="button"
                    class="button quiet"
                    id="all-methods"
                    disabled=move || nothing() || is_busy()
                    on:click=move |_| {
                        maps.set(Vec::new());
                        wanted.set(Method::VARIANTS.len());
                    }
                >
                    {move || t_string!(i18n, explain.compare_all)}
                </button>
            </div>
            <p class="help">{move || t_string!(i18n, explain.compare_help)}</p>
            <Standing latest />
            {shown}
        </section>
    }
}
