//! The page of the lab: one of those that take steps.

use leptos::prelude::*;

use super::spec::{Aim, AscentSettings, LAB, NAMES};
use crate::labs::search::live::{Needs, act};
use crate::labs::search::objective::Objective;
use crate::labs::search::page::SearchLab;
use crate::page::controls::Beside;
use crate::page::home::Door;
use crate::page::state::{Room, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::protocol::failure::Failure;
use crate::protocol::param::{TEXT_MAX, Value};
use crate::protocol::settings::Settings;

const NEEDS: Needs = Needs {
    alone: true,
    check,
    ..Needs::new(128, 20)
};

/// The lab's page.
pub const ROOM: Room = Room {
    view: || {
        let beside: Beside = ("aim", || view! { <Expression /> }.into_any());
        view! { <SearchLab lab=&LAB needs=NEEDS beside /> }.into_any()
    },
    act: |state, settings, trigger| act(state, settings, trigger, NEEDS),
    door: Some(|| {
        view! {
            <Door lab=&LAB><img src="ascent.jpg" alt="" width="452" height="452" /></Door>
        }
        .into_any()
    }),
};

fn check(settings: &Settings) -> Result<(), Failure> {
    let settings: AscentSettings = settings.read();
    Objective::parse(&settings.objective(), settings.network.layers()).map(drop)
}

/// What the class or channel is as an expression, and a button that adds it to the one that is there.
#[component]
fn Expression() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(&LAB);
    let read = move || settings.with(|settings| settings.read::<AscentSettings>());
    let add = move |_| {
        let now = read();
        // What nobody wrote is not added to.
        let is_own = state.settings(&LAB).with_untracked(|settings| {
            *settings.get(NAMES.expression) != *Settings::new(&LAB).get(NAMES.expression)
        });
        let sum = match is_own {
            true => format!("{} + {}", now.expression, now.objective()),
            false => now.objective(),
        };
        if sum.len() <= TEXT_MAX {
            state.set(&LAB, NAMES.expression, Value::Text(sum));
            state.set(&LAB, NAMES.aim, Value::Choice(Aim::Expression as usize));
        }
    };
    let as_expression = move |_| {
        state.set(&LAB, NAMES.expression, Value::Text(read().objective()));
        state.set(&LAB, NAMES.aim, Value::Choice(Aim::Expression as usize));
    };
    let wrong = move || {
        let failure = settings.with(|settings| check(settings).err())?;
        Some(crate::page::words::failure_sentence(i18n, &failure))
    };
    view! {
        <Show when=move || read().aim != Aim::Expression>
            <p class="sentence"><code id="objective">{move || read().objective()}</code></p>
            <div class="row">
                <button type="button" class="button quiet" id="as-expression" on:click=as_expression>
                    {move || t_string!(i18n, ascent.edit)}
                </button>
                <button type="button" class="button quiet" id="add-to-expression" on:click=add>
                    {move || t_string!(i18n, ascent.add)}
                </button>
            </div>
        </Show>
        {move || wrong().map(|sentence| view! { <p class="sentence" role="alert">{sentence}</p> })}
    }
}
