//! The page's side of the worker: starts it, sends calls, hands out what comes back, notices when it is
//! gone. What is asked and answered is the labs' own.

use std::rc::Rc;

use gloo_events::EventListener;
use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, ErrorEvent, MessageEvent, Worker};

use super::fetch;
use super::worker::{base_address, new_worker, program_anew, remember, remembered};

use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::message::{
    Backend, BackendChoice, BackendStatus, Call, CallId, Done, Event, FromEngine, Reason, Stage,
    ToEngine,
};
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
    /// Calls are answered.
    Ready(BackendStatus),
    /// No backend; only when WebGPU was forced, or when the program cannot be loaded.
    NotReady(Failure),
}

/// A question to a lab, with what it needs.
#[derive(Clone)]
pub struct Question {
    text: String,
    settings: Settings,
    files: Vec<(String, Blob)>,
}

impl Question {
    /// A question without files.
    pub fn new(question: &impl Serialize, settings: &Settings) -> Self {
        Self {
            text: serde_json::to_string(question).expect("questions are plain data"),
            settings: settings.clone(),
            files: Vec::new(),
        }
    }

    /// The same, with a file.
    pub fn with(mut self, name: &str, file: Option<Blob>) -> Self {
        self.files.extend(file.map(|file| (name.into(), file)));
        self
    }

