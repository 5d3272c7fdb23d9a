//! An adversarial pair in training, on points or on pictures, a few steps at a time.

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::{Device, Tensor, TensorData};

use crate::data::batches::{self, Order, pictures_of};
use crate::data::pack::Pack;
use crate::engine::shelf::Shelf;
use crate::job::Job;
use super::spec::{CELLS, Networks, Plane, Progress, Steps, Switch, TrainSettings};
use crate::labs::generate::networks::sheet;
use crate::protocol::generative::{DataSet, Objective};
use crate::protocol::picture::Sheet;
use crate::maths::draws::Draws;
use crate::maths::points::{Shape, covered_modes, histogram_divergences};
use crate::methods::gan_objective::generator_loss;
use crate::models::generate::gan::{Discriminate, Discriminator, Generate, Generator};
use crate::models::generate::points::{
    NORMALISED_UNITS, PointDiscriminator, PointGenerator, PointsConfig,
};
use crate::models::generate::shapes;
use crate::protocol::failure::Failure;
use crate::train::checkpoint::Nowhere;
use crate::train::gan::{GanTrainee, Players, Rules, Turn, samples_only};
use crate::train::noise;
use crate::train::schedule::Schedule;
use crate::train::training::{Plan, Report, Training};

/// Points that are drawn, and compared by histograms.
const SHOWN_POINTS: usize = 320;
/// Pictures of the sheet, along each side.
const SHOWN_SIDE: usize = 8;
/// Stream of points of the data.
const POINTS_STREAM: u64 = 1 << 33;
/// Steps of [`noise`] that no training reaches: the noise that stays.
const FIXED_NOISE: u64 = 1 << 31;
/// Energy that EBGAN pushes generated samples up to: of points, and of pictures.
const MARGINS: [f32; 2] = [0.15, 0.3];
/// Largest weight of WGAN's discriminator: of points, and of pictures.
const CLIPS: [f32; 2] = [0.1, 0.05];

/// Milliseconds after which no further step begins, whatever was asked for: a visitor who asks for
/// something else must not wait for long.
const BUDGET_MS: f64 = 10_000.0;
/// Steps whose losses are read back at once: often enough that no device falls far behind, seldom
/// enough that it hardly waits.
const READ_TOGETHER: usize = 16;

/// Name on the shelf of a pair whose weights the visitor brought.
const OWN: &str = "own-pair";

/// A pair in training.
pub struct AdversarialPair {
    pair: Pair,
    drawn: Vec<[f32; 2]>,
    /// Steps of both sides, or of the generator.
    step: u64,
    /// Records.
    device: Device,
}

enum Pair {
    Points(Box<Players<PointGenerator, PointDiscriminator>>, Shape),
    Pictures(Box<Players<Generator, Discriminator>>, DataSet, Order),
}

fn rules(settings: &TrainSettings) -> Rules {
    let pictures = usize::from(settings.learned.pictures().is_some());
    Rules {
        objective: settings.objective,
        latent: settings.latent,
        margin: MARGINS[pictures],
        clip: CLIPS[pictures],
        seed: settings.seed,
    }
}

