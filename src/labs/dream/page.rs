//! The page of the lab: one of those that take steps.

use leptos::prelude::*;

use super::spec::{DreamSettings, LAB};
use crate::labs::search::live::{Needs, act};
use crate::labs::search::objective::Objective;
use crate::labs::search::page::SearchLab;
use crate::page::state::Room;
use crate::protocol::failure::Failure;
use crate::protocol::named_layers::VGG16;
use crate::protocol::settings::Settings;

const NEEDS: Needs = Needs {
    picture: true,
    check,
    style: false,
    ..Needs::new(160, 6)
};

fn check(settings: &Settings) -> Result<(), Failure> {
    let settings: DreamSettings = settings.read();
    Objective::parse(&settings.objective(), &VGG16).map(drop)
}

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <SearchLab lab=&LAB needs=NEEDS /> }.into_any(),
    act: |state, settings, trigger| act(state, settings, trigger, NEEDS),
    door: None,
};
