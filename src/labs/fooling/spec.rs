//! Fooling pictures: settings.

use serde::{Deserialize, Serialize};

use crate::protocol::imagenet::WORDS;
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::param::{Effect, Kind, choice, number};
use crate::protocol::settings::{Found, Settings};
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "fooling",
    verb: "fool",
    about: "Changes a picture as little as it takes to make the network call it something else",
    wing: Wing::Understanding,
    topics: &["adversarial"],
    tasks: TASKS,
    params: PARAMS,
    network: Some("efficientnet-lite0"),
    uses_picture: true,
    starts_by_itself: false,
    warms_up: false,
    example: "p=cat&c=goldfish",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "evidence",
        name: "goldfish",
        link: "p=cat&c=goldfish",
    },
];

choices! {
    /// How the size of a change is measured, and so which step is the shortest way.
    pub enum Norm {
        /// By the pixel that changes most: each step moves all pixels alike.
        Largest,
        /// By the root of the mean square: each step follows the gradient.
        Euclid,
    }
}

choices! {
    /// What is shown.
    pub enum Show {
        /// The changed picture.
        Picture,
        /// The change alone, magnified, on grey.
        Change,
    }
}

fn shows_change(settings: &Settings) -> bool {
    settings.read::<FoolingSettings>().show == Show::Change
}

settings! {
    /// Settings of fooling pictures.
    pub struct FoolingSettings {
        /// Index into [`WORDS`], whose first stands for the second most probable class.
        class ("class", "c"): Found = Kind::Search(WORDS), "class that the network is to see, by its name in ImageNet or its number from 0 to 999; best is the most probable one that the picture is not", causes(Effect::Restart), group("aim");
        /// In percent.
        confidence ("confidence", "q"): f32 = number(10.0, 99.0, 1.0, 90.0), "probability in percent at which it is enough", causes(Effect::Adjust), group("aim");
        norm ("norm", "o"): Norm = choice::<Norm>(), "how the size of a change is measured: by the pixel that changes most, or by the root of the mean square", causes(Effect::Restart), group("change");
        /// In levels of 0 to 255.
        limit ("limit", "e"): f32 = number(1.0, 32.0, 1.0, 8.0), "largest change, in levels of 0 to 255", causes(Effect::Restart), group("change");
        /// In levels of 0 to 255.
        rate ("rate", "r"): f32 = number(0.1, 4.0, 0.1, 0.5), "how far a step goes, in levels of 0 to 255", causes(Effect::Adjust), group("change");
        steps ("steps", "s"): u32 = number(1.0, 300.0, 1.0, 60.0), "steps at most", causes(Effect::Adjust), group("change");
        show ("show", "w"): Show = choice::<Show>(), "the changed picture, or the change alone", causes(Effect::Refine), group("view");
        magnify ("magnify", "g"): f32 = number(1.0, 64.0, 1.0, 16.0), "how much larger the change is shown (show change)", causes(Effect::Refine), group("view"), shows(shows_change);
        size ("size", "n"): usize = number(128.0, 320.0, 32.0, 224.0), "shorter side of the picture in pixels", causes(Effect::Restart), group("size");
    }
}

/// What is done to a fooling picture, to see whether it still fools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Test {
    /// The photograph, unchanged.
    Before,
    /// The picture as it is.
    Made,
    /// Rounded to whole levels, as a file keeps it.
    Rounded,
    /// What JPEG's rounding leaves of it, at quality 75.
    Jpeg,
    /// Blurred, by a standard deviation of one pixel.
    Blurred,
    /// Three pixels to the right and down.
    Shifted,
    /// Half as large, and enlarged again.
    Halved,
}

/// What the network says of a picture that went through a test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was done.
    pub test: Test,
    /// The most probable class, and its probability.
    pub best: (usize, f32),
    /// The probability of the class that the picture was made for.
    pub wanted: f32,
}

/// What is told of a fooling picture beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The class that the picture is made for.
    pub class: usize,
    /// The largest change of a pixel's colour and the root of the mean square, in levels of 0 to 255.
    pub change: [f32; 2],
    /// What the network says after each test; empty while it goes on.
    pub verdicts: Vec<Verdict>,
    /// Whether the class is as probable as asked for.
    pub is_enough: bool,
}
