//! The labs that take steps, on the shipped weights: they reach what they search for, twice the same,
//! and on any picture.

#![cfg(feature = "native")]

use std::cell::{Cell, RefCell};
use std::path::Path;

use burn::tensor::Device;
use kiln::engine::native_host::{NativeHost, open_picture};
use kiln::engine::runner::Engine;
use kiln::job::{Host, Promise, Reply, Request};
use kiln::labs::search::spec::{Progress, Question, Term};
use kiln::labs::{self, dream, gatys, texture};
use kiln::protocol::card::FILES;
use kiln::protocol::failure::Failure;
use kiln::protocol::lab::LabSpec;
use kiln::protocol::message::Event;
use kiln::protocol::picture::Picture;
use kiln::protocol::settings::Settings;

/// Losses of all steps, last report, and RGBA of the picture.
type Found = (Vec<Vec<f32>>, Progress, Vec<u8>);

const GATYS: &LabSpec = &gatys::spec::LAB;
const TEXTURE: &LabSpec = &texture::spec::LAB;
const DREAM: &LabSpec = &dream::spec::LAB;

fn settings(lab: &'static LabSpec, values: &[(&str, &str)]) -> Settings {
    Settings::new(lab).with(values)
}

fn engine() -> Engine {
    Engine::new(Device::flex(), "cpu", FILES, &labs::engines())
}

fn photograph() -> Picture {
    open_picture(Path::new("public/samples/temple.jpg")).expect("ships")
}

fn painting() -> Picture {
    open_picture(Path::new("public/paintings/auvers.jpg")).expect("ships")
}

/// Begins a search. The example of a texture travels as its style.
fn begin(settings: &Settings, picture: Picture, style: Option<Picture>) -> Request {
    let request = Request::new(&Question::Run, settings);
    let named = match settings.lab() == TEXTURE {
        true => "style",
        false => "picture",
    };
    let request = request.with(named, picture);
    match style {
        Some(style) => request.with("style", style),
        None => request,
    }
}

/// Runs a lab, and then goes on for each of `further`.
fn search(
    settings: &Settings,
    picture: Picture,
    style: Option<Picture>,
    further: &[u32],
) -> Result<Found, Failure> {
    let losses: RefCell<Vec<Vec<f32>>> = RefCell::default();
    let note = |says: &Reply| -> Progress {
        let progress: Progress = says.answer().expect("where the search stands");
        losses.borrow_mut().extend(progress.losses.iter().cloned());
        progress
    };
    let host = NativeHost::new("weights", |event, says| {
        if let Event::Steps { .. } = event {
            note(&says);
        }
    });
    let mut engine = engine();
    let mut ask = |request| pollster::block_on(engine.answer(&host, request));
    let (mut reply, _) = ask(begin(settings, picture, style))?;
    let mut last = note(&reply);
    for &steps in further {
        let steps = Some(steps);
        (reply, _) = ask(Request::new(&Question::Continue { steps }, settings))?;
        last = note(&reply);
    }
    Ok((losses.take(), last, reply.take("rgba")))
}

#[test]
fn a_style_search_ends_below_a_fifth_of_its_loss() {
    for optimizer in ["lbfgs", "adam"] {
        let settings = settings(
            GATYS,
            &[
                ("size", "64"),
                ("steps", "30"),
                ("start", "noise"),
                ("optimizer", optimizer),
            ],
        );
        let (losses, last, _) =
            search(&settings, photograph(), Some(painting()), &[]).expect("runs");
        assert_eq!(losses.len(), 31, "the start and thirty steps");
        assert_eq!((last.step, last.width, last.height), (30, 64, 43));
        let (first, end) = (losses[0][0], losses[30][0]);
        println!("{optimizer}: {first} to {end}");
        assert!(end < first / 5.0, "{optimizer}: {first} to {end}");
    }
}

#[test]
fn losses_are_the_weighted_sum_of_their_terms() {
    let settings = settings(
        GATYS,
        &[
            ("size", "64"),
            ("steps", "2"),
            ("content-weight", "3"),
            ("style-weight", "20"),
            ("style-2", "0"),
            ("tv-weight", "5"),
        ],
    );
    let (losses, last, _) = search(&settings, photograph(), Some(painting()), &[]).expect("runs");
    // Four style layers share a weight of 20; the second counts nothing, but is told.
    let weight = |term: &Term| match term {
        Term::Total => 0.0,
        Term::Content => 3.0,
        Term::Style(1) => 0.0,
        Term::Style(_) => 5.0,
        Term::Variation => 5.0,
        _ => {
            panic!("not of this lab")
        }
    };
    for row in &losses {
        let sum: f32 = last
            .terms
            .iter()
            .zip(row)
            .map(|(term, value)| weight(term) * value)
            .sum();
        assert!((sum - row[0]).abs() < 1e-4 * row[0], "{row:?}: {sum}");
        assert!(row[3] > 0.0, "the second layer is told");
    }
    // It starts from the content.
    assert_eq!(losses[0][1], 0.0);
    assert!(losses[2][1] > 0.0);
}

