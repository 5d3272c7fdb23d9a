//! What the visitor chose: the page, its settings, the picture. The address follows it.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::{Blob, Url};

use super::engine::Engine;
use crate::labs::detect::spec as detect;
use crate::labs::search::spec as optimise;
use crate::labs::stylize::spec::{self as stylize, Region};
use crate::labs::stylize::views::pad::Ink;
use crate::protocol::failure::Failure;
use crate::protocol::link::{self, Notice, Route, Shared};
use crate::protocol::params::{Lab, Value, row_steps};
use crate::protocol::samples::Sample;
use crate::protocol::settings::Settings;

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

/// Everything that the address and the stage depend on.
#[derive(Clone, Copy)]
pub struct State {
    /// Which page is open.
    pub page: RwSignal<Page>,
    /// Settings of each lab, kept while the visitor moves between labs.
    pub detect: RwSignal<Settings>,
    /// See `detect`.
    pub segment: RwSignal<Settings>,
    /// See `detect`.
    pub stylize: RwSignal<Settings>,
    /// See `detect`.
    pub gatys: RwSignal<Settings>,
    /// See `detect`.
    pub texture: RwSignal<Settings>,
    /// See `detect`.
    pub dream: RwSignal<Settings>,
    /// Settings of the generative labs: sample, encode, train, divergence, scores.
    pub generative: [RwSignal<Settings>; 5],
    /// The picture, shared by the labs.
    pub source: RwSignal<Option<Source>, LocalStorage>,
    /// The visitor's own picture to take a style from.
    pub style_picture: RwSignal<Option<Blob>, LocalStorage>,
    /// What the visitor drew on the pad.
    pub sketch: RwSignal<Vec<Ink>>,
    /// Where the visitor wants which style.
    pub regions: RwSignal<Vec<Region>>,
    /// What of a link was not used.
    pub notices: RwSignal<Vec<Notice>>,
    /// Why the last file was not taken.
    pub refused: RwSignal<Option<Failure>>,
    /// The worker.
    pub engine: Engine,
    /// Counts choices of a picture: one that is fetched slowly must not replace a later one.
    choice: StoredValue<u32>,
    /// When the address was last written, in milliseconds of the page's clock.
    address_written: StoredValue<f64>,
    /// Whether it is to be written soon.
    address_waits: StoredValue<bool>,
}

/// Milliseconds between two changes of the address while a slider is dragged.
const ADDRESS_EVERY_MS: f64 = 200.0;

/// The generative labs, in the order of [`State::generative`].
const GENERATIVE: [Lab; 5] = [
    Lab::Sample,
    Lab::Encode,
    Lab::Train,
    Lab::Divergence,
    Lab::Scores,
];

/// The pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The front page.
    Home,
    /// The model cards.
    Models,
    /// A lab.
    Lab(Lab),
}

impl State {
    /// A fresh state; nothing is opened yet.
    pub fn new(engine: Engine) -> Self {
        Self {
            page: RwSignal::new(Page::Home),
            detect: RwSignal::new(Settings::new(Lab::Detect)),
            segment: RwSignal::new(Settings::new(Lab::Segment)),
            stylize: RwSignal::new(Settings::new(Lab::Stylize)),
            gatys: RwSignal::new(Settings::new(Lab::Gatys)),
            texture: RwSignal::new(Settings::new(Lab::Texture)),
            dream: RwSignal::new(Settings::new(Lab::Dream)),
            generative: GENERATIVE.map(|lab| RwSignal::new(Settings::new(lab))),
            source: RwSignal::new_local(None),
            style_picture: RwSignal::new_local(None),
            sketch: RwSignal::new(Vec::new()),
            regions: RwSignal::new(Vec::new()),
            notices: RwSignal::new(Vec::new()),
            refused: RwSignal::new(None),
            engine,
            choice: StoredValue::new(0),
            address_written: StoredValue::new(f64::NEG_INFINITY),
            address_waits: StoredValue::new(false),
        }
    }

    /// Begins a choice of a picture; `false` from the returned question once there is a later one.
    pub fn begin_choice(self) -> impl Fn() -> bool {
        let choice = self.choice;
        choice.update_value(|number| *number += 1);
        let mine = choice.get_value();
        move || choice.get_value() == mine
    }

    /// The settings of a lab.
    pub fn settings(self, lab: Lab) -> RwSignal<Settings> {
        match lab {
            Lab::Detect => self.detect,
            Lab::Segment => self.segment,
            Lab::Stylize => self.stylize,
            Lab::Gatys => self.gatys,
            Lab::Texture => self.texture,
            Lab::Dream => self.dream,
            Lab::Sample | Lab::Encode | Lab::Train | Lab::Divergence | Lab::Scores => {
                let place = GENERATIVE.iter().position(|&known| known == lab);
                self.generative[place.expect("GENERATIVE has them all")]
            }
        }
    }

