//! What a backbone makes of photographs, kept in a file: it stands still while heads learn on its maps.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::mpsc;

use burn::tensor::{Device, Tensor, TensorData, f16};
use serde::{Deserialize, Serialize};

use super::Opened;
use crate::command::{print, read_now};
use crate::data::photographs::{CLASSES, Labelled};
use crate::data::views::Change;
use crate::engine::weights::sha256_hex;
use crate::maths::boxes::Corners;
use crate::models::detect::SIDE;
use crate::models::detect::backbone::{Backbone, CHANNELS, STRIDES, to_grid};
use crate::protocol::failure::Failure;
use crate::protocol::picture::rgb_of;
use crate::train::detector::Views;

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
            proposals: Vec::new(),
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

    fn proposals(&self, index: usize) -> &[Corners] {
        &self.items[index].proposals
    }
}
