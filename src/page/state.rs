//! What the visitor chose: the page, its settings, the picture. The address follows it.

use std::any::{Any, TypeId};
use std::rc::Rc;

use leptos::prelude::*;
use web_sys::{Blob, Url};

use super::desk::Desk;
use super::engine::Engine;
use super::opening::Remark;
use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::link::{Notice, Shared};
use crate::protocol::param::{Effect, Value, row_steps};
use crate::protocol::samples::Sample;
use crate::protocol::settings::Settings;

/// Why a lab is to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A new run: another picture, a setting that needs one, or the visitor's word.
    Run,
    /// Something else is to be made of the last result.
    Refine,
    /// Settings changed that a run under way may take over.
    Adjust,
}

/// A lab's page.
#[derive(Clone, Copy)]
pub struct Room {
    /// The page.
    pub view: fn() -> AnyView,
    /// What the lab does with the settings that it is given. Labs that ask by themselves do nothing.
    pub act: fn(State, &Settings, Trigger),
    /// What invites to it on the front page, for the few that stand there.
    pub door: Option<fn() -> AnyView>,
}

/// A row of the list of labs, as the page needs it.
#[derive(Clone, Copy)]
pub struct PageRow {
    /// The lab.
    pub spec: &'static LabSpec,
    /// Its page.
    pub room: Room,
}

/// What a lab does that asks by itself.
pub fn asks_by_itself(_: State, _: &Settings, _: Trigger) {}

/// The picture on the stage.
#[derive(Clone)]
pub struct Source {
    /// The file.
    pub blob: Blob,
    /// Its `blob:` address, for `<img>`.
    pub url: String,
    /// Its name, for exports.
    pub name: String,
    /// The sample it is, if it is one.
    pub sample: Option<&'static Sample>,
}

impl Source {
    /// Whether it is the same picture: the same sample, or the same file as it was opened.
    pub fn is(&self, other: &Self) -> bool {
        match (self.sample, other.sample) {
            (Some(one), Some(other)) => one == other,
            (None, None) => js_sys::Object::is(&self.blob, &other.blob),
            _ => false,
        }
    }
}

/// What the page keeps of a lab while the visitor is elsewhere.
#[derive(Clone, Copy)]
struct Kept {
    row: PageRow,
    settings: RwSignal<Settings>,
    desk: Desk,
}

/// What is done with a picture.
type Taker = Rc<dyn Fn(Blob)>;

/// What labs keep, by its type.
type Memory = Vec<(TypeId, Box<dyn Any>)>;

/// Everything that the address and the stage depend on.
#[derive(Clone, Copy)]
pub struct State {
    /// Which page is open.
    pub page: RwSignal<Page>,
    /// The picture, shared by the labs.
    pub source: RwSignal<Option<Source>, LocalStorage>,
    /// What of a link was not used.
    pub notices: RwSignal<Vec<Notice>>,
    /// The lab that a link with settings opened, and the sample that it names, until its page has answered
    /// it.
    pub linked: RwSignal<Option<(&'static LabSpec, Option<&'static Sample>)>>,
    /// Why the last file was not taken.
    pub refused: RwSignal<Option<Failure>>,
    /// What is to be known about the last file.
    pub remarks: RwSignal<Vec<Remark>>,
    /// Whether the lab is shown alone and large.
    pub present: RwSignal<bool>,
    /// Whether the browser gives back the pixels that were drawn.
    pub canvas_is_true: bool,
    /// The worker.
    pub engine: Engine,
    labs: StoredValue<Vec<Kept>>,
    /// What labs keep for themselves, by its type.
    memory: StoredValue<Memory, LocalStorage>,
    /// What lives as long as the page.
    owner: StoredValue<Owner>,
    /// What the open page does with a picture, if it is no lab's that works on the one on the stage.
    taker: StoredValue<Option<Taker>, LocalStorage>,
    /// Counts choices of a picture: one that is fetched slowly must not replace a later one.
    choice: StoredValue<u32>,
    /// The same for pictures beside the one on the stage.
    choice_beside: StoredValue<u32>,
    /// When the address was last written, in milliseconds of the page's clock.
    pub(super) address_written: StoredValue<f64>,
    /// Whether it is to be written soon.
    pub(super) address_waits: StoredValue<bool>,
}

/// Where the lab is kept that was last given a picture.
const STORED_LAB: &str = "kiln-lab";

/// The pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The front page.
    Home,
    /// The model cards.
    Models,
    /// A lab.
    Lab(&'static LabSpec),
}

