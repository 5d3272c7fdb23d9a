//! What the backbone says of single regions of photographs, each of which goes through it by itself, kept in a file: hours of
//! work for all of them, a quarter of an hour for those that teach something.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};

use burn::tensor::{Device, Tensor, TensorData, f16};

use super::fill::fill;
use super::{Maker, Opened};
use crate::command::{print, read_now};
use crate::data::photographs::Labelled;
use crate::engine::weights::sha256_hex;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::models::detect::backbone::Backbone;
use crate::models::detect::crops;
use crate::protocol::failure::Failure;
use crate::train::detector::Scene;
use crate::train::detector::region_features::{Regions, rows_of};
use crate::train::detector::svm::{CROP, Sheet};

/// Boxes of a photograph that go through the network: most that overlap an object well, and so many that touch one and that
/// hardly touch any.
const WELL: usize = 10;
const TOUCHING: usize = 14;
const APART: usize = 6;
/// Overlaps that part them.
const PARTED: [f32; 2] = [0.1, 0.5];
/// Crops of a forward pass.
const TOGETHER: usize = 16;
/// Bytes of a region in the file.
const BYTES: usize = 2 * crops::FEATURES;

/// Photographs, some of whose boxes went through the network by themselves. A file holds what it said: of each photograph of its
/// objects, then of the boxes that were chosen.
pub struct Cropped<'a> {
    photographs: Vec<&'a Opened>,
    /// Of each photograph.
    chosen: Vec<Vec<Corners>>,
    /// Regions before those of each photograph.
    before: Vec<usize>,
    file: RefCell<File>,
    /// The file, as it is shown.
    path: String,
}

/// Sends the objects and some of the `found` boxes of each photograph through the network, on all processors, or finds that it
/// was done already. `name` tells parts of a set apart.
///
/// # Errors
/// Where a photograph or the folder of the cache cannot be read or written: a sentence.
pub fn cropped<'a>(
    photographs: &[&'a Opened],
    found: &[Vec<Corners>],
    maker: &Maker<'_>,
    name: &str,
) -> Result<Cropped<'a>, String> {
    let Maker {
        backbone,
        of,
        seed,
        cache,
    } = *maker;
    let mut draws = Draws::new(seed, 1);
    let of_photograph = |(opened, found): (&&Opened, &Vec<Corners>)| {
        choose(found, &opened.photograph.objects, &mut draws)
    };
    let chosen: Vec<Vec<Corners>> = photographs.iter().zip(found).map(of_photograph).collect();
    let regions: Vec<Vec<Corners>> = photographs
        .iter()
        .zip(&chosen)
        .map(|(opened, chosen)| {
            let objects = opened.photograph.objects.iter();
            let objects = objects.map(|of| of.box_in_image);
            objects.chain(chosen.iter().copied()).collect()
        })
        .collect();
    let before = regions.iter().scan(0, |sum, regions| {
        let before = *sum;
        *sum += regions.len();
        Some(before)
    });
    let before: Vec<usize> = before.collect();
    let path = cache.join(format!("{name}.crops"));
    let known = cache.join(format!("{name}.crops.of"));
    let files = photographs.iter().map(|of| &*of.photograph.file);
    let boxes = regions.iter().flatten();
    let boxes = boxes.flat_map(|of| [of.x0, of.y0, of.x1, of.y1].map(f32::to_bits));
    let boxes: String = boxes.map(|bits| format!("{bits:x} ")).collect();
    let says = format!("{of} {CROP} {} {boxes}", files.collect::<String>());
    let says = sha256_hex(says.as_bytes());
    let shown = print::shown(&path);
    let count: usize = regions.iter().map(Vec::len).sum();
    let is_whole = fs::metadata(&path).is_ok_and(|file| file.len() == (count * BYTES) as u64);
    if !is_whole || fs::read_to_string(&known).ok().as_ref() != Some(&says) {
        let unwritten = |e: std::io::Error| format!("{shown} cannot be written: {e}");
        fs::create_dir_all(cache).map_err(unwritten)?;
        // Until the file is whole nothing says what it holds.
        if known.exists() {
            fs::remove_file(&known).map_err(unwritten)?;
        }
        fill(
            &path,
            photographs.len(),
            backbone,
            |index| before[index] * BYTES,
            |index, backbone| of_crops(photographs[index], &regions[index], backbone),
            |done| {
                if done % 500 == 0 {
                    print::note(format!("{done} of {} photographs", photographs.len()));
                }
            },
        )?;
        fs::write(&known, says).map_err(unwritten)?;
    }
    let file = File::open(&path).map_err(|e| format!("{shown} cannot be read: {e}"))?;
    Ok(Cropped {
        photographs: photographs.to_vec(),
        chosen,
        before,
        file: RefCell::new(file),
        path: shown,
    })
}

