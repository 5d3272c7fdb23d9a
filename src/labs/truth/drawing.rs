//! Drawing the truth: boxes on the picture, by pointer and by keys.

use leptos::prelude::*;

use super::{MOST, Object, read, write};
use crate::labs::detect::families::PHOTOGRAPH_CLASSES;
use crate::labs::detect::views::placement;
use crate::maths::boxes::Corners;
use crate::page::frame::Stage;
use crate::page::pointer::{Drag, place_of};
use crate::page::state::use_state;
use crate::page::text::{I18n, t_string, use_i18n};
use crate::page::words::lab_word;
use crate::protocol::lab::LabSpec;
use crate::protocol::param::Value;

/// A box with a smaller side, as a share of the picture, is a click.
const LEAST: f32 = 0.02;
/// A press of an arrow key, as a share of the picture.
const STEP: f32 = 0.01;

fn name_of(i18n: I18n, class: usize) -> &'static str {
    lab_word(i18n, "detect", &format!("classes.photographs.{class}"))
}

/// The picture to draw on, and what is done with a box. The truth is the text of a setting.
#[component]
pub fn Drawing(
    /// Whose setting.
    lab: &'static LabSpec,
    /// Its name.
    name: &'static str,
    /// What lies below the boxes.
    #[prop(optional, into)]
    below: ViewFn,
    /// What lies above them.
    #[prop(optional, into)]
    above: ViewFn,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(lab);
    let objects = Memo::new(move |_| {
        settings.with(|settings| match settings.get(name) {
            Value::Text(text) => read(text),
            _ => Vec::new(),
        })
    });
    let undo = RwSignal::new(Vec::<String>::new());
    let chosen = RwSignal::new(None::<usize>);
    let class = RwSignal::new(4usize);
    let put = move |text: String| state.set(lab, name, Value::Text(text));
    let change = move |new: Vec<Object>| {
        let before = write(&objects.get_untracked());
        undo.update(|undo| undo.push(before));
        put(write(&new));
    };
    let add = move |place: Corners| {
        let mut new = objects.get_untracked();
        if new.len() < MOST {
            new.push(Object {
                class: class.get_untracked(),
                place,
            });
            chosen.set(Some(new.len() - 1));
            change(new);
        }
    };
    // What was done to another picture cannot be undone on this one.
    Effect::new(move |_| {
        state.source.track();
        undo.set(Vec::new());
        chosen.set(None);
    });
    let choose_class = move |new: usize| {
        class.set(new);
        let mut all = objects.get_untracked();
        if let Some(object) = chosen.get_untracked().and_then(|at| all.get_mut(at))
            && object.class != new
        {
            object.class = new;
            change(all);
        }
    };
    let options = move || {
        (0..PHOTOGRAPH_CLASSES.len())
            .map(|of| view! { <option value=of selected=move || class.get() == of>{name_of(i18n, of)}</option> })
            .collect_view()
    };
    let is_full = move || objects.with(Vec::len) >= MOST;
    let remove = move || {
        let mut all = objects.get_untracked();
        if let Some(at) = chosen.get_untracked().filter(|at| *at < all.len()) {
            all.remove(at);
            chosen.set(None);
            change(all);
        }
    };
    let layer = |layer: ViewFn| {
        let layer = StoredValue::new(layer);
        move || layer.with_value(ViewFn::run)
    };
    let (below, above) = (layer(below), layer(above));
    view! {
        <Stage>{below}<Canvas objects chosen class change=Callback::new(change) add=Callback::new(add) remove=Callback::new(move |()| remove()) />{above}</Stage>
            <div class="row">
                <label for="truth-class">{move || t_string!(i18n, truth.class)}</label>
                <select id="truth-class" on:change:target=move |event| choose_class(event.target().value().parse().unwrap_or(0))>{options}</select>
                <button type="button" class="button quiet" id="truth-add" disabled=is_full on:click=move |_| add(Corners { x0: 0.35, y0: 0.35, x1: 0.65, y1: 0.65 })>
                    {move || t_string!(i18n, truth.add)}
                </button>
                <button type="button" class="button quiet" id="truth-remove" disabled=move || chosen.get().is_none() on:click=move |_| remove()>
                    {move || t_string!(i18n, truth.remove)}
                </button>
                <button type="button" class="button quiet" id="truth-undo" disabled=move || undo.with(Vec::is_empty) on:click=move |_| {
                    if let Some(before) = undo.try_update(Vec::pop).flatten() {
                        chosen.set(None);
                        put(before);
                    }
                }>
                    {move || t_string!(i18n, truth.undo)}
                </button>
            </div>
            <Show when=is_full>
                <p class="quiet">{move || t_string!(i18n, truth.full, most = MOST).to_string()}</p>
            </Show>
    }
}

