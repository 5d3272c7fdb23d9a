//! Training as the page drives it: it asks for the next steps when it has the answer to the last.

use leptos::prelude::*;
use web_sys::Blob;

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

/// Training under way.
#[derive(Clone, Copy)]
pub struct Session {
    settings: RwSignal<Settings>,
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
    /// Whether training starts by itself once it has begun anew.
    autostart: StoredValue<bool>,
    /// What decides the networks: a change of it begins anew.
    plan: Memo<String>,
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
            autostart: StoredValue::new(false),
            plan,
        };
        Effect::new(move |before: Option<u32>| {
            plan.track();
            session.drawn.track();
            // A new worker has nothing in training.
            let workers = state.engine.workers.get();
            let is_lost = before.is_some_and(|before| before != workers)
                && session.progress.with_untracked(|progress| progress.step > 0);
            session.running.set(false);
            session.begin();
            session.left.set(is_lost.then_some(Left::Lost));
            session.running.set(session.autostart.get_value());
            session.autostart.set_value(false);
            workers
        });
        Effect::new(move |_| {
            if session.running.get() {
                session.left.set(None);
            }
        });
        // Each answer asks for the next steps: as many as fit into the time of an answer.
        Effect::new(move |_| {
            let ms = session.progress.with(|p| p.step_ms);
            if session.running.get() && session.latest.failure.get().is_none() {
                let count = if ms > 0.0 { (ANSWER_MS / ms) as u32 } else { 2 };
                session.step(Steps::Both(count.clamp(1, 50)));
            }
        });
        Effect::new(move |_| {
            if session.latest.failure.get().is_some() {
                session.running.set(false);
            }
        });
        session
    }

    fn ask(self, kind: &'static str, question: Question, file: Option<Blob>) {
        let settings = self.settings.get_untracked();
        let question = engine::Question::new(&question, &settings).with("weights", file);
        self.latest.ask(kind, question, move |says| self.show(says));
    }

    /// Begins training anew.
    pub fn begin(self) {
        self.history.set(Vec::new());
        self.modes.set(Vec::new());
        self.progress.set(Progress::default());
        self.sheet.set(None);
        self.left.set(None);
        self.latest.forget("train");
        let drawn = self.drawn.get_untracked();
        self.ask("begin", Question::Begin { drawn }, None);
    }

    /// Takes steps.
    pub fn step(self, steps: Steps) {
        self.ask("train", Question::Train { steps }, None);
    }

    /// Goes on with the weights of a file.
    pub fn load(self, file: Blob) {
        self.running.set(false);
        let drawn = self.drawn.get_untracked();
        self.ask("load", Question::Load { drawn }, Some(file));
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
        let question = engine::Question::new(&Question::Save, &settings);
        self.latest.ask("save", question, move |says| {
            export::download(&says.file("weights"), "application/octet-stream", &name);
        });
    }

    /// Sets a preset and starts it.
    pub fn choose(self, values: &[(&str, &str)]) {
        let before = self.plan.get_untracked();
        self.autostart.set_value(true);
        self.settings.update(|settings| {
            for (name, text) in values {
                settings.set_text(name, text);
            }
        });
        use_state().write_address();
        self.latest.failure.set(None);
        // The same networks again: nothing else begins them anew.
        if self.plan.get_untracked() == before {
            self.autostart.set_value(false);
            self.begin();
            self.running.set(true);
        }
    }

    /// Starts, or pauses.
    pub fn toggle(self) {
        self.latest.failure.set(None);
        self.running.update(|running| *running = !*running);
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
