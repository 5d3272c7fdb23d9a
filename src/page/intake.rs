//! How a picture comes in: samples, file, drop, paste, camera.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use web_sys::{
    Blob, ClipboardEvent, DataTransfer, DataTransferItem, DragEvent, File, FileList, HtmlElement,
};

use super::camera::Camera;
use super::opening::{self, Opened, Remark};
use super::state::{State, use_state};
use super::text::{I18n, t_string, use_i18n};
use super::words::{lab_word, sample_name};
use crate::protocol::failure::Failure;
use crate::protocol::link::{self, Route};
use crate::protocol::samples::{SAMPLES, Sample};

/// Takes the first picture among files of the visitor's. A PNG that Kiln exported goes to the lab that its
/// settings are of; any other to the open lab, or where none is open to the last one that was given a
/// picture. A lab that takes none says which do.
fn take_files(state: State, i18n: I18n, files: Vec<File>) {
    let is_latest = state.begin_choice();
    spawn_local(async move {
        let found = first_picture(&files).await;
        if !is_latest() {
            return;
        }
        let (name, opened) = match found {
            Ok(found) => found,
            Err(failure) => return state.refuse(failure),
        };
        let mut remarks = opened.remarks;
        let mut notices = Vec::new();
        let restored = restore(state, opened.link.as_deref());
        let is_restored = restored.is_some();
        match restored {
            Some(unused) => notices = unused,
            None if opened.link.is_some() => remarks.push(Remark::SettingsDamaged),
            None => {}
        }
        if state.page.get_untracked().lab().is_none() {
            state.open_for_picture();
        }
        let takes = state
            .page
            .get_untracked()
            .lab()
            .is_some_and(|lab| lab.uses_picture);
        // What a lab without a picture exported shows its own result, which comes with the settings.
        if takes {
            state.take(opened.blob, name, None);
        } else if is_restored {
            state.refused.set(None);
            state.write_address();
        } else if !state.hand_to_page(&opened.blob) {
            let labs = labs_with_pictures(state, i18n);
            return state.refuse(Failure::NoPictureHere { labs });
        }
        state.remarks.set(remarks);
        state.notices.set(notices);
    });
}

/// The names of the labs that work on a picture of the visitor's.
fn labs_with_pictures(state: State, i18n: I18n) -> String {
    let specs = state.labs().into_iter().map(|row| row.spec);
    let names = specs
        .filter(|lab| lab.uses_picture)
        .map(|lab| lab_word(i18n, lab.name, "tab"));
    names.collect::<Vec<_>>().join(", ")
}

/// Sets what a link inside a picture says, and opens its lab. What of it was not used; nothing where it is
/// no link to a lab.
fn restore(state: State, link: Option<&str>) -> Option<Vec<link::Notice>> {
    let specs: Vec<_> = state.labs().iter().map(|row| row.spec).collect();
    let (route, notices) = link::decode(&specs, link?);
    let Route::Lab(shared) = route else {
        return None;
    };
    let lab = shared.settings.lab();
    state.settings(lab).set(shared.settings);
    state.go_to(lab);
    Some(notices)
}

/// The first of the files that is a picture, with its name; otherwise why the first file is none.
async fn first_picture(files: &[File]) -> Result<(String, Opened), Failure> {
    let mut failure = None;
    for file in files {
        match open_file(file).await {
            Ok(mut opened) => {
                if files.len() > 1 {
                    opened.remarks.push(Remark::TookOne {
                        name: file.name(),
                        of: files.len(),
                    });
                }
                return Ok((file.name(), opened));
            }
            Err(why) => failure = failure.or(Some(why)),
        }
    }
    Err(failure.unwrap_or(Failure::NoPictureInside))
}

async fn open_file(file: &File) -> Result<Opened, Failure> {
    opening::open(file, &file.name()).await
}

/// Opens a picture that is not for the stage, and hands it to `then`; what is to be known about it, or why
/// it is not taken, is said.
pub fn open_beside(state: State, file: File, then: impl FnOnce(Blob) + 'static) {
    let is_latest = state.begin_choice_beside();
    spawn_local(async move {
        let opened = open_file(&file).await;
        // A large file that was chosen before is done after.
        if !is_latest() {
            return;
        }
        match opened {
            Ok(opened) => {
                let about_pixels = |remark: &Remark| matches!(remark, Remark::Cut | Remark::Moves);
                let remarks = opened.remarks.into_iter().filter(about_pixels);
                state.refused.set(None);
                state.remarks.set(remarks.collect());
                then(opened.blob);
            }
            Err(failure) => state.refuse(failure),
        }
    });
}

