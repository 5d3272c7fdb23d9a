//! Starts the web worker that the engine runs in.

use js_sys::Array;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, BlobPropertyBag, Url, Worker, WorkerOptions, WorkerType};

use crate::protocol::failure::Failure;

/// The folder of the page, with its slash.
pub fn base_address() -> String {
    let href = window().location().href().unwrap_or_default();
    let path = href.split(['?', '#']).next().unwrap_or_default();
    match path.rfind('/') {
        Some(slash) => path[..=slash].into(),
        None => path.into(),
    }
}

/// The reason where a login page or the like stands in a file's place.
pub const FOREIGN: &str =
    "something else answered in its place, such as the login page of the network";

/// Where the times of two devices are kept.
const STORED_TIMES: &str = "kiln-times";

/// The file of the worker's program; its name is the version.
fn program() -> Option<String> {
    let script = document().query_selector("script[data-worker]").ok()??;
    script.get_attribute("data-worker-wasm")
}

/// What a worker of this version said before that the next is to know; nothing where there is nothing.
pub fn remembered() -> String {
    let find = || {
        let text = window()
            .local_storage()
            .ok()??
            .get_item(STORED_TIMES)
            .ok()??;
        // Another program may be as quick on another device.
        Some(text.strip_prefix(&program()?)?.to_string())
    };
    find().unwrap_or_default()
}

/// Keeps what a worker said.
pub fn remember(text: &str) {
    if let (Ok(Some(storage)), Some(program)) = (window().local_storage(), program()) {
        // A private window may refuse: it is then found out anew.
        let _ = storage.set_item(STORED_TIMES, &(program + text));
    }
}

#[wasm_bindgen(js_namespace = kiln)]
extern "C" {
    /// Of `public/check.js`: fetches files past every cache, and says what came.
    #[wasm_bindgen(catch, js_name = refetch)]
    async fn refetch(names: Array) -> Result<JsValue, JsValue>;
}

/// Fetches the worker's program anew, past what caches may keep broken.
///
/// # Errors
/// Why it is no use to start it again.
pub async fn program_anew() -> Result<(), Failure> {
    let script = document()
        .query_selector("script[data-worker]")
        .ok()
        .flatten();
    let name = |attribute: &str| script.as_ref()?.get_attribute(attribute);
    let names: Array = ["data-worker", "data-worker-wasm"]
        .iter()
        .filter_map(|attribute| name(attribute))
        .map(JsValue::from)
        .collect();
    // Without that script there is nothing to know.
    let came = refetch(names).await.ok().and_then(|came| came.as_string());
    let reason = match came.as_deref() {
        Some("whole") | None => return Ok(()),
        Some("updated") => return Err(Failure::SiteUpdated),
        Some("missing") => "its program is missing on the server",
        Some("foreign") => FOREIGN,
        Some(_) => "its program could not be fetched",
    };
    Err(Failure::EngineLost {
        reason: reason.into(),
    })
}

/// Starts the worker from a tiny module of our own: a worker from a `blob:` inherits the page's
/// content security policy, one from an address would have none. In a sandboxed frame, whose origin is
/// nobody, it has to be a script that is no module.
pub fn new_worker() -> Result<Worker, JsValue> {
    let script = document()
        .query_selector("script[data-worker]")?
        .ok_or("the page names no worker")?;
    let name = |attribute: &str| script.get_attribute(attribute).unwrap_or_default();
    let base = base_address();
    let program = format!("{base}{}", name("data-worker"));
    let wasm = format!("{base}{}", name("data-worker-wasm"));
    let start = format!("init({{module_or_path: {wasm:?}}})");
    let is_nobody = window().origin() == "null";
    let (begin, kind) = if is_nobody {
        let begin = format!("import({program:?}).then(({{default: init}}) => {start})");
        (begin, WorkerType::Classic)
    } else {
        let begin = format!("import init from {program:?};\n{start}");
        (begin, WorkerType::Module)
    };
    let source = format!(
        "{begin}.catch((error) => postMessage([JSON.stringify({{Fatal: {{reason: String(error)}}}})]));\n"
    );
    let options = BlobPropertyBag::new();
    options.set_type("text/javascript");
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&source.into()), &options)?;
    let address = Url::create_object_url_with_blob(&blob)?;
    let options = WorkerOptions::new();
    options.set_type(kind);
    Worker::new_with_options(&address, &options)
}
