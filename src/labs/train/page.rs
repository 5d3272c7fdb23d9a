//! An adversarial pair in training, watched from all sides.

use leptos::prelude::*;

use super::presets::{self, PRESETS, Preset, Shows};
use super::views::guide::{GuideView, happened, preset_word, run_label};
use super::spec::{LAB, Learned, Progress, Steps, TrainSettings};
use super::views::plane::PlaneView;
use super::views::session::{Before, Session, gradient};
use crate::page::controls::Panel;
use crate::page::desk::Left;
use crate::page::frame::LabFrame;
use crate::page::latest::Standing;
use crate::page::job_panel::Told;
use crate::page::plot::{COLORS, Line, Plot, PlotView, number};
use crate::page::state::{Room, asks_by_itself};
use crate::page::sheet::SheetView;
use crate::page::state::use_state;
use crate::page::text::{I18n, t_string, use_i18n};

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <TrainLab /> }.into_any(),
    act: asks_by_itself,
    door: None,
};

/// What is learned.
fn learned() -> Learned {
    let state = use_state();
    let settings = state.settings(&LAB);
    settings.with(|settings| settings.read::<TrainSettings>().learned)
}

/// The page.
#[component]
fn TrainLab() -> impl IntoView {
    let i18n = use_i18n();
    let session = Session::of_page();
    let pictures = Memo::new(move |_| learned().pictures().is_some());
    let can_draw = Signal::derive(move || learned() == Learned::Drawn);
    // The term that is pointed at, in the notes, the legends or the controls.
    let hot: RwSignal<Option<String>> = RwSignal::new(None);
    let stage = move || match pictures.get() {
        true => view! { <SheetView drawn=session.sheet label=Signal::derive(move || t_string!(i18n, train.sheet).to_string()) /> }.into_any(),
        false => view! { <PlaneView progress=session.progress drawn_points=session.drawn can_draw hot /> }.into_any(),
    };
    view! {
        <LabFrame lab=&LAB hot>
            <Presets session />
            <div class="bench train-bench">
                <div class="hero-column">
                    <div class="stage train-stage">{stage}</div>
                    <Show when=move || !pictures.get()><Numbers progress=session.progress /></Show>
                </div>
                <div class="inspector">
                    <Buttons session />
                    <GuideView session />
                    <Panel lab=&LAB group="game" />
                    <Panel lab=&LAB group="d" />
                    <Panel lab=&LAB group="g" />
                    <Panel lab=&LAB group="steps" />
                    <Files session />
                </div>
                <Plots session hot />
            </div>
        </LabFrame>
    }
}

/// Settings that show something, each a button.
#[component]
fn Presets(session: Session) -> impl IntoView {
    let i18n = use_i18n();
    let active = session.preset();
    let button = move |preset: &'static Preset| {
        let label = move || preset_word(i18n, preset, "presets");
        let is_active = move || active.get().is_some_and(|active| active.name == preset.name);
        view! {
            <button
                type="button"
                class="button quiet"
                id=format!("preset-{}", preset.name)
                aria-pressed=move || is_active().to_string()
                on:click=move |_| session.choose(preset)
            >
                {label}
            </button>
        }
    };
    view! {
        <section class="panel presets">
            <h2>{move || t_string!(i18n, train.presets_title)}</h2>
            <div class="row">{PRESETS.each_ref().map(button).collect_view()}</div>
        </section>
    }
}

/// Start, pause, single steps.
#[component]
fn Buttons(session: Session) -> impl IntoView {
    let i18n = use_i18n();
    let progress = session.progress;
    let losses = move || {
        let first = |rows: &Vec<(f64, [f32; 4])>| {
            let losses = rows.iter().take(10).map(|(_, row)| row[0].to_string());
            losses.collect::<Vec<_>>().join(",")
        };
        session.history.with(first)
    };
    let at = move || {
        progress.with(|p| {
            let ms = format!("{:.0}", p.step_ms);
            t_string!(i18n, train.at, step = p.step, ms = ms).to_string()
        })
    };
    let restart = move |_| {
        session.running.set(false);
        session.begin();
    };
    view! {
        <section class="panel job">
            <div class="row">
                <button type="button" class="button" id="train-run" on:click=move |_| session.toggle()>
                    {move || if session.running.get() { t_string!(i18n, page.pause) } else { t_string!(i18n, page.start) }}
                </button>
                <button type="button" class="button quiet" id="step-d" on:click=move |_| session.step(Steps::Discriminator)>{move || t_string!(i18n, train.step_d)}</button>
                <button type="button" class="button quiet" id="step-g" on:click=move |_| session.step(Steps::Generator)>{move || t_string!(i18n, train.step_g)}</button>
                <button type="button" class="button quiet" id="train-reset" on:click=restart>{move || t_string!(i18n, train.reset)}</button>
            </div>
            <p class="number quiet" id="train-step" data-step=move || progress.with(|p| p.step.to_string()) data-ms=move || progress.with(|p| format!("{:.1}", p.step_ms)) data-history=losses>{at}</p>
            {move || session.left.get().map(|left| {
                let said = match left {
                    Left::Paused => t_string!(i18n, train.left_paused),
                    Left::Stopped | Left::Lost => t_string!(i18n, train.left_lost),
                };
                view! { <p class="sentence" id="left">{said}</p> }
            })}
            <Standing latest=session.latest />
            <Told
                running=session.running
                step=Signal::derive(move || progress.with(|p| p.step))
                shows=Signal::derive(move || stands(i18n, session))
            />
        </section>
    }
}

