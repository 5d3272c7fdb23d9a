//! Style in one pass: settings, questions and answers.

use serde::{Deserialize, Serialize};

use super::paintings::{BUILT_IN, OWN, PAINTINGS};
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::param::{Effect, Kind, choice, number};
use crate::protocol::settings::{Found, Shares};
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "stylize",
    verb: "stylize",
    about: "Repaints pictures in one of 26 styles, a mixture, or the style of a picture",
    wing: Wing::Understanding,
    topics: &["fast-style"],
    tasks: TASKS,
    params: PARAMS,
    network: Some("multistyle26"),
    uses_picture: true,
    starts_by_itself: true,
    warms_up: true,
    example: "p=temple&y=19",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "styles",
        name: "one-pass",
        link: "p=temple&g=auvers",
    },
];

/// Styles that the network was trained on.
pub const STYLES: usize = 26;

/// The words of where the style comes from: the 26 that are built in, a painting, or a picture of the
/// visitor's.
pub const SOURCES: &[&str] = &{
    let mut words = [OWN; PAINTINGS.len() + 2];
    words[0] = BUILT_IN;
    let mut index = 0;
    while index < PAINTINGS.len() {
        words[index + 1] = PAINTINGS[index].name;
        index += 1;
    }
    words
};

choices! {
    /// Whose colours the result has.
    pub enum Colors {
        /// Those of the style.
        Style,
        /// Those of the photograph: only its brightness is repainted.
        Photo,
    }
}

const DIRECTION: Kind = number(-3.0, 3.0, 0.1, 0.0);
const DIRECTION_HELP: &str = "moves the style of a picture along a main direction in which styles differ, in standard deviations";

settings! {
    /// Settings of style in one pass.
    pub struct StylizeSettings {
        style ("style", "y"): Shares = Kind::Mix { of: STYLES, default: 19 }, "style by number, 0 to 25, or a mixture with weights: 12, or 3:50,12:50", causes(Effect::Rerun);
        /// Index into [`SOURCES`].
        source ("painting", "g"): Found = Kind::Choice(SOURCES), "painting that the style is taken from, instead of the built-in styles", causes(Effect::Rerun), page_only();
        /// In percent.
        strength ("strength", "t"): f32 = number(0.0, 100.0, 1.0, 100.0), "how much of the repainted picture is laid over the photograph, in percent", causes(Effect::Refine), group("finish");
        colors ("colors", "c"): Colors = choice::<Colors>(), "colours of the style, or of the photograph (only its brightness is repainted)", causes(Effect::Refine), group("finish");
        /// Longer side in pixels.
        size ("size", "n"): usize = number(128.0, 1024.0, 64.0, 512.0), "longer side in pixels that the network works at; smaller pictures are not enlarged", causes(Effect::Rerun), group("finish");
        direction_1 ("direction-1", "d"): f32 = DIRECTION, DIRECTION_HELP, causes(Effect::Rerun);
        direction_2 ("direction-2", "e"): f32 = DIRECTION, DIRECTION_HELP, causes(Effect::Rerun);
        direction_3 ("direction-3", "f"): f32 = DIRECTION, DIRECTION_HELP, causes(Effect::Rerun);
        direction_4 ("direction-4", "h"): f32 = DIRECTION, DIRECTION_HELP, causes(Effect::Rerun);
    }
}

impl StylizeSettings {
    /// How far the style of a picture is moved along each main direction in which styles differ, in
    /// standard deviations.
    pub fn directions(&self) -> [f32; 4] {
        [
            self.direction_1,
            self.direction_2,
            self.direction_3,
            self.direction_4,
        ]
    }

    /// The word of [`SOURCES`].
    pub fn source(&self) -> &'static str {
        SOURCES[self.source.0]
    }
}

/// What the lab is asked. The photograph travels as `picture`, the picture that a style is taken from as
/// `style`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// Repaint the picture, some regions in styles of their own: [`Painted`] and the file `rgba`.
    Run {
        /// Later ones lie over earlier ones.
        regions: Vec<Region>,
    },
    /// Other strength and colours for the last run: [`Painted`] and the file `rgba`.
    Refine,
    /// The finished picture of the last run, in the file `png`.
    Export,
    /// What the network painted in the last run, in the file `raw`, little-endian f32: RGB by row, 0 to
    /// 1, rounded to 8 bits.
    Raw,
}

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

/// The repainted picture's size. Beside it the file `rgba`, by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Painted {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}
