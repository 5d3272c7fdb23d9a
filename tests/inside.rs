//! The labs that look into a network, asked as their pages ask them.

#![cfg(feature = "native")]

mod asking;

use std::cell::RefCell;

use asking::Page;
use burn::tensor::Device;
use kiln::engine::native_host::{NativeHost, decode_picture};
use kiln::engine::runner::Engine;
use kiln::job::{Reply, Request};
use kiln::labs::activations::spec::{Answer, Crops, Patches, Question as Look};
use kiln::labs::embedding::spec::{Map, Near, Question as MapQuestion};
use kiln::labs::fooling::spec::{Said, Test};
use kiln::labs::search::spec::{Progress, Question, Term};
use kiln::labs::{self, activations, ascent, dream, embedding, fooling, inversion};
use kiln::protocol::card::FILES;
use kiln::protocol::failure::Failure;
use kiln::protocol::lab::LabSpec;
use kiln::protocol::message::Event;
use kiln::protocol::picture::Picture;
use kiln::protocol::settings::Settings;

fn of(lab: &'static LabSpec, values: &[(&str, &str)]) -> Settings {
    Settings::new(lab).with(values)
}

fn sample(name: &str) -> Picture {
    let bytes = std::fs::read(format!("public/samples/{name}.jpg")).expect("a sample");
    decode_picture(&bytes).expect("a photograph")
}

fn plain(width: usize, height: usize, color: [u8; 3]) -> Picture {
    let [r, g, b] = color;
    let rgba = [r, g, b, 255].repeat(width * height);
    Picture {
        width,
        height,
        rgba,
    }
}

/// Begins a search of a lab, and takes it as far as the settings say. The losses are those of all steps.
fn search(settings: &Settings, picture: Option<Picture>) -> Result<(Progress, Vec<u8>), Failure> {
    let mut request = Request::new(&Question::Run, settings);
    if let Some(picture) = picture {
        request = request.with("picture", picture);
    }
    let losses: RefCell<Vec<Vec<f32>>> = RefCell::default();
    let host = NativeHost::new("weights", |event, says: Reply| {
        if let Event::Steps { .. } = event
            && let Ok(progress) = says.answer::<Progress>()
        {
            losses.borrow_mut().extend(progress.losses);
        }
    });
    let mut engine = Engine::new(Device::flex(), "cpu", FILES, &labs::engines());
    let (reply, _) = pollster::block_on(engine.answer(&host, request))?;
    let mut progress: Progress = reply.answer()?;
    let mut all = losses.take();
    all.append(&mut progress.losses);
    progress.losses = all;
    Ok((progress, reply.file("rgba").to_vec()))
}

/// A few steps at one small size.
const SMALL: [(&str, &str); 4] = [
    ("size", "64"),
    ("sizes", "1"),
    ("steps", "25"),
    ("jitter", "4"),
];

fn ascends(values: &[(&str, &str)]) -> Result<(Progress, Vec<u8>), Failure> {
    search(
        &of(&ascent::spec::LAB, &[&SMALL[..], values].concat()),
        None,
    )
}

#[test]
fn an_ascent_makes_its_class_probable_and_a_seed_gives_one_picture() {
    let (progress, picture) = ascends(&[("class", "daisy")]).expect("a picture");
    assert_eq!(
        (progress.width, progress.height, progress.step),
        (64, 64, 25)
    );
    assert_eq!(progress.terms, [Term::Objective, Term::Probability]);
    let [first, last] = [0, 24].map(|step| &progress.losses[step]);
    assert!(last[0] > first[0] + 5.0, "{first:?} {last:?}");
    assert!(first[1] < 0.01 && last[1] > 0.2, "{first:?} {last:?}");
    let (_, again) = ascends(&[("class", "daisy")]).expect("a picture");
    assert_eq!(picture, again);
    let (_, other) = ascends(&[("class", "daisy"), ("seed", "8")]).expect("a picture");
    assert_ne!(picture, other);
    // The class by its number, and as an expression.
    for values in [
        [("class", "985"), ("aim", "class")],
        [("expression", "class(daisy)"), ("aim", "expression")],
    ] {
        assert_eq!(
            ascends(&values).expect("a picture").1,
            picture,
            "{values:?}"
        );
    }
}

