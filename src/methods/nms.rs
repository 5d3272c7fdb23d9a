//! Greedy non-maximum suppression, one class at a time or across all.

use crate::maths::boxes::Corners;

/// Which boxes may suppress each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among<'a> {
    /// Those of the same class: detections. One class for each box.
    EachClass(&'a [usize]),
    /// All: proposals, which have no class yet.
    All,
}

/// Why a box went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suppressed {
    /// Index of the stronger box that was kept, in the input.
    pub by: usize,
    /// Overlap of the two, above the threshold.
    pub iou: f32,
}

/// What became of each box.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Suppression {
    /// Indices of all boxes of the input by falling score; equal scores by index, NaN last.
    pub order: Vec<usize>,
    /// For each box of the input why it went; `None` if it was kept.
    pub fates: Vec<Option<Suppressed>>,
}

impl Suppression {
    /// Indices of the boxes that were kept, by falling score.
    pub fn kept(&self) -> impl Iterator<Item = usize> {
        self.order
            .iter()
            .copied()
            .filter(|&index| self.fates[index].is_none())
    }
}

/// Goes through the boxes by falling score and keeps each that overlaps no kept one (of its class)
/// by more than `threshold`. The strongest of those that it overlaps is what it went for.
///
/// Boxes, scores and classes are of equal length, else it panics: that is a bug. Nothing in gives
/// nothing out. A NaN among the scores comes after every number and so suppresses none; a box that
/// is empty or has a NaN corner overlaps nothing and stays.
///
/// # Reference
/// Girshick et al. 2014, "Rich feature hierarchies for accurate object detection", section 2.2.
pub fn suppress(
    boxes: &[Corners],
    scores: &[f32],
    among: Among<'_>,
    threshold: f32,
) -> Suppression {
    assert_eq!(boxes.len(), scores.len(), "a score for each box");
    if let Among::EachClass(classes) = among {
        assert_eq!(boxes.len(), classes.len(), "a class for each box");
    }
    let rivals = |a: usize, b: usize| match among {
        Among::EachClass(classes) => classes[a] == classes[b],
        Among::All => true,
    };
    let mut order: Vec<usize> = (0..boxes.len()).collect();
    // The sort is stable, so equal scores stay in the order of their indices.
    order.sort_by(|&a, &b| {
        let (a, b) = (scores[a], scores[b]);
        a.is_nan().cmp(&b.is_nan()).then(b.total_cmp(&a))
    });
    let mut fates = vec![None; boxes.len()];
    let mut kept: Vec<usize> = Vec::new();
    for &index in &order {
        fates[index] = kept.iter().find_map(|&by| {
            if !rivals(by, index) {
                return None;
            }
            let iou = boxes[by].iou(boxes[index]);
            (iou > threshold).then_some(Suppressed { by, iou })
        });
        if fates[index].is_none() {
            kept.push(index);
        }
    }
    Suppression { order, fates }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Ten by ten at `x`.
    fn square(x: f32) -> Corners {
        Corners {
            x0: x,
            y0: 0.0,
            x1: x + 10.0,
            y1: 10.0,
        }
    }

    fn by(result: &Suppression) -> Vec<Option<usize>> {
        result.fates.iter().map(|fate| fate.map(|f| f.by)).collect()
    }

    #[test]
    fn nothing_in_nothing_out() {
        for among in [Among::All, Among::EachClass(&[])] {
            let result = suppress(&[], &[], among, 0.5);
            assert_eq!(result, Suppression::default());
            assert_eq!(result.kept().count(), 0);
        }
    }

    #[test]
    fn the_weaker_of_two_overlapping_boxes_goes() {
        // Shift 2 of 10: intersection 80, union 120, IoU 2/3.
        let result = suppress(
            &[square(2.0), square(0.0)],
            &[0.6, 0.9],
            Among::EachClass(&[1, 1]),
            0.5,
        );
        assert_eq!(result.order, [1, 0]);
        assert_eq!(result.fates[1], None);
        let fate = result.fates[0].expect("suppressed");
        assert_eq!(fate.by, 1);
        assert!((fate.iou - 2.0 / 3.0).abs() < 1e-6);
        assert_eq!(result.kept().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn an_overlap_equal_to_the_threshold_stays() {
        // The same box twice has IoU 1.
        let result = suppress(&[square(0.0); 2], &[0.9, 0.8], Among::All, 1.0);
        assert_eq!(by(&result), [None, None]);
    }

    #[test]
    fn another_class_or_a_small_overlap_stays() {
        let boxes = [square(0.0), square(0.0), square(8.0)];
        let scores = [0.9, 0.8, 0.7];
        let result = suppress(&boxes, &scores, Among::EachClass(&[1, 2, 1]), 0.5);
        assert_eq!(by(&result), [None, None, None]);
        // Without classes the second is the first's double.
        let result = suppress(&boxes, &scores, Among::All, 0.5);
        assert_eq!(by(&result), [None, Some(0), None]);
    }

    #[test]
    fn a_suppressed_box_suppresses_nothing() {
        // B overlaps A, C overlaps B but not A: B goes, C stays.
        let boxes = [square(0.0), square(3.0), square(6.0)];
        let result = suppress(&boxes, &[0.9, 0.8, 0.7], Among::All, 0.5);
        assert_eq!(by(&result), [None, Some(0), None]);
    }

    #[test]
    fn equal_scores_go_by_index() {
        let result = suppress(&[square(0.0); 3], &[0.5; 3], Among::All, 0.5);
        assert_eq!(result.order, [0, 1, 2]);
        assert_eq!(by(&result), [None, Some(0), Some(0)]);
    }

    #[test]
    fn a_score_that_is_no_number_suppresses_none() {
        for nan in [f32::NAN, -f32::NAN] {
            let boxes = [square(0.0), square(1.0), square(50.0)];
            let result = suppress(&boxes, &[nan, 0.1, -1.0], Among::All, 0.5);
            assert_eq!(result.order, [1, 2, 0]);
            assert_eq!(by(&result), [Some(1), None, None]);
        }
    }

    #[test]
    fn an_empty_box_overlaps_nothing() {
        let point = Corners {
            x0: 1.0,
            y0: 1.0,
            x1: 1.0,
            y1: 1.0,
        };
        let result = suppress(&[point; 2], &[0.9, 0.8], Among::All, 0.0);
        assert_eq!(by(&result), [None, None]);
    }

    #[test]
    #[should_panic(expected = "a class for each box")]
    fn a_class_too_few_is_a_bug() {
        suppress(&[square(0.0)], &[0.5], Among::EachClass(&[]), 0.5);
    }

    proptest! {
        #[test]
        fn kept_boxes_never_overlap_and_suppressed_ones_say_why(
            drawn in proptest::collection::vec((0usize..3, 0f32..1.0, 0f32..30.0), 0..40),
            threshold in 0f32..1.0,
            agnostic: bool,
        ) {
            let boxes: Vec<_> = drawn.iter().map(|&(_, _, x)| square(x)).collect();
            let scores: Vec<_> = drawn.iter().map(|&(_, score, _)| score).collect();
            let classes: Vec<_> = drawn.iter().map(|&(class, _, _)| class).collect();
            let among = if agnostic { Among::All } else { Among::EachClass(&classes) };
            let rivals = |a: usize, b: usize| agnostic || classes[a] == classes[b];
            let result = suppress(&boxes, &scores, among, threshold);
            prop_assert_eq!(result.fates.len(), boxes.len());
            prop_assert!(result.order.is_sorted_by(|&a, &b| (-scores[a], a) < (-scores[b], b)));
            for (index, fate) in result.fates.iter().enumerate() {
                if let Some(Suppressed { by, iou }) = *fate {
                    prop_assert!(result.fates[by].is_none() && rivals(by, index));
                    prop_assert!(scores[by] >= scores[index]);
                    prop_assert_eq!(iou, boxes[by].iou(boxes[index]));
                    prop_assert!(iou > threshold);
                }
            }
            let kept: Vec<_> = result.kept().collect();
            for (position, &a) in kept.iter().enumerate() {
                for &b in kept[..position].iter().filter(|&&b| rivals(a, b)) {
                    prop_assert!(boxes[a].iou(boxes[b]) <= threshold);
                }
            }
        }
    }
}