/// Boxes that teach something, in the order of the search.
fn choose(found: &[Corners], objects: &[Labelled], draws: &mut Draws) -> Vec<Corners> {
    let overlap = |of: &Corners| {
        let all = objects.iter().map(|object| object.box_in_image.iou(*of));
        all.fold(0.0, f32::max)
    };
    let mut left = [WELL, TOUCHING, APART];
    let mut chosen = Vec::new();
    // In an order that is drawn: the likeliest of the search are large.
    let mut order: Vec<usize> = (0..found.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, draws.below(at + 1));
    }
    for at in order {
        let overlap = overlap(&found[at]);
        let kind = PARTED.iter().rev().position(|least| overlap > *least);
        let kind = kind.unwrap_or(PARTED.len());
        if left[kind] > 0 {
            left[kind] -= 1;
            chosen.push(at);
        }
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|at| found[at]).collect()
}

fn of_crops(opened: &Opened, regions: &[Corners], backbone: &Backbone) -> Result<Vec<u8>, String> {
    let photograph = &opened.photograph;
    let picture = opened.picture();
    let picture = picture.map_err(|_| format!("{} is no picture.", photograph.file))?;
    let sheet = Sheet::of(&picture, photograph.size);
    let mut bytes = Vec::with_capacity(regions.len() * BYTES);
    for together in regions.chunks(TOGETHER) {
        let mut planes = Vec::with_capacity(together.len() * 3 * CROP * CROP);
        for &region in together {
            sheet.crop(region, &mut planes);
        }
        let shape = [together.len(), 3, CROP, CROP];
        let images = Tensor::from_data(TensorData::new(planes, shape), &Device::flex());
        let features = read_now(crops::read(backbone, images).features);
        bytes.extend(
            features
                .into_iter()
                .flat_map(|of| f16::from_f32(of).to_le_bytes()),
        );
    }
    Ok(bytes)
}

impl Cropped<'_> {
    /// The regions of a photograph from the first of `rows` to the last.
    fn read(&self, index: usize, [first, last]: [usize; 2]) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; (last + 1 - first) * BYTES];
        let mut file = self.file.borrow_mut();
        let at = (self.before[index] + first) * BYTES;
        file.seek(SeekFrom::Start(at as u64))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Regions for Cropped<'_> {
    fn count(&self) -> usize {
        self.photographs.len()
    }

    fn dims(&self) -> usize {
        crops::FEATURES
    }

    fn scene(&self, index: usize) -> Scene<'_> {
        let photograph = &self.photographs[index].photograph;
        Scene {
            objects: &photograph.objects,
            boxed: photograph.boxed,
            proposals: &self.chosen[index],
        }
    }

    fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, Failure> {
        let rows = rows_of(&self.scene(index), regions);
        let (Some(&first), Some(&last)) = (rows.iter().min(), rows.iter().max()) else {
            return Ok(Vec::new());
        };
        let bytes = self.read(index, [first, last]);
        let bytes = bytes.map_err(|error| Failure::Unreadable {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        let row = |row: usize| bytes[(row - first) * BYTES..][..BYTES].as_chunks::<2>().0;
        let numbers = rows.into_iter().flat_map(row);
        Ok(numbers
            .map(|&bytes| f16::from_le_bytes(bytes).to_f32())
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_a_little_of_everything() {
        let square = |x: f32| Corners {
            x0: x,
            y0: 0.0,
            x1: x + 100.0,
            y1: 100.0,
        };
        let objects = [Labelled {
            class: 1,
            box_in_image: square(0.0),
            ignored: None,
        }];
        let found: Vec<Corners> = (0..300).map(|x| square(x as f32)).collect();
        let chosen = choose(&found, &objects, &mut Draws::new(7, 1));
        let overlaps = chosen.iter().map(|of| of.iou(square(0.0)));
        let [mut well, mut touching, mut apart] = [0; 3];
        for overlap in overlaps {
            match overlap {
                _ if overlap > 0.5 => well += 1,
                _ if overlap > 0.1 => touching += 1,
                _ => apart += 1,
            }
        }
        assert_eq!([well, touching, apart], [WELL, TOUCHING, APART]);
        assert!(choose(&[], &objects, &mut Draws::new(7, 1)).is_empty());
        assert_eq!(choose(&found, &[], &mut Draws::new(7, 1)).len(), APART);
    }
}