impl AdversarialPair {
    /// Fresh weights. `drawn` are the visitor's points, `pack` the pictures where some are learned.
    pub fn begin(
        settings: &TrainSettings,
        drawn: Vec<[f32; 2]>,
        pack: Option<&Pack>,
        device: &Device,
    ) -> Self {
        let recording = device.clone().autodiff();
        let rules = rules(settings);
        let energy = rules.objective == Objective::Energy;
        let spectral_norm = settings.spectral_norm == Switch::On;
        let pair = match (settings.learned.pictures(), pack) {
            (Some(data), Some(pack)) => {
                let (side, channels) = (data.side(), data.channels());
                let (generator, discriminator) = if settings.networks == Networks::Large {
                    (
                        shapes::large_generator(channels, rules.latent),
                        shapes::large_discriminator(channels, energy, spectral_norm),
                    )
                } else {
                    (
                        shapes::generator(side, channels, rules.latent),
                        shapes::discriminator(side, channels, energy, spectral_norm),
                    )
                };
                let players = Players::new(
                    Generator::new(&generator, &recording),
                    discriminator.init(&recording),
                    rules,
                );
                let batch = settings.batch;
                let order = Order::new(pack.count(), batch, rules.seed);
                Pair::Pictures(Box::new(players), data, order)
            }
            _ => {
                let is_held = spectral_norm || rules.objective == Objective::Wasserstein;
                // Pictures without a pack cannot be: the lab fetches it first.
                let shape = settings.learned.points().unwrap_or(Shape::Ring);
                let generator = PointsConfig::new(rules.latent, 2).init(&recording);
                let layers = PointsConfig::new(2, if energy { 2 } else { 1 })
                    .with_spectral_norm(spectral_norm)
                    // An autoencoder of the plane must not be able to copy every point.
                    .with_hidden(if energy { 24 } else { 64 })
                    .init(&recording);
                let players = Players::new(
                    PointGenerator { layers: generator },
                    PointDiscriminator {
                        layers,
                        is_energy: energy,
                        units: if is_held { NORMALISED_UNITS } else { 1.0 },
                    },
                    rules,
                );
                Pair::Points(Box::new(players), shape)
            }
        };
        Self {
            pair,
            drawn,
            step: 0,
            device: recording,
        }
    }

    /// Trains on, and tells. Rates and steps are those of the settings now; what decides the networks
    /// stays as it began.
    ///
    /// # Errors
    /// [`Failure::Diverged`]; those of [`Job::read`].
    pub async fn advance(
        &mut self,
        job: &Job<'_>,
        settings: &TrainSettings,
        steps: Steps,
        pack: Option<&Pack>,
    ) -> Result<(Progress, Vec<u8>), Failure> {
        let began = job.now_ms();
        let (turn, count) = match steps {
            Steps::Both(count) => {
                let discriminator_steps = settings.steps_d;
                (
                    Turn::Both {
                        discriminator_steps,
                    },
                    count,
                )
            }
            Steps::Discriminator => (Turn::Discriminator, 1),
            Steps::Generator => (Turn::Generator, 1),
        };
        let plan = Plan {
            schedule: Schedule::Constant,
            read_together: READ_TOGETHER,
            budget_ms: BUDGET_MS,
            ..Plan::new(self.step + u64::from(count))
        };
        let batch = settings.batch;
        let rates = [settings.rate_d, settings.rate_g].map(f64::from);
        let (step, drawn, recording) = (self.step, &self.drawn, &self.device);
        let (reached, history) = match &mut self.pair {
            Pair::Points(players, shape) => {
                let (shape, seed) = (*shape, players.rules.seed);
                let data = move |n| point_tensor(&points(shape, drawn, seed, n, batch), recording);
                let trainee = GanTrainee {
                    players,
                    data: Box::new(data),
                    batch,
                    rates,
                    turn,
                    held_out: None,
                    device: recording.clone(),
                };
                take(job, &plan, trainee, step).await
            }
            Pair::Pictures(players, _, order) => {
                let pack = pack.ok_or(Failure::NothingInTraining)?;
                let data = |n| batches::grid(pack, order.step(n), recording) * 2.0 - 1.0;
                let trainee = GanTrainee {
                    players,
                    data: Box::new(data),
                    batch: batch.min(pack.count()),
                    rates,
                    turn,
                    held_out: None,
                    device: recording.clone(),
                };
                take(job, &plan, trainee, step).await
            }
        };
        if turn != Turn::Discriminator {
            self.step = reached;
        }
        let history = history?;
        let step_ms = match history.len() {
            0 => 0.0,
            taken => (job.now_ms() - began) / taken as f64,
        };
        let diverged = |failure| match failure {
            Failure::NotFinite { .. } => Failure::Diverged { step },
            other => other,
        };
        let (plane, sheet, bytes) = match &self.pair {
            Pair::Points(players, shape) => {
                let plane = plane(job, players, *shape, &self.drawn, &self.device).await;
                (Some(plane.map_err(diverged)?), None, Vec::new())
            }
            Pair::Pictures(players, data, _) => {
                let shown = show(job, players, *data, &self.device).await;
                let (sheet, bytes) = shown.map_err(diverged)?;
                (None, Some(sheet), bytes)
            }
        };
        let progress = Progress {
            step: self.step,
            history,
            step_ms,
            sheet,
            plane,
        };
        Ok((progress, bytes))
    }

