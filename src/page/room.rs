//! What a lab is to the page.

use leptos::prelude::*;

use super::state::State;
use crate::protocol::lab::LabSpec;
use crate::protocol::settings::Settings;

/// Why a lab is to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A new run: another picture, a setting that needs one, or the visitor's word.
    Run,
    /// Something else is to be made of the last result.
    Refine,
    /// Settings changed that a run under way may take over.
    Adjust,
}

/// A lab's page.
#[derive(Clone, Copy)]
pub struct Room {
    /// The page.
    pub view: fn() -> AnyView,
    /// What the lab does with the settings that it is given. Labs that ask by themselves do nothing.
    pub act: fn(State, &Settings, Trigger),
    /// What invites to it on the front page, for the few that stand there.
    pub door: Option<fn() -> AnyView>,
}

/// A row of the list of labs, as the page needs it.
#[derive(Clone, Copy)]
pub struct PageRow {
    /// The lab.
    pub spec: &'static LabSpec,
    /// Its page.
    pub room: Room,
}

/// What a lab does that asks by itself.
pub fn asks_by_itself(_: State, _: &Settings, _: Trigger) {}
