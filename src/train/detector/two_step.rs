//! Faster R-CNN.

use burn::tensor::{Device, Int, Tensor, TensorData, activation};

use super::{Found, LEAST, Recipe, Scene};
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::anchors::Anchors;
use crate::methods::box_coder::BoxCoder;
use crate::methods::centres::Level;
use crate::methods::detection_loss::{binary_cross_entropy, cross_entropy, smooth_l1};
use crate::methods::matching::{Match, Matching, sampled};
use crate::methods::proposals::Choosing;
use crate::methods::roi::{MapShape, Pooling, Region};
use crate::models::detect::SIDE;
use crate::models::detect::two_step::{Proposed, TwoStep, TwoStepConfig};
use crate::protocol::failure::Failure;
use crate::train::training::Losses;

/// Sides of anchors in strides of their level.
const SIZE: f32 = 4.0;
/// Heights by widths.
const RATIOS: [f32; 3] = [0.5, 1.0, 2.0];
/// Anchors that learn in a photograph, and the share of positive ones at most.
const SAMPLE: (usize, f32) = (128, 0.5);
/// The same of regions.
const REGIONS: (usize, f32) = (32, 0.25);
/// Where the slope of the loss of boxes stops to grow.
const BETA: f64 = 1.0 / 9.0;
/// What is added to the logits of classes that a set is silent about.
const SILENT: f32 = -1e4;
/// Proposals in training, and afterwards.
const IN_TRAINING: Choosing = Choosing {
    before: 400,
    after: 150,
    overlap: 0.7,
    least: 4.0,
};
const AFTERWARDS: Choosing = Choosing {
    before: 400,
    after: 100,
    ..IN_TRAINING
};
/// The first stream of the random samples; each step has its own, so that training can be resumed.
const SAMPLES: u64 = 1 << 48;
const CODER: BoxCoder = BoxCoder::TENTHS_AND_FIFTHS;

/// The recipe.
///
/// # Reference
/// Ren et al. 2015, "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks", both steps at once.
#[derive(Debug)]
pub struct TwoStepRecipe {
    config: TwoStepConfig,
    strides: Vec<usize>,
    /// In pixels of the square.
    anchors: Vec<Corners>,
    pooling: Pooling,
    seed: u32,
}

/// The anchors of all levels of a pyramid, in pixels of the square.
fn anchors(strides: &[usize]) -> Vec<Corners> {
    let of_level = |&stride: &usize| {
        let side = SIDE / stride;
        let level = Level {
            stride,
            rows: side,
            columns: side,
            reach: [0.0, f32::INFINITY],
        };
        let one = Anchors {
            sizes: &[SIZE],
            ratios: &RATIOS,
        };
        // The size is in strides: of a level of stride 1, then enlarged.
        let shapes = one.shapes();
        let around = move |[x, y]: [f32; 2]| {
            let shapes = shapes.clone().into_iter();
            shapes.map(move |[width, height]| {
                let [half_width, half_height] =
                    [width, height].map(|side| side * stride as f32 / 2.0);
                Corners {
                    x0: x - half_width,
                    y0: y - half_height,
                    x1: x + half_width,
                    y1: y + half_height,
                }
            })
        };
        level.middles().flat_map(around).collect::<Vec<_>>()
    };
    strides.iter().flat_map(of_level).collect()
}

impl TwoStepRecipe {
    /// For heads of so many channels; `seed` decides which anchors and regions are drawn.
    pub fn new(channels: usize, seed: u32) -> Self {
        let strides = vec![8, 16, 32, 64];
        Self {
            config: TwoStepConfig::new(CLASSES.len(), RATIOS.len()).with_channels(channels),
            anchors: anchors(&strides),
            strides,
            pooling: Pooling::Aligned { samples: 2 },
            seed,
        }
    }

    /// The proposals of each picture, from what was read of the first step.
    fn proposals(
        &self,
        objectness: &[f32],
        moves: &[f32],
        batch: usize,
        choosing: Choosing,
    ) -> Vec<Vec<Corners>> {
        let count = self.anchors.len();
        let of_picture = |picture: usize| {
            let scores: Vec<f32> = (0..count)
                .map(|anchor| objectness[anchor * batch + picture])
                .collect();
            let offset = |anchor: usize| {
                std::array::from_fn(|at| moves[(anchor * batch + picture) * 4 + at])
            };
            let offsets: Vec<[f32; 4]> = (0..count).map(offset).collect();
            let chosen = choosing.of(&self.anchors, &scores, &offsets, [SIDE as f32; 2]);
            chosen
                .into_iter()
                .map(|proposal| proposal.box_in_input)
                .collect()
        };
        (0..batch).map(of_picture).collect()
    }

