//! What a backbone makes of photographs, kept in a file: it stands still while heads learn on its maps.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData, f16};
use serde::{Deserialize, Serialize};

use super::Opened;
use super::fill::fill;
use crate::command::{print, read_now};
use crate::data::photographs::{CLASSES, Labelled};
use crate::data::views::Change;
use crate::engine::weights::sha256_hex;
use crate::maths::boxes::Corners;
use crate::models::detect::SIDE;
use crate::models::detect::backbone::{Backbone, CHANNELS, STRIDES, to_grid};
use crate::models::detect::overfeat;
use crate::protocol::failure::Failure;
use crate::protocol::picture::{Picture, rgb_of};
use crate::train::detector::{Views, scaled};

/// Which maps are kept of a view: the side of the square that the view is laid into, in pixels, and the backbone's map of it,
/// counted from fine to coarse. Neighbours of the same square share a forward pass.
pub type Layout<const MAPS: usize> = [(usize, usize); MAPS];

/// The three maps of the square that most families read.
pub const ONE_SQUARE: Layout<3> = [(SIDE, 0), (SIDE, 1), (SIDE, 2)];

/// The coarsest map of each of the squares that OverFeat reads.
pub const SCALES: Layout<{ overfeat::SCALES.len() }> = {
    let mut layout = [(0, 2); overfeat::SCALES.len()];
    let mut scale = 0;
    while scale < layout.len() {
        layout[scale].0 = overfeat::SCALES[scale];
        scale += 1;
    }
    layout
};

/// Cells and channels of a map.
fn shape((side, map): (usize, usize)) -> (usize, usize) {
    ((side / STRIDES[map]).pow(2), CHANNELS[map])
}

/// Bytes of a view in the file.
fn bytes_of_view(layout: &[(usize, usize)]) -> usize {
    let numbers = layout.iter().map(|&of| {
        let (cells, channels) = shape(of);
        cells * channels
    });
    2 * numbers.sum::<usize>()
}

/// Views of a forward pass.
const TOGETHER: usize = 4;

/// What is known of a view.
#[derive(Serialize, Deserialize)]
struct Item {
    /// In pixels of the square.
    objects: Vec<Labelled>,
    boxed: [bool; CLASSES.len()],
    size: [f32; 2],
    /// In pixels of the square; not kept in the file.
    #[serde(skip)]
    proposals: Vec<Corners>,
}

/// The views of a file.
#[derive(Serialize, Deserialize)]
struct Index {
    /// Of what they are: backbone, photographs, versions, seed.
    of: String,
    items: Vec<Item>,
}

/// The maps of many views, on disk: they are read as a step needs them.
pub struct Kept<const MAPS: usize = 3> {
    layout: Layout<MAPS>,
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

/// What makes features of photographs, and where they are kept.
pub struct Maker<'a> {
    /// The network.
    pub backbone: &'a Backbone,
    /// Its digest: features of another are no good.
    pub of: &'a str,
    /// Decides what is drawn at random.
    pub seed: u32,
    /// A folder.
    pub cache: &'a Path,
}

impl Maker<'_> {
    /// Makes the maps of the photographs, `versions` of each (as it is; mirrored; then drawn changes), or finds them made
    /// already. `layout` says which maps; `name` tells parts of a set, and layouts, apart.
    ///
    /// # Errors
    /// Where a photograph or the folder of the cache cannot be read or written: a sentence.
    pub fn maps<const MAPS: usize>(
        &self,
        photographs: &[&Opened],
        layout: Layout<MAPS>,
        versions: usize,
        name: &str,
    ) -> Result<Kept<MAPS>, String> {
        maps(self, photographs, layout, versions, name)
    }
}

fn maps<const MAPS: usize>(
    maker: &Maker<'_>,
    photographs: &[&Opened],
    layout: Layout<MAPS>,
    versions: usize,
    name: &str,
) -> Result<Kept<MAPS>, String> {
    let Maker {
        backbone,
        of,
        seed,
        cache,
    } = *maker;
    // With their marks: maps that were made before a set had any know of none.
    let marked = |opened: &&Opened| {
        let objects = opened.photograph.objects.iter().enumerate();
        let ignored = objects.filter_map(|(at, object)| Some(format!("{at}{:?}", object.ignored?)));
        opened.photograph.file.clone() + &ignored.collect::<String>()
    };
    let files: String = photographs.iter().map(marked).collect();
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
        fs::metadata(&data)
            .is_ok_and(|file| file.len() == (index.items.len() * bytes_of_view(&layout)) as u64)
    };
    if let Some(known) = known.filter(|known| known.of == of && is_whole(known)) {
        return Kept::open(layout, known, &data);
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
    // Until the file is whole nothing says what it holds.
    if index.exists() {
        fs::remove_file(&index)
            .map_err(|e| format!("{} cannot be written: {e}", print::shown(&index)))?;
    }
    let made = make(&wanted, backbone, &layout, &data)?;
    let index_of = Index { of, items: made };
    let json = serde_json::to_vec(&index_of).expect("plain data");
    fs::write(&index, json)
        .map_err(|e| format!("{} cannot be written: {e}", print::shown(&index)))?;
    Kept::open(layout, index_of, &data)
}

