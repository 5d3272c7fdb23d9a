//! The families of detectors through the engine's front door, on the weights that ship: odd pictures, their insides, and that
//! training sees what a lab sees.

#![cfg(feature = "native")]
#![allow(clippy::disallowed_methods)]

mod asking;

use std::cell::RefCell;
use std::rc::Rc;

use asking::Page;
use burn::module::Module;
use burn::tensor::Device;
use kiln::engine::native_host::{NativeHost, decode_picture};
use kiln::engine::shelf::Shelf;
use kiln::job::{Job, Reply, Request};
use kiln::labs::compare::spec::{
    Answer as Compared, BACKBONES, CompareSettings, Judgement, LAB as COMPARE, Named,
    Question as Compare,
};
use kiln::labs::detect::families::on_backbone::{Grounded, Origin, square};
use kiln::labs::detect::families::{FAMILIES, Family, Looks, PHOTOGRAPH_CLASSES, anchor_free};
use kiln::labs::detect::spec::{Answer, LAB, Proposals, Question};
use kiln::labs::propose::spec::{
    Answer as Proposed, LAB as PROPOSE, OF_MERGE, OF_REGION, Question as Propose,
};
use kiln::maths::boxes::Corners;
use kiln::models::Row;
use kiln::models::detect::SIDE;
use kiln::models::detect::anchor_free::{ANCHOR_FREE_HEAD, ANCHOR_FREE_HEAD_ON_IMAGENET};
use kiln::models::detect::backbone::{BACKBONE, Backbone, to_grid};
use kiln::models::detect::fast_rcnn::FAST_RCNN;
use kiln::models::detect::grid_head::GRID_HEAD;
use kiln::models::detect::overfeat::OVERFEAT;
use kiln::models::detect::region_svm::{R_CNN, SPPNET};
use kiln::models::detect::ssd_head::SSD_HEAD;
use kiln::models::detect::two_step::TWO_STEP;
use kiln::models::efficientnet_lite::EFFICIENTNET_LITE0;
use kiln::protocol::card::{FILES, Manifest};
use kiln::protocol::failure::Failure;
use kiln::protocol::picture::Picture;
use kiln::protocol::settings::Settings;

/// Those that are trained here.
fn trained() -> impl Iterator<Item = &'static Family> {
    FAMILIES
        .iter()
        .copied()
        .filter(|family| family.classes == PHOTOGRAPH_CLASSES)
}

fn settings(family: &Family, values: &[(&str, &str)]) -> Settings {
    Settings::new(&LAB)
        .with(&[("model", family.name)])
        .with(values)
}

fn run(page: &Page, settings: &Settings, picture: Picture) -> Result<Reply, Failure> {
    page.send(Request::new(&Question::Run, settings).with("picture", picture))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect()
}

fn sample(name: &str) -> Picture {
    let bytes = std::fs::read(format!("public/samples/{name}.jpg")).expect("a sample");
    decode_picture(&bytes).expect("a photograph")
}

fn plain(width: usize, height: usize, color: [u8; 4]) -> Picture {
    Picture::new(width, height, color.repeat(width * height)).expect("right size")
}

#[test]
fn every_family_finds_the_cat() {
    let page = Page::open();
    for family in FAMILIES {
        let reply = run(&page, &settings(family, &[]), sample("cat")).expect("an answer");
        let answer: Answer = reply.answer().expect("an answer");
        let (_, best) = answer.detections.kept().next().expect("a box");
        let name = family.classes[best.class].to_lowercase();
        // ImageNet has kinds of them.
        let is_cat = ["cat", "tabby", "tiger cat", "egyptian cat"].contains(&&*name);
        assert!(is_cat, "{}: {name}", family.name);
        let b = best.box_in_image;
        // Three quarters of the picture, on the left.
        assert!(
            b.x0 < 40.0 && b.x1 > 300.0 && b.x1 < 451.0,
            "{}: {b:?}",
            family.name
        );
    }
}

