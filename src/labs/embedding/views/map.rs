//! The map: pictures where they lie, to be moved, enlarged and clicked.

use leptos::prelude::*;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement, ImageData, PointerEvent, WheelEvent};

use crate::labs::embedding::page::{Results, Shown};
use crate::labs::embedding::spec::{COLUMNS, EmbeddingSettings, GROUPS, LAB, SIDE};
use crate::page::export;
use crate::page::pointer::{Drag, place_of};
use crate::page::state::use_state;
use crate::page::terms::Hot;
use crate::page::text::{t_string, use_i18n};
use crate::page::words::lab_word;

/// Where the sheet of pictures that ship lies.
pub const SHEET: &str = "embeddings/emoji.jpg";
/// Columns and rows of the canvas.
const CANVAS: [f64; 2] = [1200.0, 900.0];
/// How large the map may become, and by how much a click on a button changes it.
const LARGEST: f64 = 30.0;
const BY: f64 = 1.5;
/// A colour for each group (Okabe and Ito), and that of the visitor's pictures.
const COLORS: [&str; 8] = ["#0072b2", "#009e73", "#e69f00", "#d55e00", "#56b4e9", "#cc79a7", "#7f7f7f", "#a17400"];
const OWN: &str = "#d4006a";

/// What part of the map is seen: its middle, and how large it is.
#[derive(Clone, Copy, PartialEq)]
struct Camera {
    middle: [f64; 2],
    zoom: f64,
}

const WHOLE: Camera = Camera { middle: [0.0; 2], zoom: 1.0 };

impl Camera {
    /// Pixels of the canvas for a unit of the map.
    fn scale(self) -> f64 {
        self.zoom * CANVAS[1] * 0.46
    }

    fn on_canvas(self, point: [f32; 2]) -> [f64; 2] {
        [0, 1].map(|axis| CANVAS[axis] / 2.0 + (f64::from(point[axis]) - self.middle[axis]) * self.scale())
    }

    /// The same, larger or smaller around a place of the canvas.
    fn zoomed(self, by: f64, place: [f64; 2]) -> Self {
        let zoom = (self.zoom * by).clamp(0.5, LARGEST);
        let shift = |axis: usize| {
            let away = place[axis] - CANVAS[axis] / 2.0;
            self.middle[axis] + away / self.scale() - away / (self.scale() * zoom / self.zoom)
        };
        Self { middle: [shift(0), shift(1)], zoom }
    }
}

/// The colour of a picture's group.
fn color_of(index: usize, shipped: usize) -> &'static str {
    if index >= shipped {
        return OWN;
    }
    let mut end = 0;
    let group = GROUPS.iter().position(|&(_, count)| {
        end += count;
        index < end
    });
    group.map_or(OWN, |group| COLORS[group])
}