/// How far a picture is from a smooth one, and the share of its pixels that are grey.
fn looks(rgba: &[u8], width: usize) -> (f64, f64) {
    let red = |pixel: usize| f64::from(rgba[pixel * 4]);
    let pixels = rgba.len() / 4;
    let steps = (0..pixels).filter(|pixel| pixel % width + 1 < width);
    let variation = steps
        .map(|pixel| (red(pixel + 1) - red(pixel)).powi(2))
        .sum::<f64>();
    let grey = rgba
        .chunks_exact(4)
        .filter(|pixel| pixel[..3].iter().all(|value| value.abs_diff(128) <= 1));
    (
        variation / pixels as f64,
        grey.count() as f64 / pixels as f64,
    )
}

#[test]
fn each_regulariser_does_what_it_says() {
    let plain = [
        ("spectrum", "0"),
        ("decay", "0"),
        ("blur", "0"),
        ("chroma", "1"),
        ("class", "daisy"),
    ];
    let made = |values: &[(&str, &str)]| {
        let (_, rgba) = ascends(&[&plain[..], values].concat()).expect("a picture");
        looks(&rgba, 64)
    };
    let (rough, grey) = made(&[]);
    assert!(grey < 0.05, "{grey}");
    for smooth in [
        ("blur", "1"),
        ("tv", "0.8"),
        ("spectrum", "1.5"),
        ("decay", "10"),
    ] {
        let (variation, _) = made(&[smooth]);
        assert!(
            variation < 0.6 * rough,
            "{smooth:?}: {variation} of {rough}"
        );
    }
    for clips in [("clip-values", "50"), ("clip-slopes", "50")] {
        let (_, grey) = made(&[clips]);
        assert!((0.45..0.75).contains(&grey), "{clips:?}: {grey}");
    }
    // Without the gradient on colours all three are alike.
    let (_, rgba) = ascends(&[("chroma", "0"), ("class", "daisy")]).expect("a picture");
    // Beside the noise that it began with.
    let coloured = |rgba: &[u8]| {
        let far = rgba
            .chunks_exact(4)
            .map(|pixel| f64::from(pixel[0].abs_diff(pixel[2])));
        far.sum::<f64>() / (rgba.len() / 4) as f64
    };
    let (_, whole) = ascends(&[("chroma", "1"), ("class", "daisy")]).expect("a picture");
    assert!(
        coloured(&rgba) < 0.5 * coloured(&whole),
        "{} {}",
        coloured(&rgba),
        coloured(&whole)
    );
}

#[test]
fn several_faces_keep_apart_and_channels_of_both_networks_grow() {
    let faces = [
        ("aim", "channel"),
        ("layer", "8"),
        ("channel", "5"),
        ("faces", "4"),
    ];
    let (progress, rgba) = ascends(&faces).expect("pictures");
    // Two and two, four pixels between.
    assert_eq!((progress.width, progress.height), (132, 132));
    assert!(
        progress.losses[24][0] > progress.losses[0][0] + 1.0,
        "{:?}",
        progress.losses
    );
    let face = |left: usize, top: usize| -> Vec<u8> {
        (0..64)
            .flat_map(|row| rgba[((top + row) * 132 + left) * 4..][..64 * 4].to_vec())
            .collect()
    };
    assert_ne!(face(0, 0), face(68, 0));
    let vgg = [
        ("network", "vgg16"),
        ("aim", "channel"),
        ("layer", "4"),
        ("channel", "5"),
        ("steps", "4"),
    ];
    let (progress, _) = ascends(&vgg).expect("a picture");
    assert!(
        progress.losses[3][0] > progress.losses[0][0],
        "{:?}",
        progress.losses
    );
}

