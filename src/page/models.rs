//! The model cards: a fetched file, not part of the program.

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;

use super::fetch;
use super::job_panel::Notices;
use super::text::{short_name, t_string, use_i18n};
use crate::protocol::card::{CardWords, Manifest, ModelCard, Topic, file_name};
use crate::protocol::generative::find;

/// A language's words for the cards, by the names of the cards.
type Words = HashMap<String, CardWords>;

/// A file that ships, read; nothing where it did not load.
async fn fetched<T: DeserializeOwned>(path: &str) -> Option<T> {
    let is_right = |text: &str| fetch::parse::<T>(text).is_some();
    let text = fetch::text(path, is_right).await.ok();
    text.and_then(|text| fetch::parse(&text))
}

/// The cards of all models in a language; what it has no words for is English.
async fn cards_in(language: &'static str) -> Option<Cards> {
    let cards = fetched::<Manifest>("weights/manifest.json").await?.models;
    let english = |cards| {
        Some(Cards {
            cards,
            language: ENGLISH,
        })
    };
    if language == ENGLISH {
        return english(cards);
    }
    let path = format!("weights/manifest.{language}.json");
    let Some(mut words) = fetched::<Words>(&path).await else {
        return english(cards);
    };
    let cards = cards
        .into_iter()
        .map(|card| match words.remove(&card.name) {
            Some(words) => card.in_words(words),
            None => card,
        });
    Some(Cards {
        cards: cards.collect(),
        language,
    })
}

/// The language of the manifest.
const ENGLISH: &str = "en";

/// Cards, and the language that they are in.
#[derive(Clone)]
struct Cards {
    cards: Vec<ModelCard>,
    language: &'static str,
}

/// One card for each model of the manifest, by topic.
#[component]
pub fn Models() -> impl IntoView {
    let i18n = use_i18n();
    let cards: RwSignal<Option<Option<Cards>>> = RwSignal::new(None);
    Effect::new(move |_| {
        let language = short_name(i18n.get_locale());
        spawn_local(async move {
            let read = cards_in(language).await;
            // The visitor may have left the page meanwhile, or chosen another language.
            if short_name(i18n.get_locale_untracked()) == language {
                let _ = cards.try_set(Some(read));
            }
        });
    });
    let groups = move || match cards.get() {
        Some(Some(cards)) => Topic::ALL
            .map(|topic| view! { <Group cards=cards.clone() topic /> })
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
            <Notices />
            {groups}
        </div>
    }
}

/// The cards of a topic, below its name.
#[component]
fn Group(cards: Cards, topic: Topic) -> impl IntoView {
    let i18n = use_i18n();
    let title = match topic {
        Topic::Detection => t_string!(i18n, page.topic_detection),
        Topic::Segmentation => t_string!(i18n, page.topic_segmentation),
        Topic::Classification => t_string!(i18n, page.topic_classification),
        Topic::Style => t_string!(i18n, page.topic_style),
        Topic::Generative => t_string!(i18n, page.topic_generative),
        Topic::Scores => t_string!(i18n, page.topic_scores),
        Topic::Data => t_string!(i18n, page.topic_data),
    };
    let language = cards.language;
    let cards = cards.cards.into_iter().filter(|card| card.topic == topic);
    let cards = cards.map(|card| view! { <Card card language /> });
    view! {
        <section class="group">
            <h2>{title}</h2>
            <div class="cards">{cards.collect_view()}</div>
        </section>
    }
}

/// The card of a model: its title, its size and the first words on its quality in two lines, all else
/// folded away.
#[component]
fn Card(card: ModelCard, language: &'static str) -> impl IntoView {
    let i18n = use_i18n();
    let source = format!("{}: {}", card.source.package, card.source.path);
    let size = format!("{:.1} MB", card.bytes as f64 / 1e6);
    let file = format!("weights/{}, {size}", file_name(&card.name));
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
    let words = [
        (t_string!(i18n, page.card_quality), card.quality.clone()),
        (t_string!(i18n, page.card_limits), card.limits),
        (t_string!(i18n, page.card_architecture), card.architecture),
        (t_string!(i18n, page.card_data), card.data),
        (t_string!(i18n, page.card_license), card.license),
    ];
    // These are the same in every language.
    let facts = [
        (
            t_string!(i18n, page.card_parameters),
            format!("{:.2} M", card.parameters as f64 / 1e6),
        ),
        (t_string!(i18n, page.card_size), file),
        (t_string!(i18n, page.card_source), source),
        (t_string!(i18n, page.card_command), card.command),
        ("sha256", card.sha256),
    ];
    let rows = (words.into_iter().map(|row| (row, language)))
        .chain(facts.into_iter().map(|row| (row, ENGLISH)))
        .map(|((term, text), language)| view! { <dt>{term}</dt><dd lang=language>{text}</dd> })
        .collect_view();
    view! {
        <details class="panel card" id=card.name>
            <summary>
                <h3 lang=language>{card.title}</h3>
                <span class="number">{size}</span>
                <span class="brief" lang=language>{card.quality}</span>
            </summary>
            {samples}
            <dl>{rows}</dl>
        </details>
    }
}
