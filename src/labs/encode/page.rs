//! Pictures to codes and back: autoencoders at once, a GAN through a search; where they differ.

use leptos::prelude::*;
use web_sys::Blob;

use super::spec::{Data, EncodeSettings, Encoded, LAB, NAMES, Question, View};
use super::views::codes::CodeView;
use super::views::edit::{Between, Edit};
use super::views::invert::Invert;
use super::views::map::MapView;
use super::views::sketch::Sketch;
use super::views::versus::Versus;
use crate::page::controls::{Control, Panel};
use crate::page::engine;
use crate::page::frame::LabFrame;
use crate::page::intake::{FileButton, open_beside};
use crate::page::latest::{Latest, Standing};
use crate::page::state::{Room, asks_by_itself};
use crate::page::sheet::{Drawn, SheetView};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::param::Value;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <EncodeLab /> }.into_any(),
    act: asks_by_itself,
    door: None,
};

/// A sheet that is not there yet.
pub fn picture_signal() -> RwSignal<Option<Drawn>, LocalStorage> {
    RwSignal::new_local(None)
}

/// The settings, read.
pub fn read() -> EncodeSettings {
    let state = use_state();
    state.settings(&LAB).with(|settings| settings.read())
}

/// A question with the settings of now.
pub fn ask(question: Question) -> engine::Question {
    let settings = use_state().settings(&LAB).get_untracked();
    engine::Question::new(&question, &settings)
}

/// The picture that the page is about, and what two autoencoders made of it.
#[derive(Clone, Copy)]
pub struct Subject {
    drawn: RwSignal<Option<Drawn>, LocalStorage>,
    /// The codes and their errors.
    pub encoded: RwSignal<Option<Encoded>>,
    /// What the visitor drew or dropped instead of a test picture.
    own: RwSignal<Option<Blob>, LocalStorage>,
    /// Grows with each picture that was encoded: what is made of it has to be made anew.
    pub taken: RwSignal<u32>,
}

impl Subject {
    /// Encodes the picture whenever another one is chosen.
    fn follow(latest: Latest) -> Self {
        let state = use_state();
        let subject = Self {
            drawn: picture_signal(),
            encoded: RwSignal::new(None),
            own: RwSignal::new_local(None),
            taken: RwSignal::new(0),
        };
        let picked = Memo::new(move |_| {
            let settings = read();
            (settings.data, settings.item)
        });
        // A picture that was dropped on the page.
        state.take_pictures(move |dropped| subject.own.set(Some(dropped)));
        Effect::new(move |before: Option<(Data, usize)>| {
            let now = picked.get();
            if before.is_some_and(|before| before != now) {
                subject.own.set(None);
            }
            now
        });
        Effect::new(move |_| {
            picked.track();
            // A new worker has forgotten the picture.
            state.engine.workers.track();
            let encode = Question::Encode { slot: 0, offset: 0 };
            let question = ask(encode).with("picture", subject.own.get());
            latest.ask("encode", question, move |says| {
                let Some(encoded) = says.read::<Encoded>() else {
                    return;
                };
                subject.drawn.set(Some((encoded.sheet, says.file("rgba"))));
                subject.encoded.set(Some(encoded));
                subject.taken.update(|count| *count += 1);
            });
        });
        subject
    }
}

/// The page.
#[component]
fn EncodeLab() -> impl IntoView {
    let latest = Latest::new(use_state().engine);
    let subject = Subject::follow(latest);
    let taken = subject.taken;
    let chosen = Memo::new(move |_| read().view);
    let view = move || match chosen.get() {
        View::Codes => view! { <CodeView subject /> }.into_any(),
        View::Edit => view! { <Edit latest taken /> }.into_any(),
        View::Between => view! { <Between latest taken /> }.into_any(),
        View::Map => view! { <MapView latest taken /> }.into_any(),
        View::Invert => view! { <Invert latest taken /> }.into_any(),
        View::Versus => view! { <Versus latest /> }.into_any(),
    };
    view! {
        <LabFrame lab=&LAB>
            <div class="bench">
                <div class="hero-column">
                    <Reconstructions subject />
                    <Standing latest />
                    <Control lab=&LAB name=NAMES.view />
                    {view}
                </div>
                <div class="inspector">
                    <Panel lab=&LAB group="picture" />
                    <Pick subject />
                    </div>
            </div>
        </LabFrame>
    }
}

/// The picture beside what both autoencoders make of it.
#[component]
fn Reconstructions(subject: Subject) -> impl IntoView {
    let i18n = use_i18n();
    let error = move |which: usize| {
        let errors = subject.encoded.with(|encoded| encoded.as_ref().map(|e| e.errors));
        let error = format!("{:.4}", errors.unwrap_or_default()[which]);
        t_string!(i18n, encode.error, error = error).to_string()
    };
    view! {
        <section class="panel compared">
            <SheetView drawn=subject.drawn label=Signal::derive(move || t_string!(i18n, encode.sheet).to_string()) />
            <div class="captions three">
                <span>{move || t_string!(i18n, encode.input)}</span>
                <span>"AE"<br /><small class="number" id="error-ae">{move || error(0)}</small></span>
                <span>"VAE"<br /><small class="number" id="error-vae">{move || error(1)}</small></span>
            </div>
        </section>
    }
}

/// Other ways to a picture.
#[component]
fn Pick(subject: Subject) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let another = move |_| {
        let item = (js_sys::Math::random() * 500.0) as f32;
        state.set(&LAB, NAMES.item, Value::Number(item.floor()));
    };
    let drawable = move || read().data.set().channels() == 1;
    view! {
        <section class="panel">
            <div class="row">
                <button type="button" class="button" id="another" on:click=another>{move || t_string!(i18n, encode.another)}</button>
                <FileButton
                    id="open-own"
                    label=Signal::derive(move || t_string!(i18n, page.source_open).to_string())
                    on_file=move |file| open_beside(state, file, move |blob| { let _ = subject.own.try_set(Some(blob)); })
                />
            </div>
            <p class="help">{move || t_string!(i18n, encode.drop)}</p>
        </section>
        <Show when=drawable><Sketch own=subject.own /></Show>
    }
}