    /// What regions have in the pyramid, `[bins, regions, channels]` in the order of `order`: each is pooled from the level
    /// at whose stride it has about as many cells as bins.
    fn pool(&self, proposed: &Proposed, regions: &[(usize, Corners)]) -> (Tensor<3>, Vec<usize>) {
        // Not from the coarsest: it is for proposals alone.
        let last = self.strides.len() - 2;
        let level_of = |region: &Corners| {
            let size = region.area().sqrt() / (1.5 * self.config.side as f32);
            (0..last)
                .find(|&level| size < self.strides[level] as f32)
                .unwrap_or(last)
        };
        let (mut pooled, mut order) = (Vec::new(), Vec::new());
        for level in 0..=last {
            let (map, side) = &proposed.levels[level];
            let here: Vec<usize> = (0..regions.len())
                .filter(|&index| level_of(&regions[index].1) == level)
                .collect();
            if here.is_empty() {
                continue;
            }
            let share = 1.0 / self.strides[level] as f32;
            let in_cells = |&index: &usize| Region {
                picture: regions[index].0,
                box_in_cells: regions[index].1.scale(share, share),
            };
            let in_cells: Vec<Region> = here.iter().map(in_cells).collect();
            let shape = MapShape {
                rows: *side,
                columns: *side,
                batch: map.dims()[1],
            };
            pooled.push(
                self.pooling
                    .plan(&in_cells, shape, self.config.side)
                    .read(map.clone()),
            );
            order.extend(here);
        }
        (Tensor::cat(pooled, 1), order)
    }

