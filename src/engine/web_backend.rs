//! Which backend runs in this browser, and why.

use burn::tensor::Device;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::protocol::failure::Failure;
use crate::protocol::message::{Backend, BackendChoice, BackendStatus, FromEngine, Reason};

use super::log_watch;
use super::self_check::{TOLERANCE, largest_difference, probe};
use super::web_host::{describe, post, scope};

/// A feature that CubeCL asks for without looking: without it the program panics.
const NEEDED_FEATURE: &str = "timestamp-query";
/// Words in the names of adapters that compute on the CPU.
const SOFTWARE: [&str; 4] = ["swiftshader", "llvmpipe", "lavapipe", "basic render"];

/// Chooses a backend, checks it, and returns its device.
///
/// # Errors
/// [`Failure::NoGpu`] where WebGPU was forced and cannot run.
pub async fn choose(choice: BackendChoice, lost: bool) -> Result<(Device, BackendStatus), Failure> {
    let cpu = |reason| {
        let status = BackendStatus {
            backend: Backend::Cpu,
            reason: Some(reason),
            self_check: None,
        };
        Ok((Device::flex(), status))
    };
    if lost {
        return cpu(Reason::Lost);
    }
    if choice == BackendChoice::Cpu {
        return cpu(Reason::Forced);
    }
    let refusal = match open(choice).await {
        Ok((device, adapter, difference)) if difference <= TOLERANCE => {
            let backend = Backend::WebGpu { adapter };
            return Ok((
                device,
                BackendStatus {
                    backend,
                    reason: None,
                    self_check: Some(difference),
                },
            ));
        }
        Ok((_, _, difference)) => Reason::Wrong { difference },
        Err(reason) => reason,
    };
    if choice == BackendChoice::Auto {
        return cpu(refusal);
    }
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
            other @ (Reason::Forced | Reason::Lost | Reason::Software { .. }) => {
                format!("{other:?}")
            }
        },
    })
}

/// Opens WebGPU and compares it with the CPU: device, adapter's name, largest difference.
async fn open(choice: BackendChoice) -> Result<(Device, String, f32), Reason> {
    let refused = |detail: String| Reason::Refused { detail };
    let adapter = request_adapter().await?;
    let name = adapter_name(&adapter);
    let lower = name.to_lowercase();
    if choice == BackendChoice::Auto && SOFTWARE.iter().any(|word| lower.contains(word)) {
        return Err(Reason::Software { adapter: name });
    }
    if !has_feature(&adapter, NEEDED_FEATURE) {
        return Err(refused(format!("the adapter lacks {NEEDED_FEATURE}")));
    }
    let (device, setup) = Device::wgpu_options()
        .init_with_setup_async()
        .await
        .map_err(|error| refused(error.to_string()))?;
    setup.device.set_device_lost_callback(|reason, message| {
        post(&FromEngine::Fatal {
            reason: format!("the GPU was lost: {reason:?} {message}"),
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
        None => Ok((device, name, difference)),
    }
}

async fn request_adapter() -> Result<JsValue, Reason> {
    let navigator: JsValue = scope().navigator().into();
    let gpu = get(&navigator, "gpu");
    if gpu.is_undefined() || gpu.is_null() {
        return Err(Reason::Missing {
            secure_context: scope().is_secure_context(),
        });
    }
    let refused = |error: JsValue| Reason::Refused {
        detail: describe(&error),
    };
    let request: Function = get(&gpu, "requestAdapter").unchecked_into();
    let promise: Promise = request.call0(&gpu).map_err(refused)?.unchecked_into();
    let adapter = JsFuture::from(promise).await.map_err(refused)?;
    if adapter.is_null() || adapter.is_undefined() {
        return Err(Reason::Refused {
            detail: "the browser gave no adapter".into(),
        });
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
