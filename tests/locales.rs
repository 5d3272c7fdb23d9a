//! No key lacks a translation, and translations speak of the same values.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

fn locale(name: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(format!("locales/{name}.json")).expect("a locale");
    serde_json::from_str(&text).expect("a flat object of texts")
}

/// The names inside `{{ }}`.
fn values(text: &str) -> BTreeSet<&str> {
    text.split("{{")
        .skip(1)
        .filter_map(|part| part.split("}}").next())
        .map(str::trim)
        .collect()
}

#[test]
fn every_key_is_translated() {
    let (english, chinese) = (locale("en"), locale("zh"));
    assert!(english.len() > 100);
    let keys = |l: &BTreeMap<String, String>| l.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&english), keys(&chinese));
    for (key, text) in &english {
        assert!(
            !text.trim().is_empty() && !chinese[key].trim().is_empty(),
            "{key} is empty"
        );
        assert_eq!(
            values(text),
            values(&chinese[key]),
            "{key} speaks of other values"
        );
    }
}

#[test]
fn chinese_texts_are_chinese() {
    // The same in both: names.
    let names = ["badge_cpu", "badge_webgpu"];
    for (key, text) in locale("zh") {
        let is_chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let is_formula =
            text.chars().all(|c| !c.is_ascii_alphabetic()) || text.contains("{{ done }}");
        assert!(
            is_chinese || is_formula || names.contains(&key.as_str()),
            "{key}: {text}"
        );
    }
}

#[test]
fn notes_exist_in_every_language() {
    for lab in kiln::protocol::params::Lab::ALL {
        for language in ["en", "zh"] {
            let path = format!("public/notes/{}.{language}.html", lab.name());
            assert!(
                fs::metadata(&path).is_ok_and(|file| file.len() > 500),
                "{path}"
            );
        }
    }
}
