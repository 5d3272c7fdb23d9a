//! What the families share whose heads look at regions: the rooms of those that look at boxes of selective search, the maps
//! pooled, and what is kept of a run. Where boxes are looked at a few at a time, what is known so far is told.

use std::borrow::Cow;
use std::cell::RefCell;

use burn::tensor::{Device, Tensor, TensorData};

use super::{Family, Looks};
use super::on_backbone::{Fit, Square, detections, in_picture, numbers, square};
use crate::job::Job;
use crate::labs::detect::detector::{Detector, Run};
use crate::labs::detect::engine::answer;
use crate::labs::detect::spec::{
    DetectSettings, Detections, FeatureMap, Inside, Part, Proposal, Proposals, RoiPooling, Thresholds,
};
use crate::maths::boxes::Corners;
use crate::methods::outputs::Places;
use crate::methods::outputs::two_step::{self, Geometry, Pooled};
use crate::methods::proposals;
use crate::methods::resize::stretch_rgb;
use crate::methods::selective_search::SEARCH;
use crate::methods::warp::{self, Sheet};
use crate::models::detect::SIDE;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;

/// A family of detectors that look at boxes of selective search: what it reads of the picture, and what it says of the boxes.
#[allow(async_fn_in_trait)] // one thread: no future has to be `Send`
pub trait OnSearch: 'static {
    /// What looks.
    type Networks: 'static;
    /// What it reads for all boxes together.
    type Features;
    /// Boxes that are looked at together. What they are is told after each time, where there is more than one.
    const TOGETHER: usize = usize::MAX;

    /// Whether a box suppresses weaker ones of other classes, too: where classes are so fine that several name the same thing.
    const AMONG_ALL: bool = false;

    /// Bins in a row of the grids into which each part of a box is pooled, see [`Proposals::grids`].
    const GRIDS: &'static [&'static [usize]];

    /// Its row.
    fn family() -> &'static Family;

    /// Cells in a row of the maps that boxes are read from.
    fn maps() -> Vec<usize>;

    /// The scores that count, of what was said of each box by itself.
    fn settled(said: &Places) -> Cow<'_, Places> {
        Cow::Borrowed(said)
    }

    /// The part that all boxes of a picture share.
    ///
    /// # Errors
    /// Those of the job.
    async fn features(
        networks: &Self::Networks,
        job: &Job<'_>,
        searched: &Searched,
    ) -> Result<Self::Features, Failure>;

    /// What stands in each box, boxes in pixels of the square.
    ///
    /// # Errors
    /// Those of the job.
    async fn name(
        &self,
        networks: &Self::Networks,
        job: &Job<'_>,
        features: &Self::Features,
        regions: &[Corners],
    ) -> Result<Named, Failure>;
}

/// What is said of boxes, and how they were read.
#[derive(Debug, Clone)]
pub struct Named {
    /// Of the boxes, in pixels of the square.
    pub places: Places,
    /// The parts of maps that each box was read from, in pixels of the square.
    pub reads: Vec<Vec<Part>>,
    /// The mean of the features in each bin, box after box.
    pub bins: Vec<f32>,
    /// What RoI pooling would read of each box, in pixels of the square, where a pyramid is read.
    pub roi: Vec<Part>,
}

impl Named {
    /// With what is said of further boxes.
    fn and(mut self, more: Self) -> Self {
        self.places.starts.extend(more.places.starts);
        self.places.boxes.extend(more.places.boxes);
        self.places.sure.extend(more.places.sure);
        self.places.scores.extend(more.places.scores);
        self.reads.extend(more.reads);
        self.bins.extend(more.bins);
        self.roi.extend(more.roi);
        self
    }
}

/// The five rooms of such a family.
pub struct Rooms<F: OnSearch> {
    /// Where its networks are.
    device: Device,
    /// Its networks.
    networks: F::Networks,
    /// What else it needs.
    family: F,
    /// How many boxes are looked at, and what is shown of them on the way.
    settings: RefCell<DetectSettings>,
    /// What is known so far.
    so_far: RefCell<Option<OfRegions>>,
}

impl<F: OnSearch> Rooms<F> {
    /// On that device, with these networks.
    pub fn new(device: &Device, networks: F::Networks, family: F, settings: &DetectSettings) -> Self {
        Self {
            device: device.clone(),
            networks,
            family,
            settings: RefCell::new(settings.clone()),
            so_far: RefCell::default(),
        }
    }
}

