//! The strokes of the pad, and the brush that makes them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, KeyboardEvent, PointerEvent};

use crate::labs::stylize::page::run_with;
use crate::labs::stylize::spec::{LAB, NAMES, POINTS_MAX, REGIONS_MAX, Region, StylizeSettings};
use crate::page::pointer::Drag;
use crate::page::export;
use crate::page::state::State;
use crate::protocol::param::Value;

/// Columns and rows of a drawing.
pub const SIZE: [u32; 2] = [640, 448];
/// Longer side in pixels of what follows the pen.
const PREVIEW: f32 = 192.0;
/// How often the picture follows the pen at most, in milliseconds.
const PREVIEW_EVERY: u64 = 120;
/// How far an arrow key moves the brush, as a share of the pad.
const KEY_STEP: f32 = 0.02;
/// Paper, and what the eraser leaves.
const PAPER: &str = "#ffffff";

/// A stroke of a drawing.
#[derive(Debug, Clone, PartialEq)]
struct Ink {
    color: String,
    /// As in [`Region`].
    width: f32,
    /// As in [`Region`].
    points: Vec<[f32; 3]>,
}

/// What the visitor drew on the pad.
#[derive(Clone, Copy)]
struct Sketch(RwSignal<Vec<Ink>>);

fn sketch(state: State) -> RwSignal<Vec<Ink>> {
    state.memory(|| Sketch(RwSignal::new(Vec::new()))).0
}

/// Where the visitor wants which style.
#[derive(Clone, Copy)]
struct Regions(RwSignal<Vec<Region>>);

/// Where the visitor wants which style.
pub fn regions(state: State) -> RwSignal<Vec<Region>> {
    state.memory(|| Regions(RwSignal::new(Vec::new()))).0
}

/// What the pad is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The drawing is the picture that is repainted.
    Draw,
    /// Strokes say where a style goes.
    Regions,
}

/// A pad that is open, and the brush on it.
#[derive(Clone, Copy)]
pub struct Pad {
    /// The page.
    pub state: State,
    /// What it is for.
    pub what: Use,
    /// What is drawn on.
    pub canvas: NodeRef<leptos::html::Canvas>,
    /// Columns for each row of the paper.
    pub ratio: RwSignal<f64>,
    /// Of the brush, in percent of the longer side.
    pub width: RwSignal<f32>,
    /// What a drawing is drawn with.
    pub color: RwSignal<String>,
    /// Whether the brush leaves paper instead.
    pub erases: RwSignal<bool>,
    /// What the brush lays down, as in [`Region`].
    pub style: RwSignal<Option<u8>>,
    /// Whether the brush is down.
    pub drawing: RwSignal<bool>,
    /// Where the keys have moved the brush to.
    pub cursor: RwSignal<[f32; 2]>,
    /// Whether there is something that was not shown yet.
    changed: StoredValue<bool>,
    /// The pointer that draws, if one does. Otherwise it is the keys that have put the brush down.
    hand: Drag,
    by_keys: StoredValue<bool>,
}

impl Pad {
    /// Nothing is drawn yet by this brush; what was drawn before is kept.
    pub fn new(state: State, what: Use) -> Self {
        Self {
            state,
            what,
            canvas: NodeRef::new(),
            ratio: RwSignal::new(f64::from(SIZE[0]) / f64::from(SIZE[1])),
            width: RwSignal::new(if what == Use::Draw { 2.0 } else { 16.0 }),
            color: RwSignal::new("#1f4e79".to_string()),
            erases: RwSignal::new(false),
            style: RwSignal::new(Some(12)),
            drawing: RwSignal::new(false),
            cursor: RwSignal::new([0.5, 0.5]),
            changed: StoredValue::new(false),
            hand: Drag::default(),
            by_keys: StoredValue::new(false),
        }
    }

    /// Puts the brush down.
    fn begin(self, at: [f32; 3]) {
        let width = self.width.get_untracked() / 100.0;
        let points = vec![at];
        let began = match self.what {
            Use::Draw => {
                let color = if self.erases.get_untracked() {
                    PAPER.into()
                } else {
                    self.color.get_untracked()
                };
                sketch(self.state).update(|sketch| {
                    sketch.push(Ink {
                        color,
                        width,
                        points,
                    });
                });
                true
            }
            Use::Regions => regions(self.state)
                .try_update(|regions| {
                    let room = regions.len() < REGIONS_MAX;
                    if room {
                        regions.push(Region {
                            style: self.style.get_untracked(),
                            width,
                            points,
                        });
                    }
                    room
                })
                .unwrap_or(false),
        };
        self.drawing.set(began);
        self.changed.set_value(began);
    }

