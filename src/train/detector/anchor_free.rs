//! The anchor-free family: FCOS.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{Recipe, Scene, Term};
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::methods::centres::{self, Level};
use crate::methods::detection_loss::{binary_cross_entropy, focal, giou};
use crate::methods::matching::Match;
use crate::methods::outputs::{Places, anchor_free};
use crate::models::detect::anchor_free::{AnchorFree, AnchorFreeConfig, Said};
use crate::protocol::failure::Failure;

/// Weight of a class that is there in the focal loss.
const ALPHA: f64 = 0.25;

/// The recipe.
///
/// # Reference
/// Tian et al. 2019, "FCOS: Fully Convolutional One-Stage Object Detection", sections 3.1 and 3.2; boxes by GIoU.
#[derive(Debug, Clone)]
pub struct AnchorFreeRecipe {
    config: AnchorFreeConfig,
    levels: Vec<Level>,
}

impl AnchorFreeRecipe {
    /// For heads of that configuration.
    pub fn new(config: AnchorFreeConfig) -> Self {
        let levels = anchor_free::levels(config.maps);
        Self { config, levels }
    }

    fn say(&self, network: &AnchorFree, maps: &[Tensor<3>; 3]) -> Said {
        let strides: Vec<usize> = self.levels.iter().map(|level| level.stride).collect();
        network.forward(&maps[maps.len() - self.config.maps..], &strides)
    }
}

