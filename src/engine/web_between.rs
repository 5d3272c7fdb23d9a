//! What the worker does between calls: it opens WebGPU beside the CPU, compiles what each network needs
//! there, and times both. Whoever asks something goes first.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;

use crate::job::{Host, Request};
use crate::protocol::card::FILES;
use crate::protocol::failure::Failure;
use crate::protocol::message::{BackendChoice, BackendStatus, FromEngine, Reason, Standing};
use crate::protocol::settings::Settings;

use super::lab::Workload;
use super::rivals::{Rivals, Side, is_enough, typical};
use super::runner::Engine;
use super::web_backend::{Opened, on_lost, open_beside};
use super::web_host::{WebHost, post, sleep, within};
use super::web_worker::{Program, gpu_name, if_shaders_compiled};

/// Milliseconds without a question after which nobody waits.
const QUIET_MS: i32 = 150;
/// Milliseconds after which compiling begins although something runs: a search takes minutes, and
/// compiling mostly waits for the browser.
const PATIENCE_MS: f64 = 4_000.0;
/// Milliseconds after which a run on WebGPU will not end any more; on a software adapter they take long.
const TRIAL_MS: i32 = 120_000;

/// What is done between calls.
pub(super) struct Between {
    /// Another one than that of the calls, which run at the same time.
    host: WebHost,
    /// What waits to be compared: the last first.
    waiting: RefCell<Vec<Settings>>,
    /// Whether it is being worked off.
    at_work: Cell<bool>,
    /// Whether both devices are needed for themselves.
    is_timing: Cell<bool>,
    /// Whether there is, or may be, something to compare with.
    is_tried: Cell<bool>,
    /// The side of the last question.
    pub(super) asked_side: Cell<Side>,
}

impl Between {
    pub(super) fn new(base: String) -> Self {
        Self {
            host: WebHost::unheard(base),
            waiting: RefCell::default(),
            at_work: Cell::new(false),
            is_timing: Cell::new(false),
            is_tried: Cell::new(false),
            asked_side: Cell::new(Side::First),
        }
    }

    /// Ends what runs, as soon as it can be ended; it is begun again later.
    pub(super) fn give_way(&self) {
        let mut cancelled = self.host.cancelled.borrow_mut();
        if cancelled.is_empty() {
            cancelled.push(self.host.job.get());
        }
    }

    /// The same, where any question disturbs.
    pub(super) fn give_way_if_timing(&self) {
        if self.is_timing.get() {
            self.give_way();
        }
    }
}

impl Program {
    /// Whether WebGPU serves beside the CPU.
    pub(super) fn second_is_open(&self) -> bool {
        self.rivals.borrow().are_two()
    }

    /// The side that a question is for, and whether it goes on with what is there.
    pub(super) fn side_for(&self, request: &Request) -> (Side, bool) {
        let name = request.settings.lab().name;
        let Some(lab) = self.lab(name) else {
            return (Side::First, false);
        };
        let workload = lab.workload(&request.settings);
        let workload = workload.as_ref().map(|workload| &*workload.name);
        let goes_on = lab.goes_on(request);
        let side = self.rivals.borrow().side_for(name, workload, goes_on);
        (side, goes_on)
    }

    /// Forgets what a lab left on the side that it moved from, if it did. Where that side is busy, it is
    /// put off: nobody is to wait for it.
    pub(super) fn tidy(&self, lab: &str) {
        let moved = self.rivals.borrow_mut().take_moved(lab);
        let Some(home) = moved else {
            return;
        };
        self.tell();
        let left = match home.other() {
            Side::First => &self.first,
            Side::Second => &self.second,
        };
        match left.try_borrow_mut() {
            Ok(mut engine) => {
                if let Some(engine) = engine.as_mut() {
                    engine.forget(lab);
                }
            }
            Err(_) => self.rivals.borrow_mut().put_off(lab),
        }
    }

    /// The GPU beside the CPU was lost. Where a lab is on it, the page starts anew; else the CPU goes on,
    /// and nothing that it has is lost.
    fn lost(&self, reason: String) {
        if self.rivals.borrow().needs_second() {
            return post(&FromEngine::Fatal { reason });
        }
        self.between.is_tried.set(false);
        self.between.waiting.borrow_mut().clear();
        self.between.give_way();
        self.rivals.replace(Rivals::default());
        if let Ok(mut second) = self.second.try_borrow_mut() {
            *second = None;
        }
        post(&FromEngine::Ready(BackendStatus::cpu(Reason::Lost)));
    }

