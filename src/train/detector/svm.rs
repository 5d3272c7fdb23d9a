//! Support vector machines on the features of regions, with hard negatives, and the boxes that regions should have been.
//!
//! # Reference
//! Girshick, Donahue, Darrell and Malik 2014, "Rich feature hierarchies for accurate object detection and semantic
//! segmentation", section 2.3 and appendices B and C.

use std::collections::HashSet;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

use crate::data::photographs::CLASSES;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::linear_svm::{Fitting, LinearSvm, dot};
use crate::methods::outputs::region_svm::CODER;
pub use crate::methods::outputs::region_svm::features;
pub use crate::methods::warp::{SIDE as CROP, Sheet};
use crate::models::Network;
use crate::models::detect::region_svm::RegionSvm;

use super::Scene;

/// A region that overlaps no object of a class by so much is a negative example of it.
pub const NEGATIVE: f32 = 0.3;
/// Regions that overlap an object by so much learn its box.
const BOXED: f32 = 0.6;
/// Negative examples of a photograph before there is a machine, and new ones in each round after.
const PICKED: usize = 12;
/// Rounds in which negatives are sought that the machines take for objects.
const ROUNDS: usize = 4;
/// How strongly offsets are held to 0.
const RIDGE: f32 = 1000.0;
/// Steps of conjugate gradients.
const STEPS: usize = 40;

/// Photographs whose regions have features.
pub trait Regions {
    /// How many photographs there are.
    fn count(&self) -> usize;
    /// Numbers of a region.
    fn dims(&self) -> usize;
    /// What is in a photograph, and what the search proposes.
    fn scene(&self, index: usize) -> Scene<'_>;
    /// The features of regions of a photograph, region after region.
    ///
    /// # Errors
    /// Where the photograph cannot be read: a sentence.
    fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, String>;
}

/// Examples by row, and what they are of.
#[derive(Default)]
struct Examples {
    features: Vec<f32>,
    /// For each class: whether it is one, is none, or does not count.
    labels: Vec<[Option<bool>; CLASSES.len()]>,
    /// Proposals that are among them, by photograph and number.
    taken: HashSet<(usize, usize)>,
}

/// A machine for each class, and offsets: weights by class, then by offset, all for features as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// A plane for each class.
    pub planes: Vec<LinearSvm>,
    /// Four for each class: what a region's box is off by, in the order of the box coder.
    pub offsets: Vec<LinearSvm>,
}

impl Fitted {
    /// The network of a family whose regions have so many numbers.
    pub fn network(&self, row: &Network<RegionSvm>) -> RegionSvm {
        let device = Device::flex();
        let mut network = (row.init)(&device);
        let features = self.planes.first().map_or(0, |plane| plane.weights.len());
        for (layer, planes) in [
            (&mut network.classes, &self.planes),
            (&mut network.offsets, &self.offsets),
        ] {
            // Planes are columns.
            let columns =
                (0..features).flat_map(|at| planes.iter().map(move |plane| plane.weights[at]));
            let weights =
                TensorData::new(columns.collect::<Vec<f32>>(), [1, features, planes.len()]);
            let biases: Vec<f32> = planes.iter().map(|plane| plane.bias).collect();
            let biases = TensorData::new(biases, [planes.len()]);
            layer.weight = Param::from_tensor(Tensor::from_data(weights, &device));
            layer.bias = Param::from_tensor(Tensor::from_data(biases, &device));
        }
        network
    }
}

/// What each number is on the whole: machines see it around 0, with a spread of 1.
struct Spread {
    mean: Vec<f32>,
    inverse: Vec<f32>,
}

impl Spread {
    fn of(features: &[f32], dims: usize) -> Self {
        let count = (features.len() / dims).max(1) as f64;
        let (mut sums, mut squares) = (vec![0f64; dims], vec![0f64; dims]);
        for row in features.chunks_exact(dims) {
            for (at, &value) in row.iter().enumerate() {
                sums[at] += f64::from(value);
                squares[at] += f64::from(value) * f64::from(value);
            }
        }
        let mean: Vec<f32> = sums.iter().map(|sum| (sum / count) as f32).collect();
        let inverse = squares.iter().zip(&mean).map(|(square, mean)| {
            let variance = square / count - f64::from(*mean) * f64::from(*mean);
            1.0 / variance.max(1e-6).sqrt() as f32
        });
        Self {
            inverse: inverse.collect(),
            mean,
        }
    }

