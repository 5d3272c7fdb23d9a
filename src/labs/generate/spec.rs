//! What the generative labs talk about: data sets, networks, objectives.

use serde::{Deserialize, Serialize};

use crate::protocol::params::{Kind, Param};

/// A set of square pictures to learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataSet {
    /// Handwritten digits, 28x28, grey.
    Digits,
    /// Clothes, 28x28, grey (Xiao et al. 2017).
    FashionMnist,
    /// Drawn faces, 64x64, colour, every attribute known.
    Avatars,
}

impl DataSet {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Digits, Self::FashionMnist, Self::Avatars];

    /// Name in commands, file names and links.
    pub fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::FashionMnist => "fashion-mnist",
            Self::Avatars => "avatars",
        }
    }

    /// The set of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// Rows and columns of a picture.
    pub fn side(self) -> usize {
        match self {
            Self::Digits | Self::FashionMnist => 28,
            Self::Avatars => 64,
        }
    }

    /// 1 for grey, 3 for colour.
    pub fn channels(self) -> usize {
        match self {
            Self::Digits | Self::FashionMnist => 1,
            Self::Avatars => 3,
        }
    }

    /// Bytes of a picture.
    pub fn values(self) -> usize {
        self.side() * self.side() * self.channels()
    }

    /// Classes of the first label; avatars have attributes instead.
    pub fn classes(self) -> usize {
        match self {
            Self::Digits | Self::FashionMnist => 10,
            Self::Avatars => 0,
        }
    }
}

/// What discriminator and generator play for. The formulas are in `methods/gan_objective.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// The original game: the generator minimises `log(1 - D(G(z)))`.
    Minimax,
    /// Its cure for flat gradients: the generator maximises `log D(G(z))`.
    NonSaturating,
    /// Least squares (LSGAN): Pearson's chi-square in disguise.
    LeastSquares,
    /// The discriminator is an autoencoder and its error an energy (EBGAN).
    Energy,
    /// f-GAN: Kullback-Leibler.
    Kl,
    /// f-GAN: Kullback-Leibler the other way.
    ReverseKl,
    /// f-GAN: Jensen-Shannon.
    JensenShannon,
    /// f-GAN: Pearson's chi-square.
    Pearson,
    /// f-GAN: squared Hellinger distance.
    SquaredHellinger,
    /// f-GAN: total variation.
    TotalVariation,
    /// Earth mover's distance, weights clipped (WGAN).
    Wasserstein,
    /// Hinge loss.
    Hinge,
}

impl Objective {
    /// All of them, in the order of the lecture.
    pub const ALL: [Self; 12] = [
        Self::Minimax,
        Self::NonSaturating,
        Self::LeastSquares,
        Self::Energy,
        Self::Kl,
        Self::ReverseKl,
        Self::JensenShannon,
        Self::Pearson,
        Self::SquaredHellinger,
        Self::TotalVariation,
        Self::Wasserstein,
        Self::Hinge,
    ];

    /// Words of all, for settings and flags.
    pub const NAMES: [&'static str; 12] = [
        "minimax",
        "non-saturating",
        "lsgan",
        "ebgan",
        "kl",
        "reverse-kl",
        "jensen-shannon",
        "pearson",
        "squared-hellinger",
        "total-variation",
        "wgan",
        "hinge",
    ];

    /// Its word in [`NAMES`](Self::NAMES).
    pub fn name(self) -> &'static str {
        let index = Self::ALL.iter().position(|&objective| objective == self);
        Self::NAMES[index.expect("ALL has every objective")]
    }

    /// The objective of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        let index = Self::NAMES.iter().position(|&word| word == name)?;
        Some(Self::ALL[index])
    }
}

/// What kind of network makes the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Autoencoder.
    Ae,
    /// Variational autoencoder.
    Vae,
    /// Variational autoencoder that is told the class.
    Cvae,
    /// Generator of an adversarial pair.
    Gan,
}

impl Family {
    /// Whether pictures can be turned into codes.
    pub fn encodes(self) -> bool {
        self != Self::Gan
    }
}

/// A network that ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// Name of its manifest entry.
    pub name: &'static str,
    /// What it is.
    pub family: Family,
    /// What it was trained on.
    pub data: DataSet,
    /// Numbers that a picture is made from, without those of the class.
    pub latent: usize,
}

