//! The parts of detectors against torchvision, average precision against pycocotools (`tools/detection_vectors.py`), and
//! segments against scikit-image (`tools/segments_vectors.py`), machines against scikit-learn (`tools/svm_vectors.py`).

#![cfg(feature = "native")]
#![allow(clippy::disallowed_methods)] // native tests may read a tensor at once

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

use kiln::maths::average_precision::{
    Claim, Ignored, OVERLAPS, Rule, Truth, average_precision, judge,
};
use kiln::maths::boxes::Corners;
use kiln::methods::anchors::Anchors;
use kiln::methods::box_coder::BoxCoder;
use kiln::methods::color_spaces::{Space, planes};
use kiln::methods::detection_loss::{binary_cross_entropy, cross_entropy, focal, giou, smooth_l1};
use kiln::methods::linear_svm::{Fitting, LinearSvm};
use kiln::methods::matching::{Match, Matching, hard_negatives};
use kiln::methods::nms::{Among, suppress};
use kiln::methods::roi::{MapShape, Pooling, Region};
use kiln::methods::segments::{Cutting, cut};
use kiln::methods::spatial_pyramid::Map;

fn vectors<T: for<'a> Deserialize<'a>>(part: &str) -> T {
    let text = std::fs::read_to_string("tests/vectors/detection.json").expect("the vectors");
    let mut parts: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    serde_json::from_value(parts[part].take()).expect("a part of the vectors")
}

type Four = [f32; 4];

fn corners(&[x0, y0, x1, y1]: &Four) -> Corners {
    Corners { x0, y0, x1, y1 }
}

fn all(boxes: &[Four]) -> Vec<Corners> {
    boxes.iter().map(corners).collect()
}

/// Apart by a ten-thousandth of what is wanted, or of one where that is smaller.
fn close(got: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (index, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        assert!(
            (got - wanted).abs() <= 1e-4 * wanted.abs().max(1.0),
            "{what} {index}: {got} is not {wanted}"
        );
    }
}

fn numbers<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("f32")
}

#[test]
fn regions_are_pooled_as_torchvision_does() {
    #[derive(Deserialize)]
    struct Vectors {
        maps: Vec<f32>,
        regions: Vec<[f32; 5]>,
        aligned: std::collections::BTreeMap<String, Vec<f32>>,
        largest: Vec<f32>,
    }
    let v: Vectors = vectors("regions");
    let (rows, columns, batch, channels, side) = (9, 12, 2, 3, 3);
    let map = numbers(&v.maps, [batch, channels, rows * columns]).permute([2, 0, 1]);
    let regions: Vec<Region> = v
        .regions
        .iter()
        .map(|&[picture, x0, y0, x1, y1]| Region {
            picture: picture as usize,
            box_in_cells: corners(&[x0, y0, x1, y1]).scale(0.125, 0.125),
        })
        .collect();
    let shape = MapShape {
        rows,
        columns,
        batch,
    };
    let of = |pooling: Pooling| {
        let pooled = pooling.plan(&regions, shape, side).read(map.clone());
        // There: regions, channels, bins.
        values(pooled.permute([1, 2, 0]))
    };
    for (samples, wanted) in &v.aligned {
        let samples = samples.parse().expect("a number");
        close(&of(Pooling::Aligned { samples }), wanted, "aligned");
    }
    close(&of(Pooling::Largest), &v.largest, "largest");
}

#[test]
fn boxes_are_coded_as_torchvision_does() {
    #[derive(Deserialize)]
    struct Coded {
        offsets: Vec<Four>,
        decoded: Vec<Four>,
    }
    #[derive(Deserialize)]
    struct Vectors {
        truths: Vec<Four>,
        anchors: Vec<Four>,
        tenths: Coded,
        unscaled: Coded,
    }
    let v: Vectors = vectors("coding");
    for (coder, coded) in [
        (BoxCoder::TENTHS_AND_FIFTHS, &v.tenths),
        (BoxCoder::UNSCALED, &v.unscaled),
    ] {
        for (index, (truth, anchor)) in v.truths.iter().zip(&v.anchors).enumerate() {
            let [truth, anchor] = [truth, anchor].map(|of| corners(of).centre_size());
            // There across comes before down.
            let [dy, dx, dh, dw] = coder.encode(truth, anchor);
            close(&[dx, dy, dw, dh], &coded.offsets[index], "offsets");
            let found = coder.decode([dy, dx, dh, dw].map(|offset| offset * 0.7), anchor);
            close(
                &[found.x0, found.y0, found.x1, found.y1],
                &coded.decoded[index],
                "boxes",
            );
        }
    }
}

