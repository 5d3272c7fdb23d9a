//! Training through the engine, as the page asks it: what presets and objectives promise, and what is refused.

mod asking;

use asking::Page;
use kiln::engine::native_host::Bytes;
use kiln::job::{Reply, Request};
use kiln::labs::train as gan;
use kiln::labs::train::presets;
use kiln::labs::train::spec::{Plane, Progress, Steps};
use kiln::protocol::failure::Failure;
use kiln::protocol::generative::Objective;
use kiln::protocol::settings::Settings;
use strum::VariantArray;

fn of_train(values: &[(&str, &str)]) -> Settings {
    Settings::new(&gan::spec::LAB).with(values)
}

/// What the visitor drew: two clusters, both half a unit from the middle, where samples begin.
const DRAWN: [[f32; 2]; 2] = [[0.3, 0.4], [-0.5, 0.1]];

fn train(page: &Page, values: &[(&str, &str)], steps: u32) -> Vec<Progress> {
    let settings = of_train(values);
    let tell = |question: gan::spec::Question| {
        let reply = page.ask(question, &settings);
        reply.answer::<Progress>().expect("progress")
    };
    let begin = tell(gan::spec::Question::Begin {
        drawn: DRAWN.to_vec(),
    });
    let mut all = vec![begin];
    let mut left = steps;
    while left > 0 {
        let now = left.min(25);
        all.push(tell(gan::spec::Question::Train {
            steps: Steps::Both(now),
        }));
        left -= now;
    }
    all
}

fn last_plane(all: &[Progress]) -> Plane {
    all.last().unwrap().plane.clone().unwrap()
}

#[test]
fn training_on_points_is_the_same_for_a_seed_and_brings_samples_to_the_data() {
    let values = [
        ("shape", "ring"),
        ("objective", "hinge"),
        ("spectral-norm", "on"),
        ("rate-d", "0.005"),
        ("steps-d", "3"),
    ];
    let (a, b) = (
        train(&Page::open(), &values, 150),
        train(&Page::open(), &values, 150),
    );
    let plain = |all: &[Progress]| -> Vec<_> {
        all.iter()
            .map(|p| (p.step, p.history.clone(), p.plane.clone()))
            .collect()
    };
    assert_eq!(plain(&a), plain(&b));
    let before = a[0].plane.clone().unwrap().divergences[1];
    let after = last_plane(&a).divergences[1];
    assert!(after < before - 0.03, "JS {before} to {after}");
    assert_eq!(last_plane(&a).modes.unwrap()[1], 8);
}

/// Presets of the page, one after the other, each for as many steps as it takes.
fn play(names: &[&str], seed: &str) -> Vec<Progress> {
    let page = Page::open();
    let mut settings = of_train(&[("seed", seed)]);
    let mut all: Vec<Progress> = Vec::new();
    for name in names {
        let preset = presets::find(name).expect("a preset");
        settings = settings.with(preset.values);
        let tell = |question: gan::spec::Question| {
            let reply = page.ask(question, &settings);
            reply.answer::<Progress>().expect("progress")
        };
        if all.is_empty() || !preset.goes_on {
            let drawn = Vec::new();
            all = vec![tell(gan::spec::Question::Begin { drawn })];
        }
        for _ in 0..preset.steps / 25 {
            let steps = Steps::Both(25);
            all.push(tell(gan::spec::Question::Train { steps }));
        }
    }
    all
}

/// A number of what presets end with, for three seeds, from small to large.
fn of_three_seeds(names: &[&str], read: impl Fn(&[Progress]) -> f64) -> [f64; 3] {
    let mut found = ["1", "2", "3"].map(|seed| read(&play(names, seed)));
    found.sort_by(f64::total_cmp);
    found
}

/// Modes that presets end with.
fn modes_of(names: &[&str]) -> [f64; 3] {
    of_three_seeds(names, |all| {
        let modes = |p: &Progress| Some(f64::from(p.plane.as_ref()?.modes?[0]));
        presets::recent_mean(all.iter().filter_map(modes)).expect("modes")
    })
}