#[test]
fn odd_pictures_are_answered() {
    let page = Page::open();
    let pictures = [
        plain(1, 1, [0, 0, 0, 255]),
        plain(16, 16, [200, 30, 30, 255]),
        plain(320, 320, [127, 127, 127, 255]),
        plain(4000, 3000, [255, 255, 255, 255]),
        plain(2000, 1, [10, 200, 10, 255]),
        plain(3, 900, [10, 20, 200, 0]),
    ];
    for family in FAMILIES {
        for picture in &pictures {
            let (width, height) = (picture.width, picture.height);
            let lowest = settings(family, &[("score", "0.05"), ("iou", "1")]);
            let reply = run(&page, &lowest, picture.clone()).expect("an answer");
            let answer: Answer = reply.answer().expect("an answer");
            assert_eq!((answer.width, answer.height), (width, height));
            for candidate in &answer.detections.candidates {
                let b = candidate.box_in_image;
                let inside = 0.0 <= b.x0 && b.x0 <= b.x1 && b.x1 <= width as f32;
                assert!(inside && b.y1 <= height as f32, "{} {b:?}", family.name);
                assert!((0.05..=1.0).contains(&candidate.score));
            }
            if width == height {
                // One colour is nothing: no family is sure of an object there.
                let best = answer
                    .detections
                    .best_scores
                    .iter()
                    .copied()
                    .fold(0.0, f32::max);
                assert!(
                    best < 0.6,
                    "{} sees something in {width} pixels of one colour: {best}",
                    family.name
                );
            }
        }
    }
}

/// Grids have parts of maps, and their own bins; of a pyramid the coarsest grid has the largest of all.
fn the_grids_fit_together(proposals: &Proposals, bins: &[f32]) {
    let each = proposals.bins();
    for (number, of) in proposals.all.iter().enumerate() {
        let values = &bins[number * each..(number + 1) * each];
        let laid = proposals.laid(of);
        let grids = proposals.grids.iter().flatten().count();
        let beside = usize::from(proposals.roi.is_some());
        assert_eq!(laid.len(), grids + beside);
        assert_eq!(beside == 1, proposals.is_pyramid());
        let mut top = f32::INFINITY;
        for grid in laid {
            assert!(grid.part.map < proposals.maps.len());
            let covers = grid.part.covers;
            assert!(covers.x0 < covers.x1 && covers.y0 < covers.y1, "{covers:?}");
            let Some(first) = grid.first else {
                continue;
            };
            let own = &values[first..first + grid.side * grid.side];
            if grid.side == 1 {
                top = own[0];
            }
            assert!(own.iter().all(|value| *value <= top + 1e-5));
        }
    }
}

#[test]
fn the_inside_fits_together() {
    let page = Page::open();
    for family in FAMILIES {
        let reply = run(&page, &settings(family, &[]), sample("crew")).expect("an answer");
        let answer: Answer = reply.answer().expect("an answer");
        let inside = answer.inside.expect("a run has an inside");
        let cells = inside.grids.iter().map(|grid| {
            assert!(grid.step.iter().all(|step| *step > 0.0));
            grid.columns * grid.rows * grid.each
        });
        let places: usize = cells.sum();
        let firsts: Vec<usize> = inside.grids.iter().map(|grid| grid.first).collect();
        assert!(firsts.is_sorted() && firsts.first().is_none_or(|first| *first == 0));
        assert_eq!(firsts.is_empty(), family.looks.searches());
        let count = |name: &str| floats(reply.file(name)).len();
        if family.looks.searches() {
            // Places are the boxes of the search, each with its scores.
            let proposals = inside.proposals.expect("the search proposes");
            let regions = proposals.all.len();
            assert!((1..=300).contains(&regions));
            assert!(
                proposals
                    .all
                    .iter()
                    .enumerate()
                    .all(|(at, of)| of.region == Some(at))
            );
            assert_eq!(count("starts"), 4 * regions, "{}", family.name);
            assert_eq!(count("scores"), inside.classes * regions);
            assert_eq!(inside.classes, family.classes.len());
            assert_eq!(count("bins"), regions * proposals.bins());
            the_grids_fit_together(&proposals, &floats(reply.file("bins")));
            continue;
        }
        assert_eq!(count("starts"), 4 * places, "{}", family.name);
        assert_eq!(count("boxes"), 4 * places);
        assert_eq!(count("scores"), inside.classes * places);
        assert!(count("sure") == 0 || count("sure") == places);
        assert_eq!(inside.proposals.is_some(), family.two_steps);
        let Some(proposals) = inside.proposals else {
            // What is found is a place of a grid.
            let all = answer.detections.candidates.iter();
            assert!(all.into_iter().all(|found| found.anchor < places));
            continue;
        };
        let regions = proposals
            .all
            .iter()
            .filter(|of| of.region.is_some())
            .count();
        assert!((1..=100).contains(&regions));
        assert_eq!(count("bins"), regions * proposals.bins());
        assert!(proposals.all.is_sorted_by(|a, b| a.score >= b.score));
        for (at, of) in proposals.all.iter().enumerate() {
            assert!(
                of.suppressed_by.is_none_or(|by| by < at),
                "only a better one suppresses"
            );
            assert!(of.anchor < places.max(regions));
        }
    }
}