impl<F: OnSearch> Detector for Rooms<F> {
    type Input = Searched;
    type Features = F::Features;
    /// In pixels of the square.
    type Proposals = Vec<Corners>;
    type Raw = OfRegions;

    fn family() -> &'static Family {
        F::family()
    }

    fn transform(&self, picture: &Picture) -> Searched {
        Searched {
            square: square(picture, SIDE, &self.device),
            picture: picture.clone(),
        }
    }

    async fn backbone(&self, job: &Job<'_>, input: &Searched) -> Result<F::Features, Failure> {
        F::features(&self.networks, job, input).await
    }

    async fn proposals(
        &self,
        job: &Job<'_>,
        input: &Searched,
        _: &F::Features,
    ) -> Result<Vec<Corners>, Failure> {
        let most = self.settings.borrow().searched;
        input.search(job, most).await
    }

    async fn heads(
        &self,
        job: &Job<'_>,
        input: Searched,
        features: F::Features,
        regions: Vec<Corners>,
    ) -> Result<OfRegions, Failure> {
        let name = async |regions| self.family.name(&self.networks, job, &features, regions).await;
        let fit = input.square.fit;
        let (first, rest) = regions.split_at(regions.len().min(F::TOGETHER));
        let mut named = name(first).await?;
        for more in rest.chunks(F::TOGETHER) {
            if job.is_heard() {
                // So far: a run of fewer boxes, as whoever asked will see the whole.
                let raw = OfRegions { named: named.clone(), fit };
                self.so_far.replace(Some(raw.clone()));
                let so_far = Run::<Self>::new(raw, [input.picture.width, input.picture.height]);
                // Thresholds may have been moved meanwhile.
                if let Some(adjusted) = job.adjusted() {
                    self.settings.replace(adjusted.read());
                }
                let says = answer(&so_far, &self.settings.borrow(), true);
                job.report(named.places.count() as u32, regions.len() as u32, says);
            }
            job.breathe().await?;
            named = named.and(name(more).await?);
        }
        Ok(OfRegions { named, fit })
    }

    fn postprocess(of: &OfRegions, size: [f32; 2], thresholds: Thresholds) -> Detections {
        let places = F::settled(&of.named.places);
        detections(&places, of.fit, size, thresholds, F::AMONG_ALL)
    }

    fn so_far(&self) -> Option<OfRegions> {
        self.so_far.take()
    }

    fn inside(of: &OfRegions, size: [f32; 2]) -> (Inside, Places) {
        of.inside::<F>(size)
    }

    fn bins(of: &OfRegions) -> &[f32] {
        &of.named.bins
    }

    fn looked_at(of: &OfRegions) -> usize {
        of.named.places.count()
    }

    /// Of the boxes: those for each class, scores.
    fn numbers(of: &OfRegions) -> Vec<f32> {
        numbers(&of.named.places)
    }
}

/// Puts the crops of regions on a device, `[regions, 3, warp::SIDE, warp::SIDE]`.
pub fn crops_of(sheet: &Sheet, regions: &[Corners], device: &Device) -> Tensor<4> {
    let mut planes = Vec::with_capacity(regions.len() * 3 * warp::SIDE * warp::SIDE);
    for &region in regions {
        sheet.crop(region, &mut planes);
    }
    let shape = [regions.len(), 3, warp::SIDE, warp::SIDE];
    Tensor::from_data(TensorData::new(planes, shape), device)
}

/// What is read of a region that is cut out: the map of its crop, whole.
pub fn of_crop(region: Corners) -> Part {
    Part {
        map: 0,
        covers: warp::with_context(region),
    }
}

/// A picture in the square, and as it was.
pub struct Searched {
    /// For the backbone.
    pub square: Square,
    /// For the search.
    pub picture: Picture,
}

impl Searched {
    /// The boxes of selective search, at most `most`, the likeliest first, in pixels of the square.
    ///
    /// # Errors
    /// Those of the job.
    pub async fn search(&self, job: &Job<'_>, most: usize) -> Result<Vec<Corners>, Failure> {
        let boxes = search(job, &self.picture, most).await?;
        Ok(self.square.fit.all_in_square(&boxes))
    }
}

/// The boxes of selective search in pixels of the picture, the likeliest first; the job may be cancelled between two
/// strategies.
///
/// # Errors
/// Those of the job.
pub async fn search(job: &Job<'_>, picture: &Picture, most: usize) -> Result<Vec<Corners>, Failure> {
    let [width, height] = SEARCH.size(picture);
    let rgb = stretch_rgb(picture, width, height);
    let mut found = Vec::new();
    for strategy in SEARCH.strategies {
        found.extend(strategy.found(&rgb, [height, width]));
        job.breathe().await?;
    }
    Ok(SEARCH.chosen(found, picture, most))
}