/// Networks that ship. The first is what a visitor sees.
pub const SHIPPED: [Shipped; 13] = [
    shipped("vae-avatars", Family::Vae, DataSet::Avatars, 32),
    shipped("vae-fashion-mnist", Family::Vae, DataSet::FashionMnist, 16),
    shipped("vae-digits", Family::Vae, DataSet::Digits, 10),
    shipped("cvae-digits", Family::Cvae, DataSet::Digits, 8),
    shipped("ae-avatars", Family::Ae, DataSet::Avatars, 48),
    shipped("ae-fashion-mnist", Family::Ae, DataSet::FashionMnist, 16),
    shipped("ae-digits", Family::Ae, DataSet::Digits, 16),
    shipped("gan-avatars", Family::Gan, DataSet::Avatars, 64),
    shipped(
        "gan-fashion-mnist-hinge",
        Family::Gan,
        DataSet::FashionMnist,
        64,
    ),
    shipped(
        "gan-fashion-mnist-minimax",
        Family::Gan,
        DataSet::FashionMnist,
        64,
    ),
    shipped(
        "gan-fashion-mnist-lsgan",
        Family::Gan,
        DataSet::FashionMnist,
        64,
    ),
    shipped(
        "gan-fashion-mnist-ebgan",
        Family::Gan,
        DataSet::FashionMnist,
        64,
    ),
    shipped("gan-digits-hinge", Family::Gan, DataSet::Digits, 64),
];

const fn shipped(name: &'static str, family: Family, data: DataSet, latent: usize) -> Shipped {
    Shipped {
        name,
        family,
        data,
        latent,
    }
}

/// The shipped network of that name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.name == name)
}

/// Manifest entry of the classifier that scores are computed with.
pub fn classifier_of(data: DataSet) -> Option<&'static str> {
    match data {
        DataSet::Digits => Some("lenet-digits"),
        DataSet::FashionMnist => Some("lenet-fashion-mnist"),
        DataSet::Avatars => None,
    }
}

/// Names of settings that code asks for.
pub mod setting {
    #![allow(missing_docs)] // the rows of the tables below say what each is
    pub const MODEL: &str = "model";
    pub const VIEW: &str = "view";
    pub const SEED: &str = "seed";
    pub const SPREAD: &str = "spread";
    pub const CLASS: &str = "class";
    pub const SLIDERS: &str = "sliders";
    pub const ATTRIBUTES: &str = "attributes";
    pub const ACROSS: &str = "across";
    pub const DOWN: &str = "down";
    pub const SEED_B: &str = "seed-b";
    pub const SEED_C: &str = "seed-c";
    pub const PATH: &str = "path";
    pub const DATA: &str = "data";
    pub const ITEM: &str = "item";
    pub const SHAPE: &str = "shape";
    pub const OBJECTIVE: &str = "objective";
    pub const SPECTRAL_NORM: &str = "spectral-norm";
    pub const RATE_D: &str = "rate-d";
    pub const RATE_G: &str = "rate-g";
    pub const STEPS_D: &str = "steps-d";
    pub const LATENT: &str = "latent";
    pub const BATCH: &str = "batch";
    pub const NETWORKS: &str = "networks";
    pub const TOPIC: &str = "topic";
    pub const DIVERGENCE: &str = "divergence";
    pub const BUMPS: &str = "bumps";
    pub const BOXES: &str = "boxes";
    pub const CURVE: &str = "curve";
    pub const CHORD: &str = "chord";
    pub const FUNCTION: &str = "function";
    pub const CONE: &str = "cone";
    pub const MATRIX: &str = "matrix";
    pub const MODES: &str = "modes";
    pub const BLUR: &str = "blur";
    pub const NOISE: &str = "noise";
}
use setting::*;

const fn number(
    name: &'static str,
    key: &'static str,
    [min, max, step, default]: [f32; 4],
    help: &'static str,
) -> Param {
    let kind = Kind::Number {
        min,
        max,
        step,
        default,
    };
    Param {
        name,
        key,
        kind,
        help,
    }
}

