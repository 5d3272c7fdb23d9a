//! The engine: the same call is driven by the worker, the command line and the tests.

use burn::tensor::Device;

use crate::job::{Host, Job, Reply, Request};
use crate::models::layers;
use crate::protocol::card::WeightsFile;
use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::layer::Layers;
use crate::protocol::message::{Done, Stage};
use crate::protocol::settings::Settings;

use super::lab::{Bench, EngineRow, LabEngine};
use super::shelf::Shelf;

/// A lab as an engine has it.
struct Seat {
    spec: &'static LabSpec,
    make: fn() -> Box<dyn LabEngine>,
    lab: Box<dyn LabEngine>,
}

/// A device, the networks that are loaded on it, and what each lab keeps.
pub struct Engine {
    backend: String,
    shelf: Shelf,
    labs: Vec<Seat>,
}

impl Engine {
    /// An engine with some labs on a device that is ready. `backend` is its name for messages.
    pub fn new(
        device: Device,
        backend: impl Into<String>,
        files: &'static [WeightsFile],
        labs: &[EngineRow],
    ) -> Self {
        Self {
            backend: backend.into(),
            shelf: Shelf::new(device, files),
            labs: labs.iter().map(seat).collect(),
        }
    }

    fn parts(
        &mut self,
        name: &str,
    ) -> Result<(&mut Box<dyn LabEngine>, &mut Shelf, &str), Failure> {
        let named = self.labs.iter_mut().find(|seat| seat.spec.name == name);
        let seat = named.ok_or(Failure::Misunderstood)?;
        self.shelf.serve(seat.spec.name);
        Ok((&mut seat.lab, &mut self.shelf, &self.backend))
    }

    /// Answers a lab's question, and tells how it went.
    ///
    /// # Errors
    /// Those of the lab; [`Failure::Misunderstood`] where there is no such lab.
    pub async fn answer(
        &mut self,
        host: &dyn Host,
        request: Request,
    ) -> Result<(Reply, Done), Failure> {
        let (lab, shelf, backend) = self.parts(request.settings.lab().name)?;
        let job = Job::new(host, backend);
        let bench = Bench { job: &job, shelf };
        layers::listen();
        let reply = lab.answer(bench, request).await;
        let heard = layers::heard();
        let reply = reply?;
        let mut done = job.finish();
        let network = done
            .timings
            .iter()
            .find(|(stage, _)| *stage == Stage::Network);
        if let (Some(&(_, ms)), false) = (network, heard.is_empty()) {
            let peak = layers::peak(1);
            done.layers = Layers {
                layers: heard,
                peak,
            }
            .with_rest(ms);
        }
        Ok((reply, done))
    }

    /// Fetches what the first answer of a lab needs.
    ///
    /// # Errors
    /// Those of [`LabEngine::load`].
    pub async fn load(&mut self, host: &dyn Host, name: &str) -> Result<(), Failure> {
        let (lab, shelf, backend) = self.parts(name)?;
        let job = Job::new(host, backend);
        lab.load(Bench { job: &job, shelf }).await
    }

    /// Runs the network of a lab once, so that the visitor's first run is as quick as the others.
    ///
    /// # Errors
    /// Those of [`LabEngine::warm_up`].
    pub async fn warm_up(&mut self, host: &dyn Host, name: &str) -> Result<(), Failure> {
        let (lab, shelf, backend) = self.parts(name)?;
        let job = Job::new(host, backend);
        lab.warm_up(Bench { job: &job, shelf }).await?;
        // Measured now, and not while the visitor waits.
        layers::peak(5);
        Ok(())
    }

    /// Runs what these settings ask for on data of no account; milliseconds.
    ///
    /// # Errors
    /// Those of [`LabEngine::trial`].
    pub async fn trial(&mut self, host: &dyn Host, settings: &Settings) -> Result<f64, Failure> {
        let (lab, shelf, backend) = self.parts(settings.lab().name)?;
        let job = Job::new(host, backend);
        let began = host.now_ms();
        lab.trial(Bench { job: &job, shelf }, settings).await?;
        Ok(host.now_ms() - began)
    }

    /// Whether a lab keeps something that a question may go on with.
    pub fn holds(&self, name: &str) -> bool {
        let seat = self.labs.iter().find(|seat| seat.spec.name == name);
        seat.is_some_and(|seat| seat.lab.holds())
    }

    /// Forgets what a lab keeps, and the networks that it alone uses.
    pub fn forget(&mut self, name: &str) {
        if let Some(seat) = self.labs.iter_mut().find(|seat| seat.spec.name == name) {
            seat.lab = (seat.make)();
            self.shelf.release(seat.spec.name);
        }
    }
}

fn seat(row: &EngineRow) -> Seat {
    Seat {
        spec: row.spec,
        make: row.make,
        lab: (row.make)(),
    }
}
