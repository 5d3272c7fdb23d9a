//! Pictures to codes and back: autoencoders at once, a GAN through a search; where they differ.

use leptos::prelude::*;
use web_sys::Blob;

use super::views::codes::CodeView;
use super::views::edit::{Between, Edit};
use super::views::invert::Invert;
use super::views::map::MapView;
use super::views::sketch::Sketch;
use super::views::versus::Versus;

use crate::labs::generate::ask::{Ask, Told};
use crate::labs::generate::page::{Drawn, Latest, SheetView, Standing};
use crate::labs::generate::spec::{DataSet, setting};
use crate::page::controls::Control;
use crate::page::shell::ShareButton;
use crate::page::state::use_state;
use crate::page::text::{I18n, t_string, use_i18n};
use crate::protocol::params::{Lab, Value};
use crate::protocol::settings::Settings;

/// What two autoencoders made of a picture.
#[derive(Clone, Default)]
pub struct Codes {
    pub plain: Vec<f32>,
    pub mean: Vec<f32>,
    pub spread: Vec<f32>,
    pub errors: [f32; 2],
}

/// Where test pictures lie.
#[derive(Clone, Default)]
pub struct Map {
    pub points: Vec<[f32; 2]>,
    pub labels: Vec<u8>,
    pub own: Option<[f32; 2]>,
    pub step: u32,
    pub divergence: f32,
}

pub fn picture_signal() -> RwSignal<Option<Drawn>, LocalStorage> {
    RwSignal::new_local(None)
}

pub fn data_of(settings: &Settings) -> DataSet {
    DataSet::from_name(settings.choice(setting::DATA)).unwrap_or(DataSet::FashionMnist)
}

/// The page.
#[component]
pub fn EncodeLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let lab = Lab::Encode;
    let settings = state.settings(lab);
    let latest = Latest::new(state.engine);
    let drawn = picture_signal();
    let codes = RwSignal::new(Codes::default());
    // What the visitor drew or dropped instead of a test picture.
    let own: RwSignal<Option<Blob>, LocalStorage> = RwSignal::new_local(None);
    // Grows with each picture that was encoded: what is made of it has to be made anew.
    let taken = RwSignal::new(0u32);
    let view_name = Memo::new(move |_| settings.with(|s| s.choice(setting::VIEW)));
    let picked =
        Memo::new(move |_| settings.with(|s| (s.choice(setting::DATA), s.number(setting::ITEM))));
    // A picture that was dropped on the page.
    Effect::new(move |before: Option<()>| {
        let dropped = state.source.get().map(|source| source.blob);
        // What was on the stage of another lab is not meant for this one.
        if before.is_some() && dropped.is_some() {
            own.set(dropped);
        }
    });
    Effect::new(move |before: Option<(&'static str, f32)>| {
        let now = picked.get();
        if before.is_some() && before != Some(now) {
            own.set(None);
        }
        now
    });
    Effect::new(move |_| {
        picked.track();
        // A new worker has forgotten the picture.
        state.engine.workers.track();
        let ask = Ask::Encode {
            settings: settings.get_untracked(),
            slot: 0,
        };
        latest.ask_with(ask, [own.get(), None], move |told, bytes| {
            if let Told::Encoded {
                sheet,
                plain,
                mean,
                spread,
                errors,
            } = told
            {
                drawn.set(Some((sheet, bytes)));
                codes.set(Codes {
                    plain,
                    mean,
                    spread,
                    errors,
                });
                taken.update(|count| *count += 1);
            }
        });
    });
    let another = move |_| {
        let item = (js_sys::Math::random() * 500.0) as f32;
        state.set(lab, setting::ITEM, Value::Number(item.floor()));
    };
    let open_own = move |event: web_sys::Event| {
        let input: web_sys::HtmlInputElement = event_target(&event);
        let file = input.files().and_then(|files| files.get(0));
        input.set_value("");
        if let Some(file) = file {
            own.set(Some(file.into()));
        }
    };
    let drawable = move || settings.with(|s| data_of(s).channels() == 1);
    view! {
        <div class="bench">
            <div class="hero-column">
                <section class="panel trio">
                    <SheetView drawn label=Signal::derive(move || t_string!(i18n, encode_sheet).to_string()) />
                    <div class="captions three">
                        <span>{move || t_string!(i18n, encode_input)}</span>
                        <span>"AE"<br /><small class="number" id="error-ae">{move || t_string!(i18n, encode_error, error = format!("{:.4}", codes.with(|c| c.errors[0]))).to_string()}</small></span>
                        <span>"VAE"<br /><small class="number" id="error-vae">{move || t_string!(i18n, encode_error, error = format!("{:.4}", codes.with(|c| c.errors[1]))).to_string()}</small></span>
                    </div>
                </section>
                <Standing latest />
                <Control lab name=setting::VIEW />
                {move || match view_name.get() {
                    "edit" => view! { <Edit latest taken /> }.into_any(),
                    "between" => view! { <Between latest taken /> }.into_any(),
                    "map" => view! { <MapView latest taken /> }.into_any(),
                    "invert" => view! { <Invert latest taken /> }.into_any(),
                    "versus" => view! { <Versus latest /> }.into_any(),
                    _ => view! { <CodeView codes /> }.into_any(),
                }}
            </div>
            <div class="inspector">
                <section class="panel">
                    <Control lab name=setting::DATA />
                    <Control lab name=setting::ITEM />
                    <div class="row">
                        <button type="button" class="button" id="another" on:click=another>{move || t_string!(i18n, encode_another)}</button>
                    </div>
                    <label class="button quiet" for="open-own">{move || t_string!(i18n, source_open)}</label>
                    <input type="file" id="open-own" class="visually-hidden" accept="image/png,image/jpeg,image/webp,image/gif,image/bmp" on:change=open_own />
                    <p class="help">{move || t_string!(i18n, encode_drop)}</p>
                </section>
                <Show when=drawable><Sketch own /></Show>
                <div class="row exports"><ShareButton /></div>
            </div>
        </div>
    }
}

/// What a class of a set is called.
pub fn class_label(i18n: I18n, data: DataSet, class: usize) -> String {
    if data == DataSet::Digits {
        return class.to_string();
    }
    match class {
        0 => t_string!(i18n, fashion_0),
        1 => t_string!(i18n, fashion_1),
        2 => t_string!(i18n, fashion_2),
        3 => t_string!(i18n, fashion_3),
        4 => t_string!(i18n, fashion_4),
        5 => t_string!(i18n, fashion_5),
        6 => t_string!(i18n, fashion_6),
        7 => t_string!(i18n, fashion_7),
        8 => t_string!(i18n, fashion_8),
        _ => t_string!(i18n, fashion_9),
    }
    .to_string()
}