/// R-CNN takes its time: what it has so far is an answer of fewer boxes.
#[test]
fn what_is_known_so_far_is_told() {
    let page = Page::open();
    let family = FAMILIES.iter().find(|family| family.name == "r-cnn");
    let settings = settings(family.expect("R-CNN"), &[("searched", "20")]);
    let told: Rc<RefCell<Vec<(u32, Reply)>>> = Rc::default();
    let heard = told.clone();
    let request = Request::new(&Question::Run, &settings).with("picture", sample("cat"));
    let whole = page.hear(request, move |done, says| {
        heard.borrow_mut().push((done, says))
    });
    let whole = whole.expect("an answer");
    let told = told.borrow();
    let counts: Vec<u32> = told.iter().map(|(done, _)| *done).collect();
    assert_eq!(counts, [8, 16]);
    for (done, says) in told.iter() {
        let answer: Answer = says.answer().expect("an answer of the lab");
        let proposals = answer.inside.expect("the boxes so far").proposals;
        assert_eq!(proposals.expect("proposals").all.len(), *done as usize);
        for name in ["starts", "scores", "bins"] {
            assert!(whole.file(name).starts_with(says.file(name)), "{name}");
        }
    }
}

#[test]
fn pooling_and_align_read_other_numbers() {
    let page = Page::open();
    let family = FAMILIES
        .iter()
        .find(|family| family.looks == Looks::Anchors)
        .expect("Faster R-CNN");
    let bins = |how: &str| {
        let reply =
            run(&page, &settings(family, &[("pooling", how)]), sample("cat")).expect("an answer");
        floats(reply.file("bins"))
    };
    let (align, pool) = (bins("align"), bins("pool"));
    assert_eq!(align.len(), pool.len());
    // The largest of a bin is no less than a mean of what is in it, on the whole.
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    assert!(mean(&pool) > mean(&align));
}

#[test]
fn families_side_by_side_are_those_alone() {
    let page = Page::open();
    let settings_of_all = Settings::new(&COMPARE);
    let request = Request::new(&Compare::Run, &settings_of_all).with("picture", sample("cat"));
    let compared: Compared = page
        .send(request)
        .expect("an answer")
        .answer()
        .expect("an answer");
    let chosen = settings_of_all.read::<CompareSettings>().chosen();
    assert_eq!(compared.found.len(), chosen.len());
    assert!(
        chosen
            .iter()
            .all(|family| trained().any(|of| of.name == family.name))
    );
    for (of, family) in compared.found.iter().zip(chosen) {
        assert_eq!(FAMILIES[of.family].name, family.name);
        let score = format!("{}", family.thresholds.score);
        let alone = run(
            &page,
            &settings(family, &[("score", &score)]),
            sample("cat"),
        )
        .expect("an answer");
        let alone: Answer = alone.answer().expect("an answer");
        assert_eq!(of.detections, alone.detections, "{}", family.name);
        assert!(of.ranked.len() >= of.detections.kept().count());
        assert!(of.timings.iter().all(|(_, ms)| *ms >= 0.0) && of.timings.len() >= 4);
    }
    // A refinement needs no network.
    let refined = page.ask(
        Compare::Refine,
        &settings_of_all.with(&[("cut", "same"), ("score", "0.95")]),
    );
    let refined: Compared = refined.answer().expect("an answer");
    let best = refined
        .found
        .iter()
        .flat_map(|of| &of.detections.candidates);
    assert!(best.into_iter().all(|found| found.score >= 0.95));
}

