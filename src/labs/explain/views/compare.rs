//! The class by every method, side by side.

use leptos::prelude::*;
use strum::VariantArray;

use crate::labs::explain::page::{MapCanvas, Shown};
use crate::labs::explain::spec::{LAB, Method, NAMES, Question};
use crate::page::engine::{self, CallEvent};
use crate::page::state::{State, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::page::words::{choice_label, failure_sentence};
use crate::protocol::failure::Failure;
use crate::protocol::message::CallId;

/// The maps as far as they are.
#[derive(Clone, Copy)]
struct Compared {
    state: State,
    maps: RwSignal<Vec<Shown>, LocalStorage>,
    /// The method that is asked for now.
    asked: RwSignal<Option<CallId>>,
    failure: RwSignal<Option<Failure>>,
}

impl Compared {
    /// Stops what is under way.
    fn stop(self) {
        if let Some(id) = self.asked.try_update(Option::take).flatten() {
            self.state.engine.cancel(id);
        }
    }

    fn begin(self) {
        self.stop();
        self.failure.set(None);
        self.maps.set(Vec::new());
        self.next();
    }

    /// Asks for the next method.
    fn next(self) {
        let number = self.maps.with_untracked(Vec::len);
        if number == Method::VARIANTS.len() {
            return self.asked.set(None);
        }
        let settings = self.state.settings(&LAB).get_untracked();
        let question = engine::Question::new(&Question::By(number), &settings);
        let id = self.state.engine.call(question, None, move |told| match told {
            // The visitor may have left the page meanwhile.
            CallEvent::Answered(says, _) if self.asked.try_get_untracked().flatten().is_some() => {
                if let Some(map) = Shown::read(&says) {
                    self.maps.update(|maps| maps.push(map));
                    self.next();
                }
            }
            CallEvent::Failed(Failure::Cancelled) => {}
            CallEvent::Failed(failure) => {
                let _ = self.failure.try_set(Some(failure));
                let _ = self.asked.try_set(None);
            }
            _ => {}
        });
        self.asked.set(Some(id));
    }
}

/// The maps, and the button that makes them one after the other.
#[component]
pub fn ComparePanel() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let compared = Compared {
        state,
        maps: RwSignal::new_local(Vec::new()),
        asked: RwSignal::new(None),
        failure: RwSignal::new(None),
    };
    // Another picture, class or setting makes them those of something else, and has not to wait for them.
    Effect::new(move |_| {
        state.desk(&LAB).state.track();
        state.source.track();
        if untrack(|| compared.asked.get().is_some()) || untrack(|| state.desk(&LAB).is_running()) {
            compared.stop();
            compared.maps.set(Vec::new());
        }
    });
    Effect::new(move |_| {
        state.desk(&LAB).answer.track();
        compared.stop();
        compared.maps.set(Vec::new());
    });
    on_cleanup(move || compared.stop());
    let source = move || state.source.with(|source| source.as_ref().map(|source| source.url.clone()));
    let shown = move || {
        let url = source()?;
        let maps = compared.maps.get().into_iter().zip(Method::VARIANTS);
        let all = maps.map(|(map, method)| {
            let word: &'static str = method.into();
            let label = choice_label(i18n, LAB.name, NAMES.method, word);
            let [width, height] = map.answer.seen;
            view! {
                <li data-method=word>
                    <span class="overlaid" style=format!("aspect-ratio:{width}/{height}")>
                        <img src=url.clone() alt="" />
                        <MapCanvas shown=map />
                    </span>
                    <span>{label}</span>
                </li>
            }
        });
        Some(view! { <ul class="pins methods">{all.collect_view()}</ul> })
    };
    let nothing = move || source().is_none() || state.desk(&LAB).answer.with(Option::is_none);
    let is_busy = move || compared.asked.get().is_some();
    let label = move || match is_busy() {
        true => {
            let (done, total) = (compared.maps.with(Vec::len), Method::VARIANTS.len());
            let told = t_string!(i18n, page.step_of, done = done, total = total).to_string();
            format!("{}: {told}", t_string!(i18n, page.cancel))
        }
        false => t_string!(i18n, explain.compare_all).to_string(),
    };
    let press = move |_| match untrack(is_busy) {
        true => compared.stop(),
        false => compared.begin(),
    };
    view! {
        <section class="panel" id="compare-methods">
            <div class="row">
                <h2>{move || t_string!(i18n, explain.compare)}</h2>
                <button type="button" class="button quiet" id="all-methods" disabled=nothing on:click=press>
                    {label}
                </button>
            </div>
            <p class="help">{move || t_string!(i18n, explain.compare_help)}</p>
            {move || compared.failure.get().map(|failure| view! {
                <p class="sentence bad" role="alert">{failure_sentence(i18n, &failure)}</p>
            })}
            {shown}
        </section>
    }
}