    fn apply(&self, features: &mut [f32]) {
        for row in features.chunks_exact_mut(self.mean.len()) {
            for (value, (mean, inverse)) in row.iter_mut().zip(self.mean.iter().zip(&self.inverse))
            {
                *value = (*value - mean) * inverse;
            }
        }
    }

    /// The same plane for features as they are.
    fn unfold(&self, plane: &LinearSvm) -> LinearSvm {
        let weights: Vec<f32> = plane
            .weights
            .iter()
            .zip(&self.inverse)
            .map(|(weight, inverse)| weight * inverse)
            .collect();
        LinearSvm {
            bias: plane.bias - dot(&weights, &self.mean),
            weights,
        }
    }
}

/// Whether a region is an example of each class: no where it overlaps none of its objects, and where the class is boxed.
fn negative_of(scene: &Scene<'_>, region: Corners) -> [Option<bool>; CLASSES.len()] {
    std::array::from_fn(|class| {
        let of_class = scene.objects.iter().filter(|object| object.class == class);
        let most = of_class
            .map(|object| object.box_in_image.iou(region))
            .fold(0.0, f32::max);
        // An object of another class is none of this one, whatever the set boxes.
        let is_other = || {
            let mut others = scene.objects.iter().filter(|object| object.class != class);
            others.any(|object| object.box_in_image.iou(region) > 0.5)
        };
        (most < NEGATIVE && (scene.boxed[class] || is_other())).then_some(false)
    })
}

fn positive_of(class: usize) -> [Option<bool>; CLASSES.len()] {
    std::array::from_fn(|other| Some(other == class))
}

/// Learns machines and offsets; `cost` is what an error costs, `tell` hears how far it is.
///
/// # Errors
/// Those of the photographs.
pub fn fit(
    regions: &dyn Regions,
    cost: f32,
    seed: u32,
    tell: &dyn Fn(String),
) -> Result<Fitted, String> {
    let dims = regions.dims();
    let mut draws = Draws::new(seed, 0);
    let mut examples = Examples::default();
    for index in 0..regions.count() {
        let scene = regions.scene(index);
        let objects: Vec<Corners> = scene.boxes();
        let mut labels: Vec<_> = scene
            .objects
            .iter()
            .map(|of| positive_of(of.class))
            .collect();
        let mut wanted = objects;
        for _ in 0..PICKED.min(scene.proposals.len()) {
            let number = draws.below(scene.proposals.len());
            let region = scene.proposals[number];
            let label = negative_of(&scene, region);
            if label.iter().any(Option::is_some) && examples.taken.insert((index, number)) {
                wanted.push(region);
                labels.push(label);
            }
        }
        examples.features.extend(regions.features(index, &wanted)?);
        examples.labels.extend(labels);
    }
    let spread = Spread::of(&examples.features, dims);
    spread.apply(&mut examples.features);
    let mut planes = planes(&examples, dims, cost, seed);
    for round in 0..ROUNDS {
        let before = examples.labels.len();
        mine(regions, &spread, &planes, &mut examples)?;
        tell(format!(
            "round {}: {} hard negatives beside {before} examples",
            round + 1,
            examples.labels.len() - before
        ));
        planes = self::planes(&examples, dims, cost, seed);
    }
    drop(examples);
    let offsets = offsets(regions, &spread, tell)?;
    Ok(Fitted {
        planes: planes.iter().map(|plane| spread.unfold(plane)).collect(),
        offsets: offsets.iter().map(|plane| spread.unfold(plane)).collect(),
    })
}

/// A plane for each class, on all processors.
fn planes(examples: &Examples, dims: usize, cost: f32, seed: u32) -> Vec<LinearSvm> {
    let of_class = |class: usize| {
        let labels = examples.labels.iter().enumerate();
        let labels: Vec<(usize, bool)> = labels
            .filter_map(|(at, label)| Some((at, label[class]?)))
            .collect();
        // As much weight for the few that are as a tenth of those that are not.
        let positives = labels.iter().filter(|(_, is)| *is).count().max(1);
        let dear = ((labels.len() - positives) as f32 / positives as f32 / 10.0).max(1.0);
        let fitting = Fitting {
            costs: [cost, cost * dear],
            epochs: 30,
            tolerance: 0.05,
            seed,
        };
        LinearSvm::fit(&examples.features, dims, &labels, fitting)
    };
    on_each(CLASSES.len(), of_class)
}

