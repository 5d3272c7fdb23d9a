//! OverFeat.

use burn::tensor::{Device, Int, Tensor, TensorData, activation};

use super::{Recipe, Scene, Term};
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::boxes::{CentreSize, Corners};
use crate::methods::detection_loss::smooth_l1;
use crate::methods::greedy_merge::{Merged, merge};
use crate::methods::matching::{Match, Matching, Rescue};
use crate::methods::outputs::overfeat::{self, CODER, merging_threshold};
use crate::methods::outputs::{Found, Places};
use crate::models::detect::overfeat::{OverFeat, OverFeatConfig, OverFeatSaid, SCALES};
use crate::protocol::failure::Failure;

/// Which windows have an object: a square fits most objects badly, so half of an overlap would leave many without.
const MATCHING: Matching = Matching {
    positive: 0.45,
    negative: 0.35,
    rescue: Rescue::First,
};
/// Overlap below which even the window that fits an object best does not look for it: it sees too little of it, or too much
/// else.
const LEAST: f32 = 0.12;
/// What is added to the logits of classes that a set is silent about: the softmax leaves them out.
const SILENT: f32 = -1e4;

/// Numbers between the convolution and the outputs, of the weights that ship.
pub const HIDDEN: usize = 256;
/// Maps of a picture: one of each scale.
pub const MAPS: usize = SCALES.len();

/// The recipe: classifier and regressor at once, though nothing is shared that is learned.
///
/// # Reference
/// Sermanet et al. 2014, "OverFeat: Integrated Recognition, Localization and Detection using Convolutional Networks", section 4.
#[derive(Debug, Clone)]
pub struct OverFeatRecipe {
    config: OverFeatConfig,
    /// In pixels of the square.
    windows: Vec<Corners>,
    by_centre: Vec<CentreSize>,
}

impl OverFeatRecipe {
    /// For layers of so many numbers.
    pub fn new(hidden: usize) -> Self {
        let windows = overfeat::windows();
        Self {
            config: OverFeatConfig::new(CLASSES.len()).with_hidden(hidden),
            by_centre: windows.iter().map(|of| of.centre_size()).collect(),
            windows,
        }
    }

    /// What each window has to learn. Where none has an object nothing is learned: objects that are too small for all windows
    /// would be called nothing.
    fn matches(&self, scene: &Scene<'_>) -> Vec<Match> {
        let truths = scene.boxes();
        let matches = MATCHING.of(&self.windows, &truths);
        let seen = |(is, window): (Match, &Corners)| match is {
            Match::Positive(truth) if truths[truth].iou(*window) < LEAST => Match::Ignored,
            is => is,
        };
        let matches = matches.into_iter().zip(&self.windows).map(seen).collect();
        let matches = scene.spared(matches);
        match matches.iter().any(|is| is.truth().is_some()) {
            true => matches,
            false => vec![Match::Ignored; matches.len()],
        }
    }

