//! The rules of ARCHITECTURE.md that a compiler does not check: who may use whom, and that nothing
//! outside the labs knows one of them by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kiln::labs::SPECS;

/// The layers, and what each may use beside itself. Labs may use all of them.
const LAYERS: &[(&str, &[&str])] = &[
    ("maths", &[]),
    ("protocol", &[]),
    ("models", &["maths", "protocol"]),
    ("methods", &["maths", "protocol", "models"]),
    ("data", &["maths", "protocol"]),
    ("job", &["protocol"]),
    (
        "train",
        &["maths", "protocol", "models", "methods", "data", "job"],
    ),
    ("engine", &["protocol", "models", "data", "job"]),
    ("page", &["protocol"]),
    (
        "command",
        &[
            "maths", "protocol", "models", "data", "job", "train", "engine",
        ],
    ),
];

/// Files of a layer: its folder, or the file of that name.
fn files(layer: &str) -> Vec<PathBuf> {
    fn walk(path: &Path, found: &mut Vec<PathBuf>) {
        if path.is_dir() {
            for entry in fs::read_dir(path).expect("a folder") {
                walk(&entry.expect("an entry").path(), found);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path.to_owned());
        }
    }
    let mut found = Vec::new();
    let folder = PathBuf::from(format!("src/{layer}"));
    if folder.is_dir() {
        walk(&folder, &mut found);
    } else {
        found.push(folder.with_extension("rs"));
    }
    found.sort();
    assert!(!found.is_empty(), "{layer} has no file");
    found
}

/// The lines of a file that are program, without its tests and comments, with their numbers.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).expect("a source file");
    let program = text.split("\n#[cfg(test)]\nmod ").next().expect("a part");
    let lines = program.lines().enumerate();
    lines
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or("").to_owned()))
        .collect()
}

/// The words that stand right behind each `before` in a line.
fn names_after<'a>(line: &'a str, before: &str) -> Vec<&'a str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(before)
        .map(|(at, _)| &line[at + before.len()..])
        .map(|rest| &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())])
        .collect()
}

