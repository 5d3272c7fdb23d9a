//! Inception score and Fréchet distance: drop modes, blur, add noise, and watch both.

use leptos::prelude::*;

use super::spec::{LAB, Question, Scores, ScoresSettings};
use crate::labs::generate::page::class_label;
use crate::page::controls::Panel;
use crate::page::engine;
use crate::page::frame::LabFrame;
use crate::page::terms::Hot;
use crate::page::latest::{Latest, Standing};
use crate::page::plot::number;
use crate::page::state::{Room, asks_by_itself};
use crate::page::sheet::{Drawn, SheetView};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::generative::DataSet;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <ScoresLab /> }.into_any(),
    act: asks_by_itself,
    door: None,
};

/// The page.
#[component]
fn ScoresLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(&LAB);
    let latest = Latest::new(state.engine);
    let drawn: RwSignal<Option<Drawn>, LocalStorage> = RwSignal::new_local(None);
    // The scores, and what the pictures are of.
    let scored: RwSignal<Option<(Scores, DataSet)>> = RwSignal::new(None);
    Effect::new(move |_| {
        let settings = settings.get();
        let data = settings.read::<ScoresSettings>().data();
        let question = engine::Question::new(&Question::Score, &settings);
        latest.ask("score", question, move |says| {
            if let Some(found) = says.read::<Scores>() {
                drawn.set(Some((found.sheet, says.file("rgba"))));
                scored.set(Some((found, data)));
            }
        });
    });
    view! {
        <LabFrame lab=&LAB>
            <div class="bench">
                <div class="hero-column">
                    <div class="stage sheet-stage" data-view="many" class:empty=move || drawn.with(Option::is_none)>
                        <SheetView drawn label=Signal::derive(move || t_string!(i18n, scores.sheet).to_string()) />
                    </div>
                    <Standing latest />
                    <Facts scored />
                    <Classes scored />
                </div>
                <div class="inspector">
                    <Panel lab=&LAB group="model" />
                    <Panel lab=&LAB group="corruption" />
                    <p class="help">{move || t_string!(i18n, scores.help)}</p>
                    </div>
            </div>
        </LabFrame>
    }
}

/// The scores and their parts.
#[component]
fn Facts(scored: RwSignal<Option<(Scores, DataSet)>>) -> impl IntoView {
    let i18n = use_i18n();
    let [is_fid, is_inception] = ["fid", "inception"].map(Hot::is);
    move || {
        scored.get().map(|(found, _)| {
            let [means, covariances] = found.frechet.map(f64::from);
            view! {
                <dl class="facts">
                    <div class:lit=is_fid><dt>{t_string!(i18n, scores.fid)}</dt><dd class="number" id="fid" data-value=(means + covariances).to_string()>{number(means + covariances)}</dd></div>
                    <div class:lit=is_fid><dt>{t_string!(i18n, scores.means)}</dt><dd class="number">{number(means)}</dd></div>
                    <div class:lit=is_fid><dt>{t_string!(i18n, scores.covariances)}</dt><dd class="number">{number(covariances)}</dd></div>
                    <div class:lit=is_inception><dt>{t_string!(i18n, scores.is)}</dt><dd class="number" id="inception" data-value=found.inception.to_string()>{number(f64::from(found.inception))}</dd></div>
                    <div><dt>{t_string!(i18n, scores.certainty)}</dt><dd class="number">{number(f64::from(found.certainty))}</dd></div>
                    <div><dt>{t_string!(i18n, scores.count)}</dt><dd class="number">{found.count}</dd></div>
                </dl>
            }
        })
    }
}

/// Which classes the classifier sees.
#[component]
fn Classes(scored: RwSignal<Option<(Scores, DataSet)>>) -> impl IntoView {
    let i18n = use_i18n();
    let classes = move || {
        scored.get().map(|(found, data)| {
            found
                .classes
                .iter()
                .enumerate()
                .map(|(class, share)| {
                    let percent = share * 100.0;
                    let name = class_label(i18n, data, class);
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
        <section class="panel">
            <h2>{move || t_string!(i18n, scores.classes)}</h2>
            <table class="bars"><tbody>{classes}</tbody></table>
        </section>
    }
}
