//! What speaks for a class, asked as the page asks it.

#![cfg(feature = "native")]

mod asking;

use asking::Page;
use kiln::engine::native_host::decode_picture;
use kiln::job::{Reply, Request};
use kiln::labs::explain::spec::{Answer, Cutout, LAB, Method, Nudge, Question};
use kiln::protocol::failure::Failure;
use kiln::protocol::picture::Picture;
use kiln::protocol::settings::Settings;
use strum::VariantArray;

fn of(values: &[(&str, &str)]) -> Settings {
    Settings::new(&LAB).with(values)
}

fn cat() -> Picture {
    let bytes = std::fs::read("public/samples/cat.jpg").expect("a sample");
    decode_picture(&bytes).expect("a photograph")
}

fn plain(width: usize, height: usize, color: [u8; 3]) -> Picture {
    let [r, g, b] = color;
    Picture {
        width,
        height,
        rgba: [r, g, b, 255].repeat(width * height),
    }
}

fn run(page: &Page, picture: Picture, values: &[(&str, &str)]) -> Reply {
    let request = Request::new(&Question::Run, &of(values)).with("picture", picture);
    page.send(request).expect("an answer")
}

fn numbers(page: &Page, values: &[(&str, &str)]) -> Vec<f32> {
    let raw = page.ask(Question::Raw, &of(values));
    let bytes = raw.file("raw").as_chunks::<4>().0;
    bytes.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

#[test]
fn the_cat_is_a_cat_and_every_method_has_a_map_of_it() {
    let page = Page::open();
    let first: Answer = run(&page, cat(), &[]).answer().expect("an answer");
    assert_eq!(first.seen, [337, 224]);
    assert_eq!(first.classes.len(), 10);
    // Egyptian cat.
    assert_eq!(first.class, 285);
    assert!(first.classes.is_sorted_by(|a, b| a.1 >= b.1));
    for method in Method::VARIANTS {
        let word: &'static str = method.into();
        let quick = [("copies", "4"), ("steps", "8"), ("stride", "64")];
        let values = [&[("method", word)], &quick[..]].concat();
        let reply = page.ask(Question::Explain, &of(&values));
        let answer: Answer = reply.answer().expect("an answer");
        let [width, height] = answer.map;
        assert_eq!(reply.file("map").len(), width * height, "{word}");
        assert_eq!(answer.signed, method.is_signed(), "{word}");
        assert!(answer.largest > 0.0, "{word}");
        assert_eq!(answer.classes, first.classes, "{word}");
        let again = page.ask(Question::Explain, &of(&values));
        assert_eq!(again, reply, "{word} is not the same again");
    }
}

/// The cat by itself: its middle is in, the corners are not; and it has the picture's own size when it is saved.
#[test]
fn the_cat_is_cut_out_by_its_map() {
    let page = Page::open();
    run(&page, cat(), &[]);
    let reply = page.ask(Question::Cut, &of(&[]));
    let cutout: Cutout = reply.answer().expect("a cut-out");
    assert_eq!(cutout.size, [256, 170]);
    assert!((0.2..0.9).contains(&cutout.share), "{cutout:?}");
    let saved = page.ask(Question::ExportCut, &of(&[]));
    // With its alpha, which Kiln itself lays over white when it opens a picture.
    let saved = image::load_from_memory(saved.file("png"))
        .expect("a picture")
        .to_rgba8();
    assert_eq!(saved.dimensions(), (451, 300));
    assert_eq!(saved.get_pixel(225, 150)[3], 255);
    let opaque = saved.pixels().filter(|pixel| pixel[3] > 127).count();
    let share = opaque as f32 / (451.0 * 300.0);
    assert!(
        (share - cutout.share).abs() < 0.02,
        "{share} and {cutout:?}"
    );
}

#[test]
fn integrated_gradients_add_up_to_what_the_logit_gained() {
    let page = Page::open();
    run(&page, cat(), &[]);
    // With 512 steps all three come within 0.4 %: measured, it takes a minute.
    for (baseline, share) in [("grey", 0.01), ("black", 0.03), ("white", 0.03)] {
        let values = [
            ("method", "integrated"),
            ("steps", "128"),
            ("baseline", baseline),
        ];
        let answer: Answer = page
            .ask(Question::Explain, &of(&values))
            .answer()
            .expect("an answer");
        let [sum, difference] = answer.sum.expect("a sum");
        println!("{baseline}: {sum} of {difference}");
        assert!(
            (sum - difference).abs() < share * difference.abs(),
            "{baseline}: {sum}, not {difference}"
        );
    }
}

#[test]
fn noise_of_nothing_smooths_nothing() {
    let page = Page::open();
    run(&page, cat(), &[("method", "gradient")]);
    let plain = numbers(&page, &[]);
    let smooth = [("method", "smooth-grad"), ("noise", "0"), ("copies", "4")];
    page.ask(Question::Explain, &of(&smooth));
    let smooth = numbers(&page, &[]);
    let scale = plain.iter().copied().fold(0.0, f32::max);
    for (smooth, plain) in smooth.iter().zip(&plain) {
        // The mean of four equal gradients.
        assert!((smooth - plain).abs() < 1e-4 * scale);
    }
}

/// A nudge along the gradient changes the logit by as much as the gradient says.
#[test]
fn the_gradient_is_what_a_nudge_does() {
    let page = Page::open();
    let answer: Answer = run(&page, cat(), &[("method", "gradient")])
        .answer()
        .expect("an answer");
    let map = numbers(&page, &[]);
    let [width, _] = answer.map;
    // The pixels that count most: brighter in each colour by one, one after the other.
    let mut order: Vec<usize> = (0..map.len()).collect();
    order.sort_by(|&a, &b| map[b].total_cmp(&map[a]));
    // The network sees the picture as it is where it has its size.
    let seen = {
        let picture = cat();
        let rgb = kiln::methods::resize::stretch_rgb(&picture, answer.seen[0], answer.seen[1]);
        let rgba = rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]);
        Picture {
            width: answer.seen[0],
            height: answer.seen[1],
            rgba: rgba.collect(),
        }
    };
    let logit = |picture: Picture| -> f32 {
        let values = [("method", "gradient"), ("class", "Egyptian cat")];
        let answer: Answer = run(&page, picture, &values).answer().expect("an answer");
        answer.logit
    };
    let base = logit(seen.clone());
    let mut largest_change = 0f32;
    for &pixel in &order[..4] {
        for channel in 0..3 {
            let mut nudged = seen.clone();
            let place = pixel * 4 + channel;
            let step: i16 = if nudged.rgba[place] > 127 { -1 } else { 1 };
            nudged.rgba[place] = (i16::from(nudged.rgba[place]) + step) as u8;
            let slope = (logit(nudged) - base).abs() * 128.0;
            largest_change = largest_change.max(slope / map[pixel]);
            // The map has the largest slope of the three colours.
            assert!(
                slope < 1.3 * map[pixel] + 0.02,
                "at {}, {}: {slope}, not at most {}",
                pixel % width,
                pixel / width,
                map[pixel]
            );
        }
    }
    assert!(largest_change > 0.7, "no nudge did what the gradient says");
}

