//! The detection lab: settings, result, and what its inside view shows.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::families::ssd::THRESHOLDS;
use super::families::{self, FAMILIES, Family, Looks};
use crate::maths::boxes::Corners;
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::param::{Effect, Kind, choice, number};
use crate::protocol::settings::{Found, Settings};
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "detect",
    verb: "detect",
    about: "Finds objects and draws boxes around them",
    wing: Wing::Detection,
    topics: &["localisation", "ssd"],
    tasks: TASKS,
    params: PARAMS,
    network: None,
    uses_picture: true,
    starts_by_itself: true,
    warms_up: true,
    example: "p=crew",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "objects",
        name: "grid",
        link: "p=coffee&w=anchors&m=5",
    },
    Task {
        lesson: "objects",
        name: "suppression",
        link: "p=astronaut&s=0.10&o=0.30&w=suppressed",
    },
    Task {
        lesson: "objects",
        name: "threshold",
        link: "p=photographer&s=0.20",
    },
];

fn several_families(_: &Settings) -> bool {
    FAMILIES.len() > 1
}

/// A pyramid of bins is no pooling of one grid, and a crop is not pooled at all.
fn has_regions(settings: &Settings) -> bool {
    let family = settings.read::<DetectSettings>().family();
    family.two_steps && !family.margins && family.looks != Looks::Crops
}

fn is_searched(settings: &Settings) -> bool {
    settings.read::<DetectSettings>().family().looks.searches()
}

choices! {
    /// What the picture shows beside the detections.
    pub enum View {
        /// The boxes that were kept.
        Detections,
        /// Where the network looks: the cells of one feature map.
        Anchors,
        /// What a first step proposes.
        Proposals,
        /// The best score of each class.
        Scores,
        /// Which box suppressed which.
        Suppressed,
        /// The boxes of a search, each as the heads see it, with what they say of it.
        Sheet,
    }
}

choices! {
    /// What colours the cells of a grid.
    pub enum Paint {
        /// The best score in it.
        Score,
        /// The class of that score, as strong as the score.
        Class,
    }
}

choices! {
    /// How a second step reads the features of its regions.
    pub enum PoolingChoice {
        /// As the detector was trained.
        Own,
        /// Between the cells, nothing rounded.
        Align,
        /// The largest of whole cells.
        Pool,
    }
}

settings! {
    /// Settings of detection.
    pub struct DetectSettings {
        /// Index into [`FAMILIES`].
        model ("model", "f"): Found = Kind::Choice(&families::NAMES), "network", causes(Effect::Rerun), shows(several_families), group("family");
        score ("score", "s"): f32 = number(0.05, 0.95, 0.01, THRESHOLDS.score), "lowest score of a detection that is kept", causes(Effect::Refine), group("thresholds");
        iou ("iou", "o"): f32 = number(0.0, 1.0, 0.05, THRESHOLDS.iou), "overlap (IoU) above which the weaker of two boxes of a class is suppressed", causes(Effect::Refine), group("thresholds");
        view ("view", "w"): View = choice::<View>(), "what the page draws over the picture", page_only();
        map ("map", "m"): Found = Kind::Choice(&["19", "10", "5", "3", "2", "1", "40", "20", "4", "7", "11"]), "feature map whose cells the page draws, by cells in a row", page_only();
        paint ("paint", "y"): Paint = choice::<Paint>(), "what colours the cells that the page draws", page_only();
        pooling ("pooling", "r"): PoolingChoice = choice::<PoolingChoice>(), "how a second step reads its regions: RoI align or RoI pooling", causes(Effect::Rerun), shows(has_regions), group("family");
        searched ("searched", "n"): usize = number(10.0, 500.0, 10.0, 300.0), "boxes of selective search that are looked at, the likeliest first (detectors without a first step of their own)", causes(Effect::Rerun), shows(is_searched), group("family");
    }
}

/// What the lab is asked. A picture travels as `picture`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Detect on the picture: an [`Answer`] with the inside. Beside it, little-endian f32: `starts` and `boxes`, four
    /// corners in pixels of the picture for each place; `sure`, a number for each; `scores`, [`Inside::classes`] for each; and
    /// `bins`, the mean of the features in each bin of each region, see [`Proposals::grids`].
    Run,
    /// Other thresholds on the numbers of the last run: an [`Answer`] without the inside.
    Refine,
    /// The network's own numbers of the last run, in the file `raw`, little-endian f32; their order is the
    /// family's.
    Raw,
}

/// What the lab answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Whose run it was, an index into [`FAMILIES`].
    pub family: usize,
    /// Columns of the picture.
    pub width: usize,
    /// Rows of the picture.
    pub height: usize,
    /// What was found.
    pub detections: Detections,
    /// What the inside views show; it comes with a run.
    pub inside: Option<Inside>,
}

