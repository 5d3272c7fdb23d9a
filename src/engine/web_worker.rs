//! The worker's program: takes messages, runs them one after the other, answers.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, MessageEvent};

use crate::job::{Host, Job};
use crate::protocol::card::Manifest;
use crate::protocol::failure::Failure;
use crate::protocol::link::{self, Shared};
use crate::protocol::message::{Backend, FromEngine, LabResult, Outcome, Stage, ToEngine};
use crate::protocol::png_text;

use super::runner::Engine;
use super::studio::Beside;
use super::web_host::{WebHost, post, scope};
use super::{log_watch, web_backend, web_picture};

/// A message with what travelled beside it.
type Inbox = (ToEngine, [Option<Blob>; 2]);

/// What the program is made of.
struct Program {
    host: WebHost,
    engine: RefCell<Option<(Engine, String)>>,
    queue: RefCell<VecDeque<Inbox>>,
    busy: Cell<bool>,
}

/// Starts listening. Returns at once.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        post(
            &FromEngine::Fatal {
                reason: info.to_string(),
            },
            None,
        );
    }));
    log_watch::install();
    let program: Rc<RefCell<Option<Rc<Program>>>> = Rc::default();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let parts: Array = event.data().unchecked_into();
        let text = parts.get(0).as_string().unwrap_or_default();
        let Ok(message) = serde_json::from_str::<ToEngine>(&text) else {
            post(
                &FromEngine::Fatal {
                    reason: "the page sent a message that the worker does not know".into(),
                },
                None,
            );
            return;
        };
        if let ToEngine::Start { base, .. } = &message {
            *program.borrow_mut() = Some(Rc::new(Program {
                host: WebHost::new(base.clone()),
                engine: RefCell::new(None),
                queue: RefCell::default(),
                busy: Cell::new(false),
            }));
        }
        if let Some(program) = &*program.borrow() {
            program.receive(message, [1, 2].map(|part| parts.get(part).dyn_into().ok()));
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    post(&FromEngine::Awake, None);
}

impl Program {
    /// Answers at once what does not need the engine; the rest waits its turn.
    fn receive(self: &Rc<Self>, message: ToEngine, beside: [Option<Blob>; 2]) {
        match message {
            ToEngine::Ping => post(&FromEngine::Pong, None),
            ToEngine::Cancel { job } => self
                .host
                .cancelled_to
                .set(self.host.cancelled_to.get().max(job)),
            ToEngine::Pause { job } => self.host.pausing.set(job),
            ToEngine::Adjust { job, settings } => {
                self.host.adjusted.replace(Some((job, settings)));
            }
            message => {
                self.queue.borrow_mut().push_back((message, beside));
                if !self.busy.replace(true) {
                    let program = self.clone();
                    spawn_local(async move { program.drain().await });
                }
            }
        }
    }

    async fn drain(&self) {
        loop {
            let next = self.queue.borrow_mut().pop_front();
            let Some((message, beside)) = next else { break };
            self.handle(message, beside).await;
        }
        self.busy.set(false);
    }

