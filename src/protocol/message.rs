//! Requests to the engine and what it answers.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::params::Lab;
use super::settings::Settings;
use crate::labs::detect::spec::{Anchors, Detections};
use crate::labs::generate::ask::{Ask, Told};
use crate::labs::search::spec::Progress;
use crate::labs::segment::spec::Matte;
use crate::labs::stylize::spec::{Painted, Region};

/// What the visitor asked to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendChoice {
    /// WebGPU if it works and agrees with the CPU, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// WebGPU or nothing.
    WebGpu,
}

/// Number of a job, given by the page, growing.
pub type JobId = u32;

/// From the page to the worker. Pictures travel beside the message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToEngine {
    /// First message: choose a backend, check it, say [`FromEngine::Ready`]. `base` is the
    /// address that `weights/` is below; `lost` says that a GPU was lost before.
    Start {
        backend: BackendChoice,
        base: String,
        lost: bool,
    },
    /// Load and run a lab's network once on an empty picture, while the visitor reads.
    WarmUp { lab: Lab },
    /// Answer with [`FromEngine::Pong`]: proves that the worker lives.
    Ping,
    /// Regions with styles of their own, for runs of the style lab from now on.
    Regions(Vec<Region>),
    /// Run a lab. Beside it: a `Blob` with the picture, and in the style lab optionally a second
    /// one with the picture that the style is taken from.
    Run { job: JobId, settings: Settings },
    /// Apply other settings to the last result of the lab, without running the network.
    Refine { job: JobId, settings: Settings },
    /// Compose the export of the last result. Beside it: optionally a `Blob` with a background.
    Export { job: JobId, settings: Settings },
    /// Give the numbers of the network's last run as they left it: [`LabResult::Raw`].
    Raw { job: JobId, lab: Lab },
    /// Compose an animation of how the last result came about, as a GIF.
    Animate { job: JobId, lab: Lab },
    /// Take a lab that takes steps further: by `steps`, or as far as the settings say; where it is
    /// that far already, as far again.
    Continue {
        job: JobId,
        settings: Settings,
        steps: Option<u32>,
    },
    /// Settings for a job that runs or waits: what can change under way does, at its next step.
    Adjust { job: JobId, settings: Settings },
    /// End the running job with what it has after its present step.
    Pause { job: JobId },
    /// Stop the running job.
    Cancel { job: JobId },
    /// A question of the generative labs. Beside it: a `Blob` with a picture, or in the second place
    /// one with a file.
    Ask { job: JobId, ask: Box<Ask> },
}

/// From the worker to the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FromEngine {
    /// The worker's program is loaded; messages before this are lost.
    Awake,
    /// Answer to [`ToEngine::Ping`].
    Pong,
    /// The backend is chosen.
    Ready(BackendStatus),
    /// No backend: only when WebGPU was forced.
    NotReady(Failure),
    /// A model is loaded and ran once; milliseconds of each.
    Warm { lab: Lab, load_ms: f64, run_ms: f64 },
    /// A model could not be warmed up.
    NotWarm { lab: Lab, failure: Failure },
    /// Something happened in a job (0 is the warm-up). Beside it: what the event says.
    Event { job: JobId, event: Event },
    /// A job ended with a result. Beside it: a matte's or a picture's bytes, or the exported file.
    Done { job: JobId, outcome: Box<Outcome> },
    /// The answer to a question. Beside it: what it says.
    Told { job: JobId, told: Box<Told> },
    /// A job ended without one.
    Failed { job: JobId, failure: Failure },
    /// The program cannot go on; the page ends the worker.
    Fatal { reason: String },
}

/// Progress of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Bytes of a weights file that have arrived.
    Loading {
        name: String,
        bytes: usize,
        total: usize,
    },
    /// A stage begins.
    Stage(Stage),
    /// Some steps were done. Beside it: see [`Progress`].
    Step(Progress),
}

/// The stages of a job, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// File to pixels.
    Decode,
    /// Weights fetched, checked and put into the network.
    Load,
    /// Pixels to the network's input.
    Prepare,
    /// The network.
    Network,
    /// The network's numbers to a result.
    Postprocess,
}

impl Stage {
    /// Name in translations and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Load => "load",
            Self::Prepare => "prepare",
            Self::Network => "network",
            Self::Postprocess => "postprocess",
        }
    }
}

/// Milliseconds of each stage, in the order in which they ran.
pub type Timings = Vec<(Stage, f64)>;

/// A finished job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Columns of the decoded picture.
    pub width: usize,
    /// Rows of the decoded picture.
    pub height: usize,
    /// What was found.
    pub result: LabResult,
    /// How long each stage took.
    pub timings: Timings,
    /// Bytes of the engine's memory, where it is known.
    pub memory: Option<usize>,
}

/// The result of a lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LabResult {
    /// Boxes. The anchors come with a run, not with a refinement.
    Detect {
        detections: Detections,
        anchors: Option<Anchors>,
    },
    /// A mask; its bytes travel beside the message.
    Segment(Matte),
    /// A repainted picture; its bytes travel beside the message.
    Stylize(Painted),
    /// A picture after its last step; see [`Progress`] for what travels beside the message.
    Optimised(Progress),
    /// A PNG, or a GIF; its bytes travel beside the message.
    Exported,
    /// The network's own numbers, little-endian f32 beside the message: of `Detect` the encodings
    /// and then the scores of all default boxes, of `Segment` the matte of 256 x 256 cells, of
    /// `Stylize` RGB by row, 0 to 1, rounded to 8 bits.
    Raw,
}

/// What the badge shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackendStatus {
    /// What runs.
    pub backend: Backend,
    /// Why not the other, if the other was not refused by the visitor.
    pub reason: Option<Reason>,
    /// Largest difference of the self-check against the CPU; `None` on the CPU.
    pub self_check: Option<f32>,
}

/// What the networks run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backend {
    /// Burn's CPU backend `flex`.
    Cpu,
    /// WebGPU, with the name of the adapter.
    WebGpu { adapter: String },
}

/// Why the CPU runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reason {
    /// The visitor asked for it.
    Forced,
    /// The browser has no WebGPU, or not on this page.
    Missing { secure_context: bool },
    /// The browser has WebGPU but gave no adapter, or one that lacks a feature.
    Refused { detail: String },
    /// The adapter's numbers differ from the CPU's.
    Wrong { difference: f32 },
    /// The device was lost in mid-job.
    Lost,
    /// The adapter is a software one: the CPU backend is faster.
    Software { adapter: String },
}
