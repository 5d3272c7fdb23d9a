//! YOLO's grid, as its first paper has it.

use burn::tensor::{Device, Tensor, TensorData};

use super::{Recipe, Scene, Term};
use crate::data::photographs::{CLASSES, Labelled};
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::methods::matching::Match;
use crate::methods::outputs::Places;
use crate::methods::outputs::grid::{self, CELLS, box_of};
use crate::models::detect::SIDE;
use crate::models::detect::grid_head::{GridHead, GridHeadConfig, NUMBERS};
use crate::protocol::failure::Failure;

/// Weight of where a box is, and of being sure where nothing is (section 2.2 of the paper).
const COORDINATES: f32 = 5.0;
const NOTHING: f32 = 0.5;

/// The recipe.
///
/// # Reference
/// Redmon et al. 2016, "You Only Look Once: Unified, Real-Time Object Detection", section 2.2, equation 3.
#[derive(Debug, Clone)]
pub struct GridRecipe {
    config: GridHeadConfig,
}

impl GridRecipe {
    /// For a head of so many channels.
    pub fn new(channels: usize) -> Self {
        let config = GridHeadConfig::new(CLASSES.len()).with_channels(channels);
        Self { config }
    }
}

/// The cell in which an object has its middle, and the numbers that its box should have there.
fn target(object: &Labelled) -> (usize, [f32; 4]) {
    let side = SIDE as f32;
    let share = object
        .box_in_image
        .scale(1.0 / side, 1.0 / side)
        .centre_size();
    let along = |centre: f32| {
        let cell = ((centre * CELLS as f32) as usize).min(CELLS - 1);
        (cell, centre * CELLS as f32 - cell as f32)
    };
    let ((column, across), (row, down)) = (along(share.cx), along(share.cy));
    let root = |size: f32| size.max(0.0).sqrt();
    (
        row * CELLS + column,
        [across, down, root(share.width), root(share.height)],
    )
}

/// The object that each cell has to find, by its number: a cell has one class, so that of two that share it the larger has
/// it. One that does not count leaves it to any that does.
fn holders(scene: &Scene<'_>) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..scene.objects.len()).collect();
    let area = |of: usize| scene.objects[of].box_in_image.area();
    order.sort_by(|&a, &b| {
        let counting = scene.ignores(b).cmp(&scene.ignores(a));
        counting.then(area(a).total_cmp(&area(b)))
    });
    let mut holders = vec![None; CELLS * CELLS];
    for object in order {
        holders[target(&scene.objects[object]).0] = Some(object);
    }
    holders
}

/// What each number should be, and how much that counts.
struct Wanted {
    values: Vec<f32>,
    weights: Vec<f32>,
}