    async fn forget(&self, lab: &str, side: Side) {
        if side == Side::Second {
            // What is compiled for another lab does not matter as much as the next question.
            self.between.give_way();
        }
        if let Some(engine) = self.turn(side).await.as_mut() {
            engine.forget(lab);
        }
    }

    /// Tells the page how the two compare.
    pub(super) fn tell(&self) {
        post(&FromEngine::Ready(self.rivals.borrow().status()));
    }

    /// Waits until nothing was asked for a while, or for so many milliseconds.
    async fn quiet(&self, at_most_ms: f64) {
        let host = &self.between.host;
        let began = host.now_ms();
        loop {
            let asked = self.asked.get();
            sleep(QUIET_MS).await;
            let is_quiet = !self.busy.get() && self.asked.get() == asked;
            // What runs on WebGPU would end at once whatever begins there.
            let is_free = self.between.asked_side.get() == Side::First;
            if is_quiet || is_free && host.now_ms() - began > at_most_ms {
                // From here on, whoever asks ends what begins now.
                host.cancelled.borrow_mut().clear();
                return;
            }
        }
    }

    /// Opens WebGPU beside the CPU, which serves meanwhile.
    pub(super) fn try_gpu(self: &Rc<Self>, choice: BackendChoice, remembered: String) {
        self.between.is_tried.set(true);
        let program = self.clone();
        spawn_local(async move {
            match open_beside(choice, program.quiet(PATIENCE_MS)).await {
                Ok(opened) => program.opened(opened, &remembered).await,
                Err(reason) => {
                    program.between.is_tried.set(false);
                    program.between.waiting.borrow_mut().clear();
                    post(&FromEngine::Ready(BackendStatus::cpu(reason)));
                }
            }
        });
    }

    async fn opened(self: &Rc<Self>, opened: Opened, remembered: &str) {
        let labs = (self.engines)();
        let name = gpu_name(&opened.adapter);
        let engine = Engine::new(opened.device, name, FILES, &labs);
        *self.turn(Side::Second).await = Some(engine);
        self.rivals
            .borrow_mut()
            .open(opened.adapter, opened.difference, remembered);
        let program = self.clone();
        on_lost(move |reason| program.lost(reason));
        self.tell();
        self.work_off();
    }

    /// Has the two compared at what these settings need, as soon as nobody waits, if it was not done
    /// before; and at what is near, where a lab was just opened.
    pub(super) fn compare(self: &Rc<Self>, settings: Settings, is_opened: bool) {
        let lab = self.lab(settings.lab().name);
        let Some(lab) = lab.filter(|_| self.between.is_tried.get()) else {
            return;
        };
        let near = if is_opened { lab.near() } else { Vec::new() };
        {
            let mut waiting = self.between.waiting.borrow_mut();
            for settings in near.into_iter().chain([settings]) {
                waiting.retain(|other| *other != settings);
                waiting.push(settings);
            }
        }
        self.work_off();
    }

    fn work_off(self: &Rc<Self>) {
        if self.second_is_open() && !self.between.at_work.replace(true) {
            let program = self.clone();
            spawn_local(async move {
                loop {
                    let next = program.between.waiting.borrow_mut().pop();
                    let Some(settings) = next else { break };
                    program.compare_at(&settings).await;
                    // Under way, an answer may come to nothing: what was there before is needed then.
                    if !program.busy.get() {
                        let moved = program.rivals.borrow().moved();
                        moved.iter().for_each(|lab| program.tidy(lab));
                    }
                }
                program.between.at_work.set(false);
            });
        }
    }