#[test]
fn what_cannot_be_aimed_at_is_said() {
    for (values, says) in [
        (
            &[("aim", "expression"), ("expression", "channel(block99, 1)")][..],
            "no layer \"block99\"",
        ),
        (
            &[("aim", "expression"), ("expression", "nothing")],
            "cannot be read at \"nothing\"",
        ),
        (
            &[("aim", "expression"), ("expression", "class(unicorn)")],
            "no class \"unicorn\"",
        ),
        (
            &[("aim", "channel"), ("layer", "0"), ("channel", "32")],
            "no channel \"32\"",
        ),
        (
            &[("aim", "channel"), ("network", "vgg16"), ("layer", "13")],
            "no layer \"13\"",
        ),
        (&[("network", "vgg16")], "knows no classes"),
    ] {
        let failure = ascends(values).expect_err("no picture");
        assert!(failure.to_string().contains(says), "{failure}");
    }
}

fn fools(picture: Picture, values: &[(&str, &str)]) -> (Progress, Said, Vec<u8>) {
    let settings = of(&fooling::spec::LAB, values);
    let (progress, rgba) = search(&settings, Some(picture)).expect("a picture");
    let said = serde_json::from_str(&progress.more).expect("what the lab says");
    (progress, said, rgba)
}

#[test]
fn a_cat_becomes_a_goldfish_by_a_change_that_stays_within_its_limit() {
    for (norm, limit, which) in [("largest", "4", 0), ("euclid", "3", 1)] {
        let values = [
            ("class", "goldfish"),
            ("norm", norm),
            ("limit", limit),
            ("size", "128"),
        ];
        let (progress, said, _) = fools(sample("cat"), &values);
        assert!(said.is_enough, "{norm}: {said:?}");
        assert!(
            progress.step < 60 && progress.steps == progress.step,
            "{norm}: {}",
            progress.step
        );
        let limit: f32 = limit.parse().expect("a number");
        assert!(
            said.change[which] <= limit + 0.01,
            "{norm}: {:?}",
            said.change
        );
        let verdict = |test| {
            said.verdicts
                .iter()
                .find(|verdict| verdict.test == test)
                .expect("all tests")
        };
        assert!(
            (281..=285).contains(&verdict(Test::Before).best.0),
            "{said:?}"
        );
        assert!(verdict(Test::Before).wanted < 0.01, "{said:?}");
        assert_eq!(verdict(Test::Made).best.0, 1, "{said:?}");
        assert!(verdict(Test::Made).wanted >= 0.9, "{said:?}");
        // The probabilities of all steps, rising on the whole.
        let wanted: Vec<f32> = progress.losses.iter().map(|row| row[0]).collect();
        assert_eq!(wanted.len() as u32, progress.step + 1);
        assert!(
            wanted[wanted.len() / 2] > wanted[0] && wanted[wanted.len() - 1] >= 0.9,
            "{wanted:?}"
        );
    }
}

#[test]
fn plain_and_tiny_pictures_are_fooled_with_or_end_without() {
    for picture in [
        plain(64, 64, [0; 3]),
        plain(1, 1, [200, 30, 30]),
        plain(900, 3, [255; 3]),
    ] {
        let values = [("class", "goldfish"), ("size", "128"), ("steps", "3")];
        let (progress, said, rgba) = fools(picture, &values);
        assert_eq!(rgba.len() as u32, progress.width * progress.height * 4);
        assert_eq!(said.verdicts.len(), 7);
        assert!(said.change.iter().all(|change| change.is_finite()));
    }
    // The change alone: grey where nothing changed.
    let values = [
        ("class", "goldfish"),
        ("size", "128"),
        ("steps", "0"),
        ("show", "change"),
    ];
    let (progress, ..) = fools(sample("cat"), &values);
    assert_eq!(progress.step, 1, "a step at least");
}