/// The three losses of a batch.
pub fn losses(levels: &[Level], said: &Said, scenes: &[Scene<'_>]) -> [Term; 3] {
    let [cells, batch, classes] = said.classes.dims();
    let device = said.classes.device();
    let mut wanted = vec![0f32; cells * batch * classes];
    let mut counted = vec![0f32; cells * batch * classes];
    let mut count = |place: usize, counts: [bool; CLASSES.len()]| {
        for (class, is) in counts.into_iter().enumerate() {
            counted[place * classes + class] = if is { 1.0 } else { 0.0 };
        }
    };
    let (mut places, mut distances, mut centreness) = (Vec::new(), Vec::new(), Vec::new());
    for (picture, scene) in scenes.iter().enumerate() {
        if !scene.is_known() {
            continue;
        }
        let targets = centres::targets(levels, &scene.boxes());
        for (cell, target) in targets.iter().enumerate() {
            let place = cell * batch + picture;
            if target.is_some_and(|target| scene.ignores(target.truth)) {
                continue;
            }
            count(place, scene.counts(target.map(|target| target.truth)));
            let Some(target) = target else { continue };
            wanted[place * classes + scene.objects[target.truth].class] = 1.0;
            places.push(place as i32);
            distances.extend(target.distances);
            centreness.push(target.centreness);
        }
    }
    let wanted = Tensor::<3>::from_data(TensorData::new(wanted, [cells, batch, classes]), &device);
    let found = places.len();
    let counted =
        Tensor::<3>::from_data(TensorData::new(counted, [cells, batch, classes]), &device);
    let each = focal(said.classes.clone(), wanted, ALPHA) * counted;
    let starts = anchor_free::starts(levels);
    let start = |place: usize| (place % batch, starts[place / batch]);
    let of_classes = Term {
        name: "classes",
        of_objects: false,
        each: each.sum_dim(2).reshape([cells * batch]) / found.max(1) as f32,
        places: (0..cells * batch).map(start).collect(),
    };
    if found == 0 {
        let [boxes, centres] =
            ["boxes", "centreness"].map(|name| Term::nothing(name, &said.distances));
        return [of_classes, boxes, centres];
    }
    let starts: Vec<_> = places.iter().map(|&place| start(place as usize)).collect();
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
    let of_boxes = Term {
        name: "boxes",
        of_objects: true,
        each: apart * centreness.clone() / weight.max(1e-3),
        places: starts.clone(),
    };
    let quality = at(&said.centreness, 1).reshape([found]);
    let of_centres = Term {
        name: "centreness",
        of_objects: true,
        each: binary_cross_entropy(quality, centreness) / found as f32,
        places: starts,
    };
    [of_classes, of_boxes, of_centres]
}

impl Recipe for AnchorFreeRecipe {
    type Network = AnchorFree;

    fn init(&self, device: &Device) -> AnchorFree {
        self.config.init(device)
    }

    async fn losses(
        &self,
        _: &Job<'_>,
        network: &AnchorFree,
        maps: &[Tensor<3>; 3],
        scenes: &[Scene<'_>],
        _: u64,
    ) -> Result<Vec<Term>, Failure> {
        Ok(losses(&self.levels, &self.say(network, maps), scenes).into())
    }

    fn assign(&self, scene: &Scene<'_>) -> Vec<Match> {
        let targets = centres::targets(&self.levels, &scene.boxes());
        let is = |target: Option<centres::Target>| {
            target.map_or(Match::Negative, |target| Match::Positive(target.truth))
        };
        scene.spared(targets.into_iter().map(is).collect())
    }

    fn starts(&self, _: &Scene<'_>) -> Vec<Corners> {
        anchor_free::starts(&self.levels)
    }

    async fn look(
        &self,
        job: &Job<'_>,
        network: &AnchorFree,
        maps: &[Tensor<3>; 3],
        _: &[&[Corners]],
    ) -> Result<Vec<Places>, Failure> {
        let said = self.say(network, maps);
        let [cells, _, classes] = said.classes.dims();
        // A picture after the other, all numbers of a cell together.
        let numbers = job.read(said.together()).await?;
        let of_pictures = numbers.chunks_exact(cells * (classes + 5));
        Ok(of_pictures
            .map(|numbers| anchor_free::places(&self.levels, numbers, classes))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::photographs::Labelled;
    /// About the classes that a set does not box nothing is learned from its photographs but that its objects are none of
    /// them, and nothing at all from one in which boxes are missing.
    #[test]
    fn silent_classes_change_nothing() {
        let levels = anchor_free::levels(2);
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
        let [x0, y0, x1, y1] = [40.0, 50.0, 140.0, 160.0];
        let object = Labelled {
            class: 0,
            box_in_image: Corners { x0, y0, x1, y1 },
            ignored: None,
        };
        let objects = &[object];
        // The first is of a set of persons and cars; the second has boxes missing.
        let known = std::array::from_fn(|class| class < 2);
        let scenes = [known, [false; CLASSES.len()]].map(|boxed| Scene {
            objects,
            boxed,
            proposals: &[],
        });
        let [classes, boxes, centreness] = losses(&levels, &said, &scenes);
        let gradients = (classes.sum() + boxes.sum() + centreness.sum()).backward();
        let numbers = |tensor: &Tensor<3>| -> Vec<f32> {
            let gradient = tensor.grad(&gradients).expect("a gradient");
            gradient.into_data().try_into_vec().expect("f32")
        };
        let targets = centres::targets(&levels, &[object.box_in_image]);
        assert!(targets.iter().any(Option::is_some));
        for (at, slope) in numbers(&logits).iter().enumerate() {
            let (class, picture) = (at % CLASSES.len(), at / CLASSES.len() % 2);
            let is_object = targets[at / CLASSES.len() / 2].is_some();
            assert_eq!(
                *slope != 0.0,
                picture == 0 && (class < 2 || is_object),
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
        let scene = Scene {
            objects: &[],
            boxed: [true; CLASSES.len()],
            proposals: &[],
        };
        let found = losses(&anchor_free::levels(2), &said, &[scene]);
        let [classes, boxes, centreness] =
            found.map(|term| term.sum().into_data().try_into_vec::<f32>().expect("f32")[0]);
        assert!(classes > 0.0 && boxes == 0.0 && centreness == 0.0);
    }
}