    /// The two losses of a batch, for each positive window. All negative windows count: 190 windows are few enough for
    /// that, and where only the hardest counted, a plain colour was an object with a probability of 0.83.
    fn of(&self, said: &OverFeatSaid, scenes: &[Scene<'_>]) -> Vec<Term> {
        let [windows, batch, classes] = said.classes.dims();
        let device = said.classes.device();
        let matches: Vec<Vec<Match>> = scenes
            .iter()
            .map(|scene| match scene.is_known() {
                true => self.matches(scene),
                false => vec![Match::Ignored; windows],
            })
            .collect();
        let mut wanted = vec![0f32; windows * batch * classes];
        let mut counts = vec![0f32; windows * batch];
        let mut silent = vec![0f32; windows * batch * classes];
        let (mut places, mut rows, mut offsets) = (Vec::new(), Vec::new(), Vec::new());
        for (picture, (scene, matches)) in scenes.iter().zip(&matches).enumerate() {
            for (index, is) in matches.iter().enumerate() {
                let place = index * batch + picture;
                let object = is.truth().map(|truth| scene.objects[truth]);
                let class = object.map_or(0, |object| 1 + object.class);
                wanted[place * classes + class] = 1.0;
                counts[place] = if *is == Match::Ignored { 0.0 } else { 1.0 };
                for (class, is) in scene.counts(is.truth()).into_iter().enumerate() {
                    silent[place * classes + 1 + class] = if is { 0.0 } else { SILENT };
                }
                if let Some(object) = object {
                    places.push(place);
                    rows.push((place * CLASSES.len() + object.class) as i32);
                    let truth = object.box_in_image.centre_size();
                    offsets.extend(CODER.encode(truth, self.by_centre[index]));
                }
            }
        }
        let table = |values: Vec<f32>| {
            Tensor::<3>::from_data(TensorData::new(values, [windows, batch, classes]), &device)
        };
        let logarithms = activation::log_softmax(said.classes.clone() + table(silent), 2);
        let each: Tensor<2> = -(logarithms * table(wanted))
            .sum_dim(2)
            .reshape([windows, batch]);
        let counts = Tensor::<2>::from_data(TensorData::new(counts, [windows, batch]), &device);
        let positives = places.len();
        let start = |place: usize| (place % batch, self.windows[place / batch]);
        let of_classes = Term {
            name: "classes",
            of_objects: false,
            each: (each * counts).reshape([windows * batch]) / positives.max(1) as f32,
            places: (0..windows * batch).map(start).collect(),
        };
        if positives == 0 {
            return vec![Term::nothing("boxes", &said.offsets), of_classes];
        }
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [positives]), &device);
        let found = said
            .offsets
            .clone()
            .reshape([windows * batch * CLASSES.len(), 4])
            .select(0, rows);
        let offsets = Tensor::<2>::from_data(TensorData::new(offsets, [positives, 4]), &device);
        let apart = smooth_l1(found - offsets, 1.0)
            .sum_dim(1)
            .reshape([positives]);
        let of_boxes = Term {
            name: "boxes",
            of_objects: true,
            each: apart / positives as f32,
            places: places.into_iter().map(start).collect(),
        };
        vec![of_boxes, of_classes]
    }
}

impl Recipe<MAPS> for OverFeatRecipe {
    type Network = OverFeat;

    fn init(&self, device: &Device) -> OverFeat {
        self.config.init(device)
    }