const fn param(name: &'static str, key: &'static str, kind: Kind, help: &'static str) -> Param {
    Param {
        name,
        key,
        kind,
        help,
    }
}

/// Names of the shipped networks, in the order of [`SHIPPED`].
pub const MODEL_NAMES: [&str; SHIPPED.len()] = {
    let mut names = [""; SHIPPED.len()];
    let mut index = 0;
    while index < SHIPPED.len() {
        names[index] = SHIPPED[index].name;
        index += 1;
    }
    names
};

/// Largest seed.
pub const SEED_MAX: f32 = 9999.0;
/// Sliders along principal directions.
pub const SLIDER_COUNT: usize = 12;
/// Tiles along each side of the grid of neighbours.
pub const NEIGHBOURS: usize = 5;
/// Pictures of a walk.
pub const WALK: usize = 12;
/// Pictures along each side of the sheet of many.
pub const MANY: usize = 8;

/// What the sampling lab shows.
pub const SAMPLE_VIEWS: &[&str] = &["one", "neighbours", "many", "walk", "arithmetic"];

/// Settings of the sampling lab.
pub const SAMPLE_PARAMS: &[Param] = &[
    param(MODEL, "m", Kind::Choice(&MODEL_NAMES), "network"),
    param(VIEW, "w", Kind::Choice(SAMPLE_VIEWS), "what is shown"),
    number(
        SEED,
        "s",
        [0.0, SEED_MAX, 1.0, 1.0],
        "decides the point in latent space",
    ),
    number(
        SPREAD,
        "t",
        [0.0, 1.5, 0.05, 0.7],
        "how far from the middle points are drawn, in standard deviations",
    ),
    number(
        CLASS,
        "c",
        [0.0, 9.0, 1.0, 3.0],
        "class, for conditional networks",
    ),
    param(
        SLIDERS,
        "z",
        Kind::Row { of: SLIDER_COUNT },
        "steps along the first twelve directions, in standard deviations",
    ),
    param(
        ATTRIBUTES,
        "a",
        Kind::Row {
            of: ATTRIBUTES_OF_AVATARS.len(),
        },
        "steps along the directions of attributes, in standard deviations",
    ),
    number(
        ACROSS,
        "x",
        [1.0, 12.0, 1.0, 1.0],
        "direction that goes from left to right",
    ),
    number(
        DOWN,
        "y",
        [1.0, 12.0, 1.0, 2.0],
        "direction that goes from bottom to top",
    ),
    number(
        SEED_B,
        "b",
        [0.0, SEED_MAX, 1.0, 2.0],
        "where a walk ends; what arithmetic subtracts",
    ),
    number(
        SEED_C,
        "d",
        [0.0, SEED_MAX, 1.0, 3.0],
        "what arithmetic adds",
    ),
    param(
        PATH,
        "l",
        Kind::Choice(&["spherical", "linear"]),
        "how a walk goes between two points",
    ),
];

/// Attributes of avatars that have a direction in latent space, in the order of
/// `data/avatars.rs`.
pub const ATTRIBUTES_OF_AVATARS: [&str; 8] = [
    "hair-light",
    "hair-warm",
    "hair-long",
    "skin-dark",
    "glasses",
    "dark-glasses",
    "mood",
    "eyes-open",
];

/// Settings of the encoding lab.
pub const ENCODE_PARAMS: &[Param] = &[
    param(
        DATA,
        "d",
        Kind::Choice(&["fashion-mnist", "digits", "avatars"]),
        "what the networks know",
    ),
    number(ITEM, "i", [0.0, 499.0, 1.0, 0.0], "picture of the test set"),
    param(
        VIEW,
        "w",
        Kind::Choice(&["codes", "edit", "between", "map", "invert", "versus"]),
        "what is shown",
    ),
    number(
        SEED,
        "s",
        [0.0, SEED_MAX, 1.0, 1.0],
        "decides samples and noise",
    ),
    param(
        ATTRIBUTES,
        "a",
        Kind::Row {
            of: ATTRIBUTES_OF_AVATARS.len(),
        },
        "steps along the directions of attributes, in standard deviations",
    ),
    param(
        SLIDERS,
        "z",
        Kind::Row { of: SLIDER_COUNT },
        "steps along the first twelve directions, in standard deviations",
    ),
];

