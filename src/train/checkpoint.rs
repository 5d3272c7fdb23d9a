//! What a run goes on from after it was interrupted.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;

use crate::job::Promise;
use crate::protocol::failure::Failure;

/// The state of a run between two steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Steps done.
    pub step: u64,
    /// Networks, states of optimisers and averages as bytes, by name.
    pub parts: BTreeMap<String, Vec<u8>>,
}

/// Where checkpoints are kept: files beside the weights, or memory.
pub trait Storage {
    /// Whether anything is kept. Where nothing is, a program needs no code that makes checkpoints.
    const KEEPS: bool = true;
    /// Keeps a checkpoint in place of the one before: after a failure the one before is still whole.
    fn keep(&mut self, checkpoint: Checkpoint) -> Promise<'_, Result<(), Failure>>;
    /// The checkpoint that was kept last.
    fn last(&self) -> Promise<'_, Result<Checkpoint, Failure>>;
}

/// Keeps nothing: for runs of a few steps, whose owner keeps the trainee.
#[derive(Debug, Default)]
pub struct Nowhere;

impl Storage for Nowhere {
    const KEEPS: bool = false;

    fn keep(&mut self, _: Checkpoint) -> Promise<'_, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }

    fn last(&self) -> Promise<'_, Result<Checkpoint, Failure>> {
        Box::pin(async { Err(Failure::NothingInTraining) })
    }
}

/// Keeps the last checkpoint as long as the program runs.
#[derive(Debug, Default)]
pub struct Memory(Option<Checkpoint>);

impl Storage for Memory {
    fn keep(&mut self, checkpoint: Checkpoint) -> Promise<'_, Result<(), Failure>> {
        self.0 = Some(checkpoint);
        Box::pin(async { Ok(()) })
    }

    fn last(&self) -> Promise<'_, Result<Checkpoint, Failure>> {
        let last = self.0.clone();
        Box::pin(async { last.ok_or(Failure::NothingInTraining) })
    }
}

impl Checkpoint {
    /// Puts a network in, in full precision.
    ///
    /// # Errors
    /// [`Failure::EngineLost`] where it cannot be packed.
    pub fn put_network<M: Module>(&mut self, part: &str, network: &M) -> Result<(), Failure> {
        let bytes = network.clone().into_record().into_bytes();
        self.put(part, bytes.map_err(|error| error.to_string()))
    }

    /// The network of that name, in place of the one that is given.
    ///
    /// # Errors
    /// [`Failure::WeightsOfAnother`] where the part is missing, damaged or of another network.
    pub fn network<M: Module>(&self, part: &str, network: M) -> Result<M, Failure> {
        let record = ModuleRecord::from_bytes(self.bytes(part)?);
        let record = record.map_err(|_| Failure::WeightsOfAnother)?;
        let loaded = network.try_load_record(record);
        loaded.map_err(|_| Failure::WeightsOfAnother)
    }

    /// Puts the state of an optimiser in.
    ///
    /// # Errors
    /// [`Failure::EngineLost`] where it cannot be packed.
    pub fn put_optimiser(&mut self, part: &str, state: &ModuleOptimizer) -> Result<(), Failure> {
        self.put(part, state.into_bytes().map_err(|error| error.to_string()))
    }

    /// The optimiser with the state of that name.
    ///
    /// # Errors
    /// [`Failure::WeightsOfAnother`] where the part is missing or damaged.
    pub fn optimiser(
        &self,
        part: &str,
        fresh: ModuleOptimizer,
    ) -> Result<ModuleOptimizer, Failure> {
        let filled = fresh.from_bytes(self.bytes(part)?);
        filled.map_err(|_| Failure::WeightsOfAnother)
    }

    fn put(&mut self, part: &str, bytes: Result<Bytes, String>) -> Result<(), Failure> {
        let bytes = bytes.map_err(|reason| Failure::EngineLost { reason })?;
        self.parts.insert(part.into(), bytes.to_vec());
        Ok(())
    }

    fn bytes(&self, part: &str) -> Result<Bytes, Failure> {
        let bytes = self.parts.get(part).ok_or(Failure::WeightsOfAnother)?;
        Ok(Bytes::from_bytes_vec(bytes.clone()))
    }
}
