//! The camera: a live view, and a picture of it.

use js_sys::{Object, Reflect};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, DomException, HtmlCanvasElement, HtmlVideoElement, KeyboardEvent, MediaStream,
    MediaStreamConstraints, MediaStreamTrack,
};

use super::export;
use super::state::use_state;
use super::text::{I18n, t_string, use_i18n};

/// Why there is no live view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    /// The page did not come by https.
    Insecure,
    /// The visitor, the browser or the system does not allow it.
    Denied,
    /// There is none.
    Missing,
    /// Another program has it.
    Busy,
    /// It was there and went.
    Gone,
}

impl Problem {
    /// What a browser's error says (Media Capture and Streams, 10.2).
    fn of(error: &JsValue) -> Self {
        let name = error.dyn_ref::<DomException>().map(DomException::name);
        match name.as_deref() {
            Some("NotFoundError" | "OverconstrainedError") => Self::Missing,
            Some("NotReadableError" | "AbortError") => Self::Busy,
            _ if !window().is_secure_context() => Self::Insecure,
            // Where there is no name there is no interface to a camera.
            None => Self::Missing,
            Some(_) => Self::Denied,
        }
    }

    fn sentence(self, i18n: I18n) -> String {
        match self {
            Self::Insecure => t_string!(i18n, page.camera_insecure),
            Self::Denied => t_string!(i18n, page.camera_denied),
            Self::Missing => t_string!(i18n, page.camera_missing),
            Self::Busy => t_string!(i18n, page.camera_busy),
            Self::Gone => t_string!(i18n, page.camera_gone),
        }
        .to_string()
    }
}

/// Live view of the camera. It is asked for when this appears, after a click, and stopped when
/// this goes.
#[component]
pub fn Camera(close: impl Fn() + Copy + 'static) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let video: NodeRef<leptos::html::Video> = NodeRef::new();
    let problem: RwSignal<Option<Problem>> = RwSignal::new(None);
    // Whether there is a frame to take, and none is being taken.
    let ready = RwSignal::new(false);
    let stream: StoredValue<Option<MediaStream>, LocalStorage> = StoredValue::new_local(None);
    let gone = StoredValue::new(false);
    on_cleanup(move || {
        gone.set_value(true);
        if let Some(stream) = stream.try_update_value(Option::take).flatten() {
            stop_tracks(&stream);
        }
    });
    let fail = move |what| {
        let _ = ready.try_set(false);
        let _ = problem.try_set(Some(what));
    };
    spawn_local(async move {
        match open_camera().await {
            // Closed before the visitor allowed it: nobody would stop it later.
            Ok(opened) if gone.try_get_value().unwrap_or(true) => stop_tracks(&opened),
            Ok(opened) => {
                for track in tracks(&opened) {
                    // Unplugged, or taken away by the visitor. Stopping it ourselves does not say so.
                    let ended = Closure::once_into_js(move || fail(Problem::Gone));
                    track.set_onended(Some(ended.unchecked_ref()));
                }
                if let Some(video) = video.get_untracked() {
                    video.set_src_object(Some(&opened));
                }
                stream.set_value(Some(opened));
            }
            Err(error) => fail(Problem::of(&error)),
        }
    });
    let close_on_escape =
        window_event_listener(leptos::ev::keydown, move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.prevent_default();
                close();
            }
        });
    on_cleanup(move || close_on_escape.remove());
    let take = move |_| {
        let Some(video) = video.get_untracked().filter(|_| ready.get_untracked()) else {
            return;
        };
        ready.set(false);
        spawn_local(async move {
            match frame(&video).await {
                Ok(blob) => {
                    state.take(blob, "camera.png".into(), None);
                    close();
                }
                Err(_) => fail(Problem::Gone),
            }
        });
    };
    view! {
        <div class="camera" role="group" aria-label=move || t_string!(i18n, page.camera_title).to_string()>
            {move || problem.get().map(|problem| view! { <p class="sentence" role="alert">{problem.sentence(i18n)}</p> })}
            <video
                node_ref=video
                class:gone=move || problem.get().is_some()
                autoplay
                muted
                playsinline
                on:loadeddata=move |_| ready.set(problem.get_untracked().is_none())
            ></video>
            <div class="row">
                <button type="button" class="button" id="take" class:gone=move || problem.get().is_some() on:click=take disabled=move || !ready.get()>
                    {move || t_string!(i18n, page.camera_take)}
                </button>
                <button type="button" class="button quiet" on:click=move |_| close()>
                    {move || t_string!(i18n, page.close)}
                </button>
            </div>
        </div>
    }
}

async fn open_camera() -> Result<MediaStream, JsValue> {
    let constraints = MediaStreamConstraints::new();
    let video = Object::new();
    Reflect::set(&video, &"facingMode".into(), &"environment".into())?;
    constraints.set_video(&video);
    // On plain http there is no `mediaDevices` at all.
    let devices = window().navigator().media_devices()?;
    if devices.is_undefined() {
        return Err(JsValue::UNDEFINED);
    }
    let promise = devices.get_user_media_with_constraints(&constraints)?;
    Ok(JsFuture::from(promise).await?.unchecked_into())
}

fn tracks(stream: &MediaStream) -> impl Iterator<Item = MediaStreamTrack> {
    let tracks: Vec<JsValue> = stream.get_tracks().iter().collect();
    tracks.into_iter().map(JsCast::unchecked_into)
}

fn stop_tracks(stream: &MediaStream) {
    tracks(stream).for_each(|track| track.stop());
}

/// The current frame as a PNG.
async fn frame(video: &HtmlVideoElement) -> Result<Blob, JsValue> {
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    canvas.set_width(video.video_width());
    canvas.set_height(video.video_height());
    export::context(&canvas)?.draw_image_with_html_video_element(video, 0.0, 0.0)?;
    export::to_blob(&canvas).await
}
