//! Pictures from latent sliders: settings, questions and answers.

use serde::{Deserialize, Serialize};

use crate::labs::generate::spec::{
    ATTRIBUTES, ATTRIBUTES_HELP, SEED, SLIDERS, SLIDERS_HELP, seed,
};
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::generative::{CodesFrom, DataSet, Family, MODEL_NAMES, SHIPPED, Shipped};
use crate::protocol::param::{Kind, choice, number};
use crate::protocol::settings::{Found, Numbers, Settings};
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "sample",
    verb: "sample",
    about: "Draws pictures from a generative network",
    wing: Wing::Generative,
    topics: &["vae", "gan", "latents"],
    tasks: TASKS,
    params: PARAMS,
    network: None,
    uses_picture: false,
    starts_by_itself: true,
    warms_up: false,
    example: "s=4",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "codes",
        name: "spread",
        link: "m=vae-digits&w=many",
    },
];

/// Tiles along each side of the grid of neighbours.
pub const NEIGHBOURS: usize = 5;
/// Pictures of a walk.
pub const WALK: usize = 12;
/// Pictures along each side of the sheet of many.
pub const MANY: usize = 8;

choices! {
    /// What is shown.
    pub enum View {
        /// One point.
        One,
        /// A point and its neighbours along two directions.
        Neighbours,
        /// Points at random.
        Many,
        /// The way from one point to another.
        Walk,
        /// Sums and differences of points.
        Arithmetic,
    }
}

choices! {
    /// How a walk goes between two points.
    pub enum Path {
        /// On the arc that keeps the length.
        Spherical,
        /// Straight.
        Linear,
    }
}

fn view(settings: &Settings) -> View {
    settings.read::<SampleSettings>().view
}

settings! {
    /// Settings of sampling.
    pub struct SampleSettings {
        /// Index into [`SHIPPED`].
        model ("model", "m"): Found = Kind::Choice(&MODEL_NAMES), "network";
        view ("view", "w"): View = choice::<View>(), "what is shown";
        seed ("seed", "s"): u32 = SEED, "decides the point in latent space", opens(opening_seed(&SHIPPED[0]));
        spread ("spread", "t"): f32 = number(0.0, 1.5, 0.05, 0.7), "how far from the middle points are drawn, in standard deviations", group("point");
        codes_from ("codes-from", "f"): CodesFrom = choice::<CodesFrom>(), "what codes of a variational autoencoder are drawn from: the prior, or a normal distribution fitted to those of the training set", group("point"), shows(|s| s.read::<SampleSettings>().shipped().family.has_two_sources());
        class ("class", "c"): u8 = number(0.0, 9.0, 1.0, 3.0), "class, for conditional networks", group("point"), shows(|s| s.read::<SampleSettings>().shipped().family == Family::Cvae);
        sliders ("sliders", "z"): Numbers = SLIDERS, SLIDERS_HELP;
        attributes ("attributes", "a"): Numbers = ATTRIBUTES, ATTRIBUTES_HELP;
        /// Counted from 1.
        across ("across", "x"): usize = number(1.0, 12.0, 1.0, 1.0), "direction that goes from left to right", group("pad");
        /// Counted from 1.
        down ("down", "y"): usize = number(1.0, 12.0, 1.0, 2.0), "direction that goes from bottom to top", group("pad");
        seed_b ("seed-b", "b"): u32 = seed(2.0), "where a walk ends; what arithmetic subtracts", group("point"), shows(|s| matches!(view(s), View::Walk | View::Arithmetic));
        seed_c ("seed-c", "d"): u32 = seed(3.0), "what arithmetic adds", group("point"), shows(|s| view(s) == View::Arithmetic);
        path ("path", "l"): Path = choice::<Path>(), "how a walk goes between two points", group("point"), shows(|s| view(s) == View::Walk);
    }
}

/// The seed that a network opens with: chosen by looking at the first 24 of each, at the spread that the
/// lab opens with.
pub const fn opening_seed(shipped: &Shipped) -> f32 {
    match (shipped.family, shipped.data) {
        (Family::Gan, DataSet::Avatars) | (Family::Vae | Family::Cvae, DataSet::Digits) => 12.0,
        _ => 4.0,
    }
}

impl SampleSettings {
    /// The network.
    pub fn shipped(&self) -> &'static Shipped {
        &SHIPPED[self.model.0]
    }
}

/// What the lab is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// The pictures that the settings describe: a [`Sheet`](crate::protocol::picture::Sheet) and the
    /// file `rgba`.
    Sheet,
}