    /// Changes one setting; the address follows, and the result is refined where that is enough, or
    /// made anew.
    pub fn set(self, lab: Lab, name: &str, value: Value) {
        let before = self.settings(lab).get_untracked();
        self.settings(lab).update(|settings| {
            settings.set(name, value);
            // Choosing a built-in style is choosing not to paint after a picture.
            if (lab, name) == (Lab::Stylize, stylize::STYLE) {
                settings.set(stylize::SOURCE, Value::Choice(0));
            }
        });
        let after = self.settings(lab).get_untracked();
        if before == after {
            return;
        }
        self.write_address_soon();
        match (lab, name) {
            (Lab::Detect, detect::SCORE | detect::IOU)
            | (Lab::Stylize, stylize::STRENGTH | stylize::COLORS) => self.engine.refine(after),
            (Lab::Stylize, _) => self.run(),
            (Lab::Gatys | Lab::Texture | Lab::Dream, _) => {
                self.engine.adjust(after.clone());
                // No step is needed for other colours: only another report.
                if name == optimise::COLORS && self.engine.has_paused_search(lab) {
                    self.engine.go_on(after, Some(0));
                }
            }
            // The page draws the rest itself.
            _ => {}
        }
    }

    /// Changes some numbers of a row.
    pub fn set_in_row(self, lab: Lab, name: &str, changes: &[(usize, f32)]) {
        if let Value::Row(mut row) = self.settings(lab).with_untracked(|s| s.get(name)) {
            for &(index, number) in changes {
                row[index] = row_steps(number);
            }
            self.set(lab, name, Value::Row(row));
        }
    }

    /// Opens what the address says.
    pub fn read_address(self) {
        let hash = window().location().hash().unwrap_or_default();
        let fragment = js_sys::decode_uri_component(&hash).map_or(hash, String::from);
        self.address_waits.set_value(false);
        let (route, notices) = link::decode(&fragment);
        self.notices.set(notices);
        self.refused.set(None);
        match route {
            Route::Home => self.leave_for(Page::Home),
            Route::Models => self.leave_for(Page::Models),
            Route::Lab(mut shared) => {
                // A bare link of the navigation keeps what the visitor had set.
                if !fragment.contains('?') {
                    shared.settings = self.settings(shared.settings.lab()).get_untracked();
                }
                self.open(shared);
            }
        }
    }

    /// Opens a page that is no lab. A search waits there for the visitor to come back.
    fn leave_for(self, page: Page) {
        if let Page::Lab(lab) = self.page.get_untracked()
            && lab.takes_steps()
        {
            self.engine.pause();
        }
        self.page.set(page);
    }

    /// Opens a lab with settings and, if it names one, a sample; where the lab is light, the result is
    /// shown at once.
    fn open(self, shared: Shared) {
        let lab = shared.settings.lab();
        if self.page.get_untracked() != Page::Lab(lab) && !self.engine.has_search(lab) {
            self.engine.reset();
        }
        if lab.takes_steps() {
            // A search that runs follows the link, too.
            self.engine.adjust(shared.settings.clone());
        }
        self.settings(lab).set(shared.settings);
        self.page.set(Page::Lab(lab));
        self.engine.warm_up(lab);
        let current = self.source.get_untracked();
        match (shared.sample, current) {
            (Some(sample), Some(source)) if source.sample == Some(sample) => self.run_if_light(),
            (Some(sample), _) => self.take_sample(sample),
            (None, Some(_)) => {
                self.write_address();
                self.run_if_light();
            }
            (None, None) => self.write_address(),
        }
    }

    /// Puts a file on the stage and runs the lab on it.
    pub fn take(self, blob: Blob, name: String, sample: Option<&'static Sample>) {
        self.engine.reset();
        self.put(blob, name, sample);
        self.run_if_light();
    }

    /// Puts a file on the stage in the place of another version of it: what was made of that stays
    /// until there is something new.
    pub fn replace_source(self, blob: Blob, name: String) {
        // A sample that is on its way comes too late.
        let _ = self.begin_choice();
        self.put(blob, name, None);
    }

    fn put(self, blob: Blob, name: String, sample: Option<&'static Sample>) {
        if let Some(old) = self.source.get_untracked() {
            let _ = Url::revoke_object_url(&old.url);
        }
        self.refused.set(None);
        match Url::create_object_url_with_blob(&blob) {
            Ok(url) => self.source.set(Some(Source {
                blob,
                url,
                name,
                sample,
            })),
            Err(_) => self.refused.set(Some(Failure::NotAPicture)),
        }
        self.write_address();
    }

    /// Refuses a file with a sentence; what is on the stage stays.
    pub fn refuse(self, failure: Failure) {
        self.refused.set(Some(failure));
    }

