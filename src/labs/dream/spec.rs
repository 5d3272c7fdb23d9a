//! DeepDream: settings.

use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::labs::search::spec::{SEED, SEED_HELP};
use crate::protocol::param::{Effect, Kind, number};
use crate::protocol::settings::Found;
use crate::settings;

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "dream",
    verb: "dream",
    about: "Grows what a layer of the network sees in a picture",
    wing: Wing::Understanding,
    topics: &["deepdream"],
    tasks: TASKS,
    params: PARAMS,
    network: Some("vgg16"),
    uses_picture: true,
    starts_by_itself: false,
    warms_up: false,
    example: "p=temple",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "styles",
        name: "layer",
        link: "p=temple&l=conv2_2&o=2&s=6&n=160",
    },
];

/// Layers whose activations may grow.
pub const LAYERS: &[&str] = &[
    "conv4_3", "conv2_2", "conv3_1", "conv3_3", "conv4_1", "conv4_2", "conv5_1", "conv5_2", "conv5_3",
];

settings! {
    /// Settings of dreams.
    pub struct DreamSettings {
        /// Index into [`LAYERS`].
        layer ("layer", "l"): Found = Kind::Choice(LAYERS), "layer whose activations grow", causes(Effect::Adjust), group("activation");
        /// Empty for the layer.
        expression ("expression", "x"): String = Kind::Text { default: "" }, "what grows instead of the layer: a sum of channel(LAYER, N), unit(LAYER, N), layer(LAYER), tv and l2, with weights, such as layer(conv4_3) + 4*channel(conv5_1, 20) - tv", causes(Effect::Restart), group("activation");
        octaves ("octaves", "o"): u32 = number(1.0, 6.0, 1.0, 3.0), "sizes that are dreamed, from small to large", causes(Effect::Restart), group("octaves");
        octave_scale ("octave-scale", "q"): f32 = number(1.2, 2.0, 0.1, 1.4), "how much larger the next size is", causes(Effect::Restart), group("octaves");
        /// In pixels.
        jitter ("jitter", "j"): u32 = number(0.0, 32.0, 1.0, 16.0), "pixels by which the picture is shifted at random before each step", causes(Effect::Adjust), group("jitter");
        rate ("rate", "r"): f32 = number(0.005, 0.05, 0.005, 0.01), "how far a step moves a pixel on average, as a share of the range from black to white", causes(Effect::Adjust), group("step");
        /// Share of the gradient on colours that is followed.
        chroma ("chroma", "h"): f32 = number(0.0, 1.0, 0.05, 0.3), "share of the gradient on colours that is followed: 0 changes brightness alone, 1 is the plain gradient", causes(Effect::Adjust), group("step");
        /// At each size.
        steps ("steps", "s"): u32 = number(1.0, 100.0, 1.0, 10.0), "steps at each size", causes(Effect::Adjust), group("step");
        size ("size", "n"): usize = number(64.0, 768.0, 32.0, 320.0), "longer side of the result in pixels; smaller pictures are not enlarged", causes(Effect::Restart), group("size");
        seed ("seed", "k"): u64 = SEED, SEED_HELP, causes(Effect::Restart), group("jitter");
    }
}

impl DreamSettings {
    /// What grows, as an expression.
    pub fn objective(&self) -> String {
        match self.expression.trim() {
            "" => format!("layer({})", LAYERS[self.layer.0]),
            expression => expression.into(),
        }
    }
}
