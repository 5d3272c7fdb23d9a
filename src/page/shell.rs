//! What stands around every page: navigation, language, theme, footer.

use leptos::either::Either;
use leptos::prelude::*;

use super::badge::Badge;
use super::engine::Engine;
use super::home::Home;
use super::intake;
use super::models::Models;
use super::present::{self, PresentBar};
use super::share::Share;
use super::state::PageRow;
use super::state::{Page, State, use_state};
use super::text::{
    I18nContextProvider, Locale, short_name, store_locale, stored_locale, t_string, use_i18n,
};
use super::words::lab_word;
use crate::protocol::lab::Wing;
use crate::protocol::message::BackendChoice;

/// The whole page, with some labs.
#[component]
pub fn App(
    /// The labs, in the order of the navigation.
    labs: Vec<PageRow>,
) -> impl IntoView {
    view! {
        <I18nContextProvider>
            <Shell labs />
        </I18nContextProvider>
    }
}

/// `?backend=cpu` or `?backend=webgpu` in the address; `?backend=any` takes a software adapter, too.
fn forced_backend() -> BackendChoice {
    let query = window().location().search().unwrap_or_default();
    match query
        .trim_start_matches('?')
        .split('&')
        .find_map(|part| part.strip_prefix("backend="))
    {
        Some("cpu") => BackendChoice::Cpu,
        Some("webgpu") => BackendChoice::WebGpu,
        Some("any") => BackendChoice::Any,
        _ => BackendChoice::Auto,
    }
}

#[component]
fn Shell(labs: Vec<PageRow>) -> impl IntoView {
    let i18n = use_i18n();
    // In an effect, because the context's own effect first sets the browser's language.
    Effect::new(move |_| {
        if let Some(locale) = stored_locale() {
            i18n.set_locale(locale);
        }
    });
    let state = State::new(Engine::new(forced_backend()), labs);
    provide_context(state);
    intake::listen(state);
    present::follow();
    state.read_address();
    window_event_listener(leptos::ev::hashchange, move |_| state.read_address());
    // A link is about to be followed: the entry of history that is left tells how the page was.
    window_event_listener(leptos::ev::click, move |_| state.write_waiting_address());
    Effect::new(move |_| {
        let page = match state.page.get() {
            Page::Home => None,
            Page::Models => Some(t_string!(i18n, page.models_title).to_string()),
            Page::Lab(lab) => Some(lab_word(i18n, lab.name, "title").to_string()),
        };
        let title = t_string!(i18n, page.app_title).to_string();
        document().set_title(&page.map_or(title, |page| format!("{page} · Kiln")));
    });
    let mut anew = anew();
    view! {
        <a class="skip" href="#main" on:click=|event| {
            // `#main` would be read as a page.
            event.prevent_default();
            if let Some(main) = document().get_element_by_id("main") {
                let main: web_sys::HtmlElement = wasm_bindgen::JsCast::unchecked_into(main);
                let _ = main.focus();
            }
        }>{move || t_string!(i18n, page.skip)}</a>
        <Show when=move || state.present.get() fallback=|| view! { <Top /> }><PresentBar /></Show>
        <main id="main" tabindex="-1">
            {move || anew(state.page.get(), match state.page.get() {
                Page::Home => view! { <Home /> }.into_any(),
                Page::Models => view! { <Models /> }.into_any(),
                Page::Lab(lab) => {
                    let row = state.labs().into_iter().find(|row| row.spec == lab);
                    row.map(|row| (row.room.view)()).into_any()
                }
            })}
        </main>
        <footer><p>{move || t_string!(i18n, page.footer)}</p></footer>
    }
}

