//! Pictures to codes and back: settings, questions and answers.

use serde::{Deserialize, Serialize};

use crate::labs::generate::spec::{
    ATTRIBUTES, ATTRIBUTES_HELP, SEED, SLIDERS, SLIDERS_HELP,
};
use crate::protocol::picture::Sheet;
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::generative::DataSet;
use crate::protocol::param::{choice, number};
use crate::protocol::settings::Numbers;
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "encode",
    verb: "encode",
    about: "Encodes pictures and decodes their codes",
    wing: Wing::Generative,
    topics: &["autoencoders", "vae"],
    tasks: TASKS,
    params: PARAMS,
    network: None,
    uses_picture: false,
    starts_by_itself: true,
    warms_up: false,
    example: "d=digits",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "codes",
        name: "two-codes",
        link: "d=digits",
    },
    Task {
        lesson: "codes",
        name: "map",
        link: "d=digits&w=map",
    },
];

choices! {
    /// What the networks know.
    pub enum Data {
        /// Clothes.
        FashionMnist,
        /// Digits.
        Digits,
        /// Drawn faces.
        Avatars,
    }
}

impl Data {
    /// The set of pictures.
    pub fn set(self) -> DataSet {
        match self {
            Self::FashionMnist => DataSet::FashionMnist,
            Self::Digits => DataSet::Digits,
            Self::Avatars => DataSet::Avatars,
        }
    }
}

choices! {
    /// What is shown.
    pub enum View {
        /// The numbers of both codes.
        Codes,
        /// The picture with its code moved.
        Edit,
        /// The way between two pictures.
        Between,
        /// Where the codes of the test set lie.
        Map,
        /// The search for a GAN's noise.
        Invert,
        /// A VAE beside a GAN.
        Versus,
    }
}

settings! {
    /// Settings of encoding.
    pub struct EncodeSettings {
        data ("data", "d"): Data = choice::<Data>(), "what the networks know", group("picture");
        item ("item", "i"): usize = number(0.0, 499.0, 1.0, 0.0), "picture of the test set", group("picture");
        view ("view", "w"): View = choice::<View>(), "what is shown";
        seed ("seed", "s"): u32 = SEED, "decides samples and noise";
        attributes ("attributes", "a"): Numbers = ATTRIBUTES, ATTRIBUTES_HELP;
        sliders ("sliders", "z"): Numbers = SLIDERS, SLIDERS_HELP;
    }
}

/// What the lab is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Take a picture of the test set, or the file `picture`, as `slot` 0 or 1: [`Encoded`].
    Encode {
        /// 0 for the picture that the page is about, 1 for the other end of the way between two.
        slot: usize,
        /// Added to the number of the picture in the settings.
        offset: usize,
    },
    /// The picture of slot 0 through the variational autoencoder, as it is and with its code moved as
    /// the settings say: a [`Sheet`] of three, the picture first.
    Edit,
    /// Pictures between the codes of the two slots, plain code above, variational below: a [`Sheet`].
    Between,
    /// Place the codes of the test set on a map; `begin` with principal components, then steps of
    /// t-SNE: [`Map`].
    Map { begin: bool, steps: u32 },
    /// Search the noise that makes a GAN draw the picture of slot 0, `steps` further: [`Inverted`].
    Invert { begin: bool, steps: u32 },
    /// Samples of the set's VAE, or of its GAN: a [`Sheet`].
    Samples { gan: bool },
}

/// What two autoencoders make of a picture. Beside it the file `rgba`, a sheet of three: the picture, the
/// plain reconstruction, the variational one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoded {
    /// See above.
    pub sheet: Sheet,
    /// Code of the plain autoencoder.
    pub plain: Vec<f32>,
    /// Middle of the variational code.
    pub mean: Vec<f32>,
    /// Its standard deviations.
    pub spread: Vec<f32>,
    /// Mean squared error of both reconstructions, of brightness from 0 to 1.
    pub errors: [f32; 2],
}

/// Where test pictures lie, and where slot 0 lies; -1 to 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Map {
    /// Test pictures.
    pub points: Vec<[f32; 2]>,
    /// Their classes.
    pub labels: Vec<u8>,
    /// The picture of slot 0.
    pub own: Option<[f32; 2]>,
    /// Steps of t-SNE done; 0 for principal components.
    pub step: u32,
    /// What t-SNE lowers, in nats.
    pub divergence: f32,
}

/// The picture that the noise makes now. Beside it the file `rgba`, a sheet of two: goal and picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inverted {
    /// See above.
    pub sheet: Sheet,
    /// Steps done.
    pub step: u32,
    /// Mean squared error of each step since the last answer.
    pub errors: Vec<f32>,
}
