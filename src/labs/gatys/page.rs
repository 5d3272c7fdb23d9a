//! The page of the lab: one of those that take steps.

use leptos::prelude::*;

use super::spec::LAB;
use crate::labs::search::live::{Needs, act};
use crate::labs::search::page::SearchLab;
use crate::page::state::Room;

const NEEDS: Needs = Needs {
    picture: true,
    style: true,
    ..Needs::new(128, 24)
};

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <SearchLab lab=&LAB needs=NEEDS /> }.into_any(),
    act: |state, settings, trigger| act(state, settings, trigger, NEEDS),
    door: None,
};
