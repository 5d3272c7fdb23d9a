//! Filters and activations: settings, questions and answers.

use serde::{Deserialize, Serialize};

use crate::labs::search::spec::LayeredNetwork;
use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::param::{Effect, choice, number};
use crate::protocol::settings::Settings;
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "activations",
    verb: "classify",
    about: "Names what is in a picture, and shows what each layer makes of it",
    wing: Wing::Understanding,
    topics: &["filters"],
    tasks: TASKS,
    params: PARAMS,
    network: None,
    uses_picture: true,
    starts_by_itself: true,
    warms_up: true,
    example: "p=cat",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "evidence",
        name: "shrink",
        link: "p=cat&l=0",
    },
];

choices! {
    /// What is drawn as the largest.
    pub enum Contrast {
        /// The largest of each channel: faint ones are seen as well.
        Each,
        /// The largest of the layer: channels can be compared.
        All,
    }
}

choices! {
    /// In which order channels stand.
    pub enum Sort {
        /// By number.
        Number,
        /// By their largest value, the largest first.
        Strongest,
    }
}

fn last_layer(settings: &Settings) -> f32 {
    settings.read::<ActivationsSettings>().network.last_layer() as f32
}

fn last_channel(settings: &Settings) -> f32 {
    let settings: ActivationsSettings = settings.read();
    settings.network.last_channel(settings.layer) as f32
}

settings! {
    /// Settings of what is shown.
    pub struct ActivationsSettings {
        network ("network", "w"): LayeredNetwork = choice::<LayeredNetwork>(), "network that is looked into; vgg16 knows no classes, the two of lenet see grey pictures of 28 x 28 pixels", causes(Effect::Rerun), group("network");
        layer ("layer", "l"): usize = number(0.0, 17.0, 1.0, 4.0), "layer: from 0 (stem) to 17 (head), of vgg16 from 0 (conv1_1) to 12 (conv5_3), of lenet from 0 (conv1) to 3 (dense2)", causes(Effect::Refine), group("network"), most(last_layer);
        channel ("channel", "n"): usize = number(0.0, 1279.0, 1.0, 0.0), "channel of the layer that is shown large, from 0", causes(Effect::Refine), group("map"), most(last_channel);
        contrast ("contrast", "a"): Contrast = choice::<Contrast>(), "what is drawn as the largest: the largest value of each channel, or of all of them", causes(Effect::Refine), group("map");
        sort ("sort", "o"): Sort = choice::<Sort>(), "order of the channels: by number, or those with the largest values first", causes(Effect::Refine), group("map");
        /// In percent.
        opacity ("opacity", "b"): f32 = number(0.0, 100.0, 1.0, 80.0), "opacity of the channel over the picture in percent", group("map");
    }
}

impl ActivationsSettings {
    /// The layer, of those that the network has.
    pub fn layer(&self) -> usize {
        self.layer.min(self.network.last_layer())
    }

    /// The channel, of those that the layer has.
    pub fn channel(&self) -> usize {
        self.channel.min(self.network.last_channel(self.layer))
    }
}

/// What the lab is asked. A picture travels as `picture`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Send the picture through: an [`Answer`] with its files.
    Run,
    /// Show the last picture with these settings; as above.
    Show,
    /// The parts of pictures, which travel as `0`, `1` and so on, that excite the channel most: [`Patches`], and the
    /// file `rgba` with one after the other.
    Patches,
    /// Take the last picture through the network layer by layer, with a watch: milliseconds for each layer, a list.
    Times,
    /// Classify ten crops of the last picture: [`Crops`], and the file `rgba` with one after the other.
    Crops,
    /// The layer's channels as a sheet, in the file `png`.
    Export,
}

/// A layer, as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// Its name.
    pub name: String,
    /// Channels, rows and columns of its map of this picture.
    pub shape: [usize; 3],
    /// How many numbers it has learned.
    pub parameters: usize,
    /// Side of the part of the picture that a place can see, in the network's pixels.
    pub field: usize,
}

/// What a network takes a picture for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Guess {
    /// Number of the class.
    pub class: usize,
    /// Its name.
    pub name: String,
    /// From 0 to 1.
    pub probability: f32,
}

/// What a network makes of a picture. Beside it the files `maps`, the layer's channels in the order of `order`, a byte
/// for each place, shrunk to `tile`; `channel`, the one channel at its full size; and `kernels`, RGB by pixel, one kernel
/// after the other. In a signed map 128 is zero, otherwise 0 is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Answer {
    /// Columns and rows of the picture that the network saw.
    pub seen: [usize; 2],
    /// Whether a bright picture was turned into its negative: a network of bright strokes on black would see none.
    pub negative: bool,
    /// The most probable classes, best first; none where the network knows none.
    pub classes: Vec<Guess>,
    /// From the picture on.
    pub layers: Vec<Drawn>,
    /// The one that is shown.
    pub layer: usize,
    /// The channel that is shown large.
    pub channel: usize,
    /// Channels, in the order in which they are drawn.
    pub order: Vec<usize>,
    /// Columns and rows of a channel in `maps`.
    pub tile: [usize; 2],
    /// Whether the map has values below zero.
    pub signed: bool,
    /// What is drawn as the largest in the channel that is shown large.
    pub largest: f32,
    /// Its smallest, mean and largest value, and the share of its places that are above zero.
    pub channel_says: [f32; 4],
    /// Side of a kernel, and how many there are in `kernels`.
    pub kernels: [usize; 2],
    /// Whether kernels are coloured as they see the picture.
    pub kernels_in_colour: bool,
}

/// Parts of pictures that excite a channel, the most exciting first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Patches {
    /// Columns and rows of each in the file.
    pub side: usize,
    /// Of each: number of the picture, value of the channel there, and the part of the picture that it sees, as shares
    /// of its width and height: left, top, right, bottom.
    pub patches: Vec<(usize, f32, [f32; 4])>,
}

/// Ten crops of a picture: its middle square and four corners, and their mirrors (Krizhevsky et al. 2012, section 4.1).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Crops {
    /// Columns and rows of each in the file.
    pub side: usize,
    /// The class that the mean of the ten probabilities is largest for, and that mean.
    pub mean: Guess,
    /// The most probable class of each crop.
    pub crops: Vec<Guess>,
    /// What the probability of the mean's class is in each.
    pub of_mean: Vec<f32>,
}
