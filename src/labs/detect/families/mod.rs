//! The families of detectors: a folder and a row each.
//!
//! What the page needs of a family (name, classes, colours, thresholds) is compiled everywhere;
//! its network and its rooms with the feature `engine`.

pub mod anchor_free;
pub mod fast_rcnn;
pub mod faster_rcnn;
#[cfg(feature = "engine")]
pub mod on_backbone;
#[cfg(feature = "engine")]
pub mod on_regions;
pub mod overfeat;
pub mod r_cnn;
pub mod sppnet;
pub mod ssd;
pub mod ssd_voc;
pub mod yolo_v1;

#[cfg(feature = "engine")]
use self::on_backbone::Judged;
#[cfg(feature = "engine")]
use crate::data::photographs::Labelled;
#[cfg(feature = "engine")]
use crate::engine::shelf::Shelf;
#[cfg(feature = "engine")]
use crate::job::{Job, Promise};
#[cfg(feature = "engine")]
use crate::labs::detect::detector::AnyDetector;
use crate::labs::detect::spec::Thresholds;
#[cfg(feature = "engine")]
use crate::labs::detect::spec::DetectSettings;
#[cfg(feature = "engine")]
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
#[cfg(feature = "engine")]
use crate::protocol::picture::Picture;

/// All families, the first one is what the lab opens with.
pub const FAMILIES: &[&Family] = &[
    &ssd::SSD,
    &overfeat::OVERFEAT,
    &r_cnn::R_CNN,
    &r_cnn::OPEN,
    &sppnet::SPPNET,
    &fast_rcnn::FAST_RCNN,
    &faster_rcnn::FASTER_RCNN,
    &ssd_voc::SSD_VOC,
    &yolo_v1::YOLO_V1,
    &anchor_free::ANCHOR_FREE,
    &anchor_free::ON_IMAGENET,
];

/// The classes of the photographs that families are trained on here.
pub const PHOTOGRAPH_CLASSES: [&str; 9] = [
    "person", "car", "bus", "train", "cat", "dog", "sheep", "horse", "cow",
];

/// Their names, in the same order.
pub static NAMES: [&str; FAMILIES.len()] = names();

const fn names() -> [&'static str; FAMILIES.len()] {
    let mut names = [""; FAMILIES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = FAMILIES[at].name;
        at += 1;
    }
    names
}


/// What a family looks at in each cell of its grids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// Boxes of fixed shapes, each of which says its class.
    DefaultBoxes,
    /// Boxes of fixed shapes that say only whether anything is there.
    Anchors,
    /// Boxes that the network draws freely.
    Boxes,
    /// The cell itself.
    Cells,
    /// No grid: the boxes of selective search, read from the maps of the picture.
    Regions,
    /// Squares of several cells, one for every cell that leaves room for it.
    Windows,
    /// The boxes of selective search, each of which goes through the network by itself.
    Crops,
}

impl Looks {
    /// Whether places begin as boxes, and not as the cell.
    pub fn starts(self) -> bool {
        matches!(self, Self::DefaultBoxes | Self::Anchors | Self::Windows)
    }

    /// Whether places are boxes of selective search.
    pub fn searches(self) -> bool {
        matches!(self, Self::Regions | Self::Crops)
    }
}

/// A family of detectors with the weights that ship.
#[derive(Debug)]
pub struct Family {
    /// Name in links, on the command line and in JSON.
    pub name: &'static str,
    /// Proper name, the same in every language.
    pub title: &'static str,
    /// Authors, year and title of the paper.
    pub paper: &'static str,
    /// English names of its classes, which are what a class's index points into.
    pub classes: &'static [&'static str],
    /// Whose words its classes share: the name of a group in the texts.
    pub words: &'static str,
    /// Whether a first step proposes regions.
    pub two_steps: bool,
    /// What it looks at in each cell of its grids.
    pub looks: Looks,
    /// Whether a score is the logistic function of a margin, and no probability.
    pub margins: bool,
    /// The class that says "nothing here", where there is one.
    pub background: Option<usize>,
    /// What decides what is shown, before the visitor changes it.
    pub thresholds: Thresholds,
    /// Mean average precision on the held-out photographs of its card, at an overlap of .5 and over .5 to .95; none where it
    /// was not measured on them.
    pub map: Option<[f32; 2]>,
    /// Parameters of all its networks.
    pub parameters: usize,
    /// The stage of a job that each room counts as, in the order transform, backbone, proposals,
    /// heads, postprocess. Neighbours of the same stage are one, and share its time.
    pub stages: [Stage; 5],
    /// Takes its network from the shelf and makes the detector.
    #[cfg(feature = "engine")]
    pub load: Load,
    /// Judges it as its training did; none where it was not trained here.
    #[cfg(feature = "engine")]
    pub judge: Option<Judge>,
}

