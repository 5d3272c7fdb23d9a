//! Faster R-CNN's five rooms.

use super::FASTER_RCNN;
use crate::data::photographs::Labelled;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::{AnyDetector, Detector};
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::{
    self, Grounded, Judged, Maps, Said, Square, grids, in_picture,
};
use crate::labs::detect::families::on_regions;
use crate::labs::detect::spec::{
    DetectSettings, Detections, Inside, Part, PoolingChoice, Proposal, Proposals, Thresholds,
};
use crate::methods::nms::Suppressed;
use crate::methods::outputs::two_step::{self, Geometry, LEVELS, PROPOSALS, RATIOS};
use crate::methods::outputs::{Places, sigmoid};
use crate::methods::proposals::{self, Looked};
use crate::methods::roi::Pooling;
use crate::models::detect::SIDE;
use crate::models::detect::two_step::{Proposed, TWO_STEP, TwoStep};
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::train::detector::two_step::TwoStepRecipe;

/// A loaded detector.
pub struct FasterRcnn {
    grounded: Grounded<TwoStep>,
    geometry: Geometry,
}

/// See [`Family::judge`].
pub(super) fn judge<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    picture: &'a Picture,
    objects: &'a [Labelled],
) -> Promise<'a, Result<Judged, Failure>> {
    Box::pin(async move {
        let grounded = Grounded::load(shelf, job, &TWO_STEP).await?;
        on_backbone::judge(job, &TwoStepRecipe::new(96, 0), &grounded, picture, objects).await
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
            PoolingChoice::Own | PoolingChoice::Align => Pooling::Aligned { samples: 2 },
            PoolingChoice::Pool => Pooling::Largest,
        };
        let detector = FasterRcnn {
            grounded: Grounded::load(shelf, job, &TWO_STEP).await?,
            geometry: Geometry::new(two_step::BINS, pooling),
        };
        Ok(Box::new(detector) as Box<dyn AnyDetector>)
    })
}

/// What the first step says.
pub struct FirstStep {
    proposed: Proposed,
    /// Logits.
    objectness: Vec<f32>,
    moves: Vec<[f32; 4]>,
    looked: Looked,
}

/// What both steps said of a picture.
pub struct BothSteps {
    /// Of the regions.
    regions: Said,
    /// Of the anchors, in pixels of the square.
    anchors: Places,
    looked: Looked,
    /// The part of a map that each region was read from, in pixels of the square.
    reads: Vec<Part>,
    /// The mean of the features in each bin, region after region.
    bins: Vec<f32>,
}

impl Detector for FasterRcnn {
    type Input = Square;
    /// The backbone's; the pyramid belongs to the first step.
    type Features = Maps;
    type Proposals = FirstStep;
    type Raw = BothSteps;

    fn family() -> &'static Family {
        &FASTER_RCNN
    }

    fn transform(&self, picture: &Picture) -> Square {
        self.grounded.square(picture)
    }

    async fn backbone(&self, _: &Job<'_>, square: &Square) -> Result<Maps, Failure> {
        Ok(self.grounded.maps(square))
    }

    async fn proposals(
        &self,
        job: &Job<'_>,
        _: &Square,
        maps: &Maps,
    ) -> Result<FirstStep, Failure> {
        let proposed = self.grounded.heads.propose(maps);
        let (objectness, moves) = TwoStep::apart(&job.read(proposed.together()).await?);
        let anchors = &self.geometry.anchors;
        let looked = PROPOSALS.look(anchors, &objectness, &moves, [SIDE as f32; 2]);
        Ok(FirstStep {
            proposed,
            objectness,
            moves,
            looked,
        })
    }

    async fn heads(
        &self,
        job: &Job<'_>,
        square: Square,
        _: Maps,
        first: FirstStep,
    ) -> Result<BothSteps, Failure> {
        let kept: Vec<proposals::Proposal> = first.looked.kept(&PROPOSALS);
        let heads = &self.grounded.heads;
        let (places, bins) = on_regions::name(
            job,
            &self.geometry,
            &first.proposed.levels,
            &kept,
            |bins| heads.name_together(bins),
            FASTER_RCNN.classes.len(),
        )
        .await?;
        let reads = kept.iter().map(|of| on_regions::part_of(&self.geometry, of.box_in_input));
        let sure: Vec<f32> = first.objectness.iter().map(|&logit| sigmoid(logit)).collect();
        let anchors = &self.geometry.anchors;
        Ok(BothSteps {
            regions: Said {
                places,
                fit: square.fit,
            },
            reads: reads.collect(),
            anchors: Places {
                starts: anchors.clone(),
                boxes: proposals::moved(anchors, &first.moves),
                scores: sure.clone(),
                sure,
                classes: 1,
            },
            looked: first.looked,
            bins,
        })
    }

    fn postprocess(said: &BothSteps, size: [f32; 2], thresholds: Thresholds) -> Detections {
        said.regions.detections(size, thresholds)
    }

    /// The grids are the anchors'.
    fn inside(said: &BothSteps, [width, height]: [f32; 2]) -> (Inside, Places) {
        let fit = said.regions.fit;
        let reads = on_regions::parts_in_picture(&said.reads, fit);
        let suppression = &said.looked.suppression;
        let mut position = vec![0; said.looked.moved.len()];
        for (at, &index) in suppression.order.iter().enumerate() {
            position[index] = at;
        }
        let mut regions = 0;
        let of_proposal = |&index: &usize| {
            let proposal = said.looked.moved[index];
            let fate: Option<Suppressed> = suppression.fates[index];
            let region = (fate.is_none() && regions < reads.len()).then(|| {
                regions += 1;
                regions - 1
            });
            Proposal {
                box_in_image: fit.in_picture(proposal.box_in_input).clip(width, height),
                score: sigmoid(proposal.score),
                anchor: proposal.anchor,
                suppressed_by: fate.map(|fate| position[fate.by]),
                region,
                reads: region.map(|region| reads[region]).into_iter().collect(),
            }
        };
        let cells = LEVELS.map(|stride| SIDE / stride);
        let inside = Inside {
            grids: grids(&cells, RATIOS.len(), fit),
            classes: 1,
            proposals: Some(Proposals {
                all: suppression.order.iter().map(of_proposal).collect(),
                grids: vec![vec![two_step::BINS]],
                maps: on_regions::maps_in_picture(&cells, fit),
                roi: None,
            }),
        };
        (inside, in_picture(&said.anchors, fit))
    }

    fn bins(said: &BothSteps) -> &[f32] {
        &said.bins
    }

    fn looked_at(said: &BothSteps) -> usize {
        said.regions.places.count()
    }

    /// Of the regions: boxes for each class, objectness, scores.
    fn numbers(said: &BothSteps) -> Vec<f32> {
        on_backbone::numbers(&said.regions.places)
    }
}
