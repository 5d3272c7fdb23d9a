//! Divergences, convexity, Lipschitz continuity: settings. The page computes them itself.

use crate::maths::convexity::Curve;
use crate::maths::divergence::FDivergence;
use crate::maths::lipschitz::Slope;
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::param::{Kind, Value, choice};
use crate::protocol::settings::{Field, Numbers, variant};
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "divergence",
    verb: "divergence",
    about: "Shows how far two densities are apart",
    wing: Wing::Generative,
    topics: &["divergences"],
    tasks: TASKS,
    params: PARAMS,
    network: None,
    uses_picture: false,
    starts_by_itself: true,
    warms_up: false,
    example: "f=jensen-shannon",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "measures",
        name: "apart",
        link: "k=box",
    },
    Task {
        lesson: "measures",
        name: "slope",
        link: "w=lipschitz&l=step",
    },
];

choices! {
    /// What is shown.
    pub enum Topic { Divergences, Convexity, Lipschitz }
}

choices! {
    /// Form of the densities.
    pub enum Form {
        /// It has no end.
        Normal,
        /// It ends.
        Box,
    }
}

macro_rules! variants {
    ($($name:ty),*) => {
        $(impl Field for $name {
            fn from_value(value: &Value) -> Self {
                variant(value)
            }
        })*
    };
}
variants!(FDivergence, Curve, Slope);

settings! {
    /// Settings of the lab.
    pub struct DivergenceSettings {
        topic ("topic", "w"): Topic = choice::<Topic>(), "what is shown";
        divergence ("divergence", "f"): FDivergence = choice::<FDivergence>(), "divergence whose functions are drawn";
        bumps ("bumps", "b"): Numbers = Kind::Row { of: 4 }, "centre and width of the first density, then of the second, from their defaults";
        form ("boxes", "k"): Form = choice::<Form>(), "form of the densities: a box ends, a normal density does not";
        curve ("curve", "c"): Curve = choice::<Curve>(), "curve that the chord lies on";
        chord ("chord", "h"): Numbers = Kind::Row { of: 2 }, "ends of the chord, from their defaults";
        function ("function", "l"): Slope = choice::<Slope>(), "function under the cone";
        cone ("cone", "o"): Numbers = Kind::Row { of: 2 }, "place and slope of the cone, from their defaults";
        matrix ("matrix", "m"): Numbers = Kind::Row { of: 4 }, "the matrix of power iteration, row by row, from its default";
    }
}
