//! Controls of settings, made from the parameter table.

use leptos::prelude::*;

use super::state::use_state;
use super::terms::Hot;
use super::text::{t_string, use_i18n};
use super::words::{choice_label, lab_word, setting_help, setting_label};
use crate::protocol::lab::LabSpec;
use crate::protocol::param::{
    Kind, Param, ROW_LIMIT, ROW_STEPS, TEXT_MAX, Value, decimals, parse_color,
};
use crate::protocol::settings::numbers;

/// Words that a search shows at most.
const FOUND: usize = 8;

fn param(lab: &LabSpec, name: &str) -> &'static Param {
    lab.param(name).expect("a name from the table")
}

/// Reads one value of a lab's settings.
fn value_of<T>(lab: &LabSpec, name: &str, read: impl FnOnce(&Value) -> T) -> T {
    use_state()
        .settings(lab)
        .with(|settings| read(settings.get(name)))
}

/// The controls of a group of a lab's table, in a panel, as far as the other settings show them. Nothing
/// where none is shown.
#[component]
pub fn Panel(
    /// Whose settings.
    lab: &'static LabSpec,
    /// The group.
    group: &'static str,
    /// What belongs to them, below.
    #[prop(optional)]
    children: Option<ChildrenFn>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(lab);
    let rows = move || lab.params.iter().filter(move |param| param.group == group);
    let is_shown = move |param: &'static Param| settings.with(|settings| settings.shows(param));
    let any = Memo::new(move |_| rows().any(is_shown));
    // Few groups need a name.
    let title = move || {
        let title = lab_word(i18n, lab.name, &format!("groups.{group}"));
        (!title.is_empty()).then(|| view! { <h2>{title}</h2> })
    };
    let controls = move || {
        rows()
            .map(|param| {
                view! { <Show when=move || is_shown(param)><Control lab name=param.name /></Show> }
            })
            .collect_view()
    };
    let is_hot = Hot::is(group);
    let point = Hot::pointer(group);
    view! {
        <Show when=move || any.get()>
            <section
                class="panel"
                class:lit=is_hot
                data-term=group
                on:mouseenter=move |_| point(true)
                on:mouseleave=move |_| point(false)
                on:focusin=move |_| point(true)
                on:focusout=move |_| point(false)
            >
                {title}
                {controls()}
                {children.clone().map(|children| children())}
            </section>
        </Show>
    }
}

