//! What a lab may ask of the program that runs it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;

use burn::tensor::Tensor;

use crate::protocol::failure::Failure;
use crate::protocol::message::{Event, Stage, Timings};
use crate::protocol::settings::Settings;

/// What will be there later. One thread: nothing has to be `Send`.
pub type Promise<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The program around the engine: a web worker, the command line, or a test.
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
    fn pause(&self) -> Promise<'_, ()>;
    /// The bytes of `weights/<file>`, see [`crate::protocol::card::file_name`], with [`Event::Loading`] while they arrive. `sha256`
    /// names the version, for caches.
    fn weights<'a>(
        &'a self,
        name: &'a str,
        sha256: &'a str,
        total: usize,
    ) -> Promise<'a, Result<Vec<u8>, Failure>>;
    /// Bytes whose checksum was right: worth keeping.
    fn keep_weights<'a>(
        &'a self,
        name: &'a str,
        sha256: &'a str,
        bytes: &'a [u8],
    ) -> Promise<'a, ()>;
    /// Bytes whose checksum was wrong: not to be served again.
    fn forget_weights<'a>(&'a self, name: &'a str, sha256: &'a str) -> Promise<'a, ()>;
}

/// One run of a lab: events, cancelling, timing, and the only way to read a tensor.
pub struct Job<'a> {
    host: &'a dyn Host,
    backend: String,
    started: Cell<Option<(Stage, f64)>>,
    timings: RefCell<Timings>,
}

impl<'a> Job<'a> {
    /// A job of that host, on the backend of that name.
    pub fn new(host: &'a dyn Host, backend: impl Into<String>) -> Self {
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
