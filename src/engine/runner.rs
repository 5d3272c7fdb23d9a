//! The engine: the same call is driven by the worker, the command line and the tests.

use burn::tensor::Device;

use crate::job::{Host, Job, Reply, Request};
use crate::protocol::card::WeightsFile;
use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::message::Done;

use super::lab::{Bench, EngineRow, LabEngine};
use super::shelf::Shelf;

/// A device, the networks that are loaded on it, and what each lab keeps.
pub struct Engine {
    backend: String,
    shelf: Shelf,
    labs: Vec<(&'static LabSpec, Box<dyn LabEngine>)>,
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
            labs: labs.iter().map(|row| (row.spec, (row.make)())).collect(),
        }
    }

    fn parts(
        &mut self,
        name: &str,
    ) -> Result<(&mut Box<dyn LabEngine>, &mut Shelf, &str), Failure> {
        let named = self.labs.iter_mut().find(|(spec, _)| spec.name == name);
        let (_, lab) = named.ok_or(Failure::Misunderstood)?;
        Ok((lab, &mut self.shelf, &self.backend))
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
        let reply = lab.answer(bench, request).await?;
        Ok((reply, job.finish()))
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
        lab.warm_up(Bench { job: &job, shelf }).await
    }
}
