//! What the families that were trained here share: a square picture, a backbone, and how places become detections.

use std::collections::HashMap;
use std::rc::Rc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::data::photographs::{CLASSES, Labelled};
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::{AnyDetector, Detector, Found, list};
use crate::labs::detect::families::Family;
use crate::labs::detect::spec::{DetectSettings, Detections, Grid, Inside, Thresholds, Told};
use crate::maths::boxes::Corners;
use crate::methods::matching::Match;
use crate::methods::nms::Among;
use crate::methods::outputs::Places;
use crate::methods::resize::{size_in_square, stretch_rgb};
use crate::methods::selective_search::SEARCH;
use crate::models::Network;
use crate::models::detect::backbone::{BACKBONE, Backbone, to_grid};
use crate::models::efficientnet_lite::EFFICIENTNET_LITE0;
use crate::models::detect::SIDE;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::train::detector::{Recipe, Scene, Term};

/// Boxes of selective search that are looked at, until the visitor says otherwise.
pub const SEARCHED: usize = 300;
/// Places that are told of a judgement at most.
const TOLD: usize = 10;
/// Boxes that go into suppression at most, the best by their scores.
const MOST: usize = 400;

/// What the weights of a backbone come from. The layers are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// ImageNet, and then the photographs with boxes: what all families stand on that are to be compared.
    FineTuned,
    /// ImageNet alone: what shows how much fine-tuning brought.
    ImageNet,
}

/// A family's heads with the backbone that they stand on.
#[derive(Debug)]
pub struct Grounded<N> {
    /// The same for all families of an origin.
    pub backbone: Rc<Backbone>,
    /// The family's own.
    pub heads: Rc<N>,
    device: Device,
}

/// A picture in the upper left of the network's square.
#[derive(Debug, Clone)]
pub struct Square {
    /// `[1, 3, side, side]`, `(x - 127) / 128`, 0 beside the picture.
    pub image: Tensor<4>,
    /// Columns and rows of the picture in it.
    pub size: [usize; 2],
    /// How to find back.
    pub fit: Fit,
}

/// Pixels of the square for each of the picture, across and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit(pub [f32; 2]);

/// The backbone's maps as grids.
pub type Maps = [Tensor<3>; 3];

/// What is kept of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Of all places, in pixels of the square.
    pub places: Places,
    /// Where they are in the picture.
    pub fit: Fit,
}

impl<N: Module + 'static> Grounded<N> {
    /// Networks that have their weights, on the device that they were made on.
    pub fn new(backbone: Rc<Backbone>, heads: Rc<N>, device: &Device) -> Self {
        Self {
            backbone,
            heads,
            device: device.clone(),
        }
    }

    /// Takes both from the shelf; the backbone is the fine-tuned one.
    ///
    /// # Errors
    /// Those of [`Shelf::get`].
    pub async fn load(shelf: &mut Shelf, job: &Job<'_>, row: &Network<N>) -> Result<Self, Failure> {
        Self::load_on(shelf, job, Origin::FineTuned, row).await
    }

    /// [`load`](Self::load) on a backbone of either origin.
    ///
    /// # Errors
    /// Those of [`Shelf::get`].
    pub async fn load_on(
        shelf: &mut Shelf,
        job: &Job<'_>,
        origin: Origin,
        row: &Network<N>,
    ) -> Result<Self, Failure> {
        let backbone = match origin {
            Origin::FineTuned => shelf.get(job, &BACKBONE).await?,
            // A clone shares its tensors: the whole classifier stays the shelf's, which other labs use.
            Origin::ImageNet => {
                let whole = shelf.get(job, &EFFICIENTNET_LITE0).await?;
                Rc::new(Backbone::from((*whole).clone()))
            }
        };
        let heads = shelf.get(job, row).await?;
        Ok(Self::new(backbone, heads, shelf.device()))
    }

    /// See [`square`].
    pub fn square(&self, picture: &Picture) -> Square {
        square(picture, SIDE, &self.device)
    }

    /// [`square`](Self::square) of another side than [`SIDE`].
    pub fn square_of(&self, picture: &Picture, side: usize) -> Square {
        square(picture, side, &self.device)
    }

    /// The maps that all heads read.
    pub fn maps(&self, square: &Square) -> Maps {
        self.backbone.forward(square.image.clone()).map(to_grid)
    }
}