#[test]
fn covering_nothing_changes_nothing() {
    let page = Page::open();
    // The network's zero is 127.
    let grey = plain(224, 224, [127; 3]);
    let values = [("method", "occlusion"), ("stride", "64")];
    let answer: Answer = run(&page, grey, &values).answer().expect("an answer");
    assert_eq!(answer.map, [4, 4]);
    let lost = numbers(&page, &values);
    assert!(lost.iter().all(|lost| lost.abs() < 1e-6), "{lost:?}");
}

#[test]
fn pictures_of_all_kinds_are_answered() {
    let page = Page::open();
    for picture in [
        plain(1, 1, [0; 3]),
        plain(16, 16, [0; 3]),
        plain(300, 2, [255, 0, 0]),
        plain(2, 300, [255; 3]),
        plain(4000, 3000, [0; 3]),
    ] {
        let size = [picture.width, picture.height];
        for method in ["grad-cam", "gradient", "integrated"] {
            let values = [("method", method), ("steps", "8")];
            let reply = run(&page, picture.clone(), &values);
            let answer: Answer = reply.answer().expect("an answer");
            let sum: f32 = answer
                .classes
                .iter()
                .map(|(_, probability)| probability)
                .sum();
            assert!(sum > 0.0 && sum < 1.001, "{size:?}: {sum}");
            assert_eq!(reply.file("map").len(), answer.map[0] * answer.map[1]);
        }
    }
}

