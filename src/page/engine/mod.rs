//! The page's side of the worker: starts it, sends jobs, notices when it is gone.

mod asks;
mod searches;

use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, MessageEvent, Worker};

use super::worker::{base_address, new_worker};
use asks::Asked;
pub use searches::Live;

use crate::labs::stylize::spec::Region;
use crate::protocol::failure::Failure;
use crate::protocol::message::{
    Backend, BackendChoice, BackendStatus, Event, FromEngine, JobId, LabResult, Outcome, Stage,
    Timings, ToEngine,
};
use crate::protocol::params::Lab;
use crate::protocol::settings::Settings;

/// A worker that says nothing for so long, while something is asked of it, is asked whether it
/// lives.
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
        /// Of a search: steps done, and to do.
        steps: Option<(u32, u32)>,
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
    /// Of a search: the settings that it began with, which may be an earlier job's.
    began_with: Settings,
    blob: Blob,
    /// The picture that the style is taken from.
    style: Option<Blob>,
    losses: u32,
    /// Goes on from the last result, by so many steps; a new worker has none and begins again.
    go_on: Option<Option<u32>>,
    /// Step and time of the first report.
    began: Option<(u32, f64)>,
}

#[derive(Default)]
struct Inner {
    worker: Option<Worker>,
    choice: BackendChoice,
    next_job: JobId,
    pending: Option<Pending>,
    /// The pictures of the last job, to run it again where a new worker has no result.
    last_blobs: Option<(Blob, Option<Blob>)>,
    /// The refinement that the worker is at.
    refining: Option<(JobId, Settings)>,
    /// Latest settings, to refine with once the worker is free.
    refine_next: Option<Settings>,
    /// Files that are being composed, with the names to save them under.
    exports: Vec<(JobId, String)>,
    /// Questions of the generative labs.
    asked: Vec<Asked>,
    /// Where the visitor wants which style; a new worker is told with each run.
    regions: Vec<Region>,
    /// Labs whose networks are to be ready.
    warm: Vec<Lab>,
    /// Workers lost, without a job, since anything worked.
    idle_losses: u32,
    last_heard: f64,
    /// When a quiet worker was asked whether it lives.
    asked_at: Option<f64>,
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
    /// The search that runs, or ran last.
    pub live: RwSignal<Option<Live>, LocalStorage>,
    /// Bytes of weights that have arrived for a question, and that there are.
    pub loading: RwSignal<Option<(usize, usize)>>,
    /// Workers started so far: what a page asked the one before is forgotten.
    pub workers: RwSignal<u32>,
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
            live: RwSignal::new_local(None),
            loading: RwSignal::new(None),
            workers: RwSignal::new(0),
            warm_ms: RwSignal::new(Vec::new()),
        };
        set_interval(move || engine.watch(), std::time::Duration::from_secs(2));
        engine
    }

    fn with<T>(self, read: impl FnOnce(&Inner) -> T) -> T {
        self.inner.with_value(read)
    }

    fn update<T>(self, change: impl FnOnce(&mut Inner) -> T) -> T {
        self.inner
            .try_update_value(change)
            .expect("the engine lives as long as the page")
    }

    fn is_ready(self) -> bool {
        matches!(self.status.get_untracked(), Status::Ready(_))
    }

    /// Starts the worker if there is none, and readies a lab's network while the visitor reads.
    pub fn warm_up(self, lab: Lab) {
        if self.with(|inner| inner.worker.is_none()) {
            self.spawn(false);
        }
        // Weights that are large, or that a question names, are fetched when they are needed.
        if lab.takes_steps() || lab.generates() || self.with(|inner| inner.warm.contains(&lab)) {
            return;
        }
        self.update(|inner| inner.warm.push(lab));
        if self.is_ready() {
            self.send(&ToEngine::WarmUp { lab }, None);
        }
    }

    /// Runs a lab on a picture, perhaps with one to take the style from; a job that runs already is
    /// cancelled.
    pub fn run(self, settings: Settings, blob: Blob, style: Option<Blob>) {
        self.live.set(None);
        self.begin(settings, blob, style, None);
    }

    /// Regions with styles of their own, for runs of the style lab from now on.
    pub fn set_regions(self, regions: Vec<Region>) {
        self.update(|inner| inner.regions = regions);
    }

    fn begin(
        self,
        settings: Settings,
        blob: Blob,
        style: Option<Blob>,
        go_on: Option<Option<u32>>,
    ) {
        self.cancel();
        let job = self.take_number();
        let before = self.live.with_untracked(|live| {
            let live = live.as_ref().filter(|_| go_on.is_some())?;
            Some(live.began_with.clone())
        });
        self.update(|inner| {
            inner.refining = None;
            inner.refine_next = None;
            inner.last_blobs = Some((blob.clone(), style.clone()));
            inner.pending = Some(Pending {
                job,
                began_with: before.unwrap_or_else(|| settings.clone()),
                settings,
                blob,
                style,
                losses: 0,
                go_on,
                began: None,
            });
        });
        self.job.set(JobState::Running {
            stage: None,
            loading: None,
            steps: None,
        });
        let stopped = matches!(self.status.get_untracked(), Status::NotReady(_));
        if stopped || self.with(|inner| inner.worker.is_none()) {
            self.spawn(false);
        }
        self.send_pending();
    }

    /// Applies settings to the last result. Only the latest waits if the worker is busy.
    pub fn refine(self, settings: Settings) {
        let has_result = self
            .answer
            .with_untracked(|answer| answer.as_ref().is_some_and(|a| a.lab == settings.lab()));
        let waits = self.update(|inner| {
            if let Some(pending) = &mut inner.pending {
                pending.settings = settings.clone();
            }
            let busy = inner.pending.is_some() || inner.refining.is_some();
            inner.refine_next = busy.then(|| settings.clone());
            busy
        });
        if waits || !has_result {
            return;
        }
        let job = self.take_number();
        self.update(|inner| inner.refining = Some((job, settings.clone())));
        self.send(&ToEngine::Refine { job, settings }, None);
    }

    /// Composes the finished picture and hands it to the visitor as a PNG file.
    pub fn export(self, settings: Settings, background: Option<Blob>, file_name: String) {
        let job = self.take_number();
        self.update(|inner| inner.exports.push((job, file_name)));
        self.send(&ToEngine::Export { job, settings }, background);
    }

    /// Stops the running job.
    pub fn cancel(self) {
        if let Some(pending) = self.update(|inner| inner.pending.take()) {
            self.send(&ToEngine::Cancel { job: pending.job }, None);
            self.job.set(JobState::Failed(Failure::Cancelled));
        }
    }

    /// Forgets what the last picture showed.
    pub fn reset(self) {
        self.cancel();
        self.update(|inner| {
            inner.refining = None;
            inner.refine_next = None;
            inner.last_blobs = None;
        });
        self.job.set(JobState::Idle);
        self.answer.set(None);
        self.live.set(None);
    }

    /// Starts again on a backend of the visitor's choice.
    pub fn restart(self, choice: BackendChoice) {
        self.update(|inner| {
            inner.choice = choice;
            inner.idle_losses = 0;
        });
        self.spawn(false);
    }

    fn take_number(self) -> JobId {
        self.update(|inner| {
            inner.next_job += 1;
            inner.next_job - 1
        })
    }

    fn send(self, message: &ToEngine, beside: Option<Blob>) {
        self.send_both(message, [beside, None]);
    }

    fn send_both(self, message: &ToEngine, beside: [Option<Blob>; 2]) {
        let text = serde_json::to_string(message).expect("messages are plain data");
        let [first, second] = beside.map(|blob| blob.map_or(JsValue::UNDEFINED, JsValue::from));
        let parts = Array::of3(&text.into(), &first, &second);
        self.with(|inner| {
            if let Some(worker) = &inner.worker {
                worker
                    .post_message(&parts)
                    .expect("text and blobs can be posted");
            }
        });
    }

    /// Sends the job that waits, if the engine is ready; it is sent when it gets ready otherwise.
    fn send_pending(self) {
        if !self.is_ready() {
            return;
        }
        if let Some(Pending {
            job,
            settings,
            blob,
            style,
            go_on,
            ..
        }) = self.with(|inner| inner.pending.clone())
        {
            match go_on {
                Some(steps) => self.send(
                    &ToEngine::Continue {
                        job,
                        settings,
                        steps,
                    },
                    None,
                ),
                None => {
                    if settings.lab() == Lab::Stylize {
                        let regions = self.with(|inner| inner.regions.clone());
                        self.send(&ToEngine::Regions(regions), None);
                    }
                    self.send_both(&ToEngine::Run { job, settings }, [Some(blob), style]);
                }
            }
        }
    }

    fn end_worker(self) {
        self.update(|inner| {
            if let Some(old) = inner.worker.take() {
                // What it still posts is of no interest.
                old.set_onmessage(None);
                old.set_onerror(None);
                old.terminate();
            }
        });
    }

    /// Ends the worker and starts a new one; `lost` makes it take the CPU.
    fn spawn(self, lost: bool) {
        self.end_worker();
        self.workers.update(|count| *count += 1);
        self.status.set(Status::Starting);
        // A new worker has no search to go on with: it begins again.
        self.live.set(None);
        let choice = self.update(|inner| {
            if let Some(pending) = &mut inner.pending {
                pending.go_on = None;
                pending.began = None;
                pending.began_with = pending.settings.clone();
            }
            inner.exports.clear();
            // Questions that were out are asked again; what a new worker has forgotten it says.
            inner.asked.iter_mut().for_each(|asked| asked.sent = false);
            inner.refining = None;
            inner.last_heard = now_ms();
            inner.asked_at = None;
            inner.choice
        });
        let worker = match new_worker() {
            Ok(worker) => worker,
            Err(error) => return self.give_up(format!("{error:?}")),
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
        self.update(|inner| inner.worker = Some(worker));
    }

    fn receive(self, message: FromEngine, bytes: Vec<u8>, choice: BackendChoice, lost: bool) {
        self.update(|inner| {
            inner.last_heard = now_ms();
            inner.asked_at = None;
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
                self.send_pending();
                self.send_asked();
                for lab in self.with(|inner| inner.warm.clone()) {
                    self.send(&ToEngine::WarmUp { lab }, None);
                }
            }
            FromEngine::NotReady(failure) => {
                self.status.set(Status::NotReady(failure.clone()));
                self.fail_asked(&failure);
                self.fail(failure);
            }
            FromEngine::Warm {
                lab,
                load_ms,
                run_ms,
            } => {
                self.update(|inner| inner.idle_losses = 0);
                self.warm_ms.update(|list| {
                    list.retain(|entry| entry.0 != lab);
                    list.push((lab, load_ms, run_ms));
                });
            }
            // A job that needs the weights says so again; without one, this is the place.
            FromEngine::NotWarm { lab, failure } => {
                self.update(|inner| inner.warm.retain(|l| *l != lab));
                if self.job.with_untracked(|job| *job == JobState::Idle) {
                    self.job.set(JobState::Failed(failure));
                }
            }
            FromEngine::Event { job, event } => self.progress(job, event, bytes),
            FromEngine::Done { job, outcome } => self.done(job, *outcome, bytes),
            FromEngine::Told { job, told } => {
                self.tell(job, Ok((*told, bytes)));
            }
            FromEngine::Failed { job, failure } => self.failed(job, failure),
            FromEngine::Fatal { reason } => self.lost(reason),
        }
    }

    fn is_pending(self, job: JobId) -> bool {
        self.with(|inner| {
            inner
                .pending
                .as_ref()
                .is_some_and(|pending| pending.job == job)
        })
    }

    /// Ends the waiting job without a result.
    fn fail(self, failure: Failure) {
        if self.update(|inner| inner.pending.take()).is_some() {
            self.job.set(JobState::Failed(failure));
        }
    }

    fn progress(self, job: JobId, event: Event, bytes: Vec<u8>) {
        if let Event::Loading { bytes, total, .. } = &event
            && self.with(|inner| inner.asked.iter().any(|asked| asked.job == job))
        {
            self.loading
                .set((bytes < total).then_some((*bytes, *total)));
        }
        if !self.is_pending(job) {
            return;
        }
        let done = match &event {
            Event::Step(progress) => Some((progress.step, progress.steps)),
            _ => None,
        };
        self.job.update(|state| {
            if let JobState::Running {
                stage,
                loading,
                steps,
            } = state
            {
                match &event {
                    Event::Loading { bytes, total, .. } => *loading = Some((*bytes, *total)),
                    Event::Stage(next) => {
                        *stage = Some(*next);
                        *loading = None;
                    }
                    Event::Step(_) => *steps = done,
                }
            }
        });
        if let Event::Step(progress) = event {
            self.show(progress, bytes);
        }
    }

    fn done(self, job: JobId, outcome: Outcome, bytes: Vec<u8>) {
        if self.is_pending(job) {
            if let LabResult::Optimised(progress) = outcome.result {
                self.show(progress, bytes);
                self.update(|inner| {
                    inner.idle_losses = 0;
                    inner.pending = None;
                });
                self.job
                    .set(JobState::Done(outcome.timings, outcome.memory));
                return;
            }
            let Some(pending) = self.update(|inner| {
                inner.idle_losses = 0;
                inner.pending.take()
            }) else {
                return;
            };
            self.job
                .set(JobState::Done(outcome.timings.clone(), outcome.memory));
            self.answer.set(Some(Answer {
                lab: pending.settings.lab(),
                outcome,
                bytes,
            }));
            self.refine_with_next();
        } else if let Some(settings) = self.take_refinement(job) {
            self.answer.set(Some(Answer {
                lab: settings.lab(),
                outcome,
                bytes,
            }));
            self.refine_with_next();
        } else if let Some(file_name) = self.take_export(job) {
            let mime = if file_name.ends_with(".gif") {
                "image/gif"
            } else {
                "image/png"
            };
            super::export::download(&bytes, mime, &file_name);
        }
        // Anything else answers a question that is no longer asked.
    }

    fn failed(self, job: JobId, failure: Failure) {
        if self.tell(job, Err(failure.clone())) {
            if let Failure::EngineLost { reason } = failure {
                self.lost(reason);
            }
        } else if self.is_pending(job) {
            match failure {
                Failure::EngineLost { reason } => self.lost(reason),
                failure => self.fail(failure),
            }
        } else if let Some(settings) = self.take_refinement(job) {
            // A new worker has no result to refine: run the job again.
            match self.with(|inner| inner.last_blobs.clone()) {
                Some((blob, style)) => self.run(settings, blob, style),
                None => self.job.set(JobState::Failed(failure)),
            }
        } else if self.take_export(job).is_some() {
            self.job.set(JobState::Failed(failure));
        }
    }

    fn take_refinement(self, job: JobId) -> Option<Settings> {
        self.update(|inner| match inner.refining.take() {
            Some((number, settings)) if number == job => Some(settings),
            other => {
                inner.refining = other;
                None
            }
        })
    }

    fn take_export(self, job: JobId) -> Option<String> {
        self.update(|inner| {
            let position = inner
                .exports
                .iter()
                .position(|(number, _)| *number == job)?;
            Some(inner.exports.remove(position).1)
        })
    }

    fn refine_with_next(self) {
        if let Some(settings) = self.update(|inner| inner.refine_next.take()) {
            self.refine(settings);
        }
    }

    /// The worker is gone: start a new one and send the job again, at first on the same
    /// backend, then on the CPU; give up the third time.
    fn lost(self, reason: String) {
        let (on_gpu, starting) = match self.status.get_untracked() {
            Status::Ready(status) => (matches!(status.backend, Backend::WebGpu { .. }), false),
            Status::Starting => (false, true),
            Status::NotReady(_) => return,
        };
        let (losses, exports) = self.update(|inner| {
            let losses = match &mut inner.pending {
                Some(pending) => &mut pending.losses,
                None => &mut inner.idle_losses,
            };
            *losses += 1;
            (*losses, std::mem::take(&mut inner.exports))
        });
        if !exports.is_empty() {
            self.job.set(JobState::Failed(Failure::EngineLost {
                reason: reason.clone(),
            }));
        }
        match losses {
            1 => self.spawn(false),
            2 if on_gpu || starting => self.spawn(true),
            _ => self.give_up(reason),
        }
    }

    /// Ends the worker and says why; Run or the badge start a new one.
    fn give_up(self, reason: String) {
        self.end_worker();
        let failure = Failure::EngineLost { reason };
        self.status.set(Status::NotReady(failure.clone()));
        self.fail_asked(&failure);
        self.fail(failure);
    }

    /// Asks a quiet worker whether it lives, and gives up on a silent one.
    fn watch(self) {
        let waiting = self.with(|inner| {
            inner.pending.is_some()
                || inner.refining.is_some()
                || !inner.exports.is_empty()
                || inner.asked.iter().any(|asked| asked.sent)
        });
        if !waiting || !self.is_ready() {
            return;
        }
        let now = now_ms();
        let (quiet, asked_at) = self.with(|inner| (now - inner.last_heard, inner.asked_at));
        match asked_at {
            None if quiet > QUIET_MS => {
                self.update(|inner| inner.asked_at = Some(now));
                self.send(&ToEngine::Ping, None);
            }
            Some(asked) if now - asked > SILENT_MS => self.lost("it stopped answering".into()),
            _ => {}
        }
    }
}

fn now_ms() -> f64 {
    window()
        .performance()
        .map_or(0.0, |performance| performance.now())
}
