//! What the page and its worker say to each other. What is asked and answered is the lab's own: it
//! travels beside the message as text and files, and only the lab reads it.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::layer::Layers;
use super::settings::Packed;

/// What the visitor asked to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendChoice {
    /// The CPU at once, and WebGPU beside it where it works, agrees with the CPU and is the faster one.
    #[default]
    Auto,
    /// The same, with a software adapter too: what tests have.
    Any,
    /// The CPU.
    Cpu,
    /// WebGPU or nothing.
    WebGpu,
}

impl BackendChoice {
    /// Whether the faster of two is taken.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Auto | Self::Any)
    }
}

/// Number of a call, given by the page, growing; 0 is the warm-up.
pub type CallId = u32;

/// From the page to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToEngine {
    /// First message: choose a backend, check it, say [`FromEngine::Ready`]. `base` is the
    /// address that `weights/` is below; `lost` says that a GPU was lost before; `remembered` is what
    /// an earlier worker of this version said with [`FromEngine::Remember`], or nothing.
    Start {
        backend: BackendChoice,
        base: String,
        lost: bool,
        remembered: String,
    },
    /// A lab was opened, with these settings. While the visitor reads: load and run its network once
    /// on an empty picture, where its row says so, and find out which device is the faster one, where
    /// there are two.
    WarmUp { settings: Packed },
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
    /// The backend is chosen: calls are answered. Said again when more is known of it.
    Ready(BackendStatus),
    /// What the next worker is to be started with, so that nothing has to be timed again.
    Remember(String),
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
    /// The part of a detector that all its proposals share.
    Backbone,
    /// Where a detector's objects may be.
    Proposals,
    /// What stands in each proposal, and where exactly.
    Heads,
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
    /// What the network's layers took, where they ran on the CPU.
    #[serde(default)]
    pub layers: Layers,
}

/// What the badge shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackendStatus {
    /// What runs.
    pub backend: Backend,
    /// Why not the other, if the other was not refused by the visitor.
    pub reason: Option<Reason>,
    /// Largest difference of WebGPU's self-check against the CPU; `None` where there was none.
    pub self_check: Option<f32>,
    /// WebGPU beside the CPU, once it is open.
    pub beside: Option<Devices>,
}

impl BackendStatus {
    /// The CPU alone, with the reason for it.
    pub fn cpu(reason: Reason) -> Self {
        Self {
            backend: Backend::Cpu,
            reason: Some(reason),
            self_check: None,
            beside: None,
        }
    }

    /// What runs the lab of that name.
    pub fn backend_of(&self, lab: &str) -> Backend {
        match &self.beside {
            Some(beside) if beside.on_gpu.iter().any(|name| name == lab) => Backend::WebGpu {
                adapter: beside.adapter.clone(),
            },
            Some(_) | None => self.backend.clone(),
        }
    }
}

/// What the networks run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backend {
    /// Burn's CPU backend `flex`.
    Cpu,
    /// WebGPU, with the name of the adapter.
    WebGpu { adapter: String },
}

/// WebGPU beside the CPU.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Devices {
    /// The adapter's name.
    pub adapter: String,
    /// How the two compare.
    pub compared: Vec<Compared>,
    /// Names of the labs that run on WebGPU now.
    pub on_gpu: Vec<String>,
}

/// How two devices compare at one network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Name of the lab.
    pub lab: String,
    /// What runs: the network, and what else decides how long it takes.
    pub workload: String,
    /// How far it is known.
    pub standing: Standing,
}

/// How far the comparison of two devices is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Standing {
    /// WebGPU compiles what the network needs; the CPU serves.
    Compiling,
    /// Both are being timed; the CPU serves.
    Timing,
    /// Milliseconds of the same run on each; the faster one serves.
    Timed { cpu_ms: f64, gpu_ms: f64 },
    /// WebGPU does not run it.
    Refused { detail: String },
}

impl Standing {
    /// Whether WebGPU is ready, and not the slower one.
    pub fn is_for_gpu(&self) -> bool {
        matches!(self, Self::Timed { cpu_ms, gpu_ms } if gpu_ms <= cpu_ms)
    }

    /// Milliseconds of the CPU and of WebGPU.
    pub fn times(&self) -> Option<[f64; 2]> {
        match *self {
            Self::Timed { cpu_ms, gpu_ms } => Some([cpu_ms, gpu_ms]),
            Self::Compiling | Self::Timing | Self::Refused { .. } => None,
        }
    }

    /// Name of its words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Compiling => "compiling",
            Self::Timing => "timing",
            Self::Timed { .. } if self.is_for_gpu() => "on-gpu",
            Self::Timed { .. } => "on-cpu",
            Self::Refused { .. } => "refused",
        }
    }
}

/// Why the CPU runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reason {
    /// The visitor asked for it.
    Forced,
    /// WebGPU is on its way: the CPU serves meanwhile.
    Trying,
    /// WebGPU does not answer.
    Silent,
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
