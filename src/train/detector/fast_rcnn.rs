//! Fast R-CNN.

use burn::tensor::{Device, Tensor};

use super::{Recipe, Scene, Term, regions};
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::matching::{Match, Matching};
use crate::methods::outputs::Places;
use crate::methods::outputs::two_step::{self, Geometry, Pooled};
use crate::methods::proposals::Proposal;
use crate::methods::roi::Pooling;
use crate::models::detect::fast_rcnn::{FastRcnn, FastRcnnConfig};
use crate::protocol::failure::Failure;

/// The first stream of the random samples; each step has its own, so that training can be resumed.
const SAMPLES: u64 = 1 << 49;

/// The recipe: softmax and boxes at once, on regions of selective search, pooled by RoI pooling.
///
/// # Reference
/// Girshick 2015, "Fast R-CNN".
#[derive(Debug)]
pub struct FastRcnnRecipe {
    config: FastRcnnConfig,
    geometry: Geometry,
    seed: u32,
}

impl FastRcnnRecipe {
    /// For heads of so many channels; `seed` decides which regions are drawn.
    pub fn new(channels: usize, seed: u32) -> Self {
        let config = FastRcnnConfig::new(CLASSES.len()).with_channels(channels);
        Self {
            geometry: Geometry::new(config.side, Pooling::Largest),
            config,
            seed,
        }
    }
}

/// Regions as proposals without a score of their own.
pub fn unscored(regions: &[Corners]) -> Vec<Proposal> {
    let each = regions.iter().enumerate();
    each.map(|(anchor, &box_in_input)| Proposal {
        box_in_input,
        score: 0.0,
        anchor,
    })
    .collect()
}

impl Recipe for FastRcnnRecipe {
    type Network = FastRcnn;

    fn init(&self, device: &Device) -> FastRcnn {
        self.config.init(device)
    }

    async fn losses(
        &self,
        _: &Job<'_>,
        network: &FastRcnn,
        maps: &[Tensor<3>; 3],
        scenes: &[Scene<'_>],
        step: u64,
    ) -> Result<Vec<Term>, Failure> {
        let mut draws = Draws::new(self.seed, SAMPLES + step);
        let proposals: Vec<Vec<Corners>> = scenes
            .iter()
            .map(|scene| scene.proposals.to_vec())
            .collect();
        let terms = regions::losses(
            &self.geometry,
            &network.levels(maps),
            |bins| network.name(bins),
            &proposals,
            scenes,
            &mut draws,
        );
        Ok(terms.into())
    }

    fn assign(&self, scene: &Scene<'_>) -> Vec<Match> {
        scene.spared(Matching::SECOND_STEP.of(&self.starts(scene), &scene.boxes()))
    }

    fn starts(&self, scene: &Scene<'_>) -> Vec<Corners> {
        [scene.proposals, &scene.boxes()].concat()
    }

    async fn look(
        &self,
        job: &Job<'_>,
        network: &FastRcnn,
        maps: &[Tensor<3>; 3],
        proposals: &[&[Corners]],
    ) -> Result<Vec<Places>, Failure> {
        let levels = network.levels(maps);
        let mut found = Vec::new();
        for (picture, proposals) in proposals.iter().enumerate() {
            let regions: Vec<(usize, Corners)> =
                proposals.iter().map(|&region| (picture, region)).collect();
            let proposals = unscored(proposals);
            let (order, numbers) = if regions.is_empty() {
                (Vec::new(), Vec::new())
            } else {
                let Pooled { bins, order } = self.geometry.pool(&levels, &regions);
                (order, job.read(network.name_together(bins)).await?)
            };
            let places = two_step::places(&proposals, &order, &numbers, CLASSES.len());
            found.push(Places {
                sure: Vec::new(),
                ..places
            });
        }
        Ok(found)
    }

    fn searches(&self) -> bool {
        true
    }

    fn overlap(&self) -> f32 {
        0.5
    }
}