#[test]
fn the_same_seed_gives_the_same_picture_also_in_two_parts() {
    let half = settings(GATYS, &[("size", "64"), ("steps", "3"), ("start", "noise")]);
    let whole = settings(GATYS, &[("size", "64"), ("steps", "6"), ("start", "noise")]);
    let other = settings(
        GATYS,
        &[
            ("size", "64"),
            ("steps", "6"),
            ("start", "noise"),
            ("seed", "8"),
        ],
    );
    let run = |settings, further| {
        search(settings, photograph(), Some(painting()), further).expect("runs")
    };
    let (losses, last, picture) = run(&whole, &[]);
    let (again, _, same) = run(&whole, &[]);
    assert_eq!((&losses, &picture), (&again, &same));
    let (parts, after, in_parts) = run(&half, &[2, 1]);
    assert_eq!(
        (&losses, last.step, &picture),
        (&parts, after.step, &in_parts)
    );
    assert_ne!(run(&other, &[]).2, picture);
}

#[test]
fn a_texture_matches_only_the_layers_that_count() {
    let few = settings(TEXTURE, &[("size", "64"), ("steps", "25"), ("layers", "2")]);
    let (losses, last, _) = search(&few, painting(), None, &[]).expect("runs");
    assert_eq!((last.width, last.height), (64, 64));
    assert!(
        losses[25][0] < losses[0][0] / 5.0,
        "{} to {}",
        losses[0][0],
        losses[25][0]
    );
    let layers: Vec<_> = last.grams.iter().map(|view| view.layer).collect();
    assert_eq!(layers, [0, 1]);
}

#[test]
fn a_dream_raises_what_its_layer_sees() {
    let settings = settings(DREAM, &[("size", "96"), ("steps", "5"), ("octaves", "2")]);
    let (losses, last, _) = search(&settings, photograph(), None, &[]).expect("runs");
    assert_eq!((last.step, last.steps, last.width), (10, 10, 96));
    assert_eq!(losses.len(), 10);
    // Within a size; the next one starts from other pixels.
    assert!(losses[4][0] > 1.2 * losses[0][0], "{losses:?}");
    assert!(losses[9][0] > 1.2 * losses[5][0], "{losses:?}");
}

#[test]
fn any_picture_works_as_content_and_as_style() {
    let filled = |width: usize, height: usize, rgba: [u8; 4]| {
        Picture::new(width, height, rgba.repeat(width * height)).expect("right size")
    };
    let strange = [
        filled(1, 1, [10, 200, 30, 255]),
        filled(1, 2000, [0, 0, 0, 255]),
        filled(40, 30, [255, 0, 0, 0]),
        filled(4000, 3000, [128, 128, 128, 255]),
    ];
    for picture in strange {
        let name = format!("{} x {}", picture.width, picture.height);
        let short = |lab| settings(lab, &[("size", "64"), ("steps", "1")]);
        let plain = filled(64, 64, [90, 120, 200, 255]);
        let runs = [
            (GATYS, picture.clone(), Some(plain.clone())),
            (GATYS, plain.clone(), Some(picture.clone())),
            (TEXTURE, picture.clone(), None),
            (DREAM, picture, None),
        ];
        for (lab, content, style) in runs {
            let (begun, lab) = (short(lab), lab.name);
            let (losses, last, rgba) = search(&begun, content, style, &[])
                .unwrap_or_else(|failure| panic!("{lab} on {name}: {failure}"));
            assert!(
                losses.iter().flatten().all(|loss| loss.is_finite()),
                "{lab} on {name}"
            );
            assert_eq!(
                rgba.len(),
                (last.width * last.height * 4) as usize,
                "{lab} on {name}"
            );
            assert!(rgba.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 255));
        }
    }
}

/// A host whose visitor changes settings once, when it has been asked for so many times.
struct Changing {
    host: NativeHost<fn(Event, Reply)>,
    after: Cell<u32>,
    settings: Settings,
}