/// The terms are those of training, and where they come from is told by place.
#[test]
fn losses_come_from_places() {
    let page = Page::open();
    let judged_as_trained = trained().filter(|family| family.judge.is_some());
    let names: Vec<&str> = judged_as_trained.map(|family| family.name).collect();
    let settings = Settings::new(&COMPARE).with(&[("families", &names.join(","))]);
    let request = Request::new(&Compare::Run, &settings).with("picture", sample("cat"));
    page.send(request).expect("an answer");
    let named = |class: usize, [x0, y0, x1, y1]: [f32; 4]| Named {
        class,
        box_in_image: Corners { x0, y0, x1, y1 },
    };
    let judged = |named: Named| -> Vec<Judgement> {
        let reply = page.ask(Compare::Judge(vec![named]), &settings);
        reply.answer().expect("an answer")
    };
    let cat = judged(named(4, [2.0, 4.0, 384.0, 297.0]));
    let dog = judged(named(5, [2.0, 4.0, 384.0, 297.0]));
    assert_eq!(cat.len(), names.len());
    for (cat, dog) in cat.iter().zip(&dog) {
        let family = FAMILIES[cat.family].name;
        let sum = |of: &Judgement| of.losses.iter().map(|(_, loss)| loss).sum::<f32>();
        assert!(sum(dog) > sum(cat), "{family}: it is a cat");
        let of_places = |of: &[f32]| of.iter().sum::<f32>();
        assert!(
            cat.places
                .is_sorted_by(|a, b| of_places(&a.terms) >= of_places(&b.terms))
        );
        assert!(
            !cat.places.is_empty() && !cat.positives.is_empty(),
            "{family}"
        );
        assert!(
            cat.places.iter().all(|of| of_places(&of.terms) > 0.0),
            "{family}"
        );
        for (term, (name, loss)) in cat.losses.iter().enumerate() {
            let told: f32 = cat.places.iter().map(|of| of.terms[term]).sum();
            assert!(told <= loss + 1e-4, "{family}, {name}: {told} of {loss}");
        }
        assert!(cat.places.iter().any(|of| of.learns), "{family}");
    }
}

#[test]
fn selective_search_fits_together() {
    let page = Page::open();
    let ask = |picture: Picture, values: &[(&str, &str)]| {
        let settings = Settings::new(&PROPOSE).with(values);
        let request = Request::new(&Propose::Run, &settings).with("picture", picture);
        let reply = page.send(request).expect("an answer");
        let answer: Proposed = reply.answer().expect("an answer");
        (answer, reply)
    };
    let (answer, reply) = ask(sample("cat"), &[]);
    assert_eq!((answer.size, answer.cut), ([451, 300], [240, 160]));
    let of: Vec<u16> = reply
        .file("segments")
        .as_chunks::<2>()
        .0
        .iter()
        .map(|&of| u16::from_le_bytes(of))
        .collect();
    assert_eq!(of.len(), 240 * 160);
    assert_eq!(
        usize::from(*of.iter().max().expect("pixels")) + 1,
        answer.segments
    );
    let regions = floats(reply.file("regions"));
    let regions = regions.as_chunks::<OF_REGION>().0;
    assert_eq!(regions.len(), 2 * answer.segments - 1);
    assert_eq!(
        regions.last(),
        Some(&[240.0 * 160.0, 0.0, 0.0, 240.0, 160.0])
    );
    let merges = floats(reply.file("merges"));
    let merges = merges.as_chunks::<OF_MERGE>().0;
    assert_eq!(merges.len(), answer.segments - 1);
    for (number, [a, b, parts @ ..]) in merges.iter().enumerate() {
        let new = answer.segments + number;
        assert!(a < b && (*b as usize) < new, "only what is there is merged");
        let pixels = |region: usize| regions[region][0];
        assert_eq!(pixels(*a as usize) + pixels(*b as usize), pixels(new));
        assert!(
            parts.iter().all(|part| (-1e-3..=1.001).contains(part)),
            "{parts:?}"
        );
    }
    let boxes = floats(reply.file("proposals"));
    assert!(boxes.len() > 4 * 200, "{}", boxes.len() / 4);
    let inside = |&[x0, y0, x1, y1]: &[f32; 4]| {
        0.0 <= x0 && x0 < x1 && x1 <= 451.01 && 0.0 <= y0 && y0 < y1 && y1 <= 300.01
    };
    assert!(boxes.as_chunks::<4>().0.iter().all(inside));
    // The search does not depend on the settings, the hierarchy does.
    let (coarse, other) = ask(sample("cat"), &[("k", "400"), ("by", "color")]);
    assert!(coarse.segments < answer.segments);
    assert_eq!(other.file("proposals"), reply.file("proposals"));
    for (width, height) in [(1, 1), (16, 16), (4000, 3000), (2000, 1)] {
        let (answer, reply) = ask(plain(width, height, [200, 30, 30, 255]), &[]);
        assert_eq!((answer.size, answer.segments), ([width, height], 1));
        assert_eq!(reply.file("proposals").len(), 4 * 4, "{width} x {height}");
    }
}

