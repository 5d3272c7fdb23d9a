//! What every detector is: five rooms in a row, of which the last can be entered again.
//!
//! A family implements [`Detector`] with types of its own between the rooms. Whoever drives it
//! holds [`AnyDetector`] and, after a run, [`Kept`]: both are objects of any family.

use crate::job::{Job, Promise};
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::greedy_merge::merge;
use crate::methods::nms::{Among, suppress};
use crate::methods::outputs::Places;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;

use super::families::Family;
use super::spec::{Candidate, Detections, Inside, Thresholds};

/// A loaded detector, by its rooms, each of which gets what those before it made.
///
/// A detector of one pass has a table for proposals (default boxes, cells, queries). One of two steps
/// makes them here, from the features (a region proposal network and suppression among
/// [`Among::All`]) or from the picture (selective search, which needs no features); its heads pool the
/// features of each. Where each proposal goes through the network by itself (R-CNN), the features are
/// nothing and the heads do the work.
///
/// Rooms that take long give way with [`Job::breathe`], which is also where a run is cancelled.
/// Tensors are read with [`Job::read`] only, at most once a room.
///
/// # Reference
/// torchvision's `GeneralizedRCNN` and `SSD`.
pub trait Detector: 'static {
    /// The picture as the network takes it, with what later rooms need to find back to it.
    type Input;
    /// What all proposals of a picture share, such as feature maps.
    type Features;
    /// Where the heads look, in a space of the family's choice.
    type Proposals;
    /// Plain numbers: all that thresholds and inside views need. No tensors, so that what is kept of a
    /// run outlives the network and takes no memory of the device.
    type Raw: 'static;

    /// Its row.
    fn family() -> &'static Family;

    /// Pixels to the network's input. The picture has at least one pixel and any aspect ratio.
    fn transform(&self, picture: &Picture) -> Self::Input;

    /// The part that all proposals of a picture share.
    ///
    /// # Errors
    /// Those of the job.
    fn backbone(
        &self,
        job: &Job<'_>,
        input: &Self::Input,
    ) -> impl Future<Output = Result<Self::Features, Failure>>;

    /// Where an object may be. None is an answer, too.
    ///
    /// # Errors
    /// Those of the job.
    fn proposals(
        &self,
        job: &Job<'_>,
        input: &Self::Input,
        features: &Self::Features,
    ) -> impl Future<Output = Result<Self::Proposals, Failure>>;

    /// What stands in each proposal and where exactly, read back and not yet chosen from. No proposals
    /// give numbers of nothing.
    ///
    /// # Errors
    /// Those of the job.
    fn heads(
        &self,
        job: &Job<'_>,
        input: Self::Input,
        features: Self::Features,
        proposals: Self::Proposals,
    ) -> impl Future<Output = Result<Self::Raw, Failure>>;

    /// What a run had that ended before its time, where there was a part of it that stands by itself.
    fn so_far(&self) -> Option<Self::Raw> {
        None
    }

    /// Threshold and suppression, fast enough for a slider. `[width, height]` is the size of the
    /// picture in pixels, which is what the boxes come in, clipped to it. Candidates are all boxes
    /// from the score threshold on, by falling score; [`list`] makes them.
    ///
    /// It needs no network: a run is refined long after its network has gone.
    fn postprocess(raw: &Self::Raw, size: [f32; 2], thresholds: Thresholds) -> Detections;

    /// What the inside views show, whatever the thresholds: the grids, and what the network says of all their places, in
    /// pixels of the picture of that size.
    fn inside(raw: &Self::Raw, size: [f32; 2]) -> (Inside, Places);

    /// The mean of the features in each bin of each region, region after region, where there are regions.
    fn bins(_: &Self::Raw) -> &[f32] {
        &[]
    }

    /// How many places the heads looked at: default boxes, cells or proposals.
    fn looked_at(raw: &Self::Raw) -> usize;

    /// The network's own numbers, for comparing two machines. Their order is the family's.
    fn numbers(raw: &Self::Raw) -> Vec<f32>;
}

/// A loaded detector of any family.
pub trait AnyDetector {
    /// Its row.
    fn family(&self) -> &'static Family;

    /// Runs it on a picture, with the stages that its family names. The last of them has begun when
    /// this returns, so that the first [`Kept::refine`] counts as part of it.
    ///
    /// # Errors
    /// Those of the job.
    fn run<'a>(
        &'a self,
        job: &'a Job<'_>,
        picture: &'a Picture,
    ) -> Promise<'a, Result<Box<dyn Kept>, Failure>>;

    /// What the last run had, where it was stopped: the run of a part. `picture` is that of the run.
    fn so_far(&self, picture: &Picture) -> Option<Box<dyn Kept>>;
}

