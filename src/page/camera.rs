//! The camera: a live view, and a picture of it.

use std::rc::Rc;

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

/// A view of the camera: its element, and how it stands.
#[derive(Clone, Copy)]
struct View {
    video: NodeRef<leptos::html::Video>,
    problem: RwSignal<Option<Problem>>,
    /// Whether there is a frame to take, and none is being taken.
    ready: RwSignal<bool>,
}

impl View {
    fn fail(self, what: Problem) {
        let _ = self.ready.try_set(false);
        let _ = self.problem.try_set(Some(what));
    }
}

/// Asks for the camera, for the component that calls this; it is stopped when that goes.
fn open_view() -> View {
    let view = View {
        video: NodeRef::new(),
        problem: RwSignal::new(None),
        ready: RwSignal::new(false),
    };
    let stream: StoredValue<Option<MediaStream>, LocalStorage> = StoredValue::new_local(None);
    let gone = StoredValue::new(false);
    on_cleanup(move || {
        gone.set_value(true);
        if let Some(stream) = stream.try_update_value(Option::take).flatten() {
            stop_tracks(&stream);
        }
    });
    spawn_local(async move {
        match open_camera().await {
            // Closed before the visitor allowed it: nobody would stop it later.
            Ok(opened) if gone.try_get_value().unwrap_or(true) => stop_tracks(&opened),
            Ok(opened) => {
                for track in tracks(&opened) {
                    // Unplugged, or taken away by the visitor. Stopping it ourselves does not say so.
                    let ended = Closure::once_into_js(move || view.fail(Problem::Gone));
                    track.set_onended(Some(ended.unchecked_ref()));
                }
                if let Some(video) = view.video.get_untracked() {
                    video.set_src_object(Some(&opened));
                }
                stream.set_value(Some(opened));
            }
            Err(error) => view.fail(Problem::of(&error)),
        }
    });
    view
}

/// The camera on the stage: its frames are handed on, the next one whenever somebody waits for it.
#[component]
pub fn LiveStage(
    /// Whether the last frame is done with.
    waits: Signal<bool>,
    /// What is done with a frame.
    #[prop(into)]
    frame: Callback<(Blob,)>,
    /// Longer side of a frame in pixels, at most.
    longest: u32,
    /// What lies over the view.
    children: ChildrenFn,
) -> impl IntoView {
    let i18n = use_i18n();
    let live = open_view();
    let ratio = RwSignal::new(4.0 / 3.0);
    let taking = StoredValue::new(false);
    look(Rc::new(move || {
        // The component is gone when its signals are.
        let Some(ready) = live.ready.try_get_untracked() else {
            return false;
        };
        if ready
            && waits.get_untracked()
            && !taking.get_value()
            && let Some(video) = live.video.get_untracked()
        {
            taking.set_value(true);
            spawn_local(async move {
                let taken = self::frame(&video, Some(longest)).await;
                if taking.try_set_value(false).is_some() {
                    return;
                }
                match taken {
                    Ok(blob) => frame.run((blob,)),
                    Err(_) => live.fail(Problem::Gone),
                }
            });
        }
        true
    }));
    view! {
        <div class="stage">
            {move || live.problem.get().map(|problem| view! { <p class="sentence" role="alert">{problem.sentence(i18n)}</p> })}
            <div class="frame" style=move || format!("--ratio:{:.5}", ratio.get()) class:gone=move || live.problem.get().is_some()>
                <video
                    node_ref=live.video
                    autoplay
                    muted
                    playsinline
                    on:loadeddata:target=move |event| {
                        let video = event.target();
                        if video.video_height() > 0 {
                            ratio.set(f64::from(video.video_width()) / f64::from(video.video_height()));
                        }
                        live.ready.set(live.problem.get_untracked().is_none());
                    }
                ></video>
                {children()}
            </div>
        </div>
    }
}

/// Looks before each picture of the screen, until told otherwise.
fn look(each: Rc<dyn Fn() -> bool>) {
    request_animation_frame(move || {
        if each() {
            look(each);
        }
    });
}

/// Live view of the camera. It is asked for when this appears, after a click, and stopped when
/// this goes.
#[component]
pub fn Camera(close: impl Fn() + Copy + 'static) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let live = open_view();
    let View {
        video,
        problem,
        ready,
    } = live;
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
            match frame(&video, None).await {
                Ok(blob) => {
                    state.take(blob, "camera.png".into(), None);
                    close();
                }
                Err(_) => live.fail(Problem::Gone),
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

/// The current frame as a PNG, shrunk where it is longer than so many pixels.
async fn frame(video: &HtmlVideoElement, longest: Option<u32>) -> Result<Blob, JsValue> {
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    let (width, height) = (video.video_width(), video.video_height());
    let longer = width.max(height).max(1);
    let share = longest.map_or(1.0, |most| (f64::from(most) / f64::from(longer)).min(1.0));
    let [width, height] = [width, height].map(|side| (f64::from(side) * share).round().max(1.0));
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    export::context(&canvas)?
        .draw_image_with_html_video_element_and_dw_and_dh(video, 0.0, 0.0, width, height)?;
    export::to_blob(&canvas).await
}
