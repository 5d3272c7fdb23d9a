//! The labs that change a picture step by step: style by optimisation, texture, dreams. Their
//! settings, and what each step tells.

use serde::{Deserialize, Serialize};

use crate::labs::stylize::spec::OWN;
use crate::protocol::params::{Kind, Param};

/// Manifest entry of the network whose maps all three read.
pub const NETWORK: &str = "vgg16";

/// The layers whose Gram matrices make a style: the first of each group of the network.
pub const STYLE_LAYERS: [&str; 5] = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"];
/// The words of the style's source: the paintings, or a picture of the visitor's.
pub const SOURCES: &[&str] = &[
    "great-wave",
    "auvers",
    "composition-8",
    "poppies",
    "galette",
    "summertime",
    "harvesters",
    "spring",
    OWN,
];

/// Where the style, or the texture, comes from.
pub const SOURCE: &str = "painting";
/// The layer whose map of the content is kept.
pub const CONTENT_LAYER: &str = "content-layer";
/// How much each of [`STYLE_LAYERS`] counts.
pub const LAYER_WEIGHTS: [&str; 5] = ["style-1", "style-2", "style-3", "style-4", "style-5"];
/// How much the content counts.
pub const CONTENT_WEIGHT: &str = "content-weight";
/// How much the style counts.
pub const STYLE_WEIGHT: &str = "style-weight";
/// How much smoothness counts.
pub const VARIATION_WEIGHT: &str = "tv-weight";
/// The picture that the search starts from.
pub const START: &str = "start";
/// The rule that turns gradients into steps.
pub const OPTIMIZER: &str = "optimizer";
/// How far a step goes, as a share of the range from black to white.
pub const RATE: &str = "rate";
/// How many steps.
pub const STEPS: &str = "steps";
/// Longer side in pixels.
pub const SIZE: &str = "size";
/// What the random numbers start from.
pub const SEED: &str = "seed";
/// Whose colours the result has.
pub const COLORS: &str = "colors";
/// Of a texture: how many of [`STYLE_LAYERS`] count.
pub const LAYERS: &str = "layers";
/// Of a dream: the layer whose activations grow.
pub const LAYER: &str = "layer";
/// Of a dream: how many sizes, from small to large.
pub const OCTAVES: &str = "octaves";
/// Of a dream: how much larger the next size is.
pub const OCTAVE_SCALE: &str = "octave-scale";
/// Of a dream: by how many pixels the picture is shifted at random before each step.
pub const JITTER: &str = "jitter";

/// Settings that a search takes when it begins, and keeps: the others act on it under way.
pub const AT_START: &[&str] = &[
    SOURCE,
    CONTENT_LAYER,
    START,
    OPTIMIZER,
    SIZE,
    SEED,
    OCTAVES,
    OCTAVE_SCALE,
];

const fn number(min: f32, max: f32, step: f32, default: f32) -> Kind {
    Kind::Number {
        min,
        max,
        step,
        default,
    }
}

const fn layer_weight(name: &'static str, key: &'static str, help: &'static str) -> Param {
    Param {
        name,
        key,
        kind: number(0.0, 2.0, 0.1, 1.0),
        help,
    }
}

const SOURCE_PARAM: Param = Param {
    name: SOURCE,
    key: "g",
    kind: Kind::Choice(SOURCES),
    help: "painting that the style is taken from",
};
const SEED_PARAM: Param = Param {
    name: SEED,
    key: "k",
    kind: number(0.0, 9999.0, 1.0, 7.0),
    help: "what the random numbers start from: the same seed gives the same picture",
};
const RATE_PARAM: Param = Param {
    name: RATE,
    key: "r",
    kind: number(0.005, 0.2, 0.005, 0.04),
    help: "how far a step of Adam moves a pixel, as a share of the range from black to white",
};
const VARIATION_PARAM: Param = Param {
    name: VARIATION_WEIGHT,
    key: "z",
    kind: number(0.0, 20.0, 0.5, 2.0),
    help: "weight of the total variation: smoothness",
};
const STEPS_PARAM: Param = Param {
    name: STEPS,
    key: "s",
    kind: number(1.0, 1000.0, 1.0, 100.0),
    help: "steps of the search",
};
const OPTIMIZER_PARAM: Param = Param {
    name: OPTIMIZER,
    key: "m",
    kind: Kind::Choice(&["lbfgs", "adam"]),
    help: "L-BFGS, which knows the curvature of its last steps, or Adam",
};

