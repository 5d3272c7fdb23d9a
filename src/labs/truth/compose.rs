//! Composing: cut-outs are laid over the picture, so that the truth is known exactly.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlCanvasElement, HtmlImageElement};

use super::Object;
use super::scene::{CUTOUTS, HEIGHTS, MOST, Placed, SceneSettings, bounds, read, write};
use crate::maths::boxes::Corners;
use crate::page::export::{context, to_blob};
use crate::page::frame::Stage;
use crate::page::pointer::{Drag, place_of};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::page::words::lab_word;
use crate::protocol::link::{self, Shared};
use crate::protocol::param::Value;

/// Longer side of a composed picture in pixels: the networks see 320.
const LONGEST: f64 = 640.0;
/// Objects of which less is seen, as a share of their own pixels, are no truth.
const SEEN: f64 = 0.15;
/// A press of an arrow key, as a share of the picture.
const STEP: f32 = 0.01;

/// A picture with cut-outs over it, and what is in it.
pub struct Composed {
    /// As a PNG file.
    pub picture: Blob,
    /// Those of which enough is seen.
    pub truth: Vec<Object>,
}

async fn image(url: &str) -> Result<HtmlImageElement, JsValue> {
    let image = HtmlImageElement::new()?;
    image.set_src(url);
    JsFuture::from(image.decode()).await?;
    Ok(image)
}

fn canvas_of([width, height]: [u32; 2]) -> Result<HtmlCanvasElement, JsValue> {
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    canvas.set_width(width);
    canvas.set_height(height);
    Ok(canvas)
}

/// Draws a cut-out at its place.
fn lay(
    canvas: &HtmlCanvasElement,
    image: &HtmlImageElement,
    placed: &Placed,
    operation: &str,
) -> Result<(), JsValue> {
    let [width, height] = [canvas.width(), canvas.height()].map(f64::from);
    let context = context(canvas)?;
    context.save();
    context.set_global_composite_operation(operation)?;
    let [x, y] = placed.middle.map(f64::from);
    context.translate(x * width, y * height)?;
    context.rotate(f64::from(placed.turn).to_radians())?;
    let tall = f64::from(placed.height) * height;
    let wide = tall * f64::from(CUTOUTS[placed.cutout].ratio);
    context.draw_image_with_html_image_element_and_dw_and_dh(
        image,
        -wide / 2.0,
        -tall / 2.0,
        wide,
        tall,
    )?;
    context.restore();
    Ok(())
}

/// The pixels of a canvas that are more seen than not.
fn seen(canvas: &HtmlCanvasElement) -> Result<Vec<bool>, JsValue> {
    let [width, height] = [canvas.width(), canvas.height()].map(f64::from);
    let data = context(canvas)?
        .get_image_data(0.0, 0.0, width, height)?
        .data();
    Ok(data.chunks_exact(4).map(|pixel| pixel[3] > 127).collect())
}

/// Lays the cut-outs over a picture. Boxes hold what is seen of each, as boxes drawn by hand do.
///
/// # Errors
/// Where the browser cannot draw.
pub async fn compose(background: &str, scene: &[Placed]) -> Result<Composed, JsValue> {
    let below = image(background).await?;
    let natural = [below.natural_width(), below.natural_height()].map(f64::from);
    let scale = (LONGEST / natural[0].max(natural[1])).min(1.0);
    let size = natural.map(|side| (side * scale).round().max(1.0) as u32);
    let canvas = canvas_of(size)?;
    let [width, height] = size.map(f64::from);
    context(&canvas)?
        .draw_image_with_html_image_element_and_dw_and_dh(&below, 0.0, 0.0, width, height)?;
    let mut images = Vec::new();
    for placed in scene {
        let name = CUTOUTS[placed.cutout].name;
        images.push(image(&format!("cutouts/{name}.webp")).await?);
    }
    let mut truth = Vec::new();
    for (at, placed) in scene.iter().enumerate() {
        lay(&canvas, &images[at], placed, "source-over")?;
        let alone = canvas_of(size)?;
        lay(&alone, &images[at], placed, "source-over")?;
        let own = seen(&alone)?.into_iter().filter(|is| *is).count();
        for (later, image) in scene.iter().zip(&images).skip(at + 1) {
            lay(&alone, image, later, "destination-out")?;
        }
        let mask = seen(&alone)?;
        let left = mask.iter().filter(|is| **is).count();
        let edges = bounds(mask.into_iter(), size[0] as usize);
        if let Some([x0, y0, x1, y1]) = edges
            && left as f64 >= SEEN * own as f64
        {
            truth.push(Object {
                class: CUTOUTS[placed.cutout].class,
                place: Corners {
                    x0: x0 as f32 / size[0] as f32,
                    y0: y0 as f32 / size[1] as f32,
                    x1: x1 as f32 / size[0] as f32,
                    y1: y1 as f32 / size[1] as f32,
                },
            });
        }
    }
    Ok(Composed {
        picture: to_blob(&canvas).await?,
        truth,
    })
}

