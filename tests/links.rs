//! Links of earlier versions of the page give the settings that they gave then.

use kiln::protocol::link::{self, Route};

/// A link, its sample, and all its settings as text: what the page of commit 58f4438 made of it.
const LINKS: &str = include_str!("vectors/links-v1.txt");

fn said(link: &str) -> String {
    let (route, notices) = link::decode(link);
    assert_eq!(notices, [], "{link}");
    let Route::Lab(shared) = route else {
        panic!("{link} leads to no lab")
    };
    let sample = shared.sample.map_or("-", |sample| sample.name);
    let settings = shared.settings.iter();
    let texts =
        settings.map(|(param, value)| format!("{}={}", param.name, param.kind.format(value)));
    format!("{link} {sample} {}", texts.collect::<Vec<_>>().join(" "))
}

#[test]
fn links_of_version_1_give_the_settings_of_then() {
    let lines: Vec<&str> = LINKS.lines().collect();
    assert!(lines.len() >= 30, "only {} links", lines.len());
    for line in lines {
        let (link, _) = line.split_once(' ').expect("link, sample, settings");
        assert_eq!(said(link), line);
    }
}
