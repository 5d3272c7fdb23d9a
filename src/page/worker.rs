//! Starts the web worker that the engine runs in.

use js_sys::Array;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, BlobPropertyBag, Url, Worker, WorkerOptions, WorkerType};

/// The folder of the page, with its slash.
pub fn base_address() -> String {
    let href = window().location().href().unwrap_or_default();
    let path = href.split(['?', '#']).next().unwrap_or_default();
    match path.rfind('/') {
        Some(slash) => path[..=slash].into(),
        None => path.into(),
    }
}

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

/// Starts the worker from a tiny module of our own: a worker from a `blob:` inherits the page's
/// content security policy, one from an address would have none.
pub fn new_worker() -> Result<Worker, JsValue> {
    let script = document()
        .query_selector("script[data-worker]")?
        .ok_or("the page names no worker")?;
    let name = |attribute: &str| script.get_attribute(attribute).unwrap_or_default();
    let base = base_address();
    let source = format!(
        "import init from {:?};\ninit({{module_or_path: {:?}}}).catch((error) => \
         postMessage([JSON.stringify({{Fatal: {{reason: String(error)}}}})]));\n",
        format!("{base}{}", name("data-worker")),
        format!("{base}{}", name("data-worker-wasm")),
    );
    let options = BlobPropertyBag::new();
    options.set_type("text/javascript");
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&source.into()), &options)?;
    let address = Url::create_object_url_with_blob(&blob)?;
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    Worker::new_with_options(&address, &options)
}