impl Page {
    /// The lab, if it is one.
    pub fn lab(self) -> Option<&'static LabSpec> {
        match self {
            Self::Lab(lab) => Some(lab),
            Self::Home | Self::Models => None,
        }
    }
}

impl State {
    /// A fresh state; nothing is opened yet.
    pub fn new(engine: Engine, rows: Vec<PageRow>) -> Self {
        let kept = |row: PageRow| Kept {
            row,
            settings: RwSignal::new(Settings::opening(row.spec)),
            desk: Desk::new(engine),
        };
        Self {
            page: RwSignal::new(Page::Home),
            source: RwSignal::new_local(None),
            notices: RwSignal::new(Vec::new()),
            linked: RwSignal::new(None),
            refused: RwSignal::new(None),
            remarks: RwSignal::new(Vec::new()),
            present: RwSignal::new(false),
            canvas_is_true: super::export::canvas_is_true(),
            engine,
            labs: StoredValue::new(rows.into_iter().map(kept).collect()),
            memory: StoredValue::new_local(Vec::new()),
            owner: StoredValue::new(Owner::current().expect("made inside the page")),
            taker: StoredValue::new_local(None),
            choice: StoredValue::new(0),
            choice_beside: StoredValue::new(0),
            address_written: StoredValue::new(f64::NEG_INFINITY),
            address_waits: StoredValue::new(false),
        }
    }

    /// All labs, in the order of the navigation.
    pub fn labs(self) -> Vec<PageRow> {
        self.labs
            .with_value(|labs| labs.iter().map(|kept| kept.row).collect())
    }