    /// The two losses of the first step.
    fn of_proposals(
        &self,
        proposed: &Proposed,
        scenes: &[Scene<'_>],
        draws: &mut Draws,
    ) -> [Tensor<1>; 2] {
        let batch = scenes.len();
        let device = proposed.moves.device();
        let (mut places, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        let (mut positives, mut offsets) = (Vec::new(), Vec::new());
        for (picture, scene) in scenes
            .iter()
            .enumerate()
            .filter(|(_, scene)| scene.is_known())
        {
            let matches = Matching::PROPOSALS.of(&self.anchors, &scene.boxes());
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
                            BoxCoder::UNSCALED.encode(truth, self.anchors[anchor].centre_size()),
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
        let none = || proposed.moves.clone().sum() * 0.0;
        if places.is_empty() {
            return [none(), none()];
        }
        let logits = select(&proposed.objectness, places).reshape([-1]);
        let targets = vector(targets, &device);
        let of_objects = binary_cross_entropy(logits, targets) * vector(weights, &device);
        let of_objects = of_objects.sum() / count;
        if positives.is_empty() {
            return [of_objects, none()];
        }
        let wanted =
            Tensor::<2>::from_data(TensorData::new(offsets, [positives.len(), 4]), &device);
        let moves = select(&proposed.moves, positives);
        [of_objects, smooth_l1(moves - wanted, BETA).sum() / count]
    }

    /// The two losses of the second step.
    fn of_regions(
        &self,
        network: &TwoStep,
        proposed: &Proposed,
        proposals: &[Vec<Corners>],
        scenes: &[Scene<'_>],
        draws: &mut Draws,
    ) -> [Tensor<1>; 2] {
        let device = proposed.moves.device();
        let mut regions: Vec<(usize, Corners, Option<usize>)> = Vec::new();
        for (picture, scene) in scenes
            .iter()
            .enumerate()
            .filter(|(_, scene)| scene.is_known())
        {
            let truths = scene.boxes();
            // The truths are proposals, too: in the beginning there is nothing better.
            let mut all = proposals[picture].clone();
            all.extend(&truths);
            let matches = Matching::SECOND_STEP.of(&all, &truths);
            let taken = sampled(&matches, REGIONS.0, REGIONS.1, draws);
            let kept = all
                .into_iter()
                .zip(taken)
                .filter(|(_, is)| *is != Match::Ignored);
            regions.extend(kept.map(|(region, is)| (picture, region, is.truth())));
        }
        let none = || proposed.moves.clone().sum() * 0.0;
        if regions.is_empty() {
            return [none(), none()];
        }
        let places: Vec<(usize, Corners)> = regions
            .iter()
            .map(|&(picture, region, _)| (picture, region))
            .collect();
        let (pooled, order) = self.pool(proposed, &places);
        let [logits, offsets] = network.name(pooled);
        let count = regions.len();
        let classes = 1 + CLASSES.len();
        let (mut wanted, mut silent) = (vec![0f32; count * classes], vec![0f32; count * classes]);
        let (mut rows, mut targets) = (Vec::new(), Vec::new());
        for (row, &index) in order.iter().enumerate() {
            let (picture, region, truth) = regions[index];
            let scene = &scenes[picture];
            let class = truth.map_or(0, |truth| 1 + scene.objects[truth].class);
            wanted[row * classes + class] = 1.0;
            for (class, is) in scene.boxed.into_iter().enumerate() {
                silent[row * classes + 1 + class] = if is { 0.0 } else { SILENT };
            }
            if let Some(truth) = truth {
                let object = &scene.objects[truth];
                rows.push((row * CLASSES.len() + object.class) as i32);
                targets
                    .extend(CODER.encode(object.box_in_image.centre_size(), region.centre_size()));
            }
        }
        let table = |values: Vec<f32>| {
            Tensor::<2>::from_data(TensorData::new(values, [count, classes]), &device)
        };
        let of_classes = cross_entropy(logits + table(silent), table(wanted)).sum() / count as f32;
        if rows.is_empty() {
            return [of_classes, none()];
        }
        let positives = rows.len();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [positives]), &device);
        let found = offsets.reshape([count * CLASSES.len(), 4]).select(0, rows);
        let targets = Tensor::<2>::from_data(TensorData::new(targets, [positives, 4]), &device);
        [
            of_classes,
            smooth_l1(found - targets, BETA).sum() / count as f32,
        ]
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
    ) -> Result<Losses, Failure> {
        let mut draws = Draws::new(self.seed, SAMPLES + step);
        let proposed = network.propose(maps);
        let [objects, moves] = self.of_proposals(&proposed, scenes, &mut draws);
        let objectness = job.read(proposed.objectness.clone().inner()).await?;
        let moved = job.read(proposed.moves.clone().inner()).await?;
        let proposals = self.proposals(&objectness, &moved, scenes.len(), IN_TRAINING);
        let [classes, boxes] = self.of_regions(network, &proposed, &proposals, scenes, &mut draws);
        Ok(vec![
            ("objectness", objects),
            ("proposals", moves),
            ("classes", classes),
            ("boxes", boxes),
        ])
    }

    async fn find(
        &self,
        job: &Job<'_>,
        network: &TwoStep,
        maps: &[Tensor<3>; 3],
    ) -> Result<Vec<Vec<Found>>, Failure> {
        let proposed = network.propose(maps);
        let batch = maps[0].dims()[1];
        let both = Tensor::cat(vec![proposed.objectness.clone(), proposed.moves.clone()], 2);
        let both = job.read(both).await?;
        let objectness: Vec<f32> = both.iter().step_by(5).copied().collect();
        let moves: Vec<f32> = both
            .chunks_exact(5)
            .flat_map(|of_anchor| of_anchor[1..].iter().copied())
            .collect();
        let proposals = self.proposals(&objectness, &moves, batch, AFTERWARDS);
        let all = proposals.iter().enumerate();
        let regions: Vec<(usize, Corners)> = all
            .flat_map(|(picture, of)| of.iter().map(move |&region| (picture, region)))
            .collect();
        let mut found = vec![Vec::new(); batch];
        if regions.is_empty() {
            return Ok(found);
        }
        let (pooled, order) = self.pool(&proposed, &regions);
        let [logits, offsets] = network.name(pooled);
        let said = Tensor::cat(vec![activation::softmax(logits, 1), offsets], 1);
        let each = said.dims()[1];
        let said = job.read(said).await?;
        for (numbers, &index) in said.chunks_exact(each).zip(&order) {
            let (picture, region) = regions[index];
            for class in 0..CLASSES.len() {
                let score = numbers[1 + class];
                if score > LEAST {
                    let start = 1 + CLASSES.len() + 4 * class;
                    let offsets = std::array::from_fn(|at| numbers[start + at]);
                    found[picture].push(Found {
                        box_in_square: CODER.decode(offsets, region.centre_size()),
                        class,
                        score,
                    });
                }
            }
        }
        Ok(found)
    }

    fn overlap(&self) -> f32 {
        0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_four_strides_wide() {
        let anchors = anchors(&[8, 16, 32, 64]);
        assert_eq!(anchors.len(), (1600 + 400 + 100 + 25) * 3);
        // The square of the first cell, around 4.
        let [low, high] = [4.0 - 16.0, 4.0 + 16.0];
        assert_eq!(
            anchors[1],
            Corners {
                x0: low,
                y0: low,
                x1: high,
                y1: high
            }
        );
        let last = anchors[anchors.len() - 2];
        assert_eq!(last.x1 - last.x0, 256.0);
    }
}
