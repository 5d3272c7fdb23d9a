//! Greedy non-maximum suppression, one class at a time.

use crate::labs::detect::spec::Candidate;

use super::boxes::iou;

/// Sorts candidates by falling score and marks each that overlaps a stronger kept box of its
/// class by more than `threshold` as suppressed by that box.
///
/// Equal scores keep the order of their default boxes, so that the result does not depend on
/// the order of the input. Every candidate comes back; those kept have `suppressed_by` `None`.
///
/// # Reference
/// Girshick et al. 2014, section 2.2.
pub fn suppress(mut candidates: Vec<Candidate>, threshold: f32) -> Vec<Candidate> {
    candidates.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then(a.anchor.cmp(&b.anchor))
            .then(a.class.cmp(&b.class))
    });
    let mut kept: Vec<usize> = Vec::new();
    for index in 0..candidates.len() {
        let candidate = &candidates[index];
        let strongest = kept.iter().find_map(|&other| {
            let other_box = &candidates[other];
            if other_box.class != candidate.class {
                return None;
            }
            let overlap = iou(other_box.box_in_image, candidate.box_in_image);
            (overlap > threshold).then_some((other, overlap))
        });
        let candidate = &mut candidates[index];
        match strongest {
            Some((other, overlap)) => {
                candidate.suppressed_by = Some(other);
                candidate.overlap = overlap;
            }
            None => {
                candidate.suppressed_by = None;
                candidate.overlap = 0.0;
                kept.push(index);
            }
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::detect::spec::BoxInImage;
    use proptest::prelude::*;

    fn candidate(class: usize, score: f32, x: f32, anchor: usize) -> Candidate {
        Candidate {
            class,
            score,
            box_in_image: BoxInImage {
                x0: x,
                y0: 0.0,
                x1: x + 10.0,
                y1: 10.0,
            },
            anchor,
            suppressed_by: None,
            overlap: 0.0,
        }
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert!(suppress(vec![], 0.5).is_empty());
    }

    #[test]
    fn the_weaker_of_two_overlapping_boxes_goes() {
        // Shift 2 of 10: intersection 80, union 120, IoU 2/3.
        let result = suppress(
            vec![candidate(1, 0.6, 2.0, 0), candidate(1, 0.9, 0.0, 1)],
            0.5,
        );
        assert_eq!(result[0].score, 0.9);
        assert_eq!(result[0].suppressed_by, None);
        assert_eq!(result[1].suppressed_by, Some(0));
        assert!((result[1].overlap - 2.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn another_class_or_a_small_overlap_stays() {
        let result = suppress(
            vec![
                candidate(1, 0.9, 0.0, 0),
                candidate(2, 0.8, 0.0, 1),
                candidate(1, 0.7, 8.0, 2),
            ],
            0.5,
        );
        assert!(result.iter().all(|c| c.suppressed_by.is_none()));
    }

    #[test]
    fn a_suppressed_box_suppresses_nothing() {
        // B overlaps A, C overlaps B but not A: B goes, C stays.
        let result = suppress(
            vec![
                candidate(1, 0.9, 0.0, 0),
                candidate(1, 0.8, 3.0, 1),
                candidate(1, 0.7, 6.0, 2),
            ],
            0.5,
        );
        assert_eq!(
            result.iter().map(|c| c.suppressed_by).collect::<Vec<_>>(),
            [None, Some(0), None]
        );
    }

    proptest! {
        #[test]
        fn kept_boxes_never_overlap_and_suppressed_ones_say_why(
            boxes in proptest::collection::vec((0usize..3, 0f32..1.0, 0f32..30.0), 0..40),
            threshold in 0f32..1.0,
        ) {
            let candidates = boxes.iter().enumerate().map(|(i, &(class, score, x))| candidate(class, score, x, i)).collect();
            let result = suppress(candidates, threshold);
            prop_assert_eq!(result.len(), boxes.len());
            for (i, a) in result.iter().enumerate() {
                match a.suppressed_by {
                    Some(by) => {
                        let b = &result[by];
                        prop_assert!(b.suppressed_by.is_none() && b.class == a.class && b.score >= a.score);
                        prop_assert!(iou(a.box_in_image, b.box_in_image) > threshold);
                    }
                    None => for b in result[..i].iter().filter(|b| b.suppressed_by.is_none() && b.class == a.class) {
                        prop_assert!(iou(a.box_in_image, b.box_in_image) <= threshold);
                    }
                }
            }
        }
    }
}