fn broken(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn layers_use_only_those_below() {
    let known: BTreeSet<_> = LAYERS.iter().map(|(layer, _)| *layer).collect();
    let mut found = Vec::new();
    for (layer, below) in LAYERS {
        for path in files(layer) {
            for (number, line) in code(&path) {
                for name in names_after(&line, "crate::") {
                    // A macro of ours stands at the top of the crate.
                    let is_macro = ["settings", "choices"].contains(&name);
                    let fits = name == *layer || below.contains(&name) || is_macro;
                    if !fits {
                        found.push(format!("{}:{number} uses {name}", path.display()));
                    }
                }
            }
        }
    }
    assert!(known.len() > 5);
    broken("a layer uses what is not below it", &found);
}

/// In text: lab names as strings, and as folders of words. Some names are words of their own, too.
#[test]
fn nothing_outside_the_labs_names_one() {
    // The command that trains networks, and the parts of data sets, are called so.
    let words = [
        ("src/command/train.rs", "train"),
        ("src/command/train_detector.rs", "train"),
        // So is a class of photographs.
        ("src/data/photographs.rs", "train"),
        ("src/command/photographs/voc.rs", "train"),
        // The loss of that name.
        ("src/train/autoencoder.rs", "divergence"),
        // Topics of the course.
        ("src/protocol/lab.rs", "texture"),
        ("src/protocol/lab.rs", "scores"),
        // Classes of the style sheet.
        ("src/page/controls.rs", "segment"),
        // The slider between a picture and what was made of it.
        ("src/page/canvas.rs", "compare"),
        ("src/page/intake.rs", "sample"),
    ];
    let mut found = Vec::new();
    for (layer, _) in LAYERS {
        for path in files(layer) {
            let shown = path.display().to_string();
            for (number, line) in code(&path) {
                for lab in SPECS.iter().map(|spec| spec.name) {
                    let is_known = words.contains(&(&*shown, lab));
                    let named = line.contains(&format!("\"{lab}\""))
                        || line.contains(&format!("\"{lab}."))
                        || line.contains(&format!("i18n, {lab}."));
                    if named && !is_known {
                        found.push(format!("{shown}:{number} names {lab}"));
                    }
                }
            }
        }
    }
    broken("a lab is known by name", &found);
    for (path, word) in words {
        let text = fs::read_to_string(path).expect("a source file");
        assert!(text.contains(&format!("\"{word}\"")), "{path}: {word}");
    }
}

/// A setting that only one lab has is that lab's own.
#[test]
fn nothing_outside_the_labs_names_a_labs_setting() {
    let mut of = BTreeMap::<&str, Vec<&str>>::new();
    for spec in SPECS {
        for param in spec.params {
            of.entry(param.name).or_default().push(spec.name);
        }
    }
    // Attributes of elements and flags of commands that are no settings, and a class of ImageNet (the scale).
    let words = [
        "class", "data", "model", "seed", "batch", "size", "width", "style", "path", "view",
        "blur", "layers", "color", "curve", "scale", "rate",
    ];
    let mut found = Vec::new();
    for layer in [
        "protocol", "engine", "page", "models", "methods", "data", "maths",
    ] {
        for path in files(layer) {
            for (number, line) in code(&path) {
                for (setting, labs) in &of {
                    if line.contains(&format!("\"{setting}\"")) && !words.contains(setting) {
                        let shown = path.display();
                        found.push(format!("{shown}:{number} names {setting} of {labs:?}"));
                    }
                }
            }
        }
    }
    broken("a lab's setting is known by name", &found);
}

#[test]
fn the_page_and_the_protocol_know_no_tensor() {
    let mut found = Vec::new();
    for layer in ["protocol", "page", "maths"] {
        for path in files(layer) {
            for (number, line) in code(&path) {
                if line.contains("burn::") || line.contains("Tensor") {
                    found.push(format!("{}:{number}", path.display()));
                }
            }
        }
    }
    broken("a tensor", &found);
}

#[test]
fn networks_and_methods_know_no_platform() {
    let platform = [
        "web_sys",
        "js_sys",
        "wasm_bindgen",
        "std::fs",
        "std::env",
        "std::time",
        "std::process",
        "target_family",
        "target_arch",
        "leptos",
        "feature = \"native\"",
        "feature = \"worker\"",
    ];
    let mut found = Vec::new();
    for layer in [
        "maths", "protocol", "models", "methods", "data", "train", "job",
    ] {
        for path in files(layer) {
            for (number, line) in code(&path) {
                // Texts of flags and cards are the command line's alone.
                let is_known = layer == "protocol" && line.contains("feature = \"native\"");
                // How a browser's buffers may be bound is a shader's business.
                let is_known = is_known || path.ends_with("gpu/launch.rs");
                for word in platform.iter().filter(|word| line.contains(**word)) {
                    if !is_known {
                        found.push(format!("{}:{number} knows {word}", path.display()));
                    }
                }
            }
        }
    }
    broken("a platform", &found);
}

/// No file of the page uses one that uses it.
#[test]
fn files_of_the_page_form_no_circle() {
    let mut uses = BTreeMap::<String, BTreeSet<String>>::new();
    let name = |path: &Path| {
        path.file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    let known: BTreeSet<_> = files("page").iter().map(|path| name(path)).collect();
    for path in files("page").iter().filter(|path| name(path) != "mod") {
        let text: String = code(path)
            .into_iter()
            .map(|(_, line)| line + "\n")
            .collect();
        let mut used = BTreeSet::new();
        for before in ["super::", "crate::page::"] {
            used.extend(names_after(&text, before).into_iter().map(str::to_owned));
            // `use super::{a, b::c}`
            for (at, _) in text.match_indices(&format!("{before}{{")) {
                let list = &text[at..at + text[at..].find("};").unwrap_or(0)];
                let words = list.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                used.extend(words.map(str::to_owned));
            }
        }
        used.retain(|other| known.contains(other) && *other != name(path));
        uses.insert(name(path), used);
    }
    assert!(uses.values().map(BTreeSet::len).sum::<usize>() > 20);
    // What uses nothing that is left can go; what never can is in a circle, or above one.
    while !uses.is_empty() {
        let free: Vec<_> = uses
            .keys()
            .filter(|file| uses[*file].is_empty())
            .cloned()
            .collect();
        assert!(!free.is_empty(), "a circle in {uses:#?}");
        for file in free {
            uses.remove(&file);
            for used in uses.values_mut() {
                used.remove(&file);
            }
        }
    }
}

/// A memo that is tracked and nowhere read is never computed: it hears of no change, and tells of none.
#[test]
fn memos_are_read_not_only_tracked() {
    let mut found = Vec::new();
    for path in files("page").into_iter().chain(files("labs")) {
        let lines = code(&path);
        let memos: BTreeSet<_> = lines
            .iter()
            .filter(|(_, line)| line.contains("= Memo::new("))
            .flat_map(|(_, line)| names_after(line, "let "))
            .collect();
        for (number, line) in &lines {
            let tracked = |memo: &&&str| line.contains(&format!("{memo}.track()"));
            found.extend(
                memos
                    .iter()
                    .find(tracked)
                    .map(|memo| format!("{}:{number} tracks {memo}", path.display())),
            );
        }
    }
    broken("a memo is tracked and not read", &found);
}
