//! Detectors side by side: settings, questions and answers.

use serde::{Deserialize, Serialize};

use crate::labs::detect::families::{FAMILIES, Family, anchor_free};
use crate::labs::detect::spec::{Candidate, Detections, Thresholds, Told};
use crate::labs::truth::scene::SceneSettings;
use crate::maths::boxes::Corners;
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::message::Timings;
use crate::protocol::param::{Effect, Kind, choice, number};
use crate::protocol::settings::Settings;
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "compare",
    verb: "compare",
    about: "Runs several detectors on the same picture and compares what they find and what it costs",
    wing: Wing::Detection,
    topics: &["rcnn", "fast-rcnn", "faster-rcnn", "yolo"],
    tasks: TASKS,
    params: PARAMS,
    network: None,
    uses_picture: true,
    starts_by_itself: true,
    warms_up: false,
    example: "p=cat",
};

const TASKS: &[Task] = &[Task {
    lesson: "objects",
    name: "cost",
    link: "p=cat",
}];

/// The same heads on two backbones: as ImageNet left it, and fine-tuned.
pub const BACKBONES: [&Family; 2] = [&anchor_free::ON_IMAGENET, &anchor_free::ANCHOR_FREE];

/// The families that are compared until the visitor chooses: those that were trained alike.
const ALIKE: &str = "faster-rcnn,ssd-voc,yolo-v1,anchor-free";

choices! {
    /// Which boxes are shown.
    pub enum Cut {
        /// From the score on at which the family does best on held-out photographs.
        Own,
        /// From the same score on for all.
        Same,
    }
}

fn same(settings: &Settings) -> bool {
    settings.read::<CompareSettings>().cut == Cut::Same
}

fn searches(settings: &Settings) -> bool {
    let chosen = settings.read::<CompareSettings>().chosen();
    chosen.iter().any(|family| family.looks.searches())
}

settings! {
    /// Settings of the comparison.
    pub struct CompareSettings {
        /// Names with commas between.
        families ("families", "f"): String = Kind::Text { default: ALIKE }, "detectors, by their names with commas between", causes(Effect::Rerun);
        cut ("cut", "c"): Cut = choice::<Cut>(), "from which score on boxes are shown: each detector's own best, or the same for all", causes(Effect::Refine), group("thresholds");
        score ("score", "s"): f32 = number(0.05, 0.95, 0.01, 0.4), "lowest score of a detection that is kept (cut same)", causes(Effect::Refine), group("thresholds"), shows(same);
        iou ("iou", "o"): f32 = number(0.0, 1.0, 0.05, 0.5), "overlap (IoU) above which the weaker of two boxes of a class is suppressed", causes(Effect::Refine), group("thresholds");
        searched ("searched", "n"): usize = number(10.0, 500.0, 10.0, 300.0), "boxes of selective search that are looked at, the likeliest first (detectors without a first step of their own)", causes(Effect::Rerun), group("searched"), shows(searches);
        /// See [`scene`](crate::labs::truth::scene).
        scene ("scene", "k"): String = Kind::Text { default: "" }, "cut-outs over the picture: number,x,y,height,turn of each, in thousandths of the picture and degrees, with semicolons between", causes(Effect::Rerun), page_only();
        /// See [`truth`](crate::labs::truth).
        truth ("truth", "t"): String = Kind::Text { default: "" }, "what is really there: class,x0,y0,x1,y1 of each object in thousandths of the picture, with semicolons between", page_only(), of_picture();
        overlap ("overlap", "h"): f32 = number(0.5, 0.95, 0.05, 0.5), "overlap (IoU) from which on a box counts as a hit", page_only(), group("truth");
    }
}

/// Where its scene is.
pub const SCENE: SceneSettings = SceneSettings {
    lab: &LAB,
    scene: NAMES.scene,
    truth: NAMES.truth,
    opens: &[],
};

impl CompareSettings {
    /// The families that are compared, in the order of the list: those that know a class of the photographs.
    pub fn chosen(&self) -> Vec<&'static Family> {
        let names: Vec<&str> = self.families.split(',').map(str::trim).collect();
        let all = FAMILIES.iter().copied();
        all.filter(|family| names.contains(&family.name) && family.is_measured()).collect()
    }

    /// What decides which boxes of a family are shown.
    pub fn thresholds(&self, family: &Family) -> Thresholds {
        Thresholds {
            score: match self.cut {
                Cut::Own => family.thresholds.score,
                Cut::Same => self.score,
            },
            iou: self.iou,
        }
    }
}

/// What the lab is asked. A picture travels as `picture`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// Run the chosen families one after another: an [`Answer`], and one on the way after each of them.
    Run,
    /// Other thresholds on the numbers of the last run: an [`Answer`].
    Refine,
    /// How training would judge the chosen families on the picture of the last run, whose objects are these: a
    /// [`Judgement`] of each that was trained here.
    Judge(Vec<Named>),
}

/// An object with its class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// Index into [`PHOTOGRAPH_CLASSES`](crate::labs::detect::families::PHOTOGRAPH_CLASSES).
    pub class: usize,
    /// Where it is, in pixels of the picture.
    pub box_in_image: Corners,
}

/// What training would make of the objects of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// An index into [`FAMILIES`].
    pub family: usize,
    /// The terms of its loss by name; training lowers their sum.
    pub losses: Vec<(String, f32)>,
    /// The places that add most to it, by falling share, in pixels of the picture.
    pub places: Vec<Told>,
    /// Where the places are that have an object to learn (anchors, default boxes, cells), with its number.
    pub positives: Vec<(Corners, usize)>,
    /// Places that learn that there is nothing.
    pub negatives: usize,
    /// Places that learn neither.
    pub ignored: usize,
}

/// What the families found, as far as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Columns of the picture.
    pub width: usize,
    /// Rows of the picture.
    pub height: usize,
    /// In the order in which they ran.
    pub found: Vec<OfFamily>,
}

/// What a family found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfFamily {
    /// An index into [`FAMILIES`].
    pub family: usize,
    /// All boxes above the threshold, kept or not.
    pub detections: Detections,
    /// What suppression keeps of all boxes, however low they score: what average precision looks at.
    pub ranked: Vec<Candidate>,
    /// How many places its heads looked at.
    pub places: usize,
    /// Milliseconds of each stage of this run.
    pub timings: Timings,
}
