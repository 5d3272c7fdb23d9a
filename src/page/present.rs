//! A lab alone and large: on a projector, or in a frame of another page.

use js_sys::{Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;

use super::badge::Badge;
use super::keys::focus;
use super::share::Share;
use super::state::{Page, use_state};
use super::text::{t_string, use_i18n};
use super::words::lab_word;
use crate::protocol::lab::LabSpec;

/// The id of the button that begins it, which has the focus again afterwards.
const BUTTON: &str = "present";

/// Whether the page stands in a frame of another one.
pub fn is_framed() -> bool {
    let window = window();
    let parent = window.parent().ok().flatten();
    parent.is_some_and(|parent| !js_sys::Object::is(&parent, &window))
}

/// Follows the state: the style sheet goes by an attribute of the root, and Escape leads back.
pub fn follow() {
    let state = use_state();
    Effect::new(move |was: Option<bool>| {
        let is = state.present.get();
        if let Some(root) = document().document_element() {
            let _ = match is {
                true => root.set_attribute("data-present", ""),
                false => root.remove_attribute("data-present"),
            };
        }
        // The button that was pressed is gone.
        if was == Some(true) && !is {
            request_animation_frame(|| focus(BUTTON));
        }
        is
    });
    window_event_listener(leptos::ev::keydown, move |event| {
        let is_free = || matches!(document().query_selector("dialog[open]"), Ok(None));
        if event.key() == "Escape" && state.present.get_untracked() && !is_framed() && is_free() {
            state.set_present(false);
        }
    });
}

/// Begins it.
#[component]
pub fn PresentButton() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    view! {
        <button type="button" class="button quiet compact" id=BUTTON title=move || t_string!(i18n, page.present_help).to_string() on:click=move |_| state.set_present(true)>
            {move || t_string!(i18n, page.present)}
        </button>
    }
}

/// What stands above the lab instead of the navigation.
#[component]
pub fn PresentBar() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let title = move || {
        let lab = state.page.get().lab();
        lab.map(|lab: &'static LabSpec| lab_word(i18n, lab.name, "title"))
    };
    // The address is that of the moment of the click.
    let to_whole = move |event: web_sys::MouseEvent| {
        let target = event.current_target();
        if let Some(anchor) = target.and_then(|t| t.dyn_into::<web_sys::HtmlAnchorElement>().ok()) {
            anchor.set_href(&state.link());
        }
    };
    let way_back = move || {
        match is_framed() {
        true => view! {
            <FrameLimits />
            <a class="button quiet compact" id="open-whole" target="_blank" rel="noopener" href=state.link() on:click=to_whole>{move || t_string!(i18n, page.frame_open)}</a>
        }
        .into_any(),
        false => view! {
            <button type="button" class="button quiet compact" id="leave-present" on:click=move |_| state.set_present(false)>
                {move || t_string!(i18n, page.present_leave)} <kbd>"Esc"</kbd>
            </button>
        }
        .into_any(),
    }
    };
    view! {
        <header class="top">
            <span class="wordmark"><span aria-hidden="true"></span>"Kiln"</span>
            <p class="present-title">{title}</p>
            <div class="tools">
                {move || matches!(state.page.get(), Page::Lab(_)).then(|| view! { <Badge /> })}
                <Share />
                {way_back}
            </div>
        </header>
    }
}

/// What the frame takes away, as far as the page can know it.
#[component]
fn FrameLimits() -> impl IntoView {
    let i18n = use_i18n();
    let has_origin = window().origin() != "null";
    let camera = allows("camera");
    view! {
        <details class="badge" id="frame-limits">
            <summary>{move || t_string!(i18n, page.frame_title)}</summary>
            <div class="panel">
                {move || (!has_origin).then(|| view! { <p id="frame-keeps-nothing">{t_string!(i18n, page.frame_keeps_nothing)}</p> })}
                {move || (!camera).then(|| view! { <p id="frame-no-camera">{t_string!(i18n, page.frame_no_camera)}</p> })}
                <p>{move || t_string!(i18n, page.frame_rest)}</p>
            </div>
        </details>
    }
}

/// Whether the page around allows a feature; where the browser does not say, it is taken to.
fn allows(feature: &str) -> bool {
    let answer = || {
        let policy = Reflect::get(&document(), &"featurePolicy".into()).ok()?;
        let ask: Function = Reflect::get(&policy, &"allowsFeature".into())
            .ok()?
            .dyn_into()
            .ok()?;
        ask.call1(&policy, &feature.into()).ok()?.as_bool()
    };
    answer().unwrap_or(true)
}
