//! What the labs that change a picture step by step talk about: style by optimisation, texture, dreams.

use serde::{Deserialize, Serialize};

use crate::choices;
use crate::labs::stylize::paintings::{OWN, PAINTINGS};
use crate::protocol::named_layers::{self, Layers};
use crate::protocol::param::{Kind, number};

/// Manifest entry of the network whose maps all three read.
pub const NETWORK: &str = "vgg16";

choices! {
    /// The networks whose layers can be asked for.
    pub enum LayeredNetwork {
        /// A classifier, of ImageNet.
        #[strum(serialize = "efficientnet-lite0")]
        EfficientNetLite0,
        /// Convolutions alone.
        #[strum(serialize = "vgg16")]
        Vgg16,
        /// Small, of digits.
        #[strum(serialize = "lenet-digits")]
        LeNetDigits,
        /// Small, of clothes.
        #[strum(serialize = "lenet-fashion-mnist")]
        LeNetFashion,
    }
}

impl LayeredNetwork {
    /// Its layers.
    pub fn layers(self) -> &'static Layers {
        match self {
            Self::EfficientNetLite0 => &named_layers::EFFICIENTNET_LITE0,
            Self::Vgg16 => &named_layers::VGG16,
            Self::LeNetDigits => &named_layers::LENET_DIGITS,
            Self::LeNetFashion => &named_layers::LENET_FASHION,
        }
    }

    /// Number of its last layer.
    pub fn last_layer(self) -> usize {
        self.layers().layers.len() - 1
    }

    /// Number of the last channel of a layer, or of its last layer where it has none of that number.
    pub fn last_channel(self, layer: usize) -> usize {
        self.layers().layers[layer.min(self.last_layer())].channels - 1
    }

    /// Its name in the manifest.
    pub fn name(self) -> &'static str {
        self.layers().network
    }
}

/// The layers whose Gram matrices make a style: the first of each group of the network.
pub const STYLE_LAYERS: [&str; 5] = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"];

/// The words of where a style, or a texture, comes from: the paintings, or a picture of the visitor's.
pub const SOURCES: &[&str] = &{
    let mut words = [OWN; PAINTINGS.len() + 1];
    let mut index = 0;
    while index < PAINTINGS.len() {
        words[index] = PAINTINGS[index].name;
        index += 1;
    }
    words
};

choices! {
    /// The rule that turns gradients into steps.
    pub enum Optimizer {
        /// Knows the curvature of its last steps.
        Lbfgs,
        /// Knows how large gradients were.
        Adam,
    }
}

/// Seeds.
pub const SEED: Kind = number(0.0, 9999.0, 1.0, 7.0);
/// What a seed does.
pub const SEED_HELP: &str =
    "what the random numbers start from: the same seed gives the same picture";
/// Step sizes of Adam.
pub const RATE: Kind = number(0.005, 0.2, 0.005, 0.04);
/// What a step size does.
pub const RATE_HELP: &str =
    "how far a step of Adam moves a pixel, as a share of the range from black to white";
/// Weights of the total variation.
pub const VARIATION: Kind = number(0.0, 20.0, 0.5, 2.0);
/// What the total variation does.
pub const VARIATION_HELP: &str = "weight of the total variation: smoothness";
/// Steps of a search.
pub const STEPS: Kind = number(1.0, 1000.0, 1.0, 100.0);
/// What an optimiser is.
pub const OPTIMIZER_HELP: &str = "L-BFGS, which knows the curvature of its last steps, or Adam";
/// Longer side in pixels.
pub const SIZE: Kind = number(64.0, 512.0, 32.0, 192.0);

/// What such a lab is asked. What is changed travels as `picture`; of a style transfer the style as
/// `style`, of a texture the example as `style`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Begin a search and take it as far as the settings say: [`Progress`] on the way and at the end.
    Run,
    /// Take the last search further: by `steps`, or as far as the settings say; where it is that far
    /// already, as far again. [`Progress`] on the way and at the end.
    Continue {
        /// How many steps; none for as far as the settings say.
        steps: Option<u32>,
    },
    /// The present picture of the last search, in the file `png`.
    Export,
    /// How the last search went, as an animation, in the file `gif`.
    Animate,
}

/// A term of what is minimised, for curves and sliders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Term {
    /// The weighted sum of the others.
    Total,
    /// Distance from the content, before its weight.
    Content,
    /// Distance from the style in one of [`STYLE_LAYERS`], before its weight.
    Style(usize),
    /// Total variation, before its weight.
    Variation,
    /// Of a dream: half the mean square of the layer's activations, which grows.
    Activation,
    /// What a picture is made for, which grows: the sum of all terms with their weights.
    Objective,
    /// The probability of the class that is asked for.
    Probability,
    /// The probability of the class that is the most probable.
    Best,
    /// How far the picture's features are from those to be reached, relative to these, in the picture of that number
    /// of [`Progress::captions`].
    Features(usize),
}

/// Where a search stands. Beside it the file `rgba`, the picture by row; and the file `grams`: for each of
/// `grams` the target's values and the present ones, little-endian f32 by row.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done.
    pub step: u32,
    /// Steps to do.
    pub steps: u32,
    /// Columns of the picture.
    pub width: u32,
    /// Rows of the picture.
    pub height: u32,
    /// The losses of every step since the last report, in order; numbers as in `terms`.
    pub losses: Vec<Vec<f32>>,
    /// What the numbers of `losses` are.
    pub terms: Vec<Term>,
    /// The Gram matrices that travel beside this.
    pub grams: Vec<GramView>,
    /// Names of the pictures side by side of which the picture is made, row by row; none where it is one.
    pub captions: Vec<String>,
    /// How many stand in a row.
    pub columns: usize,
    /// What the lab says beside this, as JSON of its own; empty for nothing.
    pub more: String,
}

/// A part of the Gram matrix of a layer that can be looked at: the channels that are strongest in
/// the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GramView {
    /// Index into [`STYLE_LAYERS`].
    pub layer: usize,
    /// Channels shown, the strongest first.
    pub channels: Vec<u16>,
}
