//! Files that ship with the page, and are fetched when they are needed.

use gloo_net::http::{Request, Response};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use super::worker::base_address;
use crate::protocol::failure::Failure;
use crate::protocol::samples::Sample;

/// The answer to a path below the page's folder. The error is the reason, for people.
async fn fetch(path: &str) -> Result<Response, String> {
    let asked = Request::get(&format!("{}{path}", base_address())).send();
    let response = asked.await.map_err(|error| error.to_string())?;
    if response.ok() {
        Ok(response)
    } else {
        Err(response.status().to_string())
    }
}

/// The text of a file.
///
/// # Errors
/// The reason: the status, or what the browser says.
pub async fn text(path: &str) -> Result<String, String> {
    let read = fetch(path).await?.text().await;
    read.map_err(|error| error.to_string())
}

/// A file as a blob, whose bytes stay with the browser.
///
/// # Errors
/// As [`text`].
pub async fn blob(path: &str) -> Result<Blob, String> {
    let response: web_sys::Response = fetch(path).await?.into();
    let read = async { JsFuture::from(response.blob()?).await };
    let failed = |error: JsValue| error.unchecked_into::<js_sys::Error>().message().into();
    read.await.map(JsValue::unchecked_into).map_err(failed)
}

/// A sample photograph.
///
/// # Errors
/// [`Failure::SampleMissing`].
pub async fn sample(sample: &Sample) -> Result<Blob, Failure> {
    picture("samples", sample.name).await
}

/// A picture that ships with the page, from one of its folders.
///
/// # Errors
/// [`Failure::SampleMissing`].
pub async fn picture(folder: &str, name: &str) -> Result<Blob, Failure> {
    let fetched = blob(&format!("{folder}/{name}.jpg")).await;
    fetched.map_err(|reason| Failure::SampleMissing {
        name: name.into(),
        reason,
    })
}

/// Reads JSON with the browser's own parser, which weighs nothing.
pub fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    let value = js_sys::JSON::parse(text).ok()?;
    serde_wasm_bindgen::from_value(value).ok()
}
