//! Controls of settings, made from the parameter table.

use leptos::prelude::*;

use super::state::use_state;
use super::text::{choice_label, param_help, param_label, use_i18n};
use crate::protocol::params::{
    Kind, Lab, Param, ROW_LIMIT, ROW_STEPS, Value, decimals, parse_color,
};

fn param(lab: Lab, name: &str) -> &'static Param {
    lab.params()
        .iter()
        .find(|param| param.name == name)
        .expect("a name from the table")
}

/// The control of one setting.
#[component]
pub fn Control(lab: Lab, name: &'static str) -> impl IntoView {
    match param(lab, name).kind {
        Kind::Number { .. } => view! { <Slider lab name /> }.into_any(),
        Kind::Choice(_) => view! { <Choice lab name /> }.into_any(),
        Kind::Color(_) => view! { <Color lab name /> }.into_any(),
        // A mixture has pictures to choose from, and the numbers of a row have names: the lab shows
        // them.
        Kind::Mix { .. } | Kind::Row { .. } => ().into_any(),
    }
}

/// Sliders for the numbers of a row; `label` names each.
#[component]
pub fn RowSliders(
    /// Whose setting.
    lab: Lab,
    /// Name of the setting.
    name: &'static str,
    /// Name of each number.
    #[prop(into)]
    label: Callback<(usize,), String>,
    /// Largest number, either way.
    #[prop(default = ROW_LIMIT)]
    reach: f32,
    /// How many of the numbers mean anything; all of them without it.
    #[prop(optional, into)]
    shown: Option<Signal<usize>>,
) -> impl IntoView {
    let state = use_state();
    let Kind::Row { of } = param(lab, name).kind else {
        return ().into_any();
    };
    let slider = move |index: usize| {
        let id = format!("{name}-{}", index + 1);
        let value = move || {
            state
                .settings(lab)
                .with(|settings| settings.row(name)[index])
        };
        let filled = move || format!("--filled:{:.1}%", (value() + reach) / (2.0 * reach) * 100.0);
        view! {
            <div class="control">
                <label for=id.clone()>{move || label.run((index,))}</label>
                <output for=id.clone()>{move || format!("{:+.2}", value())}</output>
                <input
                    type="range"
                    id=id
                    min=-reach
                    max=reach
                    step=1.0 / ROW_STEPS
                    style=filled
                    prop:value=move || value().to_string()
                    on:input:target=move |event| {
                        if let Ok(number) = event.target().value().parse::<f32>() {
                            state.set_in_row(lab, name, &[(index, number)]);
                        }
                    }
                />
            </div>
        }
    };
    (0..of)
        .map(|index| {
            let counts = move || shown.is_none_or(|shown| index < shown.get());
            view! { <Show when=counts>{slider(index)}</Show> }
        })
        .collect_view()
        .into_any()
}

#[component]
fn Slider(lab: Lab, name: &'static str) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let Kind::Number { min, max, step, .. } = param(lab, name).kind else {
        return ().into_any();
    };
    let value = move || state.settings(lab).with(|settings| settings.number(name));
    let shown = move || format!("{:.*}", decimals(step), value());
    let filled = move || format!("--filled:{:.1}%", (value() - min) / (max - min) * 100.0);
    view! {
        <div class="control">
            <label for=name>{move || param_label(i18n, name)}</label>
            <output for=name>{shown}</output>
            <input
                type="range"
                id=name
                min=min
                max=max
                step=step
                style=filled
                prop:value=shown
                on:input:target=move |event| {
                    if let Ok(number) = event.target().value().parse() {
                        state.set(lab, name, Value::Number(number));
                    }
                }
            />
            {move || param_help(i18n, name).map(|help| view! { <p class="help">{help}</p> })}
        </div>
    }
    .into_any()
}

#[component]
fn Choice(lab: Lab, name: &'static str) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let Kind::Choice(words) = param(lab, name).kind else {
        return ().into_any();
    };
    let buttons = words
        .iter()
        .enumerate()
        .map(|(index, word)| {
            let chosen = move || {
                state
                    .settings(lab)
                    .with(|settings| settings.choice(name) == *word)
            };
            view! {
                <label class="segment" class:chosen=chosen>
                    <input
                        type="radio"
                        name=name
                        value=*word
                        prop:checked=chosen
                        on:change=move |_| state.set(lab, name, Value::Choice(index))
                    />
                    <span>{move || choice_label(i18n, name, word)}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="segments">
            <legend>{move || param_label(i18n, name)}</legend>
            <div>{buttons}</div>
        </fieldset>
    }
    .into_any()
}

#[component]
fn Color(lab: Lab, name: &'static str) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let hex = move || {
        let [r, g, b] = state.settings(lab).with(|settings| settings.color(name));
        format!("#{r:02x}{g:02x}{b:02x}")
    };
    view! {
        <div class="control color">
            <label for=name>{move || param_label(i18n, name)}</label>
            <input
                type="color"
                id=name
                prop:value=hex
                on:input:target=move |event| {
                    if let Some(color) = parse_color(&event.target().value()) {
                        state.set(lab, name, Value::Color(color));
                    }
                }
            />
        </div>
    }
    .into_any()
}
