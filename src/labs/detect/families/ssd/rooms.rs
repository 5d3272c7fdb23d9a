//! SSD's five rooms: a stretched picture, six maps, a table of default boxes, a pair of predictors
//! a map, threshold and suppression.

use std::rc::Rc;

use burn::tensor::{Device, Tensor};

use super::{CLASSES, SSD};
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::{AnyDetector, Detector, Found, list};
use crate::labs::detect::families::Family;
use crate::labs::detect::spec::{DetectSettings, Detections, Grid, Inside, Thresholds};
use crate::maths::boxes::CentreSize;
use crate::methods::box_coder::BoxCoder;
use crate::methods::default_boxes::DefaultBoxes;
use crate::methods::nms::Among;
use crate::methods::outputs::Places;
use crate::methods::resize::{stretch_rgb, to_tensor};
use crate::models::{
    self,
    ssd::{BOXES_PER_CELL, Ssd},
};
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;

/// Side of the network's square input in pixels.
pub const INPUT_SIDE: usize = 300;

/// The 1,917 default boxes of the TensorFlow object detection API for that input.
pub const DEFAULT_BOXES: DefaultBoxes = DefaultBoxes {
    cells: &[19, 10, 5, 3, 2, 1],
    scales: [0.2, 0.95],
    ratios: &[1.0, 2.0, 0.5, 3.0, 1.0 / 3.0],
    first: Some(&[[0.1, 1.0], [0.2, 2.0], [0.2, 0.5]]),
};

const CODER: BoxCoder = BoxCoder::TENTHS_AND_FIFTHS;

/// A loaded SSD.
#[derive(Debug)]
pub struct SsdDetector {
    /// From the stretched picture to offsets and logits.
    pub network: Rc<Ssd>,
    device: Device,
}

/// What the network said of each default box of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct SsdRaw {
    /// As shares of the picture, maps from fine to coarse, cells by row, shapes inside a cell.
    pub default_boxes: Vec<CentreSize>,
    /// `[ty, tx, th, tw]` of each default box.
    pub encodings: Vec<f32>,
    /// Sigmoids of the logits, 0 to 1, [`CLASSES`] for each default box.
    pub scores: Vec<f32>,
}

impl SsdDetector {
    /// A network that has its weights, on the device that it was made on.
    pub fn new(network: Rc<Ssd>, device: &Device) -> Self {
        Self {
            network,
            device: device.clone(),
        }
    }

    /// See [`Family::load`].
    pub(super) fn load<'a>(
        shelf: &'a mut Shelf,
        job: &'a Job<'_>,
        _: &'a DetectSettings,
    ) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
        Box::pin(async move {
            let network = shelf.get(job, &models::ssd::SSD).await?;
            Ok(Box::new(Self::new(network, shelf.device())) as Box<dyn AnyDetector>)
        })
    }
}

impl Detector for SsdDetector {
    /// `[1, 3, 300, 300]`, RGB from -1 to 1.
    type Input = Tensor<4>;
    /// Six maps, from 19 cells in a row to 1.
    type Features = Vec<Tensor<4>>;
    /// The default boxes, the same for every picture.
    type Proposals = Vec<CentreSize>;
    type Raw = SsdRaw;

