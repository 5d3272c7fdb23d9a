//! Training as the page drives it: it asks for the next steps when it has the answer to the last.

use leptos::prelude::*;
use web_sys::Blob;

use crate::labs::train::presets::{self, Preset};
use crate::labs::train::spec::{LAB, Progress, Question, Steps, Switch, TrainSettings};
use crate::page::desk::Left;
use crate::page::engine::{self, Payload};
use crate::page::export;
use crate::page::latest::Latest;
use crate::page::sheet::Drawn;
use crate::page::state::{State, use_state};
use crate::protocol::param::Effect as Causes;
use crate::protocol::settings::Settings;

/// Milliseconds that an answer may take: often enough to watch, rarely enough to get on.
const ANSWER_MS: f64 = 120.0;
/// Most rows of the history; beyond, every other one goes.
const ROWS: usize = 4000;

/// Rows that make a training worth comparing the next one with.
const WORTH_KEEPING: usize = 10;

/// What the training before showed: the present one is drawn over it, on the same axes.
#[derive(Clone)]
pub struct Before {
    /// What it was.
    pub settings: Settings,
    /// The length of the gradient at the generator by step.
    pub gradient: Vec<[f64; 2]>,
    /// The modes that were covered by step.
    pub modes: Vec<[f64; 2]>,
}

/// Training under way.
#[derive(Clone, Copy)]
pub struct Session {
    /// What the controls say.
    pub settings: RwSignal<Settings>,
    /// The questions.
    pub latest: Latest,
    /// How training stands.
    pub progress: RwSignal<Progress>,
    /// The step of each row, and the row: see [`Progress::history`].
    pub history: RwSignal<Vec<(f64, [f32; 4])>>,
    /// Steps, and the modes that were covered then.
    pub modes: RwSignal<Vec<[f64; 2]>>,
    /// Samples, where pictures are learned.
    pub sheet: RwSignal<Option<Drawn>, LocalStorage>,
    /// The visitor's points.
    pub drawn: RwSignal<Vec<[f32; 2]>>,
    /// Whether the next steps are asked for.
    pub running: RwSignal<bool>,
    /// What became of it while the visitor was elsewhere.
    pub left: RwSignal<Option<Left>>,
    /// What the training before showed, on the same data.
    pub before: RwSignal<Option<Before>>,
    /// The preset whose last step was taken.
    pub ended: RwSignal<Option<&'static str>>,
    /// The steps that training takes by itself once it has begun anew.
    autostart: StoredValue<Option<u64>>,
    /// The step at which it pauses by itself.
    until: StoredValue<Option<u64>>,
    /// What decides the networks: a change of it begins anew.
    plan: Memo<String>,
    /// The settings that the training of the engine began with, or is asked to begin with.
    built: StoredValue<Option<Settings>>,
    /// Whether the engine has said that it began.
    is_begun: StoredValue<bool>,
}

/// The length of the gradient at the generator, of the steps that it took.
pub fn gradient(rows: &[(f64, [f32; 4])]) -> Vec<[f64; 2]> {
    let taken = rows.iter().filter(|(_, row)| row[3] >= 0.0);
    taken
        .map(|(step, row)| [*step, f64::from(row[3])])
        .collect()
}

/// Keeps every other one where there are too many: a curve of thousands of points says no more.
fn thin<T>(all: &mut Vec<T>, most: usize) {
    if all.len() > most {
        let mut keep = 0;
        all.retain(|_| {
            keep += 1;
            keep % 2 == 0
        });
    }
}

impl Session {
    /// The training of the page: begun with the settings as they are when the lab is first opened, kept
    /// while the visitor is elsewhere, and begun anew whenever the settings decide other networks.
    pub fn of_page() -> Self {
        let state = use_state();
        let session = state.memory(|| Self::follow(state));
        on_cleanup(move || {
            if session.running.get_untracked() {
                session.running.set(false);
                session.left.set(Some(Left::Paused));
            }
        });
        session
    }

