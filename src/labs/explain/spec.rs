//! What speaks for a class: settings, questions and answers.

use serde::{Deserialize, Serialize};

use crate::protocol::imagenet::WORDS;
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::param::{self, Kind, choice, number};
use crate::protocol::settings::{Found, Settings};
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "explain",
    verb: "saliency",
    about: "Names what is in a picture, and shows what in it speaks for a class",
    wing: Wing::Understanding,
    topics: &["occlusion", "saliency"],
    tasks: TASKS,
    params: PARAMS,
    network: Some("efficientnet-lite0"),
    uses_picture: true,
    starts_by_itself: true,
    warms_up: true,
    example: "p=coffee",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "evidence",
        name: "tripod",
        link: "p=photographer",
    },
    Task {
        lesson: "evidence",
        name: "guided",
        link: "p=cat&m=guided&r=1",
    },
];

choices! {
    /// How it is found out what speaks for a class.
    pub enum Method {
        /// Channels of a layer, weighed by the gradients on them (Selvaraju et al. 2017).
        GradCam,
        /// A square is covered, place by place (Zeiler and Fergus 2014).
        Occlusion,
        /// The gradient on the pixels (Simonyan et al. 2014).
        Gradient,
        /// The same times the pixels.
        GradientInput,
        /// The mean of gradients with noise on the picture (Smilkov et al. 2017).
        SmoothGrad,
        /// The mean of gradients on the way from a plain picture, times the way (Sundararajan et al. 2017).
        Integrated,
        /// The gradient that passes rectifiers only where it is above zero (Springenberg et al. 2015).
        Guided,
        /// The last times Grad-CAM.
        GuidedGradCam,
    }
}

impl Method {
    /// Whether the map tells what speaks against the class from what speaks for it.
    pub fn is_signed(self) -> bool {
        match self {
            Self::Occlusion | Self::GradientInput | Self::Integrated => true,
            Self::GradCam
            | Self::Gradient
            | Self::SmoothGrad
            | Self::Guided
            | Self::GuidedGradCam => false,
        }
    }
}

choices! {
    /// The plain picture that integrated gradients begin with.
    pub enum Baseline {
        /// The network's zero.
        Grey,
        /// Black.
        Black,
        /// White.
        White,
    }
}

choices! {
    /// What a square is covered with.
    pub enum Fill {
        /// The network's zero.
        Grey,
        /// The picture's mean colour.
        Mean,
        /// Random numbers.
        Noise,
        /// The picture out of focus.
        Blur,
    }
}

fn method(settings: &Settings) -> Method {
    settings.read::<ExplainSettings>().method
}

/// The last of the network's layers that have a map.
pub const LAST_LAYER: usize = 17;