    fn family() -> &'static Family {
        &SSD
    }

    /// The picture is stretched.
    fn transform(&self, picture: &Picture) -> Tensor<4> {
        let rgb = stretch_rgb(picture, INPUT_SIDE, INPUT_SIDE);
        to_tensor(
            &rgb,
            INPUT_SIDE,
            INPUT_SIDE,
            1.0 / 127.5,
            -1.0,
            &self.device,
        )
    }

    async fn backbone(&self, _: &Job<'_>, input: &Tensor<4>) -> Result<Vec<Tensor<4>>, Failure> {
        Ok(self.network.feature_maps(input.clone()))
    }

    async fn proposals(
        &self,
        _: &Job<'_>,
        _: &Tensor<4>,
        _: &Vec<Tensor<4>>,
    ) -> Result<Vec<CentreSize>, Failure> {
        Ok(DEFAULT_BOXES.boxes())
    }

    async fn heads(
        &self,
        job: &Job<'_>,
        _: Tensor<4>,
        maps: Vec<Tensor<4>>,
        default_boxes: Vec<CentreSize>,
    ) -> Result<SsdRaw, Failure> {
        let output = self.network.predict(maps);
        let encodings = job.read(output.encodings).await?;
        let logits = job.read(output.logits).await?;
        let scores = logits
            .into_iter()
            .map(|logit| 1.0 / (1.0 + (-logit).exp()))
            .collect();
        Ok(SsdRaw {
            default_boxes,
            encodings,
            scores,
        })
    }

    /// Suppression is by class.
    fn postprocess(raw: &SsdRaw, [width, height]: [f32; 2], thresholds: Thresholds) -> Detections {
        let mut found = Vec::new();
        let mut best_scores = vec![0f32; CLASSES.len()];
        let encodings = raw.encodings.as_chunks::<4>().0;
        let boxes = encodings.iter().zip(raw.scores.chunks_exact(CLASSES.len()));
        for (anchor, ((&encoding, scores), &default)) in boxes.zip(&raw.default_boxes).enumerate() {
            for class in SSD.foreground() {
                let score = scores[class];
                best_scores[class] = best_scores[class].max(score);
                if score < thresholds.score {
                    continue;
                }
                found.push(Found {
                    box_in_image: CODER
                        .decode(encoding, default)
                        .scale(width, height)
                        .clip(width, height),
                    class,
                    score,
                    anchor,
                });
            }
        }
        let classes: Vec<usize> = found.iter().map(|found| found.class).collect();
        Detections {
            candidates: list(&found, Among::EachClass(&classes), thresholds.iou),
            best_scores,
        }
    }

    /// The default boxes by map. The background is no class of theirs: its scores are 0.
    fn inside(raw: &SsdRaw, [width, height]: [f32; 2]) -> (Inside, Places) {
        let mut first = 0;
        let of_map = |(map, &cells): (usize, &usize)| {
            let grid = Grid {
                columns: cells,
                rows: cells,
                step: [width, height].map(|side| side / cells as f32),
                origin: [0.0; 2],
                first,
                each: BOXES_PER_CELL[map],
            };
            first += cells * cells * BOXES_PER_CELL[map];
            grid
        };
        let grids = DEFAULT_BOXES.cells.iter().enumerate().map(of_map).collect();
        let encodings = raw.encodings.as_chunks::<4>().0.iter();
        let boxes = encodings.zip(&raw.default_boxes);
        let mut scores = raw.scores.clone();
        for scores in scores.chunks_exact_mut(CLASSES.len()) {
            scores[0] = 0.0;
        }
        let places = Places {
            starts: raw
                .default_boxes
                .iter()
                .map(|of| of.corners().scale(width, height))
                .collect(),
            boxes: boxes
                .map(|(encoding, &default)| CODER.decode(*encoding, default).scale(width, height))
                .collect(),
            sure: Vec::new(),
            scores,
            classes: CLASSES.len(),
        };
        let inside = Inside {
            grids,
            classes: CLASSES.len(),
            proposals: None,
        };
        (inside, places)
    }

    fn looked_at(raw: &SsdRaw) -> usize {
        raw.default_boxes.len()
    }

    /// The encodings, then the scores, of all default boxes.
    fn numbers(raw: &SsdRaw) -> Vec<f32> {
        [&*raw.encodings, &*raw.scores].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [f32; 2] = [190.0, 190.0];

    /// A confident cat and a doubtful dog, far apart, and silence elsewhere.
    fn raw() -> SsdRaw {
        let mut raw = SsdRaw {
            default_boxes: DEFAULT_BOXES.boxes(),
            encodings: vec![0.0; 1917 * 4],
            scores: vec![0.0; 1917 * CLASSES.len()],
        };
        raw.scores[8] = 0.9; // default box 0, class Cat
        raw.scores[1916 * CLASSES.len() + 20] = 0.3; // last box, Dog
        raw
    }

    #[test]
    fn there_are_1917_default_boxes_as_many_as_the_network_predicts() {
        let boxes = DEFAULT_BOXES.boxes();
        assert_eq!(boxes.len(), 1917);
        for (map, count) in BOXES_PER_CELL.into_iter().enumerate() {
            assert_eq!(DEFAULT_BOXES.shapes(map).len(), count);
        }
        // First cell of 19: centre at half a cell; shapes (0.1, 1), (0.2, 2), (0.2, 1/2).
        let first = boxes[0];
        assert_eq!((first.cx, first.cy), (0.5 / 19.0, 0.5 / 19.0));
        assert_eq!((first.width, first.height), (0.1, 0.1));
        assert!((boxes[1].width - 0.2 * 2f32.sqrt()).abs() < 1e-6);
        assert!((boxes[1].height - 0.2 / 2f32.sqrt()).abs() < 1e-6);
        assert_eq!((boxes[3].cx, boxes[3].cy), (1.5 / 19.0, 0.5 / 19.0));
        // Last box: the one cell of the last map, between the scales 0.95 and 1.
        let last = boxes[1916];
        assert_eq!((last.cx, last.cy), (0.5, 0.5));
        assert!((last.width - 0.95f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn the_threshold_decides_what_is_listed() {
        let listed = |score| {
            let thresholds = Thresholds {
                score,
                ..SSD.thresholds
            };
            SsdDetector::postprocess(&raw(), SIZE, thresholds)
        };
        assert_eq!(listed(0.4).candidates.len(), 1);
        let found = listed(0.2);
        let names = found.candidates.iter().map(|c| CLASSES[c.class]);
        assert_eq!(names.collect::<Vec<_>>(), ["Cat", "Dog"]);
        assert_eq!(found.best_scores[8], 0.9);
        assert_eq!(found.to_json(&SSD)[0]["class"], "Cat");
        assert!(listed(0.95).candidates.is_empty());
    }

    #[test]
    fn boxes_are_in_pixels_of_the_picture_and_clipped() {
        let found = SsdDetector::postprocess(&raw(), SIZE, SSD.thresholds);
        // Default box 0: centre 5 of 190 pixels, 19 wide: -4.5 to 14.5, cut at 0.
        let cat = found.candidates[0].box_in_image;
        assert_eq!(cat.x0, 0.0);
        assert!((cat.x1 - 14.5).abs() < 1e-4);
    }

    #[test]
    fn every_default_box_is_in_one_grid() {
        let (inside, places) = SsdDetector::inside(&raw(), SIZE);
        let count = inside.grids.iter().map(|grid| grid.columns * grid.rows * grid.each);
        assert_eq!((count.sum::<usize>(), places.count()), (1917, 1917));
        let score = |place: usize, class: usize| places.scores[place * CLASSES.len() + class];
        assert_eq!((score(0, 8), score(1916, 20)), (0.9, 0.3));
        let last = &inside.grids[5];
        assert_eq!((last.first + last.each, last.step), (1917, SIZE));
        // The background is no class of what is found.
        assert!(places.best_scores()[0] == 0.0);
        let first = places.starts[0];
        assert!((first.x0 + 4.5).abs() < 1e-4 && (first.x1 - 14.5).abs() < 1e-4);
    }
}
