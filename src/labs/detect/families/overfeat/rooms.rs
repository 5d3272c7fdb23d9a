//! What OverFeat does in its rooms.

use burn::tensor::Tensor;

use super::OVERFEAT as FAMILY;
use crate::data::photographs::Labelled;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::{AnyDetector, Detector, list_merged};
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::{
    self, Fit, Grounded, Judged, Said, found, in_picture, numbers,
};
use crate::labs::detect::spec::{DetectSettings, Detections, Grid, Inside, Thresholds};
use crate::methods::outputs::Places;
use crate::methods::outputs::overfeat::{STRIDE, merging_threshold};
use crate::models::detect::SIDE;
use crate::models::detect::backbone::to_grid;
use crate::models::detect::overfeat::{OVERFEAT, OverFeat, SCALES, WINDOW, WINDOWS};
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::train::detector::Recipe;
use crate::train::detector::overfeat::{HIDDEN, MAPS, OverFeatRecipe};

/// Its five rooms.
struct Rooms {
    grounded: Grounded<OverFeat>,
    recipe: OverFeatRecipe,
}

/// A picture in the squares of all scales.
struct Scaled {
    /// `[1, 3, side, side]` each, as [`Square`](on_backbone::Square) has it.
    images: [Tensor<4>; MAPS],
    /// Into the square of [`SIDE`] pixels, in which windows are told.
    fit: Fit,
}

/// See [`Family::judge`].
pub(super) fn judge<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    picture: &'a Picture,
    objects: &'a [Labelled],
) -> Promise<'a, Result<Judged, Failure>> {
    Box::pin(async move {
        let grounded = Grounded::load(shelf, job, &OVERFEAT).await?;
        let scaled = scaled(&grounded, picture);
        let maps = maps(&grounded, &scaled.images);
        let recipe = OverFeatRecipe::new(HIDDEN);
        on_backbone::judge_maps(job, &recipe, &grounded, maps, scaled.fit, objects, &[]).await
    })
}

/// See [`Family::load`].
pub(super) fn load<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    _: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let rooms = Rooms {
            grounded: Grounded::load(shelf, job, &OVERFEAT).await?,
            recipe: OverFeatRecipe::new(HIDDEN),
        };
        Ok(Box::new(rooms) as Box<dyn AnyDetector>)
    })
}

fn scaled(grounded: &Grounded<OverFeat>, picture: &Picture) -> Scaled {
    let squares = SCALES.map(|side| grounded.square_of(picture, side));
    Scaled {
        fit: Fit::of([picture.width, picture.height], SIDE),
        images: squares.map(|square| square.image),
    }
}

/// The coarsest map of each scale.
fn maps(grounded: &Grounded<OverFeat>, images: &[Tensor<4>; MAPS]) -> [Tensor<3>; MAPS] {
    images.each_ref().map(|image| {
        let [.., coarsest] = grounded.backbone.forward(image.clone());
        to_grid(coarsest)
    })
}

impl Detector for Rooms {
    type Input = Scaled;
    type Features = [Tensor<3>; MAPS];
    /// The windows: a table, the same for every picture.
    type Proposals = ();
    type Raw = Said;

    fn family() -> &'static Family {
        &FAMILY
    }

    fn transform(&self, picture: &Picture) -> Scaled {
        scaled(&self.grounded, picture)
    }

    async fn backbone(
        &self,
        _: &Job<'_>,
        input: &Scaled,
    ) -> Result<[Tensor<3>; MAPS], Failure> {
        Ok(maps(&self.grounded, &input.images))
    }

    async fn proposals(
        &self,
        _: &Job<'_>,
        _: &Scaled,
        _: &[Tensor<3>; MAPS],
    ) -> Result<(), Failure> {
        Ok(())
    }

    async fn heads(
        &self,
        job: &Job<'_>,
        input: Scaled,
        maps: [Tensor<3>; MAPS],
        (): (),
    ) -> Result<Said, Failure> {
        let mut said = self.recipe.look(job, &self.grounded.heads, &maps, &[&[]]).await?;
        Ok(Said {
            places: said.pop().expect("a picture went in"),
            fit: input.fit,
        })
    }

    /// Boxes are not suppressed but merged, class by class.
    fn postprocess(said: &Said, size: [f32; 2], thresholds: Thresholds) -> Detections {
        let found = found(&said.places, said.fit, size, thresholds.score);
        Detections {
            candidates: list_merged(&found, merging_threshold(thresholds.iou)),
            best_scores: said.places.best_scores(),
        }
    }

    /// A grid for each scale, from the smallest square. A window is drawn as the cell in its middle.
    fn inside(said: &Said, size: [f32; 2]) -> (Inside, Places) {
        let Fit([across, down]) = said.fit;
        let mut first = 0;
        let of_scale = |(&side, &in_row): (&usize, &usize)| {
            let stride = (STRIDE * SIDE) as f32 / side as f32;
            let before = stride * (WINDOW - 1) as f32 / 2.0;
            let step = [stride / across, stride / down];
            // Where the first window reaches beyond a narrow picture, its middle may lie there: it is drawn at the edge.
            let origin = |axis: usize, before: f32| before.min((size[axis] - step[axis]).max(0.0));
            let grid = Grid {
                columns: in_row,
                rows: in_row,
                step,
                origin: [origin(0, before / across), origin(1, before / down)],
                first,
                each: 1,
            };
            first += in_row * in_row;
            grid
        };
        let inside = Inside {
            grids: SCALES.iter().zip(&WINDOWS).map(of_scale).collect(),
            classes: said.places.classes,
            proposals: None,
        };
        (inside, best_boxes(&in_picture(&said.places, said.fit)))
    }

    fn looked_at(said: &Said) -> usize {
        said.places.count()
    }

    /// Boxes of all windows for each class, scores.
    fn numbers(said: &Said) -> Vec<f32> {
        numbers(&said.places)
    }
}

/// With one box for each place: that of its best class.
fn best_boxes(places: &Places) -> Places {
    let best = |place: usize| {
        let scores = &places.scores[place * places.classes..][..places.classes];
        let better = |a: &usize, b: &usize| scores[*a].total_cmp(&scores[*b]);
        let class = (0..places.classes).max_by(better).unwrap_or(0);
        places.box_of(place, class)
    };
    Places {
        boxes: (0..places.count()).map(best).collect(),
        ..places.clone()
    }
}