/// A picture scaled so that its longer side fills a square of so many pixels.
pub fn square(picture: &Picture, side: usize, device: &Device) -> Square {
    let of_picture = [picture.width, picture.height];
    let size = size_in_square(of_picture, side);
    let rgb = stretch_rgb(picture, size[0], size[1]);
    let mut planes = vec![0f32; 3 * side * side];
    for (at, pixel) in rgb.as_chunks::<3>().0.iter().enumerate() {
        let place = at / size[0] * side + at % size[0];
        for (channel, &value) in pixel.iter().enumerate() {
            planes[channel * side * side + place] = (f32::from(value) - 127.0) / 128.0;
        }
    }
    let data = TensorData::new(planes, [1, 3, side, side]);
    Square {
        image: Tensor::from_data(data, device),
        size,
        fit: Fit::of(of_picture, side),
    }
}

/// A family of one pass: a grid of places that say all at once. What it says is read by the recipe that trained it, so that
/// training, page and command line cannot differ.
pub trait OnePass: 'static {
    /// How it was trained.
    type Recipe: Recipe<Network: 'static>;
    /// On which backbone.
    const ORIGIN: Origin = Origin::FineTuned;

    /// Its row.
    fn family() -> &'static Family;

    /// Its heads among the networks.
    fn heads() -> &'static Network<<Self::Recipe as Recipe>::Network>;

    /// The recipe of the weights that ship.
    fn recipe() -> Self::Recipe;

    /// Cells in a row of each of its grids, from fine to coarse, and places of a cell.
    fn grids() -> (&'static [usize], usize);
}

/// The five rooms of a family of one pass.
pub struct Rooms<F: OnePass> {
    grounded: Grounded<<F::Recipe as Recipe>::Network>,
    recipe: F::Recipe,
}

impl<F: OnePass> Detector for Rooms<F> {
    type Input = Square;
    type Features = Maps;
    /// The places: a table, the same for every picture.
    type Proposals = ();
    type Raw = Said;

    fn family() -> &'static Family {
        F::family()
    }

    fn transform(&self, picture: &Picture) -> Square {
        self.grounded.square(picture)
    }

    async fn backbone(&self, _: &Job<'_>, square: &Square) -> Result<Maps, Failure> {
        Ok(self.grounded.maps(square))
    }

    async fn proposals(&self, _: &Job<'_>, _: &Square, _: &Maps) -> Result<(), Failure> {
        Ok(())
    }

    async fn heads(
        &self,
        job: &Job<'_>,
        square: Square,
        maps: Maps,
        (): (),
    ) -> Result<Said, Failure> {
        let mut said = self.recipe.look(job, &self.grounded.heads, &maps, &[&[]]).await?;
        Ok(Said {
            places: said.pop().expect("a picture went in"),
            fit: square.fit,
        })
    }

    fn postprocess(said: &Said, size: [f32; 2], thresholds: Thresholds) -> Detections {
        said.detections(size, thresholds)
    }

    fn inside(said: &Said, _: [f32; 2]) -> (Inside, Places) {
        let (sides, each) = F::grids();
        said.inside(sides, each)
    }

    fn looked_at(said: &Said) -> usize {
        said.places.count()
    }

    /// Boxes of all places, what is sure, scores.
    fn numbers(said: &Said) -> Vec<f32> {
        numbers(&said.places)
    }
}

/// See [`Family::load`].
pub fn load<'a, F: OnePass>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    _: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let rooms = Rooms::<F> {
            grounded: Grounded::load_on(shelf, job, F::ORIGIN, F::heads()).await?,
            recipe: F::recipe(),
        };
        Ok(Box::new(rooms) as Box<dyn AnyDetector>)
    })
}

/// See [`Family::judge`].
pub fn judge_one_pass<'a, F: OnePass>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    picture: &'a Picture,
    objects: &'a [Labelled],
) -> Promise<'a, Result<Judged, Failure>> {
    Box::pin(async move {
        let grounded = Grounded::load_on(shelf, job, F::ORIGIN, F::heads()).await?;
        judge(job, &F::recipe(), &grounded, picture, objects).await
    })
}

