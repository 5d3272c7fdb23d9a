//! Detectors in training, on maps that a backbone made before: it stands still, so that its maps are always the same. A
//! family is a [`Recipe`]: its network, its losses, and the boxes that it finds.

pub mod anchor_free;
pub mod fast_rcnn;
pub mod grid;
mod measure;
pub mod overfeat;
pub mod region_dense;
pub mod region_features;
pub mod regions;
pub mod ssd;
pub mod svm;
pub mod two_step;

use burn::module::Module;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor};

pub use self::measure::{LEAST, average_precisions, chosen, detect, judged, mean};
use super::checkpoint::Checkpoint;
use super::learner::Learner;
use super::seeded::seeded;
use super::training::{At, Losses, Numbers, Trainee};
use crate::data::batches::Order;
use crate::data::photographs::{CLASSES, Labelled};
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::methods::matching::Match;
use crate::methods::outputs::{Found, Places};
use crate::methods::resize::{size_in_square, stretch_rgb};
use crate::methods::selective_search::SEARCH;
use crate::models::detect::SIDE;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;

/// Photographs as a backbone sees them, several times each: mirrored, scaled, cut, in other colours. `MAPS` is how many maps
/// are kept of each: those of one square, or one of each of several.
pub trait Views<const MAPS: usize = 3> {
    /// How many there are.
    fn count(&self) -> usize;

    /// The backbone's maps of some of them, as grids `[cells, indices, channels]`: of one square from fine to coarse, of
    /// several from the smallest square to the largest.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn maps(&self, indices: &[u32], device: &Device) -> Result<[Tensor<3>; MAPS], Failure>;

    /// What is in one, in pixels of the square.
    fn objects(&self, index: usize) -> &[Labelled];

    /// Which classes are boxed wherever they are.
    fn boxed(&self, index: usize) -> [bool; CLASSES.len()];

    /// The boxes of selective search, in pixels of the square; none where nobody asked for them.
    fn proposals(&self, _: usize) -> &[Corners] {
        &[]
    }

    /// Columns and rows of the photograph in the square.
    fn size(&self, index: usize) -> [f32; 2];
}

/// What is in a view.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Its objects, in pixels of the square.
    pub objects: &'a [Labelled],
    /// Which classes are boxed wherever they are.
    pub boxed: [bool; CLASSES.len()],
    /// The boxes of selective search, in pixels of the square, for families that look at those.
    pub proposals: &'a [Corners],
}

impl Scene<'_> {
    /// Whether anything is to be learned from what is not there. Where boxes are missing nobody knows what is free.
    pub fn is_known(&self) -> bool {
        self.boxed.contains(&true)
    }

    /// Which classes a place has to learn that has this object, or none. A place without an object learns only of the classes
    /// that are boxed. One with an object learns that it is nothing else, too: what is a dog is no train, though the set is
    /// silent about trains. Without that nothing would ever tell the classes of one set from those of another.
    pub fn counts(&self, object: Option<usize>) -> [bool; CLASSES.len()] {
        match object {
            Some(_) => [true; CLASSES.len()],
            None => self.boxed,
        }
    }

    /// The share of the classes that are boxed. What a set is silent about may be there: the less it boxes, the less a place
    /// says where nothing is boxed, for whatever knows no classes.
    pub fn known(&self) -> f32 {
        let boxed = self.boxed.iter().filter(|&&is| is).count();
        boxed as f32 / CLASSES.len() as f32
    }

    /// Whether an object does not count: places that would learn it learn nothing, not even that nothing is there.
    pub fn ignores(&self, object: usize) -> bool {
        self.objects[object].ignored.is_some()
    }

    /// What places have to learn that were matched to its [`boxes`](Self::boxes), after what does not count is left out.
    pub fn spared(&self, matches: Vec<Match>) -> Vec<Match> {
        let spared = |is: Match| match is.truth() {
            Some(object) if self.ignores(object) => Match::Ignored,
            _ => is,
        };
        matches.into_iter().map(spared).collect()
    }

    /// Where its objects are.
    pub fn boxes(&self) -> Vec<Corners> {
        self.objects
            .iter()
            .map(|object| object.box_in_image)
            .collect()
    }
}

