//! What the page and its worker say to each other. What is asked and answered is the lab's own: it
//! travels beside the message as text and files, and only the lab reads it.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::settings::Packed;

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

/// Number of a call, given by the page, growing; 0 is the warm-up.
pub type CallId = u32;

/// From the page to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToEngine {
    /// First message: choose a backend, check it, say [`FromEngine::Ready`]. `base` is the
    /// address that `weights/` is below; `lost` says that a GPU was lost before.
    Start {
        backend: BackendChoice,
        base: String,
        lost: bool,
    },
    /// Load and run the network of the lab of that name once on an empty picture, while the visitor
    /// reads.
    WarmUp { lab: String },
    /// Answer with [`FromEngine::Pong`]: proves that the worker lives.
    Ping,
    /// A question. Beside it: its text, and a `Blob` for each file.
    Call(Call),
    /// Settings for a call that runs or waits: what can change under way does, at its next step.
    Adjust { id: CallId, settings: Packed },
    /// End a running call with what it has after its present step.
    Pause { id: CallId },
    /// Stop a call that runs or waits.
    Cancel { id: CallId },
}

/// A question to a lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its number.
    pub id: CallId,
    /// The lab by the name in its settings, and the settings.
    pub settings: Packed,
    /// Names of the files that travel beside it, in their order.
    pub files: Vec<String>,
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
    /// A lab's network is loaded and ran once; milliseconds of each.
    Warm {
        lab: String,
        load_ms: f64,
        run_ms: f64,
    },
    /// A lab could not be warmed up.
    NotWarm { lab: String, failure: Failure },
    /// Something happened in a call. Beside it: what the lab says of it.
    Event {
        id: CallId,
        event: Event,
        files: Vec<String>,
    },
    /// A call is answered. Beside it: the answer's text, and the bytes of each file.
    Reply {
        id: CallId,
        done: Done,
        files: Vec<String>,
    },
    /// A call ended without an answer.
    Failed { id: CallId, failure: Failure },
    /// The program cannot go on; the page ends the worker.
    Fatal { reason: String },
}

/// Progress of a call.
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
    /// So many steps are done of so many. Beside it: what the lab shows of them.
    Steps { done: u32, total: u32 },
}

/// The stages of a call, in order.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::VariantArray,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
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
    /// All of them, in order.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Name in translations and in JSON.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Milliseconds of each stage, in the order in which they ran.
pub type Timings = Vec<(Stage, f64)>;

/// How a call went.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Done {
    /// How long each stage took.
    pub timings: Timings,
    /// Bytes of the engine's memory, where it is known.
    pub memory: Option<usize>,
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
    /// The device was lost in mid-call.
    Lost,
    /// The adapter is a software one: the CPU backend is faster.
    Software { adapter: String },
}
