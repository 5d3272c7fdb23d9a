//! An adversarial pair in training: settings, questions and answers.

use serde::{Deserialize, Serialize};

use crate::labs::generate::spec::SEED;
use crate::protocol::picture::Sheet;
use crate::maths::points::Shape;
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::generative::{DataSet, Objective};
use crate::protocol::param::{Effect, choice, number};
use crate::protocol::settings::Settings;
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "train",
    verb: "train-pair",
    about: "Trains an adversarial pair",
    wing: Wing::Generative,
    topics: &["gan", "gan-objectives"],
    tasks: TASKS,
    params: PARAMS,
    network: None,
    uses_picture: false,
    starts_by_itself: true,
    warms_up: false,
    example: "o=hinge&n=on&rd=0.005&k=3",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "games",
        name: "vanishing",
        link: "rd=0.0040&rg=0.0000&k=10",
    },
    Task {
        lesson: "games",
        name: "non-saturating",
        link: "o=non-saturating&rd=0.0040&rg=0.0000&k=10",
    },
    Task {
        lesson: "games",
        name: "collapse",
        link: "d=grid&o=lsgan&rd=0.0030&k=3",
    },
    Task {
        lesson: "games",
        name: "normalised",
        link: "d=grid&o=lsgan&n=on&rd=0.0030&k=3",
    },
    Task {
        lesson: "games",
        name: "clipped",
        link: "o=wgan&k=5",
    },
];

choices! {
    /// What is learned: points, or pictures.
    pub enum Learned {
        /// Eight Gaussians on a circle.
        Ring,
        /// Nine Gaussians on a grid.
        Grid,
        /// A spiral.
        Spiral,
        /// What the visitor drew.
        Drawn,
        /// Digits.
        Digits,
        /// Clothes.
        FashionMnist,
    }
}

impl Learned {
    /// The set of pictures, where it is one.
    pub fn pictures(self) -> Option<DataSet> {
        match self {
            Self::Digits => Some(DataSet::Digits),
            Self::FashionMnist => Some(DataSet::FashionMnist),
            Self::Ring | Self::Grid | Self::Spiral | Self::Drawn => None,
        }
    }

    /// The distribution of points, where it is one.
    pub fn points(self) -> Option<Shape> {
        match self {
            Self::Ring => Some(Shape::Ring),
            Self::Grid => Some(Shape::Grid),
            Self::Spiral => Some(Shape::Spiral),
            Self::Drawn => Some(Shape::Drawn),
            Self::Digits | Self::FashionMnist => None,
        }
    }
}

choices! {
    /// Whether something is done.
    pub enum Switch { Off, On }
}

choices! {
    /// Size of the networks for pictures.
    pub enum Networks {
        /// 0.4 million weights.
        Small,
        /// 1 million weights.
        Large,
    }
}

fn learns_pictures(settings: &Settings) -> bool {
    settings.read::<TrainSettings>().learned.pictures().is_some()
}

settings! {
    /// Settings of training.
    pub struct TrainSettings {
        learned ("shape", "d"): Learned = choice::<Learned>(), "what is learned", causes(Effect::Restart), group("game");
        objective ("objective", "o"): Objective = choice::<Objective>(), "what the two play for", causes(Effect::Restart), group("game");
        spectral_norm ("spectral-norm", "n"): Switch = choice::<Switch>(), "spectral normalisation of the discriminator", causes(Effect::Restart), group("game");
        rate_d ("rate-d", "rd"): f32 = number(0.0, 0.01, 0.0005, 0.002), "learning rate of the discriminator", causes(Effect::Adjust), group("steps");
        rate_g ("rate-g", "rg"): f32 = number(0.0, 0.01, 0.0005, 0.001), "learning rate of the generator", causes(Effect::Adjust), group("steps");
        steps_d ("steps-d", "k"): u32 = number(1.0, 20.0, 1.0, 1.0), "steps of the discriminator for each of the generator", causes(Effect::Adjust), group("steps");
        latent ("latent", "z"): usize = number(1.0, 64.0, 1.0, 2.0), "numbers of the noise", causes(Effect::Restart), group("steps");
        batch ("batch", "b"): usize = number(8.0, 256.0, 8.0, 128.0), "samples of a step", causes(Effect::Restart), group("steps");
        seed ("seed", "s"): u32 = SEED, "decides weights and noise", causes(Effect::Restart), group("steps");
        networks ("networks", "w"): Networks = choice::<Networks>(), "size of the networks for pictures: 0.4 or 1 million weights", causes(Effect::Restart), group("steps"), shows(learns_pictures);
    }
}

/// What the lab is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// Begin training: [`Progress`]. `drawn` are the visitor's points.
    Begin { drawn: Vec<[f32; 2]> },
    /// Train on: [`Progress`].
    Train { steps: Steps },
    /// The weights in training, in the file `weights`.
    Save,
    /// Go on with the weights of the file `weights`: [`Progress`].
    Load { drawn: Vec<[f32; 2]> },
}

/// How far to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Steps {
    /// So many of both sides, as the settings say.
    Both(u32),
    /// One of the discriminator.
    Discriminator,
    /// One of the generator.
    Generator,
}

/// How training stands after some steps. Beside it, for pictures, the file
/// `rgba`: a sheet of samples of a noise that stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Steps of the generator since it began.
    pub step: u64,
    /// Losses of discriminator and generator, and lengths of their gradients, a row for each step
    /// since the last answer.
    pub history: Vec<[f32; 4]>,
    /// Milliseconds of a step.
    pub step_ms: f64,
    /// Of pictures: the sheet beside it.
    pub sheet: Option<Sheet>,
    /// Of points.
    pub plane: Option<Plane>,
}

/// Training on points, to be drawn.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plane {
    /// Points of the data.
    pub real: Vec<[f32; 2]>,
    /// Samples of a noise that stays.
    pub fake: Vec<[f32; 2]>,
    /// Where each sample is driven: minus the gradient of the generator's loss at it.
    pub arrows: Vec<[f32; 2]>,
    /// Scores of the discriminator on a grid of [`CELLS`] x [`CELLS`], from -1.2 to 1.2, row by row
    /// from the top.
    pub surface: Vec<f32>,
    /// Largest slope between neighbours of that grid: an estimate of the Lipschitz constant.
    pub lipschitz: f32,
    /// Kullback-Leibler and Jensen-Shannon divergence of data and samples, from histograms, in nats.
    pub divergences: [f32; 2],
    /// Modes that the samples cover, and modes that there are; none of a spiral.
    pub modes: Option<[u32; 2]>,
}

/// Cells of [`Plane::surface`] along each side.
pub const CELLS: usize = 48;

