//! What the generative labs ask the engine. Each question is small and answered at once: what takes
//! long is asked for piece by piece, so that the page sets the pace and nothing has to be cancelled.

use serde::{Deserialize, Serialize};

use crate::protocol::settings::Settings;

/// A question. Pictures travel beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// The pictures that the settings of the sampling lab describe: [`Told::Sheet`].
    Sample(Settings),
    /// Take a picture of the test set, or the one beside the question, as `slot` 0 or 1 of the
    /// encoding lab: [`Told::Encoded`].
    Encode { settings: Settings, slot: usize },
    /// The picture of slot 0 through the variational autoencoder, as it is and with its code moved as
    /// the settings say: [`Told::Sheet`] of three, the picture first.
    Edit(Settings),
    /// Pictures between the codes of the two slots, plain code above, variational below:
    /// [`Told::Sheet`].
    Between(Settings),
    /// Place the codes of the test set on a map; `begin` with principal components, then steps of
    /// t-SNE: [`Told::Map`].
    Map {
        settings: Settings,
        begin: bool,
        steps: u32,
    },
    /// Search the noise that makes a GAN draw the picture of slot 0, `steps` further:
    /// [`Told::Inverted`].
    Invert {
        settings: Settings,
        begin: bool,
        steps: u32,
    },
    /// Begin training anew: [`Told::Trained`]. `drawn` are the visitor's points.
    TrainBegin {
        settings: Settings,
        drawn: Vec<[f32; 2]>,
    },
    /// Train on.
    TrainStep { settings: Settings, steps: Steps },
    /// The weights in training, as a file: [`Told::Weights`].
    TrainSave,
    /// Go on with the weights of a file, which is beside the question.
    TrainLoad {
        settings: Settings,
        drawn: Vec<[f32; 2]>,
    },
    /// Scores of some pictures against the test set: [`Told::Scored`].
    Score(Settings),
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

/// An answer. Bytes travel beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Told {
    /// Pictures on one sheet, RGBA beside it.
    Sheet(Sheet),
    /// What two autoencoders make of a picture; beside it a sheet of three: the picture, the plain
    /// reconstruction, the variational one.
    Encoded {
        sheet: Sheet,
        /// Code of the plain autoencoder.
        plain: Vec<f32>,
        /// Middle of the variational code.
        mean: Vec<f32>,
        /// Its standard deviations.
        spread: Vec<f32>,
        /// Mean squared error of both reconstructions, of brightness from 0 to 1.
        errors: [f32; 2],
    },
    /// Where test pictures lie, and where slot 0 lies; -1 to 1.
    Map {
        points: Vec<[f32; 2]>,
        labels: Vec<u8>,
        own: Option<[f32; 2]>,
        /// Steps of t-SNE done; 0 for principal components.
        step: u32,
        /// What t-SNE lowers, in nats.
        divergence: f32,
    },
    /// The picture that the noise makes now; beside it a sheet of two: goal and picture.
    Inverted {
        sheet: Sheet,
        step: u32,
        /// Mean squared error of each step since the last answer.
        errors: Vec<f32>,
    },
    /// How training stands.
    Trained(Progress),
    /// A file beside the answer.
    Weights,
    /// Scores.
    Scored(Scores),
}

/// A sheet of pictures of one size, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Pixels of a picture's side.
    pub side: u32,
    /// Pictures in a row.
    pub columns: u32,
    /// Rows of pictures.
    pub rows: u32,
}

/// How training stands after some steps. Beside it, for pictures: a sheet of samples of a noise that
/// stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Steps of the generator since it began.
    pub step: u64,
    /// Losses of discriminator and generator, and lengths of their gradients, a row for each step
    /// since the last answer.
    pub history: Vec<[f32; 4]>,
    /// Milliseconds of a step.
    pub step_ms: f64,
    /// Of pictures: the sheet beside the answer.
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

/// Scores of some pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Beside the answer: some of the pictures.
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