/// What is said to be the same of the two is, and what is said to differ does.
#[test]
fn the_backbones_of_the_comparison_differ_in_their_weights_alone() {
    let [before, after] = BACKBONES;
    assert_eq!(before.name, anchor_free::ON_IMAGENET.name);
    assert_eq!(
        (before.classes, before.looks, before.parameters),
        (after.classes, after.looks, after.parameters)
    );
    let host = NativeHost::new("weights", |_, _| {});
    let job = Job::new(&host, "cpu");
    let device = Device::flex();
    let mut shelf = Shelf::new(device.clone(), FILES);
    let cat = sample("cat");
    let mut finest = |origin: Origin| {
        let grounded = Grounded::load_on(&mut shelf, &job, origin, &ANCHOR_FREE_HEAD);
        let grounded = pollster::block_on(grounded).expect("weights");
        let [finest, ..] = grounded.maps(&grounded.square(&cat));
        pollster::block_on(job.read(finest)).expect("numbers")
    };
    let (imagenet, tuned) = (finest(Origin::ImageNet), finest(Origin::FineTuned));
    assert_eq!(imagenet.len(), tuned.len());
    assert_ne!(imagenet, tuned);
    // What heads were trained on: the classifier's own first layers.
    let whole = pollster::block_on(shelf.get(&job, &EFFICIENTNET_LITE0)).expect("weights");
    let image = square(&cat, SIDE, &device).image;
    let [map, ..] = Backbone::from((*whole).clone()).forward(image);
    let map = pollster::block_on(job.read(to_grid(map))).expect("numbers");
    assert_eq!(map, imagenet);
}

#[test]
fn a_comparison_of_nothing_is_an_empty_answer() {
    let page = Page::open();
    let settings = Settings::new(&COMPARE).with(&[("families", "nobody")]);
    let request = Request::new(&Compare::Run, &settings).with("picture", sample("cat"));
    let compared: Compared = page
        .send(request)
        .expect("an answer")
        .answer()
        .expect("an answer");
    assert_eq!(compared.found, []);
    assert_eq!(
        page.try_ask(Compare::Refine, &settings).unwrap_err(),
        Failure::NothingToRefine
    );
}

/// What cards and tables say of the networks is true of their files.
#[test]
fn cards_say_what_the_networks_are() {
    let manifest = Manifest::shipped();
    let device = Device::flex();
    let parameters = [
        ("detector-backbone", BACKBONE.blank(&device).num_params()),
        ("overfeat", OVERFEAT.blank(&device).num_params()),
        ("r-cnn", R_CNN.blank(&device).num_params()),
        ("sppnet", SPPNET.blank(&device).num_params()),
        ("fast-rcnn", FAST_RCNN.blank(&device).num_params()),
        ("faster-rcnn", TWO_STEP.blank(&device).num_params()),
        ("ssd-voc", SSD_HEAD.blank(&device).num_params()),
        ("yolo-v1", GRID_HEAD.blank(&device).num_params()),
        ("anchor-free", ANCHOR_FREE_HEAD.blank(&device).num_params()),
        (
            "anchor-free-imagenet",
            ANCHOR_FREE_HEAD_ON_IMAGENET.blank(&device).num_params(),
        ),
    ];
    for (name, count) in parameters {
        let card = manifest.find(name).expect(name);
        assert_eq!(card.parameters, count, "{name}");
        let Some(family) = FAMILIES.iter().find(|family| family.name == name) else {
            continue;
        };
        assert_eq!(family.parameters, count + parameters[0].1, "{name}");
        let [half, whole] = family.map.expect("it was measured");
        let said = format!("mAP@.5 {half:.3}, mAP@.5:.95 {whole:.3}");
        assert!(card.quality.contains(&said), "{name}: {said}");
    }
    // The classifier of ImageNet is a network of another lab.
    let open = FAMILIES.iter().find(|family| !family.is_measured());
    let card = manifest.find("efficientnet-lite0").expect("a card");
    assert_eq!(open.map(|family| family.parameters), Some(card.parameters));
}
