//! The page's side of the worker: starts it, sends jobs, notices when it is gone.

use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, MessageEvent, Worker};

use super::worker::{base_address, new_worker};

use crate::protocol::failure::Failure;
use crate::protocol::message::{
    Backend, BackendChoice, BackendStatus, Event, FromEngine, JobId, Outcome, Stage, Timings,
    ToEngine,
};
use crate::protocol::params::Lab;
use crate::protocol::settings::Settings;

/// A worker that says nothing for so long is asked whether it lives.
const QUIET_MS: f64 = 6_000.0;
/// One that does not answer for so long is gone.
const SILENT_MS: f64 = 12_000.0;

/// Where the engine stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// The worker's program is on its way, or the backend is being checked.
    Starting,
    /// Jobs can run.
    Ready(BackendStatus),
    /// No backend; only when WebGPU was forced, or when the program cannot be loaded.
    NotReady(Failure),
}

/// Where the job stands.
#[derive(Debug, Clone, PartialEq)]
pub enum JobState {
    /// None was started yet.
    Idle,
    /// Running; with the stage, and bytes of bytes while weights arrive.
    Running {
        stage: Option<Stage>,
        loading: Option<(usize, usize)>,
    },
    /// Ended with a result; how long each stage took, and the bytes that the engine holds.
    Done(Timings, Option<usize>),
    /// Ended without.
    Failed(Failure),
}

/// A result, with the bytes that travelled beside it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The lab it belongs to.
    pub lab: Lab,
    /// What came back.
    pub outcome: Outcome,
    /// The matte, or a PNG file.
    pub bytes: Vec<u8>,
}

/// A request that is kept until it is answered, to be sent again if the worker is lost.
#[derive(Clone)]
struct Pending {
    job: JobId,
    settings: Settings,
    blob: Blob,
    losses: u32,
}

#[derive(Default)]
struct Inner {
    worker: Option<Worker>,
    choice: BackendChoice,
    next_job: JobId,
    pending: Option<Pending>,
    /// Refinements and exports: their lab, by number.
    small: Vec<(JobId, Lab)>,
    /// Latest settings to refine with while an answer is awaited.
    refine_next: Option<Settings>,
    refining: bool,
    warm: Vec<Lab>,
    last_heard: f64,
    asked: bool,
}

/// The engine, as the page's components see it. Copies share one worker.
#[derive(Clone, Copy)]
pub struct Engine {
    inner: StoredValue<Inner, LocalStorage>,
    /// Where the engine stands.
    pub status: RwSignal<Status>,
    /// Where the last job stands.
    pub job: RwSignal<JobState>,
    /// The last result of a run or refinement.
    pub answer: RwSignal<Option<Answer>, LocalStorage>,
    /// The last exported file.
    pub exported: RwSignal<Option<Answer>, LocalStorage>,
    /// Milliseconds of loading and of the first run, by lab, once warm.
    pub warm_ms: RwSignal<Vec<(Lab, f64, f64)>>,
}

impl Engine {
    /// An engine that starts with the first lab that is opened.
    pub fn new(choice: BackendChoice) -> Self {
        let engine = Self {
            inner: StoredValue::new_local(Inner {
                choice,
                next_job: 1,
                ..Inner::default()
            }),
            status: RwSignal::new(Status::Starting),
            job: RwSignal::new(JobState::Idle),
            answer: RwSignal::new_local(None),
            exported: RwSignal::new_local(None),
            warm_ms: RwSignal::new(Vec::new()),
        };
        set_interval(move || engine.watch(), std::time::Duration::from_secs(2));
        engine
    }

    /// Starts the worker if there is none, and readies a lab's network while the visitor reads.
    pub fn warm_up(self, lab: Lab) {
        if self.inner.with_value(|inner| inner.worker.is_none()) {
            self.spawn(false);
        }
        if self.inner.with_value(|inner| inner.warm.contains(&lab)) {
            return;
        }
        self.inner.update_value(|inner| inner.warm.push(lab));
        if matches!(self.status.get_untracked(), Status::Ready(_)) {
            self.send(&ToEngine::WarmUp { lab }, None);
        }
    }