/// The map.
#[component]
pub fn MapView(
    /// What is shown.
    shown: Results,
    /// The picture that was clicked.
    chosen: RwSignal<Option<usize>>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let sheet: NodeRef<leptos::html::Img> = NodeRef::new();
    let is_loaded = RwSignal::new(false);
    let camera = RwSignal::new(WHOLE);
    let own: StoredValue<Vec<HtmlCanvasElement>, LocalStorage> = StoredValue::new_local(Vec::new());
    let thumb = move || state.settings(&LAB).with(|settings| f64::from(settings.read::<EmbeddingSettings>().thumb));
    Effect::new(move |_| {
        let (Some(canvas), Some(sheet), true) = (canvas.get(), sheet.get(), is_loaded.get()) else {
            return;
        };
        let (camera, chosen, side) = (camera.get(), chosen.get(), thumb());
        let drawn = shown.with(|shown| {
            let shown = shown.as_ref()?;
            own.update_value(|own| {
                if own.len() != shown.map.own {
                    *own = pictures(shown).unwrap_or_default();
                }
            });
            Some(own.with_value(|own| draw(&canvas, &sheet, own, shown, camera, side, chosen)))
        });
        if let Some(Err(error)) = drawn {
            leptos::logging::error!("map: {error:?}");
        }
    });
    // Where a press began, and whether it became a drag.
    let drag = Drag::default();
    let last = StoredValue::new(([0.0; 2], false));
    let place = move |event: &PointerEvent| {
        place_of(event, "#embedding canvas").map(|[x, y]| [x * CANVAS[0], y * CANVAS[1]])
    };
    let down = move |event: PointerEvent| {
        if let Some(place) = place(&event).filter(|_| drag.begin(&event, "#embedding canvas")) {
            last.set_value((place, false));
        }
    };
    let moved = move |event: PointerEvent| {
        if drag.end(&event) || !drag.moves(&event) {
            return;
        }
        let Some(now) = place(&event) else { return };
        let (before, was_moved) = last.get_value();
        let by = [0, 1].map(|axis| now[axis] - before[axis]);
        if was_moved || by[0].hypot(by[1]) > 6.0 {
            last.set_value((now, true));
            camera.update(|camera| {
                let scale = camera.scale();
                for (middle, by) in camera.middle.iter_mut().zip(by) {
                    *middle -= by / scale;
                }
            });
        }
    };
    let up = move |event: PointerEvent| {
        if !drag.end(&event) {
            return;
        }
        let (_, was_moved) = last.get_value();
        if let Some(place) = place(&event).filter(|_| !was_moved) {
            let found = shown.with_untracked(|shown| nearest(shown.as_ref()?, camera.get_untracked(), place, thumb()));
            chosen.set(found);
        }
    };
    let wheel = move |event: WheelEvent| {
        event.prevent_default();
        let pointer: &PointerEvent = event.unchecked_ref();
        if let Some(place) = place(pointer) {
            camera.update(|camera| *camera = camera.zoomed((-event.delta_y() / 400.0).exp(), place));
        }
    };
    let zoom = move |by: f64| camera.update(|camera| *camera = camera.zoomed(by, CANVAS.map(|side| side / 2.0)));
    let any = move |_| {
        let count = shown.with_untracked(|shown| shown.as_ref().map_or(0, |shown| shown.points.len()));
        if count > 0 {
            chosen.set(Some((js_sys::Math::random() * count as f64) as usize % count));
        }
    };
    let nothing = move || shown.with(Option::is_none);
    let legend = move || {
        let groups = GROUPS.iter().zip(COLORS).map(|(&(name, _), color)| (format!("groups-of.{name}"), color));
        let all = groups.chain([("groups-of.own".to_string(), OWN)]);
        all.map(|(word, color)| {
            view! { <li><span class="dot" style=format!("background:{color}")></span>{lab_word(i18n, LAB.name, &word)}</li> }
        })
        .collect_view()
    };
    view! {
        <section class="panel" id="embedding" class:lit=Hot::is("map") data-term="map">
            <img class="gone" src=SHEET alt="" node_ref=sheet on:load=move |_| is_loaded.set(true) />
            <p class="invite" class:gone=move || !nothing()>{move || t_string!(i18n, embedding.empty)}</p>
            <canvas
                class="embedding"
                class:gone=nothing
                node_ref=canvas
                width=CANVAS[0].to_string()
                height=CANVAS[1].to_string()
                role="img"
                aria-label=move || t_string!(i18n, embedding.map_alt).to_string()
                on:pointerdown=down
                on:pointermove=moved
                on:pointerup=up
                on:pointercancel=move |_| drag.drop()
                on:wheel=wheel
                data-points=move || shown.with(|shown| shown.as_ref().map_or(0, |shown| shown.points.len()).to_string())
            ></canvas>
            <div class="row">
                <button type="button" class="button quiet" id="zoom-in" disabled=nothing on:click=move |_| zoom(BY) aria-label=move || t_string!(i18n, embedding.larger).to_string()>"+"</button>
                <button type="button" class="button quiet" id="zoom-out" disabled=nothing on:click=move |_| zoom(1.0 / BY) aria-label=move || t_string!(i18n, embedding.smaller).to_string()>"−"</button>
                <button type="button" class="button quiet" id="zoom-all" disabled=nothing on:click=move |_| camera.set(WHOLE)>{move || t_string!(i18n, embedding.whole)}</button>
                <button type="button" class="button quiet" id="choose-any" disabled=nothing on:click=any>{move || t_string!(i18n, embedding.any)}</button>
            </div>
            <ul class="legend">{legend}</ul>
            <p class="help">{move || t_string!(i18n, embedding.map_help)}</p>
        </section>
    }
}

