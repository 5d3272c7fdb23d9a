//! SPPNet's five rooms.

use burn::tensor::{Device, Tensor, TensorData};

use super::SPPNET as FAMILY;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::{AnyDetector, Detector};
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::{self, Grounded, Said};
use crate::labs::detect::families::on_regions::{OfRegions, Searched};
use crate::labs::detect::spec::{DetectSettings, Detections, Inside, Thresholds};
use crate::maths::boxes::Corners;
use crate::methods::outputs::Places;
use crate::methods::outputs::region_svm;
use crate::models::detect::SIDE;
use crate::models::detect::backbone::{CHANNELS, STRIDES};
use crate::models::detect::region_svm::{FEATURES, GRIDS, MAPS, RegionSvm, SPPNET};
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;

/// A loaded detector.
pub struct SppNet {
    grounded: Grounded<RegionSvm>,
    device: Device,
    /// Boxes that are looked at.
    most: usize,
}

/// See [`Family::load`].
pub(super) fn load<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    settings: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let rooms = SppNet {
            grounded: Grounded::load(shelf, job, &SPPNET).await?,
            device: shelf.device().clone(),
            most: settings.searched,
        };
        Ok(Box::new(rooms) as Box<dyn AnyDetector>)
    })
}

/// Bins in a row of the finest grid that the page shows.
const FINEST: usize = 4;

/// The means of the features in each bin of the finest grid of the first map.
fn bins(features: &[f32]) -> Vec<f32> {
    let channels = CHANNELS[MAPS[0]];
    let coarser: usize = GRIDS[0].iter().filter(|bins| **bins < FINEST).map(|bins| bins * bins).sum();
    let of_region = |features: &[f32]| {
        let finest = &features[coarser * channels..(coarser + FINEST * FINEST) * channels];
        let means = finest.chunks_exact(channels);
        means.map(|bin| bin.iter().sum::<f32>() / channels as f32).collect::<Vec<_>>()
    };
    features.chunks_exact(FEATURES).flat_map(of_region).collect()
}

impl Detector for SppNet {
    type Input = Searched;
    /// Two maps as plain numbers: hundreds of regions read each cell many times.
    type Features = [Vec<f32>; MAPS.len()];
    /// In pixels of the square.
    type Proposals = Vec<Corners>;
    type Raw = OfRegions;

    fn family() -> &'static Family {
        &FAMILY
    }

    fn transform(&self, picture: &Picture) -> Searched {
        Searched {
            square: self.grounded.square(picture),
            picture: picture.clone(),
        }
    }

    async fn backbone(
        &self,
        job: &Job<'_>,
        input: &Searched,
    ) -> Result<[Vec<f32>; MAPS.len()], Failure> {
        let maps = self.grounded.maps(&input.square);
        let flat = MAPS.map(|map| maps[map].clone().reshape([-1]));
        let lengths = flat.each_ref().map(|map: &Tensor<1>| map.dims()[0]);
        let mut first = job.read(Tensor::cat(flat.into(), 0)).await?;
        let second = first.split_off(lengths[0]);
        Ok([first, second])
    }

    async fn proposals(
        &self,
        job: &Job<'_>,
        input: &Searched,
        _: &[Vec<f32>; MAPS.len()],
    ) -> Result<Vec<Corners>, Failure> {
        input.search(job, self.most).await
    }

    async fn heads(
        &self,
        job: &Job<'_>,
        input: Searched,
        maps: [Vec<f32>; MAPS.len()],
        regions: Vec<Corners>,
    ) -> Result<OfRegions, Failure> {
        let features = region_svm::features(&maps, &regions);
        let bins = bins(&features);
        let numbers = if regions.is_empty() {
            Vec::new()
        } else {
            let data = TensorData::new(features, [regions.len(), FEATURES]);
            let features = Tensor::<2>::from_data(data, &self.device);
            job.read(self.grounded.heads.forward(features)).await?
        };
        Ok(OfRegions {
            said: Said {
                places: region_svm::places(&regions, &numbers, FAMILY.classes.len()),
                fit: input.square.fit,
            },
            levels: vec![0; regions.len()],
            bins,
            side: FINEST,
            maps: vec![SIDE / STRIDES[MAPS[0]]],
        })
    }

    fn postprocess(of: &OfRegions, size: [f32; 2], thresholds: Thresholds) -> Detections {
        of.said.detections(size, thresholds)
    }

    fn inside(of: &OfRegions, size: [f32; 2]) -> (Inside, Places) {
        of.inside(size)
    }

    fn bins(of: &OfRegions) -> &[f32] {
        &of.bins
    }

    fn looked_at(of: &OfRegions) -> usize {
        of.said.places.count()
    }

    /// Of the regions: boxes for each class, scores.
    fn numbers(of: &OfRegions) -> Vec<f32> {
        on_backbone::numbers(&of.said.places)
    }
}
