//! Texture synthesis: settings.

use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::labs::search::spec::{
    OPTIMIZER_HELP, Optimizer, RATE, RATE_HELP, SEED, SEED_HELP, SIZE, SOURCES, STEPS, VARIATION,
    VARIATION_HELP,
};
use crate::protocol::param::{Effect, Kind, choice, number};
use crate::protocol::settings::Found;
use crate::settings;

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "texture",
    verb: "texture",
    about: "Makes a texture like an example, from noise",
    wing: Wing::Understanding,
    topics: &["texture"],
    tasks: TASKS,
    params: PARAMS,
    network: Some("vgg16"),
    uses_picture: false,
    starts_by_itself: false,
    warms_up: false,
    example: "g=poppies",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "styles",
        name: "one-layer",
        link: "g=poppies&l=1&s=40&n=96",
    },
];

settings! {
    /// Settings of texture synthesis.
    pub struct TextureSettings {
        /// Index into [`SOURCES`].
        source ("painting", "g"): Found = Kind::Choice(SOURCES), "painting that the texture is taken from", causes(Effect::Restart), page_only();
        layers ("layers", "l"): usize = number(1.0, 5.0, 1.0, 4.0), "layers whose Gram matrices are matched: conv1_1 alone, up to conv5_1", causes(Effect::Adjust), group("style");
        variation_weight ("tv-weight", "z"): f32 = VARIATION, VARIATION_HELP, causes(Effect::Adjust), group("tv");
        optimizer ("optimizer", "m"): Optimizer = choice::<Optimizer>(), OPTIMIZER_HELP, causes(Effect::Restart), group("step");
        rate ("rate", "r"): f32 = RATE, RATE_HELP, causes(Effect::Adjust), group("step");
        steps ("steps", "s"): u32 = STEPS, "steps of the search", causes(Effect::Adjust), group("step");
        size ("size", "n"): usize = SIZE, "side of the square texture in pixels, and longer side of its example", causes(Effect::Restart), group("size");
        seed ("seed", "k"): u64 = SEED, SEED_HELP, causes(Effect::Restart), group("step");
    }
}