    // One message is handled at a time and `receive` never touches the engine, so that the
    // borrow across `await` meets no other.
    #[allow(clippy::await_holding_refcell_ref)]
    async fn handle(&self, message: ToEngine, [beside, second]: [Option<Blob>; 2]) {
        if let ToEngine::Start { backend, lost, .. } = message {
            match web_backend::choose(backend, lost).await {
                Ok((device, status)) => {
                    let name = match &status.backend {
                        Backend::Cpu => "the CPU".to_string(),
                        Backend::WebGpu { adapter } => format!("WebGPU ({adapter})"),
                    };
                    let engine = Engine::new(device, &*name, Manifest::shipped());
                    *self.engine.borrow_mut() = Some((engine, name));
                    post(&FromEngine::Ready(status), None);
                }
                Err(failure) => post(&FromEngine::NotReady(failure), None),
            }
            return;
        }
        let mut borrowed = self.engine.borrow_mut();
        let Some((engine, backend)) = borrowed.as_mut() else {
            return;
        };
        match message {
            ToEngine::WarmUp { lab } => {
                self.host.job.set(0);
                let started = self.host.now_ms();
                let loaded = engine.load(&self.host, lab).await;
                let loaded_at = self.host.now_ms();
                let warm = match loaded {
                    Ok(()) => engine.warm_up(&self.host, lab).await,
                    failed => failed,
                };
                post(
                    &match warm {
                        Ok(()) => FromEngine::Warm {
                            lab,
                            load_ms: loaded_at - started,
                            run_ms: self.host.now_ms() - loaded_at,
                        },
                        Err(failure) => FromEngine::NotWarm { lab, failure },
                    },
                    None,
                );
            }
            // The page draws only what is valid.
            ToEngine::Regions(regions) => {
                if let Err(failure) = engine.set_regions(regions) {
                    log::warn!("{failure}");
                }
            }
            ToEngine::Continue {
                job,
                settings,
                steps,
            } => {
                self.host.job.set(job);
                let stages = Job::new(&self.host, &**backend);
                let done = engine.go_on(stages, &self.host, &settings, steps).await;
                answer(job, done.and_then(if_shaders_compiled));
            }
            ToEngine::Animate { job, lab } => {
                self.host.job.set(job);
                let reading = Job::new(&self.host, &**backend);
                let gif = engine.animation(&reading, lab).await;
                answer(job, gif.map(|gif| (exported(0, 0), gif)));
            }
            ToEngine::Run { job, settings } => {
                self.host.job.set(job);
                let stages = Job::new(&self.host, &**backend);
                let result = async {
                    stages.stage(Stage::Decode).await?;
                    let blob = beside.ok_or(Failure::EmptyFile)?;
                    let picture = web_picture::decode(&blob).await?;
                    let style = match &second {
                        Some(blob) => Some(web_picture::decode(blob).await?),
                        None => None,
                    };
                    engine
                        .run(stages, &self.host, &settings, picture, style)
                        .await
                        .and_then(if_shaders_compiled)
                }
                .await;
                answer(job, result);
            }
            ToEngine::Refine { job, settings } => {
                answer(job, engine.refine(&settings));
            }
            ToEngine::Raw { job, lab } => {
                let outcome = Outcome {
                    width: 0,
                    height: 0,
                    result: LabResult::Raw,
                    memory: None,
                    timings: Vec::new(),
                };
                let bytes = |raw: Vec<f32>| raw.iter().flat_map(|v| v.to_le_bytes()).collect();
                answer(job, engine.raw(lab).map(|raw| (outcome, bytes(raw))));
            }
            ToEngine::Export { job, settings } => {
                self.host.job.set(job);
                let result = async {
                    let background = match &beside {
                        Some(blob) => Some(web_picture::decode(blob).await?),
                        None => None,
                    };
                    let reading = Job::new(&self.host, &**backend);
                    let picture = engine
                        .export(&reading, &settings, background.as_ref())
                        .await?;
                    let png = web_picture::encode_png(&picture).await?;
                    let text = link::encode(&Shared {
                        settings,
                        sample: None,
                    });
                    let png = png_text::insert(&png, &text).ok_or(Failure::DamagedPicture)?;
                    Ok((exported(picture.width, picture.height), png))
                }
                .await;
                answer(job, result);
            }
            ToEngine::Ask { job, ask } => {
                self.host.job.set(job);
                let told = async {
                    let picture = match &beside {
                        Some(blob) => Some(web_picture::decode(blob).await?),
                        None => None,
                    };
                    let file = match &second {
                        Some(blob) => Some(web_picture::bytes_of(blob).await?),
                        None => None,
                    };
                    let reading = Job::new(&self.host, &**backend);
                    let beside = Beside { picture, file };
                    engine
                        .answer(&reading, &self.host, *ask, beside)
                        .await
                        .and_then(if_shaders_compiled)
                }
                .await;
                match told {
                    Ok((told, bytes)) => {
                        let beside = (!bytes.is_empty()).then(|| Uint8Array::from(&*bytes));
                        let told = Box::new(told);
                        post(&FromEngine::Told { job, told }, beside);
                    }
                    Err(failure) => post(&FromEngine::Failed { job, failure }, None),
                }
            }
            // Answered when they came in.
            ToEngine::Start { .. }
            | ToEngine::Ping
            | ToEngine::Cancel { .. }
            | ToEngine::Pause { .. }
            | ToEngine::Adjust { .. } => {}
        }
    }
}

/// The result, unless a shader failed in silence meanwhile: it is then of stale data.
fn if_shaders_compiled<T>(result: T) -> Result<T, Failure> {
    match log_watch::take_errors().first() {
        Some(error) => Err(Failure::EngineLost {
            reason: error.clone(),
        }),
        None => Ok(result),
    }
}

fn exported(width: usize, height: usize) -> Outcome {
    Outcome {
        width,
        height,
        result: LabResult::Exported,
        memory: None,
        timings: Vec::new(),
    }
}

fn answer(job: u32, result: Result<(Outcome, Vec<u8>), Failure>) {
    match result {
        Ok((outcome, bytes)) => {
            let beside = (!bytes.is_empty()).then(|| Uint8Array::from(&*bytes));
            post(
                &FromEngine::Done {
                    job,
                    outcome: Box::new(outcome),
                },
                beside,
            );
        }
        Err(failure) => post(&FromEngine::Failed { job, failure }, None),
    }
}
