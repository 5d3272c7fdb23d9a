//! Faster R-CNN.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{Recipe, Scene, Term};
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::box_coder::BoxCoder;
use crate::methods::detection_loss::{binary_cross_entropy, cross_entropy, smooth_l1};
use crate::methods::matching::{Match, Matching, sampled};
use crate::methods::outputs::Places;
use crate::methods::outputs::two_step::{self, CODER, Geometry, PROPOSALS, Pooled, RATIOS};
use crate::methods::proposals::{Choosing, Proposal};
use crate::methods::roi::Pooling;
use crate::models::detect::two_step::{Proposed, TwoStep, TwoStepConfig};
use crate::protocol::failure::Failure;

/// Anchors that learn in a photograph, and the share of positive ones at most.
const SAMPLE: (usize, f32) = (128, 0.5);
/// The same of regions.
const REGIONS: (usize, f32) = (32, 0.25);
/// Where the slope of the loss of boxes stops to grow.
const BETA: f64 = 1.0 / 9.0;
/// What is added to the logits of classes that a set is silent about.
const SILENT: f32 = -1e4;
/// Proposals in training.
const IN_TRAINING: Choosing = Choosing {
    after: 150,
    ..PROPOSALS
};
/// The first stream of the random samples; each step has its own, so that training can be resumed.
const SAMPLES: u64 = 1 << 48;

/// The recipe.
///
/// # Reference
/// Ren et al. 2015, "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks", both steps at once.
#[derive(Debug)]
pub struct TwoStepRecipe {
    config: TwoStepConfig,
    geometry: Geometry,
    seed: u32,
}

impl TwoStepRecipe {
    /// For heads of so many channels; `seed` decides which anchors and regions are drawn.
    pub fn new(channels: usize, seed: u32) -> Self {
        let config = TwoStepConfig::new(CLASSES.len(), RATIOS.len()).with_channels(channels);
        Self {
            geometry: Geometry::new(config.side, Pooling::Aligned { samples: 2 }),
            config,
            seed,
        }
    }

    /// The proposals of each picture, from what was read of the first step, `[batch, anchors, 1 + 4]`.
    fn proposals(&self, said: &[f32], choosing: Choosing) -> Vec<Vec<Proposal>> {
        let of_picture = |said: &[f32]| {
            let (scores, moves) = TwoStep::apart(said);
            self.geometry.proposals(&scores, &moves, choosing)
        };
        let each = self.geometry.anchors.len() * 5;
        said.chunks_exact(each).map(of_picture).collect()
    }

