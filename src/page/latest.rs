//! Questions that are asked while the visitor moves something: one at a time, and of those that wait
//! only the newest of a kind.

use std::rc::Rc;

use leptos::prelude::*;

use super::engine::{CallEvent, Engine, Payload, Question, Status};
use super::text::{t_string, use_i18n};
use super::words::failure_sentence;
use crate::protocol::failure::Failure;

/// What is done with an answer.
type OnAnswer = Rc<dyn Fn(Payload)>;

/// A question that waits.
struct Waiting {
    kind: &'static str,
    question: Question,
    then: OnAnswer,
}

/// Questions, one at a time. One that waits is replaced by a later one of the same kind only: a slider
/// can be dragged faster than pictures come, and nothing that begins or loads something is lost.
#[derive(Clone, Copy)]
pub struct Latest {
    engine: Engine,
    waiting: StoredValue<Vec<Waiting>, LocalStorage>,
    /// Whether a question is out.
    pub busy: RwSignal<bool>,
    /// Bytes of weights that have arrived for it, and that there are.
    loading: RwSignal<Option<(usize, usize)>>,
    /// Why the last question has no answer.
    pub failure: RwSignal<Option<Failure>>,
}

impl Latest {
    /// Nothing is asked yet.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            waiting: StoredValue::new_local(Vec::new()),
            busy: RwSignal::new(false),
            loading: RwSignal::new(None),
            failure: RwSignal::new(None),
        }
    }

    /// Asks, now or as soon as the questions before are answered. One of the same kind that waits is
    /// not asked any more.
    pub fn ask(self, kind: &'static str, question: Question, then: impl Fn(Payload) + 'static) {
        self.forget(kind);
        let then = Rc::new(then);
        self.waiting.update_value(|waiting| {
            waiting.push(Waiting {
                kind,
                question,
                then,
            });
        });
        self.next();
    }

    /// Forgets what waits of a kind: something else makes it pointless.
    pub fn forget(self, kind: &'static str) {
        self.waiting
            .update_value(|waiting| waiting.retain(|before| before.kind != kind));
    }

    /// Whether a new worker took the place of the one that was asked, and something waits for it.
    fn is_mended(self, asked_of: u32) -> bool {
        self.engine.is_ready()
            && self.engine.workers.get_untracked() != asked_of
            && self.waiting.with_value(|waiting| !waiting.is_empty())
    }

    fn next(self) {
        if self.busy.try_get_untracked() != Some(false) {
            return;
        }
        let first = self
            .waiting
            .try_update_value(|waiting| (!waiting.is_empty()).then(|| waiting.remove(0)));
        let Some(Waiting { question, then, .. }) = first.flatten() else {
            return;
        };
        self.busy.set(true);
        let asked_of = self.engine.workers.get_untracked();
        self.engine.call(question, None, move |told| {
            let answer = match told {
                CallEvent::Loading(bytes, total) => {
                    let part = (bytes < total).then_some((bytes, total));
                    let _ = self.loading.try_set(part);
                    return;
                }
                CallEvent::Stage(_) | CallEvent::Steps(..) => return,
                CallEvent::Answered(says, _) => Ok(says),
                CallEvent::Failed(failure) => Err(failure),
            };
            // The visitor may have left the page meanwhile.
            if self.busy.try_set(false).is_some() {
                return;
            }
            self.loading.set(None);
            match answer {
                Ok(says) => {
                    self.failure.set(None);
                    then(says);
                }
                // The new worker did not know what the old one kept: what waits tells it.
                Err(_) if self.is_mended(asked_of) => {}
                Err(failure) => {
                    // What was asked for with it in mind is of no use now.
                    self.waiting.set_value(Vec::new());
                    self.failure.set(Some(failure));
                }
            }
            self.next();
        });
    }
}

/// Why there is no answer, and whether one is on its way.
#[component]
pub fn Standing(latest: Latest) -> impl IntoView {
    let i18n = use_i18n();
    let engine = latest.engine;
    // Only what takes long is worth a word.
    let slow = RwSignal::new(false);
    let timer: StoredValue<Option<TimeoutHandle>> = StoredValue::new(None);
    Effect::new(move |_| {
        let busy = latest.busy.get();
        timer.update_value(|timer| {
            if let Some(timer) = timer.take() {
                timer.clear();
            }
            if busy {
                let later = move || {
                    let _ = slow.try_set(true);
                };
                let wait = std::time::Duration::from_millis(500);
                *timer = set_timeout_with_handle(later, wait).ok();
            }
        });
        if !busy {
            slow.set(false);
        }
    });
    view! {
        <div class="standing" role="status" data-busy=move || latest.busy.get().to_string()>
            {move || latest.failure.get().map(|failure| view! {
                <p class="sentence bad">{failure_sentence(i18n, &failure)}</p>
            })}
            {move || slow.get().then(|| {
                let starting = engine.status.get() == Status::Starting;
                let loading = latest.loading.get();
                let text = match loading {
                    None | Some(_) if starting => t_string!(i18n, page.engine_starting).to_string(),
                    Some((bytes, total)) => t_string!(i18n, page.engine_loading, mb = format!("{:.1}", bytes as f64 / 1e6), total = format!("{:.1}", total as f64 / 1e6)).to_string(),
                    None => t_string!(i18n, page.engine_working).to_string(),
                };
                view! { <p class="sentence">{text}</p> }
            })}
        </div>
    }
}
