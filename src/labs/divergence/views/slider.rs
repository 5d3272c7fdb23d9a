//! Sliders that write into the row of a setting.

use leptos::prelude::*;

use crate::labs::divergence::spec::LAB;
use crate::page::state::{State, use_state};
use crate::protocol::param::ROW_STEPS;
use crate::protocol::settings::Numbers;

/// A setting that is a row of numbers, each of which says how far something is from its default.
#[derive(Clone, Copy)]
pub struct Row {
    /// Name of the setting.
    pub name: &'static str,
    /// What the ids of its sliders begin with.
    pub id: &'static str,
    /// What there is before the visitor moves it.
    pub defaults: &'static [f64],
    /// How much a number of one adds.
    pub unit: f64,
}

impl Row {
    /// What one of the numbers stands for.
    pub fn value(self, numbers: &Numbers, index: usize) -> f64 {
        self.defaults[index] + f64::from(numbers.0[index]) * self.unit
    }

    /// Writes what one of the numbers stands for.
    pub fn set(self, state: State, index: usize, value: f64) {
        let number = ((value - self.defaults[index]) / self.unit) as f32;
        state.set_in_row(&LAB, self.name, &[(index, number)]);
    }
}

/// A slider for one number of a row.
#[component]
pub fn RowSlider(
    /// The row.
    row: Row,
    /// Which number.
    index: usize,
    /// Smallest and largest value.
    ends: [f64; 2],
    /// What the number is called.
    #[prop(into)]
    label: Signal<String>,
    /// What it stands for now.
    #[prop(into)]
    value: Signal<f64>,
    /// How that is said; with two digits without it.
    #[prop(optional, into)]
    told: Option<Signal<String>>,
) -> impl IntoView {
    let state = use_state();
    let id = format!("{}-{index}", row.id);
    let told = move || told.map_or_else(|| format!("{:.2}", value.get()), |told| told.get());
    view! {
        <div class="control">
            <label for=id.clone()>{label}</label>
            <output for=id.clone()>{told}</output>
            <input
                type="range"
                id=id
                min=ends[0]
                max=ends[1]
                step=row.unit / f64::from(ROW_STEPS)
                prop:value=move || value.get().to_string()
                on:input:target=move |event| {
                    if let Ok(value) = event.target().value().parse() {
                        row.set(state, index, value);
                    }
                }
            />
        </div>
    }
}
