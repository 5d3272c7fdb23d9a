//! The page of the lab: one of those that take steps.

use leptos::prelude::*;

use super::spec::{LAB, Said, Test};
use crate::protocol::imagenet::name;
use crate::labs::search::live::{Live, Needs, act};
use crate::labs::search::page::SearchLab;
use crate::page::fetch;
use crate::page::state::Room;
use crate::page::terms::Hot;
use crate::page::text::{t_string, use_i18n};
use crate::page::words::lab_word;

const NEEDS: Needs = Needs {
    picture: true,
    // It is quick enough to be taken to its end.
    ..Needs::new(u16::MAX, u16::MAX)
};

/// The lab's page.
pub const ROOM: Room = Room {
    view: || {
        let below = |live| view! { <Verdicts live /> }.into_any();
        view! { <SearchLab lab=&LAB needs=NEEDS below /> }.into_any()
    },
    act: |state, settings, trigger| act(state, settings, trigger, NEEDS),
    door: None,
};

/// How large the change is, and what the network says of the picture after each test.
#[component]
fn Verdicts(live: RwSignal<Option<Live>, LocalStorage>) -> impl IntoView {
    let i18n = use_i18n();
    let said = Memo::new(move |_| {
        live.with(|live| fetch::parse::<Said>(&live.as_ref()?.progress.more))
    });
    let size = move || {
        let [largest, root] = said.get()?.change.map(|levels| format!("{levels:.1}"));
        let text = t_string!(i18n, fooling.size, largest = largest, root = root);
        Some(view! { <p class="sentence" id="change-size">{text.to_string()}</p> })
    };
    let wanted = move || said.get().map(|said| name(said.class));
    let missed = move || {
        let said = said.get().filter(|said| !said.is_enough && !said.verdicts.is_empty())?;
        let text = t_string!(i18n, fooling.missed, class = name(said.class));
        Some(view! { <p class="sentence" id="missed">{text.to_string()}</p> })
    };
    let rows = move || {
        let verdicts = said.get()?.verdicts;
        let rows = verdicts.into_iter().map(|verdict| {
            let word: &str = verdict.test.into();
            let (best, probability) = verdict.best;
            let percent = |share: f32| format!("{:.1} %", share * 100.0);
            view! {
                <tr class:lit=verdict.test == Test::Made data-test=word>
                    <th scope="row">{lab_word(i18n, LAB.name, &format!("tests.{word}"))}</th>
                    <td>{name(best)}</td>
                    <td class="number">{percent(probability)}</td>
                    <td class="number">{percent(verdict.wanted)}</td>
                </tr>
            }
        });
        let rows = rows.collect_view();
        Some(view! {
            <table>
                <thead><tr>
                    <th scope="col">{t_string!(i18n, fooling.test)}</th>
                    <th scope="col">{t_string!(i18n, fooling.best)}</th>
                    <th scope="col" class="number">{t_string!(i18n, fooling.probability)}</th>
                    <th scope="col" class="number">{wanted()}</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        })
    };
    let has_rows = Memo::new(move |_| said.with(|said| said.as_ref().is_some_and(|said| !said.verdicts.is_empty())));
    view! {
        <section class="panel" id="verdicts" class:lit=Hot::is("tests") data-term="tests">
            <h2>{move || t_string!(i18n, fooling.tests_title)}</h2>
            {size}
            {missed}
            <Show
                when=move || has_rows.get()
                fallback=move || view! { <p class="help">{t_string!(i18n, fooling.tests_empty)}</p> }
            >
                {rows}
            </Show>
        </section>
    }
}
