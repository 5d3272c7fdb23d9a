//! The generative labs' pages, and what they share: tabs, sheets of pictures, questions.

use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, HtmlCanvasElement, ImageData};

use crate::labs::generate::ask::{Ask, Sheet, Told};
use crate::labs::generate::spec::setting;
use crate::page::engine::{Engine, Status};
use crate::page::export;
use crate::page::job_panel::Notices;
use crate::page::notes::Notes;
use crate::page::text::{I18n, failure_sentence, t_string, use_i18n};
use crate::protocol::failure::Failure;
use crate::protocol::params::Lab;

/// Title of a lab, for its page and the window.
pub fn title(i18n: I18n, lab: Lab) -> String {
    match lab {
        Lab::Encode => t_string!(i18n, encode_title),
        Lab::Train => t_string!(i18n, train_title),
        Lab::Divergence => t_string!(i18n, divergence_title),
        Lab::Scores => t_string!(i18n, scores_title),
        _ => t_string!(i18n, sample_title),
    }
    .to_string()
}

fn lead(i18n: I18n, lab: Lab) -> String {
    match lab {
        Lab::Encode => t_string!(i18n, encode_lead),
        Lab::Train => t_string!(i18n, train_lead),
        Lab::Divergence => t_string!(i18n, divergence_lead),
        Lab::Scores => t_string!(i18n, scores_lead),
        _ => t_string!(i18n, sample_lead),
    }
    .to_string()
}

/// The page of a generative lab.
#[component]
pub fn GenerateLab(lab: Lab) -> impl IntoView {
    let i18n = use_i18n();
    let hot: RwSignal<Option<String>> = RwSignal::new(None);
    view! {
        <div class="lab generate">
            <header class="lab-head">
                <h1>{move || title(i18n, lab)}</h1>
                <p>{move || lead(i18n, lab)}</p>
            </header>
            <Tabs lab />
            <Notices />
            {match lab {
                Lab::Encode => view! { <crate::labs::encode::page::EncodeLab /> }.into_any(),
                Lab::Train => view! { <crate::labs::train::page::TrainLab /> }.into_any(),
                Lab::Divergence => view! { <crate::labs::divergence::page::DivergenceLab /> }.into_any(),
                Lab::Scores => view! { <crate::labs::scores::page::ScoresLab /> }.into_any(),
                _ => view! { <crate::labs::sample::page::SampleLab /> }.into_any(),
            }}
            <Notes lab hot />
        </div>
    }
}

#[component]
fn Tabs(lab: Lab) -> impl IntoView {
    let i18n = use_i18n();
    let tab = move |to: Lab| {
        let label = move || match to {
            Lab::Encode => t_string!(i18n, tab_encode),
            Lab::Train => t_string!(i18n, tab_train),
            Lab::Divergence => t_string!(i18n, tab_divergence),
            Lab::Scores => t_string!(i18n, tab_scores),
            _ => t_string!(i18n, tab_sample),
        };
        let address = format!("#/{}", to.name());
        view! { <a href=address aria-current=(to == lab).then_some("page")>{label}</a> }
    };
    view! {
        <nav class="tabs" aria-label=move || t_string!(i18n, tabs_generate).to_string()>
            {[Lab::Sample, Lab::Encode, Lab::Train, Lab::Divergence, Lab::Scores].map(tab).collect_view()}
        </nav>
    }
}

/// What is done with an answer.
type OnTold = Rc<dyn Fn(Told, Vec<u8>)>;
/// A question with what travels beside it.
type Question = (Ask, [Option<Blob>; 2], OnTold);

/// Questions, one at a time. One that waits is replaced by a later one of the same kind only: a slider
/// can be dragged faster than pictures come, and nothing that begins or loads something is lost.
#[derive(Clone, Copy)]
pub struct Latest {
    engine: Engine,
    waiting: StoredValue<Vec<Question>, LocalStorage>,
    /// Whether a question is out.
    pub busy: RwSignal<bool>,
    /// Why the last question has no answer.
    pub failure: RwSignal<Option<Failure>>,
}

/// What makes a question what comes before it outdated.
fn replaces(later: &Ask, waiting: &Ask) -> bool {
    use std::mem::discriminant;
    match waiting {
        // A file is not chosen for nothing, and what is saved is what there is now.
        Ask::TrainLoad { .. } | Ask::TrainSave => false,
        Ask::TrainStep { .. } => matches!(later, Ask::TrainStep { .. } | Ask::TrainBegin { .. }),
        Ask::Encode { slot, .. } => matches!(later, Ask::Encode { slot: s, .. } if s == slot),
        // Two sheets of different networks may be asked for at once.
        Ask::Sample(settings) => matches!(later, Ask::Sample(l)
            if l.choice(setting::MODEL) == settings.choice(setting::MODEL)
                || l.choice(setting::VIEW) != settings.choice(setting::VIEW)
                || l.choice(setting::VIEW) != "many"),
        Ask::Map { begin: true, .. } | Ask::Invert { begin: true, .. } => {
            matches!(
                (waiting, later),
                (Ask::Map { .. }, Ask::Map { begin: true, .. })
                    | (Ask::Invert { .. }, Ask::Invert { begin: true, .. })
            )
        }
        _ => discriminant(later) == discriminant(waiting),
    }
}