#[test]
fn boxes_are_suppressed_as_torchvision_does() {
    #[derive(Deserialize)]
    struct Vectors {
        boxes: Vec<Four>,
        scores: Vec<f32>,
        classes: Vec<usize>,
        kept: Vec<usize>,
        kept_of_all: Vec<usize>,
    }
    let v: Vectors = vectors("suppression");
    let kept = |among| {
        suppress(&all(&v.boxes), &v.scores, among, 0.4)
            .kept()
            .collect::<Vec<_>>()
    };
    assert_eq!(kept(Among::EachClass(&v.classes)), v.kept);
    assert_eq!(kept(Among::All), v.kept_of_all);
}

#[test]
fn anchors_are_matched_as_torchvision_does() {
    #[derive(Deserialize)]
    struct Vectors {
        anchors: Vec<Four>,
        truths: Vec<Four>,
        proposals: Vec<i64>,
        second: Vec<i64>,
        default: Vec<i64>,
    }
    let v: Vectors = vectors("matching");
    let number = |is: Match| match is {
        Match::Positive(truth) => truth as i64,
        Match::Negative => -1,
        Match::Ignored => -2,
    };
    for (matching, wanted) in [
        (Matching::PROPOSALS, &v.proposals),
        (Matching::SECOND_STEP, &v.second),
        (Matching::DEFAULT_BOXES, &v.default),
    ] {
        let found = matching.of(&all(&v.anchors), &all(&v.truths));
        assert_eq!(
            &found.into_iter().map(number).collect::<Vec<_>>(),
            wanted,
            "{matching:?}"
        );
        assert!(wanted.iter().any(|&is| is >= 0) && wanted.contains(&-1));
    }
}

#[test]
fn losses_are_those_of_torch() {
    #[derive(Deserialize)]
    struct Vectors {
        logits: Vec<f32>,
        targets: Vec<f32>,
        binary: Vec<f32>,
        focal: Vec<f32>,
        difference: Vec<f32>,
        smooth: std::collections::BTreeMap<String, Vec<f32>>,
        boxes: Vec<Four>,
        others: Vec<Four>,
        giou: Vec<f32>,
        scores: Vec<Four>,
        classes: Vec<usize>,
        cross: Vec<f32>,
    }
    let v: Vectors = vectors("losses");
    let (logits, targets) = (numbers(&v.logits, [24]), numbers(&v.targets, [24]));
    close(
        &values(binary_cross_entropy(logits.clone(), targets.clone())),
        &v.binary,
        "binary",
    );
    close(&values(focal(logits, targets, 0.25)), &v.focal, "focal");
    for (beta, wanted) in &v.smooth {
        let beta = beta.parse().expect("a number");
        close(
            &values(smooth_l1(numbers(&v.difference, [24]), beta)),
            wanted,
            "smooth",
        );
    }
    let [boxes, others] = [&v.boxes, &v.others].map(|boxes| numbers(boxes.as_flattened(), [10, 4]));
    close(&values(giou(boxes, others)), &v.giou, "giou");
    close(
        &values(cross_entropy(
            numbers(v.scores.as_flattened(), [10, 4]),
            one_hot(&v.classes, 4),
        )),
        &v.cross,
        "cross",
    );
}

fn one_hot(classes: &[usize], count: usize) -> Tensor<2> {
    let of = |&class: &usize| (0..count).map(move |at| if at == class { 1.0 } else { 0.0 });
    numbers(
        &classes.iter().flat_map(of).collect::<Vec<f32>>(),
        [classes.len(), count],
    )
}

