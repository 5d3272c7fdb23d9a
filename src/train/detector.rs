//! A detector's head in training, on maps that a backbone made before: it stands still, so that its maps are always the
//! same.

use burn::optim::AdamConfig;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::checkpoint::Checkpoint;
use super::learner::Learner;
use super::seeded::seeded;
use super::training::{At, Losses, Numbers, Trainee};
use crate::data::batches::Order;
use crate::data::photographs::{CLASSES, Labelled};
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::methods::average_precision::{Claim, Rule, Truth, average_precision, judge};
use crate::methods::centres::{self, Level, Target};
use crate::methods::detection_loss::{binary_cross_entropy, focal, giou};
use crate::methods::nms::{Among, suppress};
use crate::models::detect::SIDE;
use crate::models::detect::anchor_free::{AnchorFree, AnchorFreeConfig, Said};
use crate::models::detect::backbone::STRIDES;
use crate::protocol::failure::Failure;

/// Photographs as a backbone sees them, several times each: mirrored, scaled, cut, in other colours.
pub trait Views {
    /// How many there are.
    fn count(&self) -> usize;

    /// The backbone's maps of some of them, as grids `[cells, indices, channels]`, from fine to coarse.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn maps(&self, indices: &[u32], device: &Device) -> Result<[Tensor<3>; 3], Failure>;

    /// What is in one, in pixels of the square.
    fn objects(&self, index: usize) -> &[Labelled];

    /// Which classes are boxed wherever they are.
    fn boxed(&self, index: usize) -> [bool; CLASSES.len()];

    /// Columns and rows of the photograph in the square.
    fn size(&self, index: usize) -> [f32; 2];
}

/// How objects are shared out among levels: the farthest of an object's edges, in strides. Neighbours overlap, so that no
/// object falls between them.
const REACH: [f32; 2] = [2.0, 6.0];
/// Weight of a class that is there in the focal loss.
const ALPHA: f64 = 0.25;
/// Scores below this are not looked at.
const LEAST: f32 = 0.05;
/// Boxes that go into suppression at most, and that come out.
const MOST: [usize; 2] = [400, 100];
/// Overlap above which the weaker of two boxes of a class goes.
const OVERLAP: f32 = 0.6;
/// Held-out photographs of a forward pass.
const TOGETHER: usize = 16;

/// What the run is given.
#[derive(Debug, Clone)]
pub struct Options {
    /// Learning rate.
    pub rate: f64,
    /// Photographs of a step.
    pub batch: usize,
    /// Decides weights and order.
    pub seed: u32,
    /// The network.
    pub head: AnchorFreeConfig,
}

/// The levels of a head that reads so many of the backbone's maps, with the objects that each is for.
pub fn levels(maps: usize) -> Vec<Level> {
    let read = &STRIDES[STRIDES.len() - maps..];
    let strides = read.iter().copied().chain([2 * STRIDES[STRIDES.len() - 1]]);
    let strides: Vec<usize> = strides.collect();
    let level = |(index, &stride): (usize, &usize)| {
        let side = SIDE / stride;
        let least = if index == 0 {
            0.0
        } else {
            REACH[0] * stride as f32
        };
        let most = if index + 1 == strides.len() {
            f32::INFINITY
        } else {
            REACH[1] * stride as f32
        };
        Level {
            stride,
            rows: side,
            columns: side,
            reach: [least, most],
        }
    };
    strides.iter().enumerate().map(level).collect()
}

/// A head that learns to find objects.
pub struct DetectorTrainee<'a> {
    learner: Learner<AnchorFree>,
    views: &'a dyn Views,
    held_out: Option<&'a dyn Views>,
    order: Order,
    rate: f64,
    maps: usize,
    levels: Vec<Level>,
    device: Device,
}

impl<'a> DetectorTrainee<'a> {
    /// Fresh weights. `device` records.
    pub fn new(
        options: &Options,
        views: &'a dyn Views,
        held_out: Option<&'a dyn Views>,
        device: &Device,
    ) -> Self {
        let network = options.head.init(device);
        let adam = AdamConfig::new().with_epsilon(1e-8);
        Self {
            learner: Learner::new(seeded(network, options.seed), &adam),
            order: Order::new(views.count(), options.batch, options.seed),
            views,
            held_out,
            rate: options.rate,
            maps: options.head.maps,
            levels: levels(options.head.maps),
            device: device.clone(),
        }
    }
}

