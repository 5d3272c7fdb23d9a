//! Curves on axes, and the same in words.

use std::time::Duration;

use leptos::prelude::*;

use super::text::{I18n, t_string, use_i18n};

/// A curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is called; nothing where it needs no name.
    pub name: String,
    /// A CSS colour.
    pub color: &'static str,
    /// Points in the units of the axes; what is not finite breaks the curve.
    pub points: Vec<[f64; 2]>,
    /// Whether the space down to zero is tinted.
    pub filled: bool,
    /// Whether it is dashed.
    pub dashed: bool,
    /// The words by which notes and controls name it and what it is made of, with spaces between them,
    /// its own first; nothing where they do not.
    pub term: &'static str,
    /// Where it stands, told in the legend; nothing where that is not told.
    pub stands: String,
}

impl Line {
    /// A plain curve.
    pub fn new(name: impl Into<String>, color: &'static str, points: Vec<[f64; 2]>) -> Self {
        Self {
            name: name.into(),
            color,
            points,
            filled: false,
            dashed: false,
            term: "",
            stands: String::new(),
        }
    }

    /// The same, tinted down to zero.
    pub fn filled(mut self) -> Self {
        self.filled = true;
        self
    }

    /// The same, dashed.
    pub fn dashed(mut self) -> Self {
        self.dashed = true;
        self
    }

    /// The same, named by notes and controls: see [`Line::term`].
    pub fn term(mut self, term: &'static str) -> Self {
        self.term = term;
        self
    }
}

/// Colours that are told apart by everyone (Okabe and Ito).
pub const COLORS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

/// Units of the drawing.
const SIZE: [f64; 2] = [300.0, 120.0];

/// What a plot shows: curves, and the ends of both axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// The curves.
    pub lines: Vec<Line>,
    /// Ends of the axes: left, right; bottom, top.
    pub ends: [[f64; 2]; 2],
    /// What the ends are called, top, bottom, left and right, where it is not their numbers.
    pub names: Option<[String; 4]>,
    /// Whether the upright axis is logarithmic: points are then logarithms to the base of 10.
    pub log: bool,
}

impl Plot {
    /// Curves between given ends.
    pub fn new(lines: Vec<Line>, ends: [[f64; 2]; 2]) -> Self {
        Self {
            lines,
            ends,
            names: None,
            log: false,
        }
    }

    /// Curves of logarithms to the base of 10, between whole powers of ten: where a curve moves, the axis
    /// mostly stays.
    pub fn logarithmic(lines: Vec<Line>) -> Self {
        let mut plot = Self::fitted(lines, false);
        let [bottom, top] = plot.ends[1];
        plot.ends[1] = [bottom.floor(), top.ceil().max(bottom.floor() + 1.0)];
        plot.log = true;
        plot
    }

    /// The number that a height stands for.
    fn value(&self, y: f64) -> f64 {
        if self.log { 10f64.powf(y) } else { y }
    }

    /// What the curves show, in words: how far they go, where each ends, and between which values it
    /// was.
    fn told(&self, i18n: I18n, label: &str) -> String {
        let [left, right] = self.ends[0].map(number);
        let mut said = t_string!(
            i18n,
            page.plot_across,
            label = label,
            left = left,
            right = right
        )
        .to_string();
        for line in &self.lines {
            let heights = line.points.iter().map(|p| p[1]).filter(|y| y.is_finite());
            let Some(last) = heights.clone().next_back() else {
                continue;
            };
            let low = heights.clone().fold(last, f64::min);
            let high = heights.fold(last, f64::max);
            let [last, low, high] = [last, low, high].map(|y| number(self.value(y)));
            let name = if line.name.is_empty() {
                label
            } else {
                &line.name
            };
            said.push(' ');
            said.push_str(&t_string!(
                i18n,
                page.plot_curve,
                name = name,
                last = last,
                low = low,
                high = high
            ));
        }
        said
    }

    /// Ends that show all points, with zero on the upright axis where `zero` says so.
    pub fn fitted(lines: Vec<Line>, zero: bool) -> Self {
        let finite = |axis: usize| {
            lines
                .iter()
                .flat_map(|line| &line.points)
                .map(move |p| p[axis])
                .filter(|v| v.is_finite())
        };
        let range = |axis: usize, start: [f64; 2]| {
            finite(axis).fold(start, |[low, high], v| [low.min(v), high.max(v)])
        };
        let none = [f64::INFINITY, f64::NEG_INFINITY];
        let widen = |[low, high]: [f64; 2]| {
            if !(low.is_finite() && high.is_finite()) {
                [0.0, 1.0]
            } else if high - low < 1e-9 {
                [low - 0.5, high + 0.5]
            } else {
                [low, high]
            }
        };
        let ends = [
            widen(range(0, none)),
            widen(range(1, if zero { [0.0, 0.0] } else { none })),
        ];
        Self::new(lines, ends)
    }

    fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [[left, right], [bottom, top]] = self.ends;
        [
            (x - left) / (right - left) * SIZE[0],
            (top - y) / (top - bottom) * SIZE[1],
        ]
    }
}

