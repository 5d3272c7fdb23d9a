//! The lecture notes below a lab: fetched files, not part of the program.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;

use super::fetch;
use super::terms::show_hot;
use super::text::{short_name, t_string, use_i18n};
use crate::protocol::lab::LabSpec;

/// The last line of all notes, which `tools/finish-site.sh` writes: whatever else a server or a network
/// answers with is not shown, nor is half of a file.
const END: &str = "<!-- These are all the notes. -->";

/// Opens the notes of the lab and goes to where they begin.
pub fn go_to() {
    let Ok(Some(notes)) = document().query_selector("details.notes") else {
        return;
    };
    let _ = notes.set_attribute("open", "");
    notes.scroll_into_view();
    if let Ok(Some(summary)) = notes.query_selector("summary")
        && let Ok(summary) = summary.dyn_into::<web_sys::HtmlElement>()
    {
        let _ = summary.focus();
    }
}

/// The notes of a lab in the page's language.
#[component]
pub fn Notes(
    /// Whose notes.
    lab: &'static LabSpec,
    /// Is set to the `data-term` of what is pointed at.
    hot: RwSignal<Option<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let text: RwSignal<Option<Result<String, ()>>> = RwSignal::new(None);
    Effect::new(move |_| {
        let language = short_name(i18n.get_locale());
        spawn_local(async move {
            let path = format!("notes/{}.{language}.html", lab.name);
            let fetched = fetch::text(&path, |text| text.trim_end().ends_with(END)).await;
            // The visitor may have left the lab meanwhile.
            let _ = text.try_set(Some(fetched.map_err(|_| ())));
        });
    });
    let term = move |event: web_sys::Event| {
        let target: Option<web_sys::Element> = event.target().and_then(|t| t.dyn_into().ok());
        let named = target.and_then(|target| target.closest("[data-term]").ok().flatten());
        hot.set(named.and_then(|element| element.get_attribute("data-term")));
        show_hot();
    };
    let article: NodeRef<leptos::html::Article> = NodeRef::new();
    Effect::new(move |_| {
        text.track();
        let hot = hot.get();
        let Some(Ok(terms)) = article.get().map(|a| a.query_selector_all("[data-term]")) else {
            return;
        };
        let terms =
            (0..terms.length()).filter_map(|i| terms.get(i)?.dyn_into::<web_sys::Element>().ok());
        for term in terms {
            let is_lit = hot.is_some() && term.get_attribute("data-term") == hot;
            let _ = term.class_list().toggle_with_force("lit", is_lit);
        }
    });
    view! {
        <details class="notes" open>
            <summary>{move || t_string!(i18n, page.notes)}</summary>
            {move || match text.get() {
                // Files of our own, from our own server, under a policy that runs no foreign script.
                Some(Ok(html)) => view! {
                    <article
                        node_ref=article
                        inner_html=html
                        on:mouseover=move |event| term(event.into())
                        on:focusin=move |event| term(event.into())
                        on:mouseleave=move |_| hot.set(None)
                        on:focusout=move |_| hot.set(None)
                    ></article>
                }.into_any(),
                Some(Err(())) => view! { <p>{t_string!(i18n, page.notes_failed)}</p> }.into_any(),
                None => ().into_any(),
            }}
        </details>
    }
}
