//! What everyone may know of a lab: its name, its place in the course, its settings.

use super::param::{Effect, Param};
use super::settings::Settings;

/// A lab: one page, one command, one row of the list that everything is made from.
#[derive(Debug)]
pub struct LabSpec {
    /// Name in links, commands, words and folders.
    pub name: &'static str,
    /// Its command, where that has another name; a command is a verb.
    pub verb: &'static str,
    /// What its command does, in English.
    pub about: &'static str,
    /// The part of the course that it belongs to.
    pub wing: Wing,
    /// The topics of the course that it shows, by their names in [`Wing::topics`].
    pub topics: &'static [&'static str],
    /// What it gives to the lessons, by their names in [`Wing::lessons`].
    pub tasks: &'static [Task],
    /// Its settings, in the order in which the method uses them.
    pub params: &'static [Param],
    /// The manifest entry of the network that it runs, where it does not choose one by a setting.
    pub network: Option<&'static str>,
    /// Whether it works on the visitor's picture.
    pub uses_picture: bool,
    /// Whether it starts by itself when it is opened, or waits until the visitor starts it.
    pub starts_by_itself: bool,
    /// Whether its network is loaded and run once while the visitor reads.
    pub warms_up: bool,
    /// A link that shows it at its best, for [`LabSpec::fragment`].
    pub example: &'static str,
}

/// A step of a lesson: a link, and a question to answer by trying. The lab's words `tasks.<name>.title` and
/// `tasks.<name>.question` go with it; what a teacher expects to hear stands in `docs/lessons.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// The lesson, by its name in [`Wing::lessons`].
    pub lesson: &'static str,
    /// Name of its words.
    pub name: &'static str,
    /// Where it leads, for [`LabSpec::fragment`].
    pub link: &'static str,
}

/// The steps of a lesson, in the order of the labs, and in that of each lab's list.
pub fn lesson<'a>(
    labs: &'a [&'static LabSpec],
    name: &'a str,
) -> impl Iterator<Item = (&'static LabSpec, &'static Task)> + 'a {
    let all = labs
        .iter()
        .flat_map(|&lab| lab.tasks.iter().map(move |task| (lab, task)));
    all.filter(move |(_, task)| task.lesson == name)
}

impl PartialEq for LabSpec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for LabSpec {}

impl LabSpec {
    /// The setting of that name.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// The fragment of a link to it, from what the link sets: `p=cat&s=0.30`.
    pub fn fragment(&self, link: &str) -> String {
        format!("#/{}?v=1&{link}", self.name)
    }

    /// Names of the settings that work under way keeps, and whose values differ.
    pub fn waiting(&self, now: &Settings, began_with: &Settings) -> Vec<&'static str> {
        let waits = self.params.iter().filter(|param| {
            param.causes == Effect::Restart && now.get(param.name) != began_with.get(param.name)
        });
        waits.map(|param| param.name).collect()
    }
}

/// The lab of that name.
pub fn find(labs: &[&'static LabSpec], name: &str) -> Option<&'static LabSpec> {
    labs.iter().copied().find(|lab| lab.name == name)
}

/// A part of the course: what stands together in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Wing {
    /// Where things are.
    Detection,
    /// What a network sees.
    Understanding,
    /// What a network looks at.
    Attention,
    /// Pictures that nobody took.
    Generative,
}

impl Wing {
    /// All of them, in the order of the course.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Name of its words.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The topics that the lectures have, in their order; names of words. What no lab shows is to
    /// come.
    pub fn topics(self) -> &'static [&'static str] {
        match self {
            Self::Detection => &[
                "semantic-segmentation",
                "person-segmentation",
                "localisation",
                "region-proposals",
                "rcnn",
                "fast-rcnn",
                "faster-rcnn",
                "rfcn",
                "ssd",
                "yolo",
                "mask-rcnn",
                "detr",
            ],
            Self::Understanding => &[
                "filters",
                "embeddings",
                "occlusion",
                "saliency",
                "gradient-ascent",
                "adversarial",
                "reconstruction",
                "deepdream",
                "texture",
                "style-optimisation",
                "fast-style",
            ],
            Self::Attention => &["captioning", "self-attention", "transformer"],
            Self::Generative => &[
                "autoencoders",
                "vae",
                "latents",
                "gan",
                "gan-objectives",
                "divergences",
                "scores",
                "super-resolution",
                "image-to-image",
            ],
        }
    }

    /// The lessons of some twenty minutes that the labs give, in their order; names of words.
    pub fn lessons(self) -> &'static [&'static str] {
        match self {
            Self::Detection => &["objects"],
            Self::Understanding => &["evidence", "styles"],
            Self::Attention => &[],
            Self::Generative => &["codes", "games", "measures"],
        }
    }
}
