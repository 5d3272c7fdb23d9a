//! The five rooms of the anchor-free head.

use super::ANCHOR_FREE;
use crate::data::photographs::Labelled;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::{AnyDetector, Detector};
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::{self, Grounded, Judged, Maps, Said, Square};
use crate::labs::detect::spec::{DetectSettings, Detections, Inside, Thresholds};
use crate::methods::outputs::Places;
use crate::methods::outputs::anchor_free::{self, levels};
use crate::models::detect::anchor_free::{ANCHOR_FREE_HEAD, AnchorFree, AnchorFreeConfig};
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::train::detector::anchor_free::AnchorFreeRecipe;

/// A loaded detector.
pub struct AnchorFreeDetector(Grounded<AnchorFree>);

/// See [`Family::judge`].
pub(super) fn judge<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    picture: &'a Picture,
    objects: &'a [Labelled],
) -> Promise<'a, Result<Judged, Failure>> {
    let recipe = AnchorFreeRecipe::new(AnchorFreeConfig::new(9));
    Box::pin(on_backbone::judge(shelf, job, recipe, &ANCHOR_FREE_HEAD, picture, objects))
}

/// See [`Family::load`].
pub(super) fn load<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    _: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let grounded = Grounded::load(shelf, job, &ANCHOR_FREE_HEAD).await?;
        Ok(Box::new(AnchorFreeDetector(grounded)) as Box<dyn AnyDetector>)
    })
}

impl Detector for AnchorFreeDetector {
    type Input = Square;
    type Features = Maps;
    /// The cells: a table, the same for every picture.
    type Proposals = ();
    type Raw = Said;

    fn family() -> &'static Family {
        &ANCHOR_FREE
    }

    fn transform(&self, picture: &Picture) -> Square {
        self.0.square(picture)
    }

    async fn backbone(&self, _: &Job<'_>, square: &Square) -> Result<Maps, Failure> {
        Ok(self.0.maps(square))
    }

    async fn proposals(&self, _: &Job<'_>, _: &Square, _: &Maps) -> Result<(), Failure> {
        Ok(())
    }

    async fn heads(&self, job: &Job<'_>, square: Square, maps: Maps, (): ()) -> Result<Said, Failure> {
        let levels = levels(maps.len());
        let strides: Vec<usize> = levels.iter().map(|level| level.stride).collect();
        let said = self.0.heads.forward(&maps, &strides).together();
        let places = anchor_free::places(&levels, &job.read(said).await?, ANCHOR_FREE.classes.len());
        Ok(Said {
            places,
            fit: square.fit,
        })
    }

    fn postprocess(said: &Said, size: [f32; 2], thresholds: Thresholds) -> Detections {
        said.detections(size, thresholds)
    }

    fn inside(said: &Said, _: [f32; 2]) -> (Inside, Places) {
        said.inside(&levels(3).iter().map(|level| level.columns).collect::<Vec<_>>(), 1)
    }

    fn looked_at(said: &Said) -> usize {
        said.places.count()
    }

    /// Boxes of all places, what is sure, scores.
    fn numbers(said: &Said) -> Vec<f32> {
        on_backbone::numbers(&said.places)
    }
}
