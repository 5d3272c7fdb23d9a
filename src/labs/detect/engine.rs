//! Detection with SSD: the five rooms are `prepare` (transform), the network (backbone and
//! heads), the default boxes (proposals), and `refine` (postprocess).

use burn::tensor::{Device, Tensor};

use super::spec::{
    AnchorMap, AnchorShape, Anchors, Answer, CLASSES, Candidate, DetectSettings, Detections, Question,
};
use crate::engine::lab::{Bench, LabEngine, empty_picture};
use crate::methods::box_coder::{clip, decode};
use crate::methods::default_boxes::{MAP_CELLS, default_boxes, shapes};
use crate::methods::nms::suppress;
use crate::methods::resize::{stretch_rgb, to_tensor};
use crate::models::ssd::{BOXES_PER_CELL, SSD, Ssd};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;

use crate::job::{Job, Promise, Reply, Request, bytes_of};

/// Side of the network's square input in pixels.
pub const INPUT_SIDE: usize = 300;

/// What the network said of one picture; enough to change thresholds without running it again.
#[derive(Debug, Clone, PartialEq)]
pub struct RawDetections {
    /// `[ty, tx, th, tw]` of each default box.
    pub encodings: Vec<f32>,
    /// Scores 0 to 1, [`CLASSES`] for each default box.
    pub scores: Vec<f32>,
    /// Columns of the picture.
    pub width: usize,
    /// Rows of the picture.
    pub height: usize,
}

/// The network's input: `[1, 3, 300, 300]`, RGB from -1 to 1. The picture is stretched.
pub fn prepare(picture: &Picture, device: &Device) -> Tensor<4> {
    let rgb = stretch_rgb(picture, INPUT_SIDE, INPUT_SIDE);
    to_tensor(&rgb, INPUT_SIDE, INPUT_SIDE, 1.0 / 127.5, -1.0, device)
}

/// Runs the network on a picture.
///
/// # Errors
/// Those of [`Job::stage`] and [`Job::read`].
pub async fn run(
    job: &Job<'_>,
    network: &Ssd,
    picture: &Picture,
    device: &Device,
) -> Result<RawDetections, Failure> {
    job.stage(Stage::Prepare).await?;
    let input = prepare(picture, device);
    job.stage(Stage::Network).await?;
    let output = network.forward(input);
    let encodings = job.read(output.encodings).await?;
    let logits = job.read(output.logits).await?;
    job.stage(Stage::Postprocess).await?;
    let scores = logits
        .into_iter()
        .map(|logit| 1.0 / (1.0 + (-logit).exp()))
        .collect();
    Ok(RawDetections {
        encodings,
        scores,
        width: picture.width,
        height: picture.height,
    })
}

/// Threshold and non-maximum suppression: what the sliders change.
pub fn refine(raw: &RawDetections, settings: &DetectSettings) -> Detections {
    let threshold = settings.score;
    let (width, height) = (raw.width as f32, raw.height as f32);
    let mut candidates = Vec::new();
    let mut best_scores = vec![0f32; CLASSES.len()];
    let boxes = raw
        .encodings
        .as_chunks::<4>()
        .0
        .iter()
        .zip(raw.scores.chunks_exact(CLASSES.len()));
    for (anchor, ((&encoding, scores), default)) in boxes.zip(default_boxes()).enumerate() {
        for (class, &score) in scores.iter().enumerate().skip(1) {
            best_scores[class] = best_scores[class].max(score);
            if score < threshold {
                continue;
            }
            candidates.push(Candidate {
                class,
                score,
                box_in_image: clip(decode(encoding, default, width, height), width, height),
                anchor,
                suppressed_by: None,
                overlap: 0.0,
            });
        }
    }
    Detections {
        candidates: suppress(candidates, settings.iou),
        best_scores,
    }
}

/// The default boxes with the best score of each, for the inside view.
pub fn anchors(raw: &RawDetections) -> Anchors {
    let mut first = 0;
    let maps = MAP_CELLS
        .iter()
        .enumerate()
        .map(|(map, &cells)| {
            let count = cells * cells * BOXES_PER_CELL[map];
            let scores = &raw.scores[first * CLASSES.len()..(first + count) * CLASSES.len()];
            let (best, best_class) = scores
                .chunks_exact(CLASSES.len())
                .map(best_foreground)
                .unzip();
            let map = AnchorMap {
                cells,
                first,
                shapes: shapes(map)
                    .into_iter()
                    .map(|[width, height, ratio]| AnchorShape {
                        width,
                        height,
                        ratio,
                    })
                    .collect(),
                best,
                best_class,
            };
            first += count;
            map
        })
        .collect();
    Anchors { maps }
}