/// What the training lab trains on: points, or pictures.
pub const SHAPES: &[&str] = &["ring", "grid", "spiral", "drawn", "digits", "fashion-mnist"];

/// Settings of the training lab.
pub const TRAIN_PARAMS: &[Param] = &[
    param(SHAPE, "d", Kind::Choice(SHAPES), "what is learned"),
    param(
        OBJECTIVE,
        "o",
        Kind::Choice(&Objective::NAMES),
        "what the two play for",
    ),
    param(
        SPECTRAL_NORM,
        "n",
        Kind::Choice(&["off", "on"]),
        "spectral normalisation of the discriminator",
    ),
    number(
        RATE_D,
        "rd",
        [0.0, 0.01, 0.0005, 0.002],
        "learning rate of the discriminator",
    ),
    number(
        RATE_G,
        "rg",
        [0.0, 0.01, 0.0005, 0.001],
        "learning rate of the generator",
    ),
    number(
        STEPS_D,
        "k",
        [1.0, 20.0, 1.0, 1.0],
        "steps of the discriminator for each of the generator",
    ),
    number(LATENT, "z", [1.0, 64.0, 1.0, 2.0], "numbers of the noise"),
    number(BATCH, "b", [8.0, 256.0, 8.0, 128.0], "samples of a step"),
    number(
        SEED,
        "s",
        [0.0, SEED_MAX, 1.0, 1.0],
        "decides weights and noise",
    ),
    param(
        NETWORKS,
        "w",
        Kind::Choice(&["small", "large"]),
        "size of the networks for pictures: 0.4 or 1 million weights",
    ),
];

/// Settings of the lab of divergences, convexity and Lipschitz continuity.
pub const DIVERGENCE_PARAMS: &[Param] = &[
    param(
        TOPIC,
        "w",
        Kind::Choice(&["divergences", "convexity", "lipschitz"]),
        "what is shown",
    ),
    param(
        DIVERGENCE,
        "f",
        Kind::Choice(&crate::maths::divergence::FDivergence::NAMES),
        "divergence whose functions are drawn",
    ),
    param(
        BUMPS,
        "b",
        Kind::Row { of: 4 },
        "centre and width of the first density, then of the second, from their defaults",
    ),
    param(
        BOXES,
        "k",
        Kind::Choice(&["normal", "box"]),
        "form of the densities: a box ends, a normal density does not",
    ),
    param(
        CURVE,
        "c",
        Kind::Choice(&crate::maths::convexity::Curve::NAMES),
        "curve that the chord lies on",
    ),
    param(
        CHORD,
        "h",
        Kind::Row { of: 2 },
        "ends of the chord, from their defaults",
    ),
    param(
        FUNCTION,
        "l",
        Kind::Choice(&crate::maths::lipschitz::Slope::NAMES),
        "function under the cone",
    ),
    param(
        CONE,
        "o",
        Kind::Row { of: 2 },
        "place and slope of the cone, from their defaults",
    ),
    param(
        MATRIX,
        "m",
        Kind::Row { of: 4 },
        "the matrix of power iteration, row by row, from its default",
    ),
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

/// What the pictures of a word of [`SCORED`] are of.
pub fn data_of_scored(word: &str) -> DataSet {
    match find(word) {
        Some(shipped) => shipped.data,
        None if word == "test-set-digits" => DataSet::Digits,
        None => DataSet::FashionMnist,
    }
}

/// Settings of the lab of scores.
pub const SCORES_PARAMS: &[Param] = &[
    param(
        MODEL,
        "m",
        Kind::Choice(SCORED),
        "whose pictures are scored",
    ),
    number(
        MODES,
        "k",
        [1.0, 10.0, 1.0, 10.0],
        "classes that are left among the pictures",
    ),
    number(
        BLUR,
        "b",
        [0.0, 3.0, 0.25, 0.0],
        "standard deviation of the blur, in pixels",
    ),
    number(
        NOISE,
        "n",
        [0.0, 0.5, 0.025, 0.0],
        "standard deviation of the noise, of a brightness of 1",
    ),
    number(SEED, "s", [0.0, SEED_MAX, 1.0, 1.0], "decides the pictures"),
];
