//! The truth by the visitor's hand: boxes drawn on the picture, and how the families fare against them.

use leptos::prelude::*;

use crate::labs::compare::spec::{
    Answer, CompareSettings, Judgement, LAB, NAMES, Named, OfFamily, Question,
};
use crate::labs::compare::truth::{MOST, Object, read, write};
use crate::labs::detect::families::{FAMILIES, Family, PHOTOGRAPH_CLASSES};
use crate::labs::detect::views::placement;
use crate::maths::average_precision::{
    Claim, Rule, Truth, Verdict, average_precision, judge,
};
use crate::maths::boxes::Corners;
use crate::page::engine;
use crate::page::frame::Stage;
use crate::page::latest::{Latest, Standing};
use crate::page::plot::{COLORS, Line, Plot, PlotView};
use crate::page::pointer::{Drag, place_of};
use crate::page::state::use_state;
use crate::page::text::{I18n, t_string, use_i18n};
use crate::page::words::lab_word;
use crate::protocol::param::Value;

/// A box with a smaller side, as a share of the picture, is a click.
const LEAST: f32 = 0.02;
/// A press of an arrow key, as a share of the picture.
const STEP: f32 = 0.01;

/// The class of the photographs that a class of a family is.
fn class_of(family: &Family, class: usize) -> Option<usize> {
    let name = match family.classes[class] {
        "Cattle" => "cow".to_string(),
        name => name.to_lowercase(),
    };
    PHOTOGRAPH_CLASSES.iter().position(|of| *of == name)
}

/// What became of the boxes that a family shows.
pub struct Verdicts {
    /// For each box that is kept, in order: the overlap with what it found.
    pub hits: Vec<Option<f32>>,
    /// Objects that it did not find.
    pub misses: usize,
}

fn truths(truth: &[Object], [width, height]: [f32; 2], class: usize) -> Vec<Truth> {
    let of_class = truth.iter().filter(|object| object.class == class);
    of_class
        .map(|object| Truth {
            picture: 0,
            box_in_image: object.place.scale(width, height),
            ignored: false,
        })
        .collect()
}

impl Verdicts {
    /// None where no truth is known.
    pub fn of(of: &OfFamily, truth: &[Object], size: [f32; 2], overlap: f32) -> Option<Self> {
        if truth.is_empty() {
            return None;
        }
        let family = FAMILIES[of.family];
        let kept: Vec<_> = of.detections.kept().map(|(_, found)| found).collect();
        let mut hits = vec![None; kept.len()];
        let mut found = 0;
        for class in 0..PHOTOGRAPH_CLASSES.len() {
            let truths = truths(truth, size, class);
            let of_class: Vec<usize> = (0..kept.len())
                .filter(|&at| class_of(family, kept[at].class) == Some(class))
                .collect();
            let claims: Vec<Claim> = of_class
                .iter()
                .map(|&at| Claim {
                    picture: 0,
                    box_in_image: kept[at].box_in_image,
                    score: kept[at].score,
                })
                .collect();
            let judged = judge(&truths, &claims, overlap);
            for (&at, verdict) in of_class.iter().zip(&judged.verdicts) {
                if let Verdict::Hit(number) = verdict {
                    hits[at] = Some(truths[*number].box_in_image.iou(kept[at].box_in_image));
                    found += 1;
                }
            }
        }
        Some(Self {
            hits,
            misses: truth.len() - found,
        })
    }
}

/// Mean average precision over the classes of the truth, and the curve over all classes together.
fn precision(of: &OfFamily, truth: &[Object], size: [f32; 2], overlap: f32) -> (f32, Vec<[f64; 2]>) {
    let family = FAMILIES[of.family];
    let (mut sum, mut classes) = (0.0, 0);
    let mut ranked: Vec<(f32, bool)> = Vec::new();
    for class in 0..PHOTOGRAPH_CLASSES.len() {
        let truths = truths(truth, size, class);
        let of_class = of.ranked.iter().filter(|found| class_of(family, found.class) == Some(class));
        let claims: Vec<Claim> = of_class
            .map(|found| Claim {
                picture: 0,
                box_in_image: found.box_in_image,
                score: found.score,
            })
            .collect();
        let judged = judge(&truths, &claims, overlap);
        let all = claims.iter().zip(&judged.verdicts);
        ranked.extend(all.map(|(claim, verdict)| (claim.score, matches!(verdict, Verdict::Hit(_)))));
        let curve = judged.curve(&claims);
        if let Some(average) = average_precision(&curve, judged.positives, Rule::Area) {
            sum += average;
            classes += 1;
        }
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut hits = 0;
    let mut points: Vec<[f64; 2]> = Vec::new();
    for (number, (_, is_hit)) in ranked.into_iter().enumerate() {
        hits += usize::from(is_hit);
        let recall = hits as f64 / truth.len() as f64;
        let precision = hits as f64 / (number + 1) as f64;
        if points.is_empty() {
            points.push([0.0, precision]);
        }
        points.push([recall, precision]);
    }
    (sum / classes.max(1) as f32, points)
}

fn name_of(i18n: I18n, class: usize) -> &'static str {
    lab_word(i18n, "detect", &format!("classes.photographs.{class}"))
}

