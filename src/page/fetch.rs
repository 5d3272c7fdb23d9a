//! Files that ship with the page, and are fetched when they are needed.

use gloo_net::http::{Request, Response};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, RequestCache};

use super::worker::{FOREIGN, base_address};
use crate::protocol::failure::Failure;
use crate::protocol::samples::Sample;

/// The answer to a path below the page's folder. The error is the reason, for people.
async fn fetch(path: &str, cache: RequestCache) -> Result<Response, String> {
    let asked = Request::get(&format!("{}{path}", base_address())).cache(cache);
    let response = asked.send().await.map_err(|error| error.to_string())?;
    if response.ok() {
        Ok(response)
    } else {
        Err(response.status().to_string())
    }
}

/// The text of a file that `is_right`. What is not may have been kept by a cache: it is asked for once
/// more, past them.
///
/// # Errors
/// The reason: the status, what the browser says, or [`FOREIGN`].
pub async fn text(path: &str, is_right: fn(&str) -> bool) -> Result<String, String> {
    for cache in [RequestCache::Default, RequestCache::Reload] {
        let read = fetch(path, cache).await?.text().await;
        let text = read.map_err(|error| error.to_string())?;
        if is_right(&text) {
            return Ok(text);
        }
    }
    Err(FOREIGN.into())
}

/// A picture's file as a blob, whose bytes stay with the browser; asked for as [`text`] is.
///
/// # Errors
/// As [`text`].
async fn blob(path: &str) -> Result<Blob, String> {
    for cache in [RequestCache::Default, RequestCache::Reload] {
        let response: web_sys::Response = fetch(path, cache).await?.into();
        let read = async { JsFuture::from(response.blob()?).await };
        let failed = |error: JsValue| error.unchecked_into::<js_sys::Error>().message();
        let blob: Blob = read.await.map_err(failed)?.unchecked_into();
        // Not every server knows what a picture is.
        if !blob.type_().starts_with("text/") {
            return Ok(blob);
        }
    }
    Err(FOREIGN.into())
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
