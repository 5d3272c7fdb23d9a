//! An adversarial pair in training, on pictures or on points.

use burn::module::{ModuleMapper, Param};
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor};

use super::checkpoint::Checkpoint;
use super::learner::{Found, Learner};
use super::seeded::seeded;
use super::training::{At, Losses, Numbers, Trainee};
use super::{held_out_batches, noise};
use crate::data::batches;
use crate::data::pack::Pack;
use crate::job::Job;
use crate::methods::gan_objective::{discriminator_loss, generator_loss};
use crate::models::generate::gan::{Discriminate, Generate};
use crate::protocol::failure::Failure;
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

/// Who steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The discriminator so many times, the last time on the same samples as the generator, which
    /// steps once.
    Both { discriminator_steps: u32 },
    /// The discriminator, once.
    Discriminator,
    /// The generator, once.
    Generator,
}

/// A generator and a discriminator.
pub struct Players<G: Generate, D: Discriminate> {
    /// Makes samples from noise.
    pub generator: Learner<G>,
    /// Tells them from the data.
    pub discriminator: Learner<D>,
    /// See [`Rules`].
    pub rules: Rules,
    /// Batches of samples made so far: each has noise of its own.
    made: u64,
    /// Batches of data seen so far.
    seen: u64,
}

impl<G: Generate, D: Discriminate> Players<G, D> {
    /// Fresh weights for networks on a device that records.
    pub fn new(generator: G, discriminator: D, rules: Rules) -> Self {
        // No momentum: what was right a step ago is not any more (Radford et al. 2016 take 0.5,
        // Miyato et al. 2018 none for the hinge loss).
        let adam = AdamConfig::new()
            .with_beta_1(0.5)
            .with_beta_2(0.99)
            .with_epsilon(1e-8);
        let seed = rules.seed;
        Self {
            generator: Learner::new(seeded(generator, seed), &adam),
            discriminator: Learner::new(seeded(discriminator, seed.wrapping_add(1)), &adam),
            rules,
            made: 0,
            seen: 0,
        }
    }

    fn noise(&mut self, batch: usize, device: &Device) -> Tensor<2> {
        self.made += 1;
        noise(
            self.rules.seed,
            self.made - 1,
            batch,
            self.rules.latent,
            device,
        )
    }

    /// One step of the discriminator.
    ///
    /// # Shapes
    /// - `real`, `fake`: `[pixels, batch, channels]`, on the recording device
    fn step_discriminator(&mut self, real: Tensor<3>, fake: Tensor<3>, rate: f64) -> Found {
        let Rules {
            objective, margin, ..
        } = self.rules;
        let network = &self.discriminator.network;
        let real = network.score(real);
        let fake = network.score(fake.detach());
        let loss = discriminator_loss(objective, real, fake, margin);
        let found = self.discriminator.descend_measured(&loss, rate);
        let mut stepped = self.discriminator.network.clone();
        if objective == Objective::Wasserstein {
            stepped = stepped.map(&mut Clip(self.rules.clip));
        }
        self.discriminator.network = stepped.power_iterate();
        found
    }

    /// One step of the generator on samples that it just made.
    fn step_generator(&mut self, fake: Tensor<3>, rate: f64) -> Found {
        // The discriminator stands still: only the way through it is needed.
        let judge = self.discriminator.network.clone().no_grad();
        let loss = generator_loss(self.rules.objective, judge.score(fake));
        self.generator.descend_measured(&loss, rate)
    }
}

/// Samples without the graph that leads to the generator's weights, though in the way of training:
/// batch statistics are those of the samples. A graph that nothing goes backward through would stay
/// in memory.
///
/// # Shapes
/// - `noise`: `[batch, latent]`, on the recording device
/// - output: `[pixels, batch, channels]`, on the recording device
pub fn samples_only<G: Generate>(generator: &G, noise: Tensor<2>) -> Tensor<3> {
    generator.clone().no_grad().generate(noise)
}

/// A pair that plays on data.
pub struct GanTrainee<'a, G: Generate, D: Discriminate> {
    /// Who plays.
    pub players: &'a mut Players<G, D>,
    /// The data of the discriminator's n-th step, `[pixels, batch, channels]`, on the recording
    /// device; pictures from -1 to 1.
    pub data: Box<dyn FnMut(u64) -> Tensor<3> + 'a>,
    /// Samples of a step, as many as `data` gives.
    pub batch: usize,
    /// Learning rates: the discriminator's, the generator's.
    pub rates: [f64; 2],
    /// Who steps.
    pub turn: Turn,
    /// Pictures that were not learned from.
    pub held_out: Option<&'a Pack>,
    /// Records.
    pub device: Device,
}

