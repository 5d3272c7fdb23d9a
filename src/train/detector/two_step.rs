//! Faster R-CNN.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::regions::{self, BETA};
use super::{Recipe, Scene, Term};
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::box_coder::BoxCoder;
use crate::methods::detection_loss::{binary_cross_entropy, smooth_l1};
use crate::methods::matching::{Match, Matching, sampled};
use crate::methods::outputs::Places;
use crate::methods::outputs::two_step::{self, Geometry, PROPOSALS, Pooled, RATIOS};
use crate::methods::proposals::{Choosing, Proposal};
use crate::methods::roi::Pooling;
use crate::models::detect::two_step::{Proposed, TwoStep, TwoStepConfig};
use crate::protocol::failure::Failure;

/// Anchors that learn in a photograph, and the share of positive ones at most.
const SAMPLE: (usize, f32) = (128, 0.5);
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

    /// What each anchor has to learn.
    fn matches(&self, scene: &Scene<'_>) -> Vec<Match> {
        scene.spared(Matching::PROPOSALS.of(&self.geometry.anchors, &scene.boxes()))
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
            let taken = sampled(&self.matches(scene), SAMPLE.0, SAMPLE.1, draws);
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
            of_objects: false,
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
            of_objects: true,
            each: apart / count,
            places: of_positives,
        };
        [of_objects, of_moves]
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
        let boxes = |of: Vec<Proposal>| of.into_iter().map(|of| of.box_in_input).collect();
        let proposals = self.proposals(&said, IN_TRAINING).into_iter().map(boxes);
        terms.extend(regions::losses(
            &self.geometry,
            &proposed.levels,
            |bins| network.name(bins),
            &proposals.collect::<Vec<_>>(),
            scenes,
            &mut draws,
        ));
        Ok(terms)
    }

    fn assign(&self, scene: &Scene<'_>) -> Vec<Match> {
        self.matches(scene)
    }

    fn starts(&self, _: &Scene<'_>) -> Vec<Corners> {
        self.geometry.anchors.clone()
    }

    async fn look(
        &self,
        job: &Job<'_>,
        network: &TwoStep,
        maps: &[Tensor<3>; 3],
        _: &[&[Corners]],
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
