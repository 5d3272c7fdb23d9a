//! A code that is moved: along attributes, or to another one.

use super::super::page::{data_of, picture_signal};
use crate::labs::generate::ask::{Ask, Told};
use crate::labs::generate::page::{Latest, SheetView};
use crate::labs::generate::spec::{DataSet, setting};
use crate::labs::sample::page::attribute;
use crate::page::controls::RowSliders;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::params::{Lab, Value};
use leptos::prelude::*;

/// The picture's code, moved along attributes and directions.
#[component]
pub fn Edit(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let lab = Lab::Encode;
    let settings = state.settings(lab);
    let drawn = picture_signal();
    let moved = Memo::new(move |_| {
        settings.with(|s| (s.row(setting::ATTRIBUTES), s.row(setting::SLIDERS)))
    });
    Effect::new(move |_| {
        moved.track();
        if taken.get() == 0 {
            return;
        }
        latest.ask(Ask::Edit(settings.get_untracked()), move |told, bytes| {
            if let Told::Sheet(sheet) = told {
                let _ = drawn.try_set(Some((sheet, bytes)));
            }
        });
    });
    let avatars = move || settings.with(data_of) == DataSet::Avatars;
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, edit_title)}</h2>
            <p class="help">{move || t_string!(i18n, edit_help)}</p>
            <div class="trio">
                <SheetView drawn label=Signal::derive(move || t_string!(i18n, edit_title).to_string()) />
                <div class="captions three"><span>{move || t_string!(i18n, encode_input)}</span><span>"VAE"</span><span>{move || t_string!(i18n, edit_edited)}</span></div>
            </div>
            <div class="plots">
                {move || if avatars() {
                    view! { <RowSliders lab name=setting::ATTRIBUTES label=Callback::new(move |(index,)| attribute(i18n, index)) /> }.into_any()
                } else {
                    view! { <RowSliders lab name=setting::SLIDERS reach=3.0 label=Callback::new(move |(index,)| t_string!(i18n, direction_n, n = index + 1).to_string()) /> }.into_any()
                }}
            </div>
        </section>
    }
}

/// From the picture to another one, in both latent spaces.
#[component]
pub fn Between(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(Lab::Encode);
    let drawn = picture_signal();
    let other = RwSignal::new(7u32);
    Effect::new(move |_| {
        taken.track();
        let mut second = settings.get_untracked();
        let item = (second.number(setting::ITEM) + other.get() as f32) % 500.0;
        second.set(setting::ITEM, Value::Number(item));
        if taken.get() == 0 {
            return;
        }
        let between = settings.get_untracked();
        let ask = Ask::Encode {
            settings: second,
            slot: 1,
        };
        latest.ask(ask, move |_, _| {
            latest.ask(Ask::Between(between.clone()), move |told, bytes| {
                if let Told::Sheet(sheet) = told {
                    let _ = drawn.try_set(Some((sheet, bytes)));
                }
            });
        });
    });
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, encode_between)}</h2>
            <p class="help">{move || t_string!(i18n, encode_between_help)}</p>
            <SheetView drawn label=Signal::derive(move || t_string!(i18n, encode_between).to_string()) />
            <p class="help">{move || t_string!(i18n, encode_between_rows)}</p>
            <button type="button" class="button quiet" id="other-end" on:click=move |_| other.update(|o| *o = (*o * 5 + 11) % 499)>
                {move || t_string!(i18n, encode_other)}
            </button>
        </section>
    }
}
