//! The worker's program: takes messages, answers calls one after the other.

use std::cell::{Cell, RefCell};
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
use crate::protocol::message::{Backend, BackendChoice, Call, Done, FromEngine, ToEngine};
use crate::protocol::settings::Settings;

use super::lab::EngineRow;
use super::runner::Engine;
use super::web_host::{BlobFile, WebHost, names, post, post_with, scope};
use super::{log_watch, web_backend};

/// What waits its turn.
enum Work {
    Start { backend: BackendChoice, lost: bool },
    WarmUp(String),
    Call(Call, String, Files),
}

/// What the program is made of.
struct Program {
    host: WebHost,
    specs: &'static [&'static LabSpec],
    engines: fn() -> Vec<EngineRow>,
    engine: RefCell<Option<Engine>>,
    queue: RefCell<VecDeque<Work>>,
    busy: Cell<bool>,
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
            *program.borrow_mut() = Some(Rc::new(Program {
                host: WebHost::new(base.clone()),
                specs,
                engines,
                engine: RefCell::new(None),
                queue: RefCell::default(),
                busy: Cell::new(false),
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
            ToEngine::Start { backend, lost, .. } => Work::Start { backend, lost },
            ToEngine::WarmUp { lab } => Work::WarmUp(lab),
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
        if !self.busy.replace(true) {
            let program = self.clone();
            spawn_local(async move { program.drain().await });
        }
    }

    async fn drain(&self) {
        loop {
            let next = self.queue.borrow_mut().pop_front();
            let Some(work) = next else { break };
            match work {
                Work::Start { backend, lost } => self.open(backend, lost).await,
                Work::WarmUp(lab) => self.warm_up(lab).await,
                Work::Call(call, text, files) => self.answer(call, text, files).await,
            }
        }
        self.busy.set(false);
    }

    async fn open(&self, backend: BackendChoice, lost: bool) {
        match web_backend::choose(backend, lost).await {
            Ok((device, status)) => {
                let name = match &status.backend {
                    Backend::Cpu => "the CPU".to_string(),
                    Backend::WebGpu { adapter } => format!("WebGPU ({adapter})"),
                };
                let labs = (self.engines)();
                let engine = Engine::new(device, name, FILES, &labs);
                *self.engine.borrow_mut() = Some(engine);
                post(&FromEngine::Ready(status));
            }
            Err(failure) => post(&FromEngine::NotReady(failure)),
        }
    }

    // One piece of work is done at a time and `receive` never touches the engine, so that the borrow
    // across `await` meets no other.
    #[allow(clippy::await_holding_refcell_ref)]
    async fn warm_up(&self, lab: String) {
        let mut borrowed = self.engine.borrow_mut();
        let Some(engine) = borrowed.as_mut() else {
            return;
        };
        self.host.job.set(0);
        let started = self.host.now_ms();
        let loaded = engine.load(&self.host, &lab).await;
        let loaded_at = self.host.now_ms();
        let warm = match loaded {
            Ok(()) => engine.warm_up(&self.host, &lab).await,
            failed => failed,
        };
        post(&match warm {
            Ok(()) => FromEngine::Warm {
                lab,
                load_ms: loaded_at - started,
                run_ms: self.host.now_ms() - loaded_at,
            },
            Err(failure) => FromEngine::NotWarm { lab, failure },
        });
    }

    #[allow(clippy::await_holding_refcell_ref)] // as above
    async fn answer(&self, call: Call, text: String, files: Files) {
        let mut borrowed = self.engine.borrow_mut();
        let Some(engine) = borrowed.as_mut() else {
            return;
        };
        let id = call.id;
        self.host.job.set(id);
        // It may have been cancelled while it waited.
        let answered = match Settings::unpack(self.specs, call.settings) {
            _ if self.host.cancelled() => Err(Failure::Cancelled),
            None => Err(Failure::Misunderstood),
            Some(settings) => {
                let request = Request {
                    text,
                    settings,
                    files,
                };
                let answered = engine.answer(&self.host, request).await;
                answered.and_then(if_shaders_compiled)
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
    }
}

/// The answer, unless a shader failed in silence meanwhile: it is then of stale data.
fn if_shaders_compiled(answer: (Reply, Done)) -> Result<(Reply, Done), Failure> {
    match log_watch::take_errors().first() {
        Some(error) => Err(Failure::EngineLost {
            reason: error.clone(),
        }),
        None => Ok(answer),
    }
}