/// Cut-outs to choose from, and those that lie on the picture.
#[component]
pub fn ComposePanel(
    /// Whose scene.
    of: SceneSettings,
    /// Another lab that the scene can be taken to.
    to: SceneSettings,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(of.lab);
    let scene = Memo::new(move |_| settings.with(|settings| read(&of.scene(settings))));
    let chosen = RwSignal::new(None::<usize>);
    // Scenes, each with the truth that stood over it: it may have been drawn by hand.
    let undo = RwSignal::new(Vec::<[String; 2]>::new());
    // A scene may be taken back on another picture, too; a truth belongs to its own.
    Effect::new(move |_| {
        state.source.track();
        undo.update(|undo| undo.iter_mut().for_each(|[_, truth]| truth.clear()));
    });
    let put = move |[scene, truth]: [String; 2]| {
        let values = [
            (of.scene, Value::Text(scene)),
            (of.truth, Value::Text(truth)),
        ];
        state.set_all(of.lab, &values);
    };
    let change = move |new: Vec<Placed>| {
        let truth = settings.with_untracked(|settings| of.truth(settings));
        let before = [write(&scene.get_untracked()), truth];
        undo.update(|undo| undo.push(before));
        // The composed truth comes with the picture; without one there is none.
        put([write(&new), String::new()]);
    };
    let with = move |act: &dyn Fn(&mut Placed)| {
        let mut all = scene.get_untracked();
        if let Some(placed) = chosen.get_untracked().and_then(|at| all.get_mut(at)) {
            act(placed);
            change(all);
        }
    };
    let add = move |cutout: usize| {
        let mut all = scene.get_untracked();
        if all.len() < MOST {
            all.push(Placed {
                cutout,
                middle: [0.3 + 0.1 * all.len() as f32 % 0.5, 0.65],
                height: if CUTOUTS[cutout].ratio > 2.0 {
                    0.25
                } else {
                    0.45
                },
                turn: 0.0,
            });
            chosen.set(Some(all.len() - 1));
            change(all);
        }
    };
    let remove = move || {
        let mut all = scene.get_untracked();
        if let Some(at) = chosen.get_untracked().filter(|at| *at < all.len()) {
            all.remove(at);
            chosen.set(None);
            change(all);
        }
    };
    let to_front = move |_| {
        let mut all = scene.get_untracked();
        if let Some(at) = chosen.get_untracked().filter(|at| *at < all.len()) {
            let placed = all.remove(at);
            all.push(placed);
            chosen.set(Some(all.len() - 1));
            change(all);
        }
    };
    let name =
        move |cutout: usize| lab_word(i18n, "truth", &format!("cutouts.{}", CUTOUTS[cutout].name));
    let full = move || scene.with(Vec::len) == MOST;
    let shelf = CUTOUTS
        .iter()
        .enumerate()
        .map(|(number, cutout)| {
            view! {
                <li>
                    <button type="button" class="sample cutout" data-cutout=cutout.name disabled=full on:click=move |_| add(number)>
                        <img src=format!("cutouts/{}.webp", cutout.name) alt="" loading="lazy" />
                        <span>{move || name(number)}</span>
                    </button>
                </li>
            }
        })
        .collect_view();
    // A change under the hand is shown at once, and kept when the hand lets go.
    let moved = RwSignal::new(None::<Placed>);
    let drag = Drag::default();
    let grip = StoredValue::new([0.0f64; 2]);
    let place = move |at: usize| {
        let of_hand = moved.get().filter(|_| chosen.get() == Some(at));
        of_hand.or_else(|| scene.with(|scene| scene.get(at).copied()))
    };
    let count = Memo::new(move |_| scene.with(Vec::len));
    let let_go = move || {
        if let Some(moved_to) = moved.try_update(Option::take).flatten() {
            with(&|placed| *placed = moved_to);
        }
    };
    let on_key = move |event: web_sys::KeyboardEvent| {
        let [across, down, grow, turn] = match event.key().as_str() {
            "ArrowLeft" => [-STEP, 0.0, 1.0, 0.0],
            "ArrowRight" => [STEP, 0.0, 1.0, 0.0],
            "ArrowUp" => [0.0, -STEP, 1.0, 0.0],
            "ArrowDown" => [0.0, STEP, 1.0, 0.0],
            "+" => [0.0, 0.0, 1.1, 0.0],
            "-" => [0.0, 0.0, 1.0 / 1.1, 0.0],
            "[" => [0.0, 0.0, 1.0, -10.0],
            "]" => [0.0, 0.0, 1.0, 10.0],
            "Delete" | "Backspace" => {
                event.prevent_default();
                return remove();
            }
            _ => return,
        };
        event.prevent_default();
        with(&|placed| {
            placed.middle = [placed.middle[0] + across, placed.middle[1] + down];
            placed.height = (placed.height * grow).clamp(HEIGHTS[0], HEIGHTS[1]);
            placed.turn = (placed.turn + turn).clamp(-180.0, 180.0);
        });
    };
    let items = move || {
        (0..count.get())
            .map(|at| {
                let style = move || {
                    place(at).map(|of| {
                        let [x, y] = of.middle.map(|share| share * 100.0);
                        format!(
                            "left:{x:.2}%;top:{y:.2}%;height:{:.2}%;aspect-ratio:{:.4};transform:translate(-50%,-50%) rotate({:.0}deg)",
                            of.height * 100.0,
                            CUTOUTS[of.cutout].ratio,
                            of.turn
                        )
                    })
                };
                let cutout = move || scene.with(|scene| scene.get(at).map(|of| of.cutout)).unwrap_or(0);
                view! {
                    <button
                        type="button"
                        class="placed"
                        class:lit=move || chosen.get() == Some(at)
                        style=style
                        aria-label=move || name(cutout())
                        on:focus=move |_| chosen.set(Some(at))
                        on:keydown=on_key
                        on:pointerdown=move |event| {
                            if drag.begin(&event, "#compose-canvas")
                                && let Some([x, y]) = place_of(&event, "#compose-canvas")
                            {
                                chosen.set(Some(at));
                                let from = place(at);
                                if let Some(of) = from {
                                    grip.set_value([f64::from(of.middle[0]) - x, f64::from(of.middle[1]) - y]);
                                }
                                moved.set(from);
                            }
                        }
                    >
                        <img src=move || format!("cutouts/{}.webp", CUTOUTS[cutout()].name) alt="" draggable="false" />
                    </button>
                }
            })
            .collect_view()
    };
    let link = move || {
        link::encode(&Shared {
            settings: to.opened(state.settings(to.lab).get(), write(&scene.get())),
            sample: state
                .source
                .with(|source| source.as_ref().and_then(|source| source.sample)),
            present: false,
        })
    };
    let of_chosen = move || chosen.get().and_then(place);
    view! {
        <section class="panel" id="compose">
            <h2>{move || t_string!(i18n, truth.compose)}</h2>
            <p class="help">{move || t_string!(i18n, truth.compose_help)}</p>
            <ul class="samples shelf">{shelf}</ul>
            <Show when=move || { count.get() > 0 }>
                <Stage>
                    <div
                        class="layer drawing"
                        id="compose-canvas"
                        on:pointermove=move |event| {
                            if let (Some(mut of), Some([x, y])) = (moved.get_untracked(), place_of(&event, "#compose-canvas")) {
                                let [left, up] = grip.get_value();
                                of.middle = [(x + left) as f32, (y + up) as f32];
                                moved.set(Some(of));
                            }
                        }
                        on:pointerup=move |event| {
                            drag.end(&event);
                            let_go();
                        }
                        on:pointercancel=move |event| {
                            drag.end(&event);
                            moved.set(None);
                        }
                    >
                        {items}
                    </div>
                </Stage>
                <div class="row">
                    <label for="compose-size">{move || t_string!(i18n, truth.compose_size)}</label>
                    <input
                        type="range"
                        id="compose-size"
                        min="50"
                        max="1200"
                        disabled=move || of_chosen().is_none()
                        prop:value=move || of_chosen().map_or(400.0, |of| (of.height * 1000.0).round())
                        on:change:target=move |event| {
                            let height: f32 = event.target().value().parse().unwrap_or(400.0);
                            with(&|placed| placed.height = height / 1000.0);
                        }
                    />
                    <label for="compose-turn">{move || t_string!(i18n, truth.compose_turn)}</label>
                    <input
                        type="range"
                        id="compose-turn"
                        min="-180"
                        max="180"
                        disabled=move || of_chosen().is_none()
                        prop:value=move || of_chosen().map_or(0.0, |of| of.turn)
                        on:change:target=move |event| {
                            let turn: f32 = event.target().value().parse().unwrap_or(0.0);
                            with(&|placed| placed.turn = turn);
                        }
                    />
                    <button type="button" class="button quiet" id="compose-front" disabled=move || of_chosen().is_none() on:click=to_front>
                        {move || t_string!(i18n, truth.compose_front)}
                    </button>
                    <button type="button" class="button quiet" id="compose-remove" disabled=move || of_chosen().is_none() on:click=move |_| remove()>
                        {move || t_string!(i18n, truth.remove)}
                    </button>
                </div>
            </Show>
            <div class="row">
                <button type="button" class="button quiet" id="compose-undo" disabled=move || undo.with(Vec::is_empty) on:click=move |_| {
                    if let Some(before) = undo.try_update(Vec::pop).flatten() {
                        chosen.set(None);
                        put(before);
                    }
                }>
                    {move || t_string!(i18n, truth.undo)}
                </button>
                <Show when=move || { count.get() > 0 }>
                    <a id="compose-to" href=link>
                        {move || t_string!(i18n, truth.compose_to, lab = lab_word(i18n, to.lab.name, "tab")).to_string()}
                    </a>
                </Show>
            </div>
        </section>
    }
}
