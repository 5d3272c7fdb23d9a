//! Photographs with boxes: what is boxed in each, what its set is silent about, and which part it belongs to.

use serde::{Deserialize, Serialize};

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
            });
        }
    }
    Ok(photographs
        .into_iter()
        .map(|(_, photograph)| photograph)
        .collect())
}

/// A photograph of VOC, as if it were shrunk to a longer side of at most `longest`.
///
/// # Errors
/// What is wrong with it.
#[cfg(feature = "native")]
pub fn parse_voc(xml: &str, is_held_out: bool, longest: usize) -> Result<Photograph, String> {
    let document = roxmltree::Document::parse(xml).map_err(|e| e.to_string())?;
    let root = document.root_element();
    let text = |node: roxmltree::Node<'_, '_>, name: &str| -> Result<String, String> {
        let child = node.children().find(|child| child.has_tag_name(name));
        let text = child.and_then(|child| child.text());
        text.map(|text| text.trim().into())
            .ok_or(format!("no <{name}> in it"))
    };
    let number = |node: roxmltree::Node<'_, '_>, name: &str| -> Result<f32, String> {
        let text = text(node, name)?;
        text.parse().map_err(|_| format!("<{name}> is no number"))
    };
    let part = |node: roxmltree::Node<'_, '_>, name: &str| {
        let found = node.children().find(|child| child.has_tag_name(name));
        found
            .map(|found| found.id())
            .ok_or(format!("no <{name}> in it"))
    };
    let node = |id| document.get_node(id).expect("it was found there");
    let size = node(part(root, "size")?);
    let [width, height] = [number(size, "width")?, number(size, "height")?];
    if width < 1.0 || height < 1.0 {
        return Err("<size> is nothing".into());
    }
    let scale = (longest as f32 / width.max(height)).min(1.0);
    let [columns, rows] = [width, height].map(|side| (side * scale).round().max(1.0));
    let mut objects = Vec::new();
    for object in root.children().filter(|child| child.has_tag_name("object")) {
        let name = text(object, "name")?;
        let Some(class) = CLASSES.iter().position(|class| *class == name) else {
            continue;
        };
        let at = node(part(object, "bndbox")?);
        // Pixels are counted from 1, and the last belongs to the box.
        let corners = Corners {
            x0: number(at, "xmin")? - 1.0,
            y0: number(at, "ymin")? - 1.0,
            x1: number(at, "xmax")?,
            y1: number(at, "ymax")?,
        };
        objects.push(Labelled {
            class,
            box_in_image: corners
                .scale(columns / width, rows / height)
                .clip(columns, rows),
        });
    }
    Ok(Photograph {
        file: text(root, "filename")?,
        size: [columns as usize, rows as usize],
        objects,
        boxed: [true; CLASSES.len()],
        is_held_out,
    })
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
                {"image_id": 5, "category_id": 1, "bbox": [0, 0, 1, 1]}
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

    #[cfg(feature = "native")]
    const XML: &str = "<annotation><filename>000012.jpg</filename>\
        <size><width>640</width><height>333</height><depth>3</depth></size>\
        <object><name>car</name><difficult>0</difficult>\
        <bndbox><xmin>157</xmin><ymin>97</ymin><xmax>352</xmax><ymax>270</ymax></bndbox></object>\
        <object><name>sofa</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>\
        </annotation>";

    #[cfg(feature = "native")]
    #[test]
    fn voc_counts_pixels_from_one_and_boxes_all_classes() {
        let whole = parse_voc(XML, true, 1000).unwrap();
        assert_eq!((whole.size, &*whole.file), ([640, 333], "000012.jpg"));
        assert!(whole.is_held_out && whole.boxed == [true; CLASSES.len()]);
        let b = whole.objects[0].box_in_image;
        assert_eq!([b.x0, b.y0, b.x1, b.y1], [156.0, 96.0, 352.0, 270.0]);
        // Sofas are none of the nine classes.
        assert_eq!(whole.objects.len(), 1);
        let half = parse_voc(XML, false, 320).unwrap();
        assert_eq!(half.size, [320, 167]);
        assert!((half.objects[0].box_in_image.x1 - 176.0).abs() < 1e-3);
    }

    #[cfg(feature = "native")]
    #[test]
    fn what_is_missing_is_said() {
        let of = |from: &str, to: &str| parse_voc(&XML.replace(from, to), false, 320).unwrap_err();
        assert_eq!(of("<xmin>157</xmin>", ""), "no <xmin> in it");
        assert_eq!(of("640", "wide"), "<width> is no number");
        assert_eq!(of("640", "0"), "<size> is nothing");
        assert!(of("</annotation>", "").contains("never closed"));
    }
}
