//! Steps of an adversarial pair, on pictures or on points.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};

use super::noise;
use crate::methods::gan_objective::{discriminator_loss, generator_loss};
use crate::models::generate::gan::{Discriminate, Generate};
use crate::models::generate::seeded::seeded;
use crate::protocol::generative::Objective;

/// How the game is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// What both play for.
    pub objective: Objective,
    /// Numbers of the noise.
    pub latent: usize,
    /// The energy that generated samples are pushed up to, with [`Objective::Energy`].
    pub margin: f32,
    /// Largest weight of the discriminator, with [`Objective::Wasserstein`].
    pub clip: f32,
    /// Decides weights and noise.
    pub seed: u32,
}

/// A generator and a discriminator in training.
pub struct GanTrainer<G: Generate, D: Discriminate> {
    /// On a device that records.
    pub generator: G,
    /// On a device that records.
    pub discriminator: D,
    /// The generator's Adam.
    pub generator_optimiser: ModuleOptimizer,
    /// The discriminator's Adam.
    pub discriminator_optimiser: ModuleOptimizer,
    /// See [`Rules`].
    pub rules: Rules,
    /// Steps of either side: each has noise of its own.
    pub draws: u64,
}

/// What a step found, before it.
#[derive(Debug, Clone)]
pub struct Found {
    /// The loss of the side that stepped, `[1]`.
    pub loss: Tensor<1>,
    /// Squared length of its gradient, `[1]`.
    pub gradient: Tensor<1>,
}

impl<G: Generate, D: Discriminate> GanTrainer<G, D> {
    /// Fresh weights for networks on a device that records.
    pub fn new(generator: G, discriminator: D, rules: Rules) -> Self {
        // No momentum: what was right a step ago is not any more (Radford et al. 2016 take 0.5,
        // Miyato et al. 2018 none for the hinge loss).
        let adam = AdamConfig::new()
            .with_beta_1(0.5)
            .with_beta_2(0.99)
            .with_epsilon(1e-8);
        Self {
            generator: seeded(generator, rules.seed),
            discriminator: seeded(discriminator, rules.seed.wrapping_add(1)),
            generator_optimiser: adam.init(),
            discriminator_optimiser: adam.init(),
            rules,
            draws: 0,
        }
    }

    /// Fresh samples of the generator, with the graph that leads to its weights.
    pub fn samples(&mut self, batch: usize, device: &Device) -> Tensor<3> {
        let noise = noise(
            self.rules.seed,
            self.draws,
            batch,
            self.rules.latent,
            device,
        );
        self.draws += 1;
        self.generator.generate(noise)
    }

    /// One step of the discriminator.
    ///
    /// # Shapes
    /// - `real`, `fake`: `[pixels, batch, channels]`, on the recording device
    pub fn step_discriminator(&mut self, real: Tensor<3>, fake: Tensor<3>, rate: f64) -> Found {
        let Rules {
            objective, margin, ..
        } = self.rules;
        let real = self.discriminator.score(real);
        let fake = self.discriminator.score(fake.detach());
        let loss = discriminator_loss(objective, real, fake, margin);
        let found = loss.clone().inner();
        let gradients = GradientsParams::from_grads(loss.backward(), &self.discriminator);
        let gradient = squared_length(&self.discriminator, &gradients, &found.device());
        let mut stepped =
            self.discriminator_optimiser
                .step(rate, self.discriminator.clone(), gradients);
        if objective == Objective::Wasserstein {
            stepped = stepped.map(&mut Clip(self.rules.clip));
        }
        self.discriminator = stepped.power_iterate();
        Found {
            loss: found,
            gradient,
        }
    }

    /// One step of the generator on samples that it just made ([`samples`](Self::samples)).
    pub fn step_generator(&mut self, fake: Tensor<3>, rate: f64) -> Found {
        // The discriminator stands still: only the way through it is needed.
        let judge = self.discriminator.clone().no_grad();
        let loss = generator_loss(self.rules.objective, judge.score(fake));
        let found = loss.clone().inner();
        let gradients = GradientsParams::from_grads(loss.backward(), &self.generator);
        let gradient = squared_length(&self.generator, &gradients, &found.device());
        self.generator = self
            .generator_optimiser
            .step(rate, self.generator.clone(), gradients);
        Found {
            loss: found,
            gradient,
        }
    }

    /// A step of each side on the same samples.
    pub fn step(&mut self, real: Tensor<3>, rates: [f64; 2]) -> [Found; 2] {
        let [_, batch, _] = real.dims();
        let fake = self.samples(batch, &real.device());
        let discriminator = self.step_discriminator(real, fake.clone(), rates[0]);
        [discriminator, self.step_generator(fake, rates[1])]
    }
}

/// Holds every weight within bounds (Arjovsky et al. 2017).
struct Clip(f32);

impl ModuleMapper for Clip {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let recorded = tensor.is_require_grad();
            let clipped = tensor.inner().clamp(-self.0, self.0);
            Tensor::from_inner(clipped).set_require_grad(recorded)
        })
    }
}

/// Sum of the squares of all gradients.
pub fn squared_length<M: Module>(
    network: &M,
    gradients: &GradientsParams,
    device: &Device,
) -> Tensor<1> {
    struct Sum<'a> {
        gradients: &'a GradientsParams,
        sum: Tensor<1>,
    }
    impl ModuleVisitor for Sum<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                let squares = (gradient.clone() * gradient).sum();
                self.sum = self.sum.clone() + squares;
            }
        }
    }
    let mut sum = Sum {
        gradients,
        sum: Tensor::zeros([1], device),
    };
    network.visit(&mut sum);
    sum.sum
}
