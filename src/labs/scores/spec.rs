//! IS and FID: settings, questions and answers.

use serde::{Deserialize, Serialize};

use crate::labs::generate::spec::SEED;
use crate::protocol::picture::Sheet;
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::generative::{CodesFrom, DataSet, Shipped, find};
use crate::protocol::param::{Kind, choice, number};
use crate::protocol::settings::Found;
use crate::settings;

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "scores",
    verb: "score",
    about: "Scores pictures against the test set, on LeNet features or on Inception-v3's",
    wing: Wing::Generative,
    topics: &["scores"],
    tasks: TASKS,
    params: PARAMS,
    network: None,
    uses_picture: false,
    starts_by_itself: true,
    warms_up: false,
    example: "m=gan-fashion-mnist-hinge",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "measures",
        name: "spoiled",
        link: "b=1.50",
    },
    Task {
        lesson: "measures",
        name: "compared",
        link: "m=gan-fashion-mnist-hinge",
    },
];

/// What may be scored: the test set of Fashion-MNIST or of digits itself, or a network.
pub const SCORED: &[&str] = &[
    "test-set",
    "gan-fashion-mnist-hinge",
    "gan-fashion-mnist-minimax",
    "gan-fashion-mnist-lsgan",
    "gan-fashion-mnist-ebgan",
    "vae-fashion-mnist",
    "ae-fashion-mnist",
    "test-set-digits",
    "gan-digits-hinge",
    "vae-digits",
    "ae-digits",
];

settings! {
    /// Settings of scores.
    pub struct ScoresSettings {
        /// Index into [`SCORED`].
        model ("model", "m"): Found = Kind::Choice(SCORED), "whose pictures are scored", group("model");
        codes_from ("codes-from", "f"): CodesFrom = choice::<CodesFrom>(), "what codes of a variational autoencoder are drawn from: the prior, or a normal distribution fitted to those of the training set", group("model"), shows(|s| s.read::<ScoresSettings>().shipped().is_some_and(|shipped| shipped.family.has_two_sources()));
        classes ("modes", "k"): usize = number(1.0, 10.0, 1.0, 10.0), "classes that are left among the pictures", group("corruption");
        /// In pixels.
        blur ("blur", "b"): f32 = number(0.0, 3.0, 0.25, 0.0), "standard deviation of the blur, in pixels", group("corruption");
        noise ("noise", "n"): f32 = number(0.0, 0.5, 0.025, 0.0), "standard deviation of the noise, of a brightness of 1", group("corruption");
        seed ("seed", "s"): u32 = SEED, "decides the pictures", group("corruption");
    }
}

impl ScoresSettings {
    /// The network whose pictures are scored; none for a test set.
    pub fn shipped(&self) -> Option<&'static Shipped> {
        find(SCORED[self.model.0])
    }

    /// What the pictures are of.
    pub fn data(&self) -> DataSet {
        match self.shipped() {
            Some(shipped) => shipped.data,
            None if SCORED[self.model.0] == "test-set-digits" => DataSet::Digits,
            None => DataSet::FashionMnist,
        }
    }
}

/// What the lab is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Scores of some pictures against the test set: [`Scores`].
    Score,
}

/// Scores of some pictures. Beside it the file `rgba`: a sheet of some of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// See above.
    pub sheet: Sheet,
    /// Pictures that were scored.
    pub count: u32,
    /// Fréchet distance: its part of the means, and that of the covariances.
    pub frechet: [f32; 2],
    /// Inception score, on this classifier.
    pub inception: f32,
    /// Share of each class among the classifier's answers.
    pub classes: Vec<f32>,
    /// How sure the classifier is, on average: mean of the largest probability.
    pub certainty: f32,
}