/// What training would make of a picture whose objects are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The terms of the loss by name; training lowers their sum.
    pub losses: Vec<(&'static str, f32)>,
    /// The places that add most to the sum, by falling share, in pixels of the picture.
    pub places: Vec<Told>,
    /// Where the places that have an object to learn are before the network says anything, in pixels of the picture, with the
    /// number of the object.
    pub positives: Vec<(Corners, usize)>,
    /// Places that learn that there is nothing.
    pub negatives: usize,
    /// Places that learn neither.
    pub ignored: usize,
}

/// Judges heads by the recipe that they were trained with, all classes counted. `objects` in pixels of the picture.
///
/// # Errors
/// Those of the job.
pub async fn judge<R: Recipe>(
    job: &Job<'_>,
    recipe: &R,
    grounded: &Grounded<R::Network>,
    picture: &Picture,
    objects: &[Labelled],
) -> Result<Judged, Failure>
where
    R::Network: 'static,
{
    let square = grounded.square(picture);
    let proposals = match recipe.searches() {
        true => square.fit.all_in_square(&SEARCH.of(picture, SEARCHED)),
        false => Vec::new(),
    };
    let maps = grounded.maps(&square);
    judge_maps(job, recipe, grounded, maps, square.fit, objects, &proposals).await
}

/// See [`judge`]: from the maps on. `proposals` in pixels of the square.
///
/// # Errors
/// Those of the job.
pub async fn judge_maps<R: Recipe<MAPS>, const MAPS: usize>(
    job: &Job<'_>,
    recipe: &R,
    grounded: &Grounded<R::Network>,
    maps: [Tensor<3>; MAPS],
    fit: Fit,
    objects: &[Labelled],
    proposals: &[Corners],
) -> Result<Judged, Failure>
where
    R::Network: 'static,
{
    let Fit([across, down]) = fit;
    let in_square = |object: &Labelled| Labelled {
        box_in_image: object.box_in_image.scale(across, down),
        ..*object
    };
    let objects: Vec<Labelled> = objects.iter().map(in_square).collect();
    let scene = Scene {
        objects: &objects,
        boxed: [true; CLASSES.len()],
        proposals,
    };
    // Losses are made of what records, though nothing is learned here.
    let maps = maps.map(Tensor::from_inner);
    let heads = grounded.heads.valid().train();
    let terms = recipe.losses(job, &heads, &maps, &[scene], 0).await?;
    let (losses, mut places) = told(job, &terms).await?;
    for told in &mut places {
        told.place = fit.in_picture(told.place);
    }
    let matches = recipe.assign(&scene);
    let starts = recipe.starts(&scene);
    let positives = matches.iter().zip(&starts).filter_map(|(is, start)| {
        Some((fit.in_picture(*start), is.truth()?))
    });
    let count = |wanted: Match| matches.iter().filter(|is| **is == wanted).count();
    Ok(Judged {
        losses,
        places,
        positives: positives.collect(),
        negatives: count(Match::Negative),
        ignored: count(Match::Ignored),
    })
}