/// Drawing boxes, and the figures that follow.
#[component]
pub fn TruthPanel(
    /// What the families found.
    answer: Signal<Option<Answer>, LocalStorage>,
    /// The address of the composed picture, where there is one.
    backdrop: RwSignal<Option<String>>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(&LAB);
    let objects = Memo::new(move |_| settings.with(|settings| read(&settings.read::<CompareSettings>().truth)));
    let overlap = Memo::new(move |_| settings.with(|settings| settings.read::<CompareSettings>().overlap));
    let undo = RwSignal::new(Vec::<String>::new());
    let chosen = RwSignal::new(None::<usize>);
    let class = RwSignal::new(4usize);
    let put = move |text: String| state.set(&LAB, NAMES.truth, Value::Text(text));
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
    // Another picture has another truth.
    Effect::new(move |before: Option<Option<String>>| {
        let now = state.source.with(|source| source.as_ref().map(|source| source.url.clone()));
        if before.flatten().is_some_and(|before| Some(&before) != now.as_ref()) {
            undo.set(Vec::new());
            chosen.set(None);
            put(String::new());
        }
        now
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
    let judged = RwSignal::new(Vec::<Judgement>::new());
    // The family whose positive places are shown.
    let pointed = RwSignal::new(None::<usize>);
    let latest = Latest::new(state.engine);
    Effect::new(move |_| {
        objects.get();
        settings.with(|settings| settings.get(NAMES.families).clone());
        judged.set(Vec::new());
        pointed.set(None);
    });
    let ask = move |_| {
        let Some([width, height]) = answer.with_untracked(|answer| {
            answer.as_ref().map(|answer| [answer.width as f32, answer.height as f32])
        }) else {
            return;
        };
        let named = objects.get_untracked().into_iter().map(|object| Named {
            class: object.class,
            box_in_image: object.place.scale(width, height),
        });
        let question = engine::Question::new(
            &Question::Judge(named.collect()),
            &settings.get_untracked(),
        );
        latest.ask("judge", question, move |says| {
            if let Some(of) = says.read::<Vec<Judgement>>() {
                let _ = judged.try_set(of);
            }
        });
    };
    let positives = move || {
        let family = pointed.get()?;
        let [width, height] = answer.with(|answer| {
            answer.as_ref().map(|answer| [answer.width as f32, answer.height as f32])
        })?;
        judged.with(|judged| {
            let of = judged.iter().find(|of| of.family == family)?;
            let places = of.positives.iter().map(|(place, _)| {
                view! { <div class="shape" style=placement(*place, width, height)></div> }
            });
            Some(places.collect_view())
        })
    };
    let figures = move || {
        let (answer, objects) = (answer.get()?, objects.get());
        (!objects.is_empty()).then(|| view! { <Scores answer objects overlap=overlap.get() /> })
    };
    view! {
        <section class="panel" id="truth">
            <h2>{move || t_string!(i18n, compare.truth)}</h2>
            <p class="help">{move || t_string!(i18n, compare.truth_help)}</p>
            <Stage>{move || backdrop.get().map(|url| view! { <img class="layer" src=url alt="" /> })}<Canvas objects chosen class change=Callback::new(change) add=Callback::new(add) remove=Callback::new(move |()| remove()) />{positives}</Stage>
            <div class="row">
                <label for="truth-class">{move || t_string!(i18n, compare.truth_class)}</label>
                <select id="truth-class" on:change:target=move |event| choose_class(event.target().value().parse().unwrap_or(0))>{options}</select>
                <button type="button" class="button quiet" id="truth-add" disabled=is_full on:click=move |_| add(Corners { x0: 0.35, y0: 0.35, x1: 0.65, y1: 0.65 })>
                    {move || t_string!(i18n, compare.truth_add)}
                </button>
                <button type="button" class="button quiet" id="truth-remove" disabled=move || chosen.get().is_none() on:click=move |_| remove()>
                    {move || t_string!(i18n, compare.truth_remove)}
                </button>
                <button type="button" class="button quiet" id="truth-undo" disabled=move || undo.with(Vec::is_empty) on:click=move |_| {
                    if let Some(before) = undo.try_update(Vec::pop).flatten() {
                        chosen.set(None);
                        put(before);
                    }
                }>
                    {move || t_string!(i18n, compare.truth_undo)}
                </button>
            </div>
            <Show when=is_full>
                <p class="quiet">{move || t_string!(i18n, compare.truth_full, most = MOST).to_string()}</p>
            </Show>
            {figures}
            <Show when=move || objects.with(|objects| !objects.is_empty()) && answer.with(Option::is_some)>
                <h3>{move || t_string!(i18n, compare.losses)}</h3>
                <p class="help">{move || t_string!(i18n, compare.losses_help)}</p>
                <div class="row">
                    <button type="button" class="button quiet" id="judge" disabled=move || latest.busy.get() on:click=ask>
                        {move || t_string!(i18n, compare.losses_ask)}
                    </button>
                    <Standing latest />
                </div>
            </Show>
            {move || judged.with(|judged| !judged.is_empty()).then(|| view! { <Losses judged=judged.get() pointed /> })}
        </section>
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
        let Some(object) = all.get_mut(at) else { return };
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
                let name = move || object().map(|of| name_of(i18n, of.class)).unwrap_or_default();
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

/// The terms of each loss, and how many places learn what.
#[component]
fn Losses(judged: Vec<Judgement>, pointed: RwSignal<Option<usize>>) -> impl IntoView {
    let i18n = use_i18n();
    let rows = judged.into_iter().map(|of| {
        let family = FAMILIES[of.family];
        let terms: Vec<String> = of
            .losses
            .iter()
            .map(|(name, loss)| {
                let name = lab_word(i18n, "compare", &format!("terms.{name}"));
                format!("{name} {loss:.2}")
            })
            .collect();
        let sum: f32 = of.losses.iter().map(|(_, loss)| loss).sum();
        let number = of.family;
        let is = move || pointed.get() == Some(number);
        view! {
            <tr class:lit=is data-family=family.name>
                <th scope="row">
                    <button type="button" class="link" aria-pressed=move || is().to_string() on:click=move |_| {
                        pointed.set(if is() { None } else { Some(number) });
                    }>{family.title}</button>
                </th>
                <td class="number">{of.positives.len()}</td>
                <td class="number">{of.ignored}</td>
                <td class="number">{of.negatives}</td>
                <td>{terms.join(" + ")} " = " {format!("{sum:.2}")}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0">
            <table id="losses">
                <thead>
                    <tr>
                        <th scope="col">{t_string!(i18n, compare.detector)}</th>
                        <th scope="col" class="number">{t_string!(i18n, compare.positives)}</th>
                        <th scope="col" class="number">{t_string!(i18n, compare.ignored)}</th>
                        <th scope="col" class="number">{t_string!(i18n, compare.negatives)}</th>
                        <th scope="col">{t_string!(i18n, compare.loss)}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

/// Hits, misses, false alarms, average precision and the curve of each family.
#[component]
fn Scores(answer: Answer, objects: Vec<Object>, overlap: f32) -> impl IntoView {
    let i18n = use_i18n();
    let size = [answer.width as f32, answer.height as f32];
    let mut lines = Vec::new();
    let rows: Vec<_> = answer
        .found
        .iter()
        .enumerate()
        .map(|(number, of)| {
            let family = FAMILIES[of.family];
            let (average, curve) = precision(of, &objects, size, overlap);
            let color = COLORS[number % COLORS.len()];
            lines.push(Line::new(family.title, color, curve));
            let verdicts = Verdicts::of(of, &objects, size, overlap);
            let (hits, alarms, misses) = verdicts.map_or((0, 0, 0), |of| {
                let hits = of.hits.iter().flatten().count();
                (hits, of.hits.len() - hits, of.misses)
            });
            view! {
                <tr data-family=family.name>
                    <th scope="row">{family.title}</th>
                    <td class="number">{hits}</td>
                    <td class="number">{misses}</td>
                    <td class="number">{alarms}</td>
                    <td class="number">{format!("{average:.2}")}</td>
                </tr>
            }
        })
        .collect();
    let plot = Plot::new(lines, [[0.0, 1.0], [0.0, 1.0]]);
    let label = t_string!(i18n, compare.curve).to_string();
    view! {
        <table id="truth-scores">
            <thead>
                <tr>
                    <th scope="col">{t_string!(i18n, compare.detector)}</th>
                    <th scope="col" class="number">{t_string!(i18n, compare.hits)}</th>
                    <th scope="col" class="number">{t_string!(i18n, compare.misses)}</th>
                    <th scope="col" class="number">{t_string!(i18n, compare.alarms)}</th>
                    <th scope="col" class="number">"AP"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
        <PlotView plot=Signal::stored(plot) label />
        <p class="help">{t_string!(i18n, compare.curve_help)}</p>
    }
}
