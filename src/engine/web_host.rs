//! The host inside a web worker: fetch, Cache API, clock, macrotasks.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use js_sys::{Function, Promise as Promised, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, Cache, DedicatedWorkerGlobalScope, MessageChannel, ReadableStreamDefaultReader,
    RequestCache, RequestInit, Response,
};

use crate::job::{File, Host, Promise, Reply};
use crate::protocol::card::file_name;
use crate::protocol::failure::Failure;
use crate::protocol::message::{CallId, Event, FromEngine};
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

use super::web_picture;

/// Name of the Cache API store; the service worker leaves it alone.
const CACHE: &str = "kiln-weights";

/// The worker's side of the page.
pub struct WebHost {
    scope: DedicatedWorkerGlobalScope,
    channel: MessageChannel,
    /// Address that `weights/` is below, with its slash.
    base: String,
    /// Whether the page hears of what happens.
    is_heard: bool,
    /// Addresses that gave what was wrong: the browser's own cache may go on giving it.
    forgotten: RefCell<Vec<String>>,
    /// The running call; 0 for a warm-up.
    pub job: Cell<CallId>,
    /// Calls that were cancelled before they ended.
    pub cancelled: RefCell<Vec<CallId>>,
    /// The call that is to end after its present step; 0 for none.
    pub pausing: Cell<CallId>,
    /// Settings that were changed under way, of the call that they are for.
    pub adjusted: RefCell<Option<(CallId, Settings)>>,
}

/// The global scope of the worker that this runs in.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Posts a message to the page.
pub fn post(message: &FromEngine) {
    post_with(message, Reply::default());
}

/// Posts a message to the page, with text and files beside it. The message names the files.
pub fn post_with(message: &FromEngine, says: Reply) {
    let text = serde_json::to_string(message).expect("messages are plain data");
    let parts = js_sys::Array::of2(&text.into(), &JsValue::from_str(&says.text));
    let transfer = js_sys::Array::new();
    for (_, bytes) in &says.files {
        let bytes = Uint8Array::from(&**bytes);
        parts.push(&bytes);
        transfer.push(&bytes.buffer());
    }
    scope()
        .post_message_with_transfer(&parts, &transfer)
        .expect("text and bytes can be posted");
}

/// Waits so many milliseconds.
pub async fn sleep(ms: i32) {
    let promise = Promised::new(&mut |resolve: Function, _| {
        scope()
            .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms)
            .expect("every worker has timers");
    });
    JsFuture::from(promise).await.expect("never rejected");
}

/// What comes of a future, unless it takes longer than so many milliseconds.
pub async fn within<T>(ms: i32, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut timer) = (pin!(future), pin!(sleep(ms)));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => timer.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The names of an answer's files, in their order.
pub fn names(says: &Reply) -> Vec<String> {
    says.files.iter().map(|(name, _)| (*name).into()).collect()
}

/// A file of the visitor's in the browser.
pub struct BlobFile(pub Blob);

impl File for BlobFile {
    fn picture(&self) -> Promise<'_, Result<Picture, Failure>> {
        Box::pin(web_picture::decode(&self.0))
    }

    fn bytes(&self) -> Promise<'_, Result<Vec<u8>, Failure>> {
        Box::pin(web_picture::bytes_of(&self.0))
    }
}

/// What a JavaScript error says.
pub fn describe(error: &JsValue) -> String {
    Reflect::get(error, &"message".into())
        .ok()
        .and_then(|message| message.as_string())
        .or_else(|| error.as_string())
        .unwrap_or_else(|| format!("{error:?}"))
}

impl WebHost {
    /// A host that finds weights below `base`.
    pub fn new(base: String) -> Self {
        let channel = MessageChannel::new().expect("every worker has message channels");
        Self {
            scope: scope(),
            channel,
            base,
            is_heard: true,
            forgotten: RefCell::default(),
            job: Cell::new(0),
            cancelled: RefCell::default(),
            pausing: Cell::new(0),
            adjusted: RefCell::new(None),
        }
    }

    /// A host for what is done between calls: the page does not hear of it.
    pub fn unheard(base: String) -> Self {
        Self {
            is_heard: false,
            ..Self::new(base)
        }
    }

    /// The address of a weights file: the checksum is part of it, so that no cache between here
    /// and the server serves an older version.
    fn address(&self, name: &str, sha256: &str) -> String {
        format!("{}weights/{}?sha256={sha256}", self.base, file_name(name))
    }

    /// The store of verified weights; none in private windows and on plain http.
    async fn cache(&self) -> Option<Cache> {
        let caches = self.scope.caches().ok()?;
        if caches.is_undefined() {
            return None;
        }
        JsFuture::from(caches.open(CACHE))
            .await
            .ok()
            .map(JsCast::unchecked_into)
    }

    async fn cached(&self, address: &str) -> Option<Vec<u8>> {
        let found = JsFuture::from(self.cache().await?.match_with_str(address))
            .await
            .ok()?;
        let response: Response = found.dyn_into().ok()?;
        let buffer = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
        Some(Uint8Array::new(&buffer).to_vec())
    }

