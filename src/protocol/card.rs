//! The manifest of weights: one card for each model.

use serde::{Deserialize, Serialize};

use super::failure::Failure;

/// What a file is for, which is how the page groups the cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Finds objects.
    Detection,
    /// Tells a person from the background.
    Segmentation,
    /// Names what is in a picture.
    Classification,
    /// Paints, or says what a painting is like.
    Style,
    /// Makes pictures from numbers.
    Generative,
    /// Judges pictures that were made.
    Scores,
    /// A set of pictures, no network.
    Data,
}

impl Topic {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 7] = [
        Self::Detection,
        Self::Segmentation,
        Self::Classification,
        Self::Style,
        Self::Generative,
        Self::Scores,
        Self::Data,
    ];
}

/// An entry of `weights/manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Name of the entry; see [`file_name`].
    pub name: String,
    /// What it is for.
    pub topic: Topic,
    /// Title for people.
    pub title: String,
    /// Architecture, with its paper.
    pub architecture: String,
    /// sha256 of the file, in hex.
    pub sha256: String,
    /// Size of the file.
    pub bytes: usize,
    /// Values in the network.
    pub parameters: usize,
    /// Package, version, path and sha256 that the weights come from.
    pub source: Source,
    /// The command that made the file.
    pub command: String,
    /// What the network was trained on.
    pub data: String,
    /// Licence of the weights.
    pub license: String,
    /// Measured quality, with how it was measured.
    pub quality: String,
    /// What it does not do well.
    pub limits: String,
}

/// Where weights come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Registry and package with version.
    pub package: String,
    /// Path inside the package.
    pub path: String,
    /// sha256, in hex, of the graph inside that file.
    pub sha256: String,
}

/// What a card says in another language than English: an entry of `weights/manifest.<language>.json`, by
/// the name of its card. The command and the source are the same in every language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardWords {
    /// See [`ModelCard::title`].
    pub title: String,
    /// See [`ModelCard::architecture`].
    pub architecture: String,
    /// See [`ModelCard::data`].
    pub data: String,
    /// See [`ModelCard::license`].
    pub license: String,
    /// See [`ModelCard::quality`].
    pub quality: String,
    /// See [`ModelCard::limits`].
    pub limits: String,
}

impl ModelCard {
    /// The same card in the words of another language.
    pub fn in_words(self, words: CardWords) -> Self {
        let CardWords {
            title,
            architecture,
            data,
            license,
            quality,
            limits,
        } = words;
        Self {
            title,
            architecture,
            data,
            license,
            quality,
            limits,
            ..self
        }
    }
}

/// Name of the file below `weights/`: `<name>.bpk`, or the name itself where it has an ending.
pub fn file_name(name: &str) -> String {
    if name.contains('.') {
        name.into()
    } else {
        format!("{name}.bpk")
    }
}

/// The whole manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// All cards.
    pub models: Vec<ModelCard>,
}

impl Manifest {
    /// The card of that name.
    pub fn find(&self, name: &str) -> Option<&ModelCard> {
        self.models.iter().find(|card| card.name == name)
    }
}

#[cfg(feature = "native")]
impl Manifest {
    /// The manifest of the weights that ship with this build.
    pub fn shipped() -> Self {
        serde_json::from_str(include_str!("../../weights/manifest.json"))
            .expect("a test parses the manifest")
    }
}

/// A file below `weights/`, as the engine needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightsFile {
    /// Name of its card; see [`file_name`].
    pub name: &'static str,
    /// sha256 of the file, in hex.
    pub sha256: &'static str,
    /// Size of the file.
    pub bytes: usize,
}

#[cfg(feature = "engine")]
include!(concat!(env!("OUT_DIR"), "/weights.rs"));

/// The file of that name.
///
/// # Errors
/// [`Failure::WeightsMissing`].
pub fn find_file(
    files: &'static [WeightsFile],
    name: &str,
) -> Result<&'static WeightsFile, Failure> {
    let named = files.iter().find(|file| file.name == name);
    named.ok_or_else(|| Failure::WeightsMissing {
        name: name.into(),
        reason: "not in the manifest".into(),
    })
}

#[cfg(all(test, feature = "native"))]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_engine_knows_the_files_of_the_cards() {
        let cards = Manifest::shipped().models;
        assert_eq!(cards.len(), FILES.len());
        for (card, file) in cards.iter().zip(FILES) {
            let of_card = (&*card.name, &*card.sha256, card.bytes);
            assert_eq!(of_card, (file.name, file.sha256, file.bytes));
        }
    }

    /// The figures of a text, sorted: `1,000` and `64x64` are one and two.
    fn figures(text: &str) -> Vec<String> {
        let digits = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
        let numbers = text.split(|c| !digits(c));
        let mut numbers: Vec<String> = numbers
            .map(|number| number.trim_matches(['.', ',']).into())
            .filter(|number: &String| !number.is_empty())
            .collect();
        numbers.sort();
        numbers
    }

    #[test]
    fn every_card_says_the_same_in_chinese() {
        let text = include_str!("../../weights/manifest.zh.json");
        let chinese: BTreeMap<String, CardWords> = serde_json::from_str(text).unwrap();
        let cards = Manifest::shipped().models;
        assert_eq!(cards.len(), chinese.len(), "a card of each has no other");
        for card in cards {
            let words = chinese.get(&card.name);
            let words = words.unwrap_or_else(|| panic!("{} has no Chinese card", card.name));
            let name = card.name.clone();
            let ours = card.clone().in_words(words.clone());
            for (english, chinese) in [
                (card.title, ours.title),
                (card.architecture, ours.architecture),
                (card.data, ours.data),
                (card.license, ours.license),
                (card.quality, ours.quality),
                (card.limits, ours.limits),
            ] {
                // A file that was published anew has other figures: its Chinese card is stale.
                assert_eq!(figures(&english), figures(&chinese), "{name}: {chinese}");
                let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
                assert!(
                    chinese == english || chinese.contains(is_chinese),
                    "{name}: {chinese}"
                );
                // Only what has no words of its own, licences above all, may stay as it is.
                assert!(
                    english.len() < 40 || chinese != english,
                    "{name}: {chinese}"
                );
            }
        }
    }

    #[test]
    fn every_topic_has_a_card() {
        let cards = Manifest::shipped().models;
        for topic in Topic::ALL {
            assert!(cards.iter().any(|card| card.topic == topic), "{topic:?}");
        }
    }

    #[test]
    fn every_shipped_card_is_filled_in() {
        let manifest = Manifest::shipped();
        for card in manifest.models {
            assert_eq!(card.sha256.len(), 64, "{}", card.name);
            for text in [
                &card.title,
                &card.license,
                &card.command,
                &card.data,
                &card.quality,
                &card.limits,
            ] {
                assert!(
                    !text.is_empty(),
                    "{} has an empty line on its card",
                    card.name
                );
            }
        }
    }
}