#[test]
fn early_layers_are_rebuilt_and_late_ones_forget_more() {
    let values = [("size", "64"), ("steps", "60")];
    let settings = of(&inversion::spec::LAB, &values);
    let (progress, rgba) = search(&settings, Some(sample("cat"))).expect("pictures");
    assert_eq!(
        progress.captions,
        ["block1", "block3", "block5", "block8", "block11", "block16"]
    );
    assert_eq!((progress.columns, progress.losses.len()), (3, 60));
    assert_eq!(rgba.len() as u32, progress.width * progress.height * 4);
    for layer in 0..6 {
        let [first, last] = [0, 59].map(|step| progress.losses[step][layer]);
        assert!(last < 0.35 * first, "{layer}: {first} {last}");
    }
    // How far each is from the photograph, in the middle of its place.
    let photograph = kiln::methods::resize::stretch_rgb(&sample("cat"), 64, 43);
    let off = |index: usize| {
        let [left, top] = [index % 3 * 68, index / 3 * 47];
        let mut sum = 0u32;
        for row in 10..33 {
            for column in 16..48 {
                let at = ((top + row) * progress.width as usize + left + column) * 4;
                sum += (0..3)
                    .map(|c| {
                        u32::from(rgba[at + c].abs_diff(photograph[(row * 64 + column) * 3 + c]))
                    })
                    .sum::<u32>();
            }
        }
        f64::from(sum) / (23.0 * 32.0 * 3.0)
    };
    assert!(off(0) < 12.0, "block1 is off by {}", off(0));
    assert!(
        off(5) > 3.0 * off(0),
        "block16 is off by {}, block1 by {}",
        off(5),
        off(0)
    );
    let one = of(
        &inversion::spec::LAB,
        &[
            ("from", "one"),
            ("layer", "99"),
            ("size", "64"),
            ("steps", "2"),
        ],
    );
    let (progress, _) = search(&one, Some(plain(1, 1, [9; 3]))).expect("a picture");
    assert_eq!(progress.captions, ["head"]);
    // The small one, too: a digit comes back from its last convolution, and a class from noise.
    let values = [
        ("network", "lenet-digits"),
        ("size", "64"),
        ("steps", "60"),
        ("tv", "0"),
    ];
    let (progress, _) = search(
        &of(&inversion::spec::LAB, &values),
        Some(drawn(true, [240, 10])),
    )
    .expect("a digit");
    assert_eq!(progress.captions, ["conv1", "conv2", "dense1", "dense2"]);
    let last = progress.losses.last().expect("losses");
    assert!(last.iter().all(|&off| off < 0.35), "{last:?}");
    let values = [
        ("network", "lenet-digits"),
        ("aim", "expression"),
        ("expression", "class(3)"),
        ("sizes", "1"),
        ("size", "64"),
        ("steps", "40"),
    ];
    let (progress, _) = search(&of(&ascent::spec::LAB, &values), None).expect("a digit");
    assert!(progress.losses.last().expect("losses")[1] > 0.9);
}

/// A ring of ink, or a line from top to bottom, on a square of 56 pixels.
fn drawn(is_ring: bool, [ink, paper]: [u8; 2]) -> Picture {
    let side = 56;
    let pixel = |place: usize| {
        let [down, across] = [place / side, place % side].map(|at| at as f32 - 27.5);
        let is_ink = match is_ring {
            true => ((down / 17.0).hypot(across / 12.0) - 1.0).abs() < 0.2,
            false => across.abs() < 2.5 && down.abs() < 18.0,
        };
        let value = if is_ink { ink } else { paper };
        [value, value, value, 255]
    };
    Picture::new(side, side, (0..side * side).flat_map(pixel).collect()).expect("a picture")
}

