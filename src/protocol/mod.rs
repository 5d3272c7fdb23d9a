//! What page, engine and command line say to each other. No Burn, no Leptos.

pub mod card;
pub mod failure;
pub mod generative;
pub mod imagenet;
pub mod intake;
pub mod lab;
pub mod layer;
pub mod link;
pub mod message;
pub mod named_layers;
pub mod param;
pub mod picture;
pub mod picture_file;
pub mod png_text;
pub mod samples;
pub mod settings;
