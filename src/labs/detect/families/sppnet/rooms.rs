//! What SPPNet does in its rooms.

use burn::tensor::{Device, Tensor, TensorData};

use super::SPPNET as FAMILY;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::AnyDetector;
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::Grounded;
use crate::labs::detect::families::on_regions::{Named, OnSearch, Rooms, Searched};
use crate::labs::detect::spec::DetectSettings;
use crate::maths::boxes::Corners;
use crate::methods::outputs::region_svm;
use crate::methods::spatial_pyramid::cells_of;
use crate::models::detect::SIDE;
use crate::models::detect::backbone::{CHANNELS, STRIDES};
use crate::models::detect::region_svm::{FEATURES, GRIDS, MAPS, RegionSvm, SPPNET};
use crate::protocol::failure::Failure;

/// Where its machines run.
struct ByPyramid(Device);

/// See [`Family::load`].
pub(super) fn load<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    settings: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let networks = Grounded::load(shelf, job, &SPPNET).await?;
        let device = shelf.device();
        let rooms = Rooms::new(device, networks, ByPyramid(device.clone()), settings);
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

/// The whole cells of the first map that a region touches, in pixels of the square.
fn reads(region: Corners) -> Corners {
    let stride = STRIDES[MAPS[0]] as f32;
    let in_cells = region.scale(1.0 / stride, 1.0 / stride);
    let [columns, rows] = cells_of(in_cells, SIDE / STRIDES[MAPS[0]]);
    let [x0, x1] = [columns.start, columns.end].map(|at| at as f32 * stride);
    let [y0, y1] = [rows.start, rows.end].map(|at| at as f32 * stride);
    Corners { x0, y0, x1, y1 }
}

impl OnSearch for ByPyramid {
    type Networks = Grounded<RegionSvm>;
    /// Two maps as plain numbers: hundreds of regions read each cell many times.
    type Features = [Vec<f32>; MAPS.len()];

    fn family() -> &'static Family {
        &FAMILY
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
            job.read(grounded.heads.forward(Tensor::from_data(data, &self.0))).await?
        };
        Ok(Named {
            places: region_svm::places(regions, &numbers, FAMILY.classes.len()),
            levels: vec![0; regions.len()],
            maps: vec![SIDE / STRIDES[MAPS[0]]],
            reads: regions.iter().map(|of| reads(*of)).collect(),
            bins,
            side: FINEST,
        })
    }
}
