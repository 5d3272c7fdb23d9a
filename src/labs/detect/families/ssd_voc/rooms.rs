//! SSD's five rooms.

use super::SSD_VOC;
use crate::data::photographs::Labelled;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::{AnyDetector, Detector};
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::{self, Grounded, Judged, Maps, Said, Square};
use crate::labs::detect::spec::{DetectSettings, Detections, Inside, Thresholds};
use crate::methods::outputs::Places;
use crate::methods::outputs::ssd::{self, DEFAULT_BOXES, SHAPES};
use crate::models::detect::ssd_head::{SSD_HEAD, SsdHead};
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::train::detector::ssd::SsdRecipe;

/// A loaded detector.
pub struct SsdVoc(Grounded<SsdHead>);

/// See [`Family::judge`].
pub(super) fn judge<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    picture: &'a Picture,
    objects: &'a [Labelled],
) -> Promise<'a, Result<Judged, Failure>> {
    let recipe = SsdRecipe::new(96);
    Box::pin(on_backbone::judge(shelf, job, recipe, &SSD_HEAD, picture, objects))
}

/// See [`Family::load`].
pub(super) fn load<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    _: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let grounded = Grounded::load(shelf, job, &SSD_HEAD).await?;
        Ok(Box::new(SsdVoc(grounded)) as Box<dyn AnyDetector>)
    })
}

impl Detector for SsdVoc {
    type Input = Square;
    type Features = Maps;
    /// The default boxes: a table, the same for every picture.
    type Proposals = ();
    type Raw = Said;

    fn family() -> &'static Family {
        &SSD_VOC
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
        let said = self.0.heads.forward(&maps).together();
        let places = ssd::places(&ssd::default_boxes(), &job.read(said).await?, SSD_VOC.classes.len());
        Ok(Said {
            places,
            fit: square.fit,
        })
    }

    fn postprocess(said: &Said, size: [f32; 2], thresholds: Thresholds) -> Detections {
        said.detections(size, thresholds)
    }

    fn inside(said: &Said, _: [f32; 2]) -> (Inside, Places) {
        said.inside(DEFAULT_BOXES.cells, SHAPES)
    }

    fn looked_at(said: &Said) -> usize {
        said.places.count()
    }

    /// Boxes of all places, what is sure, scores.
    fn numbers(said: &Said) -> Vec<f32> {
        on_backbone::numbers(&said.places)
    }
}
