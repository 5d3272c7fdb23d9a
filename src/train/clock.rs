//! A host for tests of the loop, and a run on it.

use std::cell::Cell;

use super::checkpoint::Nowhere;
use super::training::{Numbers, Plan, Report, Trainee, Training};
use crate::job::{Host, Job, Promise, Reply};
use crate::protocol::failure::Failure;
use crate::protocol::message::Event;
use crate::protocol::picture::Picture;

/// Trains up to a step; the losses of each step.
pub fn told<T: Trainee>(training: &mut Training<T>, steps: u64) -> Vec<Numbers> {
    let host = Clock::default();
    let mut told = Vec::new();
    let mut tell = |report| {
        if let Report::Losses { losses, .. } = report {
            told.push(losses);
        }
        Ok(())
    };
    let job = Job::new(&host, "test");
    let plan = Plan::new(steps);
    pollster::block_on(training.run(&job, &plan, &mut Nowhere, &mut tell)).unwrap();
    told
}

/// A host on whose clock each breath takes 100 ms.
#[derive(Default)]
pub struct Clock {
    /// Breaths so far.
    pub breaths: Cell<u32>,
    /// Breaths after which the job is to end with what it has.
    pub pauses_after: Option<u32>,
    /// Breaths after which the job is to stop.
    pub cancels_after: Option<u32>,
}

impl Clock {
    fn has_reached(&self, limit: Option<u32>) -> bool {
        limit.is_some_and(|limit| self.breaths.get() >= limit)
    }
}

impl Host for Clock {
    fn emit(&self, _: Event, _: Reply) {}
    fn cancelled(&self) -> bool {
        self.has_reached(self.cancels_after)
    }
    fn pausing(&self) -> bool {
        self.has_reached(self.pauses_after)
    }
    fn now_ms(&self) -> f64 {
        f64::from(self.breaths.get()) * 100.0
    }
    fn memory_bytes(&self) -> Option<usize> {
        None
    }
    fn pause(&self) -> Promise<'_, ()> {
        self.breaths.set(self.breaths.get() + 1);
        Box::pin(async {})
    }
    fn weights<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: usize,
    ) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async { Err(Failure::NothingInTraining) })
    }
    fn keep_weights<'a>(&'a self, _: &'a str, _: &'a str, _: &'a [u8]) -> Promise<'a, ()> {
        Box::pin(async {})
    }
    fn forget_weights<'a>(&'a self, _: &'a str, _: &'a str) -> Promise<'a, ()> {
        Box::pin(async {})
    }
    fn png<'a>(&'a self, _: &'a Picture) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async { Err(Failure::NothingInTraining) })
    }
    fn jpeg<'a>(&'a self, _: &'a Picture) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async { Err(Failure::NothingInTraining) })
    }
}