/// The part of a map from which a region in pixels of the square is read.
pub fn part_of(geometry: &Geometry, region: Corners) -> Part {
    Part {
        map: geometry.level_of(region),
        covers: geometry.reads(region),
    }
}

/// The same parts in pixels of the picture.
pub fn parts_in_picture(parts: &[Part], fit: Fit) -> Vec<Part> {
    let of = |part: &Part| Part {
        covers: fit.in_picture(part.covers),
        ..*part
    };
    parts.iter().map(of).collect()
}

/// Maps of the whole square with so many cells in a row.
pub fn maps_in_picture(cells: &[usize], Fit([across, down]): Fit) -> Vec<FeatureMap> {
    let of = |&cells: &usize| {
        let stride = SIDE as f32 / cells as f32;
        FeatureMap {
            cells,
            step: Some([stride / across, stride / down]),
        }
    };
    cells.iter().map(of).collect()
}

/// What heads say of regions, with the mean of the features in each bin of each region. `head` gives
/// `[regions, 1 + classes + 4 * classes]` for what was pooled.
///
/// # Errors
/// Those of the job.
pub async fn name(
    job: &Job<'_>,
    geometry: &Geometry,
    levels: &[(Tensor<3>, usize)],
    regions: &[proposals::Proposal],
    head: impl Fn(Tensor<3>) -> Tensor<2>,
    classes: usize,
) -> Result<(Places, Vec<f32>), Failure> {
    if regions.is_empty() {
        return Ok((two_step::places(&[], &[], &[], classes), Vec::new()));
    }
    let boxes: Vec<(usize, Corners)> = regions.iter().map(|of| (0, of.box_in_input)).collect();
    let Pooled { bins, order } = geometry.pool(levels, &boxes);
    // Read back together: the numbers of each region, then the means of its bins.
    let means: Tensor<2> = bins.clone().mean_dim(2).squeeze_dim::<2>(2).transpose();
    let both = job.read(Tensor::cat(vec![head(bins), means], 1)).await?;
    let (each, side) = (1 + 5 * classes, geometry.side * geometry.side);
    let rows = || both.chunks_exact(each + side);
    let numbers: Vec<f32> = rows().flat_map(|row| row[..each].iter().copied()).collect();
    let mut bins = vec![0.0; regions.len() * side];
    for (row, &region) in rows().zip(&order) {
        bins[region * side..(region + 1) * side].copy_from_slice(&row[each..]);
    }
    Ok((two_step::places(regions, &order, &numbers, classes), bins))
}

/// What is kept of a run on regions that come from outside.
#[derive(Debug, Clone)]
pub struct OfRegions {
    /// What the heads said.
    pub named: Named,
    /// Where the boxes are in the picture.
    pub fit: Fit,
}

impl OfRegions {
    /// No grids, but proposals: all regions, the likeliest first, each with the scores that count.
    fn inside<F: OnSearch>(&self, [width, height]: [f32; 2]) -> (Inside, Places) {
        let (fit, named) = (self.fit, &self.named);
        let settled = F::settled(&named.places);
        let regions = named.places.starts.iter().enumerate();
        let all = regions.map(|(region, start)| Proposal {
            box_in_image: fit.in_picture(*start).clip(width, height),
            score: 0.0,
            anchor: region,
            suppressed_by: None,
            region: Some(region),
            reads: parts_in_picture(&named.reads[region], fit),
        });
        let maps = match F::family().looks {
            // Each crop has a map of its own.
            Looks::Crops => F::maps().into_iter().map(|cells| FeatureMap { cells, step: None }).collect(),
            _ => maps_in_picture(&F::maps(), fit),
        };
        let roi = (!named.roi.is_empty()).then(|| RoiPooling {
            side: two_step::BINS,
            parts: parts_in_picture(&named.roi, fit),
        });
        let inside = Inside {
            grids: Vec::new(),
            classes: named.places.classes,
            proposals: Some(Proposals {
                all: all.collect(),
                grids: F::GRIDS.iter().map(|sides| sides.to_vec()).collect(),
                maps,
                roi,
            }),
        };
        let said = Places {
            starts: in_picture(&named.places, fit).starts,
            scores: settled.scores.clone(),
            classes: settled.classes,
            ..Places::default()
        };
        (inside, said)
    }
}