/// Results for all numbers below `count`, on as many threads as there are processors.
fn on_each<T: Send>(count: usize, of: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let worker = || {
            let mut mine = Vec::new();
            loop {
                let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if number >= count {
                    return mine;
                }
                mine.push((number, of(number)));
            }
        };
        let workers: Vec<_> = (0..threads.min(count))
            .map(|_| scope.spawn(worker))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Adds the negatives that some machine takes for an object, or nearly.
fn mine(
    regions: &dyn Regions,
    spread: &Spread,
    planes: &[LinearSvm],
    examples: &mut Examples,
) -> Result<(), String> {
    let dims = regions.dims();
    for index in 0..regions.count() {
        let scene = regions.scene(index);
        let mut features = regions.features(index, scene.proposals)?;
        spread.apply(&mut features);
        let mut hard: Vec<(f32, usize)> = Vec::new();
        let rows: Vec<&[f32]> = features.chunks_exact(dims).collect();
        for (number, &region) in scene.proposals.iter().enumerate() {
            if examples.taken.contains(&(index, number)) {
                continue;
            }
            let label = negative_of(&scene, region);
            let of_classes = label.iter().zip(planes).filter(|(is, _)| is.is_some());
            let worst = of_classes
                .map(|(_, plane)| plane.margin(rows[number]))
                .fold(f32::NEG_INFINITY, f32::max);
            if worst > -1.0 {
                hard.push((worst, number));
            }
        }
        hard.sort_by(|a, b| b.0.total_cmp(&a.0));
        for &(_, number) in hard.iter().take(PICKED) {
            examples.taken.insert((index, number));
            examples.features.extend_from_slice(rows[number]);
            examples
                .labels
                .push(negative_of(&scene, scene.proposals[number]));
        }
    }
    Ok(())
}

/// What the boxes of regions are off by, for each class: ridge regression on the regions that overlap an object well.
fn offsets(
    regions: &dyn Regions,
    spread: &Spread,
    tell: &dyn Fn(String),
) -> Result<Vec<LinearSvm>, String> {
    let dims = regions.dims();
    let mut features: Vec<Vec<f32>> = vec![Vec::new(); CLASSES.len()];
    let mut wanted: Vec<Vec<[f32; 4]>> = vec![Vec::new(); CLASSES.len()];
    for index in 0..regions.count() {
        let scene = regions.scene(index);
        let mut near: Vec<(Corners, usize, [f32; 4])> = Vec::new();
        for &region in scene.proposals {
            let best = scene
                .objects
                .iter()
                .map(|object| (object.box_in_image.iou(region), object))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((overlap, object)) = best
                && overlap > BOXED
            {
                let truth = object.box_in_image.centre_size();
                near.push((
                    region,
                    object.class,
                    CODER.encode(truth, region.centre_size()),
                ));
            }
        }
        let boxes: Vec<Corners> = near.iter().map(|(region, ..)| *region).collect();
        let mut of_photograph = regions.features(index, &boxes)?;
        spread.apply(&mut of_photograph);
        for (row, (_, class, offsets)) in of_photograph.chunks_exact(dims).zip(near) {
            features[class].extend_from_slice(row);
            wanted[class].push(offsets);
        }
    }
    let count: usize = wanted.iter().map(Vec::len).sum();
    tell(format!("boxes of {count} regions"));
    Ok(on_each(4 * CLASSES.len(), |number| {
        let (class, offset) = (number / 4, number % 4);
        let targets: Vec<f32> = wanted[class].iter().map(|of| of[offset]).collect();
        ridge(&features[class], dims, &targets, RIDGE)
    }))
}

/// The weights that lower `|X w + b - y|^2 + ridge |w|^2`, by conjugate gradients on the normal equations (Hestenes and Stiefel
/// 1952); the bias is the mean of what is wanted, as features lie around 0.
fn ridge(features: &[f32], dims: usize, wanted: &[f32], ridge: f32) -> LinearSvm {
    let bias = wanted.iter().sum::<f32>() / wanted.len().max(1) as f32;
    let normal = |weights: &[f32]| {
        let mut sums: Vec<f32> = weights.iter().map(|weight| ridge * weight).collect();
        for row in features.chunks_exact(dims) {
            let along = dot(row, weights);
            for (sum, feature) in sums.iter_mut().zip(row) {
                *sum += along * feature;
            }
        }
        sums
    };
    let mut left = vec![0f32; dims];
    for (row, wanted) in features.chunks_exact(dims).zip(wanted) {
        for (left, feature) in left.iter_mut().zip(row) {
            *left += (wanted - bias) * feature;
        }
    }
    let mut weights = vec![0f32; dims];
    let mut direction = left.clone();
    let mut size = dot(&left, &left);
    let start = size;
    for _ in 0..STEPS {
        if size <= 1e-8 * start.max(1e-20) {
            break;
        }
        let bent = normal(&direction);
        let step = size / dot(&direction, &bent);
        for at in 0..dims {
            weights[at] += step * direction[at];
            left[at] -= step * bent[at];
        }
        let before = size;
        size = dot(&left, &left);
        for at in 0..dims {
            direction[at] = left[at] + size / before * direction[at];
        }
    }
    LinearSvm { weights, bias }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::photographs::Labelled;

    #[test]
    fn ridge_regression_solves_its_equations() {
        // Two features that do not depend on each other: w = X^T y / (X^T X + ridge).
        let features = [1.0, 0.0, -1.0, 0.0, 0.0, 2.0, 0.0, -2.0];
        let plane = ridge(&features, 2, &[4.0, 0.0, 5.0, -1.0], 2.0);
        assert!((plane.bias - 2.0).abs() < 1e-5);
        assert!((plane.weights[0] - 4.0 / 4.0).abs() < 1e-4, "{plane:?}");
        assert!((plane.weights[1] - 12.0 / 10.0).abs() < 1e-4, "{plane:?}");
    }

    /// Photographs of one object each; a region's features say which class it overlaps, and by how much on which side.
    struct Toy(Vec<Labelled>, Vec<Corners>);

    impl Regions for Toy {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn dims(&self) -> usize {
            CLASSES.len() + 2
        }

        fn scene(&self, index: usize) -> Scene<'_> {
            Scene {
                objects: &self.0[index..=index],
                boxed: std::array::from_fn(|class| class < 5),
                proposals: &self.1,
            }
        }

        fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, String> {
            let object = self.0[index];
            let of = |region: &Corners| {
                let mut row = vec![0.0; self.dims()];
                row[object.class] = object.box_in_image.iou(*region);
                row[CLASSES.len()] = (object.box_in_image.x0 - region.x0) / 100.0;
                row[CLASSES.len() + 1] = (index % 3) as f32;
                row
            };
            Ok(regions.iter().flat_map(of).collect())
        }
    }

    #[test]
    fn machines_learn_what_regions_are() {
        let square = |x: f32| Corners {
            x0: x,
            y0: 0.0,
            x1: x + 100.0,
            y1: 100.0,
        };
        let objects = (0..60).map(|number| Labelled {
            class: number % 4,
            box_in_image: square((number * 7 % 40) as f32),
        });
        let proposals: Vec<Corners> = [0.0, 10.0, 20.0, 30.0, 150.0, 200.0, 300.0]
            .map(square)
            .to_vec();
        let toy = Toy(objects.collect(), proposals);
        let fitted = fit(&toy, 1e-4, 7, &|_| ()).unwrap();
        assert_eq!((fitted.planes.len(), fitted.offsets.len()), (9, 36));
        let mut right = 0;
        for index in 0..60 {
            let class = toy.0[index].class;
            let on = toy.features(index, &[toy.0[index].box_in_image]).unwrap();
            let margins: Vec<f32> = fitted.planes.iter().map(|of| of.margin(&on)).collect();
            let best = (0..9).max_by(|&a, &b| margins[a].total_cmp(&margins[b]));
            right += usize::from(best == Some(class));
        }
        assert!(right > 55, "{right} of 60");
    }
}