fn files_of(list: Option<FileList>) -> Vec<File> {
    let list = list.iter();
    list.flat_map(|list| (0..list.length()).filter_map(|index| list.get(index)))
        .collect()
}

/// What is dropped and pasted, anywhere on the page.
fn bring(state: State, i18n: I18n, data: Option<DataTransfer>) {
    let Some(data) = data else { return };
    let files = files_of(data.files());
    let folders = folders(&data);
    if folders > 0 && folders >= files.len() {
        return state.refuse(Failure::Folder);
    }
    if files.is_empty() {
        return state.refuse(match has_address(&data) {
            true => Failure::OnlyAddress,
            false => Failure::NoPictureInside,
        });
    }
    take_files(state, i18n, files);
}

/// How many folders are among what was dropped: as files they cannot be read.
fn folders(data: &DataTransfer) -> usize {
    let items = data.items();
    let items = (0..items.length()).filter_map(|index| items.get(index));
    let is_folder = |item: &DataTransferItem| {
        let entry = item.webkit_get_as_entry().ok().flatten();
        entry.is_some_and(|entry| entry.is_directory())
    };
    items.filter(is_folder).count()
}

/// Whether the address of something came, as a picture dragged from another page brings it.
fn has_address(data: &DataTransfer) -> bool {
    let text = |kind: &str| data.get_data(kind).unwrap_or_default();
    let begins = |text: String| {
        let text = text.trim_start().to_ascii_lowercase();
        ["http:", "https:", "data:image/", "file:", "blob:", "www."]
            .iter()
            .any(|start| text.starts_with(start))
    };
    begins(text("text/uri-list"))
        || begins(text("text/plain"))
        || text("text/html").to_ascii_lowercase().contains("<img")
}

/// Whether an event happened where text is written: what is pasted there is meant for it.
fn is_in_field(event: &web_sys::Event) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok());
    target.is_some_and(|target| {
        target.is_content_editable() || target.matches("input:not([type=range],[type=file],[type=checkbox],[type=radio],[type=color]), textarea").unwrap_or(false)
    })
}

/// Accepts drops and pastes anywhere on the page.
pub fn listen(state: State) {
    let i18n = use_i18n();
    window_event_listener(leptos::ev::dragover, |event: DragEvent| {
        event.prevent_default()
    });
    window_event_listener(leptos::ev::drop, move |event: DragEvent| {
        event.prevent_default();
        bring(state, i18n, event.data_transfer());
    });
    window_event_listener(leptos::ev::paste, move |event: ClipboardEvent| {
        let data = event.clipboard_data();
        let has_files = data
            .as_ref()
            .and_then(DataTransfer::files)
            .is_some_and(|files| files.length() > 0);
        if has_files || !is_in_field(&event) {
            bring(state, i18n, data);
        }
    });
}

/// What the file dialog offers.
const ACCEPTED: &str = "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/avif,image/heic,image/heif,.heic,.heif";

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
            accept=ACCEPTED
            on:change:target=move |event| {
                if let Some(file) = files_of(event.target().files()).into_iter().next() {
                    on_file(file);
                }
                // The same file can be chosen again.
                event.target().set_value("");
            }
        />
    }
}

/// A button that opens the file dialog for several pictures at once.
#[component]
pub fn FilesButton(
    /// Unique id of the input.
    id: &'static str,
    /// What the button says.
    #[prop(into)]
    label: Signal<String>,
    /// Gets the files.
    on_files: impl Fn(Vec<File>) + 'static,
) -> impl IntoView {
    view! {
        <label class="button quiet" for=id>{label}</label>
        <input
            type="file"
            id=id
            class="visually-hidden"
            multiple
            accept=ACCEPTED
            on:change:target=move |event| {
                on_files(files_of(event.target().files()));
                // The same files can be chosen again.
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
                    on_file=move |file| take_files(state, i18n, vec![file])
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