/// What is kept of a run on one picture: enough to change thresholds without running the network.
///
/// An object and not an enum over the families: a family keeps what it likes, and its postprocessing
/// cannot meet the numbers of another one.
pub trait Kept {
    /// Whose run it was: what the classes of its detections are.
    fn family(&self) -> &'static Family;
    /// Columns and rows of the picture.
    fn size(&self) -> [usize; 2];
    /// See [`Detector::postprocess`].
    fn refine(&self, thresholds: Thresholds) -> Detections;
    /// See [`Detector::inside`].
    fn inside(&self) -> (Inside, Places);
    /// See [`Detector::bins`].
    fn bins(&self) -> &[f32];
    /// See [`Detector::looked_at`].
    fn looked_at(&self) -> usize;
    /// See [`Detector::numbers`].
    fn numbers(&self) -> Vec<f32>;
}

impl<D: Detector> AnyDetector for D {
    fn family(&self) -> &'static Family {
        D::family()
    }

    fn run<'a>(
        &'a self,
        job: &'a Job<'_>,
        picture: &'a Picture,
    ) -> Promise<'a, Result<Box<dyn Kept>, Failure>> {
        Box::pin(async move {
            let run: Run<D> = Run::through(self, job, picture).await?;
            Ok(Box::new(run) as Box<dyn Kept>)
        })
    }

    fn so_far(&self, picture: &Picture) -> Option<Box<dyn Kept>> {
        let raw = Detector::so_far(self)?;
        let run: Run<D> = Run::new(raw, [picture.width, picture.height]);
        Some(Box::new(run))
    }
}

/// What is kept of a run of a detector, or of the part of it that is done.
pub struct Run<D: Detector> {
    raw: D::Raw,
    width: usize,
    height: usize,
}

impl<D: Detector> Run<D> {
    /// Of a picture of so many columns and rows.
    pub fn new(raw: D::Raw, [width, height]: [usize; 2]) -> Self {
        Self { raw, width, height }
    }

    /// From room to room; a stage begins where it is not the one of the room before.
    async fn through(detector: &D, job: &Job<'_>, picture: &Picture) -> Result<Self, Failure> {
        let stages = D::family().stages;
        job.stage(stages[0]).await?;
        let enter = async |room: usize| {
            if stages[room] == stages[room - 1] {
                Ok(())
            } else {
                job.stage(stages[room]).await
            }
        };
        let input = detector.transform(picture);
        enter(1).await?;
        let features = detector.backbone(job, &input).await?;
        enter(2).await?;
        let proposals = detector.proposals(job, &input, &features).await?;
        enter(3).await?;
        let raw = detector.heads(job, input, features, proposals).await?;
        enter(4).await?;
        Ok(Self {
            raw,
            width: picture.width,
            height: picture.height,
        })
    }
}

impl<D: Detector> Kept for Run<D> {
    fn family(&self) -> &'static Family {
        D::family()
    }

    fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    fn refine(&self, thresholds: Thresholds) -> Detections {
        D::postprocess(&self.raw, self.size().map(|side| side as f32), thresholds)
    }

    fn inside(&self) -> (Inside, Places) {
        D::inside(&self.raw, self.size().map(|side| side as f32))
    }

    fn bins(&self) -> &[f32] {
        D::bins(&self.raw)
    }

    fn looked_at(&self) -> usize {
        D::looked_at(&self.raw)
    }

    fn numbers(&self) -> Vec<f32> {
        D::numbers(&self.raw)
    }
}

/// A picture for trials: patches in many colours, so that a detector which looks at segments has as many of them as on a
/// photograph.
pub fn trial_picture() -> Picture {
    const SIZE: [usize; 2] = [240, 160];
    const PATCH: usize = 12;
    let mut draws = Draws::new(1, 0);
    let patches = (SIZE[0] / PATCH + 1) * (SIZE[1] / PATCH + 1);
    let colors: Vec<[u8; 3]> = (0..patches)
        .map(|_| [(); 3].map(|()| draws.below(256) as u8))
        .collect();
    let pixels = (0..SIZE[1]).flat_map(|y| (0..SIZE[0]).map(move |x| (x / PATCH, y / PATCH)));
    let rgba = pixels.flat_map(|(x, y)| {
        let [r, g, b] = colors[y * (SIZE[0] / PATCH + 1) + x];
        [r, g, b, 255]
    });
    Picture::new(SIZE[0], SIZE[1], rgba.collect()).expect("as many bytes as its size says")
}

/// A box that passed the score threshold, before suppression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Where it is.
    pub box_in_image: Corners,
    /// Index into the family's classes.
    pub class: usize,
    /// 0 to 1.
    pub score: f32,
    /// Index of the anchor, cell or proposal that it came from.
    pub anchor: usize,
}

/// Every box by falling score, kept or suppressed with the reason. Equal scores keep the order of
/// `found`, which is best that of the anchors.
pub fn list(found: &[Found], among: Among<'_>, iou: f32) -> Vec<Candidate> {
    let boxes: Vec<Corners> = found.iter().map(|found| found.box_in_image).collect();
    let scores: Vec<f32> = found.iter().map(|found| found.score).collect();
    let suppression = suppress(&boxes, &scores, among, iou);
    let mut position = vec![0; found.len()];
    for (at, &index) in suppression.order.iter().enumerate() {
        position[index] = at;
    }
    suppression
        .order
        .iter()
        .map(|&index| {
            let fate = suppression.fates[index];
            Candidate {
                class: found[index].class,
                score: found[index].score,
                box_in_image: found[index].box_in_image,
                anchor: found[index].anchor,
                suppressed_by: fate.map(|fate| position[fate.by]),
                overlap: fate.map_or(0.0, |fate| fate.iou),
            }
        })
        .collect()
}