    fn follow(state: State) -> Self {
        let settings = state.settings(&LAB);
        let plan = Memo::new(move |_| {
            settings.with(|settings| {
                let decides = settings
                    .iter()
                    .filter(|(param, _)| param.causes == Causes::Restart);
                let texts = decides.map(|(param, value)| param.kind.format(value));
                texts.collect::<Vec<_>>().join(" ")
            })
        });
        let session = Self {
            settings,
            latest: Latest::new(state.engine),
            progress: RwSignal::new(Progress::default()),
            history: RwSignal::new(Vec::new()),
            modes: RwSignal::new(Vec::new()),
            sheet: RwSignal::new_local(None),
            drawn: RwSignal::new(Vec::new()),
            running: RwSignal::new(false),
            left: RwSignal::new(None),
            before: RwSignal::new(None),
            ended: RwSignal::new(None),
            autostart: StoredValue::new(None),
            until: StoredValue::new(None),
            plan,
            built: StoredValue::new(None),
            is_begun: StoredValue::new(false),
        };
        Effect::new(move |before: Option<u32>| {
            // A memo that is tracked and never read is never computed, and tells of no change.
            plan.get();
            session.drawn.track();
            // A new worker has nothing in training.
            let workers = state.engine.workers.get();
            let is_lost = before.is_some_and(|before| before != workers)
                && session.progress.with_untracked(|progress| progress.step > 0);
            session.running.set(false);
            session.begin();
            session.left.set(is_lost.then_some(Left::Lost));
            if let Some(steps) = session.autostart.try_update_value(Option::take).flatten() {
                session.run_for(steps);
            }
            workers
        });
        Effect::new(move |_| {
            if session.running.get() {
                session.left.set(None);
            }
        });
        // Each answer asks for the next steps: as many as fit into the time of an answer.
        Effect::new(move |_| {
            let (step, ms) = session.progress.with(|p| (p.step, p.step_ms));
            // Of what is out, the answer says how far it has come.
            let waits = session.latest.busy.get();
            if session.running.get() && !waits && session.latest.failure.get().is_none() {
                let count = if ms > 0.0 { (ANSWER_MS / ms) as u32 } else { 2 };
                match session.left_to(step) {
                    Some(0) => session.end(),
                    left => session.step(Steps::Both(count.clamp(1, left.unwrap_or(50).min(50)))),
                }
            }
        });
        Effect::new(move |_| {
            if session.latest.failure.get().is_some() {
                session.running.set(false);
                // What could not begin is not there: the next step begins it.
                if !session.is_begun.get_value() {
                    session.built.set_value(None);
                }
            }
        });
        session
    }

    fn ask(
        self,
        kind: &'static str,
        question: Question,
        file: Option<Blob>,
        then: impl Fn() + 'static,
    ) {
        let settings = self.settings.get_untracked();
        let question = engine::Question::new(&question, &settings).with("weights", file);
        self.latest.ask(kind, question, move |says| {
            then();
            self.show(says);
        });
    }