    /// Runs a lab on a picture; a job that runs already is cancelled.
    pub fn run(self, settings: Settings, blob: Blob) {
        self.cancel();
        let job = self.take_number();
        self.inner.update_value(|inner| {
            inner.pending = Some(Pending {
                job,
                settings,
                blob,
                losses: 0,
            });
            inner.refine_next = None;
        });
        self.job.set(JobState::Running {
            stage: None,
            loading: None,
        });
        if self.inner.with_value(|inner| inner.worker.is_none()) {
            self.spawn(false);
        }
        self.send_pending();
    }

    /// Applies settings to the last result. Only the latest waits if the worker is busy.
    pub fn refine(self, settings: Settings) {
        if self.inner.with_value(|inner| inner.pending.is_some()) {
            self.inner.update_value(|inner| {
                if let Some(pending) = &mut inner.pending {
                    pending.settings = settings.clone();
                }
                inner.refine_next = Some(settings);
            });
            return;
        }
        if self.inner.with_value(|inner| inner.refining) {
            self.inner
                .update_value(|inner| inner.refine_next = Some(settings));
            return;
        }
        let job = self.take_number();
        self.inner.update_value(|inner| {
            inner.refining = true;
            inner.small.push((job, settings.lab()));
        });
        self.send(&ToEngine::Refine { job, settings }, None);
    }

    /// Asks for the finished picture as a PNG file; it comes as [`Engine::exported`].
    pub fn export(self, settings: Settings, background: Option<Blob>) {
        let job = self.take_number();
        self.inner
            .update_value(|inner| inner.small.push((job, settings.lab())));
        self.send(&ToEngine::Export { job, settings }, background);
    }

    /// Stops the running job.
    pub fn cancel(self) {
        let pending = self
            .inner
            .try_update_value(|inner| inner.pending.take())
            .flatten();
        if let Some(pending) = pending {
            self.send(&ToEngine::Cancel { job: pending.job }, None);
            self.job.set(JobState::Failed(Failure::Cancelled));
        }
    }

    /// Forgets what the last picture showed.
    pub fn reset(self) {
        self.cancel();
        self.job.set(JobState::Idle);
        self.answer.set(None);
    }

    /// Starts again on a backend of the visitor's choice.
    pub fn restart(self, choice: BackendChoice) {
        self.inner.update_value(|inner| inner.choice = choice);
        self.spawn(false);
    }

    fn take_number(self) -> JobId {
        self.inner
            .try_update_value(|inner| {
                inner.next_job += 1;
                inner.next_job - 1
            })
            .unwrap_or(1)
    }

    fn send(self, message: &ToEngine, beside: Option<Blob>) {
        let text = serde_json::to_string(message).expect("messages are plain data");
        let parts = Array::of2(
            &text.into(),
            &beside.map_or(JsValue::UNDEFINED, JsValue::from),
        );
        self.inner.with_value(|inner| {
            if let Some(worker) = &inner.worker {
                worker
                    .post_message(&parts)
                    .expect("text and blobs can be posted");
            }
        });
    }

    fn send_pending(self) {
        if !matches!(self.status.get_untracked(), Status::Ready(_)) {
            return; // sent when the engine is ready
        }
        let pending = self.inner.with_value(|inner| inner.pending.clone());
        if let Some(Pending {
            job,
            settings,
            blob,
            ..
        }) = pending
        {
            self.send(&ToEngine::Run { job, settings }, Some(blob));
        }
    }

