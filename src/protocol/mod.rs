//! What page, engine and command line say to each other. No Burn, no Leptos.

pub mod ask;
pub mod card;
pub mod detect;
pub mod failure;
pub mod generate;
pub mod intake;
pub mod link;
pub mod message;
pub mod optimise;
pub mod paintings;
pub mod params;
pub mod picture;
pub mod png_text;
pub mod samples;
pub mod segment;
pub mod settings;
pub mod stylize;