    async fn losses(
        &self,
        _: &Job<'_>,
        network: &OverFeat,
        maps: &[Tensor<3>; MAPS],
        scenes: &[Scene<'_>],
        _: u64,
    ) -> Result<Vec<Term>, Failure> {
        Ok(self.of(&network.forward(maps), scenes))
    }

    fn assign(&self, scene: &Scene<'_>) -> Vec<Match> {
        self.matches(scene)
    }

    fn starts(&self, _: &Scene<'_>) -> Vec<Corners> {
        self.windows.clone()
    }

    async fn look(
        &self,
        job: &Job<'_>,
        network: &OverFeat,
        maps: &[Tensor<3>; MAPS],
        _: &[&[Corners]],
    ) -> Result<Vec<Places>, Failure> {
        let numbers = job.read(network.forward(maps).together()).await?;
        let each = self.windows.len() * (1 + 5 * CLASSES.len());
        let of_pictures = numbers.chunks_exact(each);
        Ok(of_pictures
            .map(|numbers| overfeat::places(&self.windows, numbers, CLASSES.len()))
            .collect())
    }

    fn overlap(&self) -> f32 {
        0.3
    }

    /// Merged, not suppressed.
    fn choose(&self, found: Vec<Found>, [width, height]: [f32; 2]) -> Vec<Found> {
        let clipped = |found: &Found| found.box_in_square.clip(width, height);
        let boxes: Vec<Corners> = found.iter().map(clipped).collect();
        let scores: Vec<f32> = found.iter().map(|found| found.score).collect();
        let classes: Vec<usize> = found.iter().map(|found| found.class).collect();
        let merged = merge(&boxes, &scores, &classes, merging_threshold(self.overlap()));
        let as_found = |of: Merged| Found {
            box_in_square: of.mean,
            class: of.class,
            score: of.score,
            place: found[of.members[0]].place,
        };
        merged.into_iter().map(as_found).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DetectorTrainee, Options, Views};
    use super::*;
    use crate::data::photographs::Labelled;
    use crate::models::detect::SIDE;
    use crate::models::detect::backbone::CHANNELS;
    use crate::train::clock::{Clock, told};
    use crate::train::training::{Numbers, Trainee as _, Training};

    /// Photographs of one square object each, which the maps show: the cells inside it are bright in a channel of its class, and
    /// in four others the brighter the nearer an edge of it is.
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
                    ignored: None,
                }
            };
            Self((0..count).map(object).collect())
        }
    }

    impl Views<MAPS> for Toy {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn maps(&self, indices: &[u32], device: &Device) -> Result<[Tensor<3>; MAPS], Failure> {
            let channels = CHANNELS[2];
            Ok(SCALES.map(|scale| {
                let side = scale / 32;
                let mut values = Vec::new();
                for cell in 0..side * side {
                    let middle = |at: usize| (at as f32 + 0.5) * 32.0 * SIDE as f32 / scale as f32;
                    let [x, y] = [cell % side, cell / side].map(middle);
                    for &index in indices {
                        let Labelled {
                            class,
                            box_in_image: b,
                            ..
                        } = self.0[index as usize];
                        let is_inside = (b.x0..b.x1).contains(&x) && (b.y0..b.y1).contains(&y);
                        let edges = [x - b.x0, y - b.y0, b.x1 - x, b.y1 - y];
                        let bright = |channel: usize| match channel.checked_sub(CLASSES.len()) {
                            _ if !is_inside => 0.0,
                            None => f32::from(channel == class) * 2.0,
                            Some(edge) => edges.get(edge).map_or(0.0, |far| 1.0 - far / 150.0),
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

    const OPTIONS: Options = Options {
        rate: 3e-3,
        batch: 4,
        seed: 1,
    };

    type OfToy<'a> = Training<DetectorTrainee<'a, OverFeatRecipe, MAPS>>;

    fn fresh(toy: &Toy) -> OfToy<'_> {
        let device = Device::flex().autodiff();
        let recipe = OverFeatRecipe::new(16);
        Training::new(
            DetectorTrainee::new(recipe, OPTIONS, toy, Some(toy), &device),
            0,
        )
    }

    #[test]
    fn it_learns_where_objects_are() {
        let toy = Toy::new(12);
        let mut training = fresh(&toy);
        let told = told(&mut training, 300);
        let sum = |losses: &Numbers| losses.iter().map(|(_, loss)| loss).sum::<f32>();
        let (first, last) = (&told[0], &told[told.len() - 1]);
        assert!(sum(last) < 0.6 * sum(first), "{first:?} to {last:?}");
        let host = Clock::default();
        let network = training.finished();
        let job = Job::new(&host, "test");
        let score = pollster::block_on(training.trainee.score(&job, &network)).unwrap();
        assert!(score[0].1 > 0.7, "{score:?}");
    }

    #[test]
    fn an_interrupted_training_ends_where_another_does() {
        let toy = Toy::new(6);
        let mut whole = fresh(&toy);
        let first = told(&mut whole, 2);
        let kept = whole.checkpoint().unwrap();
        let rest = told(&mut whole, 4);
        let mut resumed = fresh(&toy);
        resumed.resume(&kept).unwrap();
        assert_eq!(told(&mut resumed, 4), rest);
        assert_ne!(first, rest);
    }

    fn object(class: usize, [x0, y0, x1, y1]: [f32; 4]) -> Labelled {
        Labelled {
            class,
            box_in_image: Corners { x0, y0, x1, y1 },
            ignored: None,
        }
    }

    fn scene(objects: &[Labelled], boxed: [bool; CLASSES.len()]) -> Scene<'_> {
        Scene {
            objects,
            boxed,
            proposals: &[],
        }
    }

    #[test]
    fn windows_look_for_what_they_see_enough_of() {
        let recipe = OverFeatRecipe::new(8);
        let all = [true; CLASSES.len()];
        let positives = |of: Labelled| -> Vec<usize> {
            let matches = recipe.assign(&scene(&[of], all));
            let is = |(window, is): (usize, &Match)| is.truth().map(|_| window);
            matches.iter().enumerate().filter_map(is).collect()
        };
        // The first window of the third scale and those around it, half a cell to a side at most.
        let square = positives(object(0, [0.0, 0.0, 128.0, 128.0]));
        assert!(square.contains(&20) && square.len() > 2, "{square:?}");
        // High and narrow, 40 by 160: with the smallest windows it has 40 x 91.4 in common, of 11,102 in all: 0.329.
        let narrow = positives(object(0, [32.0, 0.0, 72.0, 160.0]));
        assert_eq!(narrow.len(), 1, "{narrow:?}");
        // The smallest window is 91 pixels wide: 30 by 30 are a ninth of it, 0.108.
        assert!(positives(object(0, [10.0, 10.0, 40.0, 40.0])).is_empty());
    }

    /// The slopes of the logits of the classes at all windows: `[windows][1 + classes]`.
    fn slopes(objects: &[Labelled], boxed: [bool; CLASSES.len()]) -> Vec<Vec<f32>> {
        let device = Device::flex().autodiff();
        let recipe = OverFeatRecipe::new(8);
        let windows = recipe.windows.len();
        let zeros =
            |numbers: usize| Tensor::<3>::zeros([windows, 1, numbers], &device).require_grad();
        let said = OverFeatSaid {
            classes: zeros(1 + CLASSES.len()),
            offsets: zeros(4 * CLASSES.len()),
        };
        let terms = recipe.of(&said, &[scene(objects, boxed)]);
        let total = terms
            .iter()
            .map(Term::sum)
            .reduce(|a, b| a + b)
            .expect("two");
        let slopes = said.classes.grad(&total.backward()).expect("a slope");
        let slopes: Vec<f32> = slopes.into_data().try_into_vec().expect("f32");
        slopes
            .chunks_exact(1 + CLASSES.len())
            .map(<[f32]>::to_vec)
            .collect()
    }

    #[test]
    fn the_slope_of_the_classes_is_worked_by_hand() {
        let cat = [object(4, [0.0, 0.0, 128.0, 128.0])];
        let recipe = OverFeatRecipe::new(8);
        let matches = recipe.assign(&scene(&cat, [true; CLASSES.len()]));
        let positives = matches.iter().filter(|is| is.truth().is_some()).count() as f32;
        let slopes = slopes(&cat, [true; CLASSES.len()]);
        // Ten classes alike: a tenth too much of each wrong one, nine tenths too little of the right one.
        for (class, slope) in slopes[20].iter().enumerate() {
            let wanted = if class == 5 { -0.9 } else { 0.1 } / positives;
            assert!((slope - wanted).abs() < 1e-6, "{class}: {slope}");
        }
        // All windows learn but those that overlap the cat too much for the one and too little for the other.
        for (of, is) in slopes.iter().zip(matches) {
            let learns = of.iter().any(|slope| *slope != 0.0);
            assert_eq!(learns, is != Match::Ignored);
        }
    }

    #[test]
    fn where_a_set_is_silent_nothing_is_learned_of_a_class() {
        // Dogs are not boxed: where there is no object, there may be one.
        let boxed = std::array::from_fn(|class| class != 5);
        let cat = [object(4, [0.0, 0.0, 128.0, 128.0])];
        let matches = OverFeatRecipe::new(8).assign(&scene(&cat, boxed));
        let slopes = slopes(&cat, boxed);
        for (of, is) in slopes.iter().zip(matches) {
            match is.truth() {
                // A cat is no dog, though.
                Some(_) => assert!(of[6] > 0.0),
                None => assert_eq!(of[6], 0.0),
            }
        }
        assert!(slopes.iter().any(|of| of[1] > 0.0 && of[6] == 0.0));
        // Where no class is boxed, nothing is learned at all.
        let nowhere = self::slopes(&[], [false; CLASSES.len()]);
        assert!(nowhere.iter().flatten().all(|slope| *slope == 0.0));
    }
}
