//! The search for a GAN's noise.

use crate::labs::encode::page::{ask, picture_signal};
use crate::labs::encode::spec::{Inverted, Question};
use crate::page::job_panel::Told;
use crate::page::latest::Latest;
use crate::page::plot::{COLORS, Line, Plot, PlotView, number};
use crate::page::sheet::SheetView;
use crate::page::text::{t_string, use_i18n};
use leptos::prelude::*;

/// Steps of an inversion.
const INVERSION_STEPS: u32 = 250;

/// A search for the noise that makes the GAN draw the picture.
#[component]
pub fn Invert(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let i18n = use_i18n();
    let drawn = picture_signal();
    let errors = RwSignal::new(Vec::<f32>::new());
    let step = RwSignal::new(0u32);
    let running = RwSignal::new(false);
    let begin = RwSignal::new(true);
    Effect::new(move |_| {
        taken.track();
        latest.forget("invert");
        running.set(false);
        begin.set(true);
        errors.set(Vec::new());
        step.set(0);
    });
    let go = move |steps: u32| {
        let fresh = begin.get_untracked();
        begin.set(false);
        let invert = Question::Invert {
            begin: fresh,
            steps,
        };
        // A beginning that waits is not replaced by a step.
        let kind = if fresh { "begin inversion" } else { "invert" };
        latest.ask(kind, ask(invert), move |says| {
            if let Some(found) = says.read::<Inverted>() {
                let _ = drawn.try_set(Some((found.sheet, says.file("rgba"))));
                let _ = errors.try_update(|all| all.extend(found.errors));
                let _ = step.try_set(found.step);
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
            <h2>{move || t_string!(i18n, encode.invert_title)}</h2>
            <p class="help">{move || t_string!(i18n, encode.invert_help)}</p>
            <div class="pair">
                <SheetView drawn label=Signal::derive(move || t_string!(i18n, encode.invert_title).to_string()) />
                <div class="captions two"><span>{move || t_string!(i18n, encode.input)}</span><span>"G(z)"</span></div>
            </div>
            <PlotView plot label=Signal::derive(move || t_string!(i18n, encode.invert_curve).to_string()) />
            <p class="number quiet" id="invert-step" data-step=move || step.get().to_string()>
                {move || t_string!(i18n, encode.invert_step, step = step.get(), error = errors.with(|e| e.last().map_or(String::from("–"), |&e| number(f64::from(e))))).to_string()}
            </p>
            <Told running step=Signal::derive(move || u64::from(step.get())) />
            <div class="row">
                <button type="button" class="button" id="invert" on:click=start>
                    {move || if running.get() { t_string!(i18n, page.pause) } else { t_string!(i18n, page.start) }}
                </button>
                <button type="button" class="button quiet" on:click=move |_| go(1)>{move || t_string!(i18n, page.one_step)}</button>
            </div>
        </section>
    }
}