settings! {
    /// Settings of the maps.
    pub struct ExplainSettings {
        class ("class", "c"): Found = Kind::Search(WORDS), "class that is explained, by its name in ImageNet or its number from 0 to 999; best is the most probable one", group("class"), causes(param::Effect::Refine);
        method ("method", "m"): Method = choice::<Method>(), "how it is found out what speaks for the class", group("method"), causes(param::Effect::Refine);
        /// From 0, the stem, to 17, the head.
        layer ("layer", "l"): usize = number(0.0, LAST_LAYER as f32, 1.0, LAST_LAYER as f32), "layer whose map is weighed, from 0 (stem) to 17 (head) (methods grad-cam and guided-grad-cam)", group("method"), causes(param::Effect::Refine), shows(|s| matches!(method(s), Method::GradCam | Method::GuidedGradCam));
        /// In network pixels, of which the shorter side has 224.
        patch ("patch", "w"): usize = number(8.0, 128.0, 8.0, 48.0), "side of the square that is covered, in pixels of the network's picture, whose shorter side has 224 (method occlusion)", group("method"), causes(param::Effect::Refine), shows(|s| method(s) == Method::Occlusion);
        stride ("stride", "d"): usize = number(8.0, 64.0, 8.0, 32.0), "from one place of the square to the next (method occlusion)", group("method"), causes(param::Effect::Refine), opens(24.0), shows(|s| method(s) == Method::Occlusion);
        fill ("fill", "f"): Fill = choice::<Fill>(), "what the square is covered with (method occlusion)", group("method"), causes(param::Effect::Refine), shows(|s| method(s) == Method::Occlusion);
        copies ("copies", "n"): usize = number(4.0, 64.0, 4.0, 16.0), "noisy copies of the picture whose gradients are averaged (method smooth-grad)", group("method"), causes(param::Effect::Refine), shows(|s| method(s) == Method::SmoothGrad);
        /// In percent of the range from black to white.
        noise ("noise", "s"): f32 = number(0.0, 50.0, 1.0, 15.0), "standard deviation of the noise in percent of the range from black to white (method smooth-grad)", group("method"), causes(param::Effect::Refine), shows(|s| method(s) == Method::SmoothGrad);
        steps ("steps", "i"): usize = number(8.0, 512.0, 8.0, 32.0), "gradients on the way from the plain picture (method integrated)", group("method"), causes(param::Effect::Refine), opens(64.0), shows(|s| method(s) == Method::Integrated);
        baseline ("baseline", "b"): Baseline = choice::<Baseline>(), "the plain picture at the beginning (method integrated)", group("method"), causes(param::Effect::Refine), shows(|s| method(s) == Method::Integrated);
        /// From the top: 1 is the classes, 2 the head as well, 19 all.
        random ("random", "r"): usize = number(0.0, 19.0, 1.0, 0.0), "layers, from the top, whose weights are drawn at random: 1 is the classes, 2 the head as well, 19 all; a map that explains the network has to change", causes(param::Effect::Refine), group("sanity");
        /// In percent.
        opacity ("opacity", "a"): f32 = number(0.0, 100.0, 1.0, 65.0), "opacity of the map over the picture in percent", group("overlay");
    }
}

/// What the lab is asked. A picture travels as `picture`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// Classify the picture, and explain: an [`Answer`] and the file `map`. On the way, with a method of many steps,
    /// the same as far as it is.
    Run,
    /// Explain the last picture with these settings; as above.
    Explain,
    /// Explain by the method of that number, to be compared: as above, and what is exported stays.
    By(usize),
    /// Brighten a small square around a place of the last picture, across and down from 0 to 1: a [`Nudge`].
    Nudge([f32; 2]),
    /// The last map over the picture, in the file `png`.
    Export,
    /// Cut out of the last picture what the last map points at: a [`Cutout`], and the file `rgba`, which is clear around
    /// it.
    Cut,
    /// The same at the picture's own size, in the file `png`.
    ExportCut,
    /// The last map's own numbers, in the file `raw`, little-endian f32 by row.
    Raw,
}

/// Classes that an answer lists.
pub const LISTED: usize = 10;

/// What the network says of the picture, and what speaks for the class. Beside it the file `map`, a byte for each of its
/// pixels by row: 0 to 255 is nothing to the largest; where the map is signed 128 is nothing, more speaks for the
/// class, less against it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Answer {
    /// Columns and rows of the picture that the network saw.
    pub seen: [usize; 2],
    /// The most probable classes and their probabilities, best first.
    pub classes: Vec<(usize, f32)>,
    /// The class that is explained.
    pub class: usize,
    /// Its probability.
    pub probability: f32,
    /// Its logit.
    pub logit: f32,
    /// Columns and rows of the map.
    pub map: [usize; 2],
    /// Whether the map is signed.
    pub signed: bool,
    /// What is drawn as the largest.
    pub largest: f32,
    /// Integrated gradients: the sum of the map, and what the logit is more than that of the plain picture. They are to
    /// be equal.
    pub sum: Option<[f32; 2]>,
    /// Where weights are random: the rank correlation of the sizes of this map and of the trained network's, 1 is the
    /// same order.
    pub similarity: Option<f32>,
}

/// What was cut out.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Cutout {
    /// Columns and rows of the file `rgba`.
    pub size: [usize; 2],
    /// The share of the picture that it is, 0 to 1.
    pub share: f32,
}

/// What a small change of the picture does to the logit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Nudge {
    /// The class.
    pub class: usize,
    /// The square that was brightened, in shares of the picture: left, top, right, bottom.
    pub square: [f32; 4],
    /// By how many levels of 0 to 255.
    pub levels: f32,
    /// What the gradient promises: the sum of gradient times change.
    pub promised: f32,
    /// What came of it.
    pub measured: f32,
    /// The change of the probability.
    pub probability: f32,
}
