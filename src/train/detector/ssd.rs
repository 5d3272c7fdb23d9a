//! SSD.

use burn::tensor::{Device, Int, Tensor, TensorData, activation};

use super::{Found, LEAST, Recipe, Scene};
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::boxes::{CentreSize, Corners};
use crate::methods::box_coder::BoxCoder;
use crate::methods::default_boxes::DefaultBoxes;
use crate::methods::detection_loss::smooth_l1;
use crate::methods::matching::{Match, Matching, hard_negatives};
use crate::models::detect::SIDE;
use crate::models::detect::ssd_head::{SsdHead, SsdHeadConfig, SsdSaid};
use crate::protocol::failure::Failure;
use crate::train::training::Losses;

/// The default boxes, as shares of the square.
pub const DEFAULT_BOXES: DefaultBoxes = DefaultBoxes {
    cells: &[40, 20, 10, 5, 3],
    scales: [0.08, 0.8],
    ratios: &[1.0, 2.0, 0.5],
    first: None,
};
/// Default boxes of a cell: the ratios, and a square between a map's scale and the next one's.
pub const SHAPES: usize = 4;
const CODER: BoxCoder = BoxCoder::TENTHS_AND_FIFTHS;
/// Negatives that count for each positive.
const NEGATIVES: usize = 3;
/// What is added to the logits of classes that a set is silent about: the softmax leaves them out.
const SILENT: f32 = -1e4;

/// The recipe.
///
/// # Reference
/// Liu et al. 2016, "SSD: Single Shot MultiBox Detector", section 2.2.
#[derive(Debug, Clone)]
pub struct SsdRecipe {
    config: SsdHeadConfig,
    /// In pixels of the square.
    boxes: Vec<CentreSize>,
    corners: Vec<Corners>,
}

impl SsdRecipe {
    /// For heads of so many channels.
    pub fn new(channels: usize) -> Self {
        let side = SIDE as f32;
        let corners: Vec<Corners> = DEFAULT_BOXES
            .boxes()
            .iter()
            .map(|of| of.corners().scale(side, side))
            .collect();
        Self {
            config: SsdHeadConfig::new(CLASSES.len(), SHAPES).with_channels(channels),
            boxes: corners.iter().map(|of| of.centre_size()).collect(),
            corners,
        }
    }

