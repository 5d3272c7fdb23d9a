//! Selective search: settings, question and answer.

use serde::{Deserialize, Serialize};

use crate::labs::truth::scene::SceneSettings;
use crate::protocol::lab::{LabSpec, Wing};
use crate::protocol::param::{Effect, Kind, choice, number};
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "propose",
    verb: "propose",
    about: "Finds where objects may be by selective search, from the picture alone",
    wing: Wing::Detection,
    topics: &["region-proposals"],
    tasks: &[],
    params: PARAMS,
    network: None,
    uses_picture: true,
    starts_by_itself: true,
    warms_up: false,
    example: "p=crew",
};

choices! {
    /// What lies over the picture.
    pub enum View {
        /// The regions after so many merges.
        Regions,
        /// The boxes of the search, the likeliest first.
        Boxes,
    }
}

choices! {
    /// The colour space.
    pub enum Colors {
        /// Hue, saturation, value.
        Hsv,
        /// CIE L*a*b*.
        Lab,
        /// Red, green, blue.
        Rgb,
    }
}

choices! {
    /// What makes regions similar.
    pub enum By {
        /// All four, added up.
        All,
        /// Colours alone.
        Color,
        /// Texture alone.
        Texture,
        /// Small ones first.
        Size,
        /// Those that fill each other's gaps.
        Fill,
    }
}

settings! {
    /// Settings of the lab: those of one hierarchy. The search of the detectors has its own.
    pub struct ProposeSettings {
        k ("k", "k"): f32 = number(10.0, 500.0, 10.0, 100.0), "how much segments have to differ to stay apart, for colours from 0 to 255", causes(Effect::Rerun), group("cut");
        sigma ("sigma", "g"): f32 = number(0.0, 2.0, 0.1, 0.5), "blur before the cut: standard deviation in pixels", causes(Effect::Rerun), group("cut");
        least ("least", "l"): usize = number(5.0, 200.0, 5.0, 15.0), "pixels that a segment has at least", causes(Effect::Rerun), group("cut");
        colors ("colors", "c"): Colors = choice::<Colors>(), "colour space", causes(Effect::Rerun), group("cut");
        by ("by", "m"): By = choice::<By>(), "what makes regions similar", causes(Effect::Rerun), group("merge");
        view ("view", "w"): View = choice::<View>(), "what lies over the picture", page_only();
        /// As far as there are so many.
        step ("step", "n"): usize = number(0.0, 12000.0, 1.0, 0.0), "merges that are shown", page_only();
        most ("most", "x"): usize = number(1.0, 500.0, 1.0, 500.0), "proposals at most, the likeliest first";
        /// See [`scene`](crate::labs::truth::scene).
        scene ("scene", "q"): String = Kind::Text { default: "" }, "cut-outs over the picture: number,x,y,height,turn of each, in thousandths of the picture and degrees, with semicolons between", causes(Effect::Rerun), page_only();
        /// See [`truth`](crate::labs::truth).
        truth ("truth", "t"): String = Kind::Text { default: "" }, "what is really there: class,x0,y0,x1,y1 of each object in thousandths of the picture, with semicolons between", page_only(), of_picture();
        overlap ("overlap", "h"): f32 = number(0.5, 0.95, 0.05, 0.5), "overlap (IoU) from which on an object counts as found", page_only(), group("truth");
    }
}

/// Where its scene is.
pub const SCENE: SceneSettings = SceneSettings {
    lab: &LAB,
    scene: NAMES.scene,
    truth: NAMES.truth,
    opens: &[(NAMES.view, "boxes")],
};

/// What the lab is asked. A picture travels as `picture`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Cut and merge: an [`Answer`]. Beside it, little-endian: `segments`, a u16 for each pixel; and as f32 `regions`, pixels
    /// and four edges of each in pixels of the cut; `merges`, two numbers of regions and the four similarities of each;
    /// `proposals`, four corners of each box of the search, in pixels of the picture, the likeliest first.
    Run,
}

/// Most boxes of the search that are told.
pub const MOST: usize = 500;
/// Numbers of a region, and of a merge, in their files.
pub const OF_REGION: usize = 5;
/// See [`OF_REGION`].
pub const OF_MERGE: usize = 6;

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Columns and rows of the picture.
    pub size: [usize; 2],
    /// Columns and rows at which it is cut.
    pub cut: [usize; 2],
    /// First segments: regions with numbers from 0; each merge makes the next one.
    pub segments: usize,
    /// Milliseconds of the hierarchy, and of the whole search.
    pub ms: [f64; 2],
}