/// The whole of SSD's loss of a picture, put together of its parts.
#[test]
fn the_loss_of_ssd_is_that_of_torchvision() {
    #[derive(Deserialize)]
    struct Vectors {
        anchors: Vec<Four>,
        truths: Vec<Four>,
        labels: Vec<usize>,
        logits: Vec<Four>,
        offsets: Vec<Four>,
        boxes: f32,
        classes: f32,
    }
    let v: Vectors = vectors("ssd_loss");
    let (anchors, truths) = (all(&v.anchors), all(&v.truths));
    let matches = Matching::DEFAULT_BOXES.of(&anchors, &truths);
    let classes: Vec<usize> = matches
        .iter()
        .map(|is| is.truth().map_or(0, |truth| v.labels[truth]))
        .collect();
    let each = values(cross_entropy(
        numbers(v.logits.as_flattened(), [40, 4]),
        one_hot(&classes, 4),
    ));
    let kept = hard_negatives(&matches, &each, 3);
    let positives = matches.iter().filter(|is| is.truth().is_some()).count();
    assert!(positives > 2, "{positives}");
    let of_classes: f32 = kept
        .iter()
        .zip(&each)
        .filter(|(is, _)| **is != Match::Ignored)
        .map(|(_, loss)| loss)
        .sum();
    close(&[of_classes / positives as f32], &[v.classes], "classes");
    let coder = BoxCoder::TENTHS_AND_FIFTHS;
    let mut differences = Vec::new();
    for (index, is) in matches.iter().enumerate() {
        if let Some(truth) = is.truth() {
            let [dy, dx, dh, dw] =
                coder.encode(truths[truth].centre_size(), anchors[index].centre_size());
            differences.extend(
                v.offsets[index]
                    .iter()
                    .zip([dx, dy, dw, dh])
                    .map(|(said, wanted)| said - wanted),
            );
        }
    }
    let of_boxes = values(smooth_l1(numbers(&differences, [differences.len()]), 1.0).sum());
    close(&[of_boxes[0] / positives as f32], &[v.boxes], "boxes");
}

/// torchvision rounds the corners of its anchors to whole pixels.
#[test]
fn anchors_have_torchvision_s_shapes() {
    let wanted: Vec<Four> = vectors("anchors");
    let anchors = Anchors {
        sizes: &[32.0, 64.0, 128.0],
        ratios: &[0.5, 1.0, 2.0],
    };
    for (shape, wanted) in anchors.shapes().into_iter().zip(&wanted) {
        let box_of = [-shape[0], -shape[1], shape[0], shape[1]].map(|side| side / 2.0);
        assert!(
            box_of.iter().zip(wanted).all(|(a, b)| (a - b).abs() <= 0.5),
            "{box_of:?} {wanted:?}"
        );
    }
}

#[test]
fn average_precision_is_that_of_pycocotools() {
    #[derive(Deserialize)]
    struct Vectors {
        truths: Vec<[f32; 7]>,
        claims: Vec<[f32; 7]>,
        at_half: Vec<f32>,
        over_overlaps: Vec<f32>,
    }
    let v: Vectors = vectors("precision");
    let mut at_half = Vec::new();
    let mut over_overlaps = Vec::new();
    let box_of = |[x, y, w, h]: Four| corners(&[x, y, x + w, y + h]);
    for class in [1.0, 2.0, 3.0] {
        let truths = v.truths.iter().filter(|truth| truth[1] == class).map(
            |&[picture, _, x, y, w, h, crowd]| Truth {
                picture: picture as usize,
                box_in_image: box_of([x, y, w, h]),
                ignored: (crowd == 1.0).then_some(Ignored::Crowd),
            },
        );
        let claims = v.claims.iter().filter(|claim| claim[1] == class).map(
            |&[picture, _, x, y, w, h, score]| Claim {
                picture: picture as usize,
                box_in_image: box_of([x, y, w, h]),
                score,
            },
        );
        let (truths, claims): (Vec<_>, Vec<_>) = (truths.collect(), claims.collect());
        let at = |overlap: f32| {
            let judged = judge(&truths, &claims, overlap);
            average_precision(
                &judged.curve(&claims),
                judged.positives,
                Rule::HundredAndOnePoints,
            )
            .expect("truths")
        };
        at_half.push(at(0.5));
        over_overlaps
            .push(OVERLAPS.iter().map(|&overlap| at(overlap)).sum::<f32>() / OVERLAPS.len() as f32);
    }
    close(&at_half, &v.at_half, "at half");
    close(&over_overlaps, &v.over_overlaps, "over the overlaps");
}