impl Latest {
    /// Nothing is asked yet.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            waiting: StoredValue::new_local(Vec::new()),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
        }
    }

    /// Asks, now or as soon as the questions before are answered.
    pub fn ask(self, ask: Ask, then: impl Fn(Told, Vec<u8>) + 'static) {
        self.ask_with(ask, [None, None], then);
    }

    /// The same, with a picture or a file.
    pub fn ask_with(
        self,
        ask: Ask,
        beside: [Option<Blob>; 2],
        then: impl Fn(Told, Vec<u8>) + 'static,
    ) {
        let question: Question = (ask, beside, Rc::new(then));
        self.waiting.update_value(|waiting| {
            waiting.retain(|(before, ..)| !replaces(&question.0, before));
            waiting.push(question);
        });
        self.next();
    }

    fn next(self) {
        if self.busy.try_get_untracked() != Some(false) {
            return;
        }
        let first = self
            .waiting
            .try_update_value(|waiting| (!waiting.is_empty()).then(|| waiting.remove(0)));
        let Some((ask, beside, then)) = first.flatten() else {
            return;
        };
        self.busy.set(true);
        self.engine.ask(ask, beside, move |answer| {
            // The visitor may have left the page meanwhile.
            if self.busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok((told, bytes)) => {
                    self.failure.set(None);
                    then(told, bytes);
                }
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
                let loading = engine.loading.get();
                let text = match loading {
                    _ if starting => t_string!(i18n, engine_starting).to_string(),
                    Some((bytes, total)) => t_string!(i18n, engine_loading, mb = format!("{:.1}", bytes as f64 / 1e6), total = format!("{:.1}", total as f64 / 1e6)).to_string(),
                    None => t_string!(i18n, engine_working).to_string(),
                };
                view! { <p class="sentence">{text}</p> }
            })}
        </div>
    }
}

/// A sheet with its bytes.
pub type Drawn = (Sheet, Vec<u8>);

/// A sheet of pictures, as large as its place allows, each pixel sharp.
#[component]
pub fn SheetView(
    /// What is drawn.
    drawn: RwSignal<Option<Drawn>, LocalStorage>,
    /// What it shows, for those who do not see it.
    #[prop(into)]
    label: Signal<String>,
    /// Whether pixels are smoothed: for pictures that are large enough.
    #[prop(optional, into)]
    smooth: Signal<bool>,
) -> impl IntoView {
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        drawn.with(|drawn| {
            if let Some((sheet, rgba)) = drawn
                && let Err(error) = put(&canvas, *sheet, rgba)
            {
                leptos::logging::error!("sheet: {error:?}");
            }
        });
    });
    let ratio = move || {
        drawn.with(|drawn| {
            drawn.as_ref().map(|(sheet, _)| {
                let gap = format!("--columns:{};--rows:{}", sheet.columns, sheet.rows);
                format!("--ratio:{};{gap}", sheet.columns as f32 / sheet.rows as f32)
            })
        })
    };
    view! {
        <canvas class="sheet" class:smooth=smooth node_ref=canvas role="img" aria-label=label style=ratio></canvas>
    }
}

/// Draws a sheet; the canvas takes its size.
pub fn put(canvas: &HtmlCanvasElement, sheet: Sheet, rgba: &[u8]) -> Result<(), JsValue> {
    let (width, height) = (sheet.columns * sheet.side, sheet.rows * sheet.side);
    if canvas.width() != width || canvas.height() != height {
        canvas.set_width(width);
        canvas.set_height(height);
    }
    let data = ImageData::new_with_u8_clamped_array_and_sh(Clamped(rgba), width, height)?;
    export::context(canvas)?.put_image_data(&data, 0.0, 0.0)
}

/// A pseudo-random seed from the browser: what Randomise gives. It stands in the link afterwards.
pub fn random_seed() -> f32 {
    (js_sys::Math::random() * 10_000.0).floor().min(9_999.0) as f32
}

/// The element of that selector that an event happened on or in. Not the event's own idea of it:
/// listeners are delegated, and it is the whole page.
fn element_of(event: &web_sys::PointerEvent, selector: &str) -> Option<web_sys::Element> {
    let target: web_sys::Element = event.target()?.dyn_into().ok()?;
    target.closest(selector).ok()?
}

/// Where a pointer is on an element, from 0 to 1 in both directions, from the upper left.
pub fn place_of(event: &web_sys::PointerEvent, selector: &str) -> Option<[f64; 2]> {
    let rect = element_of(event, selector)?.get_bounding_client_rect();
    let x = (f64::from(event.client_x()) - rect.left()) / rect.width().max(1.0);
    let y = (f64::from(event.client_y()) - rect.top()) / rect.height().max(1.0);
    Some([x.clamp(0.0, 1.0), y.clamp(0.0, 1.0)])
}

/// Keeps a drag even where it leaves the element.
pub fn capture(event: &web_sys::PointerEvent, selector: &str) {
    if let Some(element) = element_of(event, selector) {
        let _ = element.set_pointer_capture(event.pointer_id());
    }
}