    /// The two losses of a batch: over the positives, boxes and classes.
    async fn of(
        &self,
        job: &Job<'_>,
        said: &SsdSaid,
        scenes: &[Scene<'_>],
    ) -> Result<[Tensor<1>; 2], Failure> {
        let [boxes, batch, classes] = said.classes.dims();
        let device = said.classes.device();
        let matches: Vec<Vec<Match>> = scenes
            .iter()
            .map(|scene| match scene.is_known() {
                true => Matching::DEFAULT_BOXES.of(&self.corners, &scene.boxes()),
                false => vec![Match::Ignored; boxes],
            })
            .collect();
        let mut wanted = vec![0f32; boxes * batch * classes];
        let (mut places, mut offsets) = (Vec::new(), Vec::new());
        for (picture, (scene, matches)) in scenes.iter().zip(&matches).enumerate() {
            for (index, is) in matches.iter().enumerate() {
                let place = index * batch + picture;
                let class = is.truth().map_or(0, |truth| 1 + scene.objects[truth].class);
                wanted[place * classes + class] = 1.0;
                if let Some(truth) = is.truth() {
                    places.push(place as i32);
                    let truth = scene.objects[truth].box_in_image.centre_size();
                    offsets.extend(CODER.encode(truth, self.boxes[index]));
                }
            }
        }
        let silent = scenes.iter().flat_map(|scene| {
            let of_classes = scene
                .boxed
                .into_iter()
                .map(|is| if is { 0.0 } else { SILENT });
            std::iter::once(0.0).chain(of_classes)
        });
        let silent = Tensor::<3>::from_data(
            TensorData::new(silent.collect::<Vec<f32>>(), [1, batch, classes]),
            &device,
        );
        let wanted =
            Tensor::<3>::from_data(TensorData::new(wanted, [boxes, batch, classes]), &device);
        let logarithms = activation::log_softmax(said.classes.clone() + silent, 2);
        let each: Tensor<2> = -(logarithms * wanted).sum_dim(2).reshape([boxes, batch]);
        // What is said decides what counts.
        let now = job.read(each.clone().inner()).await?;
        let mut counts = vec![0f32; boxes * batch];
        for (picture, matches) in matches.iter().enumerate() {
            let losses: Vec<f32> = (0..boxes)
                .map(|index| now[index * batch + picture])
                .collect();
            let kept = hard_negatives(matches, &losses, NEGATIVES);
            for (index, is) in kept.iter().enumerate() {
                if *is != Match::Ignored {
                    counts[index * batch + picture] = 1.0;
                }
            }
        }
        let counts = Tensor::<2>::from_data(TensorData::new(counts, [boxes, batch]), &device);
        let positives = places.len();
        let of_classes = (each * counts).sum() / positives.max(1) as f32;
        if positives == 0 {
            return Ok([said.offsets.clone().sum() * 0.0, of_classes]);
        }
        let places = Tensor::<1, Int>::from_data(TensorData::new(places, [positives]), &device);
        let found = said
            .offsets
            .clone()
            .reshape([boxes * batch, 4])
            .select(0, places);
        let offsets = Tensor::<2>::from_data(TensorData::new(offsets, [positives, 4]), &device);
        Ok([
            smooth_l1(found - offsets, 1.0).sum() / positives as f32,
            of_classes,
        ])
    }
}

impl Recipe for SsdRecipe {
    type Network = SsdHead;

    fn init(&self, device: &Device) -> SsdHead {
        self.config.init(device)
    }

    async fn losses(
        &self,
        job: &Job<'_>,
        network: &SsdHead,
        maps: &[Tensor<3>; 3],
        scenes: &[Scene<'_>],
        _: u64,
    ) -> Result<Losses, Failure> {
        let [boxes, classes] = self.of(job, &network.forward(maps), scenes).await?;
        Ok(vec![("boxes", boxes), ("classes", classes)])
    }

    async fn find(
        &self,
        job: &Job<'_>,
        network: &SsdHead,
        maps: &[Tensor<3>; 3],
    ) -> Result<Vec<Vec<Found>>, Failure> {
        let said = network.forward(maps);
        let [boxes, _, classes] = said.classes.dims();
        let scores = activation::softmax(said.classes, 2);
        let all = Tensor::cat(vec![scores, said.offsets], 2).swap_dims(0, 1);
        let numbers = job.read(all).await?;
        let each = classes + 4;
        let of_picture = |numbers: &[f32]| -> Vec<Found> {
            let mut found = Vec::new();
            for (numbers, &default) in numbers.chunks_exact(each).zip(&self.boxes) {
                for class in 0..CLASSES.len() {
                    let score = numbers[1 + class];
                    if score > LEAST {
                        let offsets = std::array::from_fn(|at| numbers[classes + at]);
                        found.push(Found {
                            box_in_square: CODER.decode(offsets, default),
                            class,
                            score,
                        });
                    }
                }
            }
            found
        };
        Ok(numbers.chunks_exact(boxes * each).map(of_picture).collect())
    }

    fn overlap(&self) -> f32 {
        0.45
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_default_boxes_as_cells_times_shapes() {
        let recipe = SsdRecipe::new(16);
        let cells: usize = DEFAULT_BOXES.cells.iter().map(|side| side * side).sum();
        assert_eq!(recipe.boxes.len(), cells * SHAPES);
        assert!((recipe.boxes[0].width - 0.08 * 320.0).abs() < 1e-3);
    }
}