/// What the heads of one network say about some views.
fn say(
    network: &AnchorFree,
    views: &dyn Views,
    indices: &[u32],
    levels: &[Level],
    maps: usize,
    device: &Device,
) -> Result<Said, Failure> {
    let all = views.maps(indices, device)?;
    let strides: Vec<usize> = levels.iter().map(|level| level.stride).collect();
    Ok(network.forward(&all[all.len() - maps..], &strides))
}

/// The three losses of a batch.
///
/// # Reference
/// Tian et al. 2019, section 3.1 and 3.2; boxes by GIoU.
pub fn losses(
    said: &Said,
    targets: &[Vec<Option<Target>>],
    objects: &[&[Labelled]],
    boxed: &[[bool; CLASSES.len()]],
) -> [Tensor<1>; 3] {
    let [cells, batch, classes] = said.classes.dims();
    let device = said.classes.device();
    let mut wanted = vec![0f32; cells * batch * classes];
    let (mut places, mut distances, mut centreness) = (Vec::new(), Vec::new(), Vec::new());
    for (picture, targets) in targets.iter().enumerate() {
        // Where boxes are missing nobody knows which cells are free.
        if !boxed[picture].contains(&true) {
            continue;
        }
        for (cell, target) in targets.iter().enumerate() {
            let Some(target) = target else { continue };
            let place = cell * batch + picture;
            wanted[place * classes + objects[picture][target.truth].class] = 1.0;
            places.push(place as i32);
            distances.extend(target.distances);
            centreness.push(target.centreness);
        }
    }
    let counted: Vec<f32> = boxed
        .iter()
        .flatten()
        .map(|&is| if is { 1.0 } else { 0.0 })
        .collect();
    let counted = Tensor::<3>::from_data(TensorData::new(counted, [1, batch, classes]), &device);
    let wanted = Tensor::<3>::from_data(TensorData::new(wanted, [cells, batch, classes]), &device);
    let found = places.len();
    let each = focal(said.classes.clone(), wanted, ALPHA) * counted;
    let of_classes = each.sum() / found.max(1) as f32;
    if found == 0 {
        // Nothing to find, but no number may go missing.
        let none = said.distances.clone().sum() * 0.0;
        return [of_classes, none.clone(), none];
    }
    let places = Tensor::<1, Int>::from_data(TensorData::new(places, [found]), &device);
    let at = |tensor: &Tensor<3>, numbers: usize| {
        tensor
            .clone()
            .reshape([cells * batch, numbers])
            .select(0, places.clone())
    };
    // Corners around the cell itself.
    let around = |distances: Tensor<2>| {
        let [near, far] = [0, 2].map(|from| distances.clone().narrow(1, from, 2));
        Tensor::cat(vec![-near, far], 1)
    };
    let weight: f32 = centreness.iter().sum();
    let centreness = Tensor::<1>::from_data(TensorData::new(centreness, [found]), &device);
    let truths = Tensor::<2>::from_data(TensorData::new(distances, [found, 4]), &device);
    let apart = giou(around(at(&said.distances, 4)), around(truths));
    let of_boxes = (apart * centreness.clone()).sum() / weight.max(1e-3);
    let quality = at(&said.centreness, 1).reshape([found]);
    let of_centres = binary_cross_entropy(quality, centreness).sum() / found as f32;
    [of_classes, of_boxes, of_centres]
}

/// A box that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// In pixels of the square.
    pub box_in_square: Corners,
    /// Index into [`CLASSES`].
    pub class: usize,
    /// The root of the class's probability times the centreness, 0 to 1.
    pub score: f32,
}

