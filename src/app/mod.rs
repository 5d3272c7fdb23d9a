//! The page: Leptos over the protocol. No tensor, no Burn, no computing.

mod canvas;
mod color_map;
mod controls;
mod detect;
mod engine;
mod export;
mod generate;
mod home;
mod intake;
mod job_panel;
mod models;
mod notes;
mod pad;
mod paintings;
mod search;
mod segment;
mod shell;
mod state;
mod style_tabs;
mod stylize;
mod text;
mod worker;

pub use shell::App;
