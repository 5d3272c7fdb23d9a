//! Progress, cancel, timings, failures.

use leptos::prelude::*;

use super::desk::{Desk, Left, RunState};
use super::engine::Status;
use super::layers::{is_open, layers_view};
use super::state::use_state;
use super::text::{I18n, notice_sentence, remark_sentence, stage_name, t_string, use_i18n};
use super::words::failure_sentence;
use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::message::{BackendChoice, Done, Stage};

/// Stops, unless it is the second click of a double click on what started it and stood in the same
/// place.
pub fn stop(event: &web_sys::MouseEvent, stop: impl FnOnce()) {
    if event.detail() < 2 {
        stop();
    }
}

/// The panel of a lab's run: always at the same place, whatever state it is in.
#[component]
pub fn RunPanel(
    /// Whose.
    lab: &'static LabSpec,
    /// Whether it runs without a picture of the visitor's, too.
    #[prop(optional)]
    alone: bool,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let desk = state.desk(lab);
    let running = move || desk.is_running();
    let can_run = move || (alone || state.source.with(Option::is_some)) && !running();
    view! {
        <section class="panel job" aria-label=move || t_string!(i18n, page.job_title).to_string()>
            <div class="row spread">
                <h2>{move || t_string!(i18n, page.job_title)}</h2>
                {move || if running() {
                    view! {
                        <button type="button" class="button quiet" id="cancel" on:click=move |event| stop(&event, || desk.cancel())>
                            {move || t_string!(i18n, page.cancel)}
                        </button>
                    }.into_any()
                } else {
                    view! {
                        <button type="button" class="button quiet" id="run" disabled=move || !can_run() on:click=move |_| state.run()>
                            {move || t_string!(i18n, page.run)}
                        </button>
                    }.into_any()
                }}
            </div>
            <RunStatus lab />
        </section>
    }
}

/// What a screen reader says of work that takes steps and is not a lab's run: that it runs, that it
/// stands, and not each step.
#[component]
pub fn Told(
    /// Whether it takes steps.
    #[prop(into)]
    running: Signal<bool>,
    /// Its last step.
    #[prop(into)]
    step: Signal<u64>,
    /// What is to be known where it stands.
    #[prop(optional, into)]
    shows: Option<Signal<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let said = RwSignal::new(String::new());
    Effect::new(move |before: Option<bool>| {
        let runs = running.get();
        // What nobody has started is not worth a word.
        if before.is_some_and(|before| before != runs) {
            let step = step.get_untracked();
            said.set(match runs {
                true => t_string!(i18n, page.spoken_runs, step = step).to_string(),
                false => {
                    let stands = t_string!(i18n, page.spoken_rests, step = step).to_string();
                    let shows = shows.map(|shows| shows.get_untracked()).unwrap_or_default();
                    format!("{stands} {shows}")
                }
            });
        }
        runs
    });
    view! { <p class="visually-hidden" role="status">{said}</p> }
}

/// Where a lab's run stands, in words and as a bar.
#[component]
pub fn RunStatus(
    /// Whose run.
    lab: &'static LabSpec,
    /// Where it runs, if that is not the lab's own desk.
    #[prop(optional)]
    desk: Option<Desk>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let beside = desk.is_some();
    let desk = desk.unwrap_or_else(|| state.desk(lab));
    let job = desk.state;
    // A network that could not be readied is said at once, where nothing else is under way.
    Effect::new(move |_| {
        if !beside
            && let Some((of, failure)) = state.engine.not_warm.get()
            && of == lab.name
            && job.with_untracked(|job| *job == RunState::Idle)
        {
            job.set(RunState::Failed(failure));
            state.engine.not_warm.set(None);
        }
    });
    // What a screen reader says: each stage once, not each step.
    let spoken = Memo::new(move |_| {
        job.with(|job| match job {
            RunState::Idle => String::new(),
            RunState::Running { stage, .. } => match stage {
                Some(stage) => stage_name(i18n, *stage),
                None => t_string!(i18n, page.job_waiting).to_string(),
            },
            RunState::Done(done) => done_sentence(i18n, done),
            RunState::Failed(failure) => failure_sentence(i18n, failure),
        })
    });
    // What the visitor opened stays open in the next run.
    let opened = Opened::default();
    let shown = move || {
        job.with(|job| match job {
            RunState::Idle => {
                let needs_picture = lab.uses_picture && state.source.with(Option::is_none);
                needs_picture
                    .then(|| view! { <p class="quiet">{t_string!(i18n, page.choose_first)}</p> })
                    .into_any()
            }
            RunState::Running {
                stage,
                loading,
                steps,
            } => running_view(i18n, *stage, *loading, *steps).into_any(),
            RunState::Done(done) => done_view(i18n, done, opened).into_any(),
            RunState::Failed(failure) => failed_view(i18n, desk, failure).into_any(),
        })
    };
    view! {
        <p class="visually-hidden" role="status">{spoken}</p>
        {move || desk.left.get().map(|left| view! { <p class="sentence" id="left">{left_sentence(i18n, left)}</p> })}
        <div class="status" data-job=move || job.with(run_word)>{shown}</div>
    }
}

/// What became of a run when the visitor left.
fn left_sentence(i18n: I18n, left: Left) -> String {
    match left {
        Left::Paused => t_string!(i18n, page.left_paused),
        Left::Stopped => t_string!(i18n, page.left_stopped),
        Left::Lost => t_string!(i18n, page.left_lost),
    }
    .to_string()
}

