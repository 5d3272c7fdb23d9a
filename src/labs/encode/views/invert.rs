//! The search for a GAN's noise.

use super::super::page::picture_signal;
use crate::labs::generate::ask::{Ask, Told};
use crate::labs::generate::page::{Latest, SheetView};
use crate::page::plot::{COLORS, Line, Plot, PlotView, number};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::params::Lab;
use leptos::prelude::*;

/// Steps of an inversion.
const INVERSION_STEPS: u32 = 250;

/// A search for the noise that makes the GAN draw the picture.
#[component]
pub fn Invert(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(Lab::Encode);
    let drawn = picture_signal();
    let errors = RwSignal::new(Vec::<f32>::new());
    let step = RwSignal::new(0u32);
    let running = RwSignal::new(false);
    let begin = RwSignal::new(true);
    Effect::new(move |_| {
        taken.track();
        running.set(false);
        begin.set(true);
        errors.set(Vec::new());
        step.set(0);
    });
    let go = move |steps: u32| {
        let fresh = begin.get_untracked();
        begin.set(false);
        let ask = Ask::Invert {
            settings: settings.get_untracked(),
            begin: fresh,
            steps,
        };
        latest.ask(ask, move |told, bytes| {
            if let Told::Inverted {
                sheet,
                step: at,
                errors: found,
            } = told
            {
                let _ = drawn.try_set(Some((sheet, bytes)));
                let _ = errors.try_update(|all| all.extend(found));
                let _ = step.try_set(at);
            }
        });
    };
    Effect::new(move |_| {
        let at = step.get();
        if running.get() {
            if at < INVERSION_STEPS {
                go(5)
            } else {
                running.set(false)
            }
        }
    });
    let start = move |_| {
        if !running.get_untracked() && step.get_untracked() >= INVERSION_STEPS {
            begin.set(true);
            errors.set(Vec::new());
            step.set(0);
        }
        running.update(|r| *r = !*r);
    };
    let plot = Signal::derive(move || {
        let points = errors.with(|e| {
            let point = |(i, &v): (usize, &f32)| [i as f64, f64::from(v)];
            e.iter().enumerate().map(point).collect::<Vec<_>>()
        });
        Plot::fitted(vec![Line::new("", COLORS[1], points)], true)
    });
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, invert_title)}</h2>
            <p class="help">{move || t_string!(i18n, invert_help)}</p>
            <div class="pair">
                <SheetView drawn label=Signal::derive(move || t_string!(i18n, invert_title).to_string()) />
                <div class="captions two"><span>{move || t_string!(i18n, encode_input)}</span><span>"G(z)"</span></div>
            </div>
            <PlotView plot label=Signal::derive(move || t_string!(i18n, invert_curve).to_string()) />
            <p class="number quiet" id="invert-step" data-step=move || step.get().to_string()>
                {move || t_string!(i18n, invert_step, step = step.get(), error = errors.with(|e| e.last().map_or(String::from("–"), |&e| number(f64::from(e))))).to_string()}
            </p>
            <div class="row">
                <button type="button" class="button" id="invert" on:click=start>
                    {move || if running.get() { t_string!(i18n, search_pause) } else { t_string!(i18n, search_start) }}
                </button>
                <button type="button" class="button quiet" on:click=move |_| go(1)>{move || t_string!(i18n, search_one)}</button>
            </div>
        </section>
    }
}
