//! `kiln train detector --family sppnet`: support vector machines on the features of regions.

use burn::tensor::Device;

use super::photographs::Kept;
use super::{read_now, sentence};
use crate::maths::boxes::Corners;
use crate::models::detect::region_svm::{FEATURES, MAPS};
use crate::protocol::failure::Failure;
use crate::train::detector::svm::{Regions, features};
use crate::train::detector::{Scene, Views as _, scene};

/// Boxes of a photograph that are looked at, in training as later.
const MOST: usize = 300;

/// The first view of each photograph, by a backbone's maps.
pub struct Plain<'a> {
    /// All views.
    pub views: &'a Kept,
    /// Views of a photograph.
    pub versions: usize,
}

impl Regions for Plain<'_> {
    fn count(&self) -> usize {
        self.views.count() / self.versions
    }

    fn dims(&self) -> usize {
        FEATURES
    }

    fn scene(&self, index: usize) -> Scene<'_> {
        let scene = scene(self.views, index * self.versions);
        Scene {
            proposals: &scene.proposals[..scene.proposals.len().min(MOST)],
            ..scene
        }
    }

    fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, String> {
        let said = |failure: Failure| sentence(&failure);
        let view = (index * self.versions) as u32;
        let maps = self.views.maps(&[view], &Device::flex()).map_err(said)?;
        let maps = MAPS.map(|map| read_now(maps[map].clone()));
        Ok(features(&maps, regions))
    }
}
