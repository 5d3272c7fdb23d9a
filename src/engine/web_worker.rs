//! The worker's program: takes messages, answers calls one after the other.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, MessageEvent};

use crate::job::{Files, Host, Reply, Request};
use crate::protocol::card::FILES;
use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::message::{Backend, BackendChoice, Call, Done, FromEngine, Reason, ToEngine};
use crate::protocol::settings::{Packed, Settings};

use super::lab::{EngineRow, LabEngine};
use super::rivals::{Rivals, Side};
use super::runner::Engine;
use super::web_between::Between;
use super::web_host::{BlobFile, WebHost, names, post, post_with, scope, sleep, within};
use super::{log_watch, web_backend};

/// Milliseconds between two looks at an engine that is in use.
const TURN_MS: i32 = 4;
/// Runs of a network on nothing, after the first, while the visitor reads; none where the first took longer.
const MORE_RUNS: usize = 3;
const LONG_RUN_MS: f64 = 600.0;
/// Milliseconds that a question waits for WebGPU while another lab's networks are compiled there.
const PATIENCE_MS: i32 = 1_000;

/// What waits its turn.
enum Work {
    Start {
        backend: BackendChoice,
        lost: bool,
        remembered: String,
    },
    WarmUp(Packed),
    Call(Call, String, Files),
}

/// What the program is made of.
pub(super) struct Program {
    host: WebHost,
    specs: &'static [&'static LabSpec],
    pub(super) engines: fn() -> Vec<EngineRow>,
    /// The labs, only to ask what a question needs.
    labs: Vec<(&'static LabSpec, Box<dyn LabEngine>)>,
    /// The engine that serves from the start.
    pub(super) first: RefCell<Option<Engine>>,
    /// Whether that is WebGPU.
    first_is_gpu: Cell<bool>,
    /// WebGPU beside the CPU, once it is open.
    pub(super) second: RefCell<Option<Engine>>,
    /// How the two compare.
    pub(super) rivals: RefCell<Rivals>,
    queue: RefCell<VecDeque<Work>>,
    pub(super) busy: Cell<bool>,
    /// Counts what was asked.
    pub(super) asked: Cell<u32>,
    /// What is done between calls; see `web_between.rs`.
    pub(super) between: Between,
}

