//! How a picture comes in: samples, file, drop, paste, camera.

use js_sys::{Object, Reflect, Uint8Array};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, ClipboardEvent, DragEvent, File, FileList, HtmlCanvasElement, HtmlVideoElement,
    MediaStream, MediaStreamConstraints, MediaStreamTrack,
};

use super::state::{State, use_state};
use super::text::{t_string, use_i18n};
use super::words::sample_name;
use crate::protocol::failure::Failure;
use crate::protocol::intake;
use crate::protocol::link::{self, Route};
use crate::protocol::picture::MAX_MEGABYTES;
use crate::protocol::png_text;
use crate::protocol::samples::{SAMPLES, Sample};

/// Bytes at the start of a file that hold its header and, in a PNG of ours, the settings.
const HEAD_BYTES: f64 = 262_144.0;

/// Takes a file of the visitor's: checks its header, restores the settings inside it, if it is
/// a PNG that Kiln exported, and runs the lab.
pub fn take_file(state: State, file: File) {
    let is_latest = state.begin_choice();
    spawn_local(async move {
        let checked = check_file(&file).await;
        if !is_latest() {
            return;
        }
        match checked {
            Err(failure) => state.refuse(failure),
            Ok(head) => {
                let specs: Vec<_> = state.labs().iter().map(|row| row.spec).collect();
                if let Some((Route::Lab(shared), _)) =
                    png_text::read(&head).map(|text| link::decode(&specs, &text))
                {
                    let lab = shared.settings.lab();
                    state.settings(lab).set(shared.settings);
                    state.go_to(lab);
                }
                let name = file.name();
                state.take(file.unchecked_into(), name, None);
            }
        }
    });
}

/// Checks size and header; returns the first bytes.
///
/// # Errors
/// The failures about files and pictures.
pub async fn check_file(file: &Blob) -> Result<Vec<u8>, Failure> {
    let megabytes = (file.size() / 1e6).ceil() as usize;
    if megabytes > MAX_MEGABYTES {
        return Err(Failure::FileTooLarge {
            megabytes,
            limit: MAX_MEGABYTES,
        });
    }
    let head = file
        .slice_with_f64_and_f64(0.0, HEAD_BYTES.min(file.size()))
        .map_err(|_| Failure::NotAPicture)?;
    let buffer = JsFuture::from(head.array_buffer())
        .await
        .map_err(|_| Failure::NotAPicture)?;
    let bytes = Uint8Array::new(&buffer).to_vec();
    match intake::check(&bytes) {
        // A JPEG may keep its size behind a long preview: the worker looks at all of it.
        Err(Failure::DamagedPicture) if file.size() > HEAD_BYTES => Ok(bytes),
        checked => checked.map(|()| bytes),
    }
}

/// The first file of a drop or paste.
fn first(files: Option<FileList>) -> Option<File> {
    files.and_then(|files| files.get(0))
}

/// Accepts drops and pastes anywhere on the page.
pub fn listen(state: State) {
    let in_lab = move || state.page.get_untracked().lab().is_some();
    window_event_listener(leptos::ev::dragover, |event: DragEvent| {
        event.prevent_default()
    });
    window_event_listener(leptos::ev::drop, move |event: DragEvent| {
        event.prevent_default();
        if let Some(file) = first(event.data_transfer().and_then(|data| data.files())) {
            if !in_lab() {
                // The first lab that has a use for it.
                let first = state.labs().into_iter().find(|row| row.spec.uses_picture);
                if let Some(row) = first {
                    state.go_to(row.spec);
                    state.write_address();
                }
            }
            take_file(state, file);
        }
    });
    window_event_listener(leptos::ev::paste, move |event: ClipboardEvent| {
        if let Some(file) =
            first(event.clipboard_data().and_then(|data| data.files())).filter(|_| in_lab())
        {
            take_file(state, file);
        }
    });
}

/// A button that opens the file dialog.
#[component]
pub fn FileButton(
    /// Unique id of the input.
    id: &'static str,
    /// What the button says.
    #[prop(into)]
    label: Signal<String>,
    /// Gets the file.
    on_file: impl Fn(File) + 'static,
) -> impl IntoView {
    view! {
        <label class="button" for=id>{label}</label>
        <input
            type="file"
            id=id
            class="visually-hidden"
            accept="image/png,image/jpeg,image/webp,image/gif,image/bmp"
            on:change:target=move |event| {
                if let Some(file) = first(event.target().files()) {
                    on_file(file);
                }
                // The same file can be chosen again.
                event.target().set_value("");
            }
        />
    }
}

