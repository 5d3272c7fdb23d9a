//! Two densities, to drag and to widen.

use leptos::prelude::*;
use web_sys::PointerEvent;

use super::slider::{Row, RowSlider};
use crate::labs::divergence::page::read;
use crate::labs::divergence::spec::{Form, NAMES};
use crate::maths::densities::{Bump, CELLS, RANGE, log_probabilities, place};
use crate::page::plot::{COLORS, Line, Plot, PlotView};
use crate::page::pointer::{Drag, place_of};
use crate::page::state::{State, use_state};
use crate::page::text::{t_string, use_i18n};

/// Centre and width of the first density, then of the second.
const BUMPS: Row = Row {
    name: NAMES.bumps,
    id: "bump",
    defaults: &[-0.8, 0.6, 0.9, 0.8],
    unit: 1.0,
};
/// What a slider moves a centre to.
const CENTERS: [f64; 2] = [-3.0, 3.0];
/// Narrowest and widest density.
const WIDTHS: [f64; 2] = [0.15, 2.0];

/// The two densities as they are set.
#[derive(Clone, Copy)]
pub struct Pair {
    bumps: Memo<[Bump; 2]>,
    /// Logarithm of the probability of each cell.
    pub logs: Memo<[Vec<f64>; 2]>,
    /// Probability of each cell.
    pub cells: Memo<[Vec<f64>; 2]>,
}

impl Pair {
    /// What the settings say.
    pub fn of_settings() -> Self {
        let bumps = Memo::new(move |_| {
            let settings = read();
            let value = |i: usize| BUMPS.value(&settings.bumps, i);
            [0, 2].map(|i| Bump {
                center: value(i).clamp(RANGE[0], RANGE[1]),
                width: value(i + 1).clamp(WIDTHS[0], WIDTHS[1]),
                is_box: settings.form == Form::Box,
            })
        });
        let logs = Memo::new(move |_| bumps.get().map(|bump| log_probabilities(&[bump])));
        let cells = Memo::new(move |_| logs.get().map(|logs| logs.into_iter().map(f64::exp).collect()));
        Self { bumps, logs, cells }
    }

    /// The discriminator at its best in each cell, `p / (p + q)`, also where both are too small for a
    /// number; one half where there is neither.
    pub fn discriminator(self) -> Vec<[f64; 2]> {
        self.logs.with(|[p, q]| {
            let at = |cell: usize| match (p[cell].is_finite(), q[cell].is_finite()) {
                (false, false) => 0.5,
                _ => 1.0 / (1.0 + (q[cell] - p[cell]).exp()),
            };
            (0..CELLS).map(|cell| [place(cell), at(cell)]).collect()
        })
    }

    /// A curve over the axis of what both probabilities of a cell say.
    pub fn curve(self, value: &dyn Fn(f64, f64) -> f64) -> Vec<[f64; 2]> {
        self.cells.with(|[p, q]| {
            (0..CELLS)
                .map(|cell| [place(cell), value(p[cell], q[cell])])
                .collect()
        })
    }

    fn plot(self) -> Plot {
        let width = (RANGE[1] - RANGE[0]) / CELLS as f64;
        let lines = vec![
            Line::new("P", COLORS[0], self.curve(&|p, _| p / width)).filled(),
            Line::new("Q", COLORS[1], self.curve(&|_, q| q / width)).filled(),
        ];
        let mut plot = Plot::fitted(lines, true);
        plot.ends[0] = RANGE;
        plot
    }

    /// Which density is nearer to where a pointer is.
    fn nearer(self, event: &PointerEvent) -> Option<usize> {
        let at = place_on_axis(event)?;
        let bumps = self.bumps.get_untracked();
        let [p, q] = bumps.map(|bump| (bump.center - at).abs());
        Some(usize::from(q < p))
    }
}

fn place_on_axis(event: &PointerEvent) -> Option<f64> {
    let [x, _] = place_of(event, "#densities")?;
    Some(RANGE[0] + x * (RANGE[1] - RANGE[0]))
}

/// Moves a density to where a pointer is.
fn drag(state: State, event: &PointerEvent, which: usize) {
    if let Some(at) = place_on_axis(event) {
        BUMPS.set(state, which * 2, at);
    }
}

/// The densities over their axis; a pointer drags the nearer one.
#[component]
pub fn Densities(pair: Pair) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    // Which density is dragged.
    let dragged = StoredValue::new(0);
    let hand = Drag::default();
    let begin = move |event: PointerEvent| {
        if let Some(which) = pair.nearer(&event).filter(|_| hand.begin(&event, "#densities")) {
            dragged.set_value(which);
            drag(state, &event, which);
        }
    };
    let go = move |event: PointerEvent| match hand.moves(&event) {
        true => drag(state, &event, dragged.get_value()),
        false => {
            hand.end(&event);
        }
    };
    let stuck = move || {
        // Normal distributions overlap everywhere, however little.
        let apart = pair
            .logs
            .with(|[p, q]| p.iter().zip(q).all(|(p, q)| p.is_infinite() || q.is_infinite()));
        apart.then(|| view! { <p class="sentence" id="stuck">{t_string!(i18n, divergence.stuck)}</p> })
    };
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, divergence.densities)}</h2>
            <div
                class="drag-across"
                id="densities"
                on:pointerdown=begin
                on:pointermove=go
                on:pointerup=move |event| { hand.end(&event); }
                on:pointercancel=move |event| { hand.end(&event); }
            >
                <PlotView
                    plot=Signal::derive(move || pair.plot())
                    label=Signal::derive(move || t_string!(i18n, divergence.densities).to_string())
                />
            </div>
            <p class="help">{move || t_string!(i18n, divergence.drag)}</p>
            {stuck}
        </section>
    }
}

/// Sliders for the centres and widths of both.
#[component]
pub fn DensitySliders(pair: Pair) -> impl IntoView {
    let i18n = use_i18n();
    let slider = move |index: usize| {
        let (which, is_center) = (index / 2, index.is_multiple_of(2));
        let name = ["P", "Q"][which];
        let label = Signal::derive(move || {
            if is_center {
                t_string!(i18n, divergence.center, name = name).to_string()
            } else {
                t_string!(i18n, divergence.width, name = name).to_string()
            }
        });
        let value = Signal::derive(move || {
            let bump = pair.bumps.get()[which];
            if is_center { bump.center } else { bump.width }
        });
        let ends = if is_center { CENTERS } else { WIDTHS };
        view! { <RowSlider row=BUMPS index ends label value /> }
    };
    (0..4).map(slider).collect_view()
}
