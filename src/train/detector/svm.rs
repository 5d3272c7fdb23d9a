//! Support vector machines on what dense layers say of regions, with hard negatives, and the boxes that regions should have
//! been, from the features below. The dense layers learn first, see [`region_dense`](super::region_dense).
//!
//! # Reference
//! Girshick, Donahue, Darrell and Malik 2014, "Rich feature hierarchies for accurate object detection and semantic
//! segmentation", section 2.3 and appendices B and C.

use std::collections::HashSet;

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};

use super::Scene;
use super::region_features::{Even, Hidden, Regions, Spread};
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::linear_svm::{Fitting, LinearSvm, dot};
use crate::methods::matching::Matching;
use crate::methods::outputs::region_svm::CODER;
pub use crate::methods::outputs::region_svm::features;
pub use crate::methods::warp::{SIDE as CROP, Sheet};
use crate::models::detect::region_svm::{RegionSoftmax, RegionSvm, RegionSvmConfig};
use crate::protocol::failure::Failure;

/// A region that overlaps no object of a class by so much is a negative example of it.
pub const NEGATIVE: f32 = 0.3;
/// Regions that overlap an object by so much learn its box.
const BOXED: f32 = 0.6;
/// Negative examples of a photograph before there is a machine, and new ones in each round after.
const PICKED: usize = 12;
/// Rounds in which negatives are sought that the machines take for objects.
const ROUNDS: usize = 4;
/// How strongly offsets are held to 0.
const RIDGE: f32 = 5000.0;
/// Steps of conjugate gradients.
const STEPS: usize = 40;

/// Examples by row, and what they are of.
#[derive(Default)]
struct Examples {
    features: Vec<f32>,
    /// For each class: whether it is one, is none, or does not count.
    labels: Vec<[Option<bool>; CLASSES.len()]>,
    /// Proposals that are among them, by photograph and number.
    taken: HashSet<(usize, usize)>,
}

/// A layer whose columns are planes.
fn columns(planes: &[LinearSvm]) -> [TensorData; 2] {
    let numbers = planes.first().map_or(0, |plane| plane.weights.len());
    let columns = (0..numbers).flat_map(|at| planes.iter().map(move |plane| plane.weights[at]));
    let weights = columns.collect::<Vec<f32>>();
    let biases: Vec<f32> = planes.iter().map(|plane| plane.bias).collect();
    [
        TensorData::new(weights, [1, numbers, planes.len()]),
        TensorData::new(biases, [planes.len()]),
    ]
}