    /// The two losses of the first step.
    fn of_proposals(
        &self,
        proposed: &Proposed,
        scenes: &[Scene<'_>],
        draws: &mut Draws,
    ) -> [Term; 2] {
        let batch = scenes.len();
        let device = proposed.moves.device();
        let (mut places, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        let (mut positives, mut offsets) = (Vec::new(), Vec::new());
        for (picture, scene) in scenes
            .iter()
            .enumerate()
            .filter(|(_, scene)| scene.is_known())
        {
            let matches = Matching::PROPOSALS.of(&self.geometry.anchors, &scene.boxes());
            let taken = sampled(&matches, SAMPLE.0, SAMPLE.1, draws);
            for (anchor, is) in taken.iter().enumerate() {
                let place = (anchor * batch + picture) as i32;
                match is {
                    Match::Positive(truth) => {
                        places.push(place);
                        targets.push(1.0);
                        weights.push(1.0);
                        positives.push(place);
                        let truth = scene.objects[*truth].box_in_image.centre_size();
                        offsets.extend(
                            BoxCoder::UNSCALED
                                .encode(truth, self.geometry.anchors[anchor].centre_size()),
                        );
                    }
                    Match::Negative => {
                        places.push(place);
                        targets.push(0.0);
                        weights.push(scene.known());
                    }
                    Match::Ignored => {}
                }
            }
        }
        let count = places.len().max(1) as f32;
        let none = |name| Term::nothing(name, &proposed.moves);
        if places.is_empty() {
            return ["objectness", "proposals"].map(none);
        }
        let starts = |places: &[i32]| {
            let of = |&place: &i32| {
                let place = place as usize;
                (place % batch, self.geometry.anchors[place / batch])
            };
            places.iter().map(of).collect()
        };
        let of_places = starts(&places);
        let logits = select(&proposed.objectness, places).reshape([-1]);
        let targets = vector(targets, &device);
        let of_objects = binary_cross_entropy(logits, targets) * vector(weights, &device);
        let of_objects = Term {
            name: "objectness",
            each: of_objects / count,
            places: of_places,
        };
        if positives.is_empty() {
            return [of_objects, none("proposals")];
        }
        let rows = positives.len();
        let of_positives = starts(&positives);
        let wanted =
            Tensor::<2>::from_data(TensorData::new(offsets, [positives.len(), 4]), &device);
        let moves = select(&proposed.moves, positives);
        let apart = smooth_l1(moves - wanted, BETA).sum_dim(1).reshape([rows]);
        let of_moves = Term {
            name: "proposals",
            each: apart / count,
            places: of_positives,
        };
        [of_objects, of_moves]
    }

    /// The two losses of the second step.
    fn of_regions(
        &self,
        network: &TwoStep,
        proposed: &Proposed,
        proposals: &[Vec<Proposal>],
        scenes: &[Scene<'_>],
        draws: &mut Draws,
    ) -> [Term; 2] {
        let device = proposed.moves.device();
        let mut regions: Vec<(usize, Corners, Option<usize>)> = Vec::new();
        for (picture, scene) in scenes
            .iter()
            .enumerate()
            .filter(|(_, scene)| scene.is_known())
        {
            let truths = scene.boxes();
            // The truths are proposals, too: in the beginning there is nothing better.
            let mut all: Vec<Corners> = proposals[picture]
                .iter()
                .map(|of| of.box_in_input)
                .collect();
            all.extend(&truths);
            let matches = Matching::SECOND_STEP.of(&all, &truths);
            let taken = sampled(&matches, REGIONS.0, REGIONS.1, draws);
            let kept = all
                .into_iter()
                .zip(taken)
                .filter(|(_, is)| *is != Match::Ignored);
            regions.extend(kept.map(|(region, is)| (picture, region, is.truth())));
        }
        let none = |name| Term::nothing(name, &proposed.moves);
        if regions.is_empty() {
            return ["classes", "boxes"].map(none);
        }
        let places: Vec<(usize, Corners)> = regions
            .iter()
            .map(|&(picture, region, _)| (picture, region))
            .collect();
        let Pooled { bins, order } = self.geometry.pool(&proposed.levels, &places);
        let [logits, offsets] = network.name(bins);
        let count = regions.len();
        let classes = 1 + CLASSES.len();
        let (mut wanted, mut silent) = (vec![0f32; count * classes], vec![0f32; count * classes]);
        let (mut rows, mut targets) = (Vec::new(), Vec::new());
        let mut of_positives = Vec::new();
        for (row, &index) in order.iter().enumerate() {
            let (picture, region, truth) = regions[index];
            let scene = &scenes[picture];
            let class = truth.map_or(0, |truth| 1 + scene.objects[truth].class);
            wanted[row * classes + class] = 1.0;
            for (class, is) in scene.counts(truth).into_iter().enumerate() {
                silent[row * classes + 1 + class] = if is { 0.0 } else { SILENT };
            }
            if let Some(truth) = truth {
                let object = &scene.objects[truth];
                rows.push((row * CLASSES.len() + object.class) as i32);
                of_positives.push(places[index]);
                targets
                    .extend(CODER.encode(object.box_in_image.centre_size(), region.centre_size()));
            }
        }
        let table = |values: Vec<f32>| {
            Tensor::<2>::from_data(TensorData::new(values, [count, classes]), &device)
        };
        let of_classes = Term {
            name: "classes",
            each: cross_entropy(logits + table(silent), table(wanted)) / count as f32,
            places: order.iter().map(|&index| places[index]).collect(),
        };
        if rows.is_empty() {
            return [of_classes, none("boxes")];
        }
        let positives = rows.len();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [positives]), &device);
        let found = offsets.reshape([count * CLASSES.len(), 4]).select(0, rows);
        let targets = Tensor::<2>::from_data(TensorData::new(targets, [positives, 4]), &device);
        let apart = smooth_l1(found - targets, BETA)
            .sum_dim(1)
            .reshape([positives]);
        let of_boxes = Term {
            name: "boxes",
            each: apart / count as f32,
            places: of_positives,
        };
        [of_classes, of_boxes]
    }
}

/// Rows of a table of all boxes of all pictures.
fn select(from: &Tensor<3>, places: Vec<i32>) -> Tensor<2> {
    let [boxes, batch, numbers] = from.dims();
    let count = places.len();
    let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &from.device());
    from.clone()
        .reshape([boxes * batch, numbers])
        .select(0, places)
}

fn vector(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

impl Recipe for TwoStepRecipe {
    type Network = TwoStep;

    fn init(&self, device: &Device) -> TwoStep {
        self.config.init(device)
    }

    async fn losses(
        &self,
        job: &Job<'_>,
        network: &TwoStep,
        maps: &[Tensor<3>; 3],
        scenes: &[Scene<'_>],
        step: u64,
    ) -> Result<Vec<Term>, Failure> {
        let mut draws = Draws::new(self.seed, SAMPLES + step);
        let proposed = network.propose(maps);
        let mut terms = Vec::from(self.of_proposals(&proposed, scenes, &mut draws));
        let said = job.read(proposed.together().inner()).await?;
        let proposals = self.proposals(&said, IN_TRAINING);
        terms.extend(self.of_regions(network, &proposed, &proposals, scenes, &mut draws));
        Ok(terms)
    }

    fn assign(&self, scene: &Scene<'_>) -> Vec<Match> {
        Matching::PROPOSALS.of(&self.geometry.anchors, &scene.boxes())
    }

    fn starts(&self) -> Vec<Corners> {
        self.geometry.anchors.clone()
    }

    async fn look(
        &self,
        job: &Job<'_>,
        network: &TwoStep,
        maps: &[Tensor<3>; 3],
    ) -> Result<Vec<Places>, Failure> {
        let proposed = network.propose(maps);
        let said = job.read(proposed.together()).await?;
        let proposals = self.proposals(&said, PROPOSALS);
        let mut found = Vec::new();
        for (picture, proposals) in proposals.iter().enumerate() {
            let boxes = proposals.iter().map(|of| (picture, of.box_in_input));
            let regions: Vec<(usize, Corners)> = boxes.collect();
            if regions.is_empty() {
                found.push(two_step::places(proposals, &[], &[], CLASSES.len()));
                continue;
            }
            let Pooled { bins, order } = self.geometry.pool(&proposed.levels, &regions);
            let numbers = job.read(network.name_together(bins)).await?;
            found.push(two_step::places(proposals, &order, &numbers, CLASSES.len()));
        }
        Ok(found)
    }

    fn overlap(&self) -> f32 {
        0.5
    }
}