    /// Ends the worker and starts a new one; `lost` makes it take the CPU.
    fn spawn(self, lost: bool) {
        self.status.set(Status::Starting);
        let now = now_ms();
        let choice = self.inner.with_value(|inner| inner.choice);
        self.inner.update_value(|inner| {
            if let Some(old) = inner.worker.take() {
                old.set_onmessage(None);
                old.set_onerror(None);
                old.terminate();
            }
            inner.small.clear();
            inner.refining = false;
            inner.last_heard = now;
            inner.asked = false;
        });
        let worker = match new_worker() {
            Ok(worker) => worker,
            Err(error) => {
                self.status.set(Status::NotReady(Failure::EngineLost {
                    reason: format!("{error:?}"),
                }));
                return;
            }
        };
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let parts: Array = event.data().unchecked_into();
            let text = parts.get(0).as_string().unwrap_or_default();
            let bytes = parts
                .get(1)
                .dyn_into::<Uint8Array>()
                .map(|b| b.to_vec())
                .unwrap_or_default();
            match serde_json::from_str(&text) {
                Ok(message) => self.receive(message, bytes, choice, lost),
                Err(error) => self.lost(error.to_string()),
            }
        });
        let on_error = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
            let message = event
                .dyn_ref::<web_sys::ErrorEvent>()
                .map(|e| e.message())
                .unwrap_or_default();
            self.lost(if message.is_empty() {
                "its program could not be loaded".into()
            } else {
                message
            });
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        on_message.forget();
        on_error.forget();
        self.inner.update_value(|inner| inner.worker = Some(worker));
    }

    fn receive(self, message: FromEngine, bytes: Vec<u8>, choice: BackendChoice, lost: bool) {
        self.inner.update_value(|inner| {
            inner.last_heard = now_ms();
            inner.asked = false;
        });
        match message {
            FromEngine::Awake => {
                self.send(
                    &ToEngine::Start {
                        backend: choice,
                        base: base_address(),
                        lost,
                    },
                    None,
                );
            }
            FromEngine::Pong => {}
            FromEngine::Ready(status) => {
                self.status.set(Status::Ready(status));
                if self.inner.with_value(|inner| inner.pending.is_some()) {
                    self.send_pending();
                }
                for lab in self.inner.with_value(|inner| inner.warm.clone()) {
                    self.send(&ToEngine::WarmUp { lab }, None);
                }
            }
            FromEngine::NotReady(failure) => {
                self.fail(failure.clone());
                self.status.set(Status::NotReady(failure));
            }
            FromEngine::Warm {
                lab,
                load_ms,
                run_ms,
            } => self.warm_ms.update(|list| {
                list.retain(|entry| entry.0 != lab);
                list.push((lab, load_ms, run_ms));
            }),
            // The job that needs the weights says so again, with a sentence on the page.
            FromEngine::NotWarm { lab, failure } => {
                self.inner
                    .update_value(|inner| inner.warm.retain(|l| *l != lab));
                if !matches!(self.job.get_untracked(), JobState::Running { .. }) {
                    self.job.set(JobState::Failed(failure));
                }
            }
            FromEngine::Event { job, event } => self.progress(job, event),
            FromEngine::Done { job, outcome } => self.done(job, *outcome, bytes),
            FromEngine::Failed { job, failure } => {
                if self.is_pending(job) {
                    if let Failure::EngineLost { reason } = failure {
                        self.lost(reason);
                    } else {
                        self.fail(failure);
                    }
                } else {
                    self.small_answered(job);
                    if failure != Failure::Cancelled && failure != Failure::NothingToRefine {
                        self.job.set(JobState::Failed(failure));
                    }
                }
            }
            FromEngine::Fatal { reason } => self.lost(reason),
        }
    }

    fn is_pending(self, job: JobId) -> bool {
        self.inner.with_value(|inner| {
            inner
                .pending
                .as_ref()
                .is_some_and(|pending| pending.job == job)
        })
    }

    fn fail(self, failure: Failure) {
        let had = self
            .inner
            .try_update_value(|inner| inner.pending.take())
            .flatten();
        if had.is_some() {
            self.job.set(JobState::Failed(failure));
        }
    }

    fn progress(self, job: JobId, event: Event) {
        if !self.is_pending(job) {
            return;
        }
        self.job.update(|state| {
            if let JobState::Running { stage, loading } = state {
                match event {
                    Event::Loading { bytes, total, .. } => *loading = Some((bytes, total)),
                    Event::Stage(next) => {
                        *stage = Some(next);
                        *loading = None;
                    }
                }
            }
        });
    }

    fn done(self, job: JobId, outcome: Outcome, bytes: Vec<u8>) {
        use crate::protocol::message::LabResult;
        if self.is_pending(job) {
            let lab = self
                .inner
                .try_update_value(|inner| inner.pending.take())
                .flatten()
                .map(|pending| pending.settings.lab())
                .expect("a pending job was just seen");
            self.job
                .set(JobState::Done(outcome.timings.clone(), outcome.memory));
            self.answer.set(Some(Answer {
                lab,
                outcome,
                bytes,
            }));
            if let Some(settings) = self
                .inner
                .try_update_value(|inner| inner.refine_next.take())
                .flatten()
            {
                self.refine(settings);
            }
            return;
        }
        let Some(lab) = self.small_answered(job) else {
            return;
        };
        let answer = Answer {
            lab,
            outcome,
            bytes,
        };
        if answer.outcome.result == LabResult::Exported {
            self.exported.set(Some(answer));
        } else {
            self.answer.set(Some(answer));
        }
    }

    /// Takes a refinement or export off the list and sends the next refinement, if one waits.
    fn small_answered(self, job: JobId) -> Option<Lab> {
        let (lab, next) = self
            .inner
            .try_update_value(|inner| {
                let position = inner.small.iter().position(|(number, _)| *number == job)?;
                let (_, lab) = inner.small.remove(position);
                inner.refining = false;
                Some((lab, inner.refine_next.take()))
            })
            .flatten()?;
        if let Some(settings) = next {
            self.refine(settings);
        }
        Some(lab)
    }

    /// The worker is gone: start a new one and send the job again, at first on the same
    /// backend, then on the CPU; give up the third time.
    fn lost(self, reason: String) {
        let on_gpu = matches!(
            self.status.get_untracked(),
            Status::Ready(BackendStatus {
                backend: Backend::WebGpu { .. },
                ..
            })
        );
        let starting = matches!(self.status.get_untracked(), Status::Starting);
        let losses = self
            .inner
            .try_update_value(|inner| {
                inner.pending.as_mut().map(|pending| {
                    pending.losses += 1;
                    pending.losses
                })
            })
            .flatten();
        match losses {
            Some(1) => self.spawn(false),
            Some(2) if on_gpu || starting => self.spawn(true),
            None if !starting => self.spawn(on_gpu),
            _ => {
                self.fail(Failure::EngineLost {
                    reason: reason.clone(),
                });
                self.inner.update_value(|inner| {
                    if let Some(old) = inner.worker.take() {
                        old.terminate();
                    }
                });
                self.status
                    .set(Status::NotReady(Failure::EngineLost { reason }));
            }
        }
    }

    /// Asks a quiet worker whether it lives, and gives up on a silent one.
    fn watch(self) {
        let waiting = self.inner.with_value(|inner| {
            inner.worker.is_some() && (inner.pending.is_some() || !inner.small.is_empty())
        });
        if !waiting || !matches!(self.status.get_untracked(), Status::Ready(_)) {
            return;
        }
        let (quiet, asked) = self
            .inner
            .with_value(|inner| (now_ms() - inner.last_heard, inner.asked));
        if quiet > QUIET_MS && !asked {
            self.inner.update_value(|inner| inner.asked = true);
            self.send(&ToEngine::Ping, None);
        } else if asked && quiet > QUIET_MS + SILENT_MS {
            self.lost("it stopped answering".into());
        }
    }
}

fn now_ms() -> f64 {
    window()
        .performance()
        .map_or(0.0, |performance| performance.now())
}