/// The generator's gradient by step.
fn gradients(all: &[Progress]) -> Vec<[f64; 2]> {
    let rows = all.iter().flat_map(|p| &p.history).enumerate();
    rows.map(|(i, row)| [i as f64 + 1.0, f64::from(row[3])])
        .collect()
}

/// With its weights clipped the discriminator stays useful, and the generator finds most of the modes.
#[test]
fn clipped_weights_lead_to_most_modes() {
    let found = modes_of(&["wgan"]);
    assert!(found[1] >= 5.0, "{found:?} of 8");
}

/// What collapses stays collapsed, and its cure, the same game with the discriminator normalised, finds
/// nearly all modes.
#[test]
fn what_collapses_stays_so_and_its_cure_does_not() {
    let (collapsed, cured) = (modes_of(&["collapse"]), modes_of(&["collapse-cure"]));
    assert!(collapsed[1] <= 5.5, "{collapsed:?} of 9");
    assert!(cured[1] >= 7.0, "{cured:?} of 9");
}

/// The generator stands still and the discriminator becomes sure: the original game's gradient falls by
/// orders of magnitude, and that of its cure does not.
#[test]
fn the_gradient_vanishes_and_its_cure_does_not_let_it() {
    let around = |all: &[Progress], step| {
        let curve = gradients(all);
        presets::median_around(&curve, step).expect("a gradient")
    };
    let last = presets::find("vanishing").expect("a preset").steps as f64;
    let falls = |all: &[Progress]| around(all, last) / around(all, 0.0);
    let [_, fallen, _] = of_three_seeds(&["vanishing"], falls);
    let [lowest, ..] = of_three_seeds(&["vanishing-cure"], falls);
    assert!(fallen < 1e-2, "{fallen} of minimax is left");
    assert!(lowest > 0.5, "{lowest} of the cure is left");
    let [_, minimax, _] = of_three_seeds(&["vanishing"], |all| around(all, last));
    let [_, cured, _] = of_three_seeds(&["vanishing-cure"], |all| around(all, last));
    assert!(cured > 1000.0 * minimax, "{minimax}, cured {cured}");
}

/// Let go after the cure, the generator brings its samples to the data.
#[test]
fn what_was_held_still_goes_to_the_modes() {
    let held = modes_of(&["vanishing-cure"]);
    let let_go = modes_of(&["vanishing-cure", "vanishing-release"]);
    assert!(held[2] <= 1.0, "{held:?} of 8");
    assert!(let_go[1] >= 6.0, "{let_go:?} of 8");
}

/// The losses that the browser is held against. `KILN_VECTORS=write cargo test --test generate` writes
/// them anew.
#[test]
fn the_first_losses_are_those_of_the_vector() {
    let path = "tests/vectors/ring-gan.csv";
    let all = train(&Page::open(), &[("shape", "ring"), ("batch", "64")], 10);
    let history: Vec<_> = all.iter().flat_map(|p| p.history.clone()).collect();
    if std::env::var("KILN_VECTORS").is_ok_and(|wanted| wanted == "write") {
        let line = |(i, row): (usize, &[f32; 4])| format!("{},{},{}\n", i + 1, row[0], row[1]);
        let lines: String = history.iter().enumerate().map(line).collect();
        std::fs::write(path, format!("step,discriminator,generator\n{lines}")).unwrap();
    }
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().count(), 11);
    for (line, row) in text.lines().skip(1).zip(&history) {
        let numbers: Vec<f32> = line.split(',').map(|n| n.parse().unwrap()).collect();
        assert!((numbers[1] - row[0]).abs() < 1e-4, "{line}: {row:?}");
        assert!((numbers[2] - row[1]).abs() < 1e-4, "{line}: {row:?}");
    }
}

