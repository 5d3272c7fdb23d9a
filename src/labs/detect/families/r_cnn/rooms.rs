//! What R-CNN does in its rooms.

use burn::tensor::{Device, Tensor};

use super::R_CNN as FAMILY;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::AnyDetector;
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::Grounded;
use crate::labs::detect::families::on_regions::{Named, OnSearch, Rooms, Searched, crops_of, of_crop};
use crate::labs::detect::spec::DetectSettings;
use crate::maths::boxes::Corners;
use crate::methods::outputs::region_svm;
use crate::methods::warp::Sheet;
use crate::models::detect::crops::{self, CELLS, OfCrops};
use crate::models::detect::region_svm::{R_CNN, RegionSvm};
use crate::protocol::failure::Failure;

/// Where the crops go.
struct ByCrops(Device);

/// See [`Family::load`].
pub(super) fn load<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    settings: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let networks = Grounded::load(shelf, job, &R_CNN).await?;
        let device = shelf.device();
        let rooms = Rooms::new(device, networks, ByCrops(device.clone()), settings);
        Ok(Box::new(rooms) as Box<dyn AnyDetector>)
    })
}

impl OnSearch for ByCrops {
    type Networks = Grounded<RegionSvm>;
    /// Nothing that was computed: the picture, as large as in training.
    type Features = Sheet;
    /// Few, so that the visitor sees each of them come.
    const TOGETHER: usize = 8;
    const GRIDS: &'static [&'static [usize]] = &[&[CELLS]];

    fn family() -> &'static Family {
        &FAMILY
    }

    fn maps() -> Vec<usize> {
        vec![CELLS]
    }

    async fn features(
        _: &Grounded<RegionSvm>,
        _: &Job<'_>,
        searched: &Searched,
    ) -> Result<Sheet, Failure> {
        Ok(Sheet::of(&searched.picture, searched.square.size))
    }

    async fn name(
        &self,
        grounded: &Grounded<RegionSvm>,
        job: &Job<'_>,
        sheet: &Sheet,
        regions: &[Corners],
    ) -> Result<Named, Failure> {
        let classes = FAMILY.classes.len();
        let numbers = if regions.is_empty() {
            Vec::new()
        } else {
            let crops = crops_of(sheet, regions, &self.0);
            let OfCrops { features, cells } = crops::read(&grounded.backbone, crops);
            // Read back together: what the machines say, then the means of the cells.
            job.read(Tensor::cat(vec![grounded.heads.forward(features), cells], 1)).await?
        };
        let rows = numbers.chunks_exact(5 * classes + CELLS * CELLS);
        let (said, cells): (Vec<&[f32]>, Vec<&[f32]>) = rows.map(|row| row.split_at(5 * classes)).unzip();
        Ok(Named {
            places: region_svm::places(regions, &said.concat(), classes),
            reads: regions.iter().map(|of| vec![of_crop(*of)]).collect(),
            bins: cells.concat(),
            roi: Vec::new(),
        })
    }
}