#[test]
fn digits_are_read_on_paper_and_on_a_blackboard() {
    let page = Page::open();
    for (is_ring, digit) in [(true, "0"), (false, "1")] {
        for (colors, negative) in [([20, 235], true), ([240, 10], false)] {
            let values = [
                ("network", "lenet-digits"),
                ("layer", "1"),
                ("channel", "31"),
            ];
            let reply = looks_at(&page, drawn(is_ring, colors), &values);
            let answer: Answer = reply.answer().expect("an answer");
            assert_eq!(answer.seen, [28, 28]);
            assert_eq!(
                (&*answer.classes[0].name, answer.negative),
                (digit, negative)
            );
            assert!(answer.classes[0].probability > 0.8, "{:?}", answer.classes);
            let shapes: Vec<_> = answer.layers.iter().map(|layer| layer.shape).collect();
            assert_eq!(shapes, [[16, 14, 14], [32, 7, 7], [120, 1, 1], [84, 1, 1]]);
            // 5 * 5 * 16 and 16; 5 * 5 * 16 * 32 and 32; 7 * 7 * 32 * 120 and 120; 120 * 84 and 84.
            let learned: Vec<_> = answer.layers.iter().map(|layer| layer.parameters).collect();
            assert_eq!(learned, [416, 12_832, 188_280, 10_164]);
            // Of channel 31 a kernel for each channel below.
            assert_eq!(answer.kernels, [5, 16]);
        }
    }
    let crops: Crops = page
        .ask(
            Look::Crops,
            &of(&activations::spec::LAB, &[("network", "lenet-digits")]),
        )
        .answer()
        .expect("crops");
    assert!(crops.crops.iter().all(|crop| crop.class < 10));
}

fn looks_at(page: &Page, picture: Picture, values: &[(&str, &str)]) -> Reply {
    let request =
        Request::new(&Look::Run, &of(&activations::spec::LAB, values)).with("picture", picture);
    page.send(request).expect("an answer")
}

