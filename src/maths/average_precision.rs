//! How good detections are against the truth: precision, recall and average precision.
//!
//! # Reference
//! Everingham et al. 2010, "The PASCAL Visual Object Classes Challenge", sections 3.4 and 4.2; Everingham and Winn 2012,
//! "The PASCAL Visual Object Classes Challenge 2012 Development Kit", section 3.4.1 (the area under the curve); Lin et al.
//! 2014, "Microsoft COCO" (101 points, overlaps from 0.5 to 0.95).

use serde::{Deserialize, Serialize};

use crate::maths::boxes::Corners;

/// Why an object does not count: missing it is no miss, and a detection of it neither right nor wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ignored {
    /// Hard to recognise, say those who boxed it (VOC's `difficult`).
    Difficult,
    /// Many objects in one box (COCO's `iscrowd`).
    Crowd,
}

/// An object that is in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// Number of the picture.
    pub picture: usize,
    /// Where it is.
    pub box_in_image: Corners,
    /// Why it does not count, where it does not.
    pub ignored: Option<Ignored>,
}

/// What a detector says to have found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// Number of the picture.
    pub picture: usize,
    /// Where it is said to be.
    pub box_in_image: Corners,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the first that finds this object, by its number.
    Hit(usize),
    /// No object that is not found already overlaps enough.
    FalseAlarm,
    /// It found what is to be ignored.
    Ignored,
}

/// Claims of one class held against its truths, at one overlap.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judged {
    /// Indices of the claims by falling score; equal scores in the order of the input.
    pub order: Vec<usize>,
    /// What became of each claim of the input.
    pub verdicts: Vec<Verdict>,
    /// Truths that count.
    pub positives: usize,
}

/// Goes through the claims by falling score. Each takes, of the truths of its picture that count and are still free, the one
/// that it overlaps most, where that is at least `overlap`.
///
/// That is COCO's rule. VOC's differs in one case: there a claim whose best truth is already taken is a false alarm, even
/// if another free one overlaps enough.
///
/// What does not count stays free for any number of claims, each kind by the rule of those who mark it: a claim is ignored
/// where the truth that it overlaps most of all, by at least `overlap`, is difficult (VOC), and where it takes nothing and
/// so much of it lies in a crowd (COCO).
pub fn judge(truths: &[Truth], claims: &[Claim], overlap: f32) -> Judged {
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by(|&a, &b| claims[b].score.total_cmp(&claims[a].score));
    let mut taken = vec![false; truths.len()];
    let mut verdicts = vec![Verdict::FalseAlarm; claims.len()];
    for &index in &order {
        let claim = claims[index];
        let of_kind = |ignored: Option<Ignored>| {
            let of_picture = truths.iter().enumerate().filter(move |(_, truth)| {
                truth.picture == claim.picture && truth.ignored == ignored
            });
            of_picture.map(move |(number, truth)| {
                let iou = match ignored {
                    // A crowd holds the claim: what counts is how much of the claim lies in it.
                    Some(Ignored::Crowd) => {
                        let inside = claim.box_in_image.intersection(truth.box_in_image).area();
                        inside / claim.box_in_image.area().max(f32::MIN_POSITIVE)
                    }
                    Some(Ignored::Difficult) | None => claim.box_in_image.iou(truth.box_in_image),
                };
                (number, iou)
            })
        };
        let most = |kind| of_kind(kind).map(|(_, iou)| iou).fold(0.0, f32::max);
        let hardest = most(Some(Ignored::Difficult));
        let free = of_kind(None).filter(|&(number, iou)| iou >= overlap && !taken[number]);
        // Of equal ones the last, as the reference has it.
        let best = free.max_by(|a, b| a.1.total_cmp(&b.1));
        verdicts[index] = if hardest >= overlap && hardest > most(None) {
            Verdict::Ignored
        } else if let Some((number, _)) = best {
            taken[number] = true;
            Verdict::Hit(number)
        } else if most(Some(Ignored::Crowd)) >= overlap {
            Verdict::Ignored
        } else {
            Verdict::FalseAlarm
        };
    }
    Judged {
        order,
        verdicts,
        positives: truths.iter().filter(|of| of.ignored.is_none()).count(),
    }
}

/// A point of the curve: what is right of all claims down to a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The score.
    pub score: f32,
    /// The share of the truths that were found.
    pub recall: f64,
    /// The share of the claims that are right.
    pub precision: f64,
}

