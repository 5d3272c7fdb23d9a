//! Style by optimisation: settings.

use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::labs::search::spec::{
    OPTIMIZER_HELP, Optimizer, RATE, RATE_HELP, SEED, SEED_HELP, SIZE, SOURCES, STEPS, VARIATION,
    VARIATION_HELP,
};
use crate::labs::stylize::spec::Colors;
use crate::protocol::param::{Effect, Kind, choice, number};
use crate::protocol::settings::Found;
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "gatys",
    verb: "gatys",
    about: "Repaints a picture in the style of another, by a search",
    wing: Wing::Understanding,
    topics: &["style-optimisation"],
    tasks: TASKS,
    params: PARAMS,
    network: Some("vgg16"),
    uses_picture: true,
    starts_by_itself: false,
    warms_up: false,
    example: "p=temple&g=auvers",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "styles",
        name: "no-content",
        link: "p=temple&g=auvers&w=0.0&s=40&i=noise&n=96",
    },
];

/// Layers whose map of the content may be kept.
pub const CONTENT_LAYERS: &[&str] = &["conv4_2", "conv3_2", "conv2_2", "conv1_2"];

choices! {
    /// The picture that the search starts from.
    pub enum Start {
        /// The photograph.
        Content,
        /// Noise.
        Noise,
        /// The painting.
        Style,
    }
}

const LAYER_WEIGHT: Kind = number(0.0, 2.0, 0.1, 1.0);

settings! {
    /// Settings of style by optimisation.
    pub struct GatysSettings {
        /// Index into [`SOURCES`].
        source ("painting", "g"): Found = Kind::Choice(SOURCES), "painting that the style is taken from", causes(Effect::Restart), page_only();
        content_weight ("content-weight", "w"): f32 = number(0.0, 10.0, 0.1, 1.0), "weight of the content loss", causes(Effect::Adjust), group("content");
        /// Index into [`CONTENT_LAYERS`].
        content_layer ("content-layer", "l"): Found = Kind::Choice(CONTENT_LAYERS), "layer whose map of the content is kept: the deeper, the freer the strokes", causes(Effect::Restart), group("content");
        style_weight ("style-weight", "y"): f32 = number(0.0, 100.0, 1.0, 10.0), "weight of the style loss", causes(Effect::Adjust), group("style");
        style_1 ("style-1", "a"): f32 = LAYER_WEIGHT, "weight of conv1_1 within the style: colours", causes(Effect::Adjust), group("style");
        style_2 ("style-2", "b"): f32 = LAYER_WEIGHT, "weight of conv2_1 within the style: grain", causes(Effect::Adjust), group("style");
        style_3 ("style-3", "d"): f32 = LAYER_WEIGHT, "weight of conv3_1 within the style: small strokes", causes(Effect::Adjust), group("style");
        style_4 ("style-4", "e"): f32 = LAYER_WEIGHT, "weight of conv4_1 within the style: strokes and motifs", causes(Effect::Adjust), group("style");
        style_5 ("style-5", "f"): f32 = LAYER_WEIGHT, "weight of conv5_1 within the style: large motifs", causes(Effect::Adjust), group("style");
        variation_weight ("tv-weight", "z"): f32 = VARIATION, VARIATION_HELP, causes(Effect::Adjust), group("tv");
        optimizer ("optimizer", "m"): Optimizer = choice::<Optimizer>(), OPTIMIZER_HELP, causes(Effect::Restart), group("step");
        rate ("rate", "r"): f32 = RATE, RATE_HELP, causes(Effect::Adjust), group("step");
        steps ("steps", "s"): u32 = STEPS, "steps of the search", causes(Effect::Adjust), group("step");
        start ("start", "i"): Start = choice::<Start>(), "picture that the search starts from", causes(Effect::Restart), group("step");
        size ("size", "n"): usize = SIZE, "longer side of the result in pixels; smaller pictures are not enlarged", causes(Effect::Restart), group("size");
        seed ("seed", "k"): u64 = SEED, SEED_HELP, causes(Effect::Restart), group("step");
        colors ("colors", "c"): Colors = choice::<Colors>(), "colours of the style, or of the content (only its brightness is repainted)", causes(Effect::Refine), group("size");
    }
}