#[test]
fn what_cannot_be_answered_is_said() {
    let page = Page::open();
    let nothing = page.try_ask(Question::Run, &of(&[]));
    assert_eq!(nothing, Err(Failure::EmptyFile));
    for question in [Question::Explain, Question::Export, Question::Raw] {
        assert_eq!(
            page.try_ask(question, &of(&[])),
            Err(Failure::NothingToRefine)
        );
    }
}

#[test]
fn the_gradient_promises_what_a_small_change_does() {
    let page = Page::open();
    run(&page, cat(), &[]);
    let places = [
        [0.2, 0.3],
        [0.5, 0.5],
        [0.33, 0.47],
        [0.7, 0.4],
        [0.9, 0.9],
        [0.5, 0.2],
        [0.0, 0.0],
        [1.0, 1.0],
    ];
    let nudges: Vec<Nudge> = places
        .map(|place| {
            page.ask(Question::Nudge(place), &of(&[]))
                .answer()
                .expect("a nudge")
        })
        .to_vec();
    for nudge in &nudges {
        let [left, top, right, bottom] = nudge.square;
        assert!(
            left >= 0.0 && right <= 1.0 && top >= 0.0 && bottom <= 1.0,
            "{nudge:?}"
        );
        // 16 pixels of 337 and of 224.
        assert!(
            (right - left - 16.0 / 337.0).abs() < 1e-3
                && (bottom - top - 16.0 / 224.0).abs() < 1e-3
        );
        assert_eq!(nudge.class, 285);
    }
    // A slope is no promise for far away: on the whole they agree.
    let sum =
        |of: fn(&Nudge, &Nudge) -> f32| nudges.iter().map(|nudge| of(nudge, nudge)).sum::<f32>();
    let both = sum(|a, b| a.promised * b.measured);
    let alike =
        both / (sum(|a, b| a.promised * b.promised) * sum(|a, b| a.measured * b.measured)).sqrt();
    println!("promised and measured: cosine {alike:.3}");
    assert!(alike > 0.7, "{alike}: {nudges:?}");
}

#[test]
fn random_weights_change_the_maps_that_explain_the_network() {
    let page = Page::open();
    let first: Answer = run(&page, cat(), &[]).answer().expect("an answer");
    assert_eq!(first.similarity, None);
    let similar = |method: &str, random: &str| -> f32 {
        let values = [("method", method), ("random", random)];
        let answer: Answer = page
            .ask(Question::Explain, &of(&values))
            .answer()
            .expect("an answer");
        // Whose classes are told are the trained network's.
        assert_eq!(answer.classes, first.classes, "{method} {random}");
        answer.similarity.expect("of random weights")
    };
    for method in ["gradient", "guided"] {
        let [one, all] = ["1", "19"].map(|random| similar(method, random));
        println!("{method}: {one:.3} with the classes' weights random, {all:.3} with all");
        assert!(
            (-1.0..=1.0).contains(&one) && all < 0.6,
            "{method}: {one} {all}"
        );
    }
    let cam = similar("grad-cam", "1");
    assert!(cam < 0.9, "{cam}");
}

#[test]
fn methods_are_compared_and_the_map_that_is_exported_stays() {
    let page = Page::open();
    run(&page, cat(), &[("method", "gradient")]);
    let before = numbers(&page, &[]);
    for (number, method) in Method::VARIANTS.iter().enumerate() {
        let quick = [("copies", "4"), ("steps", "8"), ("stride", "64")];
        let reply = page.ask(Question::By(number), &of(&quick));
        let answer: Answer = reply.answer().expect("an answer");
        assert_eq!(answer.signed, method.is_signed());
        assert_eq!(reply.file("map").len(), answer.map[0] * answer.map[1]);
    }
    assert_eq!(numbers(&page, &[]), before);
    assert_eq!(
        page.try_ask(Question::By(99), &of(&[]))
            .expect_err("no such method"),
        Failure::Misunderstood
    );
}