impl Host for Changing {
    fn emit(&self, event: Event, says: Reply) {
        self.host.emit(event, says);
    }
    fn cancelled(&self) -> bool {
        false
    }
    fn adjusted(&self) -> Option<Settings> {
        let left = self.after.get();
        self.after.set(left.saturating_sub(1));
        (left == 1).then(|| self.settings.clone())
    }
    fn now_ms(&self) -> f64 {
        self.host.now_ms()
    }
    fn memory_bytes(&self) -> Option<usize> {
        None
    }
    fn pause(&self) -> Promise<'_, ()> {
        Box::pin(async {})
    }
    fn weights<'a>(
        &'a self,
        name: &'a str,
        sha256: &'a str,
        total: usize,
    ) -> Promise<'a, Result<Vec<u8>, Failure>> {
        self.host.weights(name, sha256, total)
    }
    fn keep_weights<'a>(&'a self, _: &'a str, _: &'a str, _: &'a [u8]) -> Promise<'a, ()> {
        Box::pin(async {})
    }
    fn forget_weights<'a>(&'a self, _: &'a str, _: &'a str) -> Promise<'a, ()> {
        Box::pin(async {})
    }
    fn png<'a>(&'a self, picture: &'a Picture) -> Promise<'a, Result<Vec<u8>, Failure>> {
        self.host.png(picture)
    }
    fn jpeg<'a>(&'a self, picture: &'a Picture) -> Promise<'a, Result<Vec<u8>, Failure>> {
        self.host.jpeg(picture)
    }
}

#[test]
fn fewer_steps_end_a_search_under_way_and_a_dream_at_its_full_size() {
    let change = |lab: &'static LabSpec, values: &[(&str, &str)], after: u32, steps: &str| {
        let before = settings(lab, values);
        let mut later = before.clone();
        assert!(later.set_text("steps", steps));
        let host = Changing {
            host: NativeHost::new("weights", |_, _| {}),
            after: Cell::new(after),
            settings: later,
        };
        let style = (lab == GATYS).then(painting);
        let mut engine = engine();
        let run = engine.answer(&host, begin(&before, photograph(), style));
        let (reply, _) = pollster::block_on(run).expect("a result");
        reply.answer::<Progress>().expect("where the search stands")
    };
    // Asked before each step, so that two steps are done at the third question.
    let values = [("size", "64"), ("steps", "1000")];
    assert_eq!(change(GATYS, &values, 3, "4").step, 4);
    assert_eq!(change(GATYS, &values, 7, "4").step, 6);
    // Five of thirty steps at the smallest size; then one a size is asked for. Two more sizes follow.
    let values = [
        ("size", "96"),
        ("steps", "10"),
        ("octaves", "3"),
        ("layer", "conv2_2"),
    ];
    let dreamed = change(DREAM, &values, 6, "1");
    assert_eq!((dreamed.step, dreamed.width), (7, 96));
}

#[test]
fn a_style_search_without_a_style_says_what_to_do() {
    let short = settings(GATYS, &[("size", "64"), ("steps", "1")]);
    assert_eq!(
        search(&short, photograph(), None, &[]).err(),
        Some(Failure::NoStyle)
    );
}

/// The browser's test reads the same file: `kiln gatys cat-style.png coffee-selfie.png --size 64
/// --steps 10 --start noise --losses cat-gatys.csv` in tests/vectors/ wrote it.
#[test]
fn the_first_losses_are_those_that_were_noted() {
    let settings = settings(
        GATYS,
        &[("size", "64"), ("steps", "10"), ("start", "noise")],
    );
    let open =
        |name: &str| open_picture(&Path::new("tests/vectors").join(name)).expect("committed");
    let (losses, _, _) = search(
        &settings,
        open("cat-style.png"),
        Some(open("coffee-selfie.png")),
        &[],
    )
    .expect("runs");
    let text = std::fs::read_to_string("tests/vectors/cat-gatys.csv").expect("committed");
    let noted: Vec<f32> = text
        .lines()
        .skip(1)
        .map(|line| {
            line.split(',')
                .nth(1)
                .expect("the total")
                .parse()
                .expect("a number")
        })
        .collect();
    assert_eq!(noted.len(), losses.len());
    for (step, (row, noted)) in losses.iter().zip(noted).enumerate() {
        let off = (row[0] - noted).abs() / noted;
        assert!(off < 1e-3, "step {step}: {} instead of {noted}", row[0]);
    }
}
