//! Gradient ascent: settings.

use crate::protocol::imagenet::{WORDS, name};
use crate::labs::search::spec::{LayeredNetwork, SEED, SEED_HELP};
use crate::protocol::lab::{LabSpec, Wing};
use crate::protocol::param::{Effect, Kind, choice, number};
use crate::protocol::settings::{Found, Settings};
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "ascent",
    verb: "ascend",
    about: "Makes the picture that a class, a channel or an expression of them answers to most, from noise",
    wing: Wing::Understanding,
    topics: &["gradient-ascent"],
    tasks: &[],
    params: PARAMS,
    network: None,
    uses_picture: false,
    starts_by_itself: false,
    warms_up: false,
    example: "c=daisy",
};

choices! {
    /// What the picture is to make the network say.
    pub enum Aim {
        /// A class: the logit before the softmax.
        Class,
        /// A channel of a layer, everywhere.
        Channel,
        /// A sum of such.
        Expression,
    }
}

/// The class that is shown where none is chosen: daisy.
const EXAMPLE: usize = 985;

fn aim(settings: &Settings) -> Aim {
    settings.read::<AscentSettings>().aim
}

fn several(settings: &Settings) -> bool {
    settings.read::<AscentSettings>().faces > 1
}

fn is_small(settings: &Settings) -> bool {
    let network = settings.read::<AscentSettings>().network;
    network.layers().side.is_some()
}

fn last_layer(settings: &Settings) -> f32 {
    settings.read::<AscentSettings>().network.last_layer() as f32
}

fn last_channel(settings: &Settings) -> f32 {
    let settings: AscentSettings = settings.read();
    settings.network.last_channel(settings.layer) as f32
}