/// Writes the maps of all views.
fn make(
    wanted: &[Wanted<'_>],
    backbone: &Backbone,
    layout: &[(usize, usize)],
    data: &Path,
) -> Result<Vec<Item>, String> {
    let groups: Vec<&[Wanted<'_>]> = wanted.chunks(TOGETHER).collect();
    let bytes_of_group = TOGETHER * bytes_of_view(layout);
    fill(
        data,
        groups.len(),
        backbone,
        |number| number * bytes_of_group,
        |number, backbone| of_group(groups[number], backbone, layout),
        |done| {
            if done * TOGETHER % 1000 < TOGETHER {
                print::note(format!("{} of {} views", done * TOGETHER, wanted.len()));
            }
        },
    )?;
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
            proposals: Vec::new(),
        }
    };
    Ok(wanted.iter().map(item).collect())
}

/// The maps of some views, a view after the other.
fn of_group(
    group: &[Wanted<'_>],
    backbone: &Backbone,
    layout: &[(usize, usize)],
) -> Result<Vec<u8>, String> {
    let mut pictures = Vec::with_capacity(group.len());
    for wanted in group {
        let picture = wanted.opened.picture();
        let file = &wanted.opened.photograph.file;
        pictures.push(picture.map_err(|_| format!("{file} is no picture."))?);
    }
    let mut maps: Vec<Vec<f16>> = Vec::with_capacity(layout.len());
    for of_square in layout.chunk_by(|a, b| a.0 == b.0) {
        let side = of_square[0].0;
        let mut planes = Vec::with_capacity(group.len() * 3 * side * side);
        for (wanted, picture) in group.iter().zip(&pictures) {
            planes.extend(wanted.paint(picture, side));
        }
        let shape = [group.len(), 3, side, side];
        let images = Tensor::<4>::from_data(TensorData::new(planes, shape), &Device::flex());
        let of_backbone = backbone.forward(images);
        for &(_, map) in of_square {
            // A view after the other.
            let grid = to_grid(of_backbone[map].clone()).swap_dims(0, 1);
            let numbers = read_now(grid).into_iter();
            maps.push(numbers.map(f16::from_f32).collect());
        }
    }
    let mut bytes = Vec::with_capacity(group.len() * bytes_of_view(layout));
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

impl Wanted<'_> {
    /// The view in a square of any side, of which the one of [`SIDE`] pixels is the measure: three planes of
    /// `(x - 127) / 128`.
    fn paint(&self, picture: &Picture, side: usize) -> Vec<f32> {
        let size = [picture.width, picture.height];
        if side == SIDE {
            return self.change.paint(&rgb_of(&picture.rgba), size, side);
        }
        // Resized first, as a lab does it: shrinking averages what a drawn change would skip.
        let share = side as f32 / SIDE as f32;
        let change = Change {
            corner: self.change.corner.map(|at| at * share),
            ..self.change
        };
        let Picture {
            width,
            height,
            rgba,
        } = scaled(picture, side);
        change.paint(&rgb_of(&rgba), [width, height], side)
    }
}

impl<const MAPS: usize> Kept<MAPS> {
    /// With the proposals of each photograph, in its pixels, as its views see them. Photographs, versions and seed are those of
    /// [`maps`].
    pub fn with_proposals(
        mut self,
        photographs: &[&Opened],
        found: &[Vec<Corners>],
        versions: usize,
        seed: u32,
    ) -> Self {
        let mut items = self.items.iter_mut();
        for (number, (opened, found)) in photographs.iter().zip(found).enumerate() {
            let as_objects: Vec<Labelled> = found
                .iter()
                .map(|&box_in_image| Labelled {
                    class: 0,
                    box_in_image,
                    ignored: None,
                })
                .collect();
            let changes = Change::of(opened.photograph.size, SIDE, seed, number);
            for (change, item) in changes.take(versions).zip(&mut items) {
                let moved = change.move_all(&as_objects, SIDE);
                item.proposals = moved.into_iter().map(|of| of.box_in_image).collect();
            }
        }
        self
    }

    fn open(layout: Layout<MAPS>, index: Index, data: &Path) -> Result<Self, String> {
        let file =
            File::open(data).map_err(|e| format!("{} cannot be read: {e}", print::shown(data)))?;
        Ok(Self {
            layout,
            items: index.items,
            file: RefCell::new(file),
            path: print::shown(data),
        })
    }

    fn read(&self, index: u32) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; bytes_of_view(&self.layout)];
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(u64::from(index) * bytes.len() as u64))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl<const MAPS: usize> Views<MAPS> for Kept<MAPS> {
    fn count(&self) -> usize {
        self.items.len()
    }

    fn maps(&self, indices: &[u32], device: &Device) -> Result<[Tensor<3>; MAPS], Failure> {
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
            let (cells, channels) = shape(self.layout[map]);
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

    fn proposals(&self, index: usize) -> &[Corners] {
        &self.items[index].proposals
    }
}
