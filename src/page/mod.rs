//! The page: Leptos over the protocol. No tensor, no Burn, no computing.

pub mod address;
pub mod badge;
pub mod camera;
pub mod canvas;
pub mod controls;
pub mod desk;
pub mod engine;
pub mod export;
pub mod fetch;
pub mod frame;
pub mod home;
pub mod intake;
pub mod job_panel;
pub mod keys;
pub mod latest;
mod layers;
pub mod live;
pub mod models;
pub mod notes;
pub mod opening;
pub mod plot;
pub mod pointer;
pub mod present;
pub mod share;
pub mod sheet;
pub mod shell;
pub mod state;
pub mod terms;
pub mod text;
pub mod words;
pub mod worker;

pub use shell::App;