    /// Fetches a sample and takes it.
    pub fn take_sample(self, sample: &'static Sample) {
        let is_latest = self.begin_choice();
        leptos::task::spawn_local(async move {
            let fetched = super::intake::fetch_sample(sample).await;
            if !is_latest() {
                return;
            }
            match fetched {
                Ok(blob) => self.take(blob, format!("{}.jpg", sample.name), Some(sample)),
                Err(failure) => self.refuse(failure),
            }
        });
    }

    /// Runs the open lab, unless it is one that waits for the visitor to start it.
    fn run_if_light(self) {
        if !matches!(self.page.get_untracked(), Page::Lab(lab) if lab.takes_steps()) {
            self.run();
        }
    }

    /// Runs the open lab on the picture.
    pub fn run(self) {
        let Page::Lab(lab) = self.page.get_untracked() else {
            return;
        };
        self.run_with(self.settings(lab).get_untracked());
    }

    /// Runs the lab of some settings on the picture.
    pub fn run_with(self, settings: Settings) {
        let lab = settings.lab();
        // These ask by themselves.
        if lab.generates() {
            return;
        }
        let kept = self.settings(lab).get_untracked();
        let source = self.source.get_untracked().map(|source| source.blob);
        let style = match lab {
            Lab::Stylize | Lab::Gatys | Lab::Texture => settings.choice(stylize::SOURCE),
            _ => stylize::BUILT_IN,
        };
        match style {
            stylize::BUILT_IN => self.run_on(settings, source, None),
            stylize::OWN => {
                let style = self.style_picture.get_untracked();
                self.run_on(settings, source, style);
            }
            painting => leptos::task::spawn_local(async move {
                let fetched = super::intake::fetch_picture("paintings", painting).await;
                // The visitor may have gone on meanwhile: what takes steps begins with the settings and
                // the picture of now, what is light runs again by itself.
                let now = self.settings(lab).get_untracked();
                let unchanged = self.page.get_untracked() == Page::Lab(lab)
                    && (now == kept
                        || lab.takes_steps() && now.choice(stylize::SOURCE) == painting);
                let settings = if lab.takes_steps() { now } else { settings };
                let source = self.source.get_untracked().map(|source| source.blob);
                match fetched {
                    _ if !unchanged => {}
                    Ok(style) => self.run_on(settings, source, Some(style)),
                    Err(failure) => self.refuse(failure),
                }
            }),
        }
    }

    /// Runs a lab on the pictures that it needs, if they are there. A texture has an example and no
    /// content; without a style picture the engine says what to do.
    fn run_on(self, settings: Settings, source: Option<Blob>, style: Option<Blob>) {
        match (settings.lab(), source, style) {
            (Lab::Texture, _, Some(example)) => self.engine.run(settings, example, None),
            (Lab::Texture, _, None) => self.refuse(Failure::NoStyle),
            (_, Some(source), style) => self.engine.run(settings, source, style),
            (_, None, _) => {}
        }
    }

    /// Takes a picture of the visitor's as the style.
    pub fn take_style(self, blob: Blob) {
        self.refused.set(None);
        self.style_picture.set(Some(blob));
        if let Page::Lab(lab) = self.page.get_untracked() {
            self.settings(lab).update(|settings| {
                settings.set_text(stylize::SOURCE, stylize::OWN);
            });
            self.write_address();
            self.run_if_light();
        }
    }

    /// The link to what is on the page.
    pub fn link(self) -> String {
        let fragment = match self.page.get_untracked() {
            Page::Home => "#/".into(),
            Page::Models => "#/models".into(),
            Page::Lab(lab) => link::encode(&Shared {
                settings: self.settings(lab).get_untracked(),
                // A lab that generates has no use for the photograph of another.
                sample: self
                    .source
                    .get_untracked()
                    .filter(|_| !lab.generates())
                    .and_then(|source| source.sample),
            }),
        };
        let href = window().location().href().unwrap_or_default();
        format!("{}{fragment}", href.split('#').next().unwrap_or_default())
    }

    /// Puts the link into the address bar, at once or soon: a slider that is dragged changes it more
    /// often than anyone can read, and than browsers allow.
    fn write_address_soon(self) {
        if self.address_waits.get_value() {
            return;
        }
        let now = window().performance().map_or(0.0, |clock| clock.now());
        let wait = self.address_written.get_value() + ADDRESS_EVERY_MS - now;
        if wait <= 0.0 {
            return self.write_address();
        }
        self.address_waits.set_value(true);
        // Something else may have written it meanwhile, or opened another page.
        let write = move || {
            if self.address_waits.get_value() {
                self.write_address();
            }
        };
        set_timeout(write, std::time::Duration::from_millis(wait as u64 + 1));
    }

    /// Puts the link into the address bar without a step of history.
    pub fn write_address(self) {
        let now = window().performance().map_or(0.0, |clock| clock.now());
        self.address_written.set_value(now);
        self.address_waits.set_value(false);
        if let Ok(history) = window().history() {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&self.link()));
        }
    }
}

/// The state of the page that this component is on.
pub fn use_state() -> State {
    expect_context()
}
