//! Curves on axes.

use leptos::prelude::*;

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
    /// The word by which notes and controls name it; nothing where they do not.
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
    /// What the ends are called, top, bottom, left and right, where it is not their numbers: on a
    /// logarithmic scale the points are logarithms.
    pub names: Option<[String; 4]>,
}

impl Plot {
    /// Curves between given ends.
    pub fn new(lines: Vec<Line>, ends: [[f64; 2]; 2]) -> Self {
        Self {
            lines,
            ends,
            names: None,
        }
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
    let is_lit = move |term: &'static str| {
        hot.is_some_and(|hot| hot.with(|hot| hot.as_deref() == Some(term)))
    };
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
        let is_between = plot.names.is_none() && bottom < 0.0 && top > 0.0;
        let zero = is_between.then(|| {
            let y = plot.place([left, 0.0])[1];
            view! { <line x1="0" x2=SIZE[0] y1=y y2=y class="zero" /> }
        });
        (
            zero,
            plot.names
                .unwrap_or_else(|| [top, bottom, left, right].map(number)),
        )
    };
    view! {
        <div class="plot">
            <svg viewBox=format!("0 0 {} {}", SIZE[0], SIZE[1]) preserveAspectRatio="none" role="img" aria-label=label>
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
                let point = move |to: Option<String>| if let Some(hot) = hot.filter(|_| !term.is_empty()) {
                    hot.set(to);
                };
                view! {
                    <li
                        class:lit=move || is_lit(term)
                        on:mouseenter=move |_| point(Some(term.into()))
                        on:mouseleave=move |_| point(None)
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
