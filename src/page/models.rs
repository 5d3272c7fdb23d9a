//! The model cards: a fetched file, not part of the program.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::fetch;
use super::text::{t_string, use_i18n};
use crate::protocol::card::{Manifest, ModelCard, file_name};
use crate::protocol::generative::find;

/// One card for each model of the manifest.
#[component]
pub fn Models() -> impl IntoView {
    let i18n = use_i18n();
    let fetched: RwSignal<Option<Option<Manifest>>> = RwSignal::new(None);
    spawn_local(async move {
        let is_right = |text: &str| fetch::parse::<Manifest>(text).is_some();
        let text = fetch::text("weights/manifest.json", is_right).await.ok();
        let manifest = text.and_then(|text| fetch::parse(&text));
        // The visitor may have left the page meanwhile.
        let _ = fetched.try_set(Some(manifest));
    });
    let cards = move || match fetched.get() {
        Some(Some(manifest)) => manifest
            .models
            .into_iter()
            .map(|card| view! { <Card card /> })
            .collect_view()
            .into_any(),
        Some(None) => view! { <p>{t_string!(i18n, page.models_failed)}</p> }.into_any(),
        None => ().into_any(),
    };
    view! {
        <div class="lab">
            <header class="lab-head">
                <h1>{move || t_string!(i18n, page.models_title)}</h1>
                <p>{move || t_string!(i18n, page.models_lead)}</p>
            </header>
            <div class="cards" lang="en">{cards}</div>
        </div>
    }
}

/// The card of a model.
#[component]
fn Card(card: ModelCard) -> impl IntoView {
    let i18n = use_i18n();
    let source = format!("{}: {}", card.source.package, card.source.path);
    let file = format!(
        "weights/{}, {:.1} MB",
        file_name(&card.name),
        card.bytes as f64 / 1e6
    );
    let samples = find(&card.name).map(|_| {
        let address = format!("cards/{}.png", card.name);
        let label = t_string!(i18n, page.card_samples);
        view! {
            <figure>
                <img class="card-samples" src=address alt=label loading="lazy" />
                <figcaption class="help">{label}</figcaption>
            </figure>
        }
    });
    let rows = [
        (t_string!(i18n, page.card_architecture), card.architecture),
        (t_string!(i18n, page.card_data), card.data),
        (t_string!(i18n, page.card_quality), card.quality),
        (t_string!(i18n, page.card_limits), card.limits),
        (t_string!(i18n, page.card_license), card.license),
        (
            t_string!(i18n, page.card_parameters),
            format!("{:.2} M", card.parameters as f64 / 1e6),
        ),
        (t_string!(i18n, page.card_size), file),
        (t_string!(i18n, page.card_source), source),
        (t_string!(i18n, page.card_command), card.command),
        ("sha256", card.sha256),
    ];
    let rows = rows
        .map(|(term, text)| view! { <dt>{term}</dt><dd>{text}</dd> })
        .collect_view();
    view! {
        <article class="panel card" id=card.name>
            <h2>{card.title}</h2>
            {samples}
            <dl>{rows}</dl>
        </article>
    }
}
