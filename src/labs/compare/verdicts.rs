//! What a family's boxes are worth against a truth.

use super::spec::OfFamily;
use crate::labs::truth::Object;
use crate::labs::detect::families::{FAMILIES, PHOTOGRAPH_CLASSES};
use crate::maths::average_precision::{Claim, Rule, Truth, Verdict, average_precision, judge};

/// What became of the boxes that a family shows.
pub struct Verdicts {
    /// For each box that is kept, in order: the overlap with what it found.
    pub hits: Vec<Option<f32>>,
    /// Objects that it did not find.
    pub misses: usize,
}

fn truths(truth: &[Object], [width, height]: [f32; 2], class: usize) -> Vec<Truth> {
    let of_class = truth.iter().filter(|object| object.class == class);
    of_class
        .map(|object| Truth {
            picture: 0,
            box_in_image: object.place.scale(width, height),
            ignored: None,
        })
        .collect()
}

impl Verdicts {
    /// None where no truth is known.
    pub fn of(of: &OfFamily, truth: &[Object], size: [f32; 2], overlap: f32) -> Option<Self> {
        if truth.is_empty() {
            return None;
        }
        let family = FAMILIES[of.family];
        let kept: Vec<_> = of.detections.kept().map(|(_, found)| found).collect();
        let mut hits = vec![None; kept.len()];
        let mut found = 0;
        for class in 0..PHOTOGRAPH_CLASSES.len() {
            let truths = truths(truth, size, class);
            let of_class: Vec<usize> = (0..kept.len())
                .filter(|&at| family.photographed(kept[at].class) == Some(class))
                .collect();
            let claims: Vec<Claim> = of_class
                .iter()
                .map(|&at| Claim {
                    picture: 0,
                    box_in_image: kept[at].box_in_image,
                    score: kept[at].score,
                })
                .collect();
            let judged = judge(&truths, &claims, overlap);
            for (&at, verdict) in of_class.iter().zip(&judged.verdicts) {
                if let Verdict::Hit(number) = verdict {
                    hits[at] = Some(truths[*number].box_in_image.iou(kept[at].box_in_image));
                    found += 1;
                }
            }
        }
        Some(Self {
            hits,
            misses: truth.len() - found,
        })
    }
}

/// Mean average precision over the classes of the truth, and the curve over all classes together.
pub fn precision(of: &OfFamily, truth: &[Object], size: [f32; 2], overlap: f32) -> (f32, Vec<[f64; 2]>) {
    let family = FAMILIES[of.family];
    let (mut sum, mut classes) = (0.0, 0);
    let mut ranked: Vec<(f32, bool)> = Vec::new();
    for class in 0..PHOTOGRAPH_CLASSES.len() {
        let truths = truths(truth, size, class);
        let of_class = of.ranked.iter().filter(|found| family.photographed(found.class) == Some(class));
        let claims: Vec<Claim> = of_class
            .map(|found| Claim {
                picture: 0,
                box_in_image: found.box_in_image,
                score: found.score,
            })
            .collect();
        let judged = judge(&truths, &claims, overlap);
        let all = claims.iter().zip(&judged.verdicts);
        ranked.extend(all.map(|(claim, verdict)| (claim.score, matches!(verdict, Verdict::Hit(_)))));
        let curve = judged.curve(&claims);
        if let Some(average) = average_precision(&curve, judged.positives, Rule::Area) {
            sum += average;
            classes += 1;
        }
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut hits = 0;
    let mut points: Vec<[f64; 2]> = Vec::new();
    for (number, (_, is_hit)) in ranked.into_iter().enumerate() {
        hits += usize::from(is_hit);
        let recall = hits as f64 / truth.len() as f64;
        let precision = hits as f64 / (number + 1) as f64;
        if points.is_empty() {
            points.push([0.0, precision]);
        }
        points.push([recall, precision]);
    }
    (sum / classes.max(1) as f32, points)
}
