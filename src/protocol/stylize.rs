//! The style lab: settings and result.

use serde::{Deserialize, Serialize};

use super::params::{Kind, Param};

/// Styles that the network was trained on.
pub const STYLES: usize = 26;

/// Where the style comes from: the 26 that are built in, a painting, or a picture of the visitor's.
pub const SOURCE: &str = "painting";
/// The words of [`SOURCE`]; the paintings are those of [`PAINTINGS`](super::paintings::PAINTINGS).
pub const SOURCES: &[&str] = &[
    BUILT_IN,
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
/// The style is a mixture of those that the network was trained on.
pub const BUILT_IN: &str = "none";
/// The style is a picture of the visitor's.
pub const OWN: &str = "own";
/// Manifest entries of the two networks that take any picture as the style.
pub const ARBITRARY: [&str; 2] = ["arbitrary-predict", "arbitrary-transform"];

/// Which styles, and how much of each.
pub const STYLE: &str = "style";
/// How much of the repainted picture is laid over the photograph, in percent.
pub const STRENGTH: &str = "strength";
/// Whose colours the result has.
pub const COLORS: &str = "colors";
/// Longer side in pixels that the network works at.
pub const SIZE: &str = "size";

/// Settings of the lab.
pub const PARAMS: &[Param] = &[
    Param {
        name: STYLE,
        key: "y",
        kind: Kind::Mix {
            of: STYLES,
            default: 19,
        },
        help: "style by number, 0 to 25, or a mixture with weights: 12, or 3:50,12:50",
    },
    Param {
        name: SOURCE,
        key: "g",
        kind: Kind::Choice(SOURCES),
        help: "painting that the style is taken from, instead of the built-in styles",
    },
    Param {
        name: SIZE,
        key: "n",
        kind: Kind::Number {
            min: 128.0,
            max: 1024.0,
            step: 64.0,
            default: 512.0,
        },
        help: "longer side in pixels that the network works at; smaller pictures are not enlarged",
    },
    Param {
        name: STRENGTH,
        key: "t",
        kind: Kind::Number {
            min: 0.0,
            max: 100.0,
            step: 1.0,
            default: 100.0,
        },
        help: "how much of the repainted picture is laid over the photograph, in percent",
    },
    Param {
        name: COLORS,
        key: "c",
        kind: Kind::Choice(&["style", "photo"]),
        help: "colours of the style, or of the photograph (only its brightness is repainted)",
    },
];

/// The repainted picture's size; its RGBA bytes travel beside the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Painted {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}
