//! The link to what is on the page: copied, as a QR code for the phones in the room, and as a frame for the
//! page of a course.

use leptos::prelude::*;
use leptos::task::spawn_local;
use qrcodegen::{QrCode, QrCodeEcc};

use super::export;
use super::state::use_state;
use super::text::{t_string, use_i18n};
use super::words::lab_word;

/// Modules that stay white around a QR code, so that it is found (ISO/IEC 18004, 5.3.8).
const QUIET: i32 = 4;
/// Pixels of a frame's height: the stage and the controls beside it.
const FRAME_HEIGHT: u32 = 640;

/// The button at the top, and what it opens. One click copies the link.
#[component]
pub fn Share() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let dialog: NodeRef<leptos::html::Dialog> = NodeRef::new();
    let link = RwSignal::new(String::new());
    let said: RwSignal<Option<String>> = RwSignal::new(None);
    let copy = move |text: String| {
        said.set(None);
        spawn_local(async move {
            let sentence = match export::copy(&text).await {
                Ok(()) => t_string!(i18n, page.share_copied),
                Err(_) => t_string!(i18n, page.share_failed),
            };
            let _ = said.try_set(Some(sentence.to_string()));
        });
    };
    let open = move |_| {
        state.write_address();
        link.set(state.link());
        if let Some(dialog) = dialog.get_untracked() {
            // It is open already where this fails.
            let _ = dialog.show_modal();
        }
        copy(state.link());
    };
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let is_own = move || {
        let lab = state.page.get().lab();
        let is_own = |source: &Option<super::state::Source>| {
            source
                .as_ref()
                .is_some_and(|source| source.sample.is_none())
        };
        lab.is_some_and(|lab| lab.uses_picture) && state.source.with(is_own)
    };
    let frame = Signal::derive(move || {
        link.track();
        let lab = state.page.get().lab()?;
        let title = lab_word(i18n, lab.name, "title");
        Some(frame_code(&state.link_as(true), title))
    });
    let note = move |is: bool, words: String| is.then(|| view! { <p class="help">{words}</p> });
    view! {
        <button type="button" class="button quiet compact" id="share" aria-haspopup="dialog" on:click=open>{move || t_string!(i18n, page.share)}</button>
        <dialog
            class="share panel"
            aria-labelledby="share-title"
            node_ref=dialog
            on:click=move |event| {
                // A click beside it: what is inside has targets of its own.
                if event.target() == event.current_target() {
                    close();
                }
            }
        >
            <div class="row spread">
                <h2 id="share-title">{move || t_string!(i18n, page.share_title)}</h2>
                <button type="button" class="button quiet compact" id="share-close" on:click=move |_| close()>{move || t_string!(i18n, page.close)}</button>
            </div>
            <div class="share-link">
                <Copied id="share-link" text=link on_copy=copy label=Signal::derive(move || t_string!(i18n, page.share_link).to_string()) />
                <p class="said" role="status">{move || said.get()}</p>
                {move || note(is_own(), t_string!(i18n, page.share_own).to_string())}
                {move || note(is_local(&link.get()), t_string!(i18n, page.share_local).to_string())}
            </div>
            <div class="share-code">{move || qr_view(&link.get(), t_string!(i18n, page.share_qr).to_string())}</div>
            <Show when=move || frame.with(Option::is_some)>
                <details class="share-frame">
                    <summary>{move || t_string!(i18n, page.share_embed)}</summary>
                    <Copied
                        id="share-embed"
                        text=Signal::derive(move || frame.get().unwrap_or_default())
                        on_copy=copy
                        label=Signal::derive(move || t_string!(i18n, page.share_embed_code).to_string())
                    />
                    <p class="help">{move || t_string!(i18n, page.share_embed_help)}</p>
                </details>
            </Show>
        </dialog>
    }
}

/// A text that is there to be copied, and the button that does it.
#[component]
fn Copied(
    /// Of the field; the button's is this with `copy-` before it.
    id: &'static str,
    /// What is copied.
    #[prop(into)]
    text: Signal<String>,
    /// What the field is called.
    #[prop(into)]
    label: Signal<String>,
    /// Gets the text.
    on_copy: impl Fn(String) + 'static,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="copied">
            <input type="text" id=id readonly aria-label=label prop:value=text on:focus:target=|event| event.target().select() />
            <button type="button" class="button quiet compact" id=format!("copy-{id}") on:click=move |_| on_copy(text.get_untracked())>
                {move || t_string!(i18n, page.copy)}
            </button>
        </div>
    }
}

/// The element that shows a lab alone in another page.
fn frame_code(link: &str, title: &str) -> String {
    let link = link.replace('&', "&amp;");
    format!(
        r#"<iframe src="{link}" title="Kiln: {title}" width="100%" height="{FRAME_HEIGHT}" style="border:0" allow="camera; clipboard-write" loading="lazy"></iframe>"#
    )
}

/// Whether an address leads to the visitor's own computer, which no phone can open.
fn is_local(address: &str) -> bool {
    let host = address.split("://").nth(1).unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| host.starts_with(local))
}

/// A link as a QR code: dark on white in any theme, as scanners want it. Nothing where it is too long for
/// one.
fn qr_view(link: &str, label: String) -> Option<impl IntoView + use<>> {
    let code = QrCode::encode_text(link, QrCodeEcc::Low).ok()?;
    let side = code.size() + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|&x| code.get_module(x, y)) {
            path += &format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    Some(view! {
        <svg class="qr" viewBox=format!("0 0 {side} {side}") role="img" aria-label=label shape-rendering="crispEdges">
            <rect width="100%" height="100%" fill="#fff"></rect>
            <path d=path fill="#000"></path>
        </svg>
    })
}
