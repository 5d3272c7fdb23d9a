//! `kiln train detector --family sppnet` and `r-cnn`: dense layers, then support vector machines, on the features of regions.

use burn::module::Module as _;
use burn::tensor::Device;

use super::photographs::Kept;
use super::train::{Course, run_course};
use super::{print, read_now, sentence, weights_file};
use crate::engine::native_host::NativeHost;
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::models::detect::region_svm::{FEATURES, MAPS};
use crate::protocol::failure::Failure;
use crate::train::detector::region_dense::DenseTrainee;
use crate::train::detector::region_features::{Even, Regions, Spread};
use crate::train::detector::svm::{features, fit};
use crate::train::detector::{Options, Scene, Views as _, scene};
use crate::train::training::Training;

/// Boxes of a photograph that are looked at, in training as later.
pub const MOST: usize = 300;
/// What an error costs the machines.
const COST: f32 = 3e-4;

/// Views of photographs, by a backbone's maps.
pub struct Pooled<'a> {
    /// All views.
    pub views: &'a Kept,
    /// From one that counts to the next: all, or of each photograph the first.
    pub every: usize,
}

impl Regions for Pooled<'_> {
    fn count(&self) -> usize {
        self.views.count() / self.every
    }

    fn dims(&self) -> usize {
        FEATURES
    }

    fn scene(&self, index: usize) -> Scene<'_> {
        let scene = scene(self.views, index * self.every);
        Scene {
            proposals: &scene.proposals[..scene.proposals.len().min(MOST)],
            ..scene
        }
    }

    fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, Failure> {
        let view = (index * self.every) as u32;
        let maps = self.views.maps(&[view], &Device::flex())?;
        let maps = MAPS.map(|map| read_now(maps[map].clone()));
        Ok(features(&maps, regions))
    }
}

/// Trains dense layers on some regions and fits machines to others, or to the same; writes both.
pub(super) fn run(
    course: Course,
    [learned, fitted]: [&dyn Regions; 2],
    options: Options,
    device: &Device,
) -> Result<(), String> {
    let said = |failure: Failure| sentence(&failure);
    let spread = Spread::of_some(fitted, options.seed).map_err(said)?;
    let even = |regions| Even {
        regions,
        spread: &spread,
    };
    let learned = even(learned);
    let trainee = DenseTrainee::new(&learned, options, device);
    let (course, layers) = run_course(course, Training::new(trainee, 0).averaged())?;
    let layers = layers.to_device(&Device::flex());
    let host = NativeHost::new("weights", |_, _| {});
    let job = Job::new(&host, "cpu");
    let tell = |said| print::note(said);
    let network = pollster::block_on(fit(&job, &even(fitted), layers, COST, options.seed, &tell));
    course.write(&weights_file::half_bytes(network.map_err(said)?)?)
}
