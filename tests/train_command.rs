//! `kiln sample`, `kiln score` and `kiln train` as a user runs them.

#![cfg(feature = "native")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kiln::data::pack::Pack;
use kiln::engine::native_host::decode_picture;
use kiln::labs::SPECS;
use kiln::protocol::link::{self, Route};
use kiln::protocol::png_text;

fn kiln(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(arguments)
        .output()
        .expect("starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A folder with a hundred digits to learn from.
fn little_data(folder: &Path) -> String {
    let whole = fs::read("weights/digits-train.pack").expect("ships");
    let pack = Pack::parse("digits", &whole).expect("a pack").first(100);
    fs::write(folder.join("digits-train.pack"), pack.to_bytes()).expect("a file");
    folder.display().to_string()
}

#[test]
fn sample_writes_a_sheet_that_carries_its_settings_and_is_the_same_twice() {
    let folder = scratch("sample");
    let draw = |name: &str| {
        let out = folder.join(name);
        let path = out.display().to_string();
        let output = kiln(&[
            "sample",
            "--model",
            "vae-digits",
            "--seed",
            "3",
            "--grid",
            "4x2",
            "--out",
            &path,
        ]);
        assert!(output.status.success(), "{}", said(&output));
        fs::read(out).expect("a file")
    };
    let png = draw("a.png");
    assert_eq!(png, draw("b.png"));
    let picture = decode_picture(&png).expect("a picture");
    assert_eq!((picture.width, picture.height), (112, 56));
    let text = png_text::read(&png).expect("settings");
    let (Route::Lab(shared), notices) = link::decode(SPECS, &text) else {
        panic!("a lab")
    };
    assert!(notices.is_empty());
    assert_eq!(shared.settings.word("model"), "vae-digits");
}

#[test]
fn score_names_its_features() {
    let output = kiln(&["score", "--metric", "fid"]);
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.starts_with("FID on LeNet features: 0.00"), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn training_writes_weights_and_a_log_and_is_the_same_for_a_seed() {
    let folder = scratch("train");
    let data = little_data(&folder);
    let train = |kind: &[&str], name: &str| {
        let (out, log) = (
            folder.join(format!("{name}.bpk")),
            folder.join(format!("{name}.csv")),
        );
        let (out_text, log_text) = (out.display().to_string(), log.display().to_string());
        let rest = [
            "--data",
            "digits",
            "--data-folder",
            &data,
            "--steps",
            "51",
            "--batch",
            "8",
            "--out",
            &out_text,
            "--log",
            &log_text,
        ];
        let output = kiln(&[&["train"], kind, &rest].concat());
        assert!(output.status.success(), "{}", said(&output));
        assert!(fs::metadata(out).expect("weights").len() > 10_000);
        let text = fs::read_to_string(log).expect("a log");
        // The clock differs.
        let row = |line: &str| -> Vec<String> {
            let cells: Vec<String> = line.split(',').map(String::from).collect();
            [vec![cells[0].clone()], cells[2..].to_vec()].concat()
        };
        let rows: Vec<_> = text.lines().map(row).collect();
        assert_eq!(rows.len(), 2, "a row for step 0 and one for step 50");
        rows
    };
    for (name, kind) in [
        ("ae", &["ae"][..]),
        ("vae", &["vae", "--latent", "6"]),
        ("cvae", &["cvae"]),
        ("gan", &["gan", "--objective", "lsgan", "--spectral-norm"]),
        ("classifier", &["classifier"]),
    ] {
        assert_eq!(
            train(kind, name),
            train(kind, &format!("{name}-again")),
            "{name}"
        );
    }
}

#[test]
fn training_resumes_from_its_checkpoint() {
    let folder = scratch("resume");
    let data = little_data(&folder);
    let train = |name: &str, steps: &str, resume: &[&str]| {
        let out = folder.join(format!("{name}.bpk")).display().to_string();
        let log = folder.join(format!("{name}.csv")).display().to_string();
        let base = [
            "train",
            "ae",
            "--data",
            "digits",
            "--data-folder",
            &data,
            "--batch",
            "8",
            "--latent",
            "4",
            "--steps",
            steps,
            "--out",
            &out,
            "--log",
            &log,
        ];
        let output = kiln(&[&base, resume].concat());
        assert!(output.status.success(), "{}", said(&output));
        fs::read_to_string(log).expect("a log")
    };
    // Checkpoints come every 500 steps; the learning rate depends on the steps that are planned, so
    // that only the same plan can be compared. A run of 550 steps leaves one at 500.
    let whole = train("whole", "550", &[]);
    let again = train("whole", "550", &["--resume"]);
    // The log goes on: one more row, where the run that started at 0 wrote eleven.
    assert_eq!(whole.lines().count(), 11);
    assert_eq!(again.lines().count(), 12);
    let last = |text: &str| -> Vec<f64> {
        let line = text.trim().lines().last().expect("a line").to_string();
        line.split(',')
            .map(|n| n.parse().expect("a number"))
            .collect()
    };
    let (first, second) = (last(&whole), last(&again));
    assert_eq!((first[0], second[0]), (500.0, 500.0));
    assert!(
        (first[2] - second[2]).abs() < 1e-3 * first[2],
        "{first:?}, {second:?}"
    );
}

#[test]
fn bad_plans_end_with_a_sentence_and_status_2() {
    let folder = scratch("bad");
    let data = little_data(&folder);
    let empty = folder.join("empty").display().to_string();
    fs::write(folder.join("fashion-mnist-train.pack"), b"no pack").expect("a file");
    for (arguments, sentence) in [
        (
            vec!["train", "vae", "--data", "digits", "--data-folder", &empty],
            "run `make data` first",
        ),
        (
            vec!["train", "vae", "--data-folder", &data],
            "is damaged or not a data set",
        ),
        (
            vec![
                "train",
                "vae",
                "--data",
                "digits",
                "--data-folder",
                &data,
                "--steps",
                "0",
            ],
            "must be a whole number above 0",
        ),
        (
            vec!["sample", "--grid", "0x9", "--out", "x.png"],
            "give --grid as 8x8",
        ),
        (vec!["sample"], "say where to write"),
        (
            vec!["sample", "--sliders", "9,x", "--out", "x.png"],
            "give up to 12 numbers",
        ),
        (vec!["train", "gan", "--objective", "none"], "invalid value"),
        (vec!["publish", "no-such", "--from", "x"], "no network"),
    ] {
        let output = kiln(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            said(&output).contains(sentence),
            "{arguments:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn a_rate_that_breaks_training_stops_it_with_advice() {
    let folder = scratch("diverged");
    let data = little_data(&folder);
    let out = folder.join("x.bpk").display().to_string();
    let output = kiln(&[
        "train",
        "vae",
        "--data",
        "digits",
        "--data-folder",
        &data,
        "--batch",
        "8",
        "--steps",
        "200",
        "--rate",
        "1e30",
        "--out",
        &out,
    ]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("lower the learning rates"),
        "{}",
        said(&output)
    );
}
