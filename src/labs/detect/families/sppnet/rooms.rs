//! What SPPNet does in its rooms.

use burn::tensor::{Device, Tensor, TensorData};

use super::SPPNET as FAMILY;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::AnyDetector;
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::Grounded;
use crate::labs::detect::families::on_regions::{Named, OnSearch, Rooms, Searched, part_of};
use crate::labs::detect::spec::{DetectSettings, Part};
use crate::maths::boxes::Corners;
use crate::methods::outputs::region_svm;
use crate::methods::outputs::two_step::{self, Geometry};
use crate::methods::roi::Pooling;
use crate::methods::spatial_pyramid::cells_of;
use crate::models::detect::SIDE;
use crate::models::detect::backbone::{CHANNELS, STRIDES};
use crate::models::detect::region_svm::{FEATURES, GRIDS, MAPS, RegionSvm, SPPNET};
use crate::protocol::failure::Failure;

/// How it reads its boxes.
struct ByPyramid {
    /// Where its machines run.
    device: Device,
    /// How Fast R-CNN would read them.
    beside: Geometry,
}

/// See [`Family::load`].
pub(super) fn load<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    settings: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let networks = Grounded::load(shelf, job, &SPPNET).await?;
        let device = shelf.device();
        let by_pyramid = ByPyramid {
            device: device.clone(),
            beside: Geometry::new(two_step::BINS, Pooling::Largest),
        };
        let rooms = Rooms::new(device, networks, by_pyramid, settings);
        Ok(Box::new(rooms) as Box<dyn AnyDetector>)
    })
}

/// The means of the features in each bin of all grids of both maps, region after region.
fn bins(features: &[f32]) -> Vec<f32> {
    let of_region = |features: &[f32]| {
        let mut rest = features;
        let mut means = Vec::new();
        for (map, grids) in MAPS.into_iter().zip(GRIDS) {
            let channels = CHANNELS[map];
            let bins: usize = grids.iter().map(|side| side * side).sum();
            let (of_map, after) = rest.split_at(bins * channels);
            rest = after;
            let of_bins = of_map.chunks_exact(channels);
            means.extend(of_bins.map(|bin| bin.iter().sum::<f32>() / channels as f32));
        }
        means
    };
    features.chunks_exact(FEATURES).flat_map(of_region).collect()
}

/// The whole cells of each map that a region touches, in pixels of the square.
fn reads(region: Corners) -> Vec<Part> {
    let of_map = |map: usize| {
        let stride = STRIDES[map] as f32;
        let in_cells = region.scale(1.0 / stride, 1.0 / stride);
        let [columns, rows] = cells_of(in_cells, SIDE / STRIDES[map]);
        let [x0, x1] = [columns.start, columns.end].map(|at| at as f32 * stride);
        let [y0, y1] = [rows.start, rows.end].map(|at| at as f32 * stride);
        let covers = Corners { x0, y0, x1, y1 };
        Part { map, covers }
    };
    MAPS.into_iter().map(of_map).collect()
}

impl OnSearch for ByPyramid {
    type Networks = Grounded<RegionSvm>;
    /// Two maps as plain numbers: hundreds of regions read each cell many times.
    type Features = [Vec<f32>; MAPS.len()];

    const GRIDS: &'static [&'static [usize]] = &GRIDS;

    fn family() -> &'static Family {
        &FAMILY
    }

    /// All of the backbone's: RoI pooling may read any.
    fn maps() -> Vec<usize> {
        STRIDES.map(|stride| SIDE / stride).to_vec()
    }

    async fn features(
        grounded: &Grounded<RegionSvm>,
        job: &Job<'_>,
        searched: &Searched,
    ) -> Result<[Vec<f32>; MAPS.len()], Failure> {
        let maps = grounded.maps(&searched.square);
        let flat = MAPS.map(|map| maps[map].clone().reshape([-1]));
        let lengths = flat.each_ref().map(|map: &Tensor<1>| map.dims()[0]);
        let mut first = job.read(Tensor::cat(flat.into(), 0)).await?;
        let second = first.split_off(lengths[0]);
        Ok([first, second])
    }

    async fn name(
        &self,
        grounded: &Grounded<RegionSvm>,
        job: &Job<'_>,
        maps: &[Vec<f32>; MAPS.len()],
        regions: &[Corners],
    ) -> Result<Named, Failure> {
        let features = region_svm::features(maps, regions);
        let bins = bins(&features);
        let numbers = if regions.is_empty() {
            Vec::new()
        } else {
            let data = TensorData::new(features, [regions.len(), FEATURES]);
            job.read(grounded.heads.forward(Tensor::from_data(data, &self.device))).await?
        };
        Ok(Named {
            places: region_svm::places(regions, &numbers, FAMILY.classes.len()),
            reads: regions.iter().map(|of| reads(*of)).collect(),
            bins,
            roi: regions.iter().map(|of| part_of(&self.beside, *of)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bin_of_both_maps_has_its_mean() {
        // Of the finer map's bins each has its number in every channel; of the coarser one's every second channel is double.
        let finer = (0..21).flat_map(|bin| [bin as f32; CHANNELS[MAPS[0]]]);
        let coarser = (21..26).flat_map(|bin| [[bin as f32, 2.0 * bin as f32]; CHANNELS[MAPS[1]] / 2].concat());
        let region: Vec<f32> = finer.chain(coarser).collect();
        let means: Vec<f32> = (0..26).map(|bin| bin as f32 * if bin < 21 { 1.0 } else { 1.5 }).collect();
        assert_eq!(bins(&[region.clone(), region].concat()), [means.clone(), means].concat());
        assert!(bins(&[]).is_empty());
    }

    #[test]
    fn a_region_is_rounded_out_to_the_cells_of_each_map() {
        let region = Corners {
            x0: 17.0,
            y0: 40.0,
            x1: 63.0,
            y1: 300.0,
        };
        let [finer, coarser] = reads(region).try_into().expect("two maps");
        let covers = |part: Part| [part.covers.x0, part.covers.y0, part.covers.x1, part.covers.y1];
        // Cells of 16 and of 32 pixels.
        assert_eq!((finer.map, covers(finer)), (1, [16.0, 32.0, 64.0, 304.0]));
        assert_eq!((coarser.map, covers(coarser)), (2, [0.0, 32.0, 64.0, 320.0]));
    }
}
