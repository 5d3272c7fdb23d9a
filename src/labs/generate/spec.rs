//! What the generative labs share.

use crate::protocol::param::{Kind, number};

/// Largest seed.
pub const SEED_MAX: f32 = 9999.0;
/// Seeds.
pub const SEED: Kind = seed(1.0);
/// Sliders along principal directions.
pub const SLIDERS: Kind = Kind::Row { of: 12 };
/// What the sliders do.
pub const SLIDERS_HELP: &str = "steps along the first twelve directions, in standard deviations";
/// Sliders along attributes of avatars.
pub const ATTRIBUTES: Kind = Kind::Row {
    of: crate::protocol::generative::ATTRIBUTES_OF_AVATARS.len(),
};
/// What they do.
pub const ATTRIBUTES_HELP: &str =
    "steps along the directions of attributes, in standard deviations";

/// Seeds with a default.
pub const fn seed(default: f32) -> Kind {
    number(0.0, SEED_MAX, 1.0, default)
}
