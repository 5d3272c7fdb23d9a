//! The styles to choose from: one, or a mixture.

use leptos::prelude::*;

use super::paintings;
use super::tiles::tile_position;
use crate::labs::stylize::paintings::BUILT_IN;
use crate::labs::stylize::spec::{LAB, NAMES, STYLES};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::page::words::{setting_label};
use crate::protocol::param::{Value, only};

/// The styles as tiles: one of them, or several with a weight each.
#[component]
pub fn StylePicker() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let mix = move || match state
        .settings(&LAB)
        .with(|settings| settings.get(NAMES.style).clone())
    {
        Value::Mix(mix) => mix,
        other => panic!("{other:?} is no mixture"),
    };
    let built_in = move || paintings::source(state, &LAB) == BUILT_IN;
    let count = move || mix().iter().filter(|&&weight| weight > 0).count();
    let mixing = RwSignal::new(count() > 1);
    // A link may bring a mixture while the page is open.
    Effect::new(move |_| {
        if count() > 1 {
            mixing.set(true);
        }
    });
    // Choosing a built-in style is choosing not to paint after a picture.
    let set = move |mix| {
        let style = (NAMES.style, Value::Mix(mix));
        state.set_all(&LAB, &[style, (NAMES.source, Value::Choice(0))]);
    };
    let choose = move |index: usize| {
        if !mixing.get_untracked() {
            return set(only(index));
        }
        if !built_in() {
            return set(only(index));
        }
        let mut changed = mix();
        changed[index] = if changed[index] > 0 { 0 } else { 100 };
        // The last one stays: a mixture of nothing is no picture.
        if changed.iter().any(|&weight| weight > 0) {
            set(changed);
        }
    };
    let stop_mixing = move |mixes: bool| {
        mixing.set(mixes);
        if !mixes {
            let largest = (0..STYLES).max_by_key(|&index| (mix()[index], STYLES - index));
            set(only(largest.unwrap_or(0)));
        }
    };
    let tiles = (0..STYLES)
        .map(|index| {
            let chosen = move || built_in() && mix()[index] > 0;
            let position = tile_position(index);
            view! {
                <button
                    type="button"
                    class="style-tile"
                    data-style=index
                    aria-pressed=move || chosen().to_string()
                    aria-label=move || t_string!(i18n, stylize.style_number, n = index).to_string()
                    title=move || t_string!(i18n, stylize.style_number, n = index).to_string()
                    style=format!("background-position:{position}")
                    on:click=move |_| choose(index)
                >
                    <span class="number" aria-hidden="true">{index}</span>
                </button>
            }
        })
        .collect_view();
    let sliders = move || {
        let shown = mixing.get() && built_in() && count() > 1;
        shown.then(|| {
            (0..STYLES)
                .filter(|&index| mix()[index] > 0)
                .map(|index| {
                    view! { <Weight index weight=mix()[index] on_change=move |weight| {
                        let mut changed = mix();
                        changed[index] = weight;
                        set(changed);
                    } /> }
                })
                .collect_view()
        })
    };
    view! {
        <section class="panel" id="styles">
            <div class="row spread">
                <h2>{move || setting_label(i18n, LAB.name, NAMES.style)}</h2>
                <label class="check">
                    <input
                        type="checkbox"
                        id="mixing"
                        prop:checked=move || mixing.get()
                        on:change:target=move |event| stop_mixing(event.target().checked())
                    />
                    <span>{move || t_string!(i18n, stylize.style_mix)}</span>
                </label>
            </div>
            <div class="style-tiles">{tiles}</div>
            {sliders}
            <p class="help">{move || if mixing.get() { t_string!(i18n, stylize.style_mix_help) } else { t_string!(i18n, stylize.style_help) }}</p>
        </section>
    }
}

/// The weight of one style of a mixture; acts when it is let go, because the network runs again.
#[component]
fn Weight(index: usize, weight: u8, on_change: impl Fn(u8) + 'static) -> impl IntoView {
    let i18n = use_i18n();
    let value = RwSignal::new(weight);
    let id = format!("weight-{index}");
    view! {
        <div class="control">
            <label for=id.clone()>{move || t_string!(i18n, stylize.style_number, n = index).to_string()}</label>
            <output for=id.clone()>{move || value.get()}</output>
            <input
                type="range"
                id=id
                min="1"
                max="100"
                prop:value=move || value.get()
                style=move || format!("--filled:{}%", value.get())
                on:input:target=move |event| value.set(event.target().value().parse().unwrap_or(weight))
                on:change=move |_| on_change(value.get_untracked())
            />
        </div>
    }
}
