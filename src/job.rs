//! What a lab may ask of the program that runs it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;

use burn::tensor::Tensor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::failure::Failure;
use crate::protocol::layer::Layers;
use crate::protocol::message::{Done, Event, Stage, Timings};
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

/// What will be there later. One thread: nothing has to be `Send`.
pub type Promise<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The program around the engine: a web worker, the command line, or a test.
pub trait Host {
    /// Tells whoever waits what is going on, with what the lab says of it.
    fn emit(&self, event: Event, says: Reply);
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
    /// The bytes of `weights/<file>`, see [`crate::protocol::card::file_name`], with
    /// [`Event::Loading`] while they arrive. `sha256` names the version, for caches.
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
    /// A picture as the bytes of a PNG file.
    fn png<'a>(&'a self, picture: &'a Picture) -> Promise<'a, Result<Vec<u8>, Failure>>;
    /// An opaque picture as the bytes of a JPEG file.
    fn jpeg<'a>(&'a self, picture: &'a Picture) -> Promise<'a, Result<Vec<u8>, Failure>>;
}

/// A file of the visitor's, as the program around the engine has it.
pub trait File {
    /// Checked, decoded, turned as its EXIF data says, and shrunk to
    /// [`MAX_SIDE`](crate::protocol::picture::MAX_SIDE).
    fn picture(&self) -> Promise<'_, Result<Picture, Failure>>;
    /// Its bytes.
    fn bytes(&self) -> Promise<'_, Result<Vec<u8>, Failure>>;
}

/// Files by their names.
pub type Files = Vec<(String, Box<dyn File>)>;

/// What a lab is asked.
pub struct Request {
    /// The lab's own question, as JSON.
    pub text: String,
    /// The lab's settings.
    pub settings: Settings,
    /// What the question needs beside them.
    pub files: Files,
}

impl Request {
    /// A question without files.
    ///
    /// # Panics
    /// Where the question cannot be JSON: that is a bug.
    pub fn new(question: &impl Serialize, settings: &Settings) -> Self {
        Self {
            text: serde_json::to_string(question).expect("questions are plain data"),
            settings: settings.clone(),
            files: Vec::new(),
        }
    }

    /// The same, with a file.
    pub fn with(mut self, name: &str, file: impl File + 'static) -> Self {
        self.files.push((name.into(), Box::new(file)));
        self
    }

    /// The lab's own question.
    ///
    /// # Errors
    /// [`Failure::Misunderstood`] where it is another lab's.
    pub fn question<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.text).map_err(|_| Failure::Misunderstood)
    }

    fn file(&self, name: &str) -> Option<&dyn File> {
        let named = self.files.iter().find(|(known, _)| known == name)?;
        Some(&*named.1)
    }

    /// The picture of that name, if there is one.
    ///
    /// # Errors
    /// Those of [`File::picture`].
    pub async fn picture(&self, name: &str) -> Result<Option<Picture>, Failure> {
        match self.file(name) {
            Some(file) => file.picture().await.map(Some),
            None => Ok(None),
        }
    }

    /// The bytes of the file of that name, if there is one.
    ///
    /// # Errors
    /// Those of [`File::bytes`].
    pub async fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self.file(name) {
            Some(file) => file.bytes().await.map(Some),
            None => Ok(None),
        }
    }
}

/// What a lab answers, or says on the way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    /// The lab's own answer, as JSON; empty where there is nothing to say.
    pub text: String,
    /// Bytes by their names.
    pub files: Vec<(&'static str, Vec<u8>)>,
}

impl Reply {
    /// An answer without files.
    ///
    /// # Panics
    /// Where the answer cannot be JSON: that is a bug.
    pub fn new(answer: &impl Serialize) -> Self {
        Self {
            text: serde_json::to_string(answer).expect("answers are plain data"),
            files: Vec::new(),
        }
    }

    /// The same, with bytes.
    pub fn with(mut self, name: &'static str, bytes: Vec<u8>) -> Self {
        self.files.push((name, bytes));
        self
    }

    /// The lab's own answer.
    ///
    /// # Errors
    /// [`Failure::Misunderstood`] where it is another one's.
    pub fn answer<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.text).map_err(|_| Failure::Misunderstood)
    }

    /// The bytes of that name; none where there are none.
    pub fn file(&self, name: &str) -> &[u8] {
        let named = self.files.iter().find(|(known, _)| *known == name);
        named.map_or(&[], |(_, bytes)| bytes)
    }

    /// The same, to keep.
    pub fn take(&mut self, name: &str) -> Vec<u8> {
        let named = self.files.iter_mut().find(|(known, _)| *known == name);
        named.map_or_else(Vec::new, |(_, bytes)| std::mem::take(bytes))
    }
}

/// Numbers as little-endian bytes, as files of a [`Reply`] hold them.
pub fn bytes_of(numbers: &[f32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// One run of a lab: events, cancelling, timing, and the only way to read a tensor.
pub struct Job<'a> {
    host: &'a dyn Host,
    backend: String,
    /// Whether nobody is told of steps.
    silent: bool,
    started: Cell<Option<(Stage, f64)>>,
    timings: RefCell<Timings>,
}

impl<'a> Job<'a> {
    /// A job of that host, on the backend of that name.
    pub fn new(host: &'a dyn Host, backend: impl Into<String>) -> Self {
        Self {
            host,
            backend: backend.into(),
            silent: false,
            started: Cell::new(None),
            timings: RefCell::default(),
        }
    }

    /// The same, for a part of another job: of its steps nobody is told.
    pub fn silent(self) -> Self {
        Self {
            silent: true,
            ..self
        }
    }

    /// Whether somebody is told of steps: whether it is worth to make what is told.
    pub fn is_heard(&self) -> bool {
        !self.silent
    }

    /// Ends the stage before and begins this one.
    ///
    /// # Errors
    /// [`Failure::Cancelled`].
    pub async fn stage(&self, stage: Stage) -> Result<(), Failure> {
        self.end_stage();
        self.host.emit(Event::Stage(stage), Reply::default());
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

    /// Tells how far a job of many steps is, and what there is to see.
    pub fn report(&self, done: u32, total: u32, says: Reply) {
        if !self.silent {
            self.host.emit(Event::Steps { done, total }, says);
        }
    }

    /// The program around the engine.
    pub fn host(&self) -> &'a dyn Host {
        self.host
    }

    /// Name of the backend.
    pub fn backend(&self) -> &str {
        &self.backend
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

    /// Ends the last stage and tells how it went, but for the network's layers.
    pub fn finish(&self) -> Done {
        self.end_stage();
        Done {
            timings: self.timings.take(),
            memory: self.host.memory_bytes(),
            layers: Layers::default(),
        }
    }

    fn end_stage(&self) {
        if let Some((stage, since)) = self.started.take() {
            self.timings
                .borrow_mut()
                .push((stage, self.host.now_ms() - since));
        }
    }
}
