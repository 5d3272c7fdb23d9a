//! Sets of photographs on disk, and what a backbone makes of them, kept in a file.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use burn::tensor::{Device, Tensor, TensorData, f16};
use serde::{Deserialize, Serialize};

use crate::data::photographs::{CLASSES, Labelled, Photograph, parse};
use crate::data::views::Change;
use crate::engine::native_host::decode_picture;
use crate::engine::weights::sha256_hex;
use crate::models::detect::SIDE;
use crate::models::detect::backbone::{Backbone, CHANNELS, STRIDES, to_grid};
use crate::protocol::failure::Failure;
use crate::protocol::picture::{Picture, rgb_of};
use crate::train::detector::{Views, fitted};

use super::{print, read_now};

/// What a set of VOC's own layout has: a file for each photograph, the photographs, and lists of their names.
const VOC: [&str; 3] = ["Annotations", "JPEGImages", "ImageSets/Main"];
/// The file of a set that says what is in its photographs.
const ANNOTATIONS: &str = "annotations.json";
/// Numbers of the three maps of a view.
const NUMBERS: usize = {
    let mut sum = 0;
    let mut map = 0;
    while map < 3 {
        let side = SIDE / STRIDES[map];
        sum += side * side * CHANNELS[map];
        map += 1;
    }
    sum
};
/// Bytes of a view in the file.
const BYTES: usize = 2 * NUMBERS;
/// Views of a forward pass.
const TOGETHER: usize = 4;

/// A photograph with its file's bytes.
pub struct Opened {
    /// What is known of it.
    pub photograph: Photograph,
    /// Its file.
    pub bytes: Vec<u8>,
}

impl Opened {
    /// Its picture, as large as the photograph is said to be.
    ///
    /// # Errors
    /// Where the file is no picture.
    pub fn picture(&self) -> Result<Picture, Failure> {
        let picture = decode_picture(&self.bytes)?;
        Ok(fitted(picture, self.photograph.size))
    }
}

/// All photographs of the sets in a folder: `NAME.tar`, or `NAME/` with the same inside, with `annotations.json` and the
/// pictures that it names; or `NAME/` in VOC's own layout, as `VOCdevkit/VOC2007` is. The folder itself may be such a set.
///
/// # Errors
/// Where there is none, or one cannot be read: a sentence.
pub fn open(folder: &Path) -> Result<Vec<Opened>, String> {
    let shown = print::shown(folder);
    let unread = |error: &dyn std::fmt::Display| format!("{shown} cannot be read: {error}");
    let entries = fs::read_dir(folder).map_err(|e| unread(&e))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    // The folder that is named may be the set.
    paths.push(folder.into());
    let mut opened = Vec::new();
    for path in &paths {
        if VOC.iter().all(|part| path.join(part).is_dir()) {
            opened.extend(of_voc(path)?);
            continue;
        }
        let files = if path.extension().is_some_and(|end| end == "tar") {
            of_tar(path).map_err(|e| unread(&e))?
        } else if path.join(ANNOTATIONS).is_file() {
            of_folder(path).map_err(|e| unread(&e))?
        } else {
            continue;
        };
        let Some(json) = files.get(ANNOTATIONS) else {
            continue;
        };
        let photographs = match parse(json) {
            Ok(photographs) => photographs,
            // A set of another kind, such as captions.
            Err(_) if !has_classes(json) => {
                print::note(format!(
                    "{}: no classes in it, left out",
                    print::shown(path)
                ));
                continue;
            }
            Err(error) => {
                return Err(format!(
                    "{}: {ANNOTATIONS} cannot be read: {error}.",
                    print::shown(path)
                ));
            }
        };
        for photograph in photographs {
            let bytes = files.get(&photograph.file).cloned();
            let bytes = bytes.ok_or_else(|| {
                format!("{}: {} is missing.", print::shown(path), photograph.file)
            })?;
            opened.push(Opened { photograph, bytes });
        }
    }
    if opened.is_empty() {
        return Err(format!(
            "{shown} has no set of photographs: put one there as NAME.tar or NAME/, with {ANNOTATIONS} in COCO's form."
        ));
    }
    Ok(opened)
}

/// Whether annotations speak of classes at all.
fn has_classes(json: &[u8]) -> bool {
    let value: Option<serde_json::Value> = serde_json::from_slice(json).ok();
    value.is_none_or(|value| value.get("categories").is_some())
}

type Files = HashMap<String, Vec<u8>>;

fn of_tar(path: &Path) -> std::io::Result<Files> {
    let mut archive = tar::Archive::new(File::open(path)?);
    let mut files = Files::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.components().skip(1).collect::<PathBuf>();
        let is_wanted =
            name == Path::new(ANNOTATIONS) || name.extension().is_some_and(|end| end == "jpg");
        if is_wanted {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            files.insert(name.to_string_lossy().into_owned(), bytes);
        }
    }
    Ok(files)
}

