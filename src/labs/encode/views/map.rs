//! A map of the test set's codes.

use crate::labs::encode::page::{ask, read};
use crate::labs::encode::spec::{Map, Question};
use crate::labs::generate::page::class_label;
use crate::page::engine::Payload;
use crate::page::job_panel::Told;
use crate::page::latest::Latest;
use crate::page::text::{I18n, t_string, use_i18n};
use crate::protocol::generative::DataSet;
use leptos::prelude::*;

/// Steps of t-SNE, after which the map hardly moves.
const TSNE_STEPS: u32 = 500;
/// Colours of ten classes.
const CLASS_COLORS: [&str; 10] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7f7f7f",
    "#8c564b", "#000000",
];

/// Where the codes of the test set lie, by principal components and by t-SNE.
#[component]
pub fn MapView(latest: Latest, taken: RwSignal<u32>) -> impl IntoView {
    let i18n = use_i18n();
    let map = RwSignal::new(Map::default());
    let running = RwSignal::new(false);
    let show = move |says: Payload| {
        if let Some(now) = says.read::<Map>() {
            let _ = map.try_set(now);
        }
    };
    Effect::new(move |_| {
        if taken.get() > 0 {
            running.set(false);
            let begin = Question::Map {
                begin: true,
                steps: 0,
            };
            latest.forget("map");
            latest.ask("begin map", ask(begin), show);
        }
    });
    // Each answer asks for the next few steps.
    Effect::new(move |_| {
        let step = map.with(|map| map.step);
        if running.get() && step < TSNE_STEPS {
            let on = Question::Map {
                begin: false,
                steps: 5,
            };
            latest.ask("map", ask(on), show);
        } else if running.get_untracked() {
            running.set(false);
        }
    });
    let told = move || {
        let map = map.get();
        match map.step {
            0 => t_string!(i18n, encode.map_pca).to_string(),
            step => t_string!(
                i18n,
                encode.map_tsne,
                step = step,
                nats = format!("{:.3}", map.divergence)
            )
            .to_string(),
        }
    };
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, encode.map_title)}</h2>
            <svg class="map" viewBox="-1.08 -1.08 2.16 2.16" role="img" aria-label=move || t_string!(i18n, encode.map_title).to_string()>{move || dots(&map.get(), untrack(|| read().data.set()))}</svg>
            <Told running step=Signal::derive(move || u64::from(map.with(|m| m.step))) />
            <p class="number quiet" id="map-told" data-step=move || map.with(|m| m.step.to_string())>{told}</p>
            <ul class="legend">{move || legend(i18n, read().data.set())}</ul>
            <div class="row">
                <button type="button" class="button" id="tsne" on:click=move |_| running.update(|r| *r = !*r)>
                    {move || if running.get() { t_string!(i18n, page.pause) } else { t_string!(i18n, encode.map_run) }}
                </button>
            </div>
            <p class="help">{move || t_string!(i18n, encode.map_help)}</p>
        </section>
    }
}

/// The codes of the test set, coloured by class, and the visitor's own.
fn dots(map: &Map, data: DataSet) -> impl IntoView + use<> {
    let dot = |([x, y], label): (&[f32; 2], &u8)| {
        let color = if data == DataSet::Avatars {
            0
        } else {
            usize::from(*label) % 10
        };
        view! { <circle cx=*x cy=-*y r="0.014" fill=CLASS_COLORS[color] /> }
    };
    let dots = map.points.iter().zip(&map.labels).map(dot).collect_view();
    let own = map.own.map(|[x, y]| {
        view! { <circle class="own" cx=x cy=-y r="0.035" /> }
    });
    (dots, own)
}

/// The colours of the classes, where there are classes.
fn legend(i18n: I18n, data: DataSet) -> impl IntoView {
    (data != DataSet::Avatars).then(|| {
        (0..10)
            .map(|class| {
                view! { <li><span class="dot" style=format!("background:{}", CLASS_COLORS[class])></span>{class_label(i18n, data, class)}</li> }
            })
            .collect_view()
    })
}
