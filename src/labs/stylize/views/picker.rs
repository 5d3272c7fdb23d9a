//! The styles to choose from: one, or a mixture.

use leptos::prelude::*;

use super::paintings;
use super::tiles::tile_position;
use crate::labs::stylize::paintings::BUILT_IN;
use crate::labs::stylize::spec::{LAB, NAMES, STYLES};
use crate::page::terms::Hot;
use crate::page::state::{State, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::page::words::setting_label;
use crate::protocol::param::{Mix, Value, only};

/// The weight of each style as it is set.
fn mix(state: State) -> Mix {
    let settings = state.settings(&LAB);
    match settings.with(|settings| settings.get(NAMES.style).clone()) {
        Value::Mix(mix) => mix,
        other => panic!("{other:?} is no mixture"),
    }
}

/// How many styles are chosen.
fn count(state: State) -> usize {
    mix(state).iter().filter(|&&weight| weight > 0).count()
}

/// The styles that are chosen.
#[derive(Clone, Copy)]
struct Styles {
    state: State,
    /// Whether several can be chosen.
    mixing: RwSignal<bool>,
}

impl Styles {
    /// Whether it is painted after these, and not after a picture.
    fn built_in(self) -> bool {
        paintings::source(self.state, &LAB) == BUILT_IN
    }

    /// Choosing a built-in style is choosing not to paint after a picture.
    fn set(self, mix: Mix) {
        let style = (NAMES.style, Value::Mix(mix));
        self.state
            .set_all(&LAB, &[style, (NAMES.source, Value::Choice(0))]);
    }

    fn choose(self, index: usize) {
        if !self.mixing.get_untracked() || !self.built_in() {
            return self.set(only(index));
        }
        let mut changed = mix(self.state);
        changed[index] = if changed[index] > 0 { 0 } else { 100 };
        // The last one stays: a mixture of nothing is no picture.
        if changed.iter().any(|&weight| weight > 0) {
            self.set(changed);
        }
    }

    fn weigh(self, index: usize, weight: u8) {
        let mut changed = mix(self.state);
        changed[index] = weight;
        self.set(changed);
    }

    fn set_mixing(self, mixes: bool) {
        self.mixing.set(mixes);
        if !mixes {
            let mix = mix(self.state);
            let largest = (0..STYLES).max_by_key(|&index| (mix[index], STYLES - index));
            self.set(only(largest.unwrap_or(0)));
        }
    }
}

/// The styles as tiles: one of them, or several with a weight each.
#[component]
pub fn StylePicker() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let mixing = RwSignal::new(count(state) > 1);
    let styles = Styles { state, mixing };
    // A link may bring a mixture while the page is open.
    Effect::new(move |_| {
        if count(state) > 1 {
            mixing.set(true);
        }
    });
    let tiles = (0..STYLES)
        .map(|index| {
            let chosen = move || styles.built_in() && mix(state)[index] > 0;
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
                    on:click=move |_| styles.choose(index)
                >
                    <span class="number" aria-hidden="true">{index}</span>
                </button>
            }
        })
        .collect_view();
    let sliders = move || {
        let shown = mixing.get() && styles.built_in() && count(state) > 1;
        shown.then(|| {
            let mix = mix(state);
            (0..STYLES)
                .filter(|&index| mix[index] > 0)
                .map(|index| view! { <Weight styles index weight=mix[index] /> })
                .collect_view()
        })
    };
    view! {
        <section class="panel" id="styles" class:lit=Hot::is(NAMES.style)>
            <div class="row spread">
                <h2>{move || setting_label(i18n, LAB.name, NAMES.style)}</h2>
                <label class="check">
                    <input
                        type="checkbox"
                        id="mixing"
                        prop:checked=move || mixing.get()
                        on:change:target=move |event| styles.set_mixing(event.target().checked())
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
fn Weight(styles: Styles, index: usize, weight: u8) -> impl IntoView {
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
                on:change=move |_| styles.weigh(index, value.get_untracked())
            />
        </div>
    }
}
