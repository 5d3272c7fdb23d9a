//! Style by optimisation, in the engine: what its settings mean for the search.

use super::spec::{CONTENT_LAYERS, GatysSettings, Start};
use crate::engine::lab::LabEngine;
use crate::job::Promise;
use crate::labs::search::engine::{self, Beginning, Search};
use crate::labs::search::optimise::{self, Optimisation, Plan};
use crate::labs::stylize::spec::Colors;
use crate::models::vgg16::Vgg16;
use crate::protocol::failure::Failure;
use crate::protocol::settings::Settings;

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    engine::engine(engine::on_vgg16(&super::spec::LAB, begin, &[]))
}

fn begin<'a>(with: Beginning<'a, Vgg16>) -> Promise<'a, Result<Box<dyn Search<Vgg16>>, Failure>> {
    Box::pin(async move {
        let content = with.picture.ok_or(Failure::EmptyFile)?;
        let style = with.style.ok_or(Failure::NoStyle)?;
        let (settings, device) = (&with.settings, &with.device);
        let search = Optimisation::new(
            with.job,
            with.network,
            settings,
            plan,
            Some(&content),
            &style,
            device,
        );
        Ok(Box::new(search.await?) as Box<dyn Search<Vgg16>>)
    })
}

/// Weights of the layers share the weight of the style as a whole.
pub fn plan(settings: &Settings) -> Plan {
    let s: GatysSettings = settings.read();
    let layers = [s.style_1, s.style_2, s.style_3, s.style_4, s.style_5];
    let sum = layers.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    Plan {
        content_weight: s.content_weight,
        style_weights: layers.map(|weight| weight / sum * s.style_weight),
        variation_weight: s.variation_weight,
        content_layer: CONTENT_LAYERS[s.content_layer.0],
        start: match s.start {
            Start::Content => optimise::Start::Content,
            Start::Noise => optimise::Start::Noise,
            Start::Style => optimise::Start::Style,
        },
        optimizer: s.optimizer,
        rate: s.rate,
        steps: s.steps,
        size: s.size,
        seed: s.seed,
        keeps_colors: s.colors == Colors::Photo,
    }
}