#[test]
fn every_objective_trains_on_every_shape_without_leaving_the_numbers() {
    let page = Page::open();
    for &objective in Objective::VARIANTS {
        for spectral_norm in ["off", "on"] {
            let values = [
                ("shape", "grid"),
                ("objective", objective.name()),
                ("spectral-norm", spectral_norm),
                ("batch", "32"),
            ];
            let all = train(&page, &values, 10);
            assert_eq!(all.last().unwrap().step, 10, "{objective:?}");
        }
    }
    for shape in ["ring", "grid", "spiral", "drawn"] {
        let all = train(&page, &[("shape", shape), ("batch", "32")], 5);
        let plane = last_plane(&all);
        assert_eq!(
            (plane.real.len(), plane.fake.len(), plane.arrows.len()),
            (320, 320, 320)
        );
        assert_eq!(
            plane.modes.is_some(),
            matches!(shape, "ring" | "grid"),
            "{shape}"
        );
    }
}

#[test]
fn spectral_normalisation_bounds_the_slope_of_the_discriminator() {
    let slope = |spectral_norm: &str| {
        let values = [
            ("shape", "ring"),
            ("objective", "hinge"),
            ("spectral-norm", spectral_norm),
            ("rate-d", "0.005"),
            ("steps-d", "5"),
        ];
        last_plane(&train(&Page::open(), &values, 60)).lipschitz
    };
    let (free, bound) = (slope("off"), slope("on"));
    assert!(bound < 6.5 && bound < free, "{free} without, {bound} with");
}

#[test]
fn a_learning_rate_that_breaks_training_ends_it_with_a_sentence() {
    let page = Page::open();
    // The f-GAN of Kullback and Leibler has an exponential in its loss: with scores that grow without
    // bound it overflows.
    let values = [
        ("shape", "drawn"),
        ("objective", "kl"),
        ("rate-d", "0.01"),
        ("rate-g", "0.01"),
        ("steps-d", "20"),
    ];
    let settings = of_train(&values);
    // Points so far out that the first scores already overflow.
    let begin = gan::spec::Question::Begin {
        drawn: vec![[1e30, -1e30]],
    };
    page.try_ask(begin, &settings).ok();
    let step = gan::spec::Question::Train {
        steps: Steps::Both(20),
    };
    let failure = page.try_ask(step, &settings).unwrap_err();
    assert!(matches!(failure, Failure::Diverged { .. }), "{failure}");
    assert!(failure.to_string().contains("lower the learning rates"));
}

#[test]
fn weights_in_training_are_saved_and_others_are_refused() {
    let page = Page::open();
    let ring = of_train(&[("shape", "ring")]);
    train(&page, &[("shape", "ring")], 30);
    let file = page.ask(gan::spec::Question::Save, &ring).take("weights");
    let load = |settings: &Settings, file: &[u8]| {
        let question = gan::spec::Question::Load { drawn: Vec::new() };
        page.send(Request::new(&question, settings).with("weights", Bytes(file.to_vec())))
    };
    let samples = |reply: &Reply| {
        let progress: Progress = reply.answer().expect("progress");
        progress.plane.expect("points").fake
    };
    let loaded = load(&ring, &file).expect("the same networks");
    let again = load(&ring, &file).expect("twice");
    assert_eq!(samples(&loaded), samples(&again));
    let other = of_train(&[("shape", "ring"), ("latent", "9")]);
    let mut changed = file.clone();
    changed[3] ^= 0x55;
    for (settings, file) in [
        (&other, &file[..]),
        (&ring, &file[..file.len() / 2]),
        (&ring, &changed),
        (&ring, &[]),
        (&ring, b"not weights at all"),
    ] {
        assert_eq!(load(settings, file).unwrap_err(), Failure::WeightsOfAnother);
    }
    // What was in training goes on.
    let step = gan::spec::Question::Train {
        steps: Steps::Generator,
    };
    assert!(page.try_ask(step, &ring).is_ok());
}