fn best_foreground(scores: &[f32]) -> (f32, u8) {
    let (class, score) = scores
        .iter()
        .enumerate()
        .skip(1)
        .max_by(|a, b| a.1.total_cmp(b.1))
        .expect("more than one class");
    (*score, class as u8)
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Detection { last: None })
}

/// What the network said of the last picture.
struct Detection {
    last: Option<RawDetections>,
}

impl LabEngine for Detection {
    fn answer<'a>(
        &'a mut self,
        bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let job = bench.job;
            let settings = request.settings.read();
            let answer = |raw: &RawDetections, anchors| {
                Reply::new(&Answer {
                    width: raw.width,
                    height: raw.height,
                    detections: refine(raw, &settings),
                    anchors,
                })
            };
            match request.question()? {
                Question::Run => {
                    job.stage(Stage::Decode).await?;
                    let picture = request.picture("picture").await?;
                    let picture = picture.ok_or(Failure::EmptyFile)?;
                    job.stage(Stage::Load).await?;
                    let network = bench.shelf.get(job, &SSD).await?;
                    let raw = run(job, &network, &picture, &bench.device()).await?;
                    let reply = answer(&raw, Some(anchors(&raw)));
                    self.last = Some(raw);
                    Ok(reply)
                }
                Question::Refine => {
                    let raw = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    Ok(answer(raw, None))
                }
                Question::Raw => {
                    let raw = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    let numbers = [&*raw.encodings, &*raw.scores].concat();
                    Ok(Reply::default().with("raw", bytes_of(&numbers)))
                }
            }
        })
    }

    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move { bench.shelf.get(bench.job, &SSD).await.map(drop) })
    }

    fn warm_up<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let network = bench.shelf.get(bench.job, &SSD).await?;
            run(bench.job, &network, &empty_picture(), &bench.device()).await?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::detect::spec::{LAB, NAMES};
    use crate::protocol::param::Value;
    use crate::protocol::settings::Settings;

    /// Two confident cats at the same default box size, side by side, and silence elsewhere.
    fn raw() -> RawDetections {
        let mut raw = RawDetections {
            encodings: vec![0.0; 1917 * 4],
            scores: vec![0.0; 1917 * CLASSES.len()],
            width: 190,
            height: 190,
        };
        raw.scores[8] = 0.9; // default box 0, class Cat
        raw.scores[1916 * CLASSES.len() + 20] = 0.3; // last box, Dog
        raw
    }

    #[test]
    fn the_threshold_decides_what_is_listed() {
        let mut settings = Settings::new(&LAB);
        assert_eq!(refine(&raw(), &settings.read()).candidates.len(), 1);
        settings.set(NAMES.score, Value::Number(0.2));
        let found = refine(&raw(), &settings.read());
        assert_eq!(
            found
                .candidates
                .iter()
                .map(|c| CLASSES[c.class])
                .collect::<Vec<_>>(),
            ["Cat", "Dog"]
        );
        assert_eq!(found.best_scores[8], 0.9);
    }

    #[test]
    fn boxes_are_in_pixels_of_the_picture_and_clipped() {
        let cat = &refine(&raw(), &Settings::new(&LAB).read()).candidates[0];
        // Default box 0: centre 5 of 190 pixels, 19 wide: -4.5 to 14.5, cut at 0.
        assert_eq!(cat.box_in_image.x0, 0.0);
        assert!((cat.box_in_image.x1 - 14.5).abs() < 1e-4);
    }

    #[test]
    fn every_default_box_is_in_one_map() {
        let anchors = anchors(&raw());
        assert_eq!(
            anchors.maps.iter().map(|m| m.best.len()).sum::<usize>(),
            1917
        );
        assert_eq!(
            (anchors.maps[0].best[0], anchors.maps[0].best_class[0]),
            (0.9, 8)
        );
        let last = &anchors.maps[5];
        assert_eq!((last.best[5], last.best_class[5]), (0.3, 20));
    }
}