impl Judged {
    /// The precision-recall curve, a point for each claim that counts, by falling score. None where there is no truth.
    pub fn curve(&self, claims: &[Claim]) -> Vec<Point> {
        if self.positives == 0 {
            return Vec::new();
        }
        let mut points = Vec::new();
        let (mut hits, mut alarms) = (0, 0);
        for &index in &self.order {
            match self.verdicts[index] {
                Verdict::Hit(_) => hits += 1,
                Verdict::FalseAlarm => alarms += 1,
                Verdict::Ignored => continue,
            }
            points.push(Point {
                score: claims[index].score,
                recall: f64::from(hits) / self.positives as f64,
                precision: f64::from(hits) / f64::from(hits + alarms),
            });
        }
        points
    }
}

/// How the area under a curve is reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Exactly, below the curve made to fall: VOC from 2010 on.
    Area,
    /// The mean over 11 recalls from 0 to 1: VOC 2007.
    ElevenPoints,
    /// The mean over 101 recalls: COCO.
    HundredAndOnePoints,
}

/// Average precision, 0 to 1; none where there is no truth, because then there is nothing to find.
///
/// The precision at a recall is the largest of those at this or a larger one.
pub fn average_precision(curve: &[Point], positives: usize, rule: Rule) -> Option<f32> {
    if positives == 0 {
        return None;
    }
    let mut falling: Vec<Point> = curve.to_vec();
    for index in (1..falling.len()).rev() {
        falling[index - 1].precision = falling[index - 1].precision.max(falling[index].precision);
    }
    let at = |recall: f64| {
        let first = falling.iter().find(|point| point.recall >= recall);
        first.map_or(0.0, |point| point.precision)
    };
    // As the references count recalls: in steps, not as shares, which are other numbers in their last digit.
    let mean = |last: usize, step: f64| {
        let sum: f64 = (0..=last).map(|index| at(index as f64 * step)).sum();
        sum / (last + 1) as f64
    };
    let average = match rule {
        Rule::ElevenPoints => mean(10, 0.1),
        Rule::HundredAndOnePoints => mean(100, 0.01),
        Rule::Area => {
            let mut before = 0.0;
            let steps = falling.iter().map(|point| {
                let wide = point.recall - before;
                before = point.recall;
                wide * point.precision
            });
            steps.sum()
        }
    };
    Some(average as f32)
}