#[test]
fn every_layer_of_the_cat_is_drawn() {
    let page = Page::open();
    let reply = looks_at(&page, sample("cat"), &[]);
    let answer: Answer = reply.answer().expect("an answer");
    assert_eq!(answer.seen, [337, 224]);
    // Egyptian cat.
    assert_eq!(answer.classes[0].class, 285);
    assert_eq!(answer.layers.len(), 18);
    // 3 * 3 * 3 * 32 and 32 biases; 320 * 1280 and 1280.
    assert_eq!(
        [0, 17].map(|layer| answer.layers[layer].parameters),
        [896, 410_880]
    );
    for layer in 0..18 {
        for (sort, contrast) in [("number", "each"), ("strongest", "all")] {
            let values = [
                ("layer", &*layer.to_string()),
                ("sort", sort),
                ("contrast", contrast),
                ("channel", "3"),
            ];
            let reply = page.ask(Look::Show, &of(&activations::spec::LAB, &values));
            let answer: Answer = reply.answer().expect("an answer");
            let [channels, rows, columns] = answer.layers[layer].shape;
            assert_eq!(
                (answer.layer, answer.channel, answer.order.len()),
                (layer, 3, channels)
            );
            assert_eq!(reply.file("channel").len(), rows * columns);
            let [wide, high] = answer.tile;
            assert_eq!(reply.file("maps").len(), channels * wide * high);
            // Blocks end without a rectifier.
            assert_eq!(answer.signed, (1..17).contains(&layer), "{layer}");
            let [side, count] = answer.kernels;
            assert_eq!(reply.file("kernels").len(), side * side * count * 3);
            let [least, mean, most, above] = answer.channel_says;
            assert!(least <= mean && mean <= most && (0.0..=1.0).contains(&above));
            if contrast == "all" {
                // Where it is largest a byte is at its end.
                let first = &reply.file("maps")[..wide * high];
                let far = |&byte: &u8| {
                    if answer.signed {
                        byte.abs_diff(128)
                    } else {
                        byte
                    }
                };
                let strongest = first.iter().map(far).max().expect("places");
                let weakest = reply
                    .file("maps")
                    .rchunks(wide * high)
                    .next()
                    .expect("a channel")
                    .iter()
                    .map(far)
                    .max();
                assert!(Some(strongest) >= weakest, "{layer}");
            }
        }
    }
    // The first layer's filters: each with its own contrast, or all with the same.
    let filters = |contrast: &str| {
        let values = [("layer", "0"), ("contrast", contrast)];
        page.ask(Look::Show, &of(&activations::spec::LAB, &values))
            .take("kernels")
    };
    let [each, all] = ["each", "all"].map(filters);
    // How far from grey the filters go: alone each to its end, together only the strongest.
    let farthest = |rgb: &[u8]| -> Vec<u8> {
        let kernels = rgb.chunks_exact(27);
        kernels
            .map(|kernel| kernel.iter().map(|v| v.abs_diff(128)).max().unwrap_or(0))
            .collect()
    };
    // A filter of zeros stays grey.
    let alone = farthest(&each);
    let ends = alone.iter().filter(|&&far| far == 127).count();
    assert!(
        ends > 20 && alone.iter().all(|far| [0, 127].contains(far)),
        "{alone:?}"
    );
    let together = farthest(&all);
    assert!(
        together.contains(&127) && together.iter().any(|&far| far < 60),
        "{together:?}"
    );
    let png = page.ask(Look::Export, &of(&activations::spec::LAB, &[]));
    let sheet = decode_picture(png.file("png")).expect("a picture");
    assert!(sheet.width > 84 && sheet.height > 56);
    // Ten crops of the cat are cats, and a mirror is another picture.
    let reply = page.ask(Look::Crops, &of(&activations::spec::LAB, &[]));
    let crops: Crops = reply.answer().expect("crops");
    assert_eq!((crops.crops.len(), crops.mean.class), (10, 285));
    assert_eq!(reply.file("rgba").len(), 10 * crops.side * crops.side * 4);
    let mean = crops.of_mean.iter().sum::<f32>() / 10.0;
    let said = crops.mean.probability;
    assert!((mean - said).abs() < 1e-5 && said > 0.3, "{crops:?}");
    let times: Vec<f64> = page
        .ask(Look::Times, &of(&activations::spec::LAB, &[]))
        .answer()
        .expect("times");
    assert_eq!(times.len(), 18);
    assert!(times.iter().all(|&time| time > 0.0), "{times:?}");
    let line =
        |crop: usize| &reply.file("rgba")[crop * crops.side * crops.side * 4..][..crops.side * 4];
    let mirrored: Vec<u8> = line(0)
        .as_chunks::<4>()
        .0
        .iter()
        .rev()
        .flatten()
        .copied()
        .collect();
    assert_eq!(line(1), mirrored);
    // What the page shows of one network is nothing to another.
    let other = of(&activations::spec::LAB, &[("network", "vgg16")]);
    let refused = page.send(Request::new(&Look::Show, &other));
    assert_eq!(
        refused.expect_err("another network"),
        Failure::NothingToRefine
    );
}

#[test]
fn vgg_has_maps_and_no_classes_and_any_picture_is_answered() {
    let page = Page::open();
    let reply = looks_at(
        &page,
        plain(40, 30, [0; 3]),
        &[("network", "vgg16"), ("layer", "17"), ("channel", "1279")],
    );
    let answer: Answer = reply.answer().expect("an answer");
    assert!(answer.classes.is_empty());
    // The last of those that there are.
    assert_eq!(
        (answer.layers.len(), answer.layer, answer.channel),
        (13, 12, 511)
    );
    assert!(!answer.signed);
    for picture in [plain(1, 1, [255; 3]), plain(3000, 16, [90, 0, 0])] {
        let answer: Answer = looks_at(&page, picture, &[]).answer().expect("an answer");
        assert_eq!(answer.classes.len(), 10);
    }
}

