//! A lab on the camera: a button that turns it on, and a stage on which each frame is asked about as soon as the one before is
//! answered.

use leptos::prelude::*;
use web_sys::Blob;

use super::camera::LiveStage;
use super::desk::Desk;
use super::engine::{self, Payload, Question};
use super::latest::{Latest, Standing};
use super::state::use_state;
use super::terms::Hot;
use super::text::{t_string, use_i18n};

/// Answers from which the rate is told.
const TIMES: usize = 12;

/// Sees to it that a lab whose stage shows the camera has its own picture again afterwards: what it left in the engine is then
/// the camera's. `again` runs it.
pub fn follow(live: RwSignal<bool>, desk: Desk, again: impl Fn() + 'static) {
    let state = use_state();
    // Another picture comes: the camera is done with.
    Effect::new(move |before: Option<bool>| {
        state.source.track();
        if before.is_some() {
            live.set(false);
        }
        true
    });
    Effect::new(move |was: Option<bool>| {
        let is = live.get();
        if was == Some(true) && !is {
            untrack(|| {
                desk.reset();
                again();
            });
        }
        is
    });
    on_cleanup(move || {
        if live.try_get_untracked() == Some(true) {
            desk.reset();
        }
    });
}

/// The camera on or off.
#[component]
pub fn LiveButton(
    /// Whether it is on.
    live: RwSignal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <button
            type="button"
            class="button quiet"
            id="live"
            class:lit=Hot::is("live")
            data-term="live"
            aria-pressed=move || live.get().to_string()
            on:click=move |_| live.update(|live| *live = !*live)
        >
            {move || if live.get() { t_string!(i18n, page.live_stop) } else { t_string!(i18n, page.live) }}
        </button>
    }
}

/// The camera, with something over it; how many frames a second are answered.
#[component]
pub fn LiveView(
    /// Whether it is on.
    live: RwSignal<bool>,
    /// What is asked of a frame.
    #[prop(into)]
    question: Callback<(Blob,), Question>,
    /// What is done with the answer.
    #[prop(into)]
    shown: Callback<(Payload,)>,
    /// Longer side of a frame in pixels, at most.
    longest: u32,
    /// What lies over the view.
    children: ChildrenFn,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let latest = Latest::new(state.engine);
    // Times of the last answers.
    let times = RwSignal::new(Vec::<f64>::new());
    let frame = move |blob: Blob| {
        latest.ask("frame", question.run((blob,)), move |says| {
            if live.try_get_untracked() != Some(true) {
                return;
            }
            shown.run((says,));
            times.update(|times| {
                times.push(engine::now_ms());
                if times.len() > TIMES {
                    times.remove(0);
                }
            });
        });
    };
    let rate = move || {
        times.with(|times| {
            let passed = times.last()? - times.first()?;
            (times.len() > 2 && passed > 0.0).then(|| (times.len() - 1) as f64 * 1000.0 / passed)
        })
    };
    let waits = Signal::derive(move || !latest.busy.get() && latest.failure.with(Option::is_none));
    view! {
        <LiveStage waits frame=move |blob: Blob| frame(blob) longest>{children()}</LiveStage>
        <p class="number quiet" id="rate" data-rate=move || rate().map(|rate| format!("{rate:.2}"))>
            {move || rate().map(|rate| t_string!(i18n, page.live_rate, rate = format!("{rate:.1}")).to_string())}
        </p>
        <Standing latest />
    }
}
