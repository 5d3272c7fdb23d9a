//! SSD.

use burn::tensor::{Device, Int, Tensor, TensorData, activation};

use super::{Recipe, Scene, Term};
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::boxes::{CentreSize, Corners};
use crate::methods::detection_loss::smooth_l1;
use crate::methods::matching::{Match, Matching, hard_negatives};
use crate::methods::outputs::Places;
use crate::methods::outputs::ssd::{self, CODER, SHAPES};
use crate::models::detect::ssd_head::{SsdHead, SsdHeadConfig, SsdSaid};
use crate::protocol::failure::Failure;

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
        let corners = ssd::default_boxes();
        Self {
            config: SsdHeadConfig::new(CLASSES.len(), SHAPES).with_channels(channels),
            boxes: corners.iter().map(|of| of.centre_size()).collect(),
            corners,
        }
    }

    /// What each default box has to learn.
    fn matches(&self, scene: &Scene<'_>) -> Vec<Match> {
        // Those that do not count come first: of two that would have the same default box the later one has it.
        let mut order: Vec<usize> = (0..scene.objects.len()).collect();
        order.sort_by_key(|&object| !scene.ignores(object));
        let boxes: Vec<Corners> = order
            .iter()
            .map(|&object| scene.objects[object].box_in_image)
            .collect();
        let matches = Matching::DEFAULT_BOXES.of(&self.corners, &boxes);
        let as_numbered = matches.into_iter().map(|is| match is {
            Match::Positive(at) => Match::Positive(order[at]),
            other => other,
        });
        scene.spared(as_numbered.collect())
    }

    /// The two losses of a batch: over the positives, boxes and classes.
    async fn of(
        &self,
        job: &Job<'_>,
        said: &SsdSaid,
        scenes: &[Scene<'_>],
    ) -> Result<Vec<Term>, Failure> {
        let [boxes, batch, classes] = said.classes.dims();
        let device = said.classes.device();
        let matches: Vec<Vec<Match>> = scenes
            .iter()
            .map(|scene| match scene.is_known() {
                true => self.matches(scene),
                false => vec![Match::Ignored; boxes],
            })
            .collect();
        let mut wanted = vec![0f32; boxes * batch * classes];
        let mut silent = vec![0f32; boxes * batch * classes];
        let (mut places, mut offsets) = (Vec::new(), Vec::new());
        for (picture, (scene, matches)) in scenes.iter().zip(&matches).enumerate() {
            for (index, is) in matches.iter().enumerate() {
                let place = index * batch + picture;
                let class = is.truth().map_or(0, |truth| 1 + scene.objects[truth].class);
                wanted[place * classes + class] = 1.0;
                for (class, is) in scene.counts(is.truth()).into_iter().enumerate() {
                    silent[place * classes + 1 + class] = if is { 0.0 } else { SILENT };
                }
                if let Some(truth) = is.truth() {
                    places.push(place as i32);
                    let truth = scene.objects[truth].box_in_image.centre_size();
                    offsets.extend(CODER.encode(truth, self.boxes[index]));
                }
            }
        }
        let silent =
            Tensor::<3>::from_data(TensorData::new(silent, [boxes, batch, classes]), &device);
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
        let start = |place: usize| (place % batch, self.corners[place / batch]);
        let of_classes = Term {
            name: "classes",
            of_objects: false,
            each: (each * counts).reshape([boxes * batch]) / positives.max(1) as f32,
            places: (0..boxes * batch).map(start).collect(),
        };
        if positives == 0 {
            return Ok(vec![Term::nothing("boxes", &said.offsets), of_classes]);
        }
        let starts = places.iter().map(|&place| start(place as usize)).collect();
        let places = Tensor::<1, Int>::from_data(TensorData::new(places, [positives]), &device);
        let found = said
            .offsets
            .clone()
            .reshape([boxes * batch, 4])
            .select(0, places);
        let offsets = Tensor::<2>::from_data(TensorData::new(offsets, [positives, 4]), &device);
        let apart = smooth_l1(found - offsets, 1.0)
            .sum_dim(1)
            .reshape([positives]);
        let of_boxes = Term {
            name: "boxes",
            of_objects: true,
            each: apart / positives as f32,
            places: starts,
        };
        Ok(vec![of_boxes, of_classes])
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
    ) -> Result<Vec<Term>, Failure> {
        self.of(job, &network.forward(maps), scenes).await
    }

    fn assign(&self, scene: &Scene<'_>) -> Vec<Match> {
        self.matches(scene)
    }

    fn starts(&self, _: &Scene<'_>) -> Vec<Corners> {
        self.corners.clone()
    }

    async fn look(
        &self,
        job: &Job<'_>,
        network: &SsdHead,
        maps: &[Tensor<3>; 3],
        _: &[&[Corners]],
    ) -> Result<Vec<Places>, Failure> {
        let numbers = job.read(network.forward(maps).together()).await?;
        let each = self.corners.len() * (1 + CLASSES.len() + 4);
        let of_pictures = numbers.chunks_exact(each);
        Ok(of_pictures
            .map(|numbers| ssd::places(&self.corners, numbers, CLASSES.len()))
            .collect())
    }

    fn overlap(&self) -> f32 {
        0.45
    }
}