impl<G: Generate, D: Discriminate> GanTrainee<'_, G, D> {
    fn data(&mut self) -> Tensor<3> {
        self.players.seen += 1;
        (self.data)(self.players.seen - 1)
    }

    /// A step of the discriminator alone.
    fn discriminate(&mut self, rate: f64) -> Found {
        let noise = self.players.noise(self.batch, &self.device);
        let fake = samples_only(&self.players.generator.network, noise);
        let real = self.data();
        self.players.step_discriminator(real, fake, rate)
    }

    fn samples(&mut self) -> Tensor<3> {
        let noise = self.players.noise(self.batch, &self.device);
        self.players.generator.network.generate(noise)
    }
}

/// Rounds in which averaged weights find batch statistics of their own.
const SETTLING_ROUNDS: u64 = 20;
/// Steps of [`noise`] that no training reaches: for settling, and for held-out scores.
const SETTLING_NOISE: u64 = 1 << 30;
const SCORE_NOISE: u64 = 1 << 29;

impl<G: Generate, D: Discriminate> Trainee for GanTrainee<'_, G, D> {
    type Network = G;

    async fn step(&mut self, job: &Job<'_>, at: At) -> Result<Losses, Failure> {
        let [rate_d, rate_g] = self.rates.map(|rate| rate * at.factor);
        let (d, g) = match self.turn {
            Turn::Discriminator => (Some(self.discriminate(rate_d)), None),
            Turn::Generator => {
                let fake = self.samples();
                (None, Some(self.players.step_generator(fake, rate_g)))
            }
            Turn::Both {
                discriminator_steps,
            } => {
                for _ in 1..discriminator_steps {
                    self.discriminate(rate_d);
                    job.breathe().await?;
                }
                let fake = self.samples();
                let real = self.data();
                let d = self.players.step_discriminator(real, fake.clone(), rate_d);
                (Some(d), Some(self.players.step_generator(fake, rate_g)))
            }
        };
        let loss = |name, found: &Option<Found>| Some((name, found.as_ref()?.loss.clone()));
        let gradient = |name, found: &Option<Found>| Some((name, found.as_ref()?.gradient.clone()));
        let columns = [
            loss("discriminator", &d),
            loss("generator", &g),
            gradient("gradient of d", &d),
            gradient("gradient of g", &g),
        ];
        Ok(columns.into_iter().flatten().collect())
    }

    fn network(&self) -> &G {
        &self.players.generator.network
    }

    fn settled(&self, averaged: G) -> G {
        let recording = averaged.train();
        let Rules { seed, latent, .. } = self.players.rules;
        for round in 0..SETTLING_ROUNDS {
            let at = SETTLING_NOISE + round;
            samples_only(
                &recording,
                noise(seed, at, self.batch, latent, &self.device),
            );
        }
        recording.valid()
    }

    /// The discriminator's mean score of pictures that neither has seen, and of generated ones: it
    /// knows the pictures of its training by heart where the held-out ones score like generated ones.
    /// How good the samples are is measured with a classifier's features when weights are published.
    async fn score(&self, job: &Job<'_>, network: &G) -> Result<Numbers, Failure> {
        let Some(pack) = self.held_out else {
            return Ok(Numbers::new());
        };
        let device = self.device.clone().inner();
        let judge = self.players.discriminator.network.valid();
        let Rules { seed, latent, .. } = self.players.rules;
        let held_out = held_out_batches(pack.count());
        let count: usize = held_out.iter().map(Vec::len).sum();
        let mut sums = [0.0; 2];
        for (round, indices) in held_out.iter().enumerate() {
            let real = batches::grid(pack, indices, &device) * 2.0 - 1.0;
            let at = SCORE_NOISE + round as u64;
            let fake = network.generate(noise(seed, at, indices.len(), latent, &device));
            let means = [judge.score(real).mean(), judge.score(fake).mean()];
            let values = job.read(Tensor::cat(means.to_vec(), 0)).await?;
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value * indices.len() as f32 / count as f32;
            }
            job.breathe().await?;
        }
        Ok(vec![
            ("discriminator on data", sums[0]),
            ("on samples", sums[1]),
        ])
    }

    fn save(&self, into: &mut Checkpoint) -> Result<(), Failure> {
        self.players.generator.save("g", into)?;
        self.players.discriminator.save("d", into)?;
        let counters = format!("{} {}", self.players.made, self.players.seen);
        into.parts.insert("draws".into(), counters.into_bytes());
        Ok(())
    }

    fn load(&mut self, from: &Checkpoint) -> Result<(), Failure> {
        let counters = from.parts.get("draws").ok_or(Failure::WeightsOfAnother)?;
        let counters = String::from_utf8_lossy(counters);
        let mut counters = counters.split(' ').map(str::parse);
        let (Some(Ok(made)), Some(Ok(seen))) = (counters.next(), counters.next()) else {
            return Err(Failure::WeightsOfAnother);
        };
        self.players.generator.load("g", from)?;
        self.players.discriminator.load("d", from)?;
        (self.players.made, self.players.seen) = (made, seen);
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::draws::Draws;
    use crate::models::generate::points::{PointDiscriminator, PointGenerator, PointsConfig};
    use crate::train::checkpoint::Memory;
    use crate::train::clock::Clock;
    use crate::train::schedule::Schedule;
    use crate::train::training::{Plan, Report, Training};
    use burn::tensor::TensorData;

    const BATCH: usize = 16;

    fn players(device: &Device) -> Players<PointGenerator, PointDiscriminator> {
        let rules = Rules {
            objective: Objective::Hinge,
            latent: 4,
            margin: 0.15,
            clip: 0.1,
            seed: 7,
        };
        let generator = PointGenerator {
            layers: PointsConfig::new(4, 2).init(device),
        };
        let discriminator = PointDiscriminator {
            layers: PointsConfig::new(2, 1)
                .with_spectral_norm(true)
                .init(device),
            is_energy: false,
            units: 1.0,
        };
        Players::new(generator, discriminator, rules)
    }

    fn trainee(
        players: &mut Players<PointGenerator, PointDiscriminator>,
        turn: Turn,
    ) -> GanTrainee<'_, PointGenerator, PointDiscriminator> {
        let device = Device::flex().autodiff();
        let recording = device.clone();
        GanTrainee {
            players,
            data: Box::new(move |n| {
                let values = Draws::new(1, n).normals(2 * BATCH);
                Tensor::from_data(TensorData::new(values, [1, BATCH, 2]), &recording)
            }),
            batch: BATCH,
            rates: [1e-3; 2],
            turn,
            held_out: None,
            device,
        }
    }

    fn names(turn: Turn) -> Vec<&'static str> {
        let mut players = players(&Device::flex().autodiff());
        let host = Clock::default();
        let at = At {
            step: 0,
            factor: 1.0,
        };
        let mut trainee = trainee(&mut players, turn);
        let losses = pollster::block_on(trainee.step(&Job::new(&host, "cpu"), at)).unwrap();
        losses.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn who_does_not_step_has_no_loss() {
        let both = names(Turn::Both {
            discriminator_steps: 2,
        });
        assert_eq!(
            both,
            [
                "discriminator",
                "generator",
                "gradient of d",
                "gradient of g"
            ]
        );
        assert_eq!(
            names(Turn::Discriminator),
            ["discriminator", "gradient of d"]
        );
        assert_eq!(names(Turn::Generator), ["generator", "gradient of g"]);
    }

    #[test]
    fn samples_for_the_discriminator_leave_no_graph_behind() {
        let device = Device::flex().autodiff();
        let players = players(&device);
        let generator = &players.generator.network;
        let samples = |noise| {
            (
                samples_only(generator, noise),
                generator.generate(noise_of(&device)),
            )
        };
        let (without, with) = samples(noise_of(&device));
        let gradients = with.sum().backward();
        let weight = generator.layers.layers[0].weight.val();
        assert!(weight.grad(&gradients).is_some());
        let gradients = without.require_grad().sum().backward();
        assert!(weight.grad(&gradients).is_none());
    }

    fn noise_of(device: &Device) -> Tensor<2> {
        noise(7, 0, BATCH, 4, device)
    }

    #[test]
    fn a_pair_that_was_interrupted_goes_on_with_its_own_noise_and_data() {
        let device = Device::flex().autodiff();
        let host = Clock::default();
        let job = Job::new(&host, "cpu");
        let turn = Turn::Both {
            discriminator_steps: 3,
        };
        let run = |training: &mut Training<_>, steps| {
            let mut told = Vec::new();
            let mut tell = |report| {
                if let Report::Losses { losses, .. } = report {
                    told.push(losses);
                }
                Ok(())
            };
            let plan = Plan {
                schedule: Schedule::Constant,
                ..Plan::new(steps)
            };
            let mut memory = Memory::default();
            pollster::block_on(training.run(&job, &plan, &mut memory, &mut tell)).unwrap();
            told
        };
        let (mut first, mut second) = (players(&device), players(&device));
        let mut whole = Training::new(trainee(&mut first, turn), 0).averaged();
        run(&mut whole, 3);
        let kept = whole.checkpoint().unwrap();
        let mut resumed = Training::new(trainee(&mut second, turn), 0).averaged();
        resumed.resume(&kept).unwrap();
        assert_eq!(run(&mut whole, 6), run(&mut resumed, 6));
    }
}
