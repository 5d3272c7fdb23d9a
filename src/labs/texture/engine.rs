//! Texture synthesis, in the engine: what its settings mean for the search.

use super::spec::TextureSettings;
use crate::engine::lab::LabEngine;
use crate::job::Promise;
use crate::labs::search::engine::{self, Beginning, Search};
use crate::labs::search::optimise::{Optimisation, Plan, Start};
use crate::models::vgg16::Vgg16;
use crate::protocol::failure::Failure;
use crate::protocol::settings::Settings;

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    engine::engine(engine::on_vgg16(&super::spec::LAB, begin, &[]))
}

fn begin<'a>(with: Beginning<'a, Vgg16>) -> Promise<'a, Result<Box<dyn Search<Vgg16>>, Failure>> {
    Box::pin(async move {
        let example = with.style.ok_or(Failure::NoStyle)?;
        let (settings, device) = (&with.settings, &with.device);
        let search = Optimisation::new(
            with.job,
            with.network,
            settings,
            plan,
            None,
            &example,
            device,
        );
        Ok(Box::new(search.await?) as Box<dyn Search<Vgg16>>)
    })
}

/// The first layers count alike, the others not at all.
pub fn plan(settings: &Settings) -> Plan {
    let s: TextureSettings = settings.read();
    let weight = |number| match number < s.layers {
        true => 1.0 / s.layers as f32,
        false => 0.0,
    };
    Plan {
        content_weight: 0.0,
        style_weights: std::array::from_fn(weight),
        // A texture has no content to be weighed against: its losses are smaller.
        variation_weight: s.variation_weight * 0.1,
        content_layer: "",
        start: Start::Noise,
        optimizer: s.optimizer,
        rate: s.rate,
        steps: s.steps,
        size: s.size,
        seed: s.seed,
        keeps_colors: false,
    }
}
