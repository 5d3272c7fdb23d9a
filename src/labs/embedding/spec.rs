//! The embedding map: settings, questions and answers.

use serde::{Deserialize, Serialize};

use crate::protocol::lab::{LabSpec, Task, Wing};
use crate::protocol::param::{Effect, choice, number};
use crate::protocol::settings::Settings;
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "embedding",
    verb: "embed",
    about: "Lays pictures on a map: what a network takes for alike lies together",
    wing: Wing::Understanding,
    topics: &["embeddings"],
    tasks: TASKS,
    params: PARAMS,
    network: Some("efficientnet-lite0"),
    uses_picture: true,
    starts_by_itself: true,
    warms_up: false,
    example: "p=cat",
};

const TASKS: &[Task] = &[
    Task {
        lesson: "evidence",
        name: "pixels",
        link: "p=cat&m=pca&s=pixels",
    },
];

choices! {
    /// How many numbers become two.
    pub enum Method {
        /// Neighbours stay neighbours.
        Tsne,
        /// The two directions along which pictures differ most.
        Pca,
    }
}

choices! {
    /// What of a picture is compared.
    pub enum Space {
        /// The means of the network's last 1,280 channels.
        Features,
        /// The pixels of the picture at 32 x 32.
        Pixels,
    }
}

choices! {
    /// How far two pictures are apart.
    pub enum Metric {
        /// One less the cosine of the angle.
        Cosine,
        /// The length of the difference.
        Euclid,
    }
}

fn is_tsne(settings: &Settings) -> bool {
    settings.read::<EmbeddingSettings>().method == Method::Tsne
}

settings! {
    /// Settings of the map.
    pub struct EmbeddingSettings {
        method ("method", "m"): Method = choice::<Method>(), "t-SNE, which keeps neighbours, or the two principal components", causes(Effect::Refine), group("method");
        space ("space", "s"): Space = choice::<Space>(), "what is compared: the network's features, or pixels", causes(Effect::Refine), group("method");
        metric ("metric", "d"): Metric = choice::<Metric>(), "distance: by the angle, or the length of the difference", causes(Effect::Refine), group("method");
        perplexity ("perplexity", "q"): f32 = number(2.0, 100.0, 1.0, 20.0), "neighbours that a picture counts as its own, roughly (method tsne)", causes(Effect::Refine), group("tsne"), shows(is_tsne);
        exaggeration ("exaggeration", "e"): f32 = number(1.0, 20.0, 1.0, 8.0), "by how much attraction is exaggerated in the first steps (method tsne)", causes(Effect::Refine), group("tsne"), shows(is_tsne);
        early ("early", "y"): usize = number(0.0, 500.0, 10.0, 100.0), "steps with attraction exaggerated (method tsne)", causes(Effect::Refine), group("tsne"), shows(is_tsne);
        steps ("steps", "n"): usize = number(50.0, 2000.0, 50.0, 500.0), "steps (method tsne)", causes(Effect::Refine), group("tsne"), shows(is_tsne);
        thumb ("thumb", "t"): f32 = number(8.0, 64.0, 1.0, 26.0), "side of a picture on the map in pixels", group("view");
    }
}

/// Groups of the pictures that come with the page, and how many there are of each, in their order on the sheet
/// `public/embeddings/emoji.jpg` (made by `tools/emoji.py`).
pub const GROUPS: [(&str, usize); 8] = [
    ("animals", 130),
    ("plants", 29),
    ("food", 124),
    ("vehicles", 72),
    ("places", 59),
    ("clothes", 47),
    ("tools", 48),
    ("games", 51),
];
/// Columns of the sheet, and the side of a picture on it in pixels.
pub const COLUMNS: usize = 25;
pub const SIDE: usize = 64;

/// How many pictures come with the page.
pub const fn shipped() -> usize {
    let (mut sum, mut index) = (0, 0);
    while index < GROUPS.len() {
        sum += GROUPS[index].1;
        index += 1;
    }
    sum
}

/// What the lab is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Take the sheet of pictures that travels as `sheet`, unless it is known, and those that travel as `0`, `1` and so on,
    /// and lay out the map: a [`Map`], also on the way.
    Run,
    /// Lay the map out anew, with these settings; as above.
    Layout,
    /// The nearest pictures of that number: [`Near`].
    Near(usize),
    /// Forget the visitor's pictures and lay the map out; as above.
    Clear,
    /// The map as a picture, in the file `png`.
    Export,
}

/// The map as it is. Beside it the file `points`: across and down for each picture, little-endian f32, as a box a third wider than high;
/// and the file `own`: RGBA of the visitor's pictures, [`SIDE`] x [`SIDE`] each.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Map {
    /// Pictures that come with the page.
    pub shipped: usize,
    /// Pictures of the visitor's, behind them.
    pub own: usize,
    /// Files that were no pictures that can be read.
    pub skipped: usize,
    /// Steps done; none of principal components.
    pub step: usize,
    /// The divergence after some steps, in nats: step and value.
    pub divergence: Vec<(usize, f64)>,
    /// The share of the variance along each principal component.
    pub shares: Option<[f64; 2]>,
}

/// The pictures nearest to one, nearest first, each with its distance.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Near {
    /// Of which picture.
    pub of: usize,
    /// By the network's features.
    pub features: Vec<(usize, f32)>,
    /// By pixels.
    pub pixels: Vec<(usize, f32)>,
}