/// A box by its corners, in pixels of the visitor's picture.
pub type BoxInImage = Corners;

/// What decides which boxes are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Lowest score, 0 to 1.
    pub score: f32,
    /// Overlap above which the weaker of two boxes goes, 0 to 1.
    pub iou: f32,
}

impl DetectSettings {
    /// The detector that is chosen.
    pub fn family(&self) -> &'static Family {
        FAMILIES[self.model.0]
    }

    /// What the sliders say.
    pub fn thresholds(&self) -> Thresholds {
        Thresholds {
            score: self.score,
            iou: self.iou,
        }
    }
}

/// One box that passed the score threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Index into the classes of the family that found it.
    pub class: usize,
    /// How sure the detector is of the class, 0 to 1.
    pub score: f32,
    /// Where it is.
    pub box_in_image: BoxInImage,
    /// Index of the default box, cell or proposal that it came from.
    pub anchor: usize,
    /// Position, in the same list, of the stronger box that suppressed it, or of the one that it was merged into; `None` if
    /// kept.
    pub suppressed_by: Option<usize>,
    /// Overlap with that box, 0 if kept.
    pub overlap: f32,
}

/// Every box above the threshold, by falling score, kept or suppressed; where boxes are merged, their means, too.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Detections {
    /// By falling score.
    pub candidates: Vec<Candidate>,
    /// Best score of each class of the family over all boxes, before threshold and suppression.
    pub best_scores: Vec<f32>,
}

impl Detections {
    /// Positions of the boxes that others were merged into, which the network did not say; none where boxes are suppressed.
    pub fn merged(&self, family: &Family) -> HashSet<usize> {
        let all = self.candidates.iter().filter(|_| family.merges());
        all.filter_map(|found| found.suppressed_by).collect()
    }

    /// The boxes that are left: those that non-maximum suppression kept, or that others were merged into, or that matched with
    /// none.
    pub fn kept(&self) -> impl Iterator<Item = (usize, &Candidate)> {
        self.candidates
            .iter()
            .enumerate()
            .filter(|(_, c)| c.suppressed_by.is_none())
    }
}

/// A map of cells on which a detector looks: each cell has some places (default boxes, anchors, boxes of its own). What the
/// network says of all places comes beside the answer, see [`Question::Run`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Cells in a row; those beyond the picture's edge belong to the padding of the network's input.
    pub columns: usize,
    /// Cells in a column.
    pub rows: usize,
    /// Pixels of the picture from one cell to the next, across and down.
    pub step: [f32; 2],
    /// Where the first cell begins, in pixels of the picture: beyond the corner where a cell is the middle of a larger window.
    pub origin: [f32; 2],
    /// Number of its first place.
    pub first: usize,
    /// Places of a cell.
    pub each: usize,
}

/// A place, and what it adds to a loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Where it is before the network says anything.
    pub place: Corners,
    /// What it adds to each term.
    pub terms: Vec<f32>,
    /// Whether it has an object to learn.
    pub learns: bool,
}

/// A region that a first step proposes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Where it is.
    pub box_in_image: BoxInImage,
    /// How sure the first step is that something is there, 0 to 1.
    pub score: f32,
    /// The anchor that it was moved from: a place of the grids.
    pub anchor: usize,
    /// Position, in the same list, of the stronger proposal that suppressed it.
    pub suppressed_by: Option<usize>,
    /// Number of the region that the heads looked at; none where it was suppressed, or came too late.
    pub region: Option<usize>,
    /// What the heads read of it, the finest map first; nothing where they did not look.
    pub reads: Vec<Part>,
}

/// A map that regions are read from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FeatureMap {
    /// Cells in a row.
    pub cells: usize,
    /// Pixels of the picture from one cell to the next, across and down; none where each region has a map of its own.
    pub step: Option<[f32; 2]>,
}

/// A part of a map that is read for a region.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Position in [`Proposals::maps`].
    pub map: usize,
    /// What it covers: rounded to cells, or with what lies around the region; beyond the edges of the picture, too.
    pub covers: Corners,
}

/// What RoI pooling would read of regions that are read otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoiPooling {
    /// Bins in a row.
    pub side: usize,
    /// Of each region, in pixels of the picture.
    pub parts: Vec<Part>,
}

/// A grid of bins over a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Laid {
    /// What it covers.
    pub part: Part,
    /// Bins in a row.
    pub side: usize,
    /// Its first bin among those of the region; none where nothing was pooled into it.
    pub first: Option<usize>,
}

/// What a first step proposes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Proposals {
    /// By falling score, suppressed ones too.
    pub all: Vec<Proposal>,
    /// Bins in a row of the grids into which each part of a region is pooled, see [`Proposal::reads`]: one, or those of a
    /// pyramid. The bins of a region are those of its first part, grid after grid by row, then those of the next.
    pub grids: Vec<Vec<usize>>,
    /// The maps that regions are read from.
    pub maps: Vec<FeatureMap>,
    /// Beside a pyramid: one finer grid.
    pub roi: Option<RoiPooling>,
}