fn running_view(
    i18n: I18n,
    stage: Option<Stage>,
    loading: Option<(usize, usize)>,
    steps: Option<(u32, u32)>,
) -> impl IntoView {
    let name = match (steps, stage) {
        (Some((done, total)), _) => {
            t_string!(i18n, page.step_of, done = done, total = total).to_string()
        }
        (None, Some(stage)) => stage_name(i18n, stage),
        (None, None) => t_string!(i18n, page.job_waiting).to_string(),
    };
    let position = Stage::ALL
        .iter()
        .position(|known| Some(*known) == stage)
        .unwrap_or(0);
    let (done, total) = match (steps, loading) {
        (Some((done, total)), _) => (done as usize, total as usize),
        (None, Some(loading)) => loading,
        (None, None) => (position, Stage::ALL.len()),
    };
    let bytes = loading.map(|(done, total)| {
        let (done, total) = (megabytes(done), megabytes(total));
        t_string!(i18n, page.job_loading, done = done, total = total).to_string()
    });
    view! {
        <p>{name} " " <span class="number">{bytes}</span></p>
        <progress max=total.max(1) prop:value=done aria-label=t_string!(i18n, page.job_title).to_string()></progress>
    }
}

/// Whether the times of a run are open, and those of its layers.
#[derive(Clone, Copy, Default)]
struct Opened {
    times: RwSignal<bool>,
    layers: RwSignal<bool>,
}

fn done_view(i18n: I18n, done: &Done, opened: Opened) -> impl IntoView {
    let rows = done
        .timings
        .iter()
        .map(|(stage, ms)| {
            view! {
                <tr data-stage=stage.name()>
                    <th scope="row">{stage_name(i18n, *stage)}</th>
                    <td class="number">{t_string!(i18n, page.ms, value = format!("{ms:.1}")).to_string()}</td>
                </tr>
            }
        })
        .collect_view();
    let memory = done.memory.map(|bytes| {
        view! {
            <tr data-memory=bytes.to_string()>
                <th scope="row">{t_string!(i18n, page.job_memory)}</th>
                <td class="number">{format!("{} MB", megabytes(bytes))}</td>
            </tr>
        }
    });
    view! {
        <details class="times" open=opened.times.get_untracked() on:toggle=move |event| opened.times.set(is_open(&event))>
            <summary>{done_sentence(i18n, done)}</summary>
            <table class="timings"><tbody>{rows}{memory}</tbody></table>
            {layers_view(i18n, &done.layers, opened.layers)}
        </details>
    }
}

fn failed_view(i18n: I18n, desk: Desk, failure: &Failure) -> impl IntoView {
    let state = use_state();
    let offer = matches!(
        failure,
        Failure::NotFinite { .. } | Failure::EngineLost { .. } | Failure::NoGpu { .. }
    );
    let to_cpu = move |_| {
        state.engine.restart(BackendChoice::Cpu);
        if !desk.is_running() {
            state.run();
        }
    };
    view! {
        <p class="sentence" class:bad=*failure != Failure::Cancelled>{failure_sentence(i18n, failure)}</p>
        {offer.then(|| view! {
            <button type="button" class="button" on:click=to_cpu>{t_string!(i18n, page.badge_use_cpu)}</button>
        })}
    }
}

fn done_sentence(i18n: I18n, done: &Done) -> String {
    let total: f64 = done.timings.iter().map(|(_, ms)| ms).sum();
    t_string!(i18n, page.job_done, ms = format!("{total:.0}")).to_string()
}

fn run_word(job: &RunState) -> &'static str {
    match job {
        RunState::Idle => "idle",
        RunState::Running { .. } => "running",
        RunState::Done(_) => "done",
        RunState::Failed(_) => "failed",
    }
}

fn megabytes(bytes: usize) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// Sentences about the link and the last file, and an engine that cannot start.
#[component]
pub fn Notices() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    view! {
        <div class="notices" role="alert">
            {move || state.refused.get().map(|failure| view! {
                <p class="sentence bad" id="refused">
                    <span>{failure_sentence(i18n, &failure)}</span>
                    <button type="button" class="link" on:click=move |_| state.refused.set(None)>{t_string!(i18n, page.dismiss)}</button>
                </p>
            })}
            {move || (!state.canvas_is_true).then(|| view! { <p class="sentence" id="pixels-altered">{t_string!(i18n, page.notice_noise)}</p> })}
            {move || state.remarks.get().iter().map(|remark| view! {
                <p class="sentence" data-remark>{remark_sentence(i18n, remark)}</p>
            }).collect_view()}
            {move || state.notices.get().iter().map(|notice| view! {
                <p class="sentence">{notice_sentence(i18n, notice)}</p>
            }).collect_view()}
            {move || match state.engine.status.get() {
                Status::NotReady(Failure::SiteUpdated) => Some(updated_view(i18n).into_any()),
                Status::NotReady(failure) => Some(view! {
                    <p class="sentence bad">
                        <span>{failure_sentence(i18n, &failure)}</span>
                        <button type="button" class="button" on:click=move |_| {
                            state.engine.restart(BackendChoice::Cpu);
                            state.run();
                        }>{t_string!(i18n, page.badge_use_cpu)}</button>
                    </p>
                }.into_any()),
                Status::Starting | Status::Ready(_) => None,
            }}
        </div>
    }
}

/// What a page is told that its server has left behind.
fn updated_view(i18n: I18n) -> impl IntoView {
    let reload = move |_| {
        // The settings stand in the address.
        let _ = window().location().reload();
    };
    view! {
        <p class="sentence bad" id="updated">
            <span>{failure_sentence(i18n, &Failure::SiteUpdated)}</span>
            <button type="button" class="button" on:click=reload>{t_string!(i18n, page.reload)}</button>
        </p>
    }
}
