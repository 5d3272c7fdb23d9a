//! Every language says everything: words of the page and of each lab, labels of settings, notes, and
//! sentences of failures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use kiln::labs::SPECS;
use kiln::protocol::failure::Failure;
use kiln::protocol::lab::{self, Wing};
use kiln::protocol::param::{Kind, Param};
use strum::IntoEnumIterator;

/// Names and settings of all labs.
fn labs() -> Vec<(&'static str, &'static [Param])> {
    SPECS.iter().map(|lab| (lab.name, lab.params)).collect()
}

/// Texts of a file by path: `detect.title`, `detect.settings.score.label`.
type Texts = BTreeMap<String, String>;

/// The folders whose words a folder's words go on with.
type Uses = BTreeMap<String, Vec<String>>;

fn json(path: &str) -> serde_json::Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn flatten(path: &str, value: &serde_json::Value, texts: &mut Texts) {
    if let Some(object) = value.as_object() {
        for (key, value) in object {
            flatten(&format!("{path}.{key}"), value, texts);
        }
        return;
    }
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{path} is no text"));
    texts.insert(path.into(), text.into());
}

/// Folders below `src/labs`, and the page's.
fn folders() -> Vec<(String, String)> {
    let entries = fs::read_dir("src/labs").expect("labs");
    let labs = entries.map(|entry| entry.expect("an entry"));
    let labs = labs.filter(|entry| entry.path().is_dir());
    let labs = labs.map(|entry| entry.file_name().into_string().expect("a name"));
    let mut all: Vec<_> = labs.map(|lab| (format!("src/labs/{lab}"), lab)).collect();
    all.push(("src/page".into(), "page".into()));
    all
}

fn words(language: &str) -> (Texts, Uses) {
    let (mut texts, mut all_uses) = (Texts::new(), Uses::new());
    for (path, name) in folders() {
        let mut file = json(&format!("{path}/words.{language}.json"));
        if let Some(uses) = file.as_object_mut().and_then(|file| file.remove("uses")) {
            assert_eq!(language, "en", "{name}: `uses` stands in the English file");
            let uses = serde_json::from_value(uses).expect("a list of folders");
            all_uses.insert(name.clone(), uses);
        }
        flatten(&name, &file, &mut texts);
    }
    (texts, all_uses)
}

/// The names inside `{{ }}`, or `{ }`.
fn values<'a>(text: &'a str, open: &str, close: &str) -> BTreeSet<&'a str> {
    let parts = text.split(open).skip(1);
    let names = parts.filter_map(|part| part.split(close).next());
    names.map(str::trim).collect()
}

#[test]
fn every_word_is_translated() {
    let (english, chinese) = (words("en").0, words("zh").0);
    assert!(english.len() > 100);
    let keys = |texts: &Texts| texts.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&english), keys(&chinese));
    for (key, text) in &english {
        let other = &chinese[key];
        let empty = text.trim().is_empty() || other.trim().is_empty();
        assert!(!empty, "{key} is empty");
        let [here, there] = [text, other].map(|text| values(text, "{{", "}}"));
        assert_eq!(here, there, "{key} speaks of other values");
    }
}

#[test]
fn chinese_texts_are_chinese() {
    let english = words("en").0;
    // The same in both: names and units.
    let names = ["page.badge_cpu", "page.badge_webgpu", "page.job_loading"];
    // Topics of the course that are called after their method.
    let methods = [
        "rcnn",
        "fast-rcnn",
        "faster-rcnn",
        "rfcn",
        "ssd",
        "yolo",
        "mask-rcnn",
        "detr",
        "deepdream",
        "transformer",
    ];
    for (key, text) in words("zh").0 {
        let is_chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let is_formula = text.chars().all(|c| !c.is_ascii_alphabetic());
        // Settings and their words may be called after layers, formulas and people.
        let is_name =
            key.contains(".settings.") && !key.ends_with(".help") && english[&key] == text;
        let topic = key.strip_prefix("page.topics.");
        let is_known =
            names.contains(&key.as_str()) || topic.is_some_and(|topic| methods.contains(&topic));
        assert!(
            is_chinese || is_formula || is_name || is_known,
            "{key}: {text}"
        );
    }
}

#[test]
fn every_lab_has_its_words() {
    for language in ["en", "zh"] {
        let texts = words(language).0;
        for (lab, _) in labs() {
            for word in ["title", "lead", "tab"] {
                assert!(texts.contains_key(&format!("{lab}.{word}")), "{lab}.{word}");
            }
        }
    }
}

#[test]
fn every_setting_and_every_word_of_a_choice_has_a_label() {
    let (texts, uses) = words("en");
    let is_said = |lab: &str, path: String| {
        let used = uses.get(lab).into_iter().flatten().map(String::as_str);
        let mut folders = std::iter::once(lab).chain(used).chain(["page"]);
        let found = folders.any(|folder| texts.contains_key(&format!("{folder}.settings.{path}")));
        assert!(found, "{lab}: {path}");
    };
    for (lab, params) in labs() {
        for param in params {
            is_said(lab, format!("{}.label", param.name));
            if let Kind::Choice(choice) = param.kind {
                for word in choice {
                    is_said(lab, format!("{}.choices.{word}", param.name));
                }
            }
        }
    }
}

