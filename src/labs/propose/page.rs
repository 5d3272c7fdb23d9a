//! The page: regions that merge, the boxes of the search, and how many objects they find.

use leptos::prelude::*;

use super::spec::{LAB, NAMES, ProposeSettings, Question, SCENE, View};
use super::views::Opened;
use super::views::boxes::{Boxes, RecallPanel};
use super::views::regions::{MergePanel, Regions};
use crate::labs::compare;
use crate::labs::truth::compose::ComposePanel;
use crate::labs::truth::composed::{backdrop, with_picture};
use crate::labs::truth::drawing::Drawing;
use crate::labs::truth::read;
use crate::page::controls::{Control, Panel};
use crate::page::engine;
use crate::page::frame::{LabFrame, Stage};
use crate::page::job_panel::RunPanel;
use crate::page::state::{Room, State, Trigger, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::protocol::settings::Settings;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <ProposeLab /> }.into_any(),
    act,
    door: None,
};

fn act(state: State, settings: &Settings, trigger: Trigger) {
    if trigger == Trigger::Run {
        let question = engine::Question::new(&Question::Run, settings);
        let desk = state.desk(&LAB);
        with_picture(state, SCENE, move |picture| desk.run(question.with("picture", Some(picture))));
    }
}

/// The page of the lab.
#[component]
fn ProposeLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let desk = state.desk(&LAB);
    let settings = state.settings(&LAB);
    let opened = RwSignal::new_local(None::<Opened>);
    Effect::new(move |_| {
        opened.set(desk.answer.with(|says| says.as_ref().and_then(Opened::read)));
    });
    let now = move || settings.with(|settings| settings.read::<ProposeSettings>());
    let view_of = Memo::new(move |_| now().view);
    let step = Memo::new(move |_| now().step);
    let most = Memo::new(move |_| now().most);
    let overlap = Memo::new(move |_| now().overlap);
    let objects = Memo::new(move |_| read(&now().truth));
    let backdrop = backdrop(state, &LAB);
    let below = move || backdrop.get().map(|url| view! { <img class="layer" src=url alt="" /> });
    let over = move || {
        let opened = opened.get()?;
        Some(match view_of.get() {
            View::Regions => view! { <Regions opened step /> }.into_any(),
            View::Boxes => view! { <Boxes opened most objects /> }.into_any(),
        })
    };
    let beside = move || {
        let opened = opened.get()?;
        Some(match view_of.get() {
            View::Regions => view! { <MergePanel opened step /> }.into_any(),
            View::Boxes => {
                let (count, [_, ms]) = (opened.boxes.len(), opened.answer.ms);
                view! {
                    <p class="help" id="searched">{t_string!(i18n, propose.searched, count = count, ms = format!("{ms:.0}")).to_string()}</p>
                    <Control lab=&LAB name=NAMES.most />
                    <RecallPanel opened most objects overlap />
                }
                .into_any()
            }
        })
    };
    view! {
        <LabFrame lab=&LAB>
            <div class="bench">
                <div class="hero-column">
                    <Stage>{below}{over}</Stage>
                    <Show when=move || view_of.get() == View::Boxes>
                        <ComposePanel of=SCENE to=compare::spec::SCENE />
                        <section class="panel" id="truth">
                            <h2>{move || t_string!(i18n, propose.truth)}</h2>
                            <p class="help">{move || t_string!(i18n, propose.truth_help)}</p>
                            <Drawing lab=&LAB name=NAMES.truth below />
                        </section>
                    </Show>
                </div>
                <div class="inspector">
                    <RunPanel lab=&LAB />
                    <section class="panel">
                        <Control lab=&LAB name=NAMES.view />
                        {beside}
                    </section>
                    <Show when=move || view_of.get() == View::Regions>
                        <Panel lab=&LAB group="cut" />
                        <Panel lab=&LAB group="merge" />
                    </Show>
                    <Show when=move || view_of.get() == View::Boxes>
                        <Panel lab=&LAB group="truth" />
                    </Show>
                </div>
            </div>
        </LabFrame>
    }
}
