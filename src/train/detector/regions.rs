//! The heads that look at regions: the last part of Fast R-CNN and of Faster R-CNN.

use burn::tensor::{Int, Tensor, TensorData};

use super::{Scene, Term};
use crate::data::photographs::CLASSES;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::detection_loss::{cross_entropy, smooth_l1};
use crate::methods::matching::{Match, Matching, sampled};
use crate::methods::outputs::two_step::{CODER, Geometry, Pooled};

/// Regions that learn in a photograph, and the share of positive ones at most.
pub const REGIONS: (usize, f32) = (32, 0.25);
/// Where the slope of the loss of boxes stops to grow.
pub const BETA: f64 = 1.0 / 9.0;
/// What is added to the logits of classes that a set is silent about.
const SILENT: f32 = -1e4;

/// The two losses of heads that see regions, from the maps with their sides and the proposals of each picture.
///
/// # Reference
/// Girshick 2015, "Fast R-CNN", section 2.3: the multi-task loss.
pub fn losses(
    geometry: &Geometry,
    levels: &[(Tensor<3>, usize)],
    head: impl Fn(Tensor<3>) -> [Tensor<2>; 2],
    proposals: &[Vec<Corners>],
    scenes: &[Scene<'_>],
    draws: &mut Draws,
) -> [Term; 2] {
    let device = levels[0].0.device();
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
        let matches = scene.spared(Matching::SECOND_STEP.of(&all, &truths));
        let taken = sampled(&matches, REGIONS.0, REGIONS.1, draws);
        let kept = all
            .into_iter()
            .zip(taken)
            .filter(|(_, is)| *is != Match::Ignored);
        regions.extend(kept.map(|(region, is)| (picture, region, is.truth())));
    }
    let none = |name| Term::nothing(name, &levels[0].0);
    if regions.is_empty() {
        return ["classes", "boxes"].map(none);
    }
    let places: Vec<(usize, Corners)> = regions
        .iter()
        .map(|&(picture, region, _)| (picture, region))
        .collect();
    let Pooled { bins, order } = geometry.pool(levels, &places);
    let [logits, offsets] = head(bins);
    let count = regions.len();
    let naming = order.iter().map(|&index| {
        let (picture, _, truth) = regions[index];
        (&scenes[picture], truth)
    });
    let each = named(logits, naming) / count as f32;
    let (mut rows, mut targets) = (Vec::new(), Vec::new());
    let mut of_positives = Vec::new();
    for (row, &index) in order.iter().enumerate() {
        let (picture, region, truth) = regions[index];
        let scene = &scenes[picture];
        if let Some(truth) = truth {
            let object = &scene.objects[truth];
            rows.push((row * CLASSES.len() + object.class) as i32);
            of_positives.push(places[index]);
            targets.extend(CODER.encode(object.box_in_image.centre_size(), region.centre_size()));
        }
    }
    let of_classes = Term {
        name: "classes",
        of_objects: false,
        each,
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
        of_objects: true,
        each: apart / count as f32,
        places: of_positives,
    };
    [of_classes, of_boxes]
}

/// The cross-entropy of each region, `[regions]`, of its logits `[regions, 1 + classes]`: the class of the object that it has to
/// find in its scene, by number, or the background. Classes that its set is silent about do not count.
pub fn named<'a>(
    logits: Tensor<2>,
    regions: impl Iterator<Item = (&'a Scene<'a>, Option<usize>)>,
) -> Tensor<1> {
    let [count, classes] = logits.dims();
    let (mut wanted, mut silent) = (vec![0f32; count * classes], vec![0f32; count * classes]);
    for (row, (scene, truth)) in regions.enumerate() {
        let class = truth.map_or(0, |truth| 1 + scene.objects[truth].class);
        wanted[row * classes + class] = 1.0;
        for (class, is) in scene.counts(truth).into_iter().enumerate() {
            silent[row * classes + 1 + class] = if is { 0.0 } else { SILENT };
        }
    }
    let device = logits.device();
    let table = |values: Vec<f32>| {
        Tensor::<2>::from_data(TensorData::new(values, [count, classes]), &device)
    };
    cross_entropy(logits + table(silent), table(wanted))
}