    async fn compare_at(&self, settings: &Settings) {
        let lab = settings.lab().name;
        let workload = self.lab(lab).and_then(|lab| lab.workload(settings));
        let Some(workload) = workload else { return };
        let name = &*workload.name;
        if self.rivals.borrow().standing(lab, name).is_some() {
            return;
        }
        let recalled = self.rivals.borrow().recalled(lab, name);
        let standing = match recalled {
            Some(standing) if !standing.is_for_gpu() => standing,
            recalled => {
                self.note(lab, name, Standing::Compiling);
                let compared = match (self.compile(settings).await, recalled) {
                    (Err(failure), _) => Err(failure),
                    (Ok(()), Some(standing)) => Ok(standing),
                    (Ok(()), None) => {
                        self.note(lab, name, Standing::Timing);
                        self.time(&workload).await
                    }
                };
                match compared {
                    Ok(standing) => standing,
                    // The next answer, which fetches them, has it compared again.
                    Err(failure) if is_of_weights(&failure) => {
                        self.rivals.borrow_mut().drop_standing(lab, name);
                        return self.tell_if_open();
                    }
                    Err(failure) => Standing::Refused {
                        detail: failure.to_string(),
                    },
                }
            }
        };
        if self.second_is_open() {
            self.settle(lab, name, standing).await;
        }
    }

    fn tell_if_open(&self) {
        if self.second_is_open() {
            self.tell();
        }
    }

    fn note(&self, lab: &str, workload: &str, standing: Standing) {
        if !self.second_is_open() {
            return;
        }
        self.rivals.borrow_mut().note(lab, workload, standing);
        self.tell();
    }

    /// Runs once on WebGPU what the settings ask for.
    async fn compile(&self, settings: &Settings) -> Result<(), Failure> {
        loop {
            self.quiet(PATIENCE_MS).await;
            match self.trial(Side::Second, settings).await {
                Ok(_) => return Ok(()),
                // What was compiled until then stays compiled.
                Err(Failure::Cancelled) if self.second_is_open() => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Times both, in turns, while nobody asks for anything.
    async fn time(&self, workload: &Workload) -> Result<Standing, Failure> {
        self.between.is_timing.set(true);
        let timed = self.time_both(&workload.timed).await;
        self.between.is_timing.set(false);
        timed.map(|[cpu_ms, gpu_ms]| Standing::Timed { cpu_ms, gpu_ms })
    }

    async fn time_both(&self, settings: &Settings) -> Result<[f64; 2], Failure> {
        let mut runs = [Vec::new(), Vec::new()];
        while !runs.iter().all(|runs| is_enough(runs)) {
            self.quiet(f64::INFINITY).await;
            for (side, runs) in [Side::First, Side::Second].into_iter().zip(&mut runs) {
                match self.trial(side, settings).await {
                    Ok(ms) => runs.push(ms),
                    // Someone asks: what was measured before counts.
                    Err(Failure::Cancelled) if self.second_is_open() => break,
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(runs.map(typical))
    }

    /// A run on one side; milliseconds.
    #[allow(clippy::await_holding_refcell_ref)] // whoever asks ends it, and waits for its turn
    async fn trial(&self, side: Side, settings: &Settings) -> Result<f64, Failure> {
        let mut borrowed = self.turn(side).await;
        let engine = borrowed.as_mut().ok_or(Failure::Misunderstood)?;
        let ran = engine.trial(&self.between.host, settings);
        match side {
            Side::First => ran.await,
            Side::Second => {
                let late = || Failure::EngineLost {
                    reason: "it does not answer".into(),
                };
                let ran = within(TRIAL_MS, ran).await.ok_or_else(late);
                // Also where it was ended: nobody else is to find the error.
                if_shaders_compiled(ran)?.flatten()
            }
        }
    }

    /// From now on the faster side serves; what the other had for it goes.
    async fn settle(&self, lab: &str, workload: &str, standing: Standing) {
        let is_new = self.rivals.borrow().recalled(lab, workload).as_ref() != Some(&standing);
        self.note(lab, workload, standing);
        if is_new {
            let text = self.rivals.borrow().to_remember();
            post(&FromEngine::Remember(text));
        }
        self.quiet(f64::INFINITY).await;
        let (home, faster) = {
            let rivals = self.rivals.borrow();
            (rivals.home(lab), rivals.faster(lab, workload))
        };
        if home == faster {
            self.forget(lab, home.other()).await;
        } else if !self.holds(lab, home).await {
            self.rivals.borrow_mut().move_to(lab, faster);
            self.tidy(lab);
        }
    }

    async fn holds(&self, lab: &str, side: Side) -> bool {
        let engine = self.turn(side).await;
        engine.as_ref().is_some_and(|engine| engine.holds(lab))
    }
}

/// Whether weights are to blame, and not a device.
fn is_of_weights(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::WeightsMissing { .. }
            | Failure::WeightsTruncated { .. }
            | Failure::WeightsChanged { .. }
    )
}
