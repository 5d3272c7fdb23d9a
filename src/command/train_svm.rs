//! `kiln train detector --family sppnet` and `r-cnn`: support vector machines on the features of regions.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::{Device, Tensor, TensorData};

use super::photographs::{Kept, Opened};
use super::{print, read_now, sentence};
use crate::data::photographs::Labelled;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::models::detect::backbone::Backbone;
use crate::models::detect::crops;
use crate::models::detect::region_svm::{FEATURES, MAPS};
use crate::protocol::failure::Failure;
use crate::train::detector::svm::{CROP, NEGATIVE, Regions, Sheet, features};
use crate::train::detector::{Scene, Views as _, scene};

/// Boxes of a photograph that are looked at, in training as later.
const MOST: usize = 300;

/// The first view of each photograph, by a backbone's maps.
pub struct Plain<'a> {
    /// All views.
    pub views: &'a Kept,
    /// Views of a photograph.
    pub versions: usize,
}

impl Regions for Plain<'_> {
    fn count(&self) -> usize {
        self.views.count() / self.versions
    }

    fn dims(&self) -> usize {
        FEATURES
    }

    fn scene(&self, index: usize) -> Scene<'_> {
        let scene = scene(self.views, index * self.versions);
        Scene {
            proposals: &scene.proposals[..scene.proposals.len().min(MOST)],
            ..scene
        }
    }

    fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, String> {
        let said = |failure: Failure| sentence(&failure);
        let view = (index * self.versions) as u32;
        let maps = self.views.maps(&[view], &Device::flex()).map_err(said)?;
        let maps = MAPS.map(|map| read_now(maps[map].clone()));
        Ok(features(&maps, regions))
    }
}

/// Boxes of a photograph that go through the network: most that overlap an object well, and so many that touch one and that
/// touch none. All 300 of all photographs would take hours.
const WELL: usize = 6;
const TOUCHING: usize = 12;
const APART: usize = 6;
/// Overlaps that part them.
const PARTED: [f32; 2] = [0.1, 0.6];
/// Crops of a forward pass.
const TOGETHER: usize = 16;

/// Photographs, some of whose boxes went through the network by themselves.
pub struct Cropped<'a> {
    photographs: Vec<&'a Opened>,
    /// Of each photograph.
    chosen: Vec<Vec<Corners>>,
    /// Of its objects, then of what was chosen.
    features: Vec<Vec<f32>>,
}

impl<'a> Cropped<'a> {
    /// Sends the objects and some boxes of each photograph through the network, on all processors.
    ///
    /// # Errors
    /// Where a photograph is no picture: a sentence.
    pub fn of(
        photographs: &[&'a Opened],
        found: &[Vec<Corners>],
        backbone: &Backbone,
        seed: u32,
    ) -> Result<Self, String> {
        let mut draws = Draws::new(seed, 1);
        let of_photograph = |(opened, found): (&&Opened, &Vec<Corners>)| {
            let found = &found[..found.len().min(MOST)];
            choose(found, &opened.photograph.objects, &mut draws)
        };
        let chosen: Vec<Vec<Corners>> = photographs.iter().zip(found).map(of_photograph).collect();
        let next = AtomicUsize::new(0);
        let features: Mutex<Vec<Vec<f32>>> = Mutex::new(vec![Vec::new(); photographs.len()]);
        let work = |backbone: Backbone| -> Result<(), String> {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(opened) = photographs.get(index) else {
                    return Ok(());
                };
                let objects = opened.photograph.objects.iter();
                let mut regions: Vec<Corners> = objects.map(|of| of.box_in_image).collect();
                regions.extend(&chosen[index]);
                let of_regions = of_crops(opened, &regions, &backbone)?;
                features.lock().expect("no panic while it is held")[index] = of_regions;
                if index % 500 == 499 {
                    print::note(format!(
                        "{} of {} photographs",
                        index + 1,
                        photographs.len()
                    ));
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let backbone = backbone.clone();
                    scope.spawn(|| work(backbone))
                })
                .collect();
            let ends = workers
                .into_iter()
                .map(|worker| worker.join().expect("no panic"));
            ends.collect::<Result<Vec<()>, String>>()
        })?;
        Ok(Self {
            photographs: photographs.to_vec(),
            chosen,
            features: features.into_inner().expect("no panic while it was held"),
        })
    }

    fn objects(&self, index: usize) -> &[Labelled] {
        &self.photographs[index].photograph.objects
    }
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
        let kind = match overlap {
            _ if overlap > PARTED[1] => 0,
            _ if overlap > PARTED[0] && overlap < NEGATIVE => 1,
            _ if overlap <= PARTED[0] => 2,
            _ => continue,
        };
        if left[kind] > 0 {
            left[kind] -= 1;
            chosen.push(at);
        }
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|at| found[at]).collect()
}

