//! Which backend runs in this browser, and why.

use burn::tensor::Device;
use js_sys::{Function, Promise, Reflect};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::protocol::failure::Failure;
use crate::protocol::message::{Backend, BackendChoice, BackendStatus, FromEngine, Reason};

use super::log_watch;
use super::self_check::{TOLERANCE, largest_difference, probe};
use super::web_host::{describe, post, scope, within};

/// A feature that CubeCL asks for without looking: without it the program panics.
const NEEDED_FEATURE: &str = "timestamp-query";
/// Words in the names of adapters that compute on the CPU.
const SOFTWARE: [&str; 4] = ["swiftshader", "llvmpipe", "lavapipe", "basic render"];

/// Milliseconds in which an adapter has to be there: a browser may never answer.
const ADAPTER_MS: i32 = 8_000;
/// Milliseconds in which a device has to pass the self-check, where the CPU serves meanwhile. Shaders
/// take long to compile on some.
const CHECK_MS: i32 = 60_000;

/// WebGPU that passed the self-check.
pub struct Opened {
    /// What networks run on.
    pub device: Device,
    /// The adapter's name.
    pub adapter: String,
    /// Largest difference from the CPU.
    pub difference: f32,
}

thread_local! {
    /// What is done when the GPU is lost; nothing where it is not used.
    static ON_LOST: RefCell<Option<OnLost>> = const { RefCell::new(None) };
}

type OnLost = Box<dyn Fn(String)>;

/// From now on that is done when the GPU is lost; it is told why.
pub fn on_lost(what: impl Fn(String) + 'static) {
    ON_LOST.replace(Some(Box::new(what)));
}

/// The device that serves from the start. Where the choice is open, it is the CPU.
///
/// # Errors
/// [`Failure::NoGpu`] where WebGPU was forced and cannot run.
pub async fn choose(choice: BackendChoice, lost: bool) -> Result<(Device, BackendStatus), Failure> {
    let cpu = |reason| Ok((Device::flex(), BackendStatus::cpu(reason)));
    if lost {
        return cpu(Reason::Lost);
    }
    if choice == BackendChoice::Cpu {
        return cpu(Reason::Forced);
    }
    if choice.is_open() {
        // What is plain at once is said at once.
        return cpu(gpu().err().unwrap_or(Reason::Trying));
    }
    let opened = async {
        let adapter = adapter(choice).await?;
        open(adapter).await
    };
    let refusal = match opened.await {
        Ok(opened) => {
            let status = BackendStatus {
                backend: Backend::WebGpu {
                    adapter: opened.adapter,
                },
                reason: None,
                self_check: Some(opened.difference),
                beside: None,
            };
            on_lost(|reason| post(&FromEngine::Fatal { reason }));
            return Ok((opened.device, status));
        }
        Err(reason) => reason,
    };
    Err(Failure::NoGpu {
        reason: match refusal {
            Reason::Missing {
                secure_context: true,
            } => "this browser has no WebGPU".into(),
            Reason::Missing {
                secure_context: false,
            } => "browsers give WebGPU to https pages only".into(),
            Reason::Wrong { difference } => format!("its results are off by {difference}"),
            Reason::Refused { detail } => detail,
            Reason::Silent => "it does not answer".into(),
            other @ (Reason::Forced | Reason::Trying | Reason::Lost | Reason::Software { .. }) => {
                format!("{other:?}")
            }
        },
    })
}

/// Opens WebGPU beside the CPU. The check waits until `is_quiet`: it keeps the worker busy for a while.
///
/// # Errors
/// Why the CPU is to go on alone.
pub async fn open_beside(
    choice: BackendChoice,
    is_quiet: impl Future<Output = ()>,
) -> Result<Opened, Reason> {
    let name = adapter(choice).await?;
    is_quiet.await;
    within(CHECK_MS, open(name))
        .await
        .unwrap_or(Err(Reason::Silent))
}

/// The name of an adapter that is worth opening.
async fn adapter(choice: BackendChoice) -> Result<String, Reason> {
    let asked = within(ADAPTER_MS, request_adapter()).await;
    let adapter = asked.unwrap_or(Err(Reason::Silent))?;
    let name = adapter_name(&adapter);
    let lower = name.to_lowercase();
    if choice == BackendChoice::Auto && SOFTWARE.iter().any(|word| lower.contains(word)) {
        return Err(Reason::Software { adapter: name });
    }
    if !has_feature(&adapter, NEEDED_FEATURE) {
        return Err(refused(format!("the adapter lacks {NEEDED_FEATURE}")));
    }
    Ok(name)
}

fn refused(detail: String) -> Reason {
    Reason::Refused { detail }
}

/// Opens WebGPU and compares it with the CPU.
async fn open(adapter: String) -> Result<Opened, Reason> {
    let (device, setup) = Device::wgpu_options()
        .init_with_setup_async()
        .await
        .map_err(|error| refused(error.to_string()))?;
    setup.device.set_device_lost_callback(|reason, message| {
        let reason = format!("the GPU was lost: {reason:?} {message}");
        ON_LOST.with_borrow(|on_lost| {
            if let Some(on_lost) = on_lost {
                on_lost(reason);
            }
        });
    });
    let read = |device: Device| async move {
        let data = probe(&device)
            .into_data_async()
            .await
            .map_err(|e| refused(e.to_string()))?;
        data.try_into_vec::<f32>()
            .map_err(|e| refused(format!("{e:?}")))
    };
    let difference = largest_difference(&read(device.clone()).await?, &read(Device::flex()).await?);
    match log_watch::take_errors().first() {
        Some(error) => Err(refused(error.clone())),
        None if difference > TOLERANCE => Err(Reason::Wrong { difference }),
        None => Ok(Opened {
            device,
            adapter,
            difference,
        }),
    }
}

/// The browser's WebGPU.
fn gpu() -> Result<JsValue, Reason> {
    let navigator: JsValue = scope().navigator().into();
    let gpu = get(&navigator, "gpu");
    if gpu.is_undefined() || gpu.is_null() {
        return Err(Reason::Missing {
            secure_context: scope().is_secure_context(),
        });
    }
    Ok(gpu)
}

async fn request_adapter() -> Result<JsValue, Reason> {
    let gpu = gpu()?;
    let failed = |error: JsValue| refused(describe(&error));
    let request: Function = get(&gpu, "requestAdapter").unchecked_into();
    let promise: Promise = request.call0(&gpu).map_err(failed)?.unchecked_into();
    let adapter = JsFuture::from(promise).await.map_err(failed)?;
    if adapter.is_null() || adapter.is_undefined() {
        return Err(refused("the browser gave no adapter".into()));
    }
    Ok(adapter)
}

fn has_feature(adapter: &JsValue, name: &str) -> bool {
    let features = get(adapter, "features");
    let has: Function = get(&features, "has").unchecked_into();
    has.call1(&features, &name.into())
        .is_ok_and(|answer| answer.is_truthy())
}

/// Vendor, architecture and description, as far as the browser tells.
fn adapter_name(adapter: &JsValue) -> String {
    let info = get(adapter, "info");
    let mut words: Vec<String> = ["vendor", "architecture", "device", "description"]
        .iter()
        .filter_map(|field| get(&info, field).as_string())
        .filter(|text| !text.is_empty())
        .collect();
    words.dedup();
    if words.is_empty() {
        "unnamed adapter".into()
    } else {
        words.join(" ")
    }
}

fn get(object: &JsValue, field: &str) -> JsValue {
    Reflect::get(object, &field.into()).unwrap_or(JsValue::UNDEFINED)
}