/// A term of a loss, place by place.
#[derive(Debug)]
pub struct Term {
    /// Its name.
    pub name: &'static str,
    /// What each place adds to it, `[places]`.
    pub each: Tensor<1>,
    /// Whether only places that have an object to learn add to it.
    pub of_objects: bool,
    /// The picture of each place, and where the place is before the network says anything, in pixels of the square. Empty
    /// where no place has anything to learn.
    pub places: Vec<(usize, Corners)>,
}

impl Term {
    /// A term of 0: no place has anything to learn, but no number and no gradient may go missing.
    pub fn nothing<const D: usize>(name: &'static str, said: &Tensor<D>) -> Self {
        Self {
            name,
            of_objects: true,
            each: said.clone().sum() * 0.0,
            places: Vec::new(),
        }
    }

    /// What training lowers.
    pub fn sum(&self) -> Tensor<1> {
        self.each.clone().sum()
    }
}

/// A family of detectors, as it is trained, on so many maps of each picture.
#[allow(async_fn_in_trait)] // one thread: no future has to be `Send`
pub trait Recipe<const MAPS: usize = 3> {
    /// What stands on the backbone.
    type Network: Module;

    /// A network of zeros.
    fn init(&self, device: &Device) -> Self::Network;

    /// The terms of its loss, whose sum is lowered. `maps` as in [`Views::maps`], a scene for each picture; `step` decides what
    /// is drawn at random.
    ///
    /// # Errors
    /// Those of [`Job::read`], where what the network says decides what it has to say.
    async fn losses(
        &self,
        job: &Job<'_>,
        network: &Self::Network,
        maps: &[Tensor<3>; MAPS],
        scenes: &[Scene<'_>],
        step: u64,
    ) -> Result<Vec<Term>, Failure>;

    /// What the network says of all places of each picture. `proposals` are those of each picture as in
    /// [`Scene::proposals`].
    ///
    /// # Errors
    /// Those of [`Job::read`].
    async fn look(
        &self,
        job: &Job<'_>,
        network: &Self::Network,
        maps: &[Tensor<3>; MAPS],
        proposals: &[&[Corners]],
    ) -> Result<Vec<Places>, Failure>;

    /// Whether it looks at the boxes of selective search.
    fn searches(&self) -> bool {
        false
    }

    /// What each place has to learn from a scene: an object, that there is nothing, or neither. Of Faster R-CNN the places are
    /// those of its first step; of Fast R-CNN the proposals, then the objects, which it learns from, too.
    fn assign(&self, scene: &Scene<'_>) -> Vec<Match>;

    /// Where these places are before the network says anything, in pixels of the square.
    fn starts(&self, scene: &Scene<'_>) -> Vec<Corners>;

    /// Overlap above which the weaker of two boxes of a class goes.
    fn overlap(&self) -> f32 {
        0.6
    }

    /// What is left of the boxes that the network says of a picture of that size: suppression, unless a family does
    /// otherwise.
    fn choose(&self, found: Vec<Found>, size: [f32; 2]) -> Vec<Found> {
        chosen(found, size, self.overlap())
    }
}

/// How a run goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Learning rate.
    pub rate: f64,
    /// Photographs of a step.
    pub batch: usize,
    /// Decides weights and order.
    pub seed: u32,
}

/// A detector that learns to find objects.
pub struct DetectorTrainee<'a, R: Recipe<MAPS>, const MAPS: usize = 3> {
    learner: Learner<R::Network>,
    recipe: R,
    views: &'a dyn Views<MAPS>,
    held_out: Option<&'a dyn Views<MAPS>>,
    order: Order,
    rate: f64,
    device: Device,
}

impl<'a, R: Recipe<MAPS>, const MAPS: usize> DetectorTrainee<'a, R, MAPS> {
    /// Fresh weights. `device` records.
    pub fn new(
        recipe: R,
        options: Options,
        views: &'a dyn Views<MAPS>,
        held_out: Option<&'a dyn Views<MAPS>>,
        device: &Device,
    ) -> Self {
        let network = recipe.init(device);
        let adam = AdamConfig::new().with_epsilon(1e-8);
        Self {
            learner: Learner::new(seeded(network, options.seed), &adam),
            recipe,
            order: Order::new(views.count(), options.batch, options.seed),
            views,
            held_out,
            rate: options.rate,
            device: device.clone(),
        }
    }
}

impl<R: Recipe<MAPS>, const MAPS: usize> Trainee for DetectorTrainee<'_, R, MAPS> {
    type Network = R::Network;

