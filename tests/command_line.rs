//! `kiln` as a user runs it: what it prints, writes and refuses.

#![cfg(feature = "native")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use kiln::engine::native_host::decode_picture;
use kiln::labs::SPECS;
use kiln::protocol::link::{self, Route};
use kiln::protocol::param::Value;
use kiln::protocol::png_text;

fn kiln(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(arguments)
        .output()
        .expect("starts")
}

fn stdout(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn detect_prints_the_documented_json() {
    let output = kiln(&[
        "detect",
        "public/samples/cat.jpg",
        "--model",
        "ssd",
        "--score",
        "0.4",
        "--iou",
        "0.5",
        "--json",
    ]);
    let found: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let file = &found[0];
    assert_eq!(file["file"], "public/samples/cat.jpg");
    assert_eq!(
        (file["width"].as_u64(), file["height"].as_u64()),
        (Some(451), Some(300))
    );
    let cat = &file["detections"][0];
    assert_eq!(cat["class"], "Cat");
    assert!(
        cat["score"]
            .as_f64()
            .is_some_and(|score| (0.8..0.9).contains(&score))
    );
    let corners: Vec<f64> = cat["box"]
        .as_array()
        .expect("a box")
        .iter()
        .filter_map(|v| v.as_f64())
        .collect();
    assert_eq!(corners.len(), 4);
    assert!(
        corners[0] >= 0.0
            && corners[2] <= 451.0
            && corners[0] < corners[2]
            && corners[1] < corners[3]
    );
}

#[test]
fn an_annotated_picture_carries_its_settings() {
    let folder = scratch("annotated");
    let target = folder.join("cat.png");
    stdout(&kiln(&[
        "detect",
        "public/samples/cat.jpg",
        "--score",
        "0.3",
        "--out",
        target.to_str().expect("a path"),
    ]));
    let png = fs::read(&target).expect("written");
    let picture = decode_picture(&png).expect("a picture");
    assert_eq!((picture.width, picture.height), (451, 300));
    let (Route::Lab(shared), notices) =
        link::decode(SPECS, &png_text::read(&png).expect("settings"))
    else {
        panic!("a lab")
    };
    let score = shared.settings.get("score");
    assert_eq!((score, notices.len()), (&Value::Number(0.3), 0));
}

#[test]
fn several_pictures_go_into_a_folder() {
    let folder = scratch("several");
    let out = folder.join("out");
    fs::create_dir_all(&out).expect("a folder");
    stdout(&kiln(&[
        "detect",
        "public/samples/cat.jpg",
        "public/samples/coffee.jpg",
        "--out",
        out.to_str().expect("a path"),
    ]));
    assert!(out.join("cat-boxes.png").exists() && out.join("coffee-boxes.png").exists());
}

#[test]
fn segment_cuts_the_person_out() {
    let target = scratch("segment").join("astronaut.png");
    stdout(&kiln(&[
        "segment",
        "public/samples/astronaut.jpg",
        "--effect",
        "cutout",
        "--out",
        target.to_str().expect("a path"),
    ]));
    let picture = decode_picture(&fs::read(&target).expect("written")).expect("a picture");
    let alpha = |x: usize, y: usize| picture.rgba[(y * picture.width + x) * 4 + 3];
    assert!(alpha(20, 20) < 10, "the background is transparent");
    assert!(alpha(220, 110) > 245, "the face is not");
}

#[test]
fn stylize_repaints_and_keeps_its_settings() {
    let folder = scratch("stylize");
    let paint = |name: &str, flags: &[&str]| {
        let target = folder.join(name);
        let path = target.to_str().expect("a path");
        let mut line = vec!["stylize", "public/samples/cat.jpg", "--size", "128"];
        line.extend(["--out", path]);
        line.extend(flags);
        stdout(&kiln(&line));
        fs::read(target).expect("written")
    };
    let mixed = paint("mixed.png", &["--style", "3:10,19:20"]);
    let picture = decode_picture(&mixed).expect("a picture");
    assert_eq!((picture.width, picture.height), (128, 85));
    let text = png_text::read(&mixed).expect("settings");
    let (Route::Lab(shared), notices) = link::decode(SPECS, &text) else {
        panic!("{text} opens a lab")
    };
    assert!(notices.is_empty());
    assert!(text.contains("y=3:50,19:100"), "{text}");
    assert_eq!(shared.settings.get("size"), &Value::Number(128.0));
    // Strength 0 is the photograph, whatever the style.
    let one = paint("one.png", &["--style", "5", "--strength", "0"]);
    let other = paint("other.png", &["--style", "6", "--strength", "0"]);
    assert_eq!(
        decode_picture(&one).expect("a picture"),
        decode_picture(&other).expect("a picture")
    );
    assert_ne!(decode_picture(&one).expect("a picture"), picture);
}

#[test]
fn any_picture_can_be_the_style() {
    let folder = scratch("any-style");
    let mut painted = Vec::new();
    for style in ["great-wave", "auvers"] {
        let target = folder.join(format!("{style}.png"));
        stdout(&kiln(&[
            "stylize",
            "public/samples/cat.jpg",
            "--size",
            "128",
            "--style-picture",
            &format!("public/paintings/{style}.jpg"),
            "--out",
            target.to_str().expect("a path"),
        ]));
        painted.push(decode_picture(&fs::read(target).expect("written")).expect("a picture"));
    }
    let apart: f32 = painted[0]
        .rgba
        .iter()
        .zip(&painted[1].rgba)
        .map(|(a, b)| f32::from(a.abs_diff(*b)))
        .sum();
    assert!(
        apart / painted[0].rgba.len() as f32 > 5.0,
        "two paintings, two styles"
    );
    let output = kiln(&[
        "stylize",
        "public/samples/cat.jpg",
        "--out",
        "x.png",
        "--style-picture",
        "Cargo.toml",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not a picture"));
}

#[test]
fn stylize_refuses_styles_that_are_not_there() {
    for style in ["26", "-1", "3:0", "x"] {
        let output = kiln(&[
            "stylize",
            "public/samples/cat.jpg",
            "--style",
            style,
            "--out",
            "x.png",
        ]);
        assert_eq!(output.status.code(), Some(2), "{style}");
    }
    let output = kiln(&["stylize", "public/samples/cat.jpg"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--out"));
}

#[test]
fn models_lists_the_manifest() {
    let text = stdout(&kiln(&["models"]));
    assert!(text.contains("ssd") && text.contains("selfie") && text.contains("Apache-2.0"));
}

#[test]
fn bad_input_is_one_sentence_and_status_2() {
    let folder = scratch("bad");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("written");
        path.to_str().expect("a path").to_string()
    };
    let mut damaged = fs::read("tests/vectors/cat-ssd.png").expect("a vector");
    let middle = damaged.len() / 2;
    damaged[60..middle].fill(0x55);
    let cases = [
        (write("empty.png", b""), "The file is empty"),
        (write("text.png", b"a text"), "not a picture"),
        (write("damaged.png", &damaged), "damaged"),
        (
            folder.join("missing.png").display().to_string(),
            "cannot be read",
        ),
    ];
    for (path, sentence) in &cases {
        let output = kiln(&["detect", path]);
        let said = String::from_utf8_lossy(&output.stderr).to_string();
        assert_eq!(output.status.code(), Some(2), "{path}: {said}");
        assert!(said.contains(sentence), "{path}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
    let output = kiln(&[
        "detect",
        "public/samples/cat.jpg",
        "--weights",
        folder.to_str().expect("a path"),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("\"ssd\" could not be loaded"));
    assert_eq!(
        kiln(&["detect", "public/samples/cat.jpg", "--score", "7"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn changed_or_truncated_weights_are_refused() {
    let folder = scratch("weights");
    let whole = fs::read("weights/selfie.bpk").expect("committed");
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    for (bytes, sentence) in [(&changed[..], "checksum"), (&whole[..middle], "cut short")] {
        fs::write(folder.join("selfie.bpk"), bytes).expect("written");
        let output = kiln(&[
            "segment",
            "public/samples/cat.jpg",
            "--weights",
            folder.to_str().expect("a path"),
        ]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(sentence));
    }
}

#[test]
fn searches_write_picture_animation_and_losses() {
    let folder = scratch("searches");
    let path = |name: &str| folder.join(name).display().to_string();
    let (png, gif, csv) = (path("out.png"), path("out.gif"), path("losses.csv"));
    let common = [
        "--steps", "2", "--size", "64", "--out", &*png, "--gif", &*gif, "--losses", &*csv,
    ];
    let temple = "public/samples/temple.jpg";
    let auvers = "public/paintings/auvers.jpg";
    let searches: [(&[&str], &str, usize); 3] = [
        (
            &["gatys", temple, auvers, "--seed", "9"],
            "step,total,content,conv1_1,",
            3,
        ),
        (
            &["texture", auvers, "--layers", "3"],
            "step,total,conv1_1,",
            3,
        ),
        (&["dream", temple, "--octaves", "2"], "step,activation", 4),
    ];
    for (words, header, rows) in searches {
        let name = words[0];
        let said = stdout(&kiln(&[words, &common].concat()));
        assert!(said.contains("steps"), "{name}: {said}");
        let bytes = fs::read(&png).expect("written");
        let picture = decode_picture(&bytes).expect("a PNG");
        assert_eq!(picture.width, 64, "{name}");
        let text = png_text::read(&bytes).expect("settings inside");
        let (Route::Lab(shared), notices) = link::decode(SPECS, &text) else {
            panic!("{name}: {text}")
        };
        assert_eq!((shared.settings.lab().name, notices.len()), (name, 0));
        assert_eq!(shared.settings.get("steps"), &Value::Number(2.0));
        assert!(
            fs::read(&gif).expect("written").starts_with(b"GIF89a"),
            "{name}"
        );
        let losses = fs::read_to_string(&csv).expect("written");
        assert!(losses.starts_with(header), "{name}: {losses}");
        assert_eq!(losses.lines().count(), 1 + rows, "{name}: {losses}");
    }
}

#[test]
fn searches_refuse_with_a_sentence() {
    let temple = "public/samples/temple.jpg";
    let refused: [(&[&str], &str); 4] = [
        (&["gatys", temple], "STYLE"),
        (
            &["gatys", temple, "nowhere.jpg", "--out", "x.png"],
            "check the path",
        ),
        (&["texture", temple], "--out FILE"),
        (
            &["dream", temple, "--out", "x.png", "--size", "9000"],
            "give a number from 64 to 768",
        ),
    ];
    for (words, sentence) in refused {
        let output = kiln(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(sentence), "{words:?}: {said}");
    }
}

#[test]
fn regions_are_painted_in_their_own_style() {
    let folder = scratch("regions");
    let path = |name: &str| folder.join(name).display().to_string();
    let stylize = |extra: &[&str], name: &str| {
        let out = path(name);
        let words = [
            "stylize",
            "public/samples/cat.jpg",
            "--size",
            "128",
            "--out",
            &out,
        ];
        stdout(&kiln(&[&words, extra].concat()));
        decode_picture(&fs::read(&out).expect("written")).expect("a PNG")
    };
    // The left half in style 3, a dot of the photograph in its middle.
    let strokes = r#"[{"style": 3, "width": 1.0, "points": [[0, 0, 1], [0, 1, 1]]},
        {"style": null, "width": 0.1, "points": [[0.2, 0.5, 1]]}]"#;
    fs::write(path("strokes.json"), strokes).expect("written");
    let mixed = stylize(
        &["--style", "12", "--regions", &path("strokes.json")],
        "mixed.png",
    );
    let third = stylize(&["--style", "3"], "third.png");
    let twelfth = stylize(&["--style", "12"], "twelfth.png");
    let photo = stylize(&["--style", "12", "--strength", "0"], "photo.png");
    let row = mixed.height / 2;
    let pixel = |x: usize| (row * mixed.width + x) * 4..(row * mixed.width + x) * 4 + 4;
    let x = mixed.width / 5;
    assert_eq!(mixed.rgba[pixel(2)], third.rgba[pixel(2)]);
    assert_eq!(mixed.rgba[pixel(x)], photo.rgba[pixel(x)]);
    assert_eq!(
        mixed.rgba[pixel(mixed.width - 3)],
        twelfth.rgba[pixel(mixed.width - 3)]
    );

    for (text, sentence) in [
        (
            r#"[{"style": 26, "width": 0.1, "points": []}]"#,
            "styles from 0 to 25",
        ),
        ("nonsense", "see kiln stylize --help"),
    ] {
        fs::write(path("bad.json"), text).expect("written");
        let out = path("x.png");
        let output = kiln(&[
            "stylize",
            "public/samples/cat.jpg",
            "--out",
            &out,
            "--regions",
            &path("bad.json"),
        ]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(sentence), "{said}");
    }
}

#[test]
fn bench_runs_to_its_end() {
    // The quickest network alone: the others go the same way.
    let output = kiln(&["bench", "selfie", "--runs", "2"]);
    let figures: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let selfie = &figures["networks"]["selfie"];
    assert!(selfie["first_ms"].as_f64().is_some_and(|ms| ms > 0.0));
    assert!(selfie["median_ms"].as_f64().is_some_and(|ms| ms > 0.0));
    assert!(figures["networks"]["ssd"].is_null());
}
