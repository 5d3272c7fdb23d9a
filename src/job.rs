//! What a lab may ask of the program that runs it.

use std::cell::{Cell, RefCell};

use burn::tensor::Tensor;

use crate::protocol::failure::Failure;
use crate::protocol::message::{Event, Stage, Timings};
use crate::protocol::settings::Settings;

/// The program around the engine: a web worker, the command line, or a test.
#[allow(async_fn_in_trait)] // one thread: no future has to be `Send`
pub trait Host {
    /// Tells whoever waits what is going on.
    fn emit(&self, event: Event);
    /// The same, with bytes beside it, for hosts that show them.
    fn emit_with(&self, event: Event, _bytes: Vec<u8>) {
        self.emit(event);
    }
    /// Whether the running job is to stop.
    fn cancelled(&self) -> bool;
    /// Whether the running job is to end after its present step, with what it has.
    fn pausing(&self) -> bool {
        false
    }
    /// Settings that were changed since the job began, once.
    fn adjusted(&self) -> Option<Settings> {
        None
    }
    /// Milliseconds since some fixed moment.
    fn now_ms(&self) -> f64;
    /// Bytes of memory that the program holds, where it can tell.
    fn memory_bytes(&self) -> Option<usize>;
    /// Lets the program handle what came in meanwhile (in a browser: a macrotask).
    async fn pause(&self);
    /// The bytes of `weights/<file>`, see [`crate::protocol::card::file_name`], with [`Event::Loading`] while they arrive. `sha256`
    /// names the version, for caches.
    async fn weights(&self, name: &str, sha256: &str, total: usize) -> Result<Vec<u8>, Failure>;
    /// Bytes whose checksum was right: worth keeping.
    async fn keep_weights(&self, name: &str, sha256: &str, bytes: &[u8]);
    /// Bytes whose checksum was wrong: not to be served again.
    async fn forget_weights(&self, name: &str, sha256: &str);
}

/// One run of a lab: events, cancelling, timing, and the only way to read a tensor.
pub struct Job<'a, H: Host> {
    host: &'a H,
    backend: String,
    started: Cell<Option<(Stage, f64)>>,
    timings: RefCell<Timings>,
}

impl<'a, H: Host> Job<'a, H> {
    /// A job of that host, on the backend of that name.
    pub fn new(host: &'a H, backend: impl Into<String>) -> Self {
        Self {
            host,
            backend: backend.into(),
            started: Cell::new(None),
            timings: RefCell::default(),
        }
    }

    /// Ends the stage before and begins this one.
    ///
    /// # Errors
    /// [`Failure::Cancelled`].
    pub async fn stage(&self, stage: Stage) -> Result<(), Failure> {
        self.end_stage();
        self.host.emit(Event::Stage(stage));
        self.breathe().await?;
        self.started.set(Some((stage, self.host.now_ms())));
        Ok(())
    }

    /// Yields to the browser once.
    ///
    /// # Errors
    /// [`Failure::Cancelled`].
    pub async fn breathe(&self) -> Result<(), Failure> {
        self.host.pause().await;
        if self.host.cancelled() {
            Err(Failure::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Reads a tensor back, as numbers in row-major order.
    ///
    /// # Errors
    /// [`Failure::NotFinite`] where one is NaN or infinite, [`Failure::EngineLost`] where the
    /// device does not answer, [`Failure::Cancelled`].
    pub async fn read<const D: usize>(&self, tensor: Tensor<D>) -> Result<Vec<f32>, Failure> {
        let lost = |reason: String| Failure::EngineLost { reason };
        let data = tensor
            .into_data_async()
            .await
            .map_err(|e| lost(e.to_string()))?;
        let values = data
            .convert::<f32>()
            .try_into_vec::<f32>()
            .map_err(|e| lost(format!("{e:?}")))?;
        if self.host.cancelled() {
            return Err(Failure::Cancelled);
        }
        if values.iter().all(|v| v.is_finite()) {
            Ok(values)
        } else {
            Err(Failure::NotFinite {
                backend: self.backend.clone(),
            })
        }
    }

    /// Tells how far a job of many steps is.
    pub fn emit_with(&self, event: Event, bytes: Vec<u8>) {
        self.host.emit_with(event, bytes);
    }

    /// See [`Host::pausing`].
    pub fn pausing(&self) -> bool {
        self.host.pausing()
    }

    /// See [`Host::adjusted`].
    pub fn adjusted(&self) -> Option<Settings> {
        self.host.adjusted()
    }

    /// See [`Host::now_ms`].
    pub fn now_ms(&self) -> f64 {
        self.host.now_ms()
    }

    /// Ends the last stage and gives the milliseconds of each.
    pub fn finish(self) -> Timings {
        self.end_stage();
        self.timings.into_inner()
    }

    fn end_stage(&self) {
        if let Some((stage, since)) = self.started.take() {
            self.timings
                .borrow_mut()
                .push((stage, self.host.now_ms() - since));
        }
    }
}