    async fn step(&mut self, job: &Job<'_>, at: At) -> Result<Losses, Failure> {
        let indices = self.order.step(at.step).to_vec();
        let maps = self.views.maps(&indices, &self.device)?;
        let of = |&index: &u32| scene(self.views, index as usize);
        let scenes: Vec<Scene<'_>> = indices.iter().map(of).collect();
        let terms = self
            .recipe
            .losses(job, &self.learner.network, &maps, &scenes, at.step)
            .await?;
        let losses: Losses = terms.iter().map(|term| (term.name, term.sum())).collect();
        let total = losses
            .iter()
            .map(|(_, loss)| loss.clone())
            .reduce(|sum, loss| sum + loss);
        self.learner
            .descend(&total.expect("a family has losses"), self.rate * at.factor);
        Ok(losses
            .into_iter()
            .map(|(name, loss)| (name, loss.inner()))
            .collect())
    }

    fn network(&self) -> &R::Network {
        &self.learner.network
    }

    /// Mean average precision on the held-out photographs, each class on the sets that box it.
    async fn score(&self, job: &Job<'_>, network: &R::Network) -> Result<Numbers, Failure> {
        let Some(views) = self.held_out else {
            return Ok(Numbers::new());
        };
        let device = self.device.clone().inner();
        let found = detect(job, &self.recipe, network, views, &device).await?;
        let scenes: Vec<Scene<'_>> = (0..views.count())
            .map(|index| scene(views, index))
            .collect();
        let of_classes = average_precisions(&scenes, &found, 0.5);
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

/// The boxes of selective search in a photograph, in its pixels, the likeliest first.
pub fn proposals(picture: &Picture, most: usize) -> Vec<Corners> {
    SEARCH.of(picture, most)
}

/// What decides what [`proposals`] are: others have another text.
pub fn search_of_proposals() -> String {
    format!("{SEARCH:?}")
}

/// A picture as large as its photograph is said to be.
pub fn fitted(picture: Picture, [width, height]: [usize; 2]) -> Picture {
    if [picture.width, picture.height] == [width, height] {
        return picture;
    }
    let rgb = stretch_rgb(&picture, width, height);
    let pixels = rgb.as_chunks::<3>().0.iter();
    let rgba = pixels.flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
    Picture::new(width, height, rgba).expect("as many bytes as its size says")
}

/// A picture that lies in a square of [`SIDE`] pixels, as large as it lies in one of `side`.
pub fn scaled(picture: &Picture, side: usize) -> Picture {
    let size = [picture.width, picture.height];
    let longer = (size[0].max(size[1]) * side + SIDE / 2) / SIDE;
    fitted(picture.clone(), size_in_square(size, longer))
}

/// What is in a view.
pub fn scene<const MAPS: usize>(views: &dyn Views<MAPS>, index: usize) -> Scene<'_> {
    Scene {
        objects: views.objects(index),
        boxed: views.boxed(index),
        proposals: views.proposals(index),
    }
}

#[cfg(test)]
mod tests {
    use super::anchor_free::AnchorFreeRecipe;
    use super::fast_rcnn::FastRcnnRecipe;
    use super::grid::GridRecipe;
    use super::ssd::SsdRecipe;
    use super::two_step::TwoStepRecipe;
    use super::*;
    use crate::models::detect::anchor_free::AnchorFreeConfig;
    use crate::models::detect::backbone::{CHANNELS, STRIDES};
    use crate::train::clock::{Clock, told};
    use crate::train::training::{Numbers, Training};
    use burn::tensor::TensorData;