/// The overlaps that COCO averages over.
pub const OVERLAPS: [f32; 10] = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f32) -> Corners {
        Corners {
            x0: x,
            y0: 0.0,
            x1: x + 10.0,
            y1: 10.0,
        }
    }

    fn truth(picture: usize, x: f32) -> Truth {
        Truth {
            picture,
            box_in_image: square(x),
            ignored: None,
        }
    }

    fn claim(picture: usize, x: f32, score: f32) -> Claim {
        Claim {
            picture,
            box_in_image: square(x),
            score,
        }
    }

    /// Five boxes by hand: right, wrong, right, twice the same, right; of four truths.
    #[test]
    fn five_boxes_worked_by_hand() {
        let truths = [
            truth(0, 0.0),
            truth(0, 100.0),
            truth(1, 0.0),
            truth(1, 200.0),
        ];
        let claims = [
            claim(0, 0.0, 0.9),
            claim(0, 50.0, 0.8),
            claim(1, 1.0, 0.7),
            claim(1, 2.0, 0.6),
            claim(0, 100.0, 0.5),
        ];
        let judged = judge(&truths, &claims, 0.5);
        use Verdict::{FalseAlarm, Hit};
        assert_eq!(
            judged.verdicts,
            [Hit(0), FalseAlarm, Hit(2), FalseAlarm, Hit(1)]
        );
        let curve = judged.curve(&claims);
        let precisions: Vec<f64> = curve.iter().map(|point| point.precision).collect();
        assert_eq!(precisions, [1.0, 0.5, 2.0 / 3.0, 0.5, 0.6]);
        let recalls: Vec<f64> = curve.iter().map(|point| point.recall).collect();
        assert_eq!(recalls, [0.25, 0.25, 0.5, 0.5, 0.75]);
        let of = |rule| average_precision(&curve, judged.positives, rule).expect("truths");
        // A quarter at 1, a quarter at 2/3, a quarter at 0.6.
        assert!((of(Rule::Area) - (1.0 + 2.0 / 3.0 + 0.6) / 4.0).abs() < 1e-6);
        // Recalls 0, .1, .2 at 1; .3, .4, .5 at 2/3; .6, .7 at 0.6; the others at 0.
        assert!((of(Rule::ElevenPoints) - (3.0 + 2.0 + 1.2) / 11.0).abs() < 1e-6);
        // 26 recalls at 1, 25 at 2/3, 25 at 0.6.
        let points = (26.0 + 25.0 * 2.0 / 3.0 + 25.0 * 0.6) / 101.0;
        assert!((of(Rule::HundredAndOnePoints) - points).abs() < 1e-6);
    }

    #[test]
    fn a_claim_takes_the_best_that_is_free() {
        let truths = [truth(0, 0.0), truth(0, 2.0)];
        let claims = [claim(0, 0.0, 0.9), claim(0, 0.5, 0.8)];
        // The second overlaps the first truth more, but that is found already.
        let judged = judge(&truths, &claims, 0.5);
        assert_eq!(judged.verdicts, [Verdict::Hit(0), Verdict::Hit(1)]);
    }

    #[test]
    fn what_is_ignored_is_neither_right_nor_wrong() {
        let claims = [claim(0, 0.0, 0.9), claim(0, 1.0, 0.8), claim(0, 100.0, 0.7)];
        for kind in [Ignored::Difficult, Ignored::Crowd] {
            let ignored = Truth {
                ignored: Some(kind),
                ..truth(0, 0.0)
            };
            let judged = judge(&[ignored, truth(0, 100.0)], &claims, 0.5);
            use Verdict::{Hit, Ignored};
            assert_eq!(judged.verdicts, [Ignored, Ignored, Hit(1)]);
            assert_eq!(judged.positives, 1);
            let curve = judged.curve(&claims);
            assert_eq!(average_precision(&curve, 1, Rule::Area), Some(1.0));
        }
    }

    /// Boxes of 10 by 10, shifted by `d`, overlap by (10 - d) / (10 + d).
    #[test]
    fn difficult_truths_worked_by_hand() {
        let hard = |x: f32| Truth {
            ignored: Some(Ignored::Difficult),
            ..truth(0, x)
        };
        let truths = [truth(0, 0.0), hard(3.0), truth(0, 100.0), hard(200.0)];
        let claims = [
            // The difficult one overlaps more, 9 / 11 against 8 / 12: no hit, though the other is free and overlaps enough.
            claim(0, 2.0, 0.9),
            // 9 / 11 against 8 / 12: a hit.
            claim(0, 1.0, 0.8),
            // The same again: what it overlaps most is taken, so that it is a false alarm beside a difficult one, too.
            claim(0, 1.0, 0.7),
            // Of the difficult one 6 / 14: not enough.
            claim(0, 204.0, 0.6),
            // 7 / 13, twice: neither, however often it is found.
            claim(0, 203.0, 0.5),
            claim(0, 197.0, 0.4),
            claim(0, 100.0, 0.3),
        ];
        let judged = judge(&truths, &claims, 0.5);
        use Verdict::{FalseAlarm, Hit};
        let neither = Verdict::Ignored;
        assert_eq!(
            judged.verdicts,
            [
                neither,
                Hit(0),
                FalseAlarm,
                FalseAlarm,
                neither,
                neither,
                Hit(2)
            ]
        );
        // What counts: a hit, two false alarms, a hit, of two truths. Half at 1, half at 2 / 4.
        assert_eq!(judged.positives, 2);
        let curve = judged.curve(&claims);
        assert_eq!(curve.len(), 4);
        assert_eq!(average_precision(&curve, 2, Rule::Area), Some(0.75));
    }

    #[test]
    fn nothing_to_find_has_no_average_and_nothing_found_has_zero() {
        let nothing = judge(&[], &[claim(0, 0.0, 0.9)], 0.5);
        assert_eq!(nothing.verdicts, [Verdict::FalseAlarm]);
        assert_eq!(
            average_precision(&nothing.curve(&[claim(0, 0.0, 0.9)]), 0, Rule::Area),
            None
        );
        let blind = judge(&[truth(0, 0.0)], &[], 0.5);
        assert_eq!(
            average_precision(&blind.curve(&[]), 1, Rule::Area),
            Some(0.0)
        );
    }
}
