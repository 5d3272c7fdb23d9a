//! `kiln detect`, `kiln compare`, `kiln eval` and `kiln train detector` on the families that were trained here, as a user runs
//! them.

#![cfg(feature = "native")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kiln::engine::native_host::decode_picture;
use serde_json::Value;

const CAT: &str = "public/samples/cat.jpg";

fn kiln(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(arguments)
        .output()
        .expect("starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Names of the files of a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn stages_are_written_as_pictures() {
    let folder = scratch("stages");
    let out = folder.display().to_string();
    let found = json(&kiln(&[
        "detect",
        CAT,
        "--model",
        "faster-rcnn",
        "--json",
        "--stages",
        &out,
    ]));
    assert_eq!(found[0]["family"], "faster-rcnn");
    assert_eq!(found[0]["detections"][0]["class"], "cat");
    let stages = found[0]["ms"].as_object().expect("times");
    assert!(
        ["backbone", "proposals", "heads"]
            .iter()
            .all(|stage| stages.contains_key(*stage))
    );
    let written = names(&folder);
    let wanted = [
        "boxes",
        "cells-10",
        "cells-20",
        "cells-40",
        "cells-5",
        "proposals",
        "proposals-before",
    ];
    for name in wanted {
        let file = format!("cat-{name}.png");
        assert!(written.contains(&file), "{file} of {written:?}");
        let picture =
            decode_picture(&fs::read(folder.join(&file)).expect("readable")).expect("a picture");
        assert_eq!((picture.width, picture.height), (451, 300), "{file}");
    }
}

#[test]
fn families_are_compared_in_the_order_of_the_list() {
    let folder = scratch("compare");
    let sheet = folder.join("sheet.png").display().to_string();
    let found = json(&kiln(&[
        "compare",
        CAT,
        "--families",
        "yolo-v1, faster-rcnn",
        "--json",
        "--out",
        &sheet,
    ]));
    let families = found[0]["families"].as_array().expect("a list");
    let order: Vec<&str> = families
        .iter()
        .filter_map(|of| of["family"].as_str())
        .collect();
    assert_eq!(order, ["faster-rcnn", "yolo-v1"]);
    for of in families {
        assert_eq!(of["detections"][0]["class"], "cat", "{}", of["family"]);
        assert!(of["map50"].as_f64().expect("it was measured") > 0.5);
    }
    let picture = decode_picture(&fs::read(&sheet).expect("readable")).expect("a picture");
    assert_eq!((picture.width, picture.height), (2 * 451, 300));
    let unknown = kiln(&["compare", CAT, "--families", "yolo-v9"]);
    assert!(!unknown.status.success());
    assert!(
        said(&unknown).contains("no detector is called \"yolo-v9\""),
        "{}",
        said(&unknown)
    );
}

/// A set in VOC's own layout: the cat to measure on, and to learn from.
fn little_voc(folder: &Path) -> String {
    let set = folder.join("VOC");
    for part in ["Annotations", "JPEGImages", "ImageSets/Main"] {
        fs::create_dir_all(set.join(part)).expect("a folder");
    }
    let xml = "<annotation><filename>cat.jpg</filename><size><width>451</width><height>300</height></size>\
        <object><name>cat</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>385</xmax><ymax>298</ymax></bndbox></object>\
        </annotation>";
    fs::write(set.join("Annotations/cat.xml"), xml).expect("a file");
    fs::copy(CAT, set.join("JPEGImages/cat.jpg")).expect("a file");
    for list in ["train.txt", "val.txt"] {
        fs::write(set.join("ImageSets/Main").join(list), "cat\n").expect("a file");
    }
    folder.display().to_string()
}

#[test]
fn families_are_measured_on_a_set_of_vocs_own_layout() {
    let folder = scratch("voc");
    let photos = little_voc(&folder);
    let rows = json(&kiln(&[
        "eval",
        "--family",
        "anchor-free",
        "--photos",
        &photos,
        "--json",
    ]));
    let row = &rows[0];
    assert_eq!(
        (&row["family"], &row["photographs"]),
        (&"anchor-free".into(), &1.into())
    );
    assert_eq!(row["ap50"]["cat"], 1.0);
    assert_eq!((&row["map50"], &row["f1"]), (&1.0.into(), &1.0.into()));
    // A cat in a corner where none is found: a miss, unless it is marked as difficult.
    let annotation = folder.join("VOC/Annotations/cat.xml");
    let xml = fs::read_to_string(&annotation).expect("a file");
    for (mark, found, f1) in [("0", 0.5, 0.667), ("1", 1.0, 1.0)] {
        let second = format!(
            "<object><name>cat</name><difficult>{mark}</difficult><bndbox><xmin>400</xmin><ymin>5</ymin>\
            <xmax>440</xmax><ymax>45</ymax></bndbox></object></annotation>"
        );
        fs::write(&annotation, xml.replace("</annotation>", &second)).expect("a file");
        let rows = json(&kiln(&[
            "eval",
            "--family",
            "anchor-free",
            "--photos",
            &photos,
            "--json",
        ]));
        assert_eq!(rows[0]["ap50"]["cat"], found, "difficult {mark}");
        assert_eq!(rows[0]["f1"], f1, "difficult {mark}");
    }
    fs::write(&annotation, xml).expect("a file");
    // The other set's words are understood, too.
    let rows = json(&kiln(&[
        "eval", "--family", "ssd", "--photos", &photos, "--json",
    ]));
    assert_eq!(rows[0]["ap50"]["cat"], 1.0);
    let empty = scratch("no-photos");
    let refused = kiln(&["eval", "--photos", &empty.display().to_string()]);
    assert!(
        !refused.status.success() && said(&refused).contains("has no set of photographs"),
        "{}",
        said(&refused)
    );
    fs::write(folder.join("VOC/ImageSets/Main/val.txt"), "").expect("a file");
    let refused = kiln(&["eval", "--photos", &photos]);
    assert!(
        said(&refused).contains("no photographs to measure on"),
        "{}",
        said(&refused)
    );
    fs::write(folder.join("VOC/Annotations/cat.xml"), "<annotation>").expect("a file");
    let refused = kiln(&["eval", "--photos", &photos]);
    assert!(
        said(&refused).contains("cat.xml cannot be read"),
        "{}",
        said(&refused)
    );
}

#[test]
fn a_detector_is_trained_on_photographs_and_on_a_whole_backbone() {
    let folder = scratch("train-detector");
    let photos = little_voc(&folder);
    let out = folder.join("heads.bpk").display().to_string();
    let cache = folder.join("cache").display().to_string();
    // A backbone by itself, and one with its classifier.
    for backbone in [
        "weights/detector-backbone.bpk",
        "weights/efficientnet-lite0.bpk",
    ] {
        let trained = kiln(&[
            "train",
            "detector",
            "--family",
            "yolo-v1",
            "--photos",
            &photos,
            "--backbone",
            backbone,
            "--channels",
            "16",
            "--versions",
            "2",
            "--batch",
            "2",
            "--steps",
            "2",
            "--data-folder",
            &cache,
            "--out",
            &out,
            "--force",
        ]);
        assert!(trained.status.success(), "{}", said(&trained));
        assert!(
            said(&trained).contains("1 photographs to train on, 1 to measure on"),
            "{}",
            said(&trained)
        );
        assert!(fs::metadata(&out).expect("a file").len() > 10_000);
    }
    let missing = kiln(&["train", "detector", "--photos", &photos, "--out", &out]);
    assert!(
        said(&missing).contains("needs --backbone"),
        "{}",
        said(&missing)
    );
}

/// R-CNN and SPPNet are trained in three parts. What the backbone says of crops is kept, and is the same the next time.
#[test]
fn dense_layers_machines_and_boxes_are_trained_one_after_the_other() {
    let folder = scratch("train-machines");
    let photos = little_voc(&folder);
    let out = folder.join("heads.bpk").display().to_string();
    let cache = folder.join("cache");
    let train = |family: &str| {
        let trained = kiln(&[
            "train",
            "detector",
            "--family",
            family,
            "--photos",
            &photos,
            "--backbone",
            "weights/detector-backbone.bpk",
            "--versions",
            "2",
            "--batch",
            "2",
            "--steps",
            "2",
            "--data-folder",
            &cache.display().to_string(),
            "--out",
            &out,
            "--force",
        ]);
        assert!(trained.status.success(), "{}", said(&trained));
        assert!(
            said(&trained).contains("hard negatives"),
            "{}",
            said(&trained)
        );
        fs::read(&out).expect("weights")
    };
    // Two bytes a number, behind a header that names each layer anew.
    let numbers_of = |file: Vec<u8>, count: usize| {
        assert!(file.len() > 2 * count);
        file[file.len() - 2 * count..].to_vec()
    };
    for (family, numbers) in [("r-cnn", 2_086_701), ("sppnet", 1_222_381)] {
        let first = numbers_of(train(family), numbers);
        assert!(numbers_of(train(family), numbers) == first, "{family}");
    }
    let kept = names(&cache.join("detector"));
    assert!(kept.contains(&"train.crops".into()), "{kept:?}");
    // What was cut, and what belongs to other crops, is made anew.
    let whole = fs::read(cache.join("detector/train.crops")).expect("a file");
    let made_anew = |crops: &[u8], of: Option<&str>| {
        fs::write(cache.join("detector/train.crops"), crops).expect("a file");
        if let Some(of) = of {
            fs::write(cache.join("detector/train.crops.of"), of).expect("a file");
        }
        train("r-cnn");
        fs::read(cache.join("detector/train.crops")).expect("a file") == whole
    };
    assert!(made_anew(&whole[..whole.len() / 2], None));
    assert!(made_anew(&vec![0; whole.len()], Some("others")));
}
