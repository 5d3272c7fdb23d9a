//! Inception score and Fréchet distance: drop modes, blur, add noise, and watch both.

use leptos::prelude::*;

use crate::labs::generate::ask::{Ask, Scores, Told};
use crate::labs::generate::page::{Drawn, Latest, SheetView, Standing};
use crate::labs::generate::spec::{DataSet, data_of_scored, setting};
use crate::page::controls::Control;
use crate::page::plot::number;
use crate::page::shell::ShareButton;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::params::Lab;

/// The page.
#[component]
pub fn ScoresLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let lab = Lab::Scores;
    let settings = state.settings(lab);
    let latest = Latest::new(state.engine);
    let drawn: RwSignal<Option<Drawn>, LocalStorage> = RwSignal::new_local(None);
    let scores: RwSignal<Option<Scores>> = RwSignal::new(None);
    // What the pictures of the last answer are of.
    let scored = RwSignal::new(DataSet::FashionMnist);
    Effect::new(move |_| {
        let data = settings.with(|s| data_of_scored(s.choice(setting::MODEL)));
        latest.ask(Ask::Score(settings.get()), move |told, bytes| {
            if let Told::Scored(found) = told {
                drawn.set(Some((found.sheet, bytes)));
                scored.set(data);
                scores.set(Some(found));
            }
        });
    });
    let facts = move || {
        scores.get().map(|found| {
            let [means, covariances] = found.frechet.map(f64::from);
            view! {
                <dl class="facts">
                    <div><dt>{t_string!(i18n, score_fid)}</dt><dd class="number" id="fid" data-value=(means + covariances).to_string()>{number(means + covariances)}</dd></div>
                    <div><dt>{t_string!(i18n, score_means)}</dt><dd class="number">{number(means)}</dd></div>
                    <div><dt>{t_string!(i18n, score_covariances)}</dt><dd class="number">{number(covariances)}</dd></div>
                    <div><dt>{t_string!(i18n, score_is)}</dt><dd class="number" id="inception" data-value=found.inception.to_string()>{number(f64::from(found.inception))}</dd></div>
                    <div><dt>{t_string!(i18n, score_certainty)}</dt><dd class="number">{number(f64::from(found.certainty))}</dd></div>
                    <div><dt>{t_string!(i18n, score_count)}</dt><dd class="number">{found.count}</dd></div>
                </dl>
            }
        })
    };
    let classes = move || {
        scores.get().map(|found| {
            let data = scored.get_untracked();
            found
                .classes
                .iter()
                .enumerate()
                .map(|(class, share)| {
                    let percent = share * 100.0;
                    let name = crate::labs::encode::page::class_label(i18n, data, class);
                    view! {
                        <tr style="--class:#0072b2">
                            <th scope="row">{name}</th>
                            <td class="bar"><span style=format!("width:{:.1}%", (percent * 2.5).min(100.0))></span></td>
                            <td class="number">{format!("{percent:.1} %")}</td>
                        </tr>
                    }
                })
                .collect_view()
        })
    };
    view! {
        <div class="bench">
            <div class="hero-column">
                <div class="stage sheet-stage" data-view="many" class:empty=move || drawn.with(Option::is_none)>
                    <SheetView drawn label=Signal::derive(move || t_string!(i18n, score_sheet).to_string()) />
                </div>
                <Standing latest />
                {facts}
                <section class="panel">
                    <h2>{move || t_string!(i18n, score_classes)}</h2>
                    <table class="bars"><tbody>{classes}</tbody></table>
                </section>
            </div>
            <div class="inspector">
                <section class="panel"><Control lab name=setting::MODEL /></section>
                <section class="panel">
                    <h2>{move || t_string!(i18n, score_harm)}</h2>
                    <Control lab name=setting::MODES />
                    <Control lab name=setting::BLUR />
                    <Control lab name=setting::NOISE />
                    <Control lab name=setting::SEED />
                </section>
                <p class="help">{move || t_string!(i18n, score_help)}</p>
                <div class="row exports"><ShareButton /></div>
            </div>
        </div>
    }
}
