//! The views of the page.

pub mod anchors;
pub mod annotate;
pub mod scores;
pub mod suppression;

use super::families::{FAMILIES, Family};
use super::spec::{BoxInImage, Candidate, Detections};
use crate::page::text::I18n;
use crate::page::words::lab_word;

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

/// Name of a class, by its index.
pub fn class_name(i18n: I18n, family: &Family, class: usize) -> String {
    lab_word(i18n, "detect", &format!("classes.{}.{class}", family.name)).into()
}

/// As a label says it.
pub fn name_and_score(i18n: I18n, family: &Family, found: &Candidate) -> String {
    let name = class_name(i18n, family, found.class);
    format!("{name} {:.0} %", found.score * 100.0)
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