    /// Moves the brush where it is down.
    fn add(self, at: [f32; 3]) {
        if !self.drawing.get_untracked() {
            return;
        }
        match self.what {
            Use::Draw => sketch(self.state).update(|sketch| {
                if let Some(ink) = sketch.last_mut() {
                    ink.points.push(at);
                }
            }),
            Use::Regions => regions(self.state).update(|regions| {
                if let Some(region) = regions.last_mut().filter(|r| r.points.len() < POINTS_MAX) {
                    region.points.push(at);
                }
            }),
        }
        self.changed.set_value(true);
    }

    /// Lifts the brush.
    fn end(self) {
        self.by_keys.set_value(false);
        if self.drawing.get_untracked() {
            self.drawing.set(false);
            self.show(None);
        }
    }

    /// The whole picture once the brush is up; a small one while it moves.
    fn show(self, preview: Option<f32>) {
        self.changed.set_value(false);
        let state = self.state;
        let Some(canvas) = self.canvas.get_untracked() else {
            return;
        };
        match self.what {
            Use::Draw => spawn_local(async move {
                if let Ok(blob) = export::to_blob(&canvas).await {
                    show_drawing(state, blob, preview);
                }
            }),
            Use::Regions => show_regions(state, preview),
        }
    }

    /// Shows now and then what the brush does while it is down.
    pub fn follow(self) {
        let follow = set_interval_with_handle(
            move || {
                let idle = !untrack(|| self.state.desk(&LAB).is_running());
                if self.drawing.get_untracked() && self.changed.get_value() && idle {
                    self.show(Some(PREVIEW));
                }
            },
            std::time::Duration::from_millis(PREVIEW_EVERY),
        );
        on_cleanup(move || {
            if let Ok(follow) = follow {
                follow.clear();
            }
        });
    }

    /// Takes back the last stroke, or all.
    pub fn take_back(self, all: bool) {
        // With another finger: the stroke under way goes, and is not gone on with.
        self.hand.drop();
        self.by_keys.set_value(false);
        self.drawing.set(false);
        match self.what {
            Use::Draw => sketch(self.state).update(|sketch| shorten(sketch, all)),
            Use::Regions => regions(self.state).update(|regions| shorten(regions, all)),
        }
        // The canvas is painted by an effect, a moment later.
        set_timeout(
            move || self.show(None),
            std::time::Duration::from_millis(20),
        );
    }

    /// Whether nothing is drawn.
    pub fn is_empty(self) -> bool {
        match self.what {
            Use::Draw => sketch(self.state).with(Vec::is_empty),
            Use::Regions => regions(self.state).with(Vec::is_empty),
        }
    }

    /// Whether there is no room for another stroke.
    pub fn is_full(self) -> bool {
        self.what == Use::Regions
            && regions(self.state).with(|regions| regions.len() >= REGIONS_MAX)
    }

    /// Paints the strokes; tracked.
    pub fn paint(self) {
        let Some(canvas) = self.canvas.get() else {
            return;
        };
        // Another height empties a canvas, so that it is set here, before it is painted.
        let rows = (f64::from(SIZE[0]) / self.ratio.get()).round().max(1.0) as u32;
        if canvas.height() != rows {
            canvas.set_height(rows);
        }
        let painted = match self.what {
            Use::Draw => sketch(self.state).with(|sketch| paint_sketch(&canvas, sketch)),
            Use::Regions => regions(self.state).with(|regions| paint_regions(&canvas, regions)),
        };
        if let Err(error) = painted {
            leptos::logging::error!("the pad: {error:?}");
        }
    }

    /// Puts the brush down where the pointer is, and keeps the stroke even where it leaves the pad.
    pub fn press(self, event: &PointerEvent) {
        if !self.hand.begin(event, "#pad") {
            return;
        }
        event.prevent_default();
        // A stroke of the keys ends where the hand takes over.
        self.end();
        if let Some(at) = place(event) {
            self.begin(at);
        }
    }

    /// Follows the pointer that draws, and lifts the brush where its button is up.
    pub fn follow_pointer(self, event: &PointerEvent) {
        if self.hand.moves(event) {
            if let Some(at) = place(event) {
                self.add(at);
            }
        } else if self.hand.end(event) {
            self.end();
        }
    }

    /// The focus goes: what the keys had put down is lifted.
    pub fn blur(self) {
        if self.by_keys.get_value() {
            self.end();
        }
    }