/// The visitor's pictures, ready to be drawn.
fn pictures(shown: &Shown) -> Result<Vec<HtmlCanvasElement>, JsValue> {
    let bytes = shown.own.to_vec();
    let each = bytes.chunks_exact(SIDE * SIDE * 4).map(|rgba| {
        let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
        canvas.set_width(SIDE as u32);
        canvas.set_height(SIDE as u32);
        let data = ImageData::new_with_u8_clamped_array(Clamped(rgba), SIDE as u32)?;
        export::context(&canvas)?.put_image_data(&data, 0.0, 0.0)?;
        Ok(canvas)
    });
    each.collect()
}

/// The picture under a place of the canvas: the last that was drawn there.
fn nearest(shown: &Shown, camera: Camera, place: [f64; 2], side: f64) -> Option<usize> {
    let away = |point: &[f32; 2]| {
        let at = camera.on_canvas(*point);
        (at[0] - place[0]).abs().max((at[1] - place[1]).abs())
    };
    let all = shown.points.iter().enumerate().map(|(index, point)| (index, away(point)));
    let near = all.min_by(|a, b| a.1.total_cmp(&b.1))?;
    // A finger is wide.
    (near.1 <= side.max(24.0)).then_some(near.0)
}

fn draw(
    canvas: &HtmlCanvasElement,
    sheet: &HtmlImageElement,
    own: &[HtmlCanvasElement],
    shown: &Shown,
    camera: Camera,
    side: f64,
    chosen: Option<usize>,
) -> Result<(), JsValue> {
    let context: CanvasRenderingContext2d = export::context(canvas)?;
    context.clear_rect(0.0, 0.0, CANVAS[0], CANVAS[1]);
    let side = side * camera.zoom.sqrt();
    let shipped = shown.map.shipped;
    let order = (0..shown.points.len()).filter(|&index| Some(index) != chosen).chain(chosen);
    for index in order {
        let Some(&point) = shown.points.get(index) else { continue };
        let [x, y] = camera.on_canvas(point).map(|middle| middle - side / 2.0);
        if x < -side || y < -side || x > CANVAS[0] || y > CANVAS[1] {
            continue;
        }
        let is_chosen = Some(index) == chosen;
        let frame = if is_chosen || index >= shipped { 4.0 } else { 1.5 };
        context.set_fill_style_str(if is_chosen { OWN } else { color_of(index, shipped) });
        context.fill_rect(x - frame, y - frame, side + 2.0 * frame, side + 2.0 * frame);
        match index.checked_sub(shipped) {
            None => {
                let [left, top] = [index % COLUMNS, index / COLUMNS].map(|place| (place * SIDE) as f64);
                context.draw_image_with_html_image_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                    sheet,
                    left,
                    top,
                    SIDE as f64,
                    SIDE as f64,
                    x,
                    y,
                    side,
                    side,
                )?;
            }
            Some(number) => {
                if let Some(picture) = own.get(number) {
                    context.draw_image_with_html_canvas_element_and_dw_and_dh(picture, x, y, side, side)?;
                }
            }
        }
    }
    Ok(())
}
