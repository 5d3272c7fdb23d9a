//! The anchor-free family: FCOS.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{Found, LEAST, Recipe, Scene, counted, sigmoid};
use crate::job::Job;
use crate::methods::centres::{self, Level};
use crate::methods::detection_loss::{binary_cross_entropy, focal, giou};
use crate::models::detect::SIDE;
use crate::models::detect::anchor_free::{AnchorFree, AnchorFreeConfig, Said};
use crate::models::detect::backbone::STRIDES;
use crate::protocol::failure::Failure;
use crate::train::training::Losses;

/// How objects are shared out among levels: the farthest of an object's edges, in strides. Neighbours overlap, so that no
/// object falls between them.
const REACH: [f32; 2] = [2.0, 6.0];
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
        let levels = levels(config.maps);
        Self { config, levels }
    }

    fn say(&self, network: &AnchorFree, maps: &[Tensor<3>; 3]) -> Said {
        let strides: Vec<usize> = self.levels.iter().map(|level| level.stride).collect();
        network.forward(&maps[maps.len() - self.config.maps..], &strides)
    }
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

/// The three losses of a batch.
pub fn losses(levels: &[Level], said: &Said, scenes: &[Scene<'_>]) -> [Tensor<1>; 3] {
    let [cells, batch, classes] = said.classes.dims();
    let device = said.classes.device();
    let mut wanted = vec![0f32; cells * batch * classes];
    let (mut places, mut distances, mut centreness) = (Vec::new(), Vec::new(), Vec::new());
    for (picture, scene) in scenes.iter().enumerate() {
        if !scene.is_known() {
            continue;
        }
        let targets = centres::targets(levels, &scene.boxes());
        for (cell, target) in targets.iter().enumerate() {
            let Some(target) = target else { continue };
            let place = cell * batch + picture;
            wanted[place * classes + scene.objects[target.truth].class] = 1.0;
            places.push(place as i32);
            distances.extend(target.distances);
            centreness.push(target.centreness);
        }
    }
    let wanted = Tensor::<3>::from_data(TensorData::new(wanted, [cells, batch, classes]), &device);
    let found = places.len();
    let each = focal(said.classes.clone(), wanted, ALPHA) * counted(scenes, &device);
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
    ) -> Result<Losses, Failure> {
        let [classes, boxes, centreness] = losses(&self.levels, &self.say(network, maps), scenes);
        Ok(vec![
            ("classes", classes),
            ("boxes", boxes),
            ("centreness", centreness),
        ])
    }

    async fn find(
        &self,
        job: &Job<'_>,
        network: &AnchorFree,
        maps: &[Tensor<3>; 3],
    ) -> Result<Vec<Vec<Found>>, Failure> {
        let said = self.say(network, maps);
        let [cells, batch, count] = said.classes.dims();
        let all = Tensor::cat(vec![said.classes, said.distances, said.centreness], 2);
        // A picture after the other, all numbers of a cell together.
        let numbers = job.read(all.swap_dims(0, 1)).await?;
        let each = count + 5;
        let middles: Vec<[f32; 2]> = self.levels.iter().flat_map(Level::middles).collect();
        let of_picture = |numbers: &[f32]| -> Vec<Found> {
            let cells = numbers.chunks_exact(each).zip(&middles);
            let of_cell = cells.flat_map(|(numbers, &middle)| {
                let near = sigmoid(numbers[count + 4]);
                let edges = std::array::from_fn(|edge| numbers[count + edge]);
                let of_class = move |class: usize| Found {
                    box_in_square: centres::box_at(middle, edges),
                    class,
                    // Neither alone tells a good box.
                    score: (sigmoid(numbers[class]) * near).sqrt(),
                };
                (0..count).map(of_class)
            });
            of_cell.filter(|found| found.score > LEAST).collect()
        };
        debug_assert_eq!(numbers.len(), cells * batch * each);
        Ok(numbers.chunks_exact(cells * each).map(of_picture).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::photographs::{CLASSES, Labelled};
    use crate::maths::boxes::Corners;
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
        let [x0, y0, x1, y1] = [40.0, 50.0, 140.0, 160.0];
        let object = Labelled {
            class: 0,
            box_in_image: Corners { x0, y0, x1, y1 },
        };
        let objects = &[object];
        // The first is of a set of persons and cars; the second has boxes missing.
        let known = std::array::from_fn(|class| class < 2);
        let scenes = [known, [false; CLASSES.len()]].map(|boxed| Scene { objects, boxed });
        let [classes, boxes, centreness] = losses(&levels, &said, &scenes);
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
        let scene = Scene {
            objects: &[],
            boxed: [true; CLASSES.len()],
        };
        let found = losses(&levels(2), &said, &[scene]);
        let [classes, boxes, centreness] =
            found.map(|loss| loss.into_data().try_into_vec::<f32>().expect("f32")[0]);
        assert!(classes > 0.0 && boxes == 0.0 && centreness == 0.0);
    }
}
