//! An engine for the time of one command.

use burn::tensor::Device;
use clap::ArgMatches;

use crate::engine::lab::EngineRow;
use crate::engine::native_host::{NativeHost, open_device};
use crate::engine::runner::Engine;
use crate::job::{Host, Job, Reply, Request};
use crate::protocol::card::FILES;
use crate::protocol::failure::Failure;
use crate::protocol::message::{Done, Event};

use super::{cli, sentence};

/// What happens to events.
type OnEvent = Box<dyn Fn(Event, Reply)>;

/// An engine with some labs, on the backend that the flags ask for.
pub struct Session {
    engine: Engine,
    host: NativeHost<OnEvent>,
    /// The device that networks run on.
    pub device: Device,
    backend: String,
}

impl Session {
    /// Opens it; events are of no interest.
    ///
    /// # Errors
    /// [`Failure::NoGpu`], as a sentence.
    pub fn open(arguments: &ArgMatches, labs: &[EngineRow]) -> Result<Self, String> {
        Self::listening(arguments, labs, |_, _| {})
    }

    /// Opens it, with something to do with events.
    ///
    /// # Errors
    /// [`Failure::NoGpu`], as a sentence.
    pub fn listening(
        arguments: &ArgMatches,
        labs: &[EngineRow],
        on_event: impl Fn(Event, Reply) + 'static,
    ) -> Result<Self, String> {
        let (device, backend) = open_device(cli::backend(arguments)).map_err(|f| sentence(&f))?;
        Ok(Self {
            engine: Engine::new(device.clone(), &*backend, FILES, labs),
            host: NativeHost::searching(cli::weights_folders(arguments), Box::new(on_event)),
            device,
            backend,
        })
    }

    /// Asks a lab.
    ///
    /// # Errors
    /// Those of the lab.
    pub fn ask(&mut self, request: Request) -> Result<(Reply, Done), Failure> {
        pollster::block_on(self.engine.answer(&self.host, request))
    }

    /// A job beside those of the engine.
    pub fn job(&self) -> Job<'_> {
        Job::new(&self.host, &*self.backend)
    }

    /// The program around the engine.
    pub fn host(&self) -> &dyn Host {
        &self.host
    }

    /// Name of the backend.
    pub fn backend(&self) -> &str {
        &self.backend
    }
}
