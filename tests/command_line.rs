//! `kiln` as a user runs it: what it prints, writes and refuses.

#![cfg(feature = "native")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// `kiln` with bytes at its standard input.
fn kiln_reading(bytes: &[u8], arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut input = child.stdin.take().expect("piped");
    // What is refused at once ends without reading: what it printed is what counts.
    let _ = input.write_all(bytes);
    drop(input);
    child.wait_with_output().expect("ends")
}

/// Names and contents of the files of a folder.
fn listing(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("readable"))
        })
        .collect();
    files.sort();
    files
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
fn the_crew_has_something_to_suppress() {
    let found = |thresholds: [&str; 4]| {
        let photograph = ["detect", "public/samples/crew.jpg", "--json"];
        let output = kiln(&[&photograph[..], &thresholds].concat());
        let found: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        let detections = found[0]["detections"].as_array().expect("a list").clone();
        assert!(detections.iter().all(|one| one["class"] == "Person"));
        detections.len()
    };
    // Four astronauts; without suppression ten boxes for each; and what the notes say of 0.45.
    assert_eq!(found(["--score", "0.4", "--iou", "0.5"]), 4);
    assert!(found(["--score", "0.4", "--iou", "1"]) >= 30);
    assert_eq!(found(["--score", "0.4", "--iou", "0.45"]), 3);
    let temple = kiln(&[
        "detect",
        "public/samples/temple.jpg",
        "--score",
        "0.1",
        "--json",
    ]);
    let temple: serde_json::Value = serde_json::from_str(&stdout(&temple)).expect("JSON");
    assert_eq!(temple[0]["detections"].as_array().map(Vec::len), Some(0));
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
fn classify_names_the_picture_and_times_its_layers() {
    let output = kiln(&["classify", "public/samples/cat.jpg", "--json", "--times"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(rows[0]["classes"][0]["name"], "Egyptian cat");
    let times = rows[0]["milliseconds"].as_array().expect("a list");
    assert_eq!(times.len(), 18);
    let untimed = kiln(&["classify", "public/samples/cat.jpg", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&untimed.stdout).expect("JSON");
    assert!(rows[0]["milliseconds"].is_null());
}

#[test]
fn saliency_names_the_picture_and_explains_a_class_by_name_or_number() {
    let folder = scratch("saliency");
    let out = folder.join("heat.png");
    let explained = |class: &str| {
        let out = out.to_str().expect("a path");
        let output = kiln(&[
            "saliency",
            "public/samples/cat.jpg",
            "--method",
            "gradient",
            "--class",
            class,
            "--json",
            "--force",
            "--out",
            out,
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    let by_number = explained("282");
    assert_eq!(by_number, explained("tiger cat"));
    let row = &by_number[0];
    assert_eq!(row["file"], "public/samples/cat.jpg");
    assert_eq!(row["classes"][0]["name"], "Egyptian cat");
    assert_eq!(row["classes"].as_array().expect("a list").len(), 10);
    assert_eq!(row["explained"]["name"], "tiger cat");
    let map = image::open(&out).expect("a PNG");
    assert_eq!((map.width(), map.height()), (451, 300));
    // The method that covers squares has a command of its own, which is the same.
    let by_name = kiln(&[
        "occlude",
        "public/samples/cat.jpg",
        "--json",
        "--patch",
        "96",
    ]);
    let by_method = kiln(&[
        "saliency",
        "public/samples/cat.jpg",
        "--json",
        "--patch",
        "96",
        "--method",
        "occlusion",
    ]);
    assert!(by_name.status.success());
    assert_eq!(by_name.stdout, by_method.stdout);
    let refused = kiln(&["saliency", "public/samples/cat.jpg", "--class", "1000"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        stderr(&refused).contains("a number from 0 to 999"),
        "{}",
        stderr(&refused)
    );
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
    // As it is in the file: whoever opens it to work on it sees white where it is transparent.
    let picture = image::open(&target).expect("a picture").into_rgba8();
    assert!(
        picture.get_pixel(20, 20)[3] < 10,
        "the background is transparent"
    );
    assert!(picture.get_pixel(220, 110)[3] > 245, "the face is not");
    let opened = decode_picture(&fs::read(&target).expect("written")).expect("a picture");
    assert_eq!(opened.rgba[..4], [255; 4]);
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
    // As it is shown, and at its own size.
    for (size, large) in [([128, 85], &[][..]), ([451, 300], &["--large"][..])] {
        let stylize = |extra: &[&str], name: &str| stylize(&[extra, large].concat(), name);
        let strokes = path("strokes.json");
        let mixed = stylize(&["--style", "12", "--regions", &strokes], "mixed.png");
        let third = stylize(&["--style", "3"], "third.png");
        let twelfth = stylize(&["--style", "12"], "twelfth.png");
        let photo = stylize(&["--style", "12", "--strength", "0"], "photo.png");
        assert_eq!([mixed.width, mixed.height], size);
        let row = mixed.height / 2;
        let pixel = |x: usize| (row * mixed.width + x) * 4..(row * mixed.width + x) * 4 + 4;
        let (x, last) = (mixed.width / 5, mixed.width - 3);
        assert_eq!(mixed.rgba[pixel(2)], third.rgba[pixel(2)]);
        assert_eq!(mixed.rgba[pixel(x)], photo.rgba[pixel(x)]);
        assert_eq!(mixed.rgba[pixel(last)], twelfth.rgba[pixel(last)]);
    }

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
    assert!(selfie["layers"].is_null());
}

#[test]
fn bench_shows_layers_one_by_one() {
    let output = kiln(&[
        "bench",
        "selfie",
        "--runs",
        "3",
        "--layers",
        "--backend",
        "cpu",
    ]);
    let table = stdout(&output);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "selfie");
    let cells = |line: &str| -> Vec<String> { line.split_whitespace().map(Into::into).collect() };
    assert_eq!(
        cells(lines[2])[..4],
        ["convolution", "3x3", "/2", "16x128x128"]
    );
    let layers = &lines[2..lines.len() - 1];
    assert!(layers.len() > 50, "{table}");
    assert!(layers[layers.len() - 1].starts_with("rest"), "{table}");
    // A stem of 3 x 3 x 3 taps to 16 channels of 128 x 128 pixels: 14.2 million operations in that time.
    let numbers: Vec<f64> = cells(layers[0])[4..]
        .iter()
        .map(|cell| cell.trim_end_matches('%').parse().expect("a number"))
        .collect();
    let [ms, _, speed, _, megabytes] = numbers[..] else {
        panic!("{table}")
    };
    let expected = 2.0 * 27.0 * 16.0 * 128.0 * 128.0 / 1e6 / ms;
    assert!(
        (speed - expected).abs() < 0.1 + 0.01 * expected,
        "{speed}, not {expected}"
    );
    // The picture, the weights and the map.
    let moved = f64::from(3 * 256 * 256 + 16 * 27 + 16 * 128 * 128) * 4.0 / 1e6;
    assert!(
        (megabytes - moved).abs() < 0.006,
        "{megabytes}, not {moved}"
    );
}

#[test]
fn weights_are_found_from_any_directory() {
    let folder = scratch("anywhere");
    let photo = fs::canonicalize("public/samples/cat.jpg").expect("a sample");
    let start = |program: &Path, variable: Option<&Path>| {
        let mut command = Command::new(program);
        command.current_dir(&folder).arg("segment").arg(&photo);
        command.env_remove("KILN_WEIGHTS");
        if let Some(variable) = variable {
            command.env("KILN_WEIGHTS", variable);
        }
        command.output().expect("starts")
    };
    let program = Path::new(env!("CARGO_BIN_EXE_kiln"));
    stdout(&start(program, None));

    // The checksum tells which file was read.
    let mut changed = fs::read("weights/selfie.bpk").expect("committed");
    changed[1000] ^= 1;
    for place in ["share/kiln/weights", "bin/weights", "named"] {
        let place = folder.join(place);
        fs::create_dir_all(&place).expect("a folder");
        fs::write(place.join("selfie.bpk"), &changed).expect("written");
    }
    let named = folder.join("named");
    assert!(stderr(&start(program, Some(&named))).contains("checksum"));
    let installed = folder.join("bin/kiln");
    fs::hard_link(program, &installed).expect("a link");
    assert!(stderr(&start(&installed, None)).contains("checksum"));
    fs::remove_dir_all(folder.join("bin/weights")).expect("removed");
    assert!(stderr(&start(&installed, None)).contains("checksum"));
    fs::remove_dir_all(folder.join("share")).expect("removed");
    stdout(&start(&installed, None));

    let nowhere = folder.join("nowhere");
    let output = start(program, Some(&nowhere));
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains(nowhere.to_str().expect("a path")), "{said}");
    assert!(said.contains("--weights"), "{said}");
    assert!(!said.contains("connection"), "{said}");
}

#[test]
fn a_bad_file_does_not_end_a_batch() {
    let folder = scratch("batch");
    let out = folder.join("out").display().to_string();
    let bad = folder.join("bad.jpg").display().to_string();
    fs::write(&bad, b"a text").expect("written");
    let (cat, coffee) = ("public/samples/cat.jpg", "public/samples/coffee.jpg");
    let files = [cat, &bad, "nowhere.jpg", "tests/cases/phone.heic", coffee];
    let output = kiln(&[&["detect", "--json", "--out", &out], &files[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = listed.as_array().expect("a list");
    assert_eq!(rows.len(), files.len());
    for (row, file) in rows.iter().zip(files) {
        assert_eq!(row["file"], file);
    }
    let error = |at: usize| rows[at]["error"].as_str().unwrap_or_default().to_owned();
    assert!(error(1).contains("not a picture"));
    assert!(error(2).contains("cannot be read"));
    assert!(error(3).contains("HEIC"));
    for at in [0, 4] {
        assert!(rows[at]["detections"].is_array() && rows[at]["error"].is_null());
    }
    let said = stderr(&output);
    assert!(said.contains("3 of 5 pictures failed"), "{said}");
    assert!(said.contains(&bad), "{said}");
    let names: Vec<_> = listing(Path::new(&out))
        .into_iter()
        .map(|file| file.0)
        .collect();
    assert_eq!(names, ["cat-boxes.png", "coffee-boxes.png"]);

    let output = kiln(&["segment", &bad, cat]);
    assert_eq!(output.status.code(), Some(1));
    let lines = String::from_utf8_lossy(&output.stdout).lines().count();
    assert_eq!(lines, 1, "the second was done");
    // Without weights no picture will do: the first says so.
    let weights = folder.display().to_string();
    let output = kiln(&["segment", cat, coffee, "--weights", &weights]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("could not be loaded"));
}

#[test]
fn what_is_read_is_never_written_over() {
    let folder = scratch("inputs");
    let path = |name: &str| folder.join(name).display().to_string();
    for name in ["photo.png", "style.png", "regions.png", "weights.png"] {
        let picture = fs::read("public/samples/cat.jpg").expect("a sample");
        fs::write(path(name), picture).expect("written");
    }
    fs::create_dir_all(path("inner")).expect("a folder");
    #[cfg(unix)]
    std::os::unix::fs::symlink(path("photo.png"), path("link.png")).expect("a link");
    let before = listing(&folder);
    let (photo, style) = (path("photo.png"), path("style.png"));
    let around = path("inner/../photo.png");
    let mut refused: Vec<Vec<&str>> = vec![
        vec!["detect", &photo, "--out", &photo],
        vec!["detect", &photo, "--out", &around],
        vec!["segment", &photo, "--background", &style, "--out", &style],
        vec![
            "stylize",
            &photo,
            "--style-picture",
            &style,
            "--out",
            &style,
        ],
        vec!["gatys", &photo, &style, "--out", &style],
        vec!["texture", &photo, "--out", &photo],
        vec!["dream", &photo, "--out", &photo],
        vec!["import", "inception-v3", &photo, "--out", &photo],
    ];
    let link = path("link.png");
    if cfg!(unix) {
        refused.push(vec!["detect", &photo, "--out", &link]);
    }
    let (x, png) = (path("x.gif"), path("x.png"));
    for arguments in [
        vec!["dream", &photo, "--out", &png, "--gif", &x, "--losses", &x],
        vec!["dream", &photo, "--out", &x, "--gif", &x],
    ] {
        refused.push(arguments);
    }
    for arguments in &refused {
        let output = kiln(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = stderr(&output);
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
    assert!(listing(&folder) == before, "all is as it was");
    stdout(&kiln(&["segment", &photo, "--out", &photo, "--force"]));
    assert_ne!(fs::read(&photo).expect("written"), before[1].1);
}

#[test]
fn pictures_of_one_name_have_results_of_their_own() {
    let folder = scratch("names");
    let path = |name: &str| folder.join(name).display().to_string();
    for (at, sample) in [("a", "cat"), ("b", "coffee")] {
        fs::create_dir_all(path(at)).expect("a folder");
        let sample = format!("public/samples/{sample}.jpg");
        fs::copy(sample, path(&format!("{at}/photo.jpg"))).expect("copied");
    }
    let (a, b, out) = (path("a/photo.jpg"), path("b/photo.jpg"), path("out"));
    stdout(&kiln(&["detect", &a, &b, "--out", &out]));
    let sizes: Vec<_> = listing(Path::new(&out))
        .into_iter()
        .map(|(name, png)| (name, decode_picture(&png).expect("a picture").width))
        .collect();
    let expected = [("photo-boxes-2.png", 600), ("photo-boxes.png", 451)];
    assert_eq!(
        sizes,
        expected.map(|(name, width)| (name.to_owned(), width))
    );
    // Several pictures are not one file.
    let output = kiln(&["detect", &a, &b, "--out", &path("one.png")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("name a folder"));
}

#[test]
fn the_name_of_a_result_says_its_format() {
    let folder = scratch("formats");
    let path = |name: &str| folder.join(name).display().to_string();
    let cut_out = |name: &str| {
        let out = path(name);
        let cat = "public/samples/cat.jpg";
        let line = ["segment", cat, "--effect", "cutout", "--out", &out];
        stdout(&kiln(&line));
        fs::read(out).expect("written")
    };
    let read = |bytes: &[u8]| {
        image::load_from_memory(bytes)
            .expect("a picture")
            .into_rgba8()
    };
    let png = read(&cut_out("x.png"));
    let webp = cut_out("x.webp");
    assert!(webp.starts_with(b"RIFF") && webp[8..].starts_with(b"WEBP"));
    assert!(read(&webp) == png, "no loss");
    let jpeg = cut_out("x.JPG");
    assert!(jpeg.starts_with(b"\xff\xd8\xff"));
    let jpeg = decode_picture(&jpeg).expect("a picture");
    // What was clear is white.
    let clear = png.pixels().position(|pixel| pixel[3] == 0);
    let at = clear.expect("a background") * 4;
    assert!(jpeg.rgba[at..at + 3].iter().all(|&value| value > 200));

    let (gif, bare) = (path("x.gif"), path("bare"));
    let cat = "public/samples/cat.jpg";
    for line in [
        ["detect", cat, "--out", &gif],
        ["sample", "--seed=1", "--out", &bare],
        ["stylize", cat, "--out", &bare],
    ] {
        let output = kiln(&line);
        assert_eq!(output.status.code(), Some(2), "{line:?}");
        assert!(stderr(&output).contains(".png, .jpg or .webp"), "{line:?}");
    }
    assert!(!Path::new(&gif).exists() && !Path::new(&bare).exists());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for line in [
        &["models"][..],
        &["models", "--json"],
        &["detect", "public/samples/cat.jpg"],
        &["segment", "public/samples/cat.jpg"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(line)
            .stdout(writer)
            .output()
            .expect("starts");
        assert!(output.status.success(), "{line:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{line:?}");
    }
}

#[test]
fn pictures_come_and_go_through_pipes() {
    let cat = fs::read("public/samples/cat.jpg").expect("a sample");
    let output = kiln_reading(&cat, &["detect", "-", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(found[0]["detections"][0]["class"], "Cat");

    let output = kiln_reading(&cat, &["segment", "-", "--out", "-"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let picture = decode_picture(&output.stdout).expect("nothing but a PNG");
    assert_eq!(picture.width, 451);
    assert!(output.stdout.starts_with(b"\x89PNG") && png_text::read(&output.stdout).is_some());
    assert!(stderr(&output).contains("a person covers"));

    for (line, sentence) in [
        (&["detect", "-", "-"][..], "only once"),
        (&["gatys", "-", "-", "--out", "x.png"], "only once"),
        (
            &["detect", "-", "public/samples/cat.jpg", "--out", "-"],
            "name a folder",
        ),
        (&["detect", "-"], "not a picture"),
    ] {
        let output = kiln_reading(b"a text", line);
        assert_eq!(output.status.code(), Some(2), "{line:?}");
        assert!(stderr(&output).contains(sentence), "{line:?}");
    }
}

#[test]
fn a_picture_without_its_end_is_used_with_a_notice() {
    for case in ["cut-at-70-percent", "cut-last-two-bytes"] {
        let file = format!("tests/cases/{case}.jpg");
        let output = kiln(&["detect", &file, "public/samples/cat.jpg", "--json"]);
        let found: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        let notice = found[0]["notice"].as_str().unwrap_or_default();
        assert!(notice.contains("end of the file is missing"), "{case}");
        assert_eq!(found[0]["detections"][0]["class"], "Cat");
        assert!(found[1]["notice"].is_null());
        let said = stderr(&output);
        assert!(said.contains(&file) && said.contains(notice), "{said}");
    }
}

#[test]
fn formats_that_are_not_read_are_called_by_their_names() {
    for (file, format) in [("phone.heic", "HEIC"), ("cat.avif", "AVIF")] {
        let output = kiln(&["detect", &format!("tests/cases/{file}")]);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.contains(format), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
}

#[cfg(unix)]
#[test]
fn odd_names_are_printed_on_one_line_and_told_apart() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let folder = scratch("odd-names");
    let names = [&b"a\xff.jpg"[..], b"a\xfe.jpg", b"a\nb\x1b[2J.jpg"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.arg("segment").arg("--out").arg(folder.join("out"));
    for name in names {
        let path = folder.join(OsStr::from_bytes(name));
        fs::copy("public/samples/cat.jpg", &path).expect("copied");
        command.arg(path);
    }
    let text = stdout(&command.output().expect("starts"));
    let lines: std::collections::BTreeSet<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text:?}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    let out = fs::read_dir(folder.join("out")).expect("a folder");
    assert_eq!(out.count(), 3);
}

#[test]
fn numbers_that_would_fill_the_memory_are_refused() {
    for line in [
        &["train", "gan", "--batch", "1000000"][..],
        &["train", "vae", "--latent", "1000000"],
        &["train", "vae", "--steps", "1e12"],
        &["train", "vae", "--steps", "2.5"],
        &["train", "gan", "--discriminator-steps", "1000000"],
        &["train", "vae", "--rate", "nan"],
        &["train", "vae", "--rate", "-1"],
        &["train", "vae", "--beta", "inf"],
        &["train", "vae", "--seed", "-1"],
        &["train", "gan", "--clip", "0"],
        &["sample", "--grid", "1000x1000", "--out", "x.png"],
        &["score", "--count", "1000000000"],
        &["bench", "--runs", "1000000000"],
    ] {
        let output = kiln(line);
        assert_eq!(output.status.code(), Some(2), "{line:?}");
        assert!(!stderr(&output).contains("panicked"), "{line:?}");
        let said = stderr(&output);
        let flag = line.iter().find(|word| word.starts_with("--"));
        assert!(said.contains(flag.expect("a flag")), "{line:?}: {said}");
    }
}
