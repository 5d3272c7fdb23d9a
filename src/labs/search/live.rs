//! A search as its page drives it: how far it is known to be, how it begins, from a button or from a link,
//! and how it goes on.

use leptos::prelude::*;

use super::spec::{Progress, Question};
use super::views::pins::Pin;
use crate::labs::stylize::paintings::OWN;
use crate::labs::stylize::views::paintings;
use crate::page::desk::{Left, RunState};
use crate::page::engine::{self, Payload, now_ms};
use crate::page::state::{Source, State, Trigger};
use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::param::Value;
use crate::protocol::settings::Settings;

/// Name of the setting that says where the style comes from.
const SOURCE: &str = "painting";

/// A search as far as it is known.
#[derive(Debug, Clone)]
pub struct Live {
    /// The last report; its losses are in `history`.
    pub progress: Progress,
    /// What came with it.
    pub says: Payload,
    /// The losses of all steps.
    pub history: Vec<Vec<f32>>,
    /// Milliseconds of the steps, on average since the search began or went on.
    pub step_ms: Option<f64>,
}

/// What a search needs, and what its page shows.
#[derive(Clone, Copy)]
pub struct Needs {
    /// How far the search of a link goes by itself.
    pub sketch: Sketch,
    /// Whether it changes the visitor's picture.
    pub picture: bool,
    /// Whether it takes a style, or an example, from a painting.
    pub style: bool,
    /// Whether what it makes is shown by itself, not over the visitor's picture.
    pub alone: bool,
    /// What is wrong with settings that cannot be begun with: what is there is not thrown away for them.
    pub check: fn(&Settings) -> Result<(), Failure>,
}

impl Needs {
    /// A search of such a sketch that needs nothing.
    pub const fn new(size: u16, steps: u16) -> Self {
        Self {
            sketch: Sketch { size, steps },
            picture: false,
            style: false,
            alone: false,
            check: |_| Ok(()),
        }
    }
}

/// A search small enough to be begun without being asked for: it shows what a link is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch {
    /// Longer side in pixels.
    pub size: u16,
    /// Steps, as the lab counts them.
    pub steps: u16,
}

/// Names of the settings that a sketch bounds.
pub const BOUND: [&str; 2] = ["size", "steps"];

impl Sketch {
    /// The settings, bound to those of a sketch.
    fn of(self, settings: &Settings) -> Settings {
        let mut bound = settings.clone();
        for (name, most) in BOUND.into_iter().zip([self.size, self.steps]) {
            if let Value::Number(number) = *settings.get(name) {
                bound.set(name, Value::Number(number.min(f32::from(most))));
            }
        }
        bound
    }
}