/// The value of each term, and the places that add most to their sum.
async fn told(
    job: &Job<'_>,
    terms: &[Term],
) -> Result<(Vec<(&'static str, f32)>, Vec<Told>), Failure> {
    // Read back together.
    let each: Vec<Tensor<1>> = terms.iter().map(|term| term.each.clone().inner()).collect();
    let values = job.read(Tensor::cat(each, 0)).await?;
    let mut rest = values.as_slice();
    let mut losses = Vec::new();
    let mut places: Vec<Told> = Vec::new();
    let mut known = HashMap::new();
    for (number, term) in terms.iter().enumerate() {
        let (of_term, others) = rest.split_at(term.each.dims()[0]);
        rest = others;
        losses.push((term.name, of_term.iter().sum()));
        for (&(_, place), &value) in term.places.iter().zip(of_term) {
            let key = [place.x0, place.y0, place.x1, place.y1].map(f32::to_bits);
            let at = *known.entry(key).or_insert_with(|| {
                places.push(Told {
                    place,
                    terms: vec![0.0; terms.len()],
                    learns: false,
                });
                places.len() - 1
            });
            places[at].terms[number] += value;
            places[at].learns |= term.of_objects && value > 0.0;
        }
    }
    let sum = |of: &Told| of.terms.iter().sum::<f32>();
    places.retain(|of| sum(of) > 0.0);
    places.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
    places.truncate(TOLD);
    Ok((losses, places))
}

impl Fit {
    /// Of a picture of that size in a square of that side.
    pub fn of(size: [usize; 2], side: usize) -> Self {
        let within = size_in_square(size, side);
        Self([0, 1].map(|axis| within[axis] as f32 / size[axis] as f32))
    }

    /// From pixels of the picture to those of the square.
    pub fn all_in_square(self, boxes: &[Corners]) -> Vec<Corners> {
        let Self([across, down]) = self;
        boxes.iter().map(|of| of.scale(across, down)).collect()
    }

    /// From pixels of the square to those of the picture.
    pub fn in_picture(self, in_square: Corners) -> Corners {
        let Self([across, down]) = self;
        in_square.scale(1.0 / across, 1.0 / down)
    }
}

impl Said {
    /// See [`detections`].
    pub fn detections(&self, size: [f32; 2], thresholds: Thresholds) -> Detections {
        detections(&self.places, self.fit, size, thresholds, false)
    }

    /// The places by grid, of so many cells in a row each, from fine to coarse; `each` places of a cell.
    pub fn inside(&self, sides: &[usize], each: usize) -> (Inside, Places) {
        let inside = Inside {
            grids: grids(sides, each, self.fit),
            classes: self.places.classes,
            proposals: None,
        };
        (inside, in_picture(&self.places, self.fit))
    }
}

/// See [`Detector::postprocess`](crate::labs::detect::detector::Detector::postprocess): suppression is by class, or
/// among all.
pub fn detections(
    places: &Places,
    fit: Fit,
    size: [f32; 2],
    thresholds: Thresholds,
    among_all: bool,
) -> Detections {
    let found = found(places, fit, size, thresholds.score);
    let classes: Vec<usize> = found.iter().map(|found| found.class).collect();
    let among = match among_all {
        true => Among::All,
        false => Among::EachClass(&classes),
    };
    Detections {
        candidates: list(&found, among, thresholds.iou),
        best_scores: places.best_scores(),
    }
}

/// The boxes whose score is at least so high, the best of them, by falling score: in pixels of a picture of that size, clipped to
/// it.
pub fn found(places: &Places, fit: Fit, [width, height]: [f32; 2], least: f32) -> Vec<Found> {
    let mut found: Vec<Found> = places
        .found(least)
        .map(|of| Found {
            box_in_image: fit.in_picture(of.box_in_square).clip(width, height),
            class: of.class,
            score: of.score,
            anchor: of.place,
        })
        .collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MOST);
    found
}

/// Grids of so many cells in a row, each of which has so many places.
pub fn grids(sides: &[usize], each: usize, Fit([across, down]): Fit) -> Vec<Grid> {
    let mut first = 0;
    let of_level = |&side: &usize| {
        let stride = SIDE as f32 / side as f32;
        let grid = Grid {
            columns: side,
            rows: side,
            step: [stride / across, stride / down],
            origin: [0.0; 2],
            first,
            each,
        };
        first += side * side * each;
        grid
    };
    sides.iter().map(of_level).collect()
}

/// The same places in pixels of the picture.
pub fn in_picture(places: &Places, fit: Fit) -> Places {
    let all = |boxes: &[Corners]| boxes.iter().map(|of| fit.in_picture(*of)).collect();
    Places {
        starts: all(&places.starts),
        boxes: all(&places.boxes),
        ..places.clone()
    }
}

/// The numbers of places in one row: boxes, what is sure, scores.
pub fn numbers(places: &Places) -> Vec<f32> {
    let corners = places.boxes.iter().flat_map(|b| [b.x0, b.y0, b.x1, b.y1]);
    let rest = places.sure.iter().chain(&places.scores).copied();
    corners.chain(rest).collect()
}