    /// Photographs of one square object each, which the maps show: the cells inside it are bright in a channel of its class.
    struct Toy(Vec<Labelled>, Vec<Vec<Corners>>);

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
            let objects: Vec<Labelled> = (0..count).map(object).collect();
            // Each object, a little beside it, and a place far away.
            let around = |object: &Labelled| {
                let b = object.box_in_image;
                let moved = |x: f32, y: f32| Corners {
                    x0: b.x0 + x,
                    y0: b.y0 + y,
                    x1: b.x1 + x,
                    y1: b.y1 + y,
                };
                vec![moved(6.0, -4.0), moved(-70.0, 60.0), moved(60.0, 40.0)]
            };
            let proposals = objects.iter().map(around).collect();
            Self(objects, proposals)
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

        fn proposals(&self, index: usize) -> &[Corners] {
            &self.1[index]
        }
    }

    const OPTIONS: Options = Options {
        rate: 3e-3,
        batch: 4,
        seed: 1,
    };

    fn anchor_free() -> AnchorFreeRecipe {
        let head = AnchorFreeConfig::new(CLASSES.len()).with_channels(16);
        AnchorFreeRecipe::new(head.with_maps(2))
    }

    /// What a family finds after so many steps, and that its losses fall.
    fn learns<R: Recipe>(recipe: R, steps: u64, least: f32) {
        let views = Toy::new(12);
        let device = Device::flex().autodiff();
        let trainee = DetectorTrainee::new(recipe, OPTIONS, &views, Some(&views), &device);
        let mut training = Training::new(trainee, 0);
        let told = told(&mut training, steps);
        let sum = |losses: &Numbers| losses.iter().map(|(_, loss)| loss).sum::<f32>();
        let (first, last) = (&told[0], &told[told.len() - 1]);
        assert!(sum(last) < 0.6 * sum(first), "{first:?} to {last:?}");
        let host = Clock::default();
        let network = training.finished();
        let job = Job::new(&host, "test");
        let score = pollster::block_on(training.trainee.score(&job, &network)).unwrap();
        assert!(score[0].1 > least, "{score:?}");
        // Only the two classes that are there have an average.
        assert_eq!(score.len(), 3, "{score:?}");
    }

    #[test]
    fn anchor_free_heads_learn_where_objects_are() {
        learns(anchor_free(), 120, 0.8);
    }

    #[test]
    fn ssd_learns_where_objects_are() {
        learns(SsdRecipe::new(16), 120, 0.8);
    }

    #[test]
    fn two_steps_learn_where_objects_are() {
        learns(TwoStepRecipe::new(16, 1), 120, 0.8);
    }

    #[test]
    fn regions_from_outside_learn_what_stands_in_them() {
        learns(FastRcnnRecipe::new(16, 1), 120, 0.8);
    }

    #[test]
    fn a_grid_learns_where_objects_are() {
        learns(GridRecipe::new(16), 200, 0.8);
    }

    /// With the samples that a step draws.
    fn resumes<R: Recipe>(recipe: impl Fn() -> R) {
        let views = Toy::new(6);
        let device = Device::flex().autodiff();
        let fresh = || {
            Training::new(
                DetectorTrainee::new(recipe(), OPTIONS, &views, None, &device),
                0,
            )
        };
        let mut whole = fresh();
        let first = told(&mut whole, 2);
        let kept = whole.checkpoint().unwrap();
        let rest = told(&mut whole, 4);
        let mut resumed = fresh();
        resumed.resume(&kept).unwrap();
        assert_eq!(told(&mut resumed, 4), rest);
        assert_ne!(first, rest);
    }

    #[test]
    fn an_interrupted_training_ends_where_another_does() {
        resumes(anchor_free);
        resumes(|| SsdRecipe::new(16));
        resumes(|| GridRecipe::new(16));
        resumes(|| TwoStepRecipe::new(16, 1));
        resumes(|| FastRcnnRecipe::new(16, 1));
    }
}