/// Thumbnails of the samples.
#[component]
pub fn Samples(
    /// What is marked as chosen.
    #[prop(into)]
    chosen: Signal<Option<&'static str>>,
    /// Gets the sample.
    on_choose: impl Fn(&'static Sample) + Copy + 'static,
) -> impl IntoView {
    let i18n = use_i18n();
    SAMPLES
        .iter()
        .map(|sample| {
            let label = move || sample_name(i18n, sample.name);
            view! {
                <li>
                    <button
                        type="button"
                        class="sample"
                        data-sample=sample.name
                        title=sample.credit
                        aria-pressed=move || (chosen.get() == Some(sample.name)).to_string()
                        on:click=move |_| on_choose(sample)
                    >
                        <img src=format!("samples/{}.jpg", sample.name) alt="" loading="lazy" width="96" height="64" />
                        <span>{label}</span>
                    </button>
                </li>
            }
        })
        .collect_view()
}

/// All ways in, above the stage.
#[component]
pub fn Intake() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let camera = RwSignal::new(false);
    let chosen = Signal::derive(move || {
        state
            .source
            .with(|source| source.as_ref().and_then(|s| s.sample).map(|s| s.name))
    });
    view! {
        <section class="intake" aria-label=move || t_string!(i18n, page.source_title).to_string()>
            <div class="row">
                <FileButton
                    id="open-picture"
                    label=Signal::derive(move || t_string!(i18n, page.source_open).to_string())
                    on_file=move |file| take_file(state, file)
                />
                <button type="button" class="button quiet" id="open-camera" on:click=move |_| camera.set(true)>
                    {move || t_string!(i18n, page.source_camera)}
                </button>
                <span class="hint">{move || t_string!(i18n, page.source_hint)}</span>
            </div>
            <ul class="samples" aria-label=move || t_string!(i18n, page.source_samples).to_string()>
                <Samples chosen on_choose=move |sample| state.take_sample(sample) />
            </ul>
            {move || camera.get().then(|| view! { <Camera close=move || camera.set(false) /> })}
        </section>
    }
}

/// Live view of the camera. It is asked for when this appears, after a click, and stopped when
/// this goes.
#[component]
fn Camera(close: impl Fn() + Copy + 'static) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let video: NodeRef<leptos::html::Video> = NodeRef::new();
    let denied = RwSignal::new(false);
    let stream: StoredValue<Option<MediaStream>, LocalStorage> = StoredValue::new_local(None);
    let gone = StoredValue::new(false);
    let stop = move || {
        gone.set_value(true);
        if let Some(stream) = stream.try_update_value(Option::take).flatten() {
            stop_tracks(&stream);
        }
    };
    on_cleanup(stop);
    spawn_local(async move {
        match open_camera().await {
            // Closed before the visitor allowed it: nobody would stop it later.
            Ok(opened) if gone.try_get_value().unwrap_or(true) => stop_tracks(&opened),
            Ok(opened) => {
                if let Some(video) = video.get_untracked() {
                    video.set_src_object(Some(&opened));
                }
                stream.set_value(Some(opened));
            }
            Err(_) => {
                let _ = denied.try_set(true);
            }
        }
    });
    let take = move |_| {
        let Some(video) = video.get_untracked() else {
            return;
        };
        spawn_local(async move {
            if let Ok(blob) = frame(&video).await {
                state.take(blob, "camera.png".into(), None);
                close();
            }
        });
    };
    view! {
        <div class="camera" role="group" aria-label=move || t_string!(i18n, page.camera_title).to_string()>
            {move || denied.get().then(|| view! { <p class="sentence" role="alert">{t_string!(i18n, page.camera_denied)}</p> })}
            <video node_ref=video autoplay muted playsinline></video>
            <div class="row">
                <button type="button" class="button" on:click=take disabled=move || denied.get()>
                    {move || t_string!(i18n, page.camera_take)}
                </button>
                <button type="button" class="button quiet" on:click=move |_| close()>
                    {move || t_string!(i18n, page.camera_close)}
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
        return Err("no camera on plain http".into());
    }
    let promise = devices.get_user_media_with_constraints(&constraints)?;
    Ok(JsFuture::from(promise).await?.unchecked_into())
}

fn stop_tracks(stream: &MediaStream) {
    for track in stream.get_tracks().iter() {
        track.unchecked_into::<MediaStreamTrack>().stop();
    }
}

/// The current frame as a PNG.
async fn frame(video: &HtmlVideoElement) -> Result<Blob, JsValue> {
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    canvas.set_width(video.video_width());
    canvas.set_height(video.video_height());
    super::export::context(&canvas)?.draw_image_with_html_video_element(video, 0.0, 0.0)?;
    super::export::to_blob(&canvas).await
}
