//! Scores that neighbouring regions agree on.

use super::Places;

/// Regions that overlap (IoU) by so much are about the same thing.
const NEAR: f32 = 0.5;
/// So many neighbours that say nothing are always there: a region without any other is half as sure.
const SILENT: f32 = 1.0;

/// The same regions, where each score is the mean of what all regions near this one say of the class, itself among them, and
/// of [`SILENT`] that say nothing. What is seen in one patch alone sinks; what all boxes around an object see stays.
pub fn agreed(said: &Places) -> Places {
    let classes = said.classes;
    let mut scores = vec![0f32; said.scores.len()];
    for (region, sums) in scores.chunks_exact_mut(classes.max(1)).enumerate() {
        let mut count = SILENT;
        for (other, of_other) in said.scores.chunks_exact(classes).enumerate() {
            if region == other || said.starts[region].iou(said.starts[other]) >= NEAR {
                count += 1.0;
                for (sum, score) in sums.iter_mut().zip(of_other) {
                    *sum += score;
                }
            }
        }
        for sum in sums {
            *sum /= count;
        }
    }
    Places {
        scores,
        ..said.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::boxes::Corners;

    #[test]
    fn neighbours_are_asked_and_a_region_alone_is_half_as_sure() {
        let square = |x: f32| Corners {
            x0: x,
            y0: 0.0,
            x1: x + 10.0,
            y1: 10.0,
        };
        // The first two overlap by 8/12; the third is alone.
        let said = Places {
            starts: [0.0, 2.0, 50.0].map(square).to_vec(),
            boxes: [0.0, 2.0, 50.0].map(square).to_vec(),
            sure: Vec::new(),
            scores: vec![0.9, 0.1, 0.6, 0.4, 0.2, 0.8],
            classes: 2,
        };
        let agreed = agreed(&said).scores;
        let wanted = [0.5, 0.5 / 3.0, 0.5, 0.5 / 3.0, 0.1, 0.4];
        for (got, wanted) in agreed.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-6, "{agreed:?}");
        }
        assert!(super::agreed(&Places::default()).scores.is_empty());
    }
}
