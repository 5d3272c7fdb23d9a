//! The loop that every trainee goes through: natively a whole run with its log and its checkpoints, in
//! the tab a few steps at a time.

use burn::module::Module;
use burn::tensor::Tensor;

use super::average::Average;
use super::checkpoint::{Checkpoint, Storage};
use super::schedule::Schedule;
use crate::job::Job;
use crate::protocol::failure::Failure;

/// Where a run stands when a step is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At {
    /// The step, counted from 0.
    pub step: u64,
    /// What the trainee's learning rates are multiplied by, see [`Schedule::factor`].
    pub factor: f64,
}

/// Losses of a step by name, `[1]` each, before the step, on a device that does not record. They stay
/// tensors: nothing is read back unless someone looks.
pub type Losses = Vec<(&'static str, Tensor<1>)>;

/// Numbers by name.
pub type Numbers = Vec<(&'static str, f32)>;

/// Something that is trained.
#[allow(async_fn_in_trait)] // one thread: no future has to be `Send`
pub trait Trainee {
    /// What comes out in the end.
    type Network: Module;

    /// A step on a batch of its own. Gives way through [`Job::breathe`] where it is long.
    ///
    /// # Errors
    /// Those of [`Job::breathe`].
    async fn step(&mut self, job: &Job<'_>, at: At) -> Result<Losses, Failure>;

    /// The network that comes out in the end, as it is now, on a device that records.
    fn network(&self) -> &Self::Network;

    /// Makes a network of averaged weights fit for use. On a device that does not record.
    fn settled(&self, averaged: Self::Network) -> Self::Network {
        averaged
    }

    /// How good the network is on what it has not learned from; nothing where there is nothing to hold
    /// it against. `network` is on a device that does not record.
    ///
    /// # Errors
    /// Those of [`Job::read`].
    async fn score(&self, job: &Job<'_>, network: &Self::Network) -> Result<Numbers, Failure>;

    /// Puts all that later steps depend on into a checkpoint.
    ///
    /// # Errors
    /// Those of [`Checkpoint::put_network`].
    fn save(&self, into: &mut Checkpoint) -> Result<(), Failure>;

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// [`Failure::WeightsOfAnother`].
    fn load(&mut self, from: &Checkpoint) -> Result<(), Failure>;
}

/// How a run goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// The step to end at.
    pub steps: u64,
    /// The learning rates on the way there.
    pub schedule: Schedule,
    /// Steps from one logged step to the next.
    pub log_every: u64,
    /// Logged steps that are read back at once: each reading waits for the device.
    pub read_together: usize,
    /// Steps from one checkpoint to the next; 0 for none.
    pub checkpoint_every: u64,
    /// Milliseconds after which no further step begins.
    pub budget_ms: f64,
}

impl Plan {
    /// A run to that step, with no limit of time and no checkpoints, which logs every step.
    pub fn new(steps: u64) -> Self {
        Self {
            steps,
            schedule: Schedule::default(),
            log_every: 1,
            read_together: 1,
            checkpoint_every: 0,
            budget_ms: f64::INFINITY,
        }
    }
}

/// What a run tells under way.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// The losses of a logged step.
    Losses { step: u64, losses: Numbers },
    /// The held-out score after so many steps.
    Score { steps: u64, score: Numbers },
}

/// A trainee on its way.
pub struct Training<T: Trainee> {
    /// Who is trained.
    pub trainee: T,
    /// Steps done.
    pub step: u64,
    average: Option<Average<T::Network>>,
}

/// The part of a checkpoint that holds the averaged weights.
const AVERAGE: &str = "average";

impl<T: Trainee> Training<T> {
    /// A trainee that has `step` steps behind it.
    pub fn new(trainee: T, step: u64) -> Self {
        Self {
            trainee,
            step,
            average: None,
        }
    }

    /// Averages the weights over the steps from now on; the average is what comes out in the end.
    pub fn averaged(mut self) -> Self {
        self.average = Some(Average::new(self.trainee.network()));
        self
    }

    /// Takes steps until the plan's end, its budget's end, or until the job is paused.
    ///
    /// # Errors
    /// [`Failure::Diverged`] where a loss is not finite, [`Failure::Cancelled`], what storage and
    /// `report` return, and those of [`Job::read`].
    pub async fn run<S: Storage>(
        &mut self,
        job: &Job<'_>,
        plan: &Plan,
        storage: &mut S,
        report: &mut dyn FnMut(Report) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let until = job.now_ms() + plan.budget_ms;
        let mut unread = Vec::new();
        while self.step < plan.steps {
            let step = self.step;
            let factor = plan.schedule.factor(step, plan.steps);
            let losses = self.trainee.step(job, At { step, factor }).await?;
            if let Some(average) = &mut self.average {
                average.follow(self.trainee.network(), step);
            }
            self.step += 1;
            job.breathe().await?;
            let is_over = self.step >= plan.steps || job.pausing() || job.now_ms() >= until;
            let is_kept = S::KEEPS
                && plan.checkpoint_every > 0
                && self.step.is_multiple_of(plan.checkpoint_every);
            let is_logged = step.is_multiple_of(plan.log_every);
            // What is kept or handed on is looked at first: numbers that are not finite must not
            // take the place of a good checkpoint, nor pass for a result.
            let is_read = is_over || is_kept;
            if is_logged || is_read {
                unread.push(Row {
                    step,
                    losses,
                    is_logged,
                });
            }
            if is_read || unread.len() >= plan.read_together {
                read(job, std::mem::take(&mut unread), report).await?;
            }
            if is_kept {
                storage.keep(self.checkpoint()?).await?;
                if !is_over {
                    self.score(job, report).await?;
                }
            }
            if is_over {
                break;
            }
        }
        Ok(())
    }

    /// Reports the held-out score, where there is one.
    ///
    /// # Errors
    /// Those of [`Trainee::score`] and of `report`.
    pub async fn score(
        &self,
        job: &Job<'_>,
        report: &mut dyn FnMut(Report) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let score = self.trainee.score(job, &self.finished()).await?;
        if score.is_empty() {
            return Ok(());
        }
        report(Report::Score {
            steps: self.step,
            score,
        })
    }

    /// The network as it is used, on a device that does not record: the average where there is one.
    /// A copy: training can go on.
    pub fn finished(&self) -> T::Network {
        match &self.average {
            Some(average) => {
                let averaged = average.within(self.trainee.network());
                self.trainee.settled(averaged)
            }
            None => self.trainee.network().valid(),
        }
    }

    /// All that later steps depend on.
    ///
    /// # Errors
    /// Those of [`Checkpoint::put_network`].
    pub fn checkpoint(&self) -> Result<Checkpoint, Failure> {
        let mut checkpoint = Checkpoint {
            step: self.step,
            ..Checkpoint::default()
        };
        self.trainee.save(&mut checkpoint)?;
        if let Some(average) = &self.average {
            checkpoint.put_network(AVERAGE, &average.network())?;
        }
        Ok(checkpoint)
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// [`Failure::WeightsOfAnother`].
    pub fn resume(&mut self, checkpoint: &Checkpoint) -> Result<(), Failure> {
        self.trainee.load(checkpoint)?;
        if let Some(average) = &mut self.average {
            average.set(checkpoint.network(AVERAGE, average.network())?);
        }
        self.step = checkpoint.step;
        Ok(())
    }
}

/// Losses that wait to be read.
struct Row {
    step: u64,
    losses: Losses,
    is_logged: bool,
}

/// Reads the losses of some steps at once and reports those that are logged.
async fn read(
    job: &Job<'_>,
    rows: Vec<Row>,
    report: &mut dyn FnMut(Report) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let values = match read_values(job, &rows).await {
        Err(Failure::NotFinite { .. }) => return Err(first_diverged(job, &rows).await),
        values => values?,
    };
    let mut values = values.into_iter();
    for row in rows {
        let names = row.losses.iter().map(|(name, _)| *name);
        // As many values as there are names: `zip` asks the names first and leaves the rest alone.
        let losses = names.zip(values.by_ref()).collect();
        if row.is_logged {
            report(Report::Losses {
                step: row.step,
                losses,
            })?;
        }
    }
    Ok(())
}

async fn read_values(job: &Job<'_>, rows: &[Row]) -> Result<Vec<f32>, Failure> {
    let tensors = rows.iter().flat_map(|row| &row.losses);
    let tensors: Vec<_> = tensors.map(|(_, loss)| loss.clone().reshape([1])).collect();
    if tensors.is_empty() {
        return Ok(Vec::new());
    }
    job.read(Tensor::cat(tensors, 0)).await
}

/// Which of the steps was the first whose losses are not finite.
async fn first_diverged(job: &Job<'_>, rows: &[Row]) -> Failure {
    for row in rows {
        match read_values(job, std::slice::from_ref(row)).await {
            Ok(_) => {}
            Err(Failure::NotFinite { .. }) => return Failure::Diverged { step: row.step },
            Err(other) => return other,
        }
    }
    Failure::Diverged {
        step: rows.last().map_or(0, |row| row.step),
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};
    use burn::optim::AdamConfig;
    use burn::tensor::Device;

    use super::*;
    use crate::train::checkpoint::Memory;
    use crate::train::clock::Clock;
    use crate::train::learner::Learner;
    use crate::train::seeded::seeded;

    /// Learns to give back zero; its loss is not a number from a step on.
    struct Quiet {
        learner: Learner<Linear>,
        breaks_at: u64,
    }

    fn quiet() -> Quiet {
        let network = LinearConfig::new(3, 2).init(&Device::flex().autodiff());
        Quiet {
            learner: Learner::new(seeded(network, 7), &AdamConfig::new()),
            breaks_at: u64::MAX,
        }
    }

    impl Trainee for Quiet {
        type Network = Linear;

        async fn step(&mut self, _: &Job<'_>, at: At) -> Result<Losses, Failure> {
            let device = Device::flex().autodiff();
            let x = Tensor::<2>::full([4, 3], 1.0 + at.step as f32, &device);
            let loss = self.learner.network.forward(x).powf_scalar(2.0).mean();
            self.learner.descend(&loss, 0.01 * at.factor);
            let broken = if at.step >= self.breaks_at {
                f32::NAN
            } else {
                0.0
            };
            Ok(vec![("square", loss.inner() + broken)])
        }
        fn network(&self) -> &Linear {
            &self.learner.network
        }
        async fn score(&self, job: &Job<'_>, network: &Linear) -> Result<Numbers, Failure> {
            let zeros = Tensor::<2>::zeros([1, 3], &Device::flex());
            let left = job.read(network.forward(zeros).abs().sum()).await?;
            Ok(vec![("left", left[0])])
        }
        fn save(&self, into: &mut Checkpoint) -> Result<(), Failure> {
            self.learner.save("network", into)
        }
        fn load(&mut self, from: &Checkpoint) -> Result<(), Failure> {
            self.learner.load("network", from)
        }
    }

    /// What a run told, and how it ended.
    fn run(
        host: &Clock,
        training: &mut Training<Quiet>,
        plan: &Plan,
        memory: &mut Memory,
    ) -> (Vec<Report>, Result<(), Failure>) {
        let job = Job::new(host, "cpu");
        let mut told = Vec::new();
        let mut tell = |report| {
            told.push(report);
            Ok(())
        };
        let ended = pollster::block_on(training.run(&job, plan, memory, &mut tell));
        (told, ended)
    }

    fn steps_told(told: &[Report]) -> Vec<u64> {
        let step = |report: &Report| match report {
            Report::Losses { step, .. } => Some(*step),
            Report::Score { .. } => None,
        };
        told.iter().filter_map(step).collect()
    }

    #[test]
    fn the_log_has_the_steps_that_were_asked_for_however_they_are_read() {
        for read_together in [1, 3, 100] {
            let plan = Plan {
                log_every: 3,
                read_together,
                ..Plan::new(8)
            };
            let mut training = Training::new(quiet(), 0);
            let (told, ended) = run(
                &Clock::default(),
                &mut training,
                &plan,
                &mut Memory::default(),
            );
            assert_eq!((steps_told(&told), ended), (vec![0, 3, 6], Ok(())));
        }
    }

    #[test]
    fn a_budget_a_pause_and_a_cancel_end_a_run_between_steps() {
        let reached = |host: Clock, budget_ms| {
            let plan = Plan {
                budget_ms,
                ..Plan::new(10)
            };
            let mut training = Training::new(quiet(), 0);
            let (told, ended) = run(&host, &mut training, &plan, &mut Memory::default());
            (training.step, told.len(), ended)
        };
        let (pauses_after, cancels_after) = (Some(2), Some(4));
        assert_eq!(reached(Clock::default(), f64::INFINITY), (10, 10, Ok(())));
        assert_eq!(reached(Clock::default(), 250.0), (3, 3, Ok(())));
        let paused = Clock {
            pauses_after,
            ..Clock::default()
        };
        assert_eq!(reached(paused, f64::INFINITY), (2, 2, Ok(())));
        let cancelled = Clock {
            cancels_after,
            ..Clock::default()
        };
        assert_eq!(
            reached(cancelled, f64::INFINITY),
            (4, 3, Err(Failure::Cancelled))
        );
    }

    #[test]
    fn a_loss_that_is_not_finite_ends_the_run_at_its_step_and_keeps_the_checkpoint_before() {
        for (log_every, read_together) in [(1, 100), (1000, 1)] {
            let plan = Plan {
                log_every,
                read_together,
                checkpoint_every: 4,
                ..Plan::new(20)
            };
            let mut trainee = quiet();
            trainee.breaks_at = 7;
            let (mut training, mut memory) = (Training::new(trainee, 0), Memory::default());
            let (_, ended) = run(&Clock::default(), &mut training, &plan, &mut memory);
            assert_eq!(ended, Err(Failure::Diverged { step: 7 }));
            assert_eq!(pollster::block_on(memory.last()).unwrap().step, 4);
        }
    }

    /// Not the bytes: a network that was loaded and its average carry other ids.
    #[test]
    fn an_interrupted_run_ends_where_another_does() {
        let plan = Plan {
            checkpoint_every: 6,
            ..Plan::new(10)
        };
        let weights = |training: &Training<Quiet>| -> Vec<f32> {
            let weight = training.finished().weight.val();
            weight.into_data().try_into_vec().unwrap()
        };
        let (mut whole, mut memory) = (Training::new(quiet(), 0).averaged(), Memory::default());
        let (told, _) = run(&Clock::default(), &mut whole, &plan, &mut memory);
        assert!(matches!(&told[6], Report::Score { steps: 6, score } if score[0].0 == "left"));
        let kept = pollster::block_on(memory.last()).unwrap();
        let mut resumed = Training::new(quiet(), 0).averaged();
        resumed.resume(&kept).unwrap();
        assert_eq!(resumed.step, 6);
        let (again, _) = run(&Clock::default(), &mut resumed, &plan, &mut memory);
        assert_eq!(again, told[7..]);
        assert_eq!(weights(&whole), weights(&resumed));
        // The average is another network than the last step's.
        assert_ne!(weights(&whole), weights(&Training::new(whole.trainee, 10)));
        let empty = Checkpoint::default();
        assert_eq!(resumed.resume(&empty), Err(Failure::WeightsOfAnother));
    }
}