/// A group, and what belongs to it beside its controls.
pub type Beside = (&'static str, fn() -> AnyView);

/// The panels of all groups of a lab's table, in the order of the table.
#[component]
pub fn Panels(
    /// Whose settings.
    lab: &'static LabSpec,
    /// What belongs to a group, below its controls.
    #[prop(optional_no_strip)]
    beside: Option<Beside>,
) -> impl IntoView {
    let mut groups: Vec<&'static str> = Vec::new();
    for param in lab.params {
        if !param.group.is_empty() && !groups.contains(&param.group) {
            groups.push(param.group);
        }
    }
    groups
        .into_iter()
        .map(|group| match beside.filter(|(of, _)| *of == group) {
            Some((_, below)) => view! { <Panel lab group>{below()}</Panel> }.into_any(),
            None => view! { <Panel lab group /> }.into_any(),
        })
        .collect_view()
}

/// The control of one setting.
#[component]
pub fn Control(lab: &'static LabSpec, name: &'static str) -> impl IntoView {
    let control = match param(lab, name).kind {
        Kind::Number { min, max, step, .. } => {
            view! { <Slider lab name range=[min, max, step] /> }.into_any()
        }
        Kind::Choice(words) => view! { <Choice lab name words /> }.into_any(),
        Kind::Search(words) => view! { <Search lab name words /> }.into_any(),
        Kind::Text { .. } => view! { <Text lab name /> }.into_any(),
        Kind::Color(_) => view! { <Color lab name /> }.into_any(),
        // A mixture has pictures to choose from, the numbers of a row have names, and what is known at
        // run time alone is known to the lab: it shows them.
        Kind::Mix { .. } | Kind::Row { .. } | Kind::Open => return ().into_any(),
    };
    view! { <div class="setting" class:lit=Hot::is(name) data-setting=name>{control}</div> }
        .into_any()
}

/// Sliders for the numbers of a row; `label` names each.
#[component]
pub fn RowSliders(
    /// Whose setting.
    lab: &'static LabSpec,
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
    let settings = state.settings(lab);
    let of = match param(lab, name).kind {
        Kind::Row { of } => of,
        ref other => panic!("{name} is {other:?}, not a row"),
    };
    let slider = move |index: usize| {
        let id = format!("{name}-{}", index + 1);
        let value = move || {
            settings.with(|settings| match settings.get(name) {
                Value::Row(row) => numbers(row)[index],
                other => panic!("{name} is {other:?}, not a row"),
            })
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
}

#[component]
fn Slider(lab: &'static LabSpec, name: &'static str, range: [f32; 3]) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(lab);
    let [min, max, step] = range;
    let max = Memo::new(move |_| {
        let most = settings.with(|settings| settings.most(param(lab, name)));
        most.map_or(max, |most| most.min(max).max(min + step))
    });
    let value = move || {
        settings.with(|settings| match settings.get(name) {
            Value::Number(number) => *number,
            other => panic!("{name} is {other:?}, not a number"),
        })
    };
    let shown = move || format!("{:.*}", decimals(step), value());
    let filled = move || {
        format!(
            "--filled:{:.1}%",
            (value() - min) / (max.get() - min) * 100.0
        )
    };
    view! {
        <div class="control">
            <label for=name>{move || setting_label(i18n, lab.name, name)}</label>
            <output for=name>{shown}</output>
            <input
                type="range"
                id=name
                min=min
                max=move || max.get()
                step=step
                style=filled
                prop:value=shown
                on:input:target=move |event| {
                    if let Ok(number) = event.target().value().parse() {
                        state.set(lab, name, Value::Number(number));
                    }
                }
            />
            {move || setting_help(i18n, lab.name, name).map(|help| view! { <p class="help">{help}</p> })}
        </div>
    }
}

#[component]
fn Choice(
    lab: &'static LabSpec,
    name: &'static str,
    words: &'static [&'static str],
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(lab);
    let buttons = words
        .iter()
        .enumerate()
        .map(|(index, word)| {
            let chosen =
                move || settings.with(|settings| *settings.get(name) == Value::Choice(index));
            view! {
                <label class="segment" class:chosen=chosen>
                    <input
                        type="radio"
                        name=name
                        value=*word
                        prop:checked=chosen
                        on:change=move |_| state.set(lab, name, Value::Choice(index))
                    />
                    <span>{move || choice_label(i18n, lab.name, name, word)}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="segments">
            <legend>{move || setting_label(i18n, lab.name, name)}</legend>
            <div>{buttons}</div>
            {move || setting_help(i18n, lab.name, name).map(|help| view! { <p class="help">{help}</p> })}
        </fieldset>
    }
}

/// A field to search many words by; the first few that match are offered.
#[component]
fn Search(
    lab: &'static LabSpec,
    name: &'static str,
    words: &'static [&'static str],
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let chosen = move || {
        value_of(lab, name, |value| match value {
            Value::Choice(index) => *index,
            other => panic!("{name} is {other:?}, not a choice"),
        })
    };
    let label = move |index: usize| choice_label(i18n, lab.name, name, words[index]);
    let typed = RwSignal::new(None::<String>);
    let matching = move || {
        let sought = typed.get().unwrap_or_default().to_lowercase();
        let known = 0..words.len();
        let found = known.filter(|&index| label(index).to_lowercase().contains(&sought));
        found.take(FOUND).collect::<Vec<_>>()
    };
    // What was sought and is not there, until something else is.
    let unknown = RwSignal::new(None::<String>);
    let choose = move |index: usize| {
        state.set(lab, name, Value::Choice(index));
        typed.set(None);
        unknown.set(None);
    };
    let not_found = move || {
        let text = unknown.get()?;
        let said = t_string!(i18n, page.not_found, text = text).to_string();
        Some(view! { <p class="sentence" role="status" id=format!("{name}-unknown")>{said}</p> })
    };
    let list = format!("{name}-found");
    view! {
        <div class="control search">
            <label for=name>{move || setting_label(i18n, lab.name, name)}</label>
            <input
                type="search"
                id=name
                list=list.clone()
                prop:value=move || typed.get().unwrap_or_else(|| label(chosen()))
                on:input:target=move |event| {
                    let text = event.target().value();
                    unknown.set(None);
                    // One of the offered words was taken, or typed to its end.
                    match (0..words.len()).find(|&index| label(index) == text) {
                        Some(index) => choose(index),
                        None => typed.set(Some(text)),
                    }
                }
                on:change=move |_| {
                    let text = typed.get_untracked();
                    match matching().first() {
                        Some(&index) if text.is_some() => choose(index),
                        Some(_) | None => {
                            typed.set(None);
                            unknown.set(text);
                        }
                    }
                }
            />
            <datalist id=list>
                {move || matching().into_iter().map(|index| view! { <option value=label(index)></option> }).collect_view()}
            </datalist>
            {not_found}
        </div>
    }
}

/// A line of text; it counts when it is let go.
#[component]
fn Text(lab: &'static LabSpec, name: &'static str) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let value = move || {
        value_of(lab, name, |value| match value {
            Value::Text(text) => text.clone(),
            other => panic!("{name} is {other:?}, not text"),
        })
    };
    view! {
        <div class="control text">
            <label for=name>{move || setting_label(i18n, lab.name, name)}</label>
            <input
                type="text"
                id=name
                maxlength=TEXT_MAX
                prop:value=value
                on:change:target=move |event| state.set(lab, name, Value::Text(event.target().value()))
            />
            {move || setting_help(i18n, lab.name, name).map(|help| view! { <p class="help">{help}</p> })}
        </div>
    }
}

#[component]
fn Color(lab: &'static LabSpec, name: &'static str) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let hex = move || {
        let [r, g, b] = value_of(lab, name, |value| match value {
            Value::Color(color) => *color,
            other => panic!("{name} is {other:?}, not a colour"),
        });
        format!("#{r:02x}{g:02x}{b:02x}")
    };
    view! {
        <div class="control color">
            <label for=name>{move || setting_label(i18n, lab.name, name)}</label>
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
}