impl FeatureMap {
    /// Columns and rows of whole cells that a part covers.
    pub fn cells_in(&self, covers: Corners) -> Option<[usize; 2]> {
        let [across, down] = self.step?;
        let count = |length: f32, step: f32| (length / step).round() as usize;
        Some([count(covers.x1 - covers.x0, across), count(covers.y1 - covers.y0, down)])
    }
}

impl Proposals {
    /// Bins of a region.
    pub fn bins(&self) -> usize {
        self.grids.iter().flatten().map(|side| side * side).sum()
    }

    /// Whether several grids lie over a region.
    pub fn is_pyramid(&self) -> bool {
        self.grids.iter().flatten().count() > 1
    }

    /// The grids over a proposal in the order of their bins, then that of RoI pooling; none where the heads did not look.
    pub fn laid(&self, of: &Proposal) -> Vec<Laid> {
        let mut first = 0;
        let mut all = Vec::new();
        for (&part, sides) in of.reads.iter().zip(&self.grids) {
            for &side in sides {
                all.push(Laid { part, side, first: Some(first) });
                first += side * side;
            }
        }
        let beside = self.roi.as_ref().zip(of.region);
        all.extend(beside.and_then(|(roi, region)| {
            let (part, side) = (*roi.parts.get(region)?, roi.side);
            Some(Laid { part, side, first: None })
        }));
        all
    }
}

/// What a run shows of the detector's inside, whatever the thresholds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Inside {
    /// From fine to coarse; of several squares from the smallest to the largest.
    pub grids: Vec<Grid>,
    /// Scores that each place has: the family's classes, or one where a first step knows no classes yet.
    pub classes: usize,
    /// Of a detector of two steps.
    pub proposals: Option<Proposals>,
}

impl Detections {
    /// The kept boxes as the command line prints and the page exports them:
    /// `[{"class", "score", "box": [x0, y0, x1, y1]}]`, boxes in pixels of the picture.
    pub fn to_json(&self, family: &Family) -> serde_json::Value {
        let round =
            |v: f32, digits: i32| (f64::from(v) * 10f64.powi(digits)).round() / 10f64.powi(digits);
        self.kept()
            .map(|(_, found)| {
                let b = found.box_in_image;
                let corners = [b.x0, b.y0, b.x1, b.y1].map(|v| round(v, 2));
                serde_json::json!({
                    "class": family.classes[found.class],
                    "score": round(found.score, 4),
                    "box": corners,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(map: usize, side: f32) -> Part {
        let covers = Corners { x0: 0.0, y0: 0.0, x1: side, y1: side / 2.0 };
        Part { map, covers }
    }

    #[test]
    fn the_grids_of_a_pyramid_share_the_bins_of_a_region() {
        let region = Proposal {
            box_in_image: part(0, 10.0).covers,
            score: 0.0,
            anchor: 0,
            suppressed_by: None,
            region: Some(1),
            reads: vec![part(1, 16.0), part(2, 32.0)],
        };
        let roi = RoiPooling { side: 7, parts: vec![part(0, 8.0), part(0, 24.0)] };
        let proposals = Proposals {
            all: Vec::new(),
            grids: vec![vec![1, 2, 4], vec![1, 2]],
            maps: Vec::new(),
            roi: Some(roi),
        };
        let laid = proposals.laid(&region);
        let each: Vec<_> = laid.iter().map(|of| (of.part.map, of.side, of.first)).collect();
        // 1 + 4 + 16 bins of the first map, 1 + 4 of the second; none are RoI pooling's.
        let wanted = [(1, 1, Some(0)), (1, 2, Some(1)), (1, 4, Some(5)), (2, 1, Some(21)), (2, 2, Some(22)), (0, 7, None)];
        assert_eq!(each, wanted);
        assert_eq!(laid[5].part, part(0, 24.0), "of its own region");
        assert_eq!(proposals.bins(), 26);
        let unseen = Proposal { region: None, reads: Vec::new(), ..region };
        assert_eq!(proposals.laid(&unseen), []);
    }

    #[test]
    fn whole_cells_are_counted_in_pixels_of_the_picture() {
        let map = FeatureMap { cells: 20, step: Some([22.55, 22.4]) };
        let covers = Corners { x0: 22.55, y0: 0.0, x1: 5.0 * 22.55, y1: 3.0 * 22.4 };
        assert_eq!(map.cells_in(covers), Some([4, 3]));
        assert_eq!(FeatureMap { cells: 4, step: None }.cells_in(covers), None);
    }
}