/// No words of settings that are no more.
#[test]
fn every_label_is_of_a_setting() {
    let (texts, uses) = words("en");
    for key in texts.keys() {
        let parts: Vec<_> = key.split('.').collect();
        let &[folder, "settings", setting, what, ..] = &parts[..] else {
            continue;
        };
        let is_for = |lab: &str| {
            let used = uses.get(lab).into_iter().flatten();
            folder == "page" || lab == folder || used.into_iter().any(|used| used == folder)
        };
        let mut params = labs().into_iter().filter(|(lab, _)| is_for(lab));
        let known = params.any(|(_, params)| {
            params.iter().any(|param| {
                param.name == setting
                    && match (what, param.kind) {
                        ("label" | "help", _) => true,
                        ("choices", Kind::Choice(words) | Kind::Search(words)) => {
                            words.contains(&parts[4])
                        }
                        _ => false,
                    }
            })
        });
        assert!(known, "{key}");
    }
}

#[test]
fn every_task_of_a_lesson_has_its_words_and_every_word_a_task() {
    let texts = words("en").0;
    let mut said: BTreeSet<_> = texts.keys().filter(|key| key.contains(".tasks.")).collect();
    for spec in SPECS {
        for task in spec.tasks {
            for what in ["title", "question"] {
                let key = format!("{}.tasks.{}.{what}", spec.name, task.name);
                assert!(said.remove(&key), "{key} is missing");
            }
        }
    }
    assert!(said.is_empty(), "words of no task: {said:?}");
    for lesson in Wing::ALL.iter().flat_map(|wing| wing.lessons()) {
        assert!(
            texts.contains_key(&format!("page.lessons.{lesson}")),
            "{lesson}"
        );
    }
}

/// What a teacher reads is what stands on the front page: parts, lessons, links and questions, in their
/// order. The answers stand in the file alone.
#[test]
fn the_teachers_lists_are_those_of_the_front_page() {
    for (language, path) in [("en", "docs/lessons.md"), ("zh", "docs/lessons.zh.md")] {
        let texts = words(language).0;
        let file = fs::read_to_string(path).expect(path);
        let mut lines = file.lines().filter(|line| {
            line.starts_with("## ") || line.starts_with("### ") || line.contains("#/")
        });
        let mut expect = |line: String| assert_eq!(lines.next(), Some(&*line), "{path}");
        for wing in Wing::ALL.iter().filter(|wing| !wing.lessons().is_empty()) {
            expect(format!(
                "## {}",
                texts[&format!("page.wings.{}", wing.name())]
            ));
            for lesson in wing.lessons() {
                expect(format!("### {}", texts[&format!("page.lessons.{lesson}")]));
                for (index, (spec, task)) in lab::lesson(SPECS, lesson).enumerate() {
                    let word = |what| &texts[&format!("{}.tasks.{}.{what}", spec.name, task.name)];
                    let (title, question) = (word("title"), word("question"));
                    let link = format!("http://127.0.0.1:8080/{}", spec.fragment(task.link));
                    expect(format!("{}. [{title}]({link}) {question}", index + 1));
                }
            }
        }
        assert_eq!(lines.next(), None, "{path}");
    }
}

#[test]
fn notes_exist_in_every_language() {
    for (lab, _) in labs() {
        for language in ["en", "zh"] {
            let path = format!("src/labs/{lab}/notes.{language}.html");
            let file = fs::metadata(&path);
            assert!(file.is_ok_and(|file| file.len() > 500), "{path}");
        }
    }
}

#[test]
fn every_failure_has_a_sentence_with_its_values() {
    let chinese = json("src/page/failures.zh.json");
    let chinese = chinese.as_object().expect("sentences by variant");
    let mut named = BTreeSet::new();
    for failure in Failure::iter() {
        let name = failure.name();
        assert!(failure.to_string().len() > 5, "{name} says nothing");
        let template = chinese.get(&name).and_then(|text| text.as_str());
        let template = template.unwrap_or_else(|| panic!("{name} has no Chinese"));
        let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        assert!(template.chars().any(is_chinese), "{name}: {template}");
        let shape = serde_json::to_value(&failure).expect("a failure is data");
        let fields = shape.get(&name).and_then(|fields| fields.as_object());
        let fields: BTreeSet<_> = fields
            .into_iter()
            .flatten()
            .map(|(name, _)| &**name)
            .collect();
        assert_eq!(values(template, "{", "}"), fields, "{name}");
        assert!(!failure.fill(template).contains(['{', '}']), "{name}");
        named.insert(name);
    }
    let more: Vec<_> = chinese
        .keys()
        .filter(|name| !named.contains(*name))
        .collect();
    assert!(more.is_empty(), "sentences of no failure: {more:?}");
}

#[test]
fn a_value_that_looks_like_a_field_stays_as_it_is() {
    let failure = Failure::SampleMissing {
        name: "{reason}".into(),
        reason: "404".into(),
    };
    assert_eq!(failure.fill("{name} ({reason})."), "{reason} (404).");
    assert_eq!(Failure::Cancelled.fill("ended {"), "ended {");
}