/// The searches of the labs, kept while the visitor is elsewhere.
#[derive(Clone, Copy)]
struct Lives(StoredValue<Vec<(&'static str, Search)>>);

/// The search of a lab.
#[derive(Clone, Copy)]
pub struct Search {
    /// How far it is.
    pub live: RwSignal<Option<Live>, LocalStorage>,
    /// Step and time of the first report since it began or went on.
    began: StoredValue<Option<(u32, f64)>>,
    /// The picture that it changes.
    of: RwSignal<Option<Source>, LocalStorage>,
    /// Whether it is one that a link began, and smaller than the link says.
    pub is_sketch: RwSignal<bool>,
    /// Pictures that the visitor keeps to compare.
    pub pins: RwSignal<Vec<Pin>, LocalStorage>,
}

/// The search of a lab, made when it is first asked for.
pub fn search_of(state: State, lab: &'static LabSpec) -> Search {
    let lives = state.memory(|| Lives(StoredValue::new(Vec::new())));
    let known = lives.0.with_value(|lives| {
        let named = lives.iter().find(|(name, _)| *name == lab.name);
        named.map(|(_, search)| *search)
    });
    known.unwrap_or_else(|| {
        let search = state.lasting(|| {
            let search = Search {
                live: RwSignal::new_local(None),
                began: StoredValue::new(None),
                of: RwSignal::new_local(None),
                is_sketch: RwSignal::new(false),
                pins: RwSignal::new_local(Vec::new()),
            };
            let began_with = state.desk(lab).began_with;
            // What a reset desk showed is gone, and a new worker has no search to go on with.
            Effect::new(move |before: Option<u32>| {
                let workers = state.engine.workers.get();
                let is_reset = began_with.with(Option::is_none);
                if is_reset || before.is_some_and(|before| before != workers) {
                    let desk = state.desk(lab);
                    let had = search.live.with_untracked(Option::is_some);
                    // What runs is begun anew by itself.
                    if had && !is_reset && !untrack(|| desk.is_running()) {
                        desk.state.set(RunState::Idle);
                        desk.left.set(Some(Left::Lost));
                    }
                    search.live.set(None);
                    search.of.set(None);
                }
                workers
            });
            search
        });
        lives.0.update_value(|lives| lives.push((lab.name, search)));
        state.desk(lab).on_says(move |says| search.hear(says));
        search
    })
}

impl Search {
    fn hear(self, says: Payload) {
        let Some(mut progress) = says.read::<Progress>() else {
            return;
        };
        let now = now_ms();
        let (first, since) = self.began.get_value().unwrap_or((progress.step, now));
        self.began.set_value(Some((first, since)));
        let step_ms =
            (progress.step > first).then(|| (now - since) / f64::from(progress.step - first));
        let losses = std::mem::take(&mut progress.losses);
        self.live.update(|live| {
            let mut history = live.take().map(|live| live.history).unwrap_or_default();
            history.extend(losses);
            *live = Some(Live {
                progress,
                says,
                history,
                step_ms,
            });
        });
    }

    fn begin(self, of: Option<Source>, is_sketch: bool) {
        self.began.set_value(None);
        self.is_sketch.set(is_sketch);
        self.live.set(None);
        self.of.set(of);
    }

    /// The picture of this search, where another one is on the stage now.
    pub fn kept(self, state: State) -> Option<Source> {
        let of = self.of.get().filter(|_| self.live.with(Option::is_some))?;
        let is_shown = state
            .source
            .with(|now| now.as_ref().is_some_and(|now| now.is(&of)));
        (!is_shown).then_some(of)
    }
}

/// What such a lab does with its settings.
pub fn act(state: State, settings: &Settings, trigger: Trigger, needs: Needs) {
    let lab = settings.lab();
    let desk = state.desk(lab);
    match trigger {
        Trigger::Run => start(state, settings.clone(), needs, None),
        Trigger::Adjust => desk.adjust(settings),
        // No step is needed for other colours: only another report.
        Trigger::Refine if !untrack(|| desk.is_running()) && can_go_on(state, lab) => {
            go_on(state, settings, Some(0));
        }
        Trigger::Refine => desk.adjust(settings),
    }
}

/// Begins a search, or a sketch of it.
fn start(state: State, settings: Settings, needs: Needs, sketch: Option<Sketch>) {
    let lab = settings.lab();
    if !needs.style {
        return begin(state, &settings, None, needs, sketch);
    }
    paintings::fetch(state, &settings.clone(), SOURCE, move |style| {
        // The visitor may have gone on meanwhile: it begins with the settings and the picture of now.
        let now = state.settings(lab).get_untracked();
        let is_here = state.page.get_untracked().lab() == Some(lab);
        let desk = state.desk(lab);
        // Another painting was chosen meanwhile: it is fetched, too.
        if is_here && now.word(SOURCE) != settings.word(SOURCE) {
            return start(state, now, needs, sketch);
        }
        // Start was pressed while the painting was on its way.
        let too_late = sketch.is_some() && untrack(|| desk.is_running());
        if is_here && !too_late {
            match style {
                None => desk.state.set(RunState::Failed(Failure::NoStyle)),
                style => begin(state, &now, style, needs, sketch),
            }
        }
    });
}

fn begin(
    state: State,
    settings: &Settings,
    style: Option<web_sys::Blob>,
    needs: Needs,
    sketch: Option<Sketch>,
) {
    let of = state.source.get_untracked().filter(|_| needs.picture);
    if needs.picture && of.is_none() {
        return;
    }
    if let Err(failure) = (needs.check)(settings) {
        state
            .desk(settings.lab())
            .state
            .set(RunState::Failed(failure));
        return;
    }
    let picture = of.as_ref().map(|of| of.blob.clone());
    let bound = sketch.map_or_else(|| settings.clone(), |sketch| sketch.of(settings));
    search_of(state, settings.lab()).begin(of, bound != *settings);
    let question = engine::Question::new(&Question::Run, &bound)
        .with("picture", picture)
        .with("style", style);
    state.desk(settings.lab()).run(question);
}

/// Whoever opens a link wants to see what it is of: a sketch of its search begins by itself, where the
/// link says all that it needs and nothing is there already.
pub fn answer_link(state: State, lab: &'static LabSpec, needs: Needs) {
    Effect::new(move |_| {
        let Some((_, sample)) = state.linked.get().filter(|(linked, _)| *linked == lab) else {
            return;
        };
        let shown = state
            .source
            .with(|source| source.as_ref().and_then(|source| source.sample));
        if needs.picture && (shown.is_none() || shown != sample) {
            // It is on its way, or the link is of a picture that did not come with it.
            return;
        }
        state.linked.set(None);
        untrack(|| {
            let settings = state.settings(lab).get();
            let search = search_of(state, lab);
            let has_style = !needs.style || settings.word(SOURCE) != OWN;
            let is_there = search.live.with(Option::is_some) && search.kept(state).is_none();
            if has_style && !is_there && !state.desk(lab).is_running() {
                start(state, settings, needs, Some(needs.sketch));
            }
        });
    });
}

/// Whether there is a search that can be taken further.
pub fn can_go_on(state: State, lab: &'static LabSpec) -> bool {
    let search = search_of(state, lab);
    search.live.with(Option::is_some) && state.desk(lab).has_work() && search.kept(state).is_none()
}

/// Takes the last search further: by `steps`, or as far as the settings say.
pub fn go_on(state: State, settings: &Settings, steps: Option<u32>) {
    let lab = settings.lab();
    search_of(state, lab).began.set_value(None);
    let question = engine::Question::new(&Question::Continue { steps }, settings);
    state.desk(lab).go_on(question);
}
