//! What to watch where the settings are a preset's, and what happened then.

use leptos::prelude::*;

use super::session::{Session, gradient};
use crate::labs::train::presets::{Preset, Shows, median_around, recent_mean};
use crate::labs::train::spec::{LAB, NAMES, Switch, TrainSettings};
use crate::page::plot::number;
use crate::page::text::{I18n, t_string, use_i18n};
use crate::page::words::{choice_label, lab_word, setting_label};
use crate::protocol::settings::Settings;

/// A word of a preset.
pub fn preset_word(i18n: I18n, preset: &Preset, list: &str) -> &'static str {
    lab_word(i18n, LAB.name, &format!("{list}.{}", preset.name))
}

/// What tells a training from another on the same data: its objective, and whether its discriminator is
/// normalised.
pub fn run_label(i18n: I18n, settings: &Settings) -> String {
    let word = settings.word(NAMES.objective);
    let objective = choice_label(i18n, LAB.name, NAMES.objective, word);
    match settings.read::<TrainSettings>().spectral_norm {
        Switch::Off => objective,
        Switch::On => {
            let norm = setting_label(i18n, LAB.name, NAMES.spectral_norm);
            format!("{objective}, {norm}")
        }
    }
}

/// Three things to watch, and what happened once the preset's steps are taken.
#[component]
pub fn GuideView(session: Session) -> impl IntoView {
    let i18n = use_i18n();
    let preset = session.preset();
    move || {
        let preset = preset.get()?;
        let steps = ["1", "2", "3"].map(|step| {
            let text = lab_word(i18n, LAB.name, &format!("watch.{}.{step}", preset.name));
            view! { <li>{text}</li> }
        });
        let ended = move || session.ended.get() == Some(preset.name);
        let outcome = move || match ended().then(|| happened(i18n, session, preset)).flatten() {
            Some(said) => view! { <p class="sentence" id="outcome">{said}</p> }.into_any(),
            None => {
                let steps = preset.steps;
                view! { <p class="help">{t_string!(i18n, train.outcome_later, steps = steps).to_string()}</p> }.into_any()
            }
        };
        Some(view! {
            <section class="panel guide">
                <h2>{t_string!(i18n, train.watch_title)}</h2>
                <ol>{steps.collect_view()}</ol>
                {outcome}
            </section>
        })
    }
}

/// What a preset showed, of what was measured; nothing where nothing was.
pub fn happened(i18n: I18n, session: Session, preset: &Preset) -> Option<String> {
    match preset.shows {
        Shows::Gradient => gradient_sentence(i18n, session),
        Shows::Modes => modes_sentence(i18n, session),
    }
}

/// How the gradient at the generator changed, and how it was at the same step of the training before.
fn gradient_sentence(i18n: I18n, session: Session) -> Option<String> {
    let curve = session.history.with(|rows| gradient(rows));
    let step = curve.last()?[0];
    let first = number(median_around(&curve, 0.0)?);
    let now = median_around(&curve, step)?;
    let said = t_string!(
        i18n,
        train.outcome_gradient,
        step = step,
        first = first,
        now = number(now)
    )
    .to_string();
    let there = session.before.with(|before| {
        let before = before.as_ref()?;
        let there = median_around(&before.gradient, step)?;
        Some((run_label(i18n, &before.settings), there))
    });
    Some(match there {
        None => said,
        Some((name, there)) => {
            let times = now.max(there) / now.min(there).max(f64::MIN_POSITIVE);
            let (times, there_is) = (number(two_digits(times)), number(there));
            let compared = match now >= there {
                true => t_string!(
                    i18n,
                    train.outcome_less_before,
                    name = name,
                    there = there_is,
                    times = times
                )
                .to_string(),
                false => t_string!(
                    i18n,
                    train.outcome_more_before,
                    name = name,
                    there = there_is,
                    times = times
                )
                .to_string(),
            };
            format!("{said} {compared}")
        }
    })
}

/// A positive number of which two digits count: a ratio of what wavers is no more precise.
fn two_digits(value: f64) -> f64 {
    let unit = 10f64.powf(value.log10().floor() - 1.0);
    (value / unit).round() * unit
}

/// How many modes the samples cover, and how many the training before had covered.
fn modes_sentence(i18n: I18n, session: Session) -> Option<String> {
    let tenths = |mean: f64| number((mean * 10.0).round() / 10.0);
    let mean = |curve: &[[f64; 2]]| recent_mean(curve.iter().map(|p| p[1])).map(tenths);
    let [_, all] = session.progress.with(|p| p.plane.as_ref()?.modes)?;
    let step = session.progress.with(|p| p.step);
    let covered = session.modes.with(|curve| mean(curve))?;
    let said = t_string!(
        i18n,
        train.outcome_modes,
        step = step,
        covered = covered,
        all = all
    )
    .to_string();
    let there = session.before.with(|before| {
        let before = before.as_ref()?;
        let covered = mean(&before.modes)?;
        let step = before.modes.last()?[0];
        Some((run_label(i18n, &before.settings), covered, step))
    });
    Some(match there {
        None => said,
        Some((name, covered, step)) => {
            let compared = t_string!(i18n, train.outcome_modes_before, name = name, covered = covered, step = step);
            format!("{said} {compared}")
        }
    })
}