/// The boxes of a picture: `classes`, `distances` and `centreness` by cell, logits and pixels, as read back.
pub fn boxes(
    levels: &[Level],
    classes: &[f32],
    distances: &[f32],
    centreness: &[f32],
    size: [f32; 2],
) -> Vec<Found> {
    let count = CLASSES.len();
    let sigmoid = |logit: f32| 1.0 / (1.0 + (-logit).exp());
    let middles = levels.iter().flat_map(Level::middles);
    let mut found = Vec::new();
    for (cell, middle) in middles.enumerate() {
        let near = sigmoid(centreness[cell]);
        for class in 0..count {
            let score = (sigmoid(classes[cell * count + class]) * near).sqrt();
            if score > LEAST {
                let edges = std::array::from_fn(|edge| distances[cell * 4 + edge]);
                found.push(Found {
                    box_in_square: centres::box_at(middle, edges).clip(size[0], size[1]),
                    class,
                    score,
                });
            }
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MOST[0]);
    let corners: Vec<Corners> = found.iter().map(|found| found.box_in_square).collect();
    let scores: Vec<f32> = found.iter().map(|found| found.score).collect();
    let classes: Vec<usize> = found.iter().map(|found| found.class).collect();
    let kept = suppress(&corners, &scores, Among::EachClass(&classes), OVERLAP);
    kept.kept()
        .take(MOST[1])
        .map(|index| found[index])
        .collect()
}

/// Average precision of each class over the views that box it, at one overlap; none where none does.
pub fn average_precisions(
    views: &dyn Views,
    found: &[Vec<Found>],
    overlap: f32,
) -> [Option<f32>; CLASSES.len()] {
    std::array::from_fn(|class| {
        let of = (0..views.count()).filter(|&index| views.boxed(index)[class]);
        let truths: Vec<Truth> = of
            .clone()
            .flat_map(|picture| {
                let objects = views
                    .objects(picture)
                    .iter()
                    .filter(move |object| object.class == class);
                objects.map(move |object| Truth {
                    picture,
                    box_in_image: object.box_in_image,
                    ignored: false,
                })
            })
            .collect();
        let claims: Vec<Claim> = of
            .flat_map(|picture| {
                let of_class = found[picture]
                    .iter()
                    .filter(move |found| found.class == class);
                of_class.map(move |found| Claim {
                    picture,
                    box_in_image: found.box_in_square,
                    score: found.score,
                })
            })
            .collect();
        let judged = judge(&truths, &claims, overlap);
        average_precision(&judged.curve(&claims), judged.positives, Rule::Area)
    })
}

/// The mean of what there is.
pub fn mean(values: &[Option<f32>]) -> f32 {
    let known: Vec<f32> = values.iter().copied().flatten().collect();
    known.iter().sum::<f32>() / known.len().max(1) as f32
}

/// What a network finds in all views.
///
/// # Errors
/// Those of the views and of [`Job::read`].
pub async fn detect(
    job: &Job<'_>,
    network: &AnchorFree,
    views: &dyn Views,
    maps: usize,
    device: &Device,
) -> Result<Vec<Vec<Found>>, Failure> {
    let levels = levels(maps);
    let indices: Vec<u32> = (0..views.count() as u32).collect();
    let mut found = Vec::with_capacity(indices.len());
    for together in indices.chunks(TOGETHER) {
        let said = say(network, views, together, &levels, maps, device)?;
        // A picture after the other.
        let [classes, distances, centreness] =
            [said.classes, said.distances, said.centreness].map(|of| of.swap_dims(0, 1));
        let (classes, distances, centreness) = (
            job.read(classes).await?,
            job.read(distances).await?,
            job.read(centreness).await?,
        );
        let cells = centreness.len() / together.len();
        for (place, &index) in together.iter().enumerate() {
            let part = |values: &[f32], each: usize| {
                values[place * cells * each..(place + 1) * cells * each].to_vec()
            };
            let size = views.size(index as usize);
            found.push(boxes(
                &levels,
                &part(&classes, CLASSES.len()),
                &part(&distances, 4),
                &part(&centreness, 1),
                size,
            ));
        }
        job.breathe().await?;
    }
    Ok(found)
}

impl Trainee for DetectorTrainee<'_> {
    type Network = AnchorFree;

    async fn step(&mut self, _: &Job<'_>, at: At) -> Result<Losses, Failure> {
        let indices = self.order.step(at.step).to_vec();
        let network = &self.learner.network;
        let said = say(
            network,
            self.views,
            &indices,
            &self.levels,
            self.maps,
            &self.device,
        )?;
        let objects: Vec<&[Labelled]> = indices
            .iter()
            .map(|&index| self.views.objects(index as usize))
            .collect();
        let boxed: Vec<_> = indices
            .iter()
            .map(|&index| self.views.boxed(index as usize))
            .collect();
        let of = |objects: &&[Labelled]| {
            let truths: Vec<Corners> = objects.iter().map(|object| object.box_in_image).collect();
            centres::targets(&self.levels, &truths)
        };
        let targets: Vec<_> = objects.iter().map(of).collect();
        let [classes, boxes, centreness] = losses(&said, &targets, &objects, &boxed);
        let total = classes.clone() + boxes.clone() + centreness.clone();
        self.learner.descend(&total, self.rate * at.factor);
        Ok(vec![
            ("classes", classes.inner()),
            ("boxes", boxes.inner()),
            ("centreness", centreness.inner()),
        ])
    }

    fn network(&self) -> &AnchorFree {
        &self.learner.network
    }

    /// Mean average precision on the held-out photographs, each class on the sets that box it.
    async fn score(&self, job: &Job<'_>, network: &AnchorFree) -> Result<Numbers, Failure> {
        let Some(views) = self.held_out else {
            return Ok(Numbers::new());
        };
        let device = self.device.clone().inner();
        let found = detect(job, network, views, self.maps, &device).await?;
        let of_classes = average_precisions(views, &found, 0.5);
        let mut numbers = vec![("mAP@.5", mean(&of_classes))];
        let each = CLASSES.into_iter().zip(of_classes);
        numbers.extend(each.filter_map(|(class, average)| Some((class, average?))));
        Ok(numbers)
    }

    fn save(&self, into: &mut Checkpoint) -> Result<(), Failure> {
        self.learner.save("network", into)
    }

    fn load(&mut self, from: &Checkpoint) -> Result<(), Failure> {
        self.learner.load("network", from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::detect::backbone::CHANNELS;
    use crate::train::clock::Clock;
    use crate::train::training::{Plan, Training};

    /// Photographs of one square object each, which the maps show: the cells inside it are bright in a channel of its class.
    struct Toy(Vec<Labelled>);

    impl Toy {
        fn new(count: usize) -> Self {
            let object = |index: usize| {
                let [x0, y0] = [(index * 53 % 160) as f32, (index * 97 % 160) as f32];
                let side = 90.0 + (index * 31 % 60) as f32;
                Labelled {
                    class: index % 2 * 4,
                    box_in_image: Corners {
                        x0,
                        y0,
                        x1: x0 + side,
                        y1: y0 + side,
                    },
                }
            };
            Self((0..count).map(object).collect())
        }
    }

    impl Views for Toy {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn maps(&self, indices: &[u32], device: &Device) -> Result<[Tensor<3>; 3], Failure> {
            Ok(std::array::from_fn(|map| {
                let (stride, channels) = (STRIDES[map], CHANNELS[map]);
                let side = SIDE / stride;
                let mut values = Vec::new();
                for cell in 0..side * side {
                    let [x, y] =
                        [cell % side, cell / side].map(|at| (at as f32 + 0.5) * stride as f32);
                    for &index in indices {
                        let object = self.0[index as usize];
                        let b = object.box_in_image;
                        let is_inside = (b.x0..b.x1).contains(&x) && (b.y0..b.y1).contains(&y);
                        let bright = |channel: usize| {
                            if is_inside && channel == object.class {
                                2.0
                            } else {
                                0.0
                            }
                        };
                        values.extend((0..channels).map(bright));
                    }
                }
                let shape = [side * side, indices.len(), channels];
                Tensor::from_data(TensorData::new(values, shape), device)
            }))
        }

        fn objects(&self, index: usize) -> &[Labelled] {
            std::slice::from_ref(&self.0[index])
        }

        fn boxed(&self, _: usize) -> [bool; CLASSES.len()] {
            [true; CLASSES.len()]
        }

        fn size(&self, _: usize) -> [f32; 2] {
            [SIDE as f32; 2]
        }
    }

    fn options() -> Options {
        Options {
            rate: 3e-3,
            batch: 4,
            seed: 1,
            head: AnchorFreeConfig::new(CLASSES.len())
                .with_channels(16)
                .with_maps(2),
        }
    }

    fn run(training: &mut Training<DetectorTrainee<'_>>, steps: u64) -> Vec<Numbers> {
        let host = Clock::default();
        let mut told = Vec::new();
        let mut tell = |report| {
            if let crate::train::training::Report::Losses { losses, .. } = report {
                told.push(losses);
            }
            Ok(())
        };
        let plan = Plan::new(steps);
        let memory = &mut crate::train::checkpoint::Nowhere;
        pollster::block_on(training.run(&Job::new(&host, "test"), &plan, memory, &mut tell))
            .unwrap();
        told
    }

    #[test]
    fn a_head_learns_where_objects_are() {
        let views = Toy::new(12);
        let device = Device::flex().autodiff();
        let trainee = DetectorTrainee::new(&options(), &views, Some(&views), &device);
        let mut training = Training::new(trainee, 0);
        let told = run(&mut training, 120);
        let sum = |losses: &Numbers| losses.iter().map(|(_, loss)| loss).sum::<f32>();
        assert!(
            sum(&told[119]) < 0.6 * sum(&told[0]),
            "{:?} to {:?}",
            told[0],
            told[119]
        );
        let host = Clock::default();
        let network = training.finished();
        let score =
            pollster::block_on(training.trainee.score(&Job::new(&host, "test"), &network)).unwrap();
        assert!(score[0].1 > 0.8, "{score:?}");
        // Only the two classes that are there have an average.
        assert_eq!(score.len(), 3, "{score:?}");
    }

    #[test]
    fn an_interrupted_training_ends_where_another_does() {
        let views = Toy::new(6);
        let device = Device::flex().autodiff();
        let fresh = || Training::new(DetectorTrainee::new(&options(), &views, None, &device), 0);
        let mut whole = fresh();
        let first = run(&mut whole, 2);
        let kept = whole.checkpoint().unwrap();
        let rest = run(&mut whole, 4);
        let mut resumed = fresh();
        resumed.resume(&kept).unwrap();
        assert_eq!(run(&mut resumed, 4), rest);
        assert_ne!(first, rest);
    }

    /// About the classes that a set does not box nothing is learned from its photographs, and nothing at all from one in
    /// which boxes are missing.
    #[test]
    fn silent_classes_change_nothing() {
        let levels = levels(2);
        let cells = 525;
        let drawn = |numbers: usize| {
            let values: Vec<f32> = (0..cells * 2 * numbers)
                .map(|i| (i as f32 * 0.37).sin())
                .collect();
            let tensor = Tensor::<3>::from_data(
                TensorData::new(values, [cells, 2, numbers]),
                &Device::flex(),
            );
            Tensor::from_inner(tensor).require_grad()
        };
        let (logits, edges, middle) = (drawn(CLASSES.len()), drawn(4), drawn(1));
        let said = Said {
            classes: logits.clone(),
            distances: edges.clone().abs() * 30.0 + 5.0,
            centreness: middle.clone(),
        };
        let toy = Toy::new(2);
        let objects: Vec<&[Labelled]> = (0..2).map(|index| toy.objects(index)).collect();
        let targets: Vec<_> = objects
            .iter()
            .map(|objects| centres::targets(&levels, &[objects[0].box_in_image]))
            .collect();
        let mut boxed = [[false; CLASSES.len()]; 2];
        // The first is of a set of persons and cars; the second has boxes missing.
        boxed[0][..2].fill(true);
        let [classes, boxes, centreness] = losses(&said, &targets, &objects, &boxed);
        let gradients = (classes + boxes + centreness).sum().backward();
        let numbers = |tensor: &Tensor<3>| -> Vec<f32> {
            let gradient = tensor.grad(&gradients).expect("a gradient");
            gradient.into_data().try_into_vec().expect("f32")
        };
        for (at, slope) in numbers(&logits).iter().enumerate() {
            let (class, picture) = (at % CLASSES.len(), at / CLASSES.len() % 2);
            assert_eq!(
                *slope != 0.0,
                picture == 0 && class < 2,
                "class {class} of picture {picture}: {slope}"
            );
        }
        for (at, slope) in numbers(&middle).iter().enumerate() {
            assert!(at % 2 == 0 || *slope == 0.0);
        }
        let of_edges = numbers(&edges);
        assert!(of_edges.iter().any(|slope| *slope != 0.0));
        assert!(of_edges.chunks_exact(8).all(|both| both[4..] == [0.0; 4]));
    }

    #[test]
    fn a_picture_without_anything_in_it_has_finite_losses() {
        let device = Device::flex();
        let said = Said {
            classes: Tensor::zeros([525, 1, CLASSES.len()], &device),
            distances: Tensor::ones([525, 1, 4], &device),
            centreness: Tensor::zeros([525, 1, 1], &device),
        };
        let targets = [centres::targets(&levels(2), &[])];
        let found = losses(&said, &targets, &[&[]], &[[true; CLASSES.len()]]);
        let [classes, boxes, centreness] =
            found.map(|loss| loss.into_data().try_into_vec::<f32>().expect("f32")[0]);
        assert!(classes > 0.0 && boxes == 0.0 && centreness == 0.0);
    }
}
