//! A desk: the run of a lab, its result, and what is made of it. Each lab has one; a page that sets
//! several side by side has several.

use std::rc::Rc;

use leptos::prelude::*;

use super::engine::{CallEvent, Engine, Payload, Question};
use super::export;
use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::message::{CallId, Done, Stage};
use crate::protocol::settings::Settings;

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum RunState {
    /// None was started yet.
    Idle,
    /// Running; with the stage, and bytes of bytes while weights arrive.
    Running {
        stage: Option<Stage>,
        loading: Option<(usize, usize)>,
        /// Steps done, and to do, where there are steps.
        steps: Option<(u32, u32)>,
    },
    /// Ended with a result; how it went.
    Done(Done),
    /// Ended without.
    Failed(Failure),
}

/// What became of a run when the visitor left its lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It was paused and waits.
    Paused,
    /// It had nothing yet, and was stopped.
    Stopped,
    /// It was there, and the engine that had it is gone.
    Lost,
}

/// What is done with what a run says.
type OnSays = Rc<dyn Fn(Payload)>;

#[derive(Default)]
struct Inner {
    running: Option<CallId>,
    /// The settings that the run has, or was told of.
    has: Option<Settings>,
    /// What ran last, to run again where a new worker has no result.
    last: Option<Question>,
    /// The refinement that the worker is at.
    refining: Option<CallId>,
    /// Latest refinement that waits.
    refine_next: Option<Question>,
    on_says: Option<OnSays>,
}

/// See above. Copies are the same desk.
#[derive(Clone, Copy)]
pub struct Desk {
    engine: Engine,
    inner: StoredValue<Inner, LocalStorage>,
    /// Where the run stands.
    pub state: RwSignal<RunState>,
    /// The last result of a run or a refinement.
    pub answer: RwSignal<Option<Payload>, LocalStorage>,
    has_result: RwSignal<bool>,
    /// The settings that the present run began with.
    pub began_with: RwSignal<Option<Settings>>,
    /// What became of the run when the visitor left, until it goes on.
    pub left: RwSignal<Option<Left>>,
}

impl Desk {
    /// An empty desk.
    pub fn new(engine: Engine) -> Self {
        let desk = Self {
            engine,
            inner: StoredValue::new_local(Inner::default()),
            state: RwSignal::new(RunState::Idle),
            answer: RwSignal::new_local(None),
            has_result: RwSignal::new(false),
            began_with: RwSignal::new(None),
            left: RwSignal::new(None),
        };
        // A new worker has nothing to go on with.
        Effect::new(move |_| {
            engine.workers.track();
            desk.has_result.set(false);
            // It begins anew, with all that it was told meanwhile.
            let has = desk.update(|inner| inner.has.clone().filter(|_| inner.running.is_some()));
            if has.is_some() {
                desk.began_with.set(has);
            }
        });
        desk
    }

    fn update<T>(self, change: impl FnOnce(&mut Inner) -> T) -> T {
        self.inner
            .try_update_value(change)
            .expect("desks live as long as the page")
    }

    /// Whether something runs.
    pub fn is_running(self) -> bool {
        self.state
            .with(|state| matches!(state, RunState::Running { .. }))
    }

    /// Whether there is something to go on with: a run that ended, was paused or was cancelled on the
    /// way, in a worker that lives.
    pub fn has_work(self) -> bool {
        self.has_result.get()
    }

    /// What is done with what a run that takes steps says on the way, and at its end.
    pub fn on_says(self, on_says: impl Fn(Payload) + 'static) {
        self.update(|inner| inner.on_says = Some(Rc::new(on_says)));
    }

    /// Runs; what runs already is cancelled.
    pub fn run(self, question: Question) {
        self.has_result.set(false);
        self.began_with.set(Some(question.settings().clone()));
        self.begin(question.clone(), None);
        self.update(|inner| inner.last = Some(question));
    }

    /// Goes on from the last result; a new worker, which has none, runs from the beginning.
    pub fn go_on(self, question: Question) {
        let last = self.update(|inner| inner.last.clone());
        let again = last.map(|last| last.with_settings(question.settings()));
        self.begin(question, again);
    }

    fn begin(self, question: Question, again: Option<Question>) {
        self.cancel();
        self.left.set(None);
        let has = question.settings().clone();
        self.update(|inner| inner.has = Some(has));
        self.state.set(RunState::Running {
            stage: None,
            loading: None,
            steps: None,
        });
        self.update(|inner| {
            if let Some(refining) = inner.refining.take() {
                self.engine.cancel(refining);
            }
            inner.refine_next = None;
        });
        let id = self
            .engine
            .call(question, again, move |told| self.told(told));
        // It may have failed at once.
        if self
            .state
            .with_untracked(|state| matches!(state, RunState::Running { .. }))
        {
            self.update(|inner| inner.running = Some(id));
        }
    }

