//! Questions of the generative labs and their answers.

use leptos::prelude::*;
use web_sys::Blob;

use super::{Engine, Status};
use crate::labs::generate::ask::{Ask, Told};
use crate::protocol::failure::Failure;
use crate::protocol::message::{JobId, ToEngine};

/// What is done with an answer of the generative labs.
type Then = Box<dyn FnOnce(Result<(Told, Vec<u8>), Failure>)>;

/// A question that is not answered yet.
pub(super) struct Asked {
    pub(super) job: JobId,
    ask: Ask,
    beside: [Option<Blob>; 2],
    /// Whether it was sent: one that waits for the engine is sent when it is ready.
    pub(super) sent: bool,
    then: Then,
}

impl Engine {
    /// Asks a question of the generative labs; `then` gets the answer. What a lost worker leaves
    /// unanswered is asked again of the next, and answered by a failure where there is none.
    pub fn ask(
        self,
        ask: Ask,
        beside: [Option<Blob>; 2],
        then: impl FnOnce(Result<(Told, Vec<u8>), Failure>) + 'static,
    ) {
        let job = self.take_number();
        self.update(|inner| {
            inner.asked.push(Asked {
                job,
                ask,
                beside,
                sent: false,
                then: Box::new(then),
            });
        });
        let stopped = matches!(self.status.get_untracked(), Status::NotReady(_));
        if stopped || self.with(|inner| inner.worker.is_none()) {
            self.spawn(false);
        }
        self.send_asked();
    }

    pub(super) fn send_asked(self) {
        if !self.is_ready() {
            return;
        }
        let unsent = self.update(|inner| {
            let unsent = inner.asked.iter_mut().filter(|asked| !asked.sent);
            unsent
                .map(|asked| {
                    asked.sent = true;
                    (asked.job, asked.ask.clone(), asked.beside.clone())
                })
                .collect::<Vec<_>>()
        });
        for (job, ask, beside) in unsent {
            let ask = Box::new(ask);
            self.send_both(&ToEngine::Ask { job, ask }, beside);
        }
    }

    /// Hands an answer to whoever asked.
    pub(super) fn tell(self, job: JobId, answer: Result<(Told, Vec<u8>), Failure>) -> bool {
        let then = self.update(|inner| {
            let position = inner.asked.iter().position(|asked| asked.job == job)?;
            Some(inner.asked.remove(position).then)
        });
        match then {
            Some(then) => {
                if answer.is_ok() {
                    self.update(|inner| inner.idle_losses = 0);
                }
                self.loading.set(None);
                then(answer);
                true
            }
            None => false,
        }
    }

    /// Answers every question by a failure.
    pub(super) fn fail_asked(self, failure: &Failure) {
        for asked in self.update(|inner| std::mem::take(&mut inner.asked)) {
            (asked.then)(Err(failure.clone()));
        }
    }
}
