//! The portrait lab: settings and result.

use serde::{Deserialize, Serialize};

use crate::protocol::params::{Kind, Param};

/// What is done with the mask.
pub const EFFECT: &str = "effect";
/// Opacity of the mask over the picture, in percent.
pub const OPACITY: &str = "opacity";
/// Blur of the background, in thousandths of the picture's longer side.
pub const BLUR: &str = "blur";
/// The colour behind the person, or of the mask.
pub const COLOR: &str = "color";

/// Settings of the lab.
pub const PARAMS: &[Param] = &[
    Param {
        name: EFFECT,
        key: "e",
        kind: Kind::Choice(&["mask", "blur", "color", "picture", "cutout"]),
        help: "what is done with the mask: tint the person, blur, recolour or replace the background, or cut the person out",
    },
    Param {
        name: OPACITY,
        key: "a",
        kind: Kind::Number {
            min: 0.0,
            max: 100.0,
            step: 1.0,
            default: 60.0,
        },
        help: "opacity of the tint in percent (effect mask)",
    },
    Param {
        name: BLUR,
        key: "b",
        kind: Kind::Number {
            min: 1.0,
            max: 40.0,
            step: 1.0,
            default: 12.0,
        },
        help: "blur of the background in thousandths of the longer side (effect blur)",
    },
    Param {
        name: COLOR,
        key: "c",
        kind: Kind::Color([0xe6, 0x9f, 0x00]),
        help: "colour of the tint or of the new background, as rrggbb",
    },
];

/// Longer side, in pixels, of the matte that the page draws; exports are as large as the picture.
pub const PREVIEW_SIDE: usize = 1024;

/// How much of each pixel belongs to a person, for the page.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Matte {
    /// Columns, at most [`PREVIEW_SIDE`].
    pub width: u32,
    /// Rows, at most [`PREVIEW_SIDE`].
    pub height: u32,
    /// 0 background to 255 person, by row. Travels beside the message, not in it.
    #[serde(skip)]
    pub alpha: Vec<u8>,
    /// Share of the picture that the person covers, 0 to 1.
    pub coverage: f32,
}
