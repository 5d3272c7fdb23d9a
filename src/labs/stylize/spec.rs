//! The style lab: settings and result.

use serde::{Deserialize, Serialize};

use crate::protocol::params::{Kind, Param};

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

/// How far the style of a picture is moved along each main direction in which styles differ, in
/// standard deviations.
pub const DIRECTIONS: [&str; 4] = ["direction-1", "direction-2", "direction-3", "direction-4"];

const fn direction(name: &'static str, key: &'static str) -> Param {
    Param {
        name,
        key,
        kind: Kind::Number {
            min: -3.0,
            max: 3.0,
            step: 0.1,
            default: 0.0,
        },
        help: "moves the style of a picture along a main direction in which styles differ, in standard deviations",
    }
}

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
    direction("direction-1", "d"),
    direction("direction-2", "e"),
    direction("direction-3", "f"),
    direction("direction-4", "h"),
];

/// Most regions that a picture has.
pub const REGIONS_MAX: usize = 200;
/// Most points that a region has.
pub const POINTS_MAX: usize = 5_000;

/// A part of the picture, drawn with a brush, that is painted in a style of its own. Later ones lie
/// over earlier ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// One of the 26 styles; none for the photograph itself.
    pub style: Option<u8>,
    /// Diameter of the brush at full pressure, as a share of the longer side.
    pub width: f32,
    /// Places as shares of columns and of rows, and pressure from 0 to 1.
    pub points: Vec<[f32; 3]>,
}

impl Region {
    /// Whether style and numbers are such as the lab takes.
    pub fn is_valid(&self) -> bool {
        let mut numbers = self.points.iter().flatten().chain([&self.width]);
        self.style.is_none_or(|style| usize::from(style) < STYLES)
            && self.points.len() <= POINTS_MAX
            && numbers.all(|number| number.abs() <= 10.0)
    }
}

/// The repainted picture's size; its RGBA bytes travel beside the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Painted {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}