/// Starts listening. Returns at once.
pub fn start(specs: &'static [&'static LabSpec], engines: fn() -> Vec<EngineRow>) {
    std::panic::set_hook(Box::new(|info| {
        post(&FromEngine::Fatal {
            reason: info.to_string(),
        });
    }));
    log_watch::install();
    let program: Rc<RefCell<Option<Rc<Program>>>> = Rc::default();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let parts: Array = event.data().unchecked_into();
        let text = parts.get(0).as_string().unwrap_or_default();
        let Ok(message) = serde_json::from_str::<ToEngine>(&text) else {
            return post(&FromEngine::Fatal {
                reason: "the page sent a message that the worker does not know".into(),
            });
        };
        if let ToEngine::Start { base, .. } = &message {
            let labs = engines().into_iter();
            *program.borrow_mut() = Some(Rc::new(Program {
                host: WebHost::new(base.clone()),
                specs,
                engines,
                labs: labs.map(|row| (row.spec, (row.make)())).collect(),
                first: RefCell::new(None),
                first_is_gpu: Cell::new(false),
                second: RefCell::new(None),
                rivals: RefCell::default(),
                queue: RefCell::default(),
                busy: Cell::new(false),
                asked: Cell::new(0),
                between: Between::new(base.clone()),
            }));
        }
        if let Some(program) = &*program.borrow() {
            program.receive(message, &parts);
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    post(&FromEngine::Awake);
}

impl Program {
    /// Answers at once what does not need the engine; the rest waits its turn.
    fn receive(self: &Rc<Self>, message: ToEngine, parts: &Array) {
        let work = match message {
            ToEngine::Ping => return post(&FromEngine::Pong),
            ToEngine::Cancel { id } => return self.host.cancelled.borrow_mut().push(id),
            ToEngine::Pause { id } => return self.host.pausing.set(id),
            ToEngine::Adjust { id, settings } => {
                let settings = Settings::unpack(self.specs, settings);
                let adjusted = settings.map(|settings| (id, settings));
                self.host.adjusted.replace(adjusted);
                return;
            }
            ToEngine::Start {
                backend,
                lost,
                remembered,
                ..
            } => Work::Start {
                backend,
                lost,
                remembered,
            },
            ToEngine::WarmUp { settings } => Work::WarmUp(settings),
            ToEngine::Call(call) => {
                let text = parts.get(1).as_string().unwrap_or_default();
                let files = (2..).zip(&call.files).filter_map(|(at, name)| {
                    let blob: Blob = parts.get(at).dyn_into().ok()?;
                    Some((name.clone(), Box::new(BlobFile(blob)) as _))
                });
                let files = files.collect();
                Work::Call(call, text, files)
            }
        };
        self.queue.borrow_mut().push_back(work);
        self.asked.set(self.asked.get().wrapping_add(1));
        self.between.give_way_if_timing();
        if !self.busy.replace(true) {
            let program = self.clone();
            spawn_local(async move { program.drain().await });
        }
    }

    async fn drain(self: &Rc<Self>) {
        loop {
            let next = self.queue.borrow_mut().pop_front();
            let Some(work) = next else { break };
            match work {
                Work::Start {
                    backend,
                    lost,
                    remembered,
                } => self.open(backend, lost, remembered).await,
                Work::WarmUp(settings) => self.warm_up(settings).await,
                Work::Call(call, text, files) => self.answer(call, text, files).await,
            }
        }
        self.busy.set(false);
    }

    /// The engine of a side, as soon as nobody else is at it. What is done between calls may be.
    pub(super) async fn turn(&self, side: Side) -> RefMut<'_, Option<Engine>> {
        let engine = match side {
            Side::First => &self.first,
            Side::Second => &self.second,
        };
        loop {
            if let Ok(free) = engine.try_borrow_mut() {
                return free;
            }
            sleep(TURN_MS).await;
        }
    }

    /// A lab, to ask what a question needs; none where the page does without an engine.
    pub(super) fn lab(&self, name: &str) -> Option<&dyn LabEngine> {
        let (_, lab) = self.labs.iter().find(|(spec, _)| spec.name == name)?;
        Some(&**lab)
    }

    async fn open(self: &Rc<Self>, backend: BackendChoice, lost: bool, remembered: String) {
        match web_backend::choose(backend, lost).await {
            Ok((device, status)) => {
                let name = match &status.backend {
                    Backend::Cpu => "the CPU".to_string(),
                    Backend::WebGpu { adapter } => gpu_name(adapter),
                };
                self.first_is_gpu.set(status.backend != Backend::Cpu);
                let labs = (self.engines)();
                *self.turn(Side::First).await = Some(Engine::new(device, name, FILES, &labs));
                let is_tried = status.reason == Some(Reason::Trying);
                post(&FromEngine::Ready(status));
                if is_tried {
                    self.try_gpu(backend, remembered);
                }
            }
            Err(failure) => post(&FromEngine::NotReady(failure)),
        }
    }

    async fn warm_up(self: &Rc<Self>, settings: Packed) {
        let Some(settings) = Settings::unpack(self.specs, settings) else {
            return;
        };
        if settings.lab().warms_up {
            self.run_once(&settings).await;
        }
        self.compare(settings, true);
    }

    /// Loads the network of a lab and runs it once; on WebGPU as these settings ask for, because what is
    /// compiled depends on them.
    #[allow(clippy::await_holding_refcell_ref)] // others wait for their turn
    async fn run_once(&self, settings: &Settings) {
        let lab = settings.lab().name;
        let mut borrowed = self.turn(Side::First).await;
        let Some(engine) = borrowed.as_mut() else {
            return;
        };
        self.host.job.set(0);
        let started = self.host.now_ms();
        let loaded = engine.load(&self.host, lab).await;
        let loaded_at = self.host.now_ms();
        let warm = match loaded {
            Ok(()) if self.first_is_gpu.get() => engine.trial(&self.host, settings).await.map(drop),
            Ok(()) => engine.warm_up(&self.host, lab).await,
            failed => failed,
        };
        let run_ms = self.host.now_ms() - loaded_at;
        let is_warm = warm.is_ok();
        post(&match warm {
            Ok(()) => FromEngine::Warm {
                lab: lab.to_string(),
                load_ms: loaded_at - started,
                run_ms,
            },
            Err(failure) => FromEngine::NotWarm {
                lab: lab.to_string(),
                failure,
            },
        });
        if !is_warm || self.first_is_gpu.get() || run_ms > LONG_RUN_MS {
            return;
        }
        // Browsers compile a loop for speed only when it has run for a while: as long as nobody asks for
        // anything, the visitor's first run gets quicker.
        for _ in 0..MORE_RUNS {
            self.host.pause().await;
            if !self.queue.borrow().is_empty() || engine.warm_up(&self.host, lab).await.is_err() {
                return;
            }
        }
    }

    async fn answer(self: &Rc<Self>, call: Call, text: String, files: Files) {
        let id = call.id;
        self.host.job.set(id);
        // It may have been cancelled while it waited.
        let settings = Settings::unpack(self.specs, call.settings);
        let answered = match settings.clone() {
            _ if self.host.cancelled() => Err(Failure::Cancelled),
            None => Err(Failure::Misunderstood),
            Some(settings) => {
                let request = Request {
                    text,
                    settings,
                    files,
                };
                self.ask(request).await
            }
        };
        self.host.cancelled.borrow_mut().retain(|known| *known > id);
        match answered {
            Ok((says, done)) => {
                let files = names(&says);
                post_with(&FromEngine::Reply { id, done, files }, says);
            }
            Err(failure) => post(&FromEngine::Failed { id, failure }),
        }
        if let Some(settings) = settings {
            self.tidy(settings.lab().name);
            self.compare(settings, false);
        }
    }

    /// Asks the engine of the side that the question is for. The lab's home is there from then on, unless
    /// nothing came of it.
    #[allow(clippy::await_holding_refcell_ref)] // others wait for their turn
    async fn ask(&self, request: Request) -> Result<(Reply, Done), Failure> {
        let name = request.settings.lab().name;
        let (side, goes_on) = self.side_for(&request);
        if side == Side::Second {
            self.between.give_way();
        }
        // What is compiled for another lab may take seconds; the CPU is there.
        let free = match side {
            Side::Second if !goes_on => within(PATIENCE_MS, self.turn(side)).await,
            Side::First | Side::Second => Some(self.turn(side).await),
        };
        let (side, mut borrowed) = match free {
            Some(free) => (side, free),
            None => (Side::First, self.turn(Side::First).await),
        };
        self.between.asked_side.set(side);
        let home = self.rivals.borrow().home(name);
        if side != home {
            self.rivals.borrow_mut().move_to(name, side);
            self.tell();
        }
        let engine = borrowed.as_mut().ok_or(Failure::Misunderstood)?;
        let answered = engine.answer(&self.host, request).await;
        // Shaders that fail while the CPU serves are those of what is done between calls.
        let answered = match side == Side::Second || self.first_is_gpu.get() {
            // Also where it failed: nobody else is to find the error.
            true => if_shaders_compiled(answered).flatten(),
            false => answered,
        };
        if answered.is_err() && !engine.holds(name) {
            self.rivals.borrow_mut().move_to(name, home);
        }
        answered
    }
}

/// WebGPU in messages.
pub(super) fn gpu_name(adapter: &str) -> String {
    format!("WebGPU ({adapter})")
}

/// The answer, unless a shader failed in silence meanwhile: it is then of stale data.
pub(super) fn if_shaders_compiled<T>(answer: T) -> Result<T, Failure> {
    match log_watch::take_errors().first() {
        Some(error) => Err(Failure::EngineLost {
            reason: error.clone(),
        }),
        None => Ok(answer),
    }
}
