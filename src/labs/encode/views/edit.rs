//! A code that is moved: along attributes, or to another one.

use crate::labs::encode::page::{ask, picture_signal, read};
use crate::labs::encode::spec::{LAB, NAMES, Question};
use crate::labs::generate::page::attribute;
use crate::page::controls::RowSliders;
use crate::page::latest::Latest;
use crate::page::sheet::{SheetView, drawn as drawn_of};
use crate::page::text::{t_string, use_i18n};
use crate::protocol::generative::DataSet;
use leptos::prelude::*;

/// The picture's code, moved along attributes and directions.
#[component]
pub fn Edit(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let i18n = use_i18n();
    let drawn = picture_signal();
    let moved = Memo::new(move |_| {
        let settings = read();
        (settings.attributes, settings.sliders)
    });
    Effect::new(move |_| {
        moved.get();
        if taken.get() > 0 {
            latest.ask("edit", ask(Question::Edit), move |says| {
                let _ = drawn.try_set(drawn_of(&says));
            });
        }
    });
    let avatars = move || read().data.set() == DataSet::Avatars;
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, encode.edit_title)}</h2>
            <p class="help">{move || t_string!(i18n, encode.edit_help)}</p>
            <div class="compared">
                <SheetView drawn label=Signal::derive(move || t_string!(i18n, encode.edit_title).to_string()) />
                <div class="captions three"><span>{move || t_string!(i18n, encode.input)}</span><span>"VAE"</span><span>{move || t_string!(i18n, encode.edit_edited)}</span></div>
            </div>
            <div class="plots">
                {move || if avatars() {
                    view! { <RowSliders lab=&LAB name=NAMES.attributes label=Callback::new(move |(index,)| attribute(i18n, index)) /> }.into_any()
                } else {
                    view! { <RowSliders lab=&LAB name=NAMES.sliders reach=3.0 label=Callback::new(move |(index,)| t_string!(i18n, generate.direction_n, n = index + 1).to_string()) /> }.into_any()
                }}
            </div>
        </section>
    }
}

/// From the picture to another one, in both latent spaces.
#[component]
pub fn Between(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let i18n = use_i18n();
    let drawn = picture_signal();
    let other = RwSignal::new(7usize);
    Effect::new(move |_| {
        let offset = other.get();
        if taken.get() == 0 {
            return;
        }
        let second = ask(Question::Encode { slot: 1, offset });
        let between = ask(Question::Between);
        latest.ask("other end", second, move |_| {
            latest.ask("between", between.clone(), move |says| {
                let _ = drawn.try_set(drawn_of(&says));
            });
        });
    });
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, encode.between)}</h2>
            <p class="help">{move || t_string!(i18n, encode.between_help)}</p>
            <SheetView drawn label=Signal::derive(move || t_string!(i18n, encode.between).to_string()) />
            <p class="help">{move || t_string!(i18n, encode.between_rows)}</p>
            <button type="button" class="button quiet" id="other-end" on:click=move |_| other.update(|o| *o = (*o * 5 + 11) % 499)>
                {move || t_string!(i18n, encode.other)}
            </button>
        </section>
    }
}
