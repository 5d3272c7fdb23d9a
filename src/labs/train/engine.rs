//! The engine's side of training in the tab.

use std::rc::Rc;

use super::pair::AdversarialPair;
use super::spec::{LAB, Learned, NAMES, Question, Steps, TrainSettings};
use crate::data::pack::Pack;
use crate::engine::lab::{Bench, LabEngine, Workload};
use crate::job::{Promise, Reply, Request};
use crate::protocol::failure::Failure;
use crate::protocol::settings::Settings;

/// Steps of a trial, of both sides.
const TRIED: u32 = 2;

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Training::default())
}

/// The pair in training.
#[derive(Default)]
struct Training {
    play: Option<Play>,
}

/// A pair, and what decided its networks.
struct Play {
    pair: AdversarialPair,
    began_with: Settings,
}

impl Training {
    /// A pair takes the place of the one before.
    fn play(&mut self, pair: AdversarialPair, began_with: Settings) -> &mut AdversarialPair {
        &mut self.play.insert(Play { pair, began_with }).pair
    }

    /// The pair that these settings are about.
    ///
    /// # Errors
    /// [`Failure::NothingInTraining`], also where another one is: what it learned is not what the
    /// settings say.
    fn under_way(&mut self, settings: &Settings) -> Result<&mut AdversarialPair, Failure> {
        let play = self.play.as_mut();
        let play = play.filter(|play| LAB.waiting(settings, &play.began_with).is_empty());
        play.map(|play| &mut play.pair)
            .ok_or(Failure::NothingInTraining)
    }
}

/// The pictures to learn, where pictures are learned.
async fn pack(
    bench: &mut Bench<'_>,
    settings: &TrainSettings,
) -> Result<Option<Rc<Pack>>, Failure> {
    match settings.learned.pictures() {
        Some(data) => {
            let name = format!("{}-train.pack", data.name());
            bench.shelf.pack(bench.job, &name).await.map(Some)
        }
        None => Ok(None),
    }
}

/// A batch of grey pictures, to try devices with.
fn gray_pack(settings: &TrainSettings) -> Option<Pack> {
    let data = settings.learned.pictures()?;
    Some(Pack {
        side: data.side(),
        channels: data.channels(),
        labels_each: 0,
        labels: Vec::new(),
        pixels: vec![127; data.values() * settings.batch],
    })
}

impl LabEngine for Training {
    fn answer<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let began_with = request.settings.clone();
            let settings: TrainSettings = began_with.read();
            let device = bench.device();
            let (play, steps, pack) = match request.question()? {
                Question::Begin { drawn } => {
                    // Whatever comes of it, the one before is over.
                    self.play = None;
                    let pack = pack(&mut bench, &settings).await?;
                    let pair = AdversarialPair::begin(&settings, drawn, pack.as_deref(), &device);
                    (self.play(pair, began_with), Steps::Both(0), pack)
                }
                Question::Train { steps } => {
                    let play = self.under_way(&began_with)?;
                    let pack = pack(&mut bench, &settings).await?;
                    (play, steps, pack)
                }
                Question::Save => {
                    let weights = self.under_way(&began_with)?.save()?;
                    return Ok(Reply::default().with("weights", weights));
                }
                Question::Load { drawn } => {
                    let pack = pack(&mut bench, &settings).await?;
                    let mut pair = AdversarialPair::begin(&settings, drawn, pack.as_deref(), &device);
                    let bytes = request.bytes("weights").await?;
                    pair.load(bench.shelf, bytes.ok_or(Failure::WeightsOfAnother)?)?;
                    (self.play(pair, began_with), Steps::Both(0), pack)
                }
            };
            let (progress, rgba) = play.advance(bench.job, &settings, steps, pack.as_deref()).await?;
            Ok(Reply::new(&progress).with("rgba", rgba))
        })
    }

    /// What is learned by which networks, and roughly in batches of how many.
    fn workload(&self, settings: &Settings) -> Option<Workload> {
        let read: TrainSettings = settings.read();
        let name = match read.learned.pictures() {
            None => "points".into(),
            Some(data) => {
                let networks: &str = read.networks.into();
                let batch = read.batch.next_power_of_two();
                format!("{}, {networks}, {batch}", data.name())
            }
        };
        Some(Workload {
            name,
            timed: settings.clone(),
        })
    }

    /// Pictures: they may be another device's than points, and training does not move to another device.
    fn near(&self) -> Vec<Settings> {
        let pictures: &str = Learned::Digits.into();
        vec![Settings::new(&LAB).with(&[(NAMES.learned, pictures)])]
    }

    /// Begins a training and takes two steps.
    fn trial<'a>(
        &'a mut self,
        bench: Bench<'a>,
        settings: &'a Settings,
    ) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let settings: TrainSettings = settings.read();
            let (pack, device) = (gray_pack(&settings), bench.device());
            let mut play = AdversarialPair::begin(&settings, Vec::new(), pack.as_ref(), &device);
            let steps = Steps::Both(TRIED);
            play.advance(bench.job, &settings, steps, pack.as_ref()).await.map(drop)
        })
    }

    fn goes_on(&self, request: &Request) -> bool {
        !matches!(
            request.question(),
            Ok(Question::Begin { .. } | Question::Load { .. })
        )
    }

    fn holds(&self) -> bool {
        self.play.is_some()
    }
}
