//! What Fast R-CNN does in its rooms.

use super::FAST_RCNN as FAMILY;
use crate::data::photographs::Labelled;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::AnyDetector;
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::{self, Grounded, Judged, Maps};
use crate::labs::detect::families::on_regions::{self, Named, OnSearch, Rooms, Searched};
use crate::labs::detect::spec::{DetectSettings, PoolingChoice};
use crate::maths::boxes::Corners;
use crate::methods::outputs::Places;
use crate::methods::outputs::two_step::{BINS, Geometry, LEVELS};
use crate::methods::roi::Pooling;
use crate::models::detect::SIDE;
use crate::models::detect::fast_rcnn::{FAST_RCNN, FastRcnn};
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::train::detector::fast_rcnn::{FastRcnnRecipe, unscored};

/// How it reads its boxes.
struct ByBins(Geometry);

/// See [`Family::judge`].
pub(super) fn judge<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    picture: &'a Picture,
    objects: &'a [Labelled],
) -> Promise<'a, Result<Judged, Failure>> {
    Box::pin(async move {
        let grounded = Grounded::load(shelf, job, &FAST_RCNN).await?;
        on_backbone::judge(job, &FastRcnnRecipe::new(96, 0), &grounded, picture, objects).await
    })
}

/// See [`Family::load`].
pub(super) fn load<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    settings: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let pooling = match settings.pooling {
            PoolingChoice::Own | PoolingChoice::Pool => Pooling::Largest,
            PoolingChoice::Align => Pooling::Aligned { samples: 2 },
        };
        let networks = Grounded::load(shelf, job, &FAST_RCNN).await?;
        let device = shelf.device();
        let rooms = Rooms::new(device, networks, ByBins(Geometry::new(BINS, pooling)), settings);
        Ok(Box::new(rooms) as Box<dyn AnyDetector>)
    })
}

impl OnSearch for ByBins {
    type Networks = Grounded<FastRcnn>;
    type Features = Maps;

    const GRIDS: &'static [&'static [usize]] = &[&[BINS]];

    fn family() -> &'static Family {
        &FAMILY
    }

    fn maps() -> Vec<usize> {
        LEVELS.map(|stride| SIDE / stride).to_vec()
    }

    async fn features(
        grounded: &Grounded<FastRcnn>,
        _: &Job<'_>,
        searched: &Searched,
    ) -> Result<Maps, Failure> {
        Ok(grounded.maps(&searched.square))
    }

    async fn name(
        &self,
        grounded: &Grounded<FastRcnn>,
        job: &Job<'_>,
        maps: &Maps,
        regions: &[Corners],
    ) -> Result<Named, Failure> {
        let heads = &grounded.heads;
        let levels = heads.levels(maps);
        let (places, bins) = on_regions::name(
            job,
            &self.0,
            &levels,
            &unscored(regions),
            |bins| heads.name_together(bins),
            FAMILY.classes.len(),
        )
        .await?;
        Ok(Named {
            // A search knows no scores.
            places: Places {
                sure: Vec::new(),
                ..places
            },
            reads: regions.iter().map(|of| vec![on_regions::part_of(&self.0, *of)]).collect(),
            bins,
            roi: Vec::new(),
        })
    }
}
