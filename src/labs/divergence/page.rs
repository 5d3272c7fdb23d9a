//! Two densities and how far they are apart; convexity; Lipschitz continuity.

use leptos::prelude::*;

use super::spec::{DivergenceSettings, LAB, NAMES, Topic};
use super::views::convexity::Convexity;
use super::views::divergences::Divergences;
use super::views::lipschitz::Lipschitz;
use crate::page::controls::Control;
use crate::page::frame::LabFrame;
use crate::page::state::{Room, asks_by_itself, use_state};

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <DivergenceLab /> }.into_any(),
    act: asks_by_itself,
    door: None,
};

/// The settings, read.
pub fn read() -> DivergenceSettings {
    let state = use_state();
    state.settings(&LAB).with(|settings| settings.read())
}

/// The page.
#[component]
fn DivergenceLab() -> impl IntoView {
    let topic = Memo::new(move |_| read().topic);
    view! {
        <LabFrame lab=&LAB>
            <Control lab=&LAB name=NAMES.topic />
            {move || match topic.get() {
                Topic::Divergences => view! { <Divergences /> }.into_any(),
                Topic::Convexity => view! { <Convexity /> }.into_any(),
                Topic::Lipschitz => view! { <Lipschitz /> }.into_any(),
            }}
        </LabFrame>
    }
}