    /// Downloads a file, with an event for each chunk.
    async fn download(&self, name: &str, address: &str, total: usize) -> Result<Vec<u8>, Failure> {
        let missing = |reason: String| Failure::WeightsMissing {
            name: name.into(),
            reason,
        };
        let failed = |error: JsValue| missing(describe(&error));
        let options = RequestInit::new();
        if self.forgotten.borrow().iter().any(|wrong| wrong == address) {
            options.set_cache(RequestCache::Reload);
        }
        let asked = self.scope.fetch_with_str_and_init(address, &options);
        let response: Response = JsFuture::from(asked)
            .await
            .map_err(failed)?
            .unchecked_into();
        if !response.ok() {
            return Err(missing(format!(
                "the server answered {}",
                response.status()
            )));
        }
        let body = response
            .body()
            .ok_or_else(|| missing("the answer is empty".into()))?;
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        let mut bytes = Vec::with_capacity(total);
        loop {
            let chunk = JsFuture::from(reader.read()).await.map_err(failed)?;
            if Reflect::get(&chunk, &"done".into())
                .map_err(failed)?
                .is_truthy()
            {
                return Ok(bytes);
            }
            let value: Uint8Array = Reflect::get(&chunk, &"value".into())
                .map_err(failed)?
                .unchecked_into();
            let start = bytes.len();
            bytes.resize(start + value.length() as usize, 0);
            value.copy_to(&mut bytes[start..]);
            let event = Event::Loading {
                name: name.into(),
                bytes: bytes.len(),
                total,
            };
            self.emit(event, Reply::default());
            if self.cancelled() {
                return Err(Failure::Cancelled);
            }
        }
    }
}

impl Host for WebHost {
    fn emit(&self, event: Event, says: Reply) {
        if !self.is_heard {
            return;
        }
        let (id, files) = (self.job.get(), names(&says));
        post_with(&FromEngine::Event { id, event, files }, says);
    }

    fn pausing(&self) -> bool {
        self.job.get() != 0 && self.job.get() == self.pausing.get()
    }

    fn adjusted(&self) -> Option<Settings> {
        let now = self.job.get();
        // What is for a job that waits stays; what came too late for one that ended goes.
        let (job, settings) = self.adjusted.borrow_mut().take_if(|(job, _)| *job <= now)?;
        (job == now).then_some(settings)
    }

    fn cancelled(&self) -> bool {
        self.cancelled.borrow().contains(&self.job.get())
    }

    fn now_ms(&self) -> f64 {
        self.scope
            .performance()
            .map_or(0.0, |performance| performance.now())
    }

    /// wasm memory never shrinks: this is the most that any job needed.
    fn memory_bytes(&self) -> Option<usize> {
        Some(core::arch::wasm32::memory_size(0) * 65_536)
    }

    /// A message to ourselves: a macrotask without the four milliseconds of a timer.
    fn pause(&self) -> Promise<'_, ()> {
        let promise = Promised::new(&mut |resolve: Function, _| {
            self.channel.port1().set_onmessage(Some(&resolve));
            self.channel
                .port2()
                .post_message(&JsValue::NULL)
                .expect("null can be posted");
        });
        Box::pin(async move {
            JsFuture::from(promise).await.expect("never rejected");
        })
    }

    fn weights<'a>(
        &'a self,
        name: &'a str,
        sha256: &'a str,
        total: usize,
    ) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async move {
            let address = self.address(name, sha256);
            match self.cached(&address).await {
                Some(bytes) => {
                    let event = Event::Loading {
                        name: name.into(),
                        bytes: bytes.len(),
                        total,
                    };
                    self.emit(event, Reply::default());
                    Ok(bytes)
                }
                // Nobody asked for it: it comes with the first answer that needs it.
                None if !self.is_heard => Err(Failure::WeightsMissing {
                    name: name.into(),
                    reason: "not used yet".into(),
                }),
                None => self.download(name, &address, total).await,
            }
        })
    }

    fn keep_weights<'a>(
        &'a self,
        name: &'a str,
        sha256: &'a str,
        bytes: &'a [u8],
    ) -> Promise<'a, ()> {
        Box::pin(async move {
            let Some(cache) = self.cache().await else {
                return;
            };
            let body = Uint8Array::from(bytes);
            if let Ok(response) = Response::new_with_opt_js_u8_array(Some(&body)) {
                // A full disk is no reason to fail: the weights are here already.
                let address = self.address(name, sha256);
                let _ = JsFuture::from(cache.put_with_str(&address, &response)).await;
            }
        })
    }

    fn forget_weights<'a>(&'a self, name: &'a str, sha256: &'a str) -> Promise<'a, ()> {
        Box::pin(async move {
            let address = self.address(name, sha256);
            if let Some(cache) = self.cache().await {
                let _ = JsFuture::from(cache.delete_with_str(&address)).await;
            }
            self.forgotten.borrow_mut().push(address);
        })
    }

    fn png<'a>(&'a self, picture: &'a Picture) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(web_picture::encode(picture, "image/png"))
    }

    fn jpeg<'a>(&'a self, picture: &'a Picture) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(web_picture::encode(picture, "image/jpeg"))
    }
}