/// The boxes over the picture: drawn with a pointer, moved and resized by keys.
#[component]
fn Canvas(
    objects: Memo<Vec<Object>>,
    chosen: RwSignal<Option<usize>>,
    class: RwSignal<usize>,
    change: Callback<Vec<Object>>,
    add: Callback<Corners>,
    remove: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let drag = Drag::default();
    let from = RwSignal::new(None::<[f64; 2]>);
    let to = RwSignal::new([0.0f64; 2]);
    let drawn = move || {
        let [x, y] = from.get()?;
        let [u, v] = to.get();
        Some(Corners {
            x0: x.min(u) as f32,
            y0: y.min(v) as f32,
            x1: x.max(u) as f32,
            y1: y.max(v) as f32,
        })
    };
    let end = move || {
        if let Some(place) = drawn() {
            from.set(None);
            if place.x1 - place.x0 >= LEAST && place.y1 - place.y0 >= LEAST {
                add.run(place);
            }
        }
    };
    let on_key = move |event: web_sys::KeyboardEvent, at: usize| {
        let mut all = objects.get_untracked();
        let Some(object) = all.get_mut(at) else {
            return;
        };
        let [across, down] = match event.key().as_str() {
            "ArrowLeft" => [-STEP, 0.0],
            "ArrowRight" => [STEP, 0.0],
            "ArrowUp" => [0.0, -STEP],
            "ArrowDown" => [0.0, STEP],
            "Delete" | "Backspace" => {
                event.prevent_default();
                chosen.set(Some(at));
                return remove.run(());
            }
            _ => return,
        };
        event.prevent_default();
        let place = object.place;
        let moved = if event.shift_key() {
            Corners {
                x1: (place.x1 + across).clamp(place.x0 + LEAST, 1.0),
                y1: (place.y1 + down).clamp(place.y0 + LEAST, 1.0),
                ..place
            }
        } else {
            let across = across.clamp(-place.x0, 1.0 - place.x1);
            let down = down.clamp(-place.y0, 1.0 - place.y1);
            Corners {
                x0: place.x0 + across,
                y0: place.y0 + down,
                x1: place.x1 + across,
                y1: place.y1 + down,
            }
        };
        object.place = moved;
        change.run(all);
    };
    // Buttons stay while their boxes move, so that the keyboard's focus does.
    let count = Memo::new(move |_| objects.with(Vec::len));
    let boxes = move || {
        (0..count.get())
            .map(|at| {
                let object = move || objects.with(|objects| objects.get(at).copied());
                let style = move || object().map(|of| placement(of.place, 1.0, 1.0));
                let name = move || {
                    object()
                        .map(|of| name_of(i18n, of.class))
                        .unwrap_or_default()
                };
                view! {
                    <button
                        type="button"
                        class="box truth"
                        class:inside=move || object().is_some_and(|of| of.place.y0 < 0.06)
                        class:lit=move || chosen.get() == Some(at)
                        style=style
                        aria-label=name
                        on:pointerdown=move |event| event.stop_propagation()
                        on:click=move |_| {
                            chosen.set(Some(at));
                            if let Some(of) = object() {
                                class.set(of.class);
                            }
                        }
                        on:focus=move |_| chosen.set(Some(at))
                        on:keydown=move |event| on_key(event, at)
                    >
                        <span>{name}</span>
                    </button>
                }
            })
            .collect_view()
    };
    view! {
        <div
            class="layer drawing"
            id="truth-canvas"
            on:pointerdown=move |event| {
                if drag.begin(&event, "#truth-canvas")
                    && let Some(place) = place_of(&event, "#truth-canvas")
                {
                    event.prevent_default();
                    to.set(place);
                    from.set(Some(place));
                }
            }
            on:pointermove=move |event| {
                if from.get_untracked().is_some()
                    && let Some(place) = place_of(&event, "#truth-canvas")
                {
                    to.set(place);
                }
            }
            on:pointerup=move |event| {
                drag.end(&event);
                end();
            }
            on:pointercancel=move |event| {
                drag.end(&event);
                from.set(None);
            }
        >
            {boxes}
            {move || drawn().map(|place| view! { <div class="box truth lit" style=placement(place, 1.0, 1.0)></div> })}
        </div>
    }
}