/// Segments of scikit-image, as runs of pixels.
#[derive(Deserialize)]
struct Cut {
    k: f32,
    sigma: f32,
    least: usize,
    count: usize,
    runs: Vec<[usize; 2]>,
}

/// The share of pixels that lie in the segment of `other` in which most pixels of their own segment lie.
fn kept_together(of: &[u32], other: &[u32]) -> f64 {
    let mut shared = std::collections::HashMap::<u32, std::collections::HashMap<u32, usize>>::new();
    for (a, b) in of.iter().zip(other) {
        *shared.entry(*a).or_default().entry(*b).or_default() += 1;
    }
    let most: usize = shared
        .values()
        .map(|of| of.values().max().copied().unwrap_or(0))
        .sum();
    most as f64 / of.len() as f64
}

/// Single precision orders pairs that differ by almost the same otherwise: a few pixels may belong elsewhere.
#[test]
fn segments_are_those_of_scikit_image() {
    let text = std::fs::read_to_string("tests/vectors/segments.json").expect("the vectors");
    let mut vectors: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let cases: Vec<Cut> = serde_json::from_value(vectors["cases"].take()).expect("cases");
    let picture = image::open("tests/vectors/cat-ssd.png")
        .expect("a picture")
        .to_rgb8();
    let size = [picture.height() as usize, picture.width() as usize];
    assert_eq!(cases.len(), 2);
    for case in cases {
        let how = Cutting {
            k: case.k,
            sigma: case.sigma,
            least: case.least,
        };
        let found = cut(&planes(&picture, Space::Rgb), size, how);
        let runs = case.runs.iter();
        let wanted: Vec<u32> = runs
            .flat_map(|&[of, pixels]| std::iter::repeat_n(of as u32, pixels))
            .collect();
        let there = kept_together(&found.of, &wanted);
        let back = kept_together(&wanted, &found.of);
        assert!(
            there > 0.9999 && back > 0.9999,
            "k {}: {there}, {back}",
            case.k
        );
        assert_eq!(found.count, case.count, "k {}", case.k);
    }
}

#[derive(Deserialize)]
struct Machine {
    features: Vec<f32>,
    dims: usize,
    labels: Vec<bool>,
    costs: [f32; 2],
    margins: Vec<f32>,
}

#[derive(Deserialize)]
struct Pyramid {
    map: Vec<f32>,
    side: usize,
    channels: usize,
    regions: Vec<Four>,
    grids: Vec<usize>,
    pooled: Vec<f32>,
}

#[derive(Deserialize)]
struct OfRegions {
    machine: Machine,
    pyramid: Pyramid,
}

/// Margins within a thousandth of `LinearSVC`'s; bins are PyTorch's `adaptive_max_pool2d`.
#[test]
fn machines_and_pyramids_are_those_of_the_references() {
    let text = std::fs::read_to_string("tests/vectors/svm.json").expect("the vectors");
    let OfRegions { machine, pyramid } = serde_json::from_str(&text).expect("JSON");
    let fitting = Fitting {
        costs: machine.costs,
        epochs: 20_000,
        tolerance: 1e-6,
        seed: 3,
    };
    let examples: Vec<(usize, bool)> = machine.labels.iter().copied().enumerate().collect();
    let plane = LinearSvm::fit(&machine.features, machine.dims, &examples, fitting);
    let rows = machine.features.chunks_exact(machine.dims);
    assert_eq!(rows.len(), machine.margins.len());
    for (row, wanted) in rows.zip(&machine.margins) {
        let margin = plane.margin(row);
        assert!((margin - wanted).abs() < 1e-3, "{margin} is not {wanted}");
    }
    let map = Map {
        values: &pyramid.map,
        side: pyramid.side,
        channels: pyramid.channels,
    };
    let mut pooled = Vec::new();
    for region in all(&pyramid.regions) {
        map.pool(region, &pyramid.grids, &mut pooled);
    }
    assert_eq!(pooled, pyramid.pooled);
}
