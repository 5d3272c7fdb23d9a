//! An adversarial pair in training, watched from all sides.

use leptos::prelude::*;

use super::presets::{PRESETS, Preset};
use super::spec::{LAB, Learned, Progress, Steps, TrainSettings};
use super::views::plane::PlaneView;
use super::views::session::Session;
use crate::page::controls::Panel;
use crate::page::desk::Left;
use crate::page::frame::LabFrame;
use crate::page::latest::Standing;
use crate::page::plot::{COLORS, Line, Plot, PlotView, number};
use crate::page::state::{Room, asks_by_itself};
use crate::page::sheet::SheetView;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::page::words::{lab_word};

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
    let stage = move || match pictures.get() {
        true => view! { <SheetView drawn=session.sheet label=Signal::derive(move || t_string!(i18n, train.sheet).to_string()) /> }.into_any(),
        false => view! { <PlaneView progress=session.progress drawn_points=session.drawn can_draw /> }.into_any(),
    };
    view! {
        <LabFrame lab=&LAB>
            <Presets session />
            <div class="bench">
                <div class="hero-column">
                    <div class="stage train-stage">{stage}</div>
                    <Show when=move || !pictures.get()><Numbers progress=session.progress /></Show>
                    <Plots session />
                </div>
                <div class="inspector">
                    <Buttons session />
                    <Panel lab=&LAB group="game" />
                    <Panel lab=&LAB group="steps" />
                    <Files session />
                </div>
            </div>
        </LabFrame>
    }
}

/// Settings that show something, each a button.
#[component]
fn Presets(session: Session) -> impl IntoView {
    let i18n = use_i18n();
    let preset = move |(name, values): Preset| {
        let label = move || lab_word(i18n, LAB.name, &format!("presets.{name}"));
        view! { <button type="button" class="button quiet" id=format!("preset-{name}") on:click=move |_| session.choose(values)>{label}</button> }
    };
    view! {
        <section class="panel presets">
            <h2>{move || t_string!(i18n, train.presets_title)}</h2>
            <div class="row">{PRESETS.map(preset).collect_view()}</div>
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
        </section>
    }
}

/// Losses, gradients and modes as curves.
#[component]
fn Plots(session: Session) -> impl IntoView {
    let i18n = use_i18n();
    let curve = move |column: usize, name: String, color: &'static str| {
        let points = session.history.with(|rows| {
            let point = |(step, row): &(f64, [f32; 4])| [*step, f64::from(row[column])];
            rows.iter()
                .filter(|(_, row)| row[2 + column % 2] >= 0.0)
                .map(point)
                .collect::<Vec<_>>()
        });
        Line::new(name, color, points)
    };
    let losses = Signal::derive(move || {
        let lines = vec![
            curve(0, t_string!(i18n, train.loss_d).to_string(), COLORS[0]),
            curve(1, t_string!(i18n, train.loss_g).to_string(), COLORS[1]),
        ];
        Plot::fitted(lines, true)
    });
    let gradients = Signal::derive(move || {
        let name = t_string!(i18n, train.gradient_g).to_string();
        let mut line = curve(3, name, COLORS[1]);
        let points = line.points.iter_mut();
        points.for_each(|p| p[1] = p[1].max(1e-9).log10());
        Plot::fitted(vec![line], false)
    });
    let modes = Signal::derive(move || {
        Plot::fitted(vec![Line::new("", COLORS[2], session.modes.get())], true)
    });
    let losses_title = Signal::derive(move || t_string!(i18n, train.losses).to_string());
    let gradients_title = Signal::derive(move || t_string!(i18n, train.gradients).to_string());
    let modes_title = Signal::derive(move || t_string!(i18n, train.modes).to_string());
    view! {
        <div class="plots">
            <section class="panel"><h2>{losses_title}</h2><PlotView plot=losses label=losses_title /></section>
            <section class="panel"><h2>{gradients_title}</h2><PlotView plot=gradients label=gradients_title /></section>
            <Show when=move || session.modes.with(|m| m.len() > 1)>
                <section class="panel"><h2>{modes_title}</h2><PlotView plot=modes label=modes_title /></section>
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
