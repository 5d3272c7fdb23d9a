//! Photographs with boxes: what is boxed in each, what its set is silent about, and which part it belongs to.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::maths::average_precision::Ignored;
use crate::maths::boxes::Corners;

/// The classes that detectors are trained on, from PASCAL VOC: those that the two packed sets box.
pub const CLASSES: [&str; 9] = [
    "person", "car", "bus", "train", "cat", "dog", "sheep", "horse", "cow",
];

/// An object in a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Labelled {
    /// Index into [`CLASSES`].
    pub class: usize,
    /// In pixels of the photograph.
    pub box_in_image: Corners,
    /// Why it does not count, where its set marks it so: nobody has to find it, and what would learn it learns nothing.
    #[serde(default)]
    pub ignored: Option<Ignored>,
}

impl Labelled {
    /// An object whose left, upper, right and lower edges are scaled, across and down, and cut at the edges of a photograph of
    /// that size.
    pub fn within(
        class: usize,
        [x0, y0, x1, y1]: [f32; 4],
        [across, down]: [f32; 2],
        [width, height]: [f32; 2],
    ) -> Self {
        let box_in_image = Corners { x0, y0, x1, y1 };
        Self {
            class,
            box_in_image: box_in_image.scale(across, down).clip(width, height),
            ignored: None,
        }
    }
}

/// A photograph of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Photograph {
    /// Its file, below the set's folder.
    pub file: String,
    /// Columns and rows.
    pub size: [usize; 2],
    /// What is boxed in it.
    pub objects: Vec<Labelled>,
    /// Which of [`CLASSES`] its set boxes, and boxes wholly in this photograph. About the others the set is silent: they may
    /// be there without a box, so that nothing may be learned from their absence (as in federated sets: Gupta, Dollár and
    /// Girshick 2019, "LVIS").
    pub boxed: [bool; CLASSES.len()],
    /// Whether it is kept for measuring.
    pub is_held_out: bool,
}

