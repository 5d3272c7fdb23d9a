//! The views of the page.

pub mod annotate;
pub mod cells;
pub mod proposals;
pub mod pyramid;
pub mod scores;
pub mod sheet;
pub mod suppression;

use super::families::{FAMILIES, Family};
use std::sync::Arc;

use js_sys::{Float32Array, Uint8Array};

use super::spec::{BoxInImage, Candidate, Detections, Inside, Proposals};
use crate::page::engine::Payload;
use crate::page::text::{I18n, t_string};
use crate::page::words::lab_word;
use crate::protocol::imagenet;

/// What the lab shows of a result.
#[derive(Clone, PartialEq)]
pub struct Shown {
    /// Whose result it is, an index into [`FAMILIES`].
    pub family: usize,
    /// What was found.
    pub detections: Detections,
    /// Columns of the picture.
    pub width: f32,
    /// Rows of the picture.
    pub height: f32,
}

impl Shown {
    /// Whose result it is.
    pub fn family(&self) -> &'static Family {
        FAMILIES[self.family]
    }
}

/// What a run shows of its inside: the grids, and the numbers of all their places.
#[derive(Clone)]
pub struct Opened {
    /// Whose it is, an index into [`FAMILIES`].
    pub family: usize,
    /// Columns and rows of the picture.
    pub size: [f32; 2],
    /// The grids and the proposals.
    pub inside: Inside,
    numbers: Arc<Numbers>,
}

/// See [`Question::Run`](super::spec::Question::Run).
struct Numbers {
    starts: Vec<f32>,
    boxes: Vec<f32>,
    sure: Vec<f32>,
    scores: Vec<f32>,
    bins: Vec<f32>,
}

fn floats(bytes: &Uint8Array) -> Vec<f32> {
    // A copy begins where numbers may.
    let bytes = bytes.slice(0, bytes.length());
    Float32Array::new(&bytes.buffer()).to_vec()
}

fn corners(numbers: &[f32], place: usize) -> BoxInImage {
    let at = |index: usize| numbers.get(4 * place + index).copied().unwrap_or(0.0);
    BoxInImage {
        x0: at(0),
        y0: at(1),
        x1: at(2),
        y1: at(3),
    }
}

impl Opened {
    /// From an answer that has an inside.
    pub fn read(says: &Payload, family: usize, size: [f32; 2], inside: Inside) -> Self {
        let numbers = |name: &str| floats(&says.file(name));
        Self {
            family,
            size,
            inside,
            numbers: Arc::new(Numbers {
                starts: numbers("starts"),
                boxes: numbers("boxes"),
                sure: numbers("sure"),
                scores: numbers("scores"),
                bins: numbers("bins"),
            }),
        }
    }

    /// Where a place is before the network says anything.
    pub fn start(&self, place: usize) -> BoxInImage {
        corners(&self.numbers.starts, place)
    }

    /// Where the network moves it.
    pub fn said(&self, place: usize) -> BoxInImage {
        corners(&self.numbers.boxes, place)
    }

    /// How sure the family's own number is.
    pub fn sure(&self, place: usize) -> Option<f32> {
        self.numbers.sure.get(place).copied()
    }

    /// The best class of a place with its score.
    pub fn best(&self, place: usize) -> (usize, f32) {
        let classes = self.inside.classes;
        let scores = self.numbers.scores.get(place * classes..(place + 1) * classes);
        let all = scores.into_iter().flatten().copied().enumerate();
        all.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
    }

    /// Whether another inside is this one, or goes on from it.
    pub fn begins_like(&self, more: &Self) -> bool {
        self.family == more.family
            && self.size == more.size
            && !self.numbers.starts.is_empty()
            && more.numbers.starts.starts_with(&self.numbers.starts)
    }

    /// How many regions the heads looked at.
    pub fn regions(&self) -> usize {
        let all = self.inside.proposals.iter().flat_map(|of| &of.all);
        all.filter(|of| of.region.is_some()).count()
    }

    /// The mean of the features in each bin of a region, see [`Proposals::grids`](super::spec::Proposals::grids).
    pub fn bins(&self, region: usize) -> &[f32] {
        let bins = self.inside.proposals.as_ref().map_or(0, Proposals::bins);
        let numbers = self.numbers.bins.get(region * bins..(region + 1) * bins);
        numbers.unwrap_or(&[])
    }
}

/// Name of a class, by its index.
pub fn class_name(i18n: I18n, family: &Family, class: usize) -> String {
    if family.words == imagenet::GROUP {
        return imagenet::name(class).into();
    }
    lab_word(i18n, "detect", &format!("classes.{}.{class}", family.words)).into()
}

/// As a label says it.
pub fn name_and_score(i18n: I18n, family: &Family, found: &Candidate) -> String {
    said(i18n, family, found.class, found.score)
}

/// The margin that a score is the logistic function of.
pub fn margin(score: f32) -> f32 {
    (score / (1.0 - score)).ln()
}

/// A class with its score.
pub fn said(i18n: I18n, family: &Family, class: usize, score: f32) -> String {
    let name = class_name(i18n, family, class);
    if family.margins {
        return t_string!(i18n, detect.margin, name = name, margin = format!("{:+.1}", margin(score))).to_string();
    }
    format!("{name} {:.0} %", score * 100.0)
}

/// The colour of a class, as CSS wants it.
pub fn color(family: &Family, class: usize) -> String {
    let [r, g, b] = family.color(class);
    format!("rgb({r} {g} {b})")
}

/// The colours of a class as CSS variables.
pub fn class_style(family: &Family, class: usize) -> String {
    let on_class = if family.dark_text(class) { "#000" } else { "#fff" };
    format!("--class:{};--on-class:{on_class}", color(family, class))
}

/// `left`, `top`, `width` and `height` of a box in percent of the picture.
pub fn placement(b: BoxInImage, width: f32, height: f32) -> String {
    let [left, top] = [b.x0 / width, b.y0 / height].map(|v| v * 100.0);
    let [w, h] = [(b.x1 - b.x0) / width, (b.y1 - b.y0) / height].map(|v| v * 100.0);
    format!("left:{left:.3}%;top:{top:.3}%;width:{w:.3}%;height:{h:.3}%")
}
