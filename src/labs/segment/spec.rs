//! Cutting out a person: settings, questions and answers.

use serde::{Deserialize, Serialize};

use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::param::{Kind, choice, number};
use crate::protocol::settings::Settings;
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "segment",
    verb: "segment",
    about: "Finds a person and cuts it out",
    wing: Wing::Detection,
    topics: &["person-segmentation"],
    tasks: TASKS,
    params: PARAMS,
    network: Some("selfie"),
    uses_picture: true,
    starts_by_itself: true,
    warms_up: true,
    example: "p=astronaut",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "objects",
        name: "cat",
        link: "p=cat",
    },
];

choices! {
    /// What is done with the matte.
    pub enum Effect {
        /// The person is tinted.
        Mask,
        /// The background is blurred.
        Blur,
        /// The background has one colour.
        Color,
        /// Another picture is behind the person.
        Picture,
        /// There is nothing behind the person.
        Cutout,
    }
}

fn effect(settings: &Settings) -> Effect {
    settings.read::<SegmentSettings>().effect
}

settings! {
    /// Settings of the cut-out.
    pub struct SegmentSettings {
        effect ("effect", "e"): Effect = choice::<Effect>(), "what is done with the mask: tint the person, blur, recolour or replace the background, or cut the person out", group("effect");
        /// In percent.
        opacity ("opacity", "a"): f32 = number(0.0, 100.0, 1.0, 60.0), "opacity of the tint in percent (effect mask)", group("effect"), shows(|s| effect(s) == Effect::Mask);
        /// In thousandths of the picture's longer side.
        blur ("blur", "b"): f32 = number(1.0, 40.0, 1.0, 12.0), "blur of the background in thousandths of the longer side (effect blur)", group("effect"), shows(|s| effect(s) == Effect::Blur);
        color ("color", "c"): [u8; 3] = Kind::Color([0xe6, 0x9f, 0x00]), "colour of the tint or of the new background, as rrggbb", group("effect"), shows(|s| matches!(effect(s), Effect::Mask | Effect::Color));
    }
}

/// What the lab is asked. A picture travels as `picture`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Find the person in the picture: a [`Matte`] and the file `alpha`.
    Run,
    /// The finished picture of the last run, in the file `png`; with the effect `picture`, the file
    /// `background` goes behind the person.
    Export,
    /// The network's own numbers of the last run, in the file `raw`, little-endian f32: the matte of
    /// 256 x 256 cells.
    Raw,
}

/// Longer side, in pixels, of the matte that the page draws; exports are as large as the picture.
pub const PREVIEW_SIDE: usize = 1024;

/// How much of each pixel belongs to a person, for the page. Beside it the file `alpha`: 0 background to
/// 255 person, by row.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Matte {
    /// Columns, at most [`PREVIEW_SIDE`].
    pub width: u32,
    /// Rows, at most [`PREVIEW_SIDE`].
    pub height: u32,
    /// Share of the picture that the person covers, 0 to 1.
    pub coverage: f32,
}