    /// The weights of both networks, as a file.
    ///
    /// # Errors
    /// [`Failure::EngineLost`] where they cannot be packed.
    pub fn save(&self) -> Result<Vec<u8>, Failure> {
        let record = match &self.pair {
            Pair::Points(players, _) => record(players),
            Pair::Pictures(players, ..) => record(players),
        };
        let bytes = record.into_bytes().map_err(|error| Failure::EngineLost {
            reason: error.to_string(),
        })?;
        Ok(bytes.to_vec())
    }

    /// Goes on with the weights of a file, which is kept on the shelf.
    ///
    /// # Errors
    /// [`Failure::WeightsOfAnother`]; nothing has changed then.
    pub fn load(&mut self, shelf: &mut Shelf, bytes: Vec<u8>) -> Result<(), Failure> {
        match &mut self.pair {
            Pair::Points(players, _) => fill(players, shelf, bytes),
            Pair::Pictures(players, ..) => fill(players, shelf, bytes),
        }
    }
}

/// Both networks, generator first.
fn record<G: Generate, D: Discriminate>(players: &Players<G, D>) -> ModuleRecord {
    let generator = players.generator.network.valid();
    (generator, players.discriminator.network.valid()).into_record()
}

/// Puts what [`record`] gave into both networks.
fn fill<G: Generate + 'static, D: Discriminate + 'static>(
    players: &mut Players<G, D>,
    shelf: &mut Shelf,
    bytes: Vec<u8>,
) -> Result<(), Failure> {
    let (generator, discriminator) = (&mut players.generator, &mut players.discriminator);
    let blank = (generator.network.clone(), discriminator.network.clone());
    let pair = shelf.place(OWN, blank, bytes)?;
    (generator.network, discriminator.network) = (*pair).clone();
    Ok(())
}

/// Takes the steps of a plan from `step` on: the step that was reached, and of each step the losses of
/// discriminator and generator and the lengths of their gradients. What was not computed in a step
/// stands as 0 for a loss and -1 for a gradient.
async fn take<G: Generate, D: Discriminate>(
    job: &Job<'_>,
    plan: &Plan,
    trainee: GanTrainee<'_, G, D>,
    step: u64,
) -> (u64, Result<Vec<[f32; 4]>, Failure>) {
    let mut training = Training::new(trainee, step);
    let mut history = Vec::new();
    let mut report = |report| {
        if let Report::Losses { losses, .. } = report {
            let find = |name| losses.iter().find(|(found, _)| *found == name);
            let number = |name, without| find(name).map_or(without, |(_, value)| *value);
            history.push([
                number("discriminator", 0.0),
                number("generator", 0.0),
                number("gradient of d", -1.0),
                number("gradient of g", -1.0),
            ]);
        }
        Ok(())
    };
    let ended = training
        .run(job, plan, &mut Nowhere, &mut report)
        .await;
    (training.step, ended.map(|()| history))
}

/// Points of the data for a step.
fn points(shape: Shape, drawn: &[[f32; 2]], seed: u32, fed: u64, count: usize) -> Vec<[f32; 2]> {
    let draws = std::cell::RefCell::new(Draws::new(seed, POINTS_STREAM + fed));
    let unit = || draws.borrow_mut().unit();
    let normal = || draws.borrow_mut().normal();
    (0..count)
        .map(|_| shape.point(drawn, unit, normal))
        .collect()
}

