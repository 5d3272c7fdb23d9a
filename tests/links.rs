//! Links of earlier versions of the page give the settings that they gave then.

use std::collections::BTreeSet;

use kiln::labs::SPECS;
use kiln::protocol::lab::{self, Wing};
use kiln::protocol::link::{self, Route};

/// A link, its sample, and all its settings as text: what the page of commit 58f4438 made of it.
const LINKS: &str = include_str!("vectors/links-v1.txt");

/// Sample and settings of a link as text, in any order: settings may stand elsewhere in the table now. One
/// that the page has got since stands where it starts, and is not told.
fn said(link: &str, known: &BTreeSet<&str>) -> BTreeSet<String> {
    let (route, notices) = link::decode(SPECS, link);
    assert_eq!(notices, [], "{link}");
    let Route::Lab(shared) = route else {
        panic!("{link} leads to no lab")
    };
    let sample = shared.sample.map_or("-", |sample| sample.name);
    let mut said = BTreeSet::from([link.to_owned(), sample.to_owned()]);
    for (param, value) in shared.settings.iter() {
        if known.contains(param.name) {
            said.insert(format!("{}={}", param.name, param.kind.format(value)));
        } else {
            let start = param.kind.default_value();
            assert_eq!(value, &start, "{link}: {}", param.name);
        }
    }
    said
}

#[test]
fn links_of_version_1_give_the_settings_of_then() {
    let lines: Vec<&str> = LINKS.lines().collect();
    assert!(lines.len() >= 30, "only {} links", lines.len());
    for line in lines {
        let mut parts = line.split(' ');
        let link = parts.next().expect("link, sample, settings");
        let settings = parts.skip(1).filter_map(|part| part.split_once('='));
        let known: BTreeSet<&str> = settings.map(|(name, _)| name).collect();
        assert!(known.len() > 1, "{line}");
        let then: BTreeSet<String> = line.split(' ').map(str::to_owned).collect();
        assert_eq!(said(link, &known), then);
    }
}

#[test]
fn every_lesson_has_three_to_five_links_that_are_written_as_the_page_writes_them() {
    let lessons: Vec<_> = Wing::ALL.iter().flat_map(|wing| wing.lessons()).collect();
    assert!(lessons.len() >= 5);
    for name in &lessons {
        let count = lab::lesson(SPECS, name).count();
        assert!((3..=5).contains(&count), "{name}: {count}");
    }
    for spec in SPECS {
        for task in spec.tasks {
            let link = spec.fragment(task.link);
            assert!(spec.wing.lessons().contains(&task.lesson), "{link}");
            let (route, notices) = link::decode(SPECS, &link);
            let Route::Lab(shared) = route else {
                panic!("{link} leads to no lab")
            };
            // Nothing is ignored, nothing is clamped, nothing says what is so anyway.
            assert_eq!(notices, [], "{link}");
            assert_eq!(link::encode(&shared), link);
        }
    }
}
