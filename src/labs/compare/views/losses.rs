//! What training would make of the truth: the terms of each family's loss, and the places that they come from.

use leptos::prelude::*;

use crate::labs::compare::spec::{Judgement, LAB, NAMES, Named, Question};
use crate::labs::truth::Object;
use crate::labs::detect::families::FAMILIES;
use crate::labs::detect::spec::Told;
use crate::labs::detect::views::placement;
use crate::page::engine;
use crate::page::latest::{Latest, Standing};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::page::words::lab_word;

/// What is judged, and what of it the visitor looks at.
#[derive(Clone, Copy)]
pub struct Judging {
    judged: RwSignal<Vec<Judgement>>,
    /// The family whose places are shown.
    family: RwSignal<Option<usize>>,
    /// One of the places that add most.
    place: RwSignal<Option<usize>>,
}

impl Default for Judging {
    fn default() -> Self {
        Self {
            judged: RwSignal::new(Vec::new()),
            family: RwSignal::new(None),
            place: RwSignal::new(None),
        }
    }
}

impl Judging {
    fn forget(self) {
        self.judged.set(Vec::new());
        self.look_at(None);
    }

    fn look_at(self, family: Option<usize>) {
        self.place.set(None);
        self.family.set(family);
    }

    fn chosen(self) -> Option<Judgement> {
        let family = self.family.get()?;
        self.judged
            .with(|judged| judged.iter().find(|of| of.family == family).cloned())
    }

    /// Over the picture: dashed, the places that have an object to learn; solid, those that add most to the loss.
    pub fn shapes(self, size: Option<[f32; 2]>) -> Option<impl IntoView + use<>> {
        let [width, height] = size?;
        let of = self.chosen()?;
        let positives = of.positives.into_iter().map(move |(place, _)| {
            view! { <div class="shape" style=placement(place, width, height)></div> }
        });
        let most = of.places.into_iter().enumerate().map(move |(at, Told { place, .. })| {
            let is = move || self.place.get() == Some(at);
            view! { <div class="moved" class:best=is style=placement(place, width, height)></div> }
        });
        Some(view! { {positives.collect_view()} {most.collect_view()} })
    }
}

/// Asks for the losses, and shows them.
#[component]
pub fn LossesPanel(
    /// What is really there.
    objects: Memo<Vec<Object>>,
    /// Columns and rows of the picture, once something was found on it.
    size: Signal<Option<[f32; 2]>>,
    /// Also shown over the picture.
    judging: Judging,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(&LAB);
    let latest = Latest::new(state.engine);
    Effect::new(move |_| {
        objects.get();
        settings.with(|settings| settings.get(NAMES.families).clone());
        judging.forget();
    });
    let ask = move |_| {
        let Some([width, height]) = size.get_untracked() else {
            return;
        };
        let asked = objects.get_untracked();
        let named = asked.clone().into_iter().map(|object| Named {
            class: object.class,
            box_in_image: object.place.scale(width, height),
        });
        let question = engine::Question::new(
            &Question::Judge(named.collect()),
            &settings.get_untracked(),
        );
        latest.ask("judge", question, move |says| {
            // Meanwhile the visitor may have moved a box.
            let is_same = objects.try_get_untracked().is_some_and(|now| now == asked);
            if let Some(of) = says.read::<Vec<Judgement>>().filter(|_| is_same) {
                let _ = judging.judged.try_set(of);
            }
        });
    };
    let is_judged = move || judging.judged.with(|judged| !judged.is_empty());
    view! {
        <Show when=move || objects.with(|objects| !objects.is_empty()) && size.get().is_some()>
            <h3>{move || t_string!(i18n, compare.losses)}</h3>
            <p class="help">{move || t_string!(i18n, compare.losses_help)}</p>
            <div class="row">
                <button type="button" class="button quiet" id="judge" disabled=move || latest.busy.get() on:click=ask>
                    {move || t_string!(i18n, compare.losses_ask)}
                </button>
                <Standing latest />
            </div>
            {move || {
                i18n.get_locale();
                is_judged().then(|| view! { <Losses judging /> })
            }}
            {move || {
                i18n.get_locale();
                judging.chosen().map(|of| view! { <Most of judging /> })
            }}
        </Show>
    }
}