/// Settings of the style by optimisation.
pub const GATYS_PARAMS: &[Param] = &[
    SOURCE_PARAM,
    Param {
        name: CONTENT_LAYER,
        key: "l",
        kind: Kind::Choice(&["conv4_2", "conv3_2", "conv2_2", "conv1_2"]),
        help: "layer whose map of the content is kept: the deeper, the freer the strokes",
    },
    Param {
        name: CONTENT_WEIGHT,
        key: "w",
        kind: number(0.0, 10.0, 0.1, 1.0),
        help: "weight of the content loss",
    },
    Param {
        name: STYLE_WEIGHT,
        key: "y",
        kind: number(0.0, 100.0, 1.0, 10.0),
        help: "weight of the style loss",
    },
    layer_weight(
        "style-1",
        "a",
        "weight of conv1_1 within the style: colours",
    ),
    layer_weight("style-2", "b", "weight of conv2_1 within the style: grain"),
    layer_weight(
        "style-3",
        "d",
        "weight of conv3_1 within the style: small strokes",
    ),
    layer_weight(
        "style-4",
        "e",
        "weight of conv4_1 within the style: strokes and motifs",
    ),
    layer_weight(
        "style-5",
        "f",
        "weight of conv5_1 within the style: large motifs",
    ),
    VARIATION_PARAM,
    Param {
        name: START,
        key: "i",
        kind: Kind::Choice(&["content", "noise", "style"]),
        help: "picture that the search starts from",
    },
    OPTIMIZER_PARAM,
    RATE_PARAM,
    STEPS_PARAM,
    Param {
        name: SIZE,
        key: "n",
        kind: number(64.0, 512.0, 32.0, 192.0),
        help: "longer side of the result in pixels; smaller pictures are not enlarged",
    },
    SEED_PARAM,
    Param {
        name: COLORS,
        key: "c",
        kind: Kind::Choice(&["style", "photo"]),
        help: "colours of the style, or of the content (only its brightness is repainted)",
    },
];

/// Settings of texture synthesis.
pub const TEXTURE_PARAMS: &[Param] = &[
    SOURCE_PARAM,
    Param {
        name: LAYERS,
        key: "l",
        kind: number(1.0, 5.0, 1.0, 4.0),
        help: "layers whose Gram matrices are matched: conv1_1 alone, up to conv5_1",
    },
    VARIATION_PARAM,
    OPTIMIZER_PARAM,
    RATE_PARAM,
    STEPS_PARAM,
    Param {
        name: SIZE,
        key: "n",
        kind: number(64.0, 512.0, 32.0, 192.0),
        help: "side of the square texture in pixels, and longer side of its example",
    },
    SEED_PARAM,
];

/// Settings of dreams.
pub const DREAM_PARAMS: &[Param] = &[
    Param {
        name: LAYER,
        key: "l",
        kind: Kind::Choice(&[
            "conv4_3", "conv2_2", "conv3_1", "conv3_3", "conv4_1", "conv4_2", "conv5_1", "conv5_2",
            "conv5_3",
        ]),
        help: "layer whose activations grow",
    },
    Param {
        name: OCTAVES,
        key: "o",
        kind: number(1.0, 6.0, 1.0, 3.0),
        help: "sizes that are dreamed, from small to large",
    },
    Param {
        name: OCTAVE_SCALE,
        key: "q",
        kind: number(1.2, 2.0, 0.1, 1.4),
        help: "how much larger the next size is",
    },
    Param {
        name: JITTER,
        key: "j",
        kind: number(0.0, 32.0, 1.0, 16.0),
        help: "pixels by which the picture is shifted at random before each step",
    },
    Param {
        name: RATE,
        key: "r",
        kind: number(0.005, 0.05, 0.005, 0.01),
        help: "how far a step moves a pixel on average, as a share of the range from black to white",
    },
    Param {
        name: STEPS,
        key: "s",
        kind: number(1.0, 100.0, 1.0, 10.0),
        help: "steps at each size",
    },
    Param {
        name: SIZE,
        key: "n",
        kind: number(64.0, 768.0, 32.0, 320.0),
        help: "longer side of the result in pixels; smaller pictures are not enlarged",
    },
    SEED_PARAM,
];

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
}

/// Where an optimisation stands. Beside it travel the picture, RGBA by row, and then for each Gram
/// matrix its target and its present values, little-endian f32 by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::stylize::paintings::PAINTINGS;

    #[test]
    fn every_painting_is_a_source() {
        let names: Vec<_> = PAINTINGS.iter().map(|painting| painting.name).collect();
        assert_eq!(SOURCES.split_last(), Some((&OWN, &*names)));
    }
}
