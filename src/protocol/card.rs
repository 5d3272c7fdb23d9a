//! The manifest of weights: one card for each model.

use serde::{Deserialize, Serialize};

use super::failure::Failure;

/// An entry of `weights/manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Name of the entry; see [`file_name`].
    pub name: String,
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

    #[test]
    fn the_engine_knows_the_files_of_the_cards() {
        let cards = Manifest::shipped().models;
        assert_eq!(cards.len(), FILES.len());
        for (card, file) in cards.iter().zip(FILES) {
            let of_card = (&*card.name, &*card.sha256, card.bytes);
            assert_eq!(of_card, (file.name, file.sha256, file.bytes));
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