/// A page whose controls say something else than what is in training must not train it on in silence.
#[test]
fn what_is_in_training_is_what_the_settings_say_or_nothing() {
    let page = Page::open();
    let ring = of_train(&[("shape", "ring")]);
    train(&page, &[("shape", "ring")], 0);
    let step = || gan::spec::Question::Train {
        steps: Steps::Generator,
    };
    for other in [
        [("shape", "digits")],
        [("shape", "drawn")],
        [("objective", "hinge")],
        [("spectral-norm", "on")],
        [("latent", "9")],
        [("batch", "64")],
        [("seed", "5")],
    ] {
        let other = of_train(&[&[("shape", "ring")], &other[..]].concat());
        let refused = page.try_ask(step(), &other).unwrap_err();
        assert_eq!(refused, Failure::NothingInTraining, "{other:?}");
        let refused = page.try_ask(gan::spec::Question::Save, &other).unwrap_err();
        assert_eq!(refused, Failure::NothingInTraining, "{other:?}");
    }
    // What may change on the way, and what is the same.
    let rates = of_train(&[("rate-g", "0.005"), ("steps-d", "2")]);
    assert!(page.try_ask(step(), &rates).is_ok() && page.try_ask(step(), &ring).is_ok());
}

#[test]
fn a_pair_on_pictures_trains_in_the_same_way() {
    let values = [
        ("shape", "digits"),
        ("objective", "hinge"),
        ("spectral-norm", "on"),
        ("latent", "16"),
        ("batch", "16"),
    ];
    let all = train(&Page::open(), &values, 4);
    let last = all.last().unwrap();
    assert_eq!((last.step, last.history.len()), (4, 4));
    assert_eq!(last.sheet.unwrap().columns, 8);
    assert!(last.history.iter().flatten().all(|v| v.is_finite()));
}

/// How far samples are from the nearest of the clusters, on average.
fn way_to_the_nearest(plane: &Plane) -> f32 {
    let distance = |[x, y]: [f32; 2], [to_x, to_y]: [f32; 2]| (x - to_x).hypot(y - to_y);
    let nearest = |&point: &[f32; 2]| {
        let ways = DRAWN.map(|cluster| distance(point, cluster));
        ways[0].min(ways[1])
    };
    plane.fake.iter().map(nearest).sum::<f32>() / plane.fake.len() as f32
}

/// What is left of the way to the data after 200 steps: medians of three seeds.
fn way_left(objective: Objective) -> f32 {
    // Clipped weights hold the slope by themselves, and take more steps.
    let (spectral_norm, rate_d, steps_d) = match objective {
        Objective::Wasserstein => ("off", "0.002", "3"),
        _ => ("on", "0.01", "1"),
    };
    let mut left = ["1", "2", "3"].map(|seed| {
        let values = [
            ("shape", "drawn"),
            ("objective", objective.name()),
            ("spectral-norm", spectral_norm),
            ("rate-d", rate_d),
            ("steps-d", steps_d),
            ("rate-g", "0.003"),
            ("batch", "64"),
            ("seed", seed),
        ];
        let all = train(&Page::open(), &values, 200);
        let began = all[0].plane.as_ref().expect("points");
        way_to_the_nearest(&last_plane(&all)) / way_to_the_nearest(began)
    });
    left.sort_by(f32::total_cmp);
    println!("{objective:?}: {left:?}");
    left[1]
}

/// Each game drives its samples from the middle of the plane to the data, but for that of total variation:
/// its output is flat on both sides, so that the discriminator cannot call back what ran past the data.
fn drives_samples_to_the_data(objectives: &[Objective]) {
    for &objective in objectives {
        let left = way_left(objective);
        let arrives = objective != Objective::TotalVariation;
        let as_said = if arrives { left < 0.6 } else { left > 1.0 };
        assert!(as_said, "{objective:?}: {left} of the way is left");
    }
}

/// All objectives, in three parts that run beside each other.
#[test]
fn games_of_a_classifier_drive_samples_to_the_data() {
    drives_samples_to_the_data(&Objective::VARIANTS[..4]);
}

#[test]
fn games_of_an_energy_and_of_divergences_drive_samples_to_the_data() {
    drives_samples_to_the_data(&Objective::VARIANTS[4..8]);
}

#[test]
fn games_of_other_divergences_and_distances_drive_samples_to_the_data() {
    drives_samples_to_the_data(&Objective::VARIANTS[8..]);
}