fn terms(i18n: crate::page::text::I18n, of: &Judgement) -> Vec<&'static str> {
    let name = |(name, _): &(String, f32)| lab_word(i18n, "compare", &format!("terms.{name}"));
    of.losses.iter().map(name).collect()
}

/// The terms of each loss, and how many places learn what.
#[component]
fn Losses(judging: Judging) -> impl IntoView {
    let i18n = use_i18n();
    let rows = judging.judged.get().into_iter().map(|of| {
        let family = FAMILIES[of.family];
        let values = of.losses.iter().map(|(_, loss)| loss);
        let parts: Vec<String> = terms(i18n, &of)
            .into_iter()
            .zip(values.clone())
            .map(|(name, loss)| format!("{name} {loss:.2}"))
            .collect();
        let sum: f32 = values.sum();
        let number = of.family;
        let is = move || judging.family.get() == Some(number);
        view! {
            <tr class:lit=is data-family=family.name>
                <th scope="row">
                    <button type="button" class="link" aria-pressed=move || is().to_string() on:click=move |_| {
                        judging.look_at(if is() { None } else { Some(number) });
                    }>{family.title}</button>
                </th>
                <td class="number">{of.positives.len()}</td>
                <td class="number">{of.ignored}</td>
                <td class="number">{of.negatives}</td>
                <td>{parts.join(" + ")} " = " {format!("{sum:.2}")}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0">
            <table id="losses">
                <thead>
                    <tr>
                        <th scope="col">{t_string!(i18n, compare.detector)}</th>
                        <th scope="col" class="number">{t_string!(i18n, compare.positives)}</th>
                        <th scope="col" class="number">{t_string!(i18n, compare.ignored)}</th>
                        <th scope="col" class="number">{t_string!(i18n, compare.negatives)}</th>
                        <th scope="col">{t_string!(i18n, compare.loss)}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

/// The places that add most to the loss of a family, term by term.
#[component]
fn Most(of: Judgement, judging: Judging) -> impl IntoView {
    let i18n = use_i18n();
    let head: Vec<_> = terms(i18n, &of)
        .into_iter()
        .map(|name| view! { <th scope="col" class="number">{name}</th> })
        .collect();
    let rows = of.places.iter().enumerate().map(|(at, told)| {
        let parts = &told.terms;
        let is = move || judging.place.get() == Some(at);
        let numbers: Vec<_> = parts
            .iter()
            .map(|part| view! { <td class="number">{format!("{part:.3}")}</td> })
            .collect();
        let kind = if told.learns {
            t_string!(i18n, compare.place_object)
        } else {
            t_string!(i18n, compare.place_other)
        };
        view! {
            <tr class:lit=is on:mouseenter=move |_| judging.place.set(Some(at))>
                <th scope="row">
                    <button type="button" class="link" aria-pressed=move || is().to_string() on:click=move |_| judging.place.set(Some(at))>
                        {at + 1} ". " {kind}
                    </button>
                </th>
                {numbers}
                <td class="number">{format!("{:.3}", parts.iter().sum::<f32>())}</td>
            </tr>
        }
    });
    view! {
        <h3>{t_string!(i18n, compare.most, family = FAMILIES[of.family].title).to_string()}</h3>
        <p class="help">{t_string!(i18n, compare.most_help)}</p>
        <div class="scroll" tabindex="0">
            <table id="loss-places">
                <thead>
                    <tr>
                        <th scope="col">{t_string!(i18n, compare.place)}</th>
                        {head}
                        <th scope="col" class="number">{t_string!(i18n, compare.loss)}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}
