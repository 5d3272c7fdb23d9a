//! Sets of photographs in PASCAL VOC's own layout.

use std::fs;
use std::path::Path;

use super::Opened;
use crate::command::print;
use crate::data::photographs::{CLASSES, Labelled, Photograph};
use crate::maths::average_precision::Ignored;
use crate::models::detect::SIDE;

/// What a set of VOC's own layout has: a file for each photograph, the photographs, and lists of their names.
const PARTS: [&str; 3] = ["Annotations", "JPEGImages", "ImageSets/Main"];

/// Whether a folder is such a set.
pub fn is_one(path: &Path) -> bool {
    PARTS.iter().all(|part| path.join(part).is_dir())
}

/// The photographs of a set, shrunk to the square that networks see.
///
/// # Errors
/// Where a file cannot be read, or is none of VOC's: a sentence.
pub fn open(path: &Path) -> Result<Vec<Opened>, String> {
    let unread = |file: &Path, error: &dyn std::fmt::Display| {
        format!("{} cannot be read: {error}", print::shown(file))
    };
    let [annotations, pictures, lists] = PARTS.map(|part| path.join(part));
    let listed = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(lists.join(format!("{name}.txt"))).unwrap_or_default();
        text.split_whitespace().map(Into::into).collect()
    };
    let part_of = |names: [&str; 2]| {
        names
            .iter()
            .flat_map(|name| listed(name))
            .collect::<Vec<_>>()
    };
    let (train, held_out) = (listed("train"), part_of(["val", "test"]));
    let names = train.iter().map(|name| (name, false));
    let names = names.chain(held_out.iter().map(|name| (name, true)));
    let mut opened = Vec::new();
    for (name, is_held_out) in names {
        let file = annotations.join(format!("{name}.xml"));
        let xml = fs::read_to_string(&file).map_err(|e| unread(&file, &e))?;
        let photograph = parse(&xml, is_held_out, SIDE).map_err(|e| unread(&file, &e))?;
        let file = pictures.join(&photograph.file);
        let bytes = fs::read(&file).map_err(|e| unread(&file, &e))?;
        opened.push(Opened { photograph, bytes });
    }
    Ok(opened)
}

/// A photograph of VOC, as if it were shrunk to a longer side of at most `longest`.
///
/// # Errors
/// What is wrong with it.
fn parse(xml: &str, is_held_out: bool, longest: usize) -> Result<Photograph, String> {
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
        let edges = [
            number(at, "xmin")? - 1.0,
            number(at, "ymin")? - 1.0,
            number(at, "xmax")?,
            number(at, "ymax")?,
        ];
        let scale = [columns / width, rows / height];
        // Years that do not mark them say nothing.
        let is_difficult = text(object, "difficult").is_ok_and(|mark| mark != "0");
        objects.push(Labelled {
            ignored: is_difficult.then_some(Ignored::Difficult),
            ..Labelled::within(class, edges, scale, [columns, rows])
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

    const XML: &str = "<annotation><filename>000012.jpg</filename>\
        <size><width>640</width><height>333</height><depth>3</depth></size>\
        <object><name>car</name><difficult>0</difficult>\
        <bndbox><xmin>157</xmin><ymin>97</ymin><xmax>352</xmax><ymax>270</ymax></bndbox></object>\
        <object><name>sofa</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>\
        </annotation>";

    #[test]
    fn voc_counts_pixels_from_one_and_boxes_all_classes() {
        let whole = parse(XML, true, 1000).unwrap();
        assert_eq!((whole.size, &*whole.file), ([640, 333], "000012.jpg"));
        assert!(whole.is_held_out && whole.boxed == [true; CLASSES.len()]);
        let b = whole.objects[0].box_in_image;
        assert_eq!([b.x0, b.y0, b.x1, b.y1], [156.0, 96.0, 352.0, 270.0]);
        // Sofas are none of the nine classes.
        assert_eq!(whole.objects.len(), 1);
        assert_eq!(whole.objects[0].ignored, None);
        let marked = XML.replace("<difficult>0", "<difficult>1");
        let marked = parse(&marked, true, 1000).unwrap();
        assert_eq!(marked.objects[0].ignored, Some(Ignored::Difficult));
        let unmarked = parse(&XML.replace("<difficult>0</difficult>", ""), true, 1000).unwrap();
        assert_eq!(unmarked.objects, whole.objects);
        let half = parse(XML, false, 320).unwrap();
        assert_eq!(half.size, [320, 167]);
        assert!((half.objects[0].box_in_image.x1 - 176.0).abs() < 1e-3);
    }

    #[test]
    fn what_is_missing_is_said() {
        let of = |from: &str, to: &str| parse(&XML.replace(from, to), false, 320).unwrap_err();
        assert_eq!(of("<xmin>157</xmin>", ""), "no <xmin> in it");
        assert_eq!(of("640", "wide"), "<width> is no number");
        assert_eq!(of("640", "0"), "<size> is nothing");
        assert!(of("</annotation>", "").contains("never closed"));
    }
}
