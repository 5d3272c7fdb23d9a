//! Fast R-CNN's five rooms.

use super::FAST_RCNN as FAMILY;
use crate::data::photographs::Labelled;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::{AnyDetector, Detector};
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::{self, Grounded, Judged, Maps, Said};
use crate::labs::detect::families::on_regions::{self, OfRegions, Searched};
use crate::labs::detect::spec::{DetectSettings, Detections, Inside, PoolingChoice, Thresholds};
use crate::maths::boxes::Corners;
use crate::methods::outputs::Places;
use crate::methods::outputs::two_step::{BINS, Geometry, LEVELS};
use crate::methods::roi::Pooling;
use crate::models::detect::SIDE;
use crate::models::detect::fast_rcnn::{FAST_RCNN, FastRcnn};
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::train::detector::fast_rcnn::{FastRcnnRecipe, unscored};

/// A loaded detector.
pub struct FastRcnnRooms {
    grounded: Grounded<FastRcnn>,
    geometry: Geometry,
    /// Boxes that are looked at.
    most: usize,
}

/// See [`Family::judge`].
pub(super) fn judge<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    picture: &'a Picture,
    objects: &'a [Labelled],
) -> Promise<'a, Result<Judged, Failure>> {
    let recipe = FastRcnnRecipe::new(96, 0);
    Box::pin(on_backbone::judge(shelf, job, recipe, &FAST_RCNN, picture, objects))
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
        let rooms = FastRcnnRooms {
            grounded: Grounded::load(shelf, job, &FAST_RCNN).await?,
            geometry: Geometry::new(BINS, pooling),
            most: settings.searched,
        };
        Ok(Box::new(rooms) as Box<dyn AnyDetector>)
    })
}

impl Detector for FastRcnnRooms {
    type Input = Searched;
    type Features = Maps;
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

    async fn backbone(&self, _: &Job<'_>, input: &Searched) -> Result<Maps, Failure> {
        Ok(self.grounded.maps(&input.square))
    }

    async fn proposals(
        &self,
        job: &Job<'_>,
        input: &Searched,
        _: &Maps,
    ) -> Result<Vec<Corners>, Failure> {
        input.search(job, self.most).await
    }

    async fn heads(
        &self,
        job: &Job<'_>,
        input: Searched,
        maps: Maps,
        regions: Vec<Corners>,
    ) -> Result<OfRegions, Failure> {
        let heads = &self.grounded.heads;
        let levels = heads.levels(&maps);
        let (places, bins) = on_regions::name(
            job,
            &self.geometry,
            &levels,
            &unscored(&regions),
            |bins| heads.name_together(bins),
            FAMILY.classes.len(),
        )
        .await?;
        Ok(OfRegions {
            said: Said {
                // A search knows no scores.
                places: Places {
                    sure: Vec::new(),
                    ..places
                },
                fit: input.square.fit,
            },
            levels: regions.iter().map(|of| self.geometry.level_of(*of)).collect(),
            bins,
            side: BINS,
            maps: LEVELS.map(|stride| SIDE / stride).to_vec(),
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