/// How training stands, in words: what a preset shows, or else the losses.
fn stands(i18n: I18n, session: Session) -> String {
    let ended = session.ended.get().and_then(presets::find);
    let said = ended.and_then(|preset| happened(i18n, session, preset));
    said.unwrap_or_else(|| {
        let last = session.history.with(|rows| rows.last().map(|(_, row)| *row));
        last.map_or_else(String::new, |[d, g, ..]| {
            let [d, g] = [d, g].map(|loss| number(f64::from(loss)));
            t_string!(i18n, train.spoken_losses, d = d, g = g).to_string()
        })
    })
}

/// The least gradient that is drawn: there is no logarithm of 0.
const LEAST_GRADIENT: f64 = 1e-9;

/// Points with the logarithms of their heights.
fn logarithms(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points
        .iter_mut()
        .for_each(|p| p[1] = p[1].max(LEAST_GRADIENT).log10());
    points
}

/// Losses, gradients and modes as curves. Under gradient and modes lies what the training before showed,
/// dashed, on the same axes.
#[component]
fn Plots(session: Session, hot: RwSignal<Option<String>>) -> impl IntoView {
    let i18n = use_i18n();
    let loss = move |column: usize, name: String| {
        let points = session.history.with(|rows| {
            let point = |(step, row): &(f64, [f32; 4])| [*step, f64::from(row[column])];
            let taken = rows.iter().filter(|(_, row)| row[2 + column] >= 0.0);
            taken.map(point).collect::<Vec<_>>()
        });
        Line::new(name, COLORS[column], points)
    };
    let losses = Signal::derive(move || {
        let lines = vec![
            loss(0, t_string!(i18n, train.loss_d).to_string()).term("d data samples"),
            loss(1, t_string!(i18n, train.loss_g).to_string()).term("g samples"),
        ];
        Plot::fitted(lines, true)
    });
    let before = move |points: fn(&Before) -> Vec<[f64; 2]>| {
        let before = session.before.get()?;
        let points = points(&before);
        let line = Line::new(run_label(i18n, &before.settings), "var(--soft)", points);
        (!line.points.is_empty()).then(|| line.dashed())
    };
    let now = move |color, points| {
        let name = session.settings.with(|settings| run_label(i18n, settings));
        Line::new(name, color, points)
    };
    let gradients = Signal::derive(move || {
        let points = logarithms(session.history.with(|rows| gradient(rows)));
        let now = now(COLORS[1], points).term("g samples");
        let before = before(|before| logarithms(before.gradient.clone()));
        Plot::logarithmic(before.into_iter().chain([now]).collect())
    });
    let modes = Signal::derive(move || {
        let now = now(COLORS[2], session.modes.get());
        let before = before(|before| before.modes.clone());
        let mut plot = Plot::fitted(before.into_iter().chain([now]).collect(), true);
        let all = session.progress.with(|p| p.plane.as_ref()?.modes);
        plot.ends[1] = [0.0, all.map_or(1.0, |[_, all]| f64::from(all))];
        plot
    });
    let losses_title = Signal::derive(move || t_string!(i18n, train.losses).to_string());
    let gradients_title = Signal::derive(move || t_string!(i18n, train.gradients).to_string());
    let modes_title = Signal::derive(move || t_string!(i18n, train.modes).to_string());
    // What the preset is about comes first.
    let shows = move || {
        let preset = session.settings.with(presets::of)?;
        Some(match preset.shows {
            Shows::Gradient => "gradient",
            Shows::Modes => "modes",
        })
    };
    view! {
        <div class="plots train-charts" data-shows=shows>
            <section class="panel" id="chart-losses"><h2>{losses_title}</h2><PlotView plot=losses label=losses_title hot /></section>
            <section class="panel" id="chart-gradient"><h2>{gradients_title}</h2><PlotView plot=gradients label=gradients_title hot /></section>
            <Show when=move || session.modes.with(|m| m.len() > 1)>
                <section class="panel" id="chart-modes"><h2>{modes_title}</h2><PlotView plot=modes label=modes_title /></section>
            </Show>
        </div>
    }
}

/// The link, and weights as files.
#[component]
fn Files(session: Session) -> impl IntoView {
    let i18n = use_i18n();
    let load = move |event: web_sys::Event| {
        let input: web_sys::HtmlInputElement = event_target(&event);
        let file = input.files().and_then(|files| files.get(0));
        input.set_value("");
        if let Some(file) = file {
            session.load(file.into());
        }
    };
    view! {
        <div class="row exports">
            <button type="button" class="button quiet" id="train-save" on:click=move |_| session.save()>{move || t_string!(i18n, train.save)}</button>
            <label class="button quiet" for="train-load">{move || t_string!(i18n, train.load)}</label>
            <input type="file" id="train-load" class="visually-hidden" accept=".bpk" on:change=load />
        </div>
    }
}

/// Numbers about a pair on points.
#[component]
fn Numbers(progress: RwSignal<Progress>) -> impl IntoView {
    let i18n = use_i18n();
    let plane = move || progress.with(|p| p.plane.clone().unwrap_or_default());
    let modes = move || match plane().modes {
        Some([covered, all]) => format!("{covered} / {all}"),
        None => "–".into(),
    };
    view! {
        <dl class="facts">
            <div><dt>{move || t_string!(i18n, train.fact_modes)}</dt><dd class="number" id="fact-modes">{modes}</dd></div>
            <div><dt>{move || t_string!(i18n, train.fact_kl)}</dt><dd class="number">{move || number(f64::from(plane().divergences[0]))}</dd></div>
            <div><dt>{move || t_string!(i18n, train.fact_js)}</dt><dd class="number" id="fact-js">{move || number(f64::from(plane().divergences[1]))}</dd></div>
            <div><dt>{move || t_string!(i18n, train.fact_lipschitz)}</dt><dd class="number" id="fact-lipschitz">{move || number(f64::from(plane().lipschitz))}</dd></div>
        </dl>
    }
}