    pub(super) fn specs(self) -> Vec<&'static LabSpec> {
        self.labs
            .with_value(|labs| labs.iter().map(|kept| kept.row.spec).collect())
    }

    fn kept(self, lab: &LabSpec) -> Kept {
        self.labs.with_value(|labs| {
            let kept = labs.iter().find(|kept| kept.row.spec == lab);
            *kept.expect("every lab has a row")
        })
    }

    /// What a lab keeps for itself while the visitor is elsewhere; made when it is first asked for, and
    /// told apart by its type.
    pub fn memory<T: Clone + 'static>(self, make: impl FnOnce() -> T) -> T {
        let known = self.memory.with_value(|memory| {
            let entry = memory.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
            entry.1.downcast_ref::<T>().cloned()
        });
        known.unwrap_or_else(|| {
            let made = self.lasting(make);
            self.memory.update_value(|memory| {
                memory.push((TypeId::of::<T>(), Box::new(made.clone())));
            });
            made
        })
    }

    /// Makes something whose signals live as long as the page, not as the component that asks.
    pub fn lasting<T>(self, make: impl FnOnce() -> T) -> T {
        self.owner.with_value(|owner| owner.with(make))
    }

    /// Takes what is dropped and pasted in the place of the stage, as long as the component lives that
    /// says so.
    pub fn take_pictures(self, take: impl Fn(Blob) + 'static) {
        self.taker.set_value(Some(Rc::new(take)));
        on_cleanup(move || self.taker.set_value(None));
    }

    /// Hands a picture to the open page, if it takes them.
    pub fn hand_to_page(self, blob: &Blob) -> bool {
        let taker = self.taker.get_value();
        if let Some(take) = &taker {
            self.refused.set(None);
            take(blob.clone());
        }
        taker.is_some()
    }

    /// Begins a choice of a picture; `false` from the returned question once there is a later one.
    pub fn begin_choice(self) -> impl Fn() -> bool {
        begin(self.choice)
    }

    /// The same for a picture that is not for the stage: a style, a background.
    pub fn begin_choice_beside(self) -> impl Fn() -> bool {
        begin(self.choice_beside)
    }

    /// The settings of a lab, kept while the visitor moves between labs.
    pub fn settings(self, lab: &LabSpec) -> RwSignal<Settings> {
        self.kept(lab).settings
    }

    /// The desk of a lab.
    pub fn desk(self, lab: &LabSpec) -> Desk {
        self.kept(lab).desk
    }

    /// Lets a lab do something with its settings.
    pub fn act(self, lab: &LabSpec, trigger: Trigger) {
        let kept = self.kept(lab);
        (kept.row.room.act)(self, &kept.settings.get_untracked(), trigger);
    }

    /// Changes one setting; the address follows, and what the table says of it is done.
    pub fn set(self, lab: &LabSpec, name: &str, value: Value) {
        self.set_all(lab, &[(name, value)]);
    }

    /// Changes one setting to what a text says, where it is one of its values.
    pub fn set_text(self, lab: &LabSpec, name: &str, text: &str) {
        let value = lab.param(name).and_then(|param| param.kind.parse(text));
        if let Some(value) = value {
            self.set(lab, name, value);
        }
    }

    /// Changes several settings at once.
    pub fn set_all(self, lab: &LabSpec, values: &[(&str, Value)]) {
        let settings = self.settings(lab);
        let before = settings.get_untracked();
        let mut after = before.clone();
        for (name, value) in values {
            after.set(name, value.clone());
        }
        after.keep_within();
        if before == after {
            return;
        }
        settings.set(after.clone());
        self.write_address_soon();
        let changed = values
            .iter()
            .filter(|(name, _)| before.get(name) != after.get(name));
        let effects: Vec<Effect> = changed
            .filter_map(|(name, _)| lab.param(name))
            .map(|param| param.causes)
            .collect();
        for (effect, trigger) in [
            (Effect::Rerun, Trigger::Run),
            (Effect::Refine, Trigger::Refine),
            (Effect::Adjust, Trigger::Adjust),
            (Effect::Restart, Trigger::Adjust),
        ] {
            // A new run does all that the others would.
            if effects.contains(&effect) {
                return self.act(lab, trigger);
            }
        }
    }

    /// Changes some numbers of a row.
    pub fn set_in_row(self, lab: &LabSpec, name: &str, changes: &[(usize, f32)]) {
        let value = self
            .settings(lab)
            .with_untracked(|settings| settings.get(name).clone());
        if let Value::Row(mut row) = value {
            for &(index, number) in changes {
                row[index] = row_steps(number);
            }
            self.set(lab, name, Value::Row(row));
        }
    }

    /// Opens another page. What waits to be started stops where it is, until the visitor comes back;
    /// what is light is not worth waiting for.
    pub(super) fn leave_for(self, page: Page) {
        self.linked.set(None);
        let before = self.page.get_untracked();
        if let Some(lab) = before.lab().filter(|_| before != page) {
            let desk = self.desk(lab);
            // Where there is nothing yet, there is nothing to keep, and others wait.
            match lab.starts_by_itself || !untrack(|| desk.has_work()) {
                true => desk.stop_on_leaving(lab),
                false => desk.pause_on_leaving(),
            }
        }
        self.page.set(page);
    }

    /// Opens a lab as it is, without running it.
    pub fn go_to(self, lab: &'static LabSpec) {
        self.leave_for(Page::Lab(lab));
        self.engine.warm_up(self.settings(lab).get_untracked());
    }

    /// Opens a lab with settings and, if it names one, a sample; where the lab is light, the result is
    /// shown at once.
    pub(super) fn open(self, shared: Shared) {
        let lab = shared.settings.lab();
        self.settings(lab).set(shared.settings);
        self.go_to(lab);
        // What runs follows the link, too.
        self.act(lab, Trigger::Adjust);
        let current = self.source.get_untracked();
        match (shared.sample, current) {
            (Some(sample), Some(source)) if source.sample == Some(sample) => self.run_if_light(),
            (Some(sample), _) => self.fetch_sample(sample, Some(lab)),
            (None, Some(_)) => {
                self.write_address();
                self.run_if_light();
            }
            (None, None) => self.write_address(),
        }
    }

    /// Puts a file on the stage and runs the lab on it.
    pub fn take(self, blob: Blob, name: String, sample: Option<&'static Sample>) {
        self.take_for(blob, name, sample, None);
    }

    /// The same; what the settings of a lab whose link was opened say of the picture stays.
    fn take_for(
        self,
        blob: Blob,
        name: String,
        sample: Option<&'static Sample>,
        linked: Option<&'static LabSpec>,
    ) {
        // A sample that is on its way comes too late.
        let _ = self.begin_choice();
        let is_same = sample.is_some()
            && self
                .source
                .with_untracked(|now| now.as_ref().is_some_and(|now| now.sample == sample));
        for lab in self.specs().into_iter().filter(|lab| lab.uses_picture) {
            self.clear(lab);
            if linked != Some(lab) && !is_same {
                self.forget_picture(lab);
            }
        }
        self.put(blob, name, sample);
        self.run_if_light();
    }

    /// Takes back what a lab's settings say of the picture.
    fn forget_picture(self, lab: &LabSpec) {
        let settings = self.settings(lab);
        for param in lab.params.iter().filter(|param| param.of_picture) {
            let default = param.kind.default_value();
            if settings.with_untracked(|settings| *settings.get(param.name) != default) {
                settings.update(|settings| settings.set(param.name, default));
            }
        }
    }

    /// Clears a lab's desk for another picture. What the visitor started and waited for is paused and
    /// kept: the lab offers the way back to it.
    fn clear(self, lab: &LabSpec) {
        let desk = self.desk(lab);
        match !lab.starts_by_itself && untrack(|| desk.has_work()) {
            true => desk.pause(),
            false => desk.reset(),
        }
    }

    /// Puts a file on the stage in the place of another version of it: what the open lab made of that
    /// stays until there is something new.
    pub fn replace_source(self, blob: Blob, name: String) {
        // A sample that is on its way comes too late.
        let _ = self.begin_choice();
        let open = self.page.get_untracked().lab();
        for lab in self.specs() {
            if lab.uses_picture && open != Some(lab) {
                self.clear(lab);
            }
        }
        self.put(blob, name, None);
    }

    fn put(self, blob: Blob, name: String, sample: Option<&'static Sample>) {
        if let Some(old) = self.source.get_untracked() {
            let _ = Url::revoke_object_url(&old.url);
        }
        self.refused.set(None);
        self.remarks.set(Vec::new());
        match Url::create_object_url_with_blob(&blob) {
            Ok(url) => self.source.set(Some(Source {
                blob,
                url,
                name,
                sample,
            })),
            Err(_) => self.refused.set(Some(Failure::NotAPicture)),
        }
        if let Some(lab) = self.page.get_untracked().lab()
            && let Ok(Some(storage)) = window().local_storage()
        {
            // A private window may refuse: Detect is then as good.
            let _ = storage.set_item(STORED_LAB, lab.name);
        }
        self.write_address_soon();
    }

    /// Opens the lab that a picture goes to where no lab is open: the one that was last given one, or the
    /// first.
    pub fn open_for_picture(self) {
        let stored = || window().local_storage().ok()??.get_item(STORED_LAB).ok()?;
        let stored = stored().unwrap_or_default();
        let specs = self.specs();
        let mut takes = specs.iter().copied().filter(|lab| lab.uses_picture);
        let last = takes.clone().find(|lab| lab.name == stored);
        if let Some(lab) = last.or_else(|| takes.next()) {
            self.go_to(lab);
            self.write_address();
        }
    }

    /// Refuses a file with a sentence; what is on the stage stays.
    pub fn refuse(self, failure: Failure) {
        self.refused.set(Some(failure));
    }

    /// Fetches a sample and takes it.
    pub fn take_sample(self, sample: &'static Sample) {
        self.fetch_sample(sample, None);
    }

    fn fetch_sample(self, sample: &'static Sample, linked: Option<&'static LabSpec>) {
        let is_latest = self.begin_choice();
        leptos::task::spawn_local(async move {
            let fetched = super::fetch::sample(sample).await;
            if !is_latest() {
                return;
            }
            match fetched {
                Ok(blob) => {
                    self.take_for(blob, format!("{}.jpg", sample.name), Some(sample), linked)
                }
                Err(failure) => self.refuse(failure),
            }
        });
    }

    /// Runs the open lab, unless it is one that waits for the visitor to start it.
    pub fn run_if_light(self) {
        let lab = self.page.get_untracked().lab();
        if lab.is_some_and(|lab| lab.starts_by_itself) {
            self.run();
        }
    }

    /// Runs the open lab.
    pub fn run(self) {
        if let Some(lab) = self.page.get_untracked().lab() {
            self.act(lab, Trigger::Run);
        }
    }

    /// The file on the stage.
    pub fn picture(self) -> Option<Blob> {
        self.source.get_untracked().map(|source| source.blob)
    }

    /// A name for a file that is made of what is on the stage.
    pub fn file_name(self, suffix: &str) -> String {
        let source = self.source.get_untracked();
        let name = source.map_or("kiln".into(), |source| source.name);
        super::export::file_name(&name, suffix)
    }
}

/// Begins a choice that a later one replaces.
fn begin(choice: StoredValue<u32>) -> impl Fn() -> bool {
    choice.update_value(|number| *number += 1);
    let mine = choice.get_value();
    move || choice.get_value() == mine
}

/// The state of the page that this component is on.
pub fn use_state() -> State {
    expect_context()
}
