//! What the families share whose heads look at regions: the picture searched, the maps pooled, and what is kept of a run.

use burn::tensor::Tensor;

use super::on_backbone::{Said, Square};
use crate::job::Job;
use crate::labs::detect::spec::{Inside, Proposal, Proposals};
use crate::maths::boxes::Corners;
use crate::methods::outputs::Places;
use crate::methods::outputs::two_step::{self, Geometry, Pooled};
use crate::methods::proposals;
use crate::methods::resize::stretch_rgb;
use crate::methods::selective_search::SEARCH;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;

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
pub struct OfRegions {
    /// What the heads said.
    pub said: Said,
    /// The level that each region was read from.
    pub levels: Vec<usize>,
    /// The mean of the features in each bin, region after region.
    pub bins: Vec<f32>,
    /// Bins in a row.
    pub side: usize,
    /// Cells in a row of each level.
    pub maps: Vec<usize>,
}

impl OfRegions {
    /// No grids, but proposals: all regions, the likeliest first.
    pub fn inside(&self, [width, height]: [f32; 2]) -> (Inside, Places) {
        let fit = self.said.fit;
        let regions = self.said.places.starts.iter().enumerate();
        let all = regions.map(|(region, start)| Proposal {
            box_in_image: fit.in_picture(*start).clip(width, height),
            score: 0.0,
            anchor: region,
            suppressed_by: None,
            region: Some(region),
            grid: self.levels.get(region).copied().unwrap_or(0),
        });
        let inside = Inside {
            grids: Vec::new(),
            classes: 1,
            proposals: Some(Proposals {
                all: all.collect(),
                bins: self.side,
                maps: self.maps.clone(),
            }),
        };
        (inside, Places::default())
    }
}
