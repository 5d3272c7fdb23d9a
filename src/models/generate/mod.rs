//! The networks of generative modelling: autoencoder, variational autoencoder, adversarial pair,
//! and the small classifier that judges them.
//!
//! All work on square pictures laid out as grids: `[height * width, batch, channels]`, row by row.

pub mod autoencoder;
pub mod classifier;
pub mod decoder;
pub mod encoder;
pub mod gan;
pub mod grid_conv;
pub mod latents;
pub mod lenet_layers;
pub mod points;
pub mod shapes;
pub mod shipped;