/// For what the head says now, `[cells, batch, numbers]`: which box of a cell is responsible depends on it.
fn wanted(said: &[f32], scenes: &[Scene<'_>], boxes: usize) -> Wanted {
    let (batch, each) = (scenes.len(), boxes * NUMBERS + CLASSES.len());
    let mut wanted = Wanted {
        values: vec![0.0; said.len()],
        weights: vec![0.0; said.len()],
    };
    for (picture, scene) in scenes.iter().enumerate() {
        if !scene.is_known() {
            continue;
        }
        let known = scene.known();
        let at = |cell: usize| (cell * batch + picture) * each;
        for cell in 0..CELLS * CELLS {
            for number in 0..boxes {
                wanted.weights[at(cell) + number * NUMBERS + 4] = NOTHING * known;
            }
        }
        for (cell, holder) in holders(scene).into_iter().enumerate() {
            let Some(index) = holder else { continue };
            let start = at(cell);
            if scene.ignores(index) {
                wanted.weights[start..start + each].fill(0.0);
                continue;
            }
            let object = &scene.objects[index];
            let (_, numbers) = target(object);
            let overlap = |number: usize| {
                let found = &said[start + number * NUMBERS..start + (number + 1) * NUMBERS];
                box_of(cell, found).iou(object.box_in_image)
            };
            let responsible = (0..boxes)
                .rev()
                .max_by(|&a, &b| overlap(a).total_cmp(&overlap(b)));
            let number = responsible.unwrap_or(0);
            let of_box = start + number * NUMBERS;
            for (place, value) in numbers.iter().enumerate() {
                wanted.values[of_box + place] = *value;
                wanted.weights[of_box + place] = COORDINATES;
            }
            wanted.values[of_box + 4] = overlap(number);
            wanted.weights[of_box + 4] = 1.0;
            for class in 0..CLASSES.len() {
                let place = start + boxes * NUMBERS + class;
                wanted.values[place] = if class == object.class { 1.0 } else { 0.0 };
                let counts = scene.counts(Some(index));
                wanted.weights[place] = if counts[class] { 1.0 } else { 0.0 };
            }
        }
    }
    wanted
}

impl Recipe for GridRecipe {
    type Network = GridHead;

    fn init(&self, device: &Device) -> GridHead {
        self.config.init(device)
    }

    async fn losses(
        &self,
        job: &Job<'_>,
        network: &GridHead,
        maps: &[Tensor<3>; 3],
        scenes: &[Scene<'_>],
        _: u64,
    ) -> Result<Vec<Term>, Failure> {
        let said = network.forward(maps);
        let shape = said.dims();
        let device = said.device();
        let now = job.read(said.clone().inner()).await?;
        let boxes = self.config.boxes;
        let wanted = wanted(&now, scenes, boxes);
        let tensor =
            |values: Vec<f32>| Tensor::<3>::from_data(TensorData::new(values, shape), &device);
        let each =
            (said - tensor(wanted.values)).square() * tensor(wanted.weights) / scenes.len() as f32;
        let batch = scenes.len();
        let part = |from: usize, count: usize| {
            let sums = each.clone().narrow(2, from, count).sum_dim(2);
            sums.reshape([CELLS * CELLS * batch])
        };
        let parts = |from: usize, count: usize| {
            let of_boxes = (0..boxes).map(|number| part(number * NUMBERS + from, count));
            of_boxes
                .reduce(|sum, part| sum + part)
                .expect("a cell has boxes")
        };
        // A place is a cell here: its boxes share the class.
        let cells = grid::starts(1);
        let places: Vec<_> = (0..CELLS * CELLS * batch)
            .map(|place| (place % batch, cells[place / batch]))
            .collect();
        let term = |name, each| Term {
            name,
            // Confidence is learned everywhere.
            of_objects: name != "confidence",
            each,
            places: places.clone(),
        };
        Ok(vec![
            term("boxes", parts(0, 4)),
            term("confidence", parts(4, 1)),
            term("classes", part(boxes * NUMBERS, CLASSES.len())),
        ])
    }

    /// Both boxes of a cell in which an object has its middle: which of them is responsible the network decides.
    fn assign(&self, scene: &Scene<'_>) -> Vec<Match> {
        let of_cell = |holder: Option<usize>| {
            let is = holder.map_or(Match::Negative, Match::Positive);
            std::iter::repeat_n(is, self.config.boxes)
        };
        scene.spared(holders(scene).into_iter().flat_map(of_cell).collect())
    }

    fn starts(&self, _: &Scene<'_>) -> Vec<Corners> {
        grid::starts(self.config.boxes)
    }

    async fn look(
        &self,
        job: &Job<'_>,
        network: &GridHead,
        maps: &[Tensor<3>; 3],
        _: &[&[Corners]],
    ) -> Result<Vec<Places>, Failure> {
        let boxes = self.config.boxes;
        let each = boxes * NUMBERS + CLASSES.len();
        let numbers = job.read(network.forward(maps).swap_dims(0, 1)).await?;
        let of_pictures = numbers.chunks_exact(CELLS * CELLS * each);
        Ok(of_pictures
            .map(|numbers| grid::places(numbers, boxes, CLASSES.len()))
            .collect())
    }

    fn overlap(&self) -> f32 {
        0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::average_precision::Ignored;

    fn object(x0: f32, y0: f32, x1: f32, y1: f32) -> Labelled {
        Labelled {
            class: 4,
            box_in_image: Corners { x0, y0, x1, y1 },
            ignored: None,
        }
    }

    #[test]
    fn a_box_is_found_again_from_the_numbers_of_its_cell() {
        // The middle is at 100, 60: in cells of 32 pixels the fourth across and the second down.
        let object = object(60.0, 20.0, 140.0, 100.0);
        let (cell, numbers) = target(&object);
        assert_eq!(cell, CELLS + 3);
        assert!((numbers[0] - 0.125).abs() < 1e-5 && (numbers[1] - 0.875).abs() < 1e-5);
        assert!((numbers[2] - 0.5).abs() < 1e-6);
        let found = box_of(cell, &numbers);
        assert!(found.iou(object.box_in_image) > 0.9999);
        // At the edge it is the last cell's.
        let (cell, _) = target(&self::object(310.0, 310.0, 330.0, 330.0));
        assert_eq!(cell, CELLS * CELLS - 1);
    }

    #[test]
    fn the_box_that_overlaps_more_is_responsible() {
        let object = object(60.0, 20.0, 140.0, 100.0);
        let (cell, numbers) = target(&object);
        let each = 2 * NUMBERS + CLASSES.len();
        let mut said = vec![0.5; CELLS * CELLS * each];
        // The second box of the cell is right already.
        said[cell * each + NUMBERS..cell * each + NUMBERS + 4].copy_from_slice(&numbers);
        let boxed = std::array::from_fn(|class| class != 0);
        let objects = &[object];
        let wanted = wanted(
            &said,
            &[Scene {
                objects,
                boxed,
                proposals: &[],
            }],
            2,
        );
        let of = |values: &[f32], at: usize| values[cell * each + at];
        assert_eq!(of(&wanted.weights, 0), 0.0);
        assert_eq!(of(&wanted.weights, NUMBERS), COORDINATES);
        assert!((of(&wanted.values, NUMBERS + 4) - 1.0).abs() < 1e-4);
        // The other one should not be sure, nor should other cells: as far as the set boxes all classes.
        let nothing = NOTHING * 8.0 / 9.0;
        assert!((of(&wanted.weights, 4) - nothing).abs() < 1e-6 && of(&wanted.values, 4) == 0.0);
        // The cell says its class, and that it is none of the others, though the set is silent about persons.
        let classes = 2 * NUMBERS;
        for class in 0..CLASSES.len() {
            let wants = if class == 4 { 1.0 } else { 0.0 };
            assert_eq!(of(&wanted.values, classes + class), wants);
            assert_eq!(of(&wanted.weights, classes + class), 1.0);
        }
        // Other cells say nothing of classes.
        assert_eq!(wanted.weights[classes..each], [0.0; 9]);
    }

    #[test]
    fn a_cell_has_the_larger_of_two_objects_and_one_that_counts_before_all() {
        let [small, large] =
            [20.0, 40.0].map(|half| object(100.0 - half, 60.0 - half, 100.0 + half, 60.0 + half));
        let hard = Labelled {
            ignored: Some(Ignored::Difficult),
            ..large
        };
        let held = |objects: &[Labelled]| {
            holders(&Scene {
                objects,
                boxed: [true; CLASSES.len()],
                proposals: &[],
            })[CELLS + 3]
        };
        assert_eq!(held(&[large, small]), Some(0));
        assert_eq!(held(&[hard, small]), Some(1));
        assert_eq!(held(&[hard]), Some(0));
    }
}