#[test]
fn patches_are_where_the_channel_is_largest() {
    let page = Page::open();
    // A white square on black, in the first picture alone.
    let mut square = plain(224, 224, [0; 3]);
    for row in 100..124 {
        for column in 40..64 {
            square.rgba[(row * 224 + column) * 4..][..3].fill(255);
        }
    }
    let settings = of(&activations::spec::LAB, &[("layer", "0"), ("channel", "0")]);
    let mut best = 0f32;
    for channel in 0..32 {
        let mut settings = settings.clone();
        settings.set(
            "channel",
            kiln::protocol::param::Value::Number(channel as f32),
        );
        let request = Request::new(&Look::Patches, &settings)
            .with("0", square.clone())
            .with("1", plain(224, 224, [0; 3]));
        let reply = page.send(request).expect("an answer");
        let found: Patches = reply.answer().expect("patches");
        assert_eq!(
            reply.file("rgba").len(),
            found.patches.len() * found.side * found.side * 4
        );
        assert!(found.patches.is_sorted_by(|a, b| a.1 >= b.1));
        // Where the square makes a channel larger than the plain picture does, the first patch touches it.
        let plain = found
            .patches
            .iter()
            .filter(|patch| patch.0 == 1)
            .map(|patch| patch.1)
            .fold(0f32, f32::max);
        let Some(&(picture, value, [left, top, right, bottom])) = found.patches.first() else {
            continue;
        };
        if picture == 0 && value > plain + 0.5 {
            let touches =
                |low: f32, high: f32, from: f32, to: f32| low * 224.0 <= to && high * 224.0 >= from;
            assert!(
                touches(left, right, 40.0, 64.0) && touches(top, bottom, 100.0, 124.0),
                "{found:?}"
            );
            best = best.max(value);
        }
    }
    assert!(best > 0.5, "no channel of the stem saw the square");
}

/// The pictures that come with the page, on the map of some settings.
fn mapped(page: &Page, values: &[(&str, &str)], own: &[Picture]) -> Reply {
    let sheet = std::fs::read("public/embeddings/emoji.jpg").expect("it ships");
    let sheet = decode_picture(&sheet).expect("a picture");
    let mut request =
        Request::new(&MapQuestion::Run, &of(&embedding::spec::LAB, values)).with("sheet", sheet);
    for (number, picture) in own.iter().enumerate() {
        request = request.with(&number.to_string(), picture.clone());
    }
    page.send(request).expect("a map")
}

fn points(reply: &Reply) -> Vec<[f32; 2]> {
    let numbers = reply.file("points").as_chunks::<4>().0.iter();
    let numbers: Vec<f32> = numbers.map(|&bytes| f32::from_le_bytes(bytes)).collect();
    numbers.as_chunks::<2>().0.to_vec()
}

/// The group of a picture that ships.
fn group(index: usize) -> usize {
    let mut end = 0;
    let found = embedding::spec::GROUPS.iter().position(|&(_, count)| {
        end += count;
        index < end
    });
    found.expect("one that ships")
}