settings! {
    /// Settings of gradient ascent.
    pub struct AscentSettings {
        network ("network", "w"): LayeredNetwork = choice::<LayeredNetwork>(), "network that is asked; vgg16 knows no classes", causes(Effect::Restart), group("aim");
        aim ("aim", "o"): Aim = choice::<Aim>(), "what the picture is made for", causes(Effect::Restart), group("aim");
        /// Index into [`WORDS`], whose first stands for [`EXAMPLE`].
        class ("class", "c"): Found = Kind::Search(WORDS), "class, by its name in ImageNet or its number from 0 to 999; best is a daisy (aim class)", causes(Effect::Restart), group("aim"), shows(|s| aim(s) == Aim::Class && !is_small(s));
        kind ("kind", "d"): usize = number(0.0, 9.0, 1.0, 3.0), "class of the lenet networks: a digit, or the number of a garment (aim class)", causes(Effect::Restart), group("aim"), shows(|s| aim(s) == Aim::Class && is_small(s));
        layer ("layer", "l"): usize = number(0.0, 17.0, 1.0, 11.0), "layer: from 0 (stem) to 17 (head), of vgg16 from 0 (conv1_1) to 12 (conv5_3), of lenet from 0 (conv1) to 3 (dense2) (aim channel)", causes(Effect::Restart), group("aim"), shows(|s| aim(s) == Aim::Channel), most(last_layer);
        channel ("channel", "n"): usize = number(0.0, 1279.0, 1.0, 12.0), "channel of the layer, from 0 (aim channel)", causes(Effect::Restart), group("aim"), shows(|s| aim(s) == Aim::Channel), most(last_channel);
        expression ("expression", "x"): String = Kind::Text { default: "class(flamingo) + class(zebra)" }, "sum of class(NAME), channel(LAYER, N), unit(LAYER, N), layer(LAYER), tv and l2, with weights, such as class(flamingo) + 2*channel(block5, 20) - tv (aim expression)", causes(Effect::Restart), group("aim"), shows(|s| aim(s) == Aim::Expression);
        faces ("faces", "f"): usize = number(1.0, 4.0, 1.0, 1.0), "pictures that are made at once", causes(Effect::Restart), group("aim");
        diversity ("diversity", "y"): f32 = number(0.0, 10.0, 0.5, 2.0), "how strongly the pictures keep apart, where there are several", causes(Effect::Adjust), group("aim"), shows(several);
        /// In percent of the way to grey.
        decay ("decay", "e"): f32 = number(0.0, 10.0, 0.5, 2.0), "L2 decay: percent of the way to grey at each step", causes(Effect::Adjust), group("regularisers");
        /// In pixels.
        blur ("blur", "b"): f32 = number(0.0, 2.0, 0.1, 0.0), "standard deviation in pixels of the blur", causes(Effect::Adjust), group("regularisers");
        blur_every ("blur-every", "u"): u32 = number(1.0, 20.0, 1.0, 1.0), "steps from one blur to the next", causes(Effect::Adjust), group("regularisers");
        /// In percent of the pixels.
        clip_values ("clip-values", "i"): f32 = number(0.0, 95.0, 5.0, 0.0), "percent of the pixels, those nearest to grey, that are made grey", causes(Effect::Adjust), group("regularisers");
        /// In percent of the pixels.
        clip_slopes ("clip-slopes", "g"): f32 = number(0.0, 95.0, 5.0, 0.0), "percent of the pixels, those that add least to the objective, that are made grey", causes(Effect::Adjust), group("regularisers");
        variation ("tv", "z"): f32 = number(0.0, 1.0, 0.05, 0.0), "total variation: share of the way to the mean of its neighbours that each pixel goes at each step", causes(Effect::Adjust), group("regularisers");
        /// In pixels.
        jitter ("jitter", "j"): usize = number(0.0, 32.0, 1.0, 16.0), "pixels by which the picture is shifted at random before each step", causes(Effect::Adjust), group("regularisers");
        /// The exponent of the frequency by which the gradient is divided.
        spectrum ("spectrum", "q"): f32 = number(0.0, 2.0, 0.1, 0.8), "how much coarse structure counts: each frequency of the gradient is divided by so many powers of itself; 0 is the plain gradient", causes(Effect::Adjust), group("regularisers");
        chroma ("chroma", "h"): f32 = number(0.0, 1.0, 0.05, 0.7), "share of the gradient on colours that is followed: 0 changes brightness alone, 1 is the plain gradient", causes(Effect::Adjust), group("regularisers");
        sizes ("sizes", "a"): usize = number(1.0, 5.0, 1.0, 3.0), "sizes at which it is made, from small to large", causes(Effect::Restart), group("size");
        scale ("scale", "t"): f32 = number(1.1, 2.0, 0.1, 1.5), "how much larger the next size is", causes(Effect::Restart), group("size");
        size ("size", "s"): usize = number(64.0, 320.0, 32.0, 224.0), "side of the picture in pixels", causes(Effect::Restart), group("size");
        rate ("rate", "r"): f32 = number(0.005, 0.1, 0.005, 0.02), "how far a step moves a pixel on average, as a share of the range from black to white", causes(Effect::Adjust), group("step");
        /// At each size.
        steps ("steps", "m"): u32 = number(1.0, 300.0, 1.0, 60.0), "steps at each size", causes(Effect::Adjust), group("step");
        seed ("seed", "k"): u32 = SEED, SEED_HELP, causes(Effect::Restart), group("step");
    }
}

impl AscentSettings {
    /// What the picture is made for, as an expression.
    pub fn objective(&self) -> String {
        match self.aim {
            Aim::Class if self.network.layers().side.is_some() => format!("class({})", self.network.layers().classes[self.kind]),
            Aim::Class => {
                // The first word is none of the classes.
                let class = self.class.0.checked_sub(1).unwrap_or(EXAMPLE);
                format!("class({})", name(class))
            }
            Aim::Channel => {
                let layers = self.network.layers().layers;
                let layer = layers.get(self.layer).map_or_else(|| self.layer.to_string(), |layer| layer.name.into());
                format!("channel({layer}, {})", self.channel)
            }
            Aim::Expression => self.expression.clone(),
        }
    }
}