/// # Shapes
/// - output: `[1, points, 2]`
fn point_tensor(points: &[[f32; 2]], device: &Device) -> Tensor<3> {
    let values: Vec<f32> = points.iter().flatten().copied().collect();
    Tensor::from_data(TensorData::new(values, [1, points.len(), 2]), device)
}

fn pairs(values: &[f32]) -> Vec<[f32; 2]> {
    values.chunks_exact(2).map(|p| [p[0], p[1]]).collect()
}

/// What there is to draw of a pair on points.
async fn plane(
    job: &Job<'_>,
    players: &Players<PointGenerator, PointDiscriminator>,
    shape: Shape,
    drawn: &[[f32; 2]],
    recording: &Device,
) -> Result<Plane, Failure> {
    let device = recording.clone().inner();
    let Rules {
        seed,
        latent,
        objective,
        ..
    } = players.rules;
    let real = points(shape, drawn, seed, u64::from(u32::MAX), SHOWN_POINTS);
    let fixed = noise(seed, FIXED_NOISE, SHOWN_POINTS, latent, &device);
    let made = players.generator.network.valid().generate(fixed);
    // Where the generator's loss would push each sample.
    let at = Tensor::from_inner(made.clone()).require_grad();
    let judge = players.discriminator.network.clone().no_grad();
    let gradients = generator_loss(objective, judge.score(at.clone())).backward();
    let gradient = at.grad(&gradients).unwrap_or_else(|| made.zeros_like());
    let fake = pairs(&job.read(made).await?);
    // The mean over the batch divides each by their number.
    let arrows = pairs(&job.read(gradient * -(SHOWN_POINTS as f32)).await?);
    let place = |cell: usize| (cell as f32 + 0.5) / CELLS as f32 * 2.4 - 1.2;
    let cells: Vec<[f32; 2]> = (0..CELLS * CELLS)
        .map(|i| [place(i % CELLS), place(CELLS - 1 - i / CELLS)])
        .collect();
    let scores = players
        .discriminator
        .network
        .valid()
        .score(point_tensor(&cells, &device));
    let surface = job.read(scores).await?;
    let width = 2.4 / CELLS as f32;
    let slope = |i: usize| {
        let across = (i % CELLS + 1 < CELLS).then(|| surface[i + 1] - surface[i])?;
        let down = (i / CELLS + 1 < CELLS).then(|| surface[i + CELLS] - surface[i])?;
        Some(across.hypot(down) / width)
    };
    let lipschitz = (0..CELLS * CELLS).filter_map(slope).fold(0.0, f32::max);
    let modes = shape.modes();
    Ok(Plane {
        divergences: histogram_divergences(&real, &fake).map(|nats| nats as f32),
        modes: (!modes.is_empty())
            .then(|| [covered_modes(&modes, &fake), modes.len()].map(|count| count as u32)),
        real,
        fake,
        arrows,
        surface,
        lipschitz,
    })
}

/// Samples of a noise that stays. Batch statistics are those of these samples: the running ones lag
/// behind while the weights still move fast.
async fn show(
    job: &Job<'_>,
    players: &Players<Generator, Discriminator>,
    data: DataSet,
    recording: &Device,
) -> Result<(Sheet, Vec<u8>), Failure> {
    let Rules { seed, latent, .. } = players.rules;
    let count = SHOWN_SIDE * SHOWN_SIDE;
    let fixed = noise(seed, FIXED_NOISE, count, latent, recording);
    let made = samples_only(&players.generator.network, fixed).inner();
    let values = job.read((made + 1.0) * 0.5).await?;
    let (side, channels) = (data.side(), data.channels());
    let pictures = pictures_of(&values, side * side, count, channels);
    Ok(sheet(&pictures, side, channels, SHOWN_SIDE))
}