#[test]
fn pictures_of_a_group_lie_together_by_features_more_than_by_pixels() {
    let page = Page::open();
    let reply = mapped(&page, &[("steps", "250")], &[sample("cat")]);
    let map: Map = reply.answer().expect("a map");
    assert_eq!(
        (map.shipped, map.own, map.step),
        (embedding::spec::shipped(), 1, 250)
    );
    let tsne = points(&reply);
    assert_eq!(tsne.len(), map.shipped + 1);
    assert_eq!(reply.file("own").len(), 64 * 64 * 4);
    assert!(
        tsne.iter()
            .all(|[x, y]| x.abs() < 1.34 && y.abs() <= 1.0001)
    );
    let [first, last] =
        [map.divergence.first(), map.divergence.last()].map(|told| told.expect("some").1);
    assert!(last < 0.5 * first, "{first} to {last}");
    // The same again; the photograph is there once.
    let again = mapped(&page, &[("steps", "250")], &[sample("cat")]);
    assert_eq!(again, reply);

    let alike = |metric: &str| {
        let mut same = [0, 0];
        for index in 0..map.shipped {
            let settings = of(&embedding::spec::LAB, &[("metric", metric)]);
            let near: Near = page
                .ask(MapQuestion::Near(index), &settings)
                .answer()
                .expect("neighbours");
            assert_eq!(near.of, index);
            for (count, list) in same.iter_mut().zip([&near.features, &near.pixels]) {
                assert!(
                    list.is_sorted_by(|a, b| a.1 <= b.1)
                        && list.iter().all(|&(other, _)| other != index)
                );
                let nearest = list
                    .iter()
                    .find(|(other, _)| *other < map.shipped)
                    .expect("some")
                    .0;
                *count += u32::from(group(nearest) == group(index));
            }
        }
        let [features, pixels] = same.map(|count| f64::from(count) / map.shipped as f64);
        println!(
            "{metric}: nearest of the same group: {features:.3} by features, {pixels:.3} by pixels"
        );
        [features, pixels]
    };
    for metric in ["euclid", "cosine"] {
        let [features, pixels] = alike(metric);
        assert!(
            features > 0.55 && features > pixels + 0.1,
            "{metric}: {features} {pixels}"
        );
    }
    let values = [("method", "pca"), ("space", "pixels"), ("metric", "cosine")];
    let pca = page.ask(MapQuestion::Layout, &of(&embedding::spec::LAB, &values));
    let map: Map = pca.answer().expect("a map");
    let [first, second] = map.shares.expect("of components");
    assert!(
        first > second && second > 0.02 && first < 1.0,
        "{first} {second}"
    );
    let png = page.ask(MapQuestion::Export, &of(&embedding::spec::LAB, &values));
    assert!(decode_picture(png.file("png")).expect("a picture").width > 500);
    let cleared: Map = page
        .ask(MapQuestion::Clear, &of(&embedding::spec::LAB, &values))
        .answer()
        .expect("a map");
    assert_eq!(cleared.own, 0);
    let beyond = page.try_ask(MapQuestion::Near(9999), &of(&embedding::spec::LAB, &[]));
    assert_eq!(
        beyond.expect_err("no such picture"),
        Failure::NothingToRefine
    );
}

#[test]
fn a_map_takes_three_pictures_and_they_may_be_alike() {
    let page = Page::open();
    let few = |pictures: &[Picture]| {
        let mut request = Request::new(
            &MapQuestion::Run,
            &of(&embedding::spec::LAB, &[("steps", "50")]),
        );
        for (number, picture) in pictures.iter().enumerate() {
            request = request.with(&number.to_string(), picture.clone());
        }
        page.send(request)
    };
    let black = plain(3, 200, [0; 3]);
    assert_eq!(
        few(&[black.clone(), sample("cat")]).expect_err("two"),
        Failure::TooFewToMap
    );
    // Nearly the same, and not square.
    let reply = few(&[plain(40, 3, [1, 0, 0]), plain(1, 1, [0, 1, 0])]).expect("a map of four");
    assert_eq!(points(&reply).len(), 4);
    assert!(
        points(&reply)
            .iter()
            .flatten()
            .all(|value| value.is_finite())
    );
}

#[test]
fn dreams_take_expressions() {
    let quick = [("size", "64"), ("octaves", "1"), ("steps", "3")];
    let dreamed = |values: &[(&str, &str)]| {
        let settings = of(&dream::spec::LAB, &[&quick[..], values].concat());
        search(&settings, Some(sample("temple")))
    };
    let (_, plain) = dreamed(&[("layer", "conv3_1")]).expect("a dream");
    // In an expression the layer does not count.
    let same = [("layer", "conv5_1"), ("expression", "layer(conv3_1)")];
    assert_eq!(dreamed(&same).expect("a dream").1, plain);
    let two = [(
        "expression",
        "layer(conv3_1) + 9*channel(conv2_2, 3) - 2*tv",
    )];
    let (progress, other) = dreamed(&two).expect("a dream");
    assert_ne!(other, plain);
    assert!(
        progress
            .losses
            .iter()
            .flatten()
            .all(|value| value.is_finite())
    );
    let refused = dreamed(&[("expression", "class(daisy)")]).expect_err("no classes");
    assert_eq!(
        refused,
        Failure::NoClasses {
            network: "vgg16".into()
        }
    );
}