/// A set in VOC's own layout. Photographs are shrunk to the square that networks see; objects that are marked as difficult
/// count like all others.
fn of_voc(path: &Path) -> Result<Vec<Opened>, String> {
    let unread = |file: &Path, error: &dyn std::fmt::Display| {
        format!("{} cannot be read: {error}", print::shown(file))
    };
    let [annotations, pictures, lists] = VOC.map(|part| path.join(part));
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
        let photograph = parse_voc(&xml, is_held_out, SIDE).map_err(|e| unread(&file, &e))?;
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
fn parse_voc(xml: &str, is_held_out: bool, longest: usize) -> Result<Photograph, String> {
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
        objects.push(Labelled::within(class, edges, scale, [columns, rows]));
    }
    Ok(Photograph {
        file: text(root, "filename")?,
        size: [columns as usize, rows as usize],
        objects,
        boxed: [true; CLASSES.len()],
        is_held_out,
    })
}

fn of_folder(path: &Path) -> std::io::Result<Files> {
    let json = fs::read(path.join(ANNOTATIONS))?;
    let mut files = Files::new();
    for photograph in parse(&json).unwrap_or_default() {
        let bytes = fs::read(path.join(&photograph.file))?;
        files.insert(photograph.file, bytes);
    }
    files.insert(ANNOTATIONS.into(), json);
    Ok(files)
}

/// What is known of a view.
#[derive(Serialize, Deserialize)]
struct Item {
    /// In pixels of the square.
    objects: Vec<Labelled>,
    boxed: [bool; CLASSES.len()],
    size: [f32; 2],
}

/// The views of a file.
#[derive(Serialize, Deserialize)]
struct Index {
    /// Of what they are: backbone, photographs, versions, seed.
    of: String,
    items: Vec<Item>,
}

/// The maps of many views, on disk: they are read as a step needs them.
pub struct Kept {
    items: Vec<Item>,
    file: RefCell<File>,
    /// The file, as it is shown.
    path: String,
}

/// A view that is to be made.
struct Wanted<'a> {
    opened: &'a Opened,
    change: Change,
}

/// Makes the maps of the photographs, `versions` of each (as it is; mirrored; then drawn changes), or finds them made
/// already. `name` tells parts of a set apart.
///
/// # Errors
/// Where a photograph or the folder of the cache cannot be read or written: a sentence.
pub fn maps(
    photographs: &[&Opened],
    backbone: &Backbone,
    of: &str,
    versions: usize,
    seed: u32,
    cache: &Path,
    name: &str,
) -> Result<Kept, String> {
    let files: String = photographs
        .iter()
        .map(|opened| &*opened.photograph.file)
        .collect();
    let of = format!("{of} {versions} {seed} {}", sha256_hex(files.as_bytes()));
    fs::create_dir_all(cache)
        .map_err(|e| format!("{} cannot be made: {e}", print::shown(cache)))?;
    let (data, index) = (
        cache.join(format!("{name}.maps")),
        cache.join(format!("{name}.json")),
    );
    let known = fs::read(&index)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Index>(&bytes).ok());
    let is_whole = |index: &Index| {
        fs::metadata(&data).is_ok_and(|file| file.len() == (index.items.len() * BYTES) as u64)
    };
    if let Some(known) = known.filter(|known| known.of == of && is_whole(known)) {
        return Kept::open(known, &data);
    }
    let mut wanted = Vec::new();
    for (number, opened) in photographs.iter().enumerate() {
        let changes = Change::of(opened.photograph.size, SIDE, seed, number);
        wanted.extend(
            changes
                .take(versions)
                .map(|change| Wanted { opened, change }),
        );
    }
    let made = make(&wanted, backbone, &data)?;
    let index_of = Index { of, items: made };
    let json = serde_json::to_vec(&index_of).expect("plain data");
    fs::write(&index, json)
        .map_err(|e| format!("{} cannot be written: {e}", print::shown(&index)))?;
    Kept::open(index_of, &data)
}

