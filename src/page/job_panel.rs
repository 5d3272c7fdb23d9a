//! Progress, cancel, timings, failures.

use leptos::prelude::*;

use super::engine::{JobState, Status};
use super::state::{Page, use_state};
use super::text::{I18n, failure_sentence, notice_sentence, stage_name, t_string, use_i18n};
use crate::protocol::failure::Failure;
use crate::protocol::message::{BackendChoice, Stage, Timings};
use crate::protocol::params::Lab;

const STAGES: [Stage; 5] = [
    Stage::Decode,
    Stage::Load,
    Stage::Prepare,
    Stage::Network,
    Stage::Postprocess,
];

/// The panel of the job: always at the same place, whatever state it is in.
#[component]
pub fn JobPanel() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let job = state.engine.job;
    let running = move || job.with(|job| matches!(job, JobState::Running { .. }));
    let can_run = move || state.source.with(Option::is_some) && !running();
    view! {
        <section class="panel job" aria-label=move || t_string!(i18n, job_title).to_string()>
            <div class="row spread">
                <h2>{move || t_string!(i18n, job_title)}</h2>
                {move || if running() {
                    view! {
                        <button type="button" class="button quiet" id="cancel" on:click=move |_| state.engine.cancel()>
                            {move || t_string!(i18n, cancel)}
                        </button>
                    }.into_any()
                } else {
                    view! {
                        <button type="button" class="button quiet" id="run" disabled=move || !can_run() on:click=move |_| state.run()>
                            {move || t_string!(i18n, run)}
                        </button>
                    }.into_any()
                }}
            </div>
            <JobStatus />
        </section>
    }
}

/// Where the job stands, in words and as a bar.
#[component]
pub fn JobStatus() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let job = state.engine.job;
    // A texture has an example instead.
    let needs_picture =
        move || state.source.with(Option::is_none) && state.page.get() != Page::Lab(Lab::Texture);
    // What a screen reader says: each stage once, not each step.
    let spoken = Memo::new(move |_| {
        job.with(|job| match job {
            JobState::Idle => String::new(),
            JobState::Running { stage, .. } => match stage {
                Some(stage) => stage_name(i18n, *stage),
                None => t_string!(i18n, job_waiting).to_string(),
            },
            JobState::Done(timings, _) => done_sentence(i18n, timings),
            JobState::Failed(failure) => failure_sentence(i18n, failure),
        })
    });
    view! {
            <p class="visually-hidden" role="status">{spoken}</p>
            <div class="status" data-job=move || job.with(job_word)>
                {move || job.with(|job| match job {
                    JobState::Idle => needs_picture().then(|| view! { <p class="quiet">{t_string!(i18n, table_empty)}</p> }).into_any(),
                    JobState::Running { stage, loading, steps } => {
                        let name = match (steps, stage) {
                            (Some((done, total)), _) => t_string!(i18n, search_step, done = *done, total = *total).to_string(),
                            (None, Some(stage)) => stage_name(i18n, *stage),
                            (None, None) => t_string!(i18n, job_waiting).to_string(),
                        };
                        let position = stage.and_then(|s| STAGES.iter().position(|x| *x == s)).unwrap_or(0);
                        let (done, total) = match (steps, loading) {
                            (Some((done, total)), _) => (*done as usize, *total as usize),
                            (None, Some(loading)) => *loading,
                            (None, None) => (position, STAGES.len()),
                        };
                        let bytes = loading.map(|(done, total)| t_string!(
                            i18n, job_loading, done = megabytes(done), total = megabytes(total)
                        ).to_string());
                        view! {
                            <p>{name} " " <span class="number">{bytes}</span></p>
                            <progress max=total.max(1) prop:value=done aria-label=t_string!(i18n, job_title).to_string()></progress>
                        }.into_any()
                    }
                    JobState::Done(timings, memory) => {
                        let rows = timings.iter().map(|(stage, ms)| view! {
                            <tr data-stage=stage.name()>
                                <th scope="row">{stage_name(i18n, *stage)}</th>
                                <td class="number">{t_string!(i18n, ms, value = format!("{ms:.1}")).to_string()}</td>
                            </tr>
                        }).collect_view();
                        view! {
                            <details class="times">
                                <summary>{done_sentence(i18n, timings)}</summary>
                                <table class="timings"><tbody>{rows}{memory.map(|bytes| view! {
                                    <tr data-memory=bytes.to_string()>
                                        <th scope="row">{t_string!(i18n, job_memory)}</th>
                                        <td class="number">{format!("{} MB", megabytes(bytes))}</td>
                                    </tr>
                                })}</tbody></table>
                            </details>
                        }.into_any()
                    }
                    JobState::Failed(failure) => {
                        let offer = matches!(failure, Failure::NotFinite { .. } | Failure::EngineLost { .. } | Failure::NoGpu { .. });
                        view! {
                            <p class="sentence" class:bad=*failure != Failure::Cancelled>{failure_sentence(i18n, failure)}</p>
                            {offer.then(|| view! {
                                <button type="button" class="button" on:click=move |_| {
                                    state.engine.restart(BackendChoice::Cpu);
                                    state.run();
                                }>{t_string!(i18n, badge_use_cpu)}</button>
                            })}
                        }.into_any()
                    }
                })}
            </div>
    }
}

fn done_sentence(i18n: I18n, timings: &Timings) -> String {
    let total: f64 = timings.iter().map(|(_, ms)| ms).sum();
    t_string!(i18n, job_done, ms = format!("{total:.0}")).to_string()
}

fn job_word(job: &JobState) -> &'static str {
    match job {
        JobState::Idle => "idle",
        JobState::Running { .. } => "running",
        JobState::Done(..) => "done",
        JobState::Failed(_) => "failed",
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
                    <button type="button" class="link" on:click=move |_| state.refused.set(None)>{t_string!(i18n, dismiss)}</button>
                </p>
            })}
            {move || state.notices.get().iter().map(|notice| view! {
                <p class="sentence">{notice_sentence(i18n, notice)}</p>
            }).collect_view()}
            {move || match state.engine.status.get() {
                Status::NotReady(failure) => Some(view! {
                    <p class="sentence bad">
                        <span>{failure_sentence(i18n, &failure)}</span>
                        <button type="button" class="button" on:click=move |_| {
                            state.engine.restart(BackendChoice::Cpu);
                            state.run();
                        }>{t_string!(i18n, badge_use_cpu)}</button>
                    </p>
                }),
                _ => None,
            }}
        </div>
    }
}