    fn told(self, told: CallEvent) {
        match told {
            CallEvent::Loading(bytes, total) => self.state.update(|state| {
                if let RunState::Running { loading, .. } = state {
                    *loading = Some((bytes, total));
                }
            }),
            CallEvent::Stage(next) => self.state.update(|state| {
                if let RunState::Running { stage, loading, .. } = state {
                    *stage = Some(next);
                    *loading = None;
                }
            }),
            CallEvent::Steps(done, total, says) => {
                self.state.update(|state| {
                    if let RunState::Running { steps, .. } = state {
                        *steps = Some((done, total));
                    }
                });
                // What was reached stays, also where the run is cancelled.
                self.has_result.set(true);
                self.hear(says);
            }
            CallEvent::Answered(says, done) => {
                self.update(|inner| inner.running = None);
                self.hear(says.clone());
                self.has_result.set(true);
                self.answer.set(Some(says));
                self.state.set(RunState::Done(done));
                self.refine_with_next();
            }
            CallEvent::Failed(failure) => {
                self.update(|inner| inner.running = None);
                self.state.set(RunState::Failed(failure));
            }
        }
    }

    fn hear(self, says: Payload) {
        if let Some(on_says) = self.update(|inner| inner.on_says.clone()) {
            on_says(says);
        }
    }

    /// Makes something else of the last result. Only the latest waits if the worker is busy; where it has
    /// no result any more, the run is repeated with these settings.
    pub fn refine(self, question: Question) {
        let waits = self.update(|inner| {
            let busy = inner.running.is_some() || inner.refining.is_some();
            inner.refine_next = busy.then(|| question.clone());
            busy
        });
        if waits || self.answer.with_untracked(Option::is_none) {
            return;
        }
        let settings = question.settings().clone();
        let id = self.engine.call(question, None, move |told| {
            match told {
                CallEvent::Answered(says, _) => {
                    self.update(|inner| inner.refining = None);
                    self.answer.set(Some(says));
                }
                CallEvent::Failed(failure) => {
                    let last = self.update(|inner| {
                        inner.refining = None;
                        inner.last.clone()
                    });
                    match last {
                        Some(last) => return self.run(last.with_settings(&settings)),
                        None => self.state.set(RunState::Failed(failure)),
                    }
                }
                CallEvent::Loading(..) | CallEvent::Stage(_) | CallEvent::Steps(..) => return,
            }
            self.refine_with_next();
        });
        self.update(|inner| inner.refining = Some(id));
    }

    fn refine_with_next(self) {
        if let Some(question) = self.update(|inner| inner.refine_next.take()) {
            self.refine(question);
        }
    }

    /// Asks for a file and hands it to the visitor.
    pub fn save(self, question: Question, file: &'static str, mime: &'static str, name: String) {
        self.engine.call(question, None, move |told| match told {
            CallEvent::Answered(says, _) => export::download(&says.file(file), mime, &name),
            // A run under way tells how it goes by itself.
            CallEvent::Failed(failure) => {
                if !untrack(|| self.is_running()) {
                    self.state.set(RunState::Failed(failure));
                }
            }
            CallEvent::Loading(..) | CallEvent::Stage(_) | CallEvent::Steps(..) => {}
        });
    }

    /// Stops the run.
    pub fn cancel(self) {
        if let Some(id) = self.update(|inner| inner.running.take()) {
            self.engine.cancel(id);
            self.state.set(RunState::Failed(Failure::Cancelled));
        }
    }

    /// Ends the run after its present step, with what it has.
    pub fn pause(self) {
        if let Some(id) = self.update(|inner| inner.running) {
            self.engine.pause(id);
        }
    }

    /// Pauses, because the visitor leaves.
    pub fn pause_on_leaving(self) {
        if untrack(|| self.is_running()) {
            self.left.set(Some(Left::Paused));
        }
        self.pause();
    }

    /// Stops what has nothing yet, because the visitor leaves. Nobody pressed Cancel: what starts by
    /// itself does so again, of the other it is said.
    pub fn stop_on_leaving(self, lab: &LabSpec) {
        if untrack(|| self.is_running()) {
            self.cancel();
            self.state.set(RunState::Idle);
            self.left
                .set((!lab.starts_by_itself).then_some(Left::Stopped));
        }
    }

    /// Tells the run of other settings.
    pub fn adjust(self, settings: &Settings) {
        let running = self.update(|inner| {
            let has = inner.running.map(|_| settings.clone());
            inner.has = has.or_else(|| inner.has.take());
            inner.running
        });
        if let Some(id) = running {
            self.engine.adjust(id, settings);
        }
    }

    /// Forgets what the last picture showed.
    pub fn reset(self) {
        self.cancel();
        self.update(|inner| {
            if let Some(refining) = inner.refining.take() {
                self.engine.cancel(refining);
            }
            inner.refine_next = None;
            inner.last = None;
        });
        self.state.set(RunState::Idle);
        self.answer.set(None);
        self.has_result.set(false);
        self.began_with.set(None);
        self.left.set(None);
    }
}