/// Draws it, with a legend of the names.
#[component]
pub fn PlotView(
    /// What is drawn.
    #[prop(into)]
    plot: Signal<Plot>,
    /// What it shows, for those who do not see it.
    #[prop(into)]
    label: Signal<String>,
    /// The term that is pointed at, here or elsewhere.
    #[prop(optional)]
    hot: Option<RwSignal<Option<String>>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let is_lit = move |term: &'static str| {
        let is_hot = |word| hot.is_some_and(|hot| hot.with(|hot| hot.as_deref() == Some(word)));
        term.split(' ').any(is_hot)
    };
    let told = now_and_then(move || plot.with(|plot| plot.told(i18n, &label.get())));
    let curves = move || {
        let plot = plot.get();
        plot.lines
            .iter()
            .flat_map(|line| {
                let mut parts = vec![Vec::new()];
                for &point in &line.points {
                    if point.iter().all(|v| v.is_finite()) {
                        let [x, y] = plot.place(point);
                        let y = y.clamp(-SIZE[1], 2.0 * SIZE[1]);
                        parts.last_mut().expect("never empty").push([x, y]);
                    } else {
                        parts.push(Vec::new());
                    }
                }
                let ground = plot.place([0.0, 0.0])[1].clamp(0.0, SIZE[1]);
                let (color, filled, dashed) = (line.color, line.filled, line.dashed);
                let term = line.term;
                parts.into_iter().filter(|part| !part.is_empty()).map(move |part| {
                    let text = |points: &[[f64; 2]]| {
                        let each = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}"));
                        each.collect::<Vec<_>>().join(" ")
                    };
                    let area = filled.then(|| {
                        let (first, last) = (part[0][0], part[part.len() - 1][0]);
                        let closed =
                            [&[[first, ground]][..], &part, &[[last, ground]]].concat();
                        view! { <polygon points=text(&closed) fill=color opacity="0.18" /> }
                    });
                    view! {
                        {area}
                        <polyline class="curve" class:lit=move || is_lit(term) points=text(&part) style=format!("stroke:{color}") stroke-dasharray=dashed.then_some("4 3") />
                    }
                })
            })
            .collect_view()
    };
    let axis = move || {
        let plot = plot.get();
        let [[left, right], [bottom, top]] = plot.ends;
        // Zero is nothing special among logarithms.
        let is_between = !plot.log && bottom < 0.0 && top > 0.0;
        let zero = is_between.then(|| {
            let y = plot.place([left, 0.0])[1];
            view! { <line x1="0" x2=SIZE[0] y1=y y2=y class="zero" /> }
        });
        let [upper, lower] = [top, bottom].map(|y| number(plot.value(y)));
        let names = || [upper, lower, number(left), number(right)];
        (zero, plot.names.clone().unwrap_or_else(names))
    };
    view! {
        <div class="plot">
            <svg viewBox=format!("0 0 {} {}", SIZE[0], SIZE[1]) preserveAspectRatio="none" role="img" aria-label=told>
                {move || axis().0}
                {curves}
            </svg>
            <span class="axis upper">{move || axis().1[0].clone()}</span>
            <span class="axis lower">{move || axis().1[1].clone()}</span>
            <span class="axis bottom">{move || axis().1[2].clone()}</span>
            <span class="axis end">{move || axis().1[3].clone()}</span>
        </div>
        <ul class="legend">
            {move || plot.get().lines.into_iter().filter(|line| !line.name.is_empty()).map(|line| {
                let term = line.term;
                let own = term.split(' ').next().unwrap_or_default();
                let point = move |is_here: bool| if let Some(hot) = hot.filter(|_| !own.is_empty()) {
                    hot.set(is_here.then(|| own.into()));
                };
                view! {
                    <li
                        class:lit=move || is_lit(term)
                        on:mouseenter=move |_| point(true)
                        on:mouseleave=move |_| point(false)
                    >
                        <span class="line" style=format!("background:{}", line.color)></span>
                        {line.name}
                        {(!line.stands.is_empty()).then(|| view! { <span class="number">{line.stands}</span> })}
                    </li>
                }
            }).collect_view()}
        </ul>
    }
}

/// How long a text may be behind what it is about.
const NOW_AND_THEN: Duration = Duration::from_secs(1);

/// What is said at first, and then anew a second after it changed: whoever reads it is not overtaken, and
/// curves that move do not say what they show at every step.
fn now_and_then(say: impl Fn() -> String + 'static) -> RwSignal<String> {
    let said = RwSignal::new(untrack(&say));
    let now = Signal::derive_local(say);
    let waits = StoredValue::new(false);
    // A timer has no owner, and what is said may ask its own for the state.
    let owner = Owner::current().expect("made inside the page");
    Effect::new(move |_| {
        now.track();
        if !waits.get_value() {
            waits.set_value(true);
            let owner = owner.clone();
            set_timeout(
                move || {
                    // The page may be another one meanwhile.
                    if waits.try_set_value(false).is_none()
                        && let Some(now) = owner.with(|| now.try_get_untracked())
                    {
                        let _ = said.try_set(now);
                    }
                },
                NOW_AND_THEN,
            );
        }
    });
    said
}

/// A number as short as it can be said.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "∞".into();
    }
    let size = value.abs();
    if size != 0.0 && !(0.001..100_000.0).contains(&size) {
        return format!("{value:.1e}");
    }
    let digits = if size >= 100.0 {
        0
    } else if size >= 1.0 {
        2
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').into()
    } else {
        text
    }
}