    /// The same, with other settings of the lab.
    pub fn with_settings(mut self, settings: &Settings) -> Self {
        self.settings = settings.clone();
        self
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// What a lab says. Its bytes stay where the browser has them.
#[derive(Debug, Clone, Default)]
pub struct Payload {
    text: String,
    files: Vec<(String, Uint8Array)>,
}

impl Payload {
    /// The lab's own words, if they are of that type.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        fetch::parse(&self.text)
    }

    /// The bytes of that name; none where there are none.
    pub fn file(&self, name: &str) -> Uint8Array {
        let named = self.files.iter().find(|(known, _)| known == name);
        named.map_or_else(
            || Uint8Array::new_with_length(0),
            |(_, bytes)| bytes.clone(),
        )
    }
}

/// What is told of a call.
pub enum CallEvent {
    /// Bytes of weights that have arrived, and that there are.
    Loading(usize, usize),
    /// A stage begins.
    Stage(Stage),
    /// So many steps are done, of so many.
    Steps(u32, u32, Payload),
    /// It is answered.
    Answered(Payload, Done),
    /// It ended without an answer.
    Failed(Failure),
}

/// What is done with what is told.
type OnEvent = Rc<dyn Fn(CallEvent)>;

/// A call that is not answered yet.
struct Open {
    id: CallId,
    question: Question,
    /// What a new worker is asked instead, which has nothing to go on with.
    again: Option<Question>,
    /// Whether it was sent: one that waits for the engine is sent when it is ready.
    sent: bool,
    /// Whether it is to end after its first step: a worker that comes later must hear of it, too.
    paused: bool,
    /// Workers lost over it.
    losses: u32,
    on_event: OnEvent,
}

#[derive(Default)]
struct Inner {
    worker: Option<Worker>,
    /// What hears of the worker, as long as it is kept.
    listeners: Vec<EventListener>,
    choice: BackendChoice,
    next_id: CallId,
    open: Vec<Open>,
    /// Labs whose networks are to be ready, with the settings that they were opened with.
    warm: Vec<Settings>,
    /// Workers lost while WebGPU was open beside the CPU, or about to be.
    gpu_losses: u32,
    /// Workers lost, without a call, since anything worked.
    idle_losses: u32,
    /// Whether the worker's program runs.
    awake: bool,
    /// Whether the program was fetched anew since one last ran.
    fetched_anew: bool,
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
    /// Workers started so far: what a page asked the one before is forgotten.
    pub workers: RwSignal<u32>,
    /// Milliseconds of loading and of the first run, by lab, once warm.
    pub warm_ms: RwSignal<Vec<(&'static LabSpec, f64, f64)>>,
    /// Why the network of the lab of that name could not be readied.
    pub not_warm: RwSignal<Option<(String, Failure)>>,
}

impl Engine {
    /// An engine that starts with the first lab that is opened.
    pub fn new(choice: BackendChoice) -> Self {
        let engine = Self {
            inner: StoredValue::new_local(Inner {
                choice,
                next_id: 1,
                ..Inner::default()
            }),
            status: RwSignal::new(Status::Starting),
            workers: RwSignal::new(0),
            warm_ms: RwSignal::new(Vec::new()),
            not_warm: RwSignal::new(None),
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

    /// Whether calls are answered.
    pub fn is_ready(self) -> bool {
        matches!(self.status.get_untracked(), Status::Ready(_))
    }

    /// Starts the worker if there is none, and readies a lab's network while the visitor reads.
    pub fn warm_up(self, settings: Settings) {
        if self.with(|inner| inner.worker.is_none()) {
            self.spawn(false);
        }
        let is_of = |warm: &Settings| warm.lab() == settings.lab();
        if self.with(|inner| inner.warm.iter().any(is_of)) {
            return;
        }
        if self.is_ready() {
            self.send_warm_up(&settings);
        }
        self.update(|inner| inner.warm.push(settings));
    }

    fn send_warm_up(self, settings: &Settings) {
        let settings = settings.pack();
        self.send(&ToEngine::WarmUp { settings });
    }

    /// Asks a lab; `on_event` hears of it until it is answered or fails. What a lost worker leaves
    /// unanswered is asked again of the next: `again`, where the question goes on from what only the
    /// old worker had.
    pub fn call(
        self,
        question: Question,
        again: Option<Question>,
        on_event: impl Fn(CallEvent) + 'static,
    ) -> CallId {
        let id = self.update(|inner| {
            let id = inner.next_id;
            inner.next_id += 1;
            inner.open.push(Open {
                id,
                question,
                again,
                sent: false,
                paused: false,
                losses: 0,
                on_event: Rc::new(on_event),
            });
            id
        });
        let stopped = matches!(self.status.get_untracked(), Status::NotReady(_));
        if stopped || self.with(|inner| inner.worker.is_none()) {
            self.spawn(false);
        }
        self.send_open();
        id
    }

    /// Stops a call; nothing more is told of it.
    pub fn cancel(self, id: CallId) {
        let was_open = self.update(|inner| {
            let count = inner.open.len();
            inner.open.retain(|open| open.id != id);
            inner.open.len() < count
        });
        if was_open {
            self.send(&ToEngine::Cancel { id });
        }
    }

    /// Ends a call after its present step, with what it has.
    pub fn pause(self, id: CallId) {
        self.update(|inner| {
            let open = inner.open.iter_mut().find(|open| open.id == id);
            open.map(|open| open.paused = true)
        });
        self.send(&ToEngine::Pause { id });
    }

    /// Tells a call that runs or waits of other settings.
    pub fn adjust(self, id: CallId, settings: &Settings) {
        let is_open = self.update(|inner| {
            let open = inner.open.iter_mut().find(|open| open.id == id);
            open.map(|open| {
                open.question.settings = settings.clone();
                if let Some(again) = &mut open.again {
                    again.settings = settings.clone();
                }
            })
        });
        if is_open.is_some() {
            let settings = settings.pack();
            self.send(&ToEngine::Adjust { id, settings });
        }
    }

    /// Starts again on a backend of the visitor's choice.
    pub fn restart(self, choice: BackendChoice) {
        self.update(|inner| {
            inner.choice = choice;
            inner.idle_losses = 0;
            inner.gpu_losses = 0;
        });
        self.spawn(false);
    }

    fn send(self, message: &ToEngine) {
        self.post(message, None);
    }

    fn post(self, message: &ToEngine, beside: Option<&Question>) {
        let text = serde_json::to_string(message).expect("messages are plain data");
        let parts = Array::of1(&text.into());
        if let Some(question) = beside {
            parts.push(&JsValue::from_str(&question.text));
            for (_, file) in &question.files {
                parts.push(file);
            }
        }
        self.with(|inner| {
            if let Some(worker) = &inner.worker {
                worker
                    .post_message(&parts)
                    .expect("text and blobs can be posted");
            }
        });
    }

    /// Sends the calls that wait, if the engine is ready; they are sent when it gets ready otherwise.
    fn send_open(self) {
        if !self.is_ready() {
            return;
        }
        let unsent = self.update(|inner| {
            let unsent = inner.open.iter_mut().filter(|open| !open.sent);
            let take = |open: &mut Open| {
                open.sent = true;
                (open.id, open.question.clone(), open.paused)
            };
            unsent.map(take).collect::<Vec<_>>()
        });
        for (id, question, paused) in unsent {
            let call = Call {
                id,
                settings: question.settings.pack(),
                files: question
                    .files
                    .iter()
                    .map(|(name, _)| name.clone())
                    .collect(),
            };
            self.post(&ToEngine::Call(call), Some(&question));
            if paused {
                self.send(&ToEngine::Pause { id });
            }
        }
    }

    fn end_worker(self) {
        self.update(|inner| {
            if let Some(old) = inner.worker.take() {
                // What it still posts is of no interest.
                inner.listeners.clear();
                old.terminate();
            }
        });
    }

    /// Ends the worker and starts a new one; `lost` makes it take the CPU.
    fn spawn(self, lost: bool) {
        self.end_worker();
        self.workers.update(|count| *count += 1);
        self.status.set(Status::Starting);
        // What the CPU did well meanwhile does not speak for the GPU.
        let lost = lost || self.with(|inner| inner.gpu_losses >= 2);
        let choice = self.update(|inner| {
            for open in &mut inner.open {
                open.sent = false;
                if let Some(again) = open.again.take() {
                    open.question = again;
                }
            }
            inner.awake = false;
            inner.last_heard = now_ms();
            inner.asked_at = None;
            inner.choice
        });
        let worker = match new_worker() {
            Ok(worker) => worker,
            Err(error) => {
                let reason = format!("{error:?}");
                return self.give_up(Failure::EngineLost { reason });
            }
        };
        let on_message = EventListener::new(&worker, "message", move |event| {
            let event: &MessageEvent = event.unchecked_ref();
            let parts: Array = event.data().unchecked_into();
            let text = parts.get(0).as_string().unwrap_or_default();
            match fetch::parse(&text) {
                Some(message) => self.receive(message, &parts, choice, lost),
                None => self.lost("it said what is not understood".into()),
            }
        });
        let on_error = EventListener::new(&worker, "error", move |event| {
            let error = event.dyn_ref::<ErrorEvent>();
            let message = error.map(ErrorEvent::message).unwrap_or_default();
            self.lost(if message.is_empty() {
                "its program could not be loaded".into()
            } else {
                message
            });
        });
        self.update(|inner| {
            inner.worker = Some(worker);
            inner.listeners = vec![on_message, on_error];
        });
    }

    fn receive(self, message: FromEngine, parts: &Array, choice: BackendChoice, lost: bool) {
        self.update(|inner| {
            inner.last_heard = now_ms();
            inner.asked_at = None;
        });
        // Text and files that travelled beside the message.
        let says = |names: Vec<String>| Payload {
            text: parts.get(1).as_string().unwrap_or_default(),
            files: (2..)
                .zip(names)
                .filter_map(|(at, name)| Some((name, parts.get(at).dyn_into().ok()?)))
                .collect(),
        };
        match message {
            FromEngine::Awake => {
                self.update(|inner| {
                    inner.awake = true;
                    inner.fetched_anew = false;
                });
                self.send(&ToEngine::Start {
                    backend: choice,
                    base: base_address(),
                    lost,
                    remembered: remembered(),
                });
            }
            FromEngine::Pong => {}
            FromEngine::Ready(status) if self.is_ready() => self.status.set(Status::Ready(status)),
            FromEngine::Ready(status) => {
                self.status.set(Status::Ready(status));
                self.send_open();
                for settings in self.with(|inner| inner.warm.clone()) {
                    self.send_warm_up(&settings);
                }
            }
            FromEngine::Remember(text) => remember(&text),
            FromEngine::NotReady(failure) => {
                self.status.set(Status::NotReady(failure.clone()));
                self.fail_open(&failure);
            }
            FromEngine::Warm {
                lab,
                load_ms,
                run_ms,
            } => {
                self.update(|inner| inner.idle_losses = 0);
                let known = self.with(|inner| {
                    let mut labs = inner.warm.iter().map(Settings::lab);
                    labs.find(|known| known.name == lab)
                });
                if let Some(known) = known {
                    self.warm_ms.update(|list| {
                        list.retain(|entry| entry.0 != known);
                        list.push((known, load_ms, run_ms));
                    });
                }
            }
            FromEngine::NotWarm { lab, failure } => {
                self.update(|inner| inner.warm.retain(|warm| warm.lab().name != lab));
                self.not_warm.set(Some((lab, failure)));
            }
            FromEngine::Event { id, event, files } => {
                let told = match event {
                    Event::Loading { bytes, total, .. } => CallEvent::Loading(bytes, total),
                    Event::Stage(stage) => CallEvent::Stage(stage),
                    Event::Steps { done, total } => CallEvent::Steps(done, total, says(files)),
                };
                let on_event = self.with(|inner| {
                    let open = inner.open.iter().find(|open| open.id == id)?;
                    Some(open.on_event.clone())
                });
                if let Some(on_event) = on_event {
                    on_event(told);
                }
            }
            FromEngine::Reply { id, done, files } => {
                self.end(id, CallEvent::Answered(says(files), done));
            }
            FromEngine::Failed {
                failure: Failure::EngineLost { reason },
                ..
            } => self.lost(reason),
            FromEngine::Failed { id, failure } => self.end(id, CallEvent::Failed(failure)),
            FromEngine::Fatal { reason } => self.lost(reason),
        }
    }

    /// Ends an open call. Anything else answers a question that is no longer asked.
    fn end(self, id: CallId, told: CallEvent) {
        let on_event = self.update(|inner| {
            let position = inner.open.iter().position(|open| open.id == id)?;
            inner.idle_losses = 0;
            Some(inner.open.remove(position).on_event)
        });
        if let Some(on_event) = on_event {
            on_event(told);
        }
    }

    /// Ends every call without an answer.
    fn fail_open(self, failure: &Failure) {
        for open in self.update(|inner| std::mem::take(&mut inner.open)) {
            (open.on_event)(CallEvent::Failed(failure.clone()));
        }
    }

    /// The worker is gone: start a new one and ask again, at first on the same backend, then on the
    /// CPU; give up the third time.
    fn lost(self, reason: String) {
        if !self.with(|inner| inner.awake) {
            return self.not_loaded(reason);
        }
        let (on_gpu, starting) = match self.status.get_untracked() {
            Status::Ready(status) => {
                let is_tried = status.beside.is_some() || status.reason == Some(Reason::Trying);
                self.update(|inner| inner.gpu_losses += u32::from(is_tried));
                let on_gpu = matches!(status.backend, Backend::WebGpu { .. });
                (on_gpu || is_tried, false)
            }
            Status::Starting => (false, true),
            Status::NotReady(_) => return,
        };
        let losses = self.update(|inner| {
            let counts = inner.open.iter_mut().map(|open| {
                open.losses += 1;
                open.losses
            });
            counts.max().unwrap_or_else(|| {
                inner.idle_losses += 1;
                inner.idle_losses
            })
        });
        match losses {
            1 => self.spawn(false),
            2 if on_gpu || starting => self.spawn(true),
            _ => self.give_up(Failure::EngineLost { reason }),
        }
    }

    /// The worker's program did not come, or not whole. Any cache between here and the server may keep
    /// it so: it is fetched anew, past them, once.
    fn not_loaded(self, reason: String) {
        // It may say so twice. It stays until then, so that nobody starts another meanwhile.
        self.update(|inner| inner.listeners.clear());
        if self.update(|inner| std::mem::replace(&mut inner.fetched_anew, true)) {
            self.update(|inner| inner.fetched_anew = false);
            return self.give_up(Failure::EngineLost { reason });
        }
        let started = self.workers.get_untracked();
        spawn_local(async move {
            let came = program_anew().await;
            // The visitor may have chosen another device meanwhile, which started another worker.
            if self.workers.get_untracked() == started {
                match came {
                    Ok(()) => self.spawn(false),
                    Err(failure) => {
                        self.update(|inner| inner.fetched_anew = false);
                        self.give_up(failure);
                    }
                }
            }
        });
    }

    /// Ends the worker and says why; the next call or the badge start a new one.
    fn give_up(self, failure: Failure) {
        self.end_worker();
        self.status.set(Status::NotReady(failure.clone()));
        self.fail_open(&failure);
    }

    /// Asks a quiet worker whether it lives, and gives up on a silent one.
    fn watch(self) {
        if !self.with(|inner| inner.open.iter().any(|open| open.sent)) || !self.is_ready() {
            return;
        }
        let now = now_ms();
        let (quiet, asked_at) = self.with(|inner| (now - inner.last_heard, inner.asked_at));
        match asked_at {
            None if quiet > QUIET_MS => {
                self.update(|inner| inner.asked_at = Some(now));
                self.send(&ToEngine::Ping);
            }
            Some(asked) if now - asked > SILENT_MS => self.lost("it stopped answering".into()),
            Some(_) | None => {}
        }
    }
}

/// Milliseconds of the page's clock.
pub fn now_ms() -> f64 {
    window()
        .performance()
        .map_or(0.0, |performance| performance.now())
}
