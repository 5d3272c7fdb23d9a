//! The five rooms of YOLO's first grid.

use burn::tensor::Tensor;

use super::YOLO_V1;
use crate::data::photographs::Labelled;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::{AnyDetector, Detector};
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::{self, Grounded, Judged, Maps, Said, Square};
use crate::labs::detect::spec::{DetectSettings, Detections, Inside, Thresholds};
use crate::methods::outputs::Places;
use crate::methods::outputs::grid::{self, CELLS};
use crate::models::detect::grid_head::{BOXES, GRID_HEAD, GridHead};
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::train::detector::grid::GridRecipe;

/// A loaded detector.
pub struct YoloV1(Grounded<GridHead>);

/// See [`Family::judge`].
pub(super) fn judge<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    picture: &'a Picture,
    objects: &'a [Labelled],
) -> Promise<'a, Result<Judged, Failure>> {
    let recipe = GridRecipe::new(160);
    Box::pin(on_backbone::judge(shelf, job, recipe, &GRID_HEAD, picture, objects))
}

/// See [`Family::load`].
pub(super) fn load<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    _: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let grounded = Grounded::load(shelf, job, &GRID_HEAD).await?;
        Ok(Box::new(YoloV1(grounded)) as Box<dyn AnyDetector>)
    })
}

impl Detector for YoloV1 {
    type Input = Square;
    type Features = Maps;
    /// The cells: a table, the same for every picture.
    type Proposals = ();
    type Raw = Said;

    fn family() -> &'static Family {
        &YOLO_V1
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
        let said: Tensor<3> = self.0.heads.forward(&maps).swap_dims(0, 1);
        let places = grid::places(&job.read(said).await?, BOXES, YOLO_V1.classes.len());
        Ok(Said {
            places,
            fit: square.fit,
        })
    }

    fn postprocess(said: &Said, size: [f32; 2], thresholds: Thresholds) -> Detections {
        said.detections(size, thresholds)
    }

    fn inside(said: &Said, _: [f32; 2]) -> (Inside, Places) {
        said.inside(&[CELLS], BOXES)
    }

    fn looked_at(said: &Said) -> usize {
        said.places.count()
    }

    /// Boxes of all places, what is sure, scores.
    fn numbers(said: &Said) -> Vec<f32> {
        on_backbone::numbers(&said.places)
    }
}