/// Every box by falling score, and each box that some were merged into: those are kept, their members went into them. A box that
/// matched with none stays as it is. `threshold` is that of [`merge`]; the place of a merged box is that of its best member.
pub fn list_merged(found: &[Found], threshold: f32) -> Vec<Candidate> {
    let boxes: Vec<Corners> = found.iter().map(|found| found.box_in_image).collect();
    let scores: Vec<f32> = found.iter().map(|found| found.score).collect();
    let classes: Vec<usize> = found.iter().map(|found| found.class).collect();
    let merged = merge(&boxes, &scores, &classes, threshold);
    let kept = merged.iter().enumerate().map(|(group, of)| {
        let candidate = Candidate {
            class: of.class,
            score: of.score,
            box_in_image: of.mean,
            anchor: found[of.members[0]].anchor,
            suppressed_by: None,
            overlap: 0.0,
        };
        (group, candidate)
    });
    let several = merged.iter().enumerate().filter(|(_, of)| of.members.len() > 1);
    let gone = several.flat_map(|(group, of)| {
        of.members.iter().map(move |&member| {
            let found = &found[member];
            let candidate = Candidate {
                class: found.class,
                score: found.score,
                box_in_image: found.box_in_image,
                anchor: found.anchor,
                suppressed_by: Some(group),
                overlap: found.box_in_image.iou(of.mean),
            };
            (group, candidate)
        })
    });
    // Stable: a merged box, no weaker than its members, stands before them.
    let mut all: Vec<(usize, Candidate)> = kept.chain(gone).collect();
    all.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
    let mut position = vec![0; merged.len()];
    for (at, (group, candidate)) in all.iter().enumerate() {
        if candidate.suppressed_by.is_none() {
            position[*group] = at;
        }
    }
    let placed = all.into_iter().map(|(group, candidate)| Candidate {
        suppressed_by: candidate.suppressed_by.map(|_| position[group]),
        ..candidate
    });
    placed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(score: f32, x: f32, anchor: usize) -> Found {
        Found {
            box_in_image: Corners {
                x0: x,
                y0: 0.0,
                x1: x + 10.0,
                y1: 10.0,
            },
            class: 1,
            score,
            anchor,
        }
    }

    #[test]
    fn reasons_point_into_the_sorted_list() {
        let found = [found(0.6, 2.0, 7), found(0.5, 50.0, 8), found(0.9, 0.0, 9)];
        let listed = list(&found, Among::All, 0.5);
        let anchors = listed.iter().map(|c| c.anchor);
        assert_eq!(anchors.collect::<Vec<_>>(), [9, 7, 8]);
        let reasons = listed.iter().map(|c| c.suppressed_by);
        assert_eq!(reasons.collect::<Vec<_>>(), [None, Some(0), None]);
        // Shift 2 of 10: intersection 80, union 120.
        assert!((listed[1].overlap - 2.0 / 3.0).abs() < 1e-6);
        assert_eq!(listed[0].overlap, 0.0);
    }

    #[test]
    fn boxes_stand_after_what_they_were_merged_into() {
        let found = [found(0.5, 0.0, 7), found(0.8, 50.0, 8), found(0.6, 2.0, 9)];
        let listed = list_merged(&found, 0.5);
        // Of the 0.4 that the better one lacks, 0.5 of 1.5.
        let scores = listed.iter().map(|c| (c.score * 100.0).round() as u32);
        assert_eq!(scores.collect::<Vec<_>>(), [80, 73, 60, 50]);
        let kept = listed.iter().position(|c| c.suppressed_by.is_none() && c.anchor == 9);
        let kept = kept.expect("the best member gives the place");
        for (candidate, anchor) in listed[2..].iter().zip([9, 7]) {
            assert_eq!((candidate.anchor, candidate.suppressed_by), (anchor, Some(kept)));
        }
        // The mean lies at 2 x 0.6 / 1.1 = 1.0909; shift 0.909 of 10: 90.91 of 109.09.
        assert!((listed[kept].box_in_image.x0 - 1.0909).abs() < 1e-3);
        assert!((listed[2].overlap - 0.8333).abs() < 1e-3, "{listed:?}");
        assert!(list_merged(&[], 0.5).is_empty());
    }

    #[test]
    fn trials_have_as_many_boxes_as_photographs() {
        use crate::methods::selective_search::SEARCH;
        assert_eq!(SEARCH.of(&trial_picture(), 300).len(), 300);
    }

    #[test]
    fn nothing_found_is_an_empty_list() {
        assert!(list(&[], Among::All, 0.5).is_empty());
    }
}