    /// Arrows move the brush; the space bar puts it down and lifts it.
    pub fn key(self, event: &KeyboardEvent) {
        let [x, y] = match event.key().as_str() {
            "ArrowLeft" => [-KEY_STEP, 0.0],
            "ArrowRight" => [KEY_STEP, 0.0],
            "ArrowUp" => [0.0, -KEY_STEP],
            "ArrowDown" => [0.0, KEY_STEP],
            " " => {
                event.prevent_default();
                let by_keys = self.by_keys.get_value();
                // While the hand draws, the keys do not.
                if event.repeat() || (self.drawing.get_untracked() && !by_keys) {
                    return;
                }
                let [x, y] = self.cursor.get_untracked();
                if by_keys {
                    self.end();
                } else {
                    self.begin([x, y, 1.0]);
                    self.by_keys.set_value(self.drawing.get_untracked());
                }
                return;
            }
            _ => return,
        };
        event.prevent_default();
        self.cursor
            .update(|at| *at = [(at[0] + x).clamp(0.0, 1.0), (at[1] + y).clamp(0.0, 1.0)]);
        let [x, y] = self.cursor.get_untracked();
        if self.by_keys.get_value() {
            self.add([x, y, 1.0]);
        }
    }
}

/// Where a pointer is on the pad, in shares of it, and how hard it presses.
fn place(event: &PointerEvent) -> Option<[f32; 3]> {
    let target: web_sys::Element = event.current_target()?.dyn_into().ok()?;
    let area = target.get_bounding_client_rect();
    let share = |at: i32, start: f64, length: f64| {
        // A stroke may leave the pad, but not without end.
        (((f64::from(at) - start) / length) as f32).clamp(-1.0, 2.0)
    };
    // A mouse or a finger has no pressure to speak of.
    let pressure = if event.pointer_type() == "pen" {
        event.pressure().clamp(0.05, 1.0)
    } else {
        1.0
    };
    Some([
        share(event.client_x(), area.left(), area.width()),
        share(event.client_y(), area.top(), area.height()),
        pressure,
    ])
}

fn shorten<T>(list: &mut Vec<T>, all: bool) {
    if all {
        list.clear();
    } else {
        list.pop();
    }
}

fn paint_sketch(canvas: &HtmlCanvasElement, sketch: &[Ink]) -> Result<(), JsValue> {
    let context = export::context(canvas)?;
    context.set_fill_style_str(PAPER);
    context.fill_rect(0.0, 0.0, canvas.width().into(), canvas.height().into());
    for ink in sketch {
        line(&context, canvas, &ink.color, ink.width, &ink.points)?;
    }
    Ok(())
}

/// Regions as veils, a hue for each style.
fn paint_regions(canvas: &HtmlCanvasElement, regions: &[Region]) -> Result<(), JsValue> {
    let context = export::context(canvas)?;
    context.clear_rect(0.0, 0.0, canvas.width().into(), canvas.height().into());
    for region in regions {
        let color = match region.style {
            Some(style) => format!("hsl({} 75% 55%)", u32::from(style) * 83 % 360),
            None => "#dddddd".into(),
        };
        line(&context, canvas, &color, region.width, &region.points)?;
    }
    Ok(())
}

fn line(
    context: &CanvasRenderingContext2d,
    canvas: &HtmlCanvasElement,
    color: &str,
    width: f32,
    points: &[[f32; 3]],
) -> Result<(), JsValue> {
    let [columns, rows] = [canvas.width(), canvas.height()].map(f64::from);
    let full = f64::from(width) * columns.max(rows);
    context.set_stroke_style_str(color);
    context.set_line_cap("round");
    let at = |point: &[f32; 3]| (f64::from(point[0]) * columns, f64::from(point[1]) * rows);
    let dot = points.first().filter(|_| points.len() == 1);
    let pieces = points.windows(2).map(|pair| [&pair[0], &pair[1]]);
    for [from, to] in pieces.chain(dot.map(|point| [point, point])) {
        context.set_line_width((full * f64::from(from[2] + to[2]) / 2.0).max(0.5));
        context.begin_path();
        let (x, y) = at(from);
        context.move_to(x, y);
        let (x, y) = at(to);
        context.line_to(x, y);
        context.stroke();
    }
    Ok(())
}

/// Puts a drawing on the stage and repaints it; small while the pen moves.
fn show_drawing(state: State, blob: web_sys::Blob, preview: Option<f32>) {
    state.replace_source(blob, "drawing.png".into());
    run_at(state, preview);
}

/// Repaints the picture with the regions as they are.
fn show_regions(state: State, preview: Option<f32>) {
    if state.source.with_untracked(Option::is_some) {
        run_at(state, preview);
    }
}

fn run_at(state: State, preview: Option<f32>) {
    let mut settings = state.settings(&LAB).get_untracked();
    if let Some(side) = preview {
        let size = settings.read::<StylizeSettings>().size as f32;
        settings.set(NAMES.size, Value::Number(side.min(size)));
    }
    run_with(state, settings);
}