/// See [`Family::load`].
///
/// # Errors
/// Those of [`Shelf::get`](crate::engine::shelf::Shelf::get).
#[cfg(feature = "engine")]
pub type Load = for<'a> fn(
    &'a mut Shelf,
    &'a Job<'a>,
    &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>>;

/// See [`Family::judge`]. Objects in pixels of the picture.
///
/// # Errors
/// Those of [`on_backbone::judge`].
#[cfg(feature = "engine")]
pub type Judge = for<'a> fn(
    &'a mut Shelf,
    &'a Job<'a>,
    &'a Picture,
    &'a [Labelled],
) -> Promise<'a, Result<Judged, Failure>>;

/// The colour-blind-safe set of Okabe and Ito (2008), without black.
const OKABE_ITO: [[u8; 3]; 7] = [
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
    [0x00, 0x9e, 0x73],
    [0xf0, 0xe4, 0x42],
    [0x00, 0x72, 0xb2],
    [0xd5, 0x5e, 0x00],
    [0xcc, 0x79, 0xa7],
];
/// The one of them on which white is easier to read than black (WCAG contrast).
const BLUE: [u8; 3] = OKABE_ITO[4];

impl Family {
    /// Indices of the classes that a detection may have.
    pub fn foreground(&self) -> impl Iterator<Item = usize> {
        (0..self.classes.len()).filter(|&class| Some(class) != self.background)
    }

    /// Which of [`PHOTOGRAPH_CLASSES`] a class is, by its name.
    pub fn photographed(&self, class: usize) -> Option<usize> {
        let name = match self.classes[class] {
            "Cattle" => "cow".to_string(),
            name => name.to_lowercase(),
        };
        PHOTOGRAPH_CLASSES.iter().position(|of| *of == name)
    }

    /// Whether it knows a class of the photographs, and can be measured on them.
    pub fn is_measured(&self) -> bool {
        (0..self.classes.len()).any(|class| self.photographed(class).is_some())
    }

    /// Whether boxes of the same object are merged, and not all but the strongest suppressed.
    pub fn merges(&self) -> bool {
        self.looks == Looks::Windows
    }

    /// sRGB colour of a class. Classes share colours, so a label always says the name, too.
    pub fn color(&self, class: usize) -> [u8; 3] {
        OKABE_ITO[class % OKABE_ITO.len()]
    }

    /// Whether black is easier to read on a class's colour than white.
    pub fn dark_text(&self, class: usize) -> bool {
        self.color(class) != BLUE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names = NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAMILIES.len());
    }

    #[test]
    fn classes_are_named_once_and_the_background_is_one_of_them() {
        for family in FAMILIES {
            let mut names = family.classes.to_vec();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), family.classes.len(), "{}", family.name);
            let background = usize::from(family.background.is_some());
            assert_eq!(family.foreground().count() + background, names.len());
        }
    }

    #[test]
    fn names_of_other_sets_are_found() {
        let of = |name: &str| {
            let class = ssd::SSD.classes.iter().position(|of| *of == name);
            ssd::SSD.photographed(class.expect("a class of Open Images"))
        };
        assert_eq!(of("Cattle"), Some(8));
        assert_eq!(of("Person"), Some(0));
        assert_eq!(of("High heels"), None);
        assert!(ssd::SSD.is_measured() && !r_cnn::OPEN.is_measured());
    }

    #[test]
    fn text_on_a_class_has_contrast() {
        // WCAG 2.1, relative luminance and contrast ratio: 4.5 and more for small text.
        let luminance = |color: [u8; 3]| {
            let [r, g, b] = color.map(|v| {
                let v = f32::from(v) / 255.0;
                if v <= 0.04045 {
                    v / 12.92
                } else {
                    ((v + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        for class in 0..OKABE_ITO.len() {
            let on = luminance(ssd::SSD.color(class)) + 0.05;
            let contrast = if ssd::SSD.dark_text(class) {
                on / 0.05
            } else {
                1.05 / on
            };
            assert!(contrast >= 4.5, "class {class}: {contrast}");
        }
    }
}