/// Writes the maps of all views, on as many threads as there are processors.
fn make(wanted: &[Wanted<'_>], backbone: &Backbone, data: &Path) -> Result<Vec<Item>, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let unwritten = |e: std::io::Error| format!("{} cannot be written: {e}", print::shown(data));
    let mut file = File::create(data).map_err(unwritten)?;
    let (send, receive) = mpsc::sync_channel::<Result<(usize, Vec<u8>), String>>(4 * threads);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let send = send.clone();
            let backbone = backbone.clone();
            scope.spawn(move || {
                for (number, group) in wanted
                    .chunks(TOGETHER)
                    .enumerate()
                    .skip(thread)
                    .step_by(threads)
                {
                    let made = of_group(group, &backbone).map(|bytes| (number, bytes));
                    let failed = made.is_err();
                    if send.send(made).is_err() || failed {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut done = 0;
        for made in receive {
            let (number, bytes) = made?;
            file.seek(SeekFrom::Start((number * TOGETHER * BYTES) as u64))
                .map_err(unwritten)?;
            file.write_all(&bytes).map_err(unwritten)?;
            done += bytes.len() / BYTES;
            if done % 1000 < TOGETHER {
                print::note(format!("{done} of {} views", wanted.len()));
            }
        }
        Ok::<(), String>(())
    })?;
    let item = |wanted: &Wanted<'_>| {
        let photograph = &wanted.opened.photograph;
        let objects = wanted.change.move_all(&photograph.objects, SIDE);
        let size = match wanted.change == Change::NONE {
            true => photograph.size.map(|side| (side.min(SIDE)) as f32),
            false => [SIDE as f32; 2],
        };
        Item {
            objects,
            boxed: photograph.boxed,
            size,
        }
    };
    Ok(wanted.iter().map(item).collect())
}

fn of_group(group: &[Wanted<'_>], backbone: &Backbone) -> Result<Vec<u8>, String> {
    let mut planes = Vec::with_capacity(group.len() * 3 * SIDE * SIDE);
    for wanted in group {
        let photograph = &wanted.opened.photograph;
        let picture = wanted
            .opened
            .picture()
            .map_err(|_| format!("{} is no picture.", photograph.file))?;
        planes.extend(wanted.change.paint(
            &rgb_of(&picture.rgba),
            [picture.width, picture.height],
            SIDE,
        ));
    }
    let shape = [group.len(), 3, SIDE, SIDE];
    let images = Tensor::<4>::from_data(TensorData::new(planes, shape), &Device::flex());
    let maps = backbone.forward(images).map(|map| {
        // A view after the other.
        let grid = to_grid(map).swap_dims(0, 1);
        let numbers = read_now(grid).into_iter();
        numbers.map(f16::from_f32).collect::<Vec<f16>>()
    });
    let mut bytes = Vec::with_capacity(group.len() * BYTES);
    for view in 0..group.len() {
        for map in &maps {
            let each = map.len() / group.len();
            bytes.extend(
                map[view * each..(view + 1) * each]
                    .iter()
                    .flat_map(|value| value.to_le_bytes()),
            );
        }
    }
    Ok(bytes)
}

impl Kept {
    fn open(index: Index, data: &Path) -> Result<Self, String> {
        let file =
            File::open(data).map_err(|e| format!("{} cannot be read: {e}", print::shown(data)))?;
        Ok(Self {
            items: index.items,
            file: RefCell::new(file),
            path: print::shown(data),
        })
    }

    fn read(&self, index: u32) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; BYTES];
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(u64::from(index) * BYTES as u64))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Views for Kept {
    fn count(&self) -> usize {
        self.items.len()
    }

    fn maps(&self, indices: &[u32], device: &Device) -> Result<[Tensor<3>; 3], Failure> {
        let views = indices
            .iter()
            .map(|&index| self.read(index))
            .collect::<Result<Vec<_>, _>>();
        let views = views.map_err(|error| Failure::Unreadable {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        let mut first = 0;
        Ok(std::array::from_fn(|map| {
            let (cells, channels) = ((SIDE / STRIDES[map]).pow(2), CHANNELS[map]);
            let mut values = Vec::with_capacity(cells * views.len() * channels);
            for cell in 0..cells {
                for view in &views {
                    let start = 2 * (first + cell * channels);
                    let numbers = view[start..start + 2 * channels].as_chunks::<2>().0;
                    values.extend(
                        numbers
                            .iter()
                            .map(|&bytes| f16::from_le_bytes(bytes).to_f32()),
                    );
                }
            }
            first += cells * channels;
            Tensor::from_data(
                TensorData::new(values, [cells, views.len(), channels]),
                device,
            )
        }))
    }

    fn objects(&self, index: usize) -> &[Labelled] {
        &self.items[index].objects
    }

    fn boxed(&self, index: usize) -> [bool; CLASSES.len()] {
        self.items[index].boxed
    }

    fn size(&self, index: usize) -> [f32; 2] {
        self.items[index].size
    }
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

    #[test]
    fn what_is_missing_is_said() {
        let of = |from: &str, to: &str| parse_voc(&XML.replace(from, to), false, 320).unwrap_err();
        assert_eq!(of("<xmin>157</xmin>", ""), "no <xmin> in it");
        assert_eq!(of("640", "wide"), "<width> is no number");
        assert_eq!(of("640", "0"), "<size> is nothing");
        assert!(of("</annotation>", "").contains("never closed"));
    }
}