#[derive(Deserialize)]
struct Coco {
    categories: Vec<Category>,
    images: Vec<Image>,
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Category {
    id: u64,
    name: String,
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    file_name: String,
    width: usize,
    height: usize,
    split: String,
    /// Some animals of the set have no box.
    #[serde(default = "yes")]
    boxes_complete: bool,
    /// Its name in the other set, where it is in that as well, with other classes.
    also_in_voc_animals: Option<String>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    category_id: u64,
    /// Left, top, width, height.
    bbox: [f32; 4],
    #[serde(default)]
    iscrowd: Value,
    /// VOC's mark, as annotations in COCO's form have it: by one name or the other.
    #[serde(default)]
    ignore: Value,
    #[serde(default)]
    difficult: Value,
}

impl Annotation {
    fn ignored(&self) -> Option<Ignored> {
        // A number as a rule; some write a truth value.
        let is = |mark: &Value| {
            mark.as_bool()
                .unwrap_or(mark.as_f64().is_some_and(|of| of != 0.0))
        };
        if is(&self.iscrowd) {
            return Some(Ignored::Crowd);
        }
        (is(&self.ignore) || is(&self.difficult)).then_some(Ignored::Difficult)
    }
}

/// Reads annotations in COCO's form, with a `split` of `train` or `val` for each picture. Photographs that are in another
/// set as well are left out. Classes that are none of [`CLASSES`] are, too.
///
/// # Errors
/// What is wrong with the JSON.
pub fn parse(json: &[u8]) -> Result<Vec<Photograph>, serde_json::Error> {
    let coco: Coco = serde_json::from_slice(json)?;
    let class_of = |id: u64| {
        let category = coco.categories.iter().find(|category| category.id == id)?;
        CLASSES.iter().position(|class| *class == category.name)
    };
    let known: Vec<Option<usize>> = coco
        .categories
        .iter()
        .map(|category| class_of(category.id))
        .collect();
    let mut photographs: Vec<(u64, Photograph)> = Vec::new();
    for image in &coco.images {
        if image.also_in_voc_animals.is_some() {
            continue;
        }
        let boxed =
            std::array::from_fn(|class| image.boxes_complete && known.contains(&Some(class)));
        let photograph = Photograph {
            file: image.file_name.clone(),
            size: [image.width, image.height],
            objects: Vec::new(),
            boxed,
            is_held_out: image.split != "train",
        };
        photographs.push((image.id, photograph));
    }
    photographs.sort_by_key(|(id, _)| *id);
    for annotation in &coco.annotations {
        let found = photographs.binary_search_by_key(&annotation.image_id, |(id, _)| *id);
        if let (Ok(index), Some(class)) = (found, class_of(annotation.category_id)) {
            let photograph = &mut photographs[index].1;
            let [x, y, width, height] = annotation.bbox;
            let [columns, rows] = photograph.size.map(|side| side as f32);
            let whole = Corners {
                x0: x,
                y0: y,
                x1: x + width,
                y1: y + height,
            };
            photograph.objects.push(Labelled {
                class,
                box_in_image: whole.clip(columns, rows),
                ignored: annotation.ignored(),
            });
        }
    }
    Ok(photographs
        .into_iter()
        .map(|(_, photograph)| photograph)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_find_their_photographs_and_silence_is_kept() {
        let json = br#"{
            "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}, {"id": 3, "name": "sofa"}],
            "images": [
                {"id": 9, "file_name": "b.jpg", "width": 100, "height": 50, "split": "val", "boxes_complete": false},
                {"id": 4, "file_name": "a.jpg", "width": 320, "height": 200, "split": "train"},
                {"id": 5, "file_name": "c.jpg", "width": 320, "height": 200, "split": "train", "also_in_voc_animals": "2007_1"}
            ],
            "annotations": [
                {"image_id": 4, "category_id": 2, "bbox": [10, 20, 30, 40]},
                {"image_id": 9, "category_id": 1, "bbox": [90, 40, 30, 40]},
                {"image_id": 4, "category_id": 3, "bbox": [0, 0, 1, 1]},
                {"image_id": 5, "category_id": 1, "bbox": [0, 0, 1, 1]},
                {"image_id": 9, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 0, "ignore": 1},
                {"image_id": 9, "category_id": 1, "bbox": [0, 0, 9, 9], "ignore": false, "difficult": true},
                {"image_id": 9, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 1}
            ]
        }"#;
        let photographs = parse(json).expect("a set");
        let files: Vec<&str> = photographs
            .iter()
            .map(|photograph| &*photograph.file)
            .collect();
        assert_eq!(files, ["a.jpg", "b.jpg"]);
        let [a, b] = [&photographs[0], &photographs[1]];
        assert_eq!((a.is_held_out, b.is_held_out), (false, true));
        assert_eq!(a.objects.len(), 1);
        assert_eq!(CLASSES[a.objects[0].class], "cat");
        let [x0, y0, x1, y1] = [10.0, 20.0, 40.0, 60.0];
        assert_eq!(a.objects[0].box_in_image, Corners { x0, y0, x1, y1 });
        // Cut at the edge.
        assert_eq!(b.objects[0].box_in_image.x1, 100.0);
        let marks: Vec<_> = b.objects.iter().map(|object| object.ignored).collect();
        let (difficult, crowd) = (Some(Ignored::Difficult), Some(Ignored::Crowd));
        assert_eq!(marks, [None, difficult, difficult, crowd]);
        // Cats and dogs are boxed, persons are not; where boxes are missing nothing is.
        let boxed: Vec<&str> = CLASSES
            .into_iter()
            .zip(a.boxed)
            .filter(|(_, boxed)| *boxed)
            .map(|(class, _)| class)
            .collect();
        assert_eq!(boxed, ["cat", "dog"]);
        assert_eq!(b.boxed, [false; 9]);
        assert!(parse(b"[]").is_err());
    }
}