    /// The preset that the controls say.
    pub fn preset(self) -> Signal<Option<&'static Preset>> {
        Signal::derive(move || self.settings.with(presets::of))
    }

    /// Begins training anew.
    pub fn begin(self) {
        let settings = self.settings.get_untracked();
        self.keep(&settings);
        self.history.set(Vec::new());
        self.modes.set(Vec::new());
        self.progress.set(Progress::default());
        self.sheet.set(None);
        self.left.set(None);
        self.ended.set(None);
        self.until.set_value(None);
        self.built.set_value(Some(settings));
        self.is_begun.set_value(false);
        self.latest.forget("train");
        let drawn = self.drawn.get_untracked();
        let begun = move || self.is_begun.set_value(true);
        self.ask("begin", Question::Begin { drawn }, None, begun);
    }

    /// Keeps what the training that ends showed, for one on the same data.
    fn keep(self, next: &Settings) {
        let Some(settings) = self.built.get_value() else {
            return;
        };
        let is_same = LAB.waiting(next, &settings).is_empty();
        let learned = |settings: &Settings| settings.read::<TrainSettings>().learned;
        if learned(next) != learned(&settings) {
            self.before.set(None);
        } else if !is_same && self.history.with_untracked(Vec::len) >= WORTH_KEEPING {
            // Where the generator was held still, its modes say nothing.
            let moved = settings.read::<TrainSettings>().rate_g > 0.0;
            let modes = self.modes.get_untracked();
            self.before.set(Some(Before {
                settings,
                gradient: self.history.with_untracked(|rows| gradient(rows)),
                modes: if moved { modes } else { Vec::new() },
            }));
        }
    }

    /// Whether the engine has, or is asked for, what the settings say. It has not where it could not
    /// begin.
    fn is_built(self) -> bool {
        let waits = |built: &Settings| {
            self.settings
                .with_untracked(|settings| LAB.waiting(settings, built).is_empty())
        };
        self.built.with_value(|built| built.as_ref().is_some_and(waits))
    }

    /// Takes steps; of what the settings say, whatever was in training.
    pub fn step(self, steps: Steps) {
        if !self.is_built() {
            self.begin();
        }
        self.ask("train", Question::Train { steps }, None, || {});
    }

    /// Takes so many steps, and pauses.
    fn run_for(self, steps: u64) {
        let step = self.progress.with_untracked(|progress| progress.step);
        self.ended.set(None);
        self.until.set_value(Some(step + steps));
        self.running.set(true);
    }

    /// Steps until it pauses by itself: as long as the settings are a preset's.
    fn left_to(self, step: u64) -> Option<u32> {
        let until = self.until.get_value()?;
        self.settings.with_untracked(presets::of)?;
        Some(until.saturating_sub(step).try_into().unwrap_or(u32::MAX))
    }

    /// The steps of a preset were taken.
    fn end(self) {
        self.until.set_value(None);
        self.running.set(false);
        let preset = self.settings.with_untracked(presets::of);
        self.ended.set(preset.map(|preset| preset.name));
    }

    /// Goes on with the weights of a file.
    pub fn load(self, file: Blob) {
        self.running.set(false);
        let drawn = self.drawn.get_untracked();
        let settings = self.settings.get_untracked();
        let built = move || {
            self.built.set_value(Some(settings.clone()));
            self.is_begun.set_value(true);
        };
        self.ask("load", Question::Load { drawn }, Some(file), built);
    }

    /// Hands the weights to the visitor; the name says which settings they fit.
    pub fn save(self) {
        let settings = self.settings.get_untracked();
        let word = |name| settings.word(name);
        let norm = match settings.read::<TrainSettings>().spectral_norm {
            Switch::On => "-spectral-norm",
            Switch::Off => "",
        };
        let latent = LAB.param("latent").expect("a row of the table");
        let name = format!(
            "kiln-gan-{}-{}{norm}-{}-latent-{}.bpk",
            word("shape"),
            word("objective"),
            word("networks"),
            latent.kind.format(settings.get("latent"))
        );
        if !self.is_built() {
            self.begin();
        }
        let question = engine::Question::new(&Question::Save, &settings);
        self.latest.ask("save", question, move |says| {
            export::download(&says.file("weights"), "application/octet-stream", &name);
        });
    }

    /// Sets a preset and starts it.
    pub fn choose(self, preset: &'static Preset) {
        let before = self.plan.get_untracked();
        self.autostart.set_value(Some(preset.steps));
        self.settings.update(|settings| {
            for (name, text) in preset.values {
                settings.set_text(name, text);
            }
        });
        use_state().write_address();
        self.latest.failure.set(None);
        // The same networks again: nothing else begins them anew.
        if self.plan.get_untracked() == before {
            self.autostart.set_value(None);
            let is_under_way = self.progress.with_untracked(|progress| progress.step > 0);
            if !(preset.goes_on && is_under_way && self.is_built()) {
                self.begin();
            }
            self.run_for(preset.steps);
        }
    }

    /// Starts, or pauses.
    pub fn toggle(self) {
        self.latest.failure.set(None);
        if !self.running.get_untracked() && !self.is_built() {
            self.begin();
        }
        let is_fresh = self.progress.with_untracked(|progress| progress.step == 0);
        match self.settings.with_untracked(presets::of) {
            // A link that sets a preset leaves the start to the visitor.
            Some(preset) if is_fresh && !self.running.get_untracked() => self.run_for(preset.steps),
            Some(_) | None => self.running.update(|running| *running = !*running),
        }
    }

    fn show(self, says: Payload) {
        let Some(now) = says.read::<Progress>() else {
            return;
        };
        // The visitor may have left the page meanwhile.
        if self.progress.try_with_untracked(|p| p.step > now.step) == Some(true) {
            let _ = self.history.try_set(Vec::new());
            let _ = self.modes.try_set(Vec::new());
        }
        let _ = self.history.try_update(|all| {
            let first = (now.step as f64 - now.history.len() as f64).max(0.0);
            let rows = now.history.iter().enumerate();
            all.extend(rows.map(|(i, row)| (first + i as f64 + 1.0, *row)));
            thin(all, ROWS);
        });
        if let Some([covered, _]) = now.plane.as_ref().and_then(|plane| plane.modes) {
            let _ = self.modes.try_update(|all| {
                all.push([now.step as f64, f64::from(covered)]);
                thin(all, ROWS / 4);
            });
        }
        if let Some(sheet) = now.sheet {
            let _ = self.sheet.try_set(Some((sheet, says.file("rgba"))));
        }
        let _ = self.progress.try_set(now);
    }
}