/// Whether a region is an example of each class: no where it overlaps none of its objects, and where the class is boxed. Where
/// what it overlaps most, by half at least, does not count, it is an example of nothing.
fn negative_of(scene: &Scene<'_>, region: Corners) -> [Option<bool>; CLASSES.len()] {
    if Matching::SECOND_STEP
        .of(&[region], &scene.boxes())
        .iter()
        .any(|is| is.truth().is_some_and(|object| scene.ignores(object)))
    {
        return [None; CLASSES.len()];
    }
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

/// Learns machines on what `layers` say of regions whose numbers are evened out, and offsets from these numbers; puts all of it
/// into one network that reads numbers as they are. `layers` do not record; `cost` is what an error costs; `tell` hears how far
/// it is.
///
/// # Errors
/// Those of the photographs and of [`Job::read`].
pub async fn fit(
    job: &Job<'_>,
    even: &Even<'_>,
    layers: RegionSoftmax,
    cost: f32,
    seed: u32,
    tell: &dyn Fn(String),
) -> Result<RegionSvm, Failure> {
    let device = layers.classes.weight.device();
    let hidden = Hidden::of(job, even, &layers, &device).await?;
    let planes = machines(&hidden, cost, seed, tell)?;
    drop(hidden);
    let offsets = offsets(even, tell)?;
    let offsets: Vec<LinearSvm> = offsets.iter().map(|of| even.spread.unfold(of)).collect();
    let mut network = RegionSvmConfig::new(even.dims(), CLASSES.len()).init(&device);
    for (layer, planes) in [
        (&mut network.classes, &planes),
        (&mut network.offsets, &offsets),
    ] {
        let [weight, bias] = columns(planes);
        layer.weight = Param::from_tensor(Tensor::from_data(weight, &device));
        layer.bias = Param::from_tensor(Tensor::from_data(bias, &device));
    }
    let mut dense = layers.dense.into_iter();
    let first = dense.next().map(|first| even.spread.unfold_layer(first));
    network.dense = first.into_iter().chain(dense).collect();
    Ok(network)
}

/// A machine for each class, for features as they are.
fn machines(
    regions: &dyn Regions,
    cost: f32,
    seed: u32,
    tell: &dyn Fn(String),
) -> Result<Vec<LinearSvm>, Failure> {
    let dims = regions.dims();
    let mut draws = Draws::new(seed, 0);
    let mut examples = Examples::default();
    for index in 0..regions.count() {
        let scene = regions.scene(index);
        let objects = scene.objects.iter().filter(|of| of.ignored.is_none());
        let mut labels: Vec<_> = objects.clone().map(|of| positive_of(of.class)).collect();
        let mut wanted: Vec<Corners> = objects.map(|of| of.box_in_image).collect();
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
    Ok(planes.iter().map(|plane| spread.unfold(plane)).collect())
}

/// A plane for each class, on all processors.
fn planes(examples: &Examples, dims: usize, cost: f32, seed: u32) -> Vec<LinearSvm> {
    let of_class = |class: usize| {
        let labels = examples.labels.iter().enumerate();
        let labels: Vec<(usize, bool)> = labels
            .filter_map(|(at, label)| Some((at, label[class]?)))
            .collect();
        // As much weight for the few that are as a tenth of those that are not.
        let positives = labels.iter().filter(|(_, is)| *is).count();
        let negatives = (labels.len() - positives) as f32;
        let dear = (negatives / positives.max(1) as f32 / 10.0).max(1.0);
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
) -> Result<(), Failure> {
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

/// What the boxes of regions are off by, for each class: ridge regression on the regions that overlap an object well, whose
/// numbers lie around 0. Four for each class, in the order of the box coder.
fn offsets(regions: &dyn Regions, tell: &dyn Fn(String)) -> Result<Vec<LinearSvm>, Failure> {
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
                && object.ignored.is_none()
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
        let of_photograph = regions.features(index, &boxes)?;
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
    use std::cell::RefCell;

    use super::*;
    use crate::data::photographs::Labelled;
    use crate::maths::average_precision::Ignored;
    use crate::models::detect::region_head::through;
    use crate::train::clock::{Clock, told};
    use crate::train::detector::Options;
    use crate::train::detector::region_dense::DenseTrainee;
    use crate::train::training::Training;
    use burn::tensor::Device;

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

    fn square(x: f32) -> Corners {
        Corners {
            x0: x,
            y0: 0.0,
            x1: x + 100.0,
            y1: 100.0,
        }
    }

    impl Toy {
        fn new() -> Self {
            let objects = (0..60).map(|number| Labelled {
                class: number % 4,
                box_in_image: square((number * 7 % 40) as f32),
                ignored: None,
            });
            let proposals = [0.0, 10.0, 20.0, 30.0, 150.0, 200.0, 300.0].map(square);
            Self(objects.collect(), proposals.into())
        }
    }

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

        fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, Failure> {
            let object = self.0[index];
            let of = |region: &Corners| {
                let mut row = vec![0.0; self.dims()];
                // Numbers far from 0 that spread unlike each other.
                row[object.class] = 5.0 + 10.0 * object.box_in_image.iou(*region);
                row[CLASSES.len()] = (object.box_in_image.x0 - region.x0) / 100.0;
                row[CLASSES.len() + 1] = (index % 3) as f32;
                row
            };
            Ok(regions.iter().flat_map(of).collect())
        }
    }

    const OPTIONS: Options = Options {
        rate: 1e-2,
        batch: 10,
        seed: 7,
    };

    #[test]
    fn layers_then_machines_learn_what_regions_are() {
        let toy = Toy::new();
        let spread = Spread::of_some(&toy, 7).unwrap();
        let even = Even {
            regions: &toy,
            spread: &spread,
        };
        let device = Device::flex();
        let trainee = DenseTrainee::new(&even, OPTIONS, &device.clone().autodiff());
        let mut training = Training::new(trainee, 0);
        let told = told(&mut training, 60);
        assert!(told[59][0].1 < 0.3 * told[0][0].1, "{told:?}");
        let layers = training.finished();
        let host = Clock::default();
        let job = Job::new(&host, "test");
        let fitted = fit(&job, &even, layers.clone(), 1e-2, 7, &|_| ());
        let network = pollster::block_on(fitted).unwrap();
        let said = |index: usize| {
            // Features as they are, though the layers learned from evened ones.
            let on = toy.features(index, &[toy.0[index].box_in_image]).unwrap();
            let on = Tensor::from_data(TensorData::new(on, [1, toy.dims()]), &device);
            let said = network.forward(on).into_data().try_into_vec::<f32>();
            said.unwrap()
        };
        let mut right = 0;
        for index in 0..60 {
            let margins = &said(index)[..9];
            let best = (0..9).max_by(|&a, &b| margins[a].total_cmp(&margins[b]));
            right += usize::from(best == Some(toy.0[index].class));
        }
        assert!(right > 55, "{right} of 60");
        // What the layers say is the same for both.
        let rows = toy.features(3, &toy.1).unwrap();
        let mut evened = rows.clone();
        spread.apply(&mut evened);
        let tensor = |rows: Vec<f32>| {
            let shape = [toy.1.len(), toy.dims()];
            Tensor::<2>::from_data(TensorData::new(rows, shape), &device)
        };
        let of_rows = through(&network.dense, tensor(rows).unsqueeze_dim(0));
        let of_evened = layers.hidden(tensor(evened)).unsqueeze_dim(0);
        let apart = (of_rows - of_evened).abs().max().into_scalar::<f32>();
        assert!(apart < 1e-3, "{apart}");
    }

    #[test]
    fn an_interrupted_training_ends_where_another_does() {
        let toy = Toy::new();
        let device = Device::flex().autodiff();
        let fresh = || Training::new(DenseTrainee::new(&toy, OPTIONS, &device), 0);
        let mut whole = fresh();
        let first = told(&mut whole, 3);
        let kept = whole.checkpoint().unwrap();
        let rest = told(&mut whole, 6);
        let mut resumed = fresh();
        resumed.resume(&kept).unwrap();
        assert_eq!(told(&mut resumed, 6), rest);
        assert_ne!(first, rest);
    }

    /// Which boxes somebody wanted the features of.
    struct Asked(Toy, RefCell<Vec<Corners>>);

    impl Regions for Asked {
        fn count(&self) -> usize {
            self.0.count()
        }

        fn dims(&self) -> usize {
            self.0.dims()
        }

        fn scene(&self, index: usize) -> Scene<'_> {
            self.0.scene(index)
        }

        fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, Failure> {
            self.1.borrow_mut().extend(regions);
            self.0.features(index, regions)
        }
    }

    #[test]
    fn what_does_not_count_is_no_example() {
        // Whether the object was wanted, and how much its offsets depend on what was seen.
        let learned = |ignored| {
            let object = Labelled {
                class: 1,
                box_in_image: square(0.0),
                ignored,
            };
            let near_and_far = [5.0, 10.0, 200.0].map(square).to_vec();
            let asked = Asked(Toy(vec![object; 12], near_and_far), RefCell::default());
            machines(&asked, 1e-4, 7, &|_| ()).unwrap();
            let offsets = offsets(&asked, &|_| ()).unwrap();
            let weights = offsets[4..8].iter().flat_map(|of| &of.weights);
            let most = weights.fold(0f32, |most, weight| most.max(weight.abs()));
            (asked.1.borrow().contains(&object.box_in_image), most > 0.0)
        };
        assert_eq!(learned(None), (true, true));
        assert_eq!(learned(Some(Ignored::Difficult)), (false, false));
        // What lies on it is no negative of other classes, either.
        let object = |ignored| Labelled {
            class: 1,
            box_in_image: square(0.0),
            ignored,
        };
        let labels = |ignored, x: f32| {
            let objects = [object(ignored)];
            let scene = Scene {
                objects: &objects,
                boxed: [true; CLASSES.len()],
                proposals: &[],
            };
            negative_of(&scene, square(x)).map(|label| label == Some(false))
        };
        assert!(labels(None, 5.0)[2] && !labels(None, 5.0)[1]);
        assert!(!labels(Some(Ignored::Difficult), 5.0).contains(&true));
        assert!(!labels(Some(Ignored::Difficult), 200.0).contains(&false));
    }
}