/// What stands above every page. Where there is no room for it in a line, navigation and choices open from a
/// button.
#[component]
fn Top() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let is_open = RwSignal::new(false);
    Effect::new(move |_| {
        state.page.track();
        is_open.set(false);
    });
    view! {
        <header class="top">
            <a class="wordmark" href="#/"><span aria-hidden="true"></span>"Kiln"</a>
            <div class="menu" id="menu" class:open=is_open>
                <Navigation />
                <div class="choices"><ThemeSwitch /><LanguageSwitch /></div>
            </div>
            <div class="tools">
                {move || state.page.get().lab().map(|_| view! { <Badge /> })}
                <Share />
                <button
                    type="button"
                    class="button quiet compact menu-button"
                    aria-controls="menu"
                    aria-expanded=move || is_open.get().to_string()
                    on:click=move |_| is_open.update(|open| *open = !*open)
                >{move || t_string!(i18n, page.menu)}</button>
            </div>
        </header>
    }
}

/// Makes each page of new elements: what a translator made of the texts of the page before would stay in
/// them.
fn anew() -> impl FnMut(Page, AnyView) -> Either<AnyView, AnyView> {
    let (mut last, mut is_left) = (None, false);
    move |page, view| {
        is_left ^= last.replace(page) != Some(page);
        if is_left {
            Either::Left(view)
        } else {
            Either::Right(view)
        }
    }
}

/// The parts of the course that have labs, each with its first one; and the model cards.
#[component]
fn Navigation() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let open = move |page: Page| state.page.get() == page;
    let parts = Wing::ALL
        .iter()
        .filter_map(|&wing| {
            let labs = state.labs().into_iter();
            let first = labs.map(|row| row.spec).find(|lab| lab.wing == wing)?;
            let here = move || state.page.get().lab().is_some_and(|lab| lab.wing == wing);
            let label = move || lab_word(i18n, "page", &format!("wings.{}", wing.name()));
            Some(view! {
                <a href=format!("#/{}", first.name) aria-current=move || here().then_some("page")>{label}</a>
            })
        })
        .collect_view();
    view! {
        <nav aria-label=move || t_string!(i18n, page.nav_label).to_string()>
            {parts}
            <a href="#/models" aria-current=move || open(Page::Models).then_some("page")>{move || t_string!(i18n, page.nav_models)}</a>
        </nav>
    }
}

#[component]
fn LanguageSwitch() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <select
            id="language"
            aria-label=move || t_string!(i18n, page.language).to_string()
            prop:value=move || short_name(i18n.get_locale())
            on:change:target=move |event| {
                let locale = if event.target().value() == "zh" { Locale::zh } else { Locale::en };
                i18n.set_locale(locale);
                store_locale(locale);
            }
        >
            <option value="en" lang="en">"English"</option>
            <option value="zh" lang="zh-Hans">"简体中文"</option>
        </select>
    }
}

/// Where the chosen theme is kept; `public/boot.js` applies it before the first paint.
const STORED_THEME: &str = "kiln-theme";

#[component]
fn ThemeSwitch() -> impl IntoView {
    let i18n = use_i18n();
    let storage = || window().local_storage().ok().flatten();
    let theme = RwSignal::new(
        storage()
            .and_then(|s| s.get_item(STORED_THEME).ok()?)
            .unwrap_or_default(),
    );
    view! {
        <select
            id="theme"
            aria-label=move || t_string!(i18n, page.theme).to_string()
            prop:value=move || theme.get()
            on:change:target=move |event| {
                let chosen = event.target().value();
                if let Some(root) = document().document_element() {
                    let _ = if chosen.is_empty() { root.remove_attribute("data-theme") } else { root.set_attribute("data-theme", &chosen) };
                }
                if let Some(storage) = storage() {
                    // A private window may refuse: the choice then lasts for this visit.
                    let _ = storage.set_item(STORED_THEME, &chosen);
                }
                theme.set(chosen);
            }
        >
            <option value="">{move || t_string!(i18n, page.theme_auto)}</option>
            <option value="light">{move || t_string!(i18n, page.theme_light)}</option>
            <option value="dark">{move || t_string!(i18n, page.theme_dark)}</option>
        </select>
    }
}
