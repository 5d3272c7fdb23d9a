//! Feature inversion: settings.

use crate::labs::search::spec::{LayeredNetwork, SEED, SEED_HELP};
use crate::protocol::lab::{LabSpec, Wing};
use crate::protocol::param::{Effect, choice, number};
use crate::protocol::settings::Settings;
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "inversion",
    verb: "invert",
    about: "Rebuilds a picture from what a layer keeps of it",
    wing: Wing::Understanding,
    topics: &["reconstruction"],
    tasks: &[],
    params: PARAMS,
    network: None,
    uses_picture: true,
    starts_by_itself: false,
    warms_up: false,
    example: "p=cat",
};

choices! {
    /// From which layers the picture is rebuilt.
    pub enum From {
        /// From several, early and late, side by side.
        Row,
        /// From one.
        One,
    }
}

fn from(settings: &Settings) -> From {
    settings.read::<InversionSettings>().from
}

fn last_layer(settings: &Settings) -> f32 {
    settings.read::<InversionSettings>().network.last_layer() as f32
}

settings! {
    /// Settings of feature inversion.
    pub struct InversionSettings {
        network ("network", "w"): LayeredNetwork = choice::<LayeredNetwork>(), "network whose features are inverted", causes(Effect::Restart), group("features");
        from ("from", "o"): From = choice::<From>(), "rebuild from a row of layers, or from one", causes(Effect::Restart), group("features");
        layer ("layer", "l"): usize = number(0.0, 17.0, 1.0, 5.0), "layer: from 0 (stem) to 17 (head), of vgg16 from 0 (conv1_1) to 12 (conv5_3), of lenet from 0 (conv1) to 3 (dense2) (from one)", causes(Effect::Restart), group("features"), shows(|s| from(s) == From::One), most(last_layer);
        variation ("tv", "z"): f32 = number(0.0, 20.0, 0.5, 2.0), "weight of the total variation: smoothness", causes(Effect::Adjust), group("prior");
        norm ("norm", "e"): f32 = number(0.0, 10.0, 0.5, 1.0), "weight of the sixth power of how far pixels are from grey", causes(Effect::Adjust), group("prior");
        rate ("rate", "r"): f32 = number(0.005, 0.1, 0.005, 0.02), "how far a step of Adam moves a pixel, as a share of the range from black to white", causes(Effect::Adjust), group("step");
        steps ("steps", "s"): u32 = number(1.0, 1000.0, 1.0, 200.0), "steps of the search", causes(Effect::Adjust), group("step");
        size ("size", "n"): usize = number(64.0, 320.0, 32.0, 160.0), "longer side of the picture in pixels", causes(Effect::Restart), group("size");
        seed ("seed", "k"): u32 = SEED, SEED_HELP, causes(Effect::Restart), group("step");
    }
}

impl InversionSettings {
    /// The layers from which the picture is rebuilt, by number; those that the network does not have are its last.
    pub fn layers(&self) -> Vec<usize> {
        match (self.from, self.network) {
            (From::One, _) => vec![self.layer.min(self.network.last_layer())],
            // The ends of the stages: strides of 2, 4, 8, 16, 16 and 32.
            (From::Row, LayeredNetwork::EfficientNetLite0) => vec![1, 3, 5, 8, 11, 16],
            // The ends of the groups.
            (From::Row, LayeredNetwork::Vgg16) => vec![1, 3, 6, 9, 12],
            (From::Row, LayeredNetwork::LeNetDigits | LayeredNetwork::LeNetFashion) => vec![0, 1, 2, 3],
        }
    }
}