fn of_crops(opened: &Opened, regions: &[Corners], backbone: &Backbone) -> Result<Vec<f32>, String> {
    let photograph = &opened.photograph;
    let picture = opened.picture();
    let picture = picture.map_err(|_| format!("{} is no picture.", photograph.file))?;
    let sheet = Sheet::of(&picture, photograph.size);
    let mut features = Vec::with_capacity(regions.len() * crops::FEATURES);
    for together in regions.chunks(TOGETHER) {
        let mut planes = Vec::with_capacity(together.len() * 3 * CROP * CROP);
        for &region in together {
            sheet.crop(region, &mut planes);
        }
        let shape = [together.len(), 3, CROP, CROP];
        let images = Tensor::from_data(TensorData::new(planes, shape), &Device::flex());
        features.extend(read_now(crops::read(backbone, images).features));
    }
    Ok(features)
}

impl Regions for Cropped<'_> {
    fn count(&self) -> usize {
        self.photographs.len()
    }

    fn dims(&self) -> usize {
        crops::FEATURES
    }

    fn scene(&self, index: usize) -> Scene<'_> {
        Scene {
            objects: self.objects(index),
            boxed: self.photographs[index].photograph.boxed,
            proposals: &self.chosen[index],
        }
    }

    fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, String> {
        let objects = self.objects(index).iter().map(|of| of.box_in_image);
        let known: Vec<Corners> = objects.chain(self.chosen[index].iter().copied()).collect();
        let row = |region: &Corners| {
            let at = known.iter().position(|of| of == region);
            let at = at.ok_or("only boxes that went through the network have features")?;
            Ok(&self.features[index][at * crops::FEATURES..(at + 1) * crops::FEATURES])
        };
        let rows: Result<Vec<&[f32]>, String> = regions.iter().map(row).collect();
        Ok(rows?.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_overlaps_well_or_hardly() {
        let square = |x: f32| Corners {
            x0: x,
            y0: 0.0,
            x1: x + 100.0,
            y1: 100.0,
        };
        let objects = [Labelled {
            class: 1,
            box_in_image: square(0.0),
        }];
        let found: Vec<Corners> = (0..300).map(|x| square(x as f32)).collect();
        let chosen = choose(&found, &objects, &mut Draws::new(7, 1));
        let overlaps = chosen.iter().map(|of| of.iou(square(0.0)));
        let [mut well, mut touching, mut apart] = [0; 3];
        for overlap in overlaps {
            match overlap {
                _ if overlap > 0.6 => well += 1,
                _ if overlap <= 0.1 => apart += 1,
                _ => {
                    assert!(overlap < 0.3, "{overlap}");
                    touching += 1;
                }
            }
        }
        assert_eq!([well, touching, apart], [WELL, TOUCHING, APART]);
        assert!(choose(&[], &objects, &mut Draws::new(7, 1)).is_empty());
        assert_eq!(choose(&found, &[], &mut Draws::new(7, 1)).len(), APART);
    }
}
