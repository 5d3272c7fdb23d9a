//! The engine's side of training in the tab.

use std::rc::Rc;

use super::pair::AdversarialPair;
use super::spec::{Question, Steps, TrainSettings};
use crate::data::pack::Pack;
use crate::engine::lab::{Bench, LabEngine};
use crate::job::{Promise, Reply, Request};
use crate::protocol::failure::Failure;

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Training::default())
}

/// The pair in training.
#[derive(Default)]
struct Training {
    play: Option<AdversarialPair>,
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

impl LabEngine for Training {
    fn answer<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let settings: TrainSettings = request.settings.read();
            let device = bench.device();
            let (play, steps, pack) = match request.question()? {
                Question::Begin { drawn } => {
                    let pack = pack(&mut bench, &settings).await?;
                    let play = AdversarialPair::begin(&settings, drawn, pack.as_deref(), &device);
                    (self.play.insert(play), Steps::Both(0), pack)
                }
                Question::Train { steps } => {
                    let pack = pack(&mut bench, &settings).await?;
                    let play = self.play.as_mut().ok_or(Failure::NothingInTraining)?;
                    (play, steps, pack)
                }
                Question::Save => {
                    let play = self.play.as_ref().ok_or(Failure::NothingInTraining)?;
                    return Ok(Reply::default().with("weights", play.save()?));
                }
                Question::Load { drawn } => {
                    let pack = pack(&mut bench, &settings).await?;
                    let mut play = AdversarialPair::begin(&settings, drawn, pack.as_deref(), &device);
                    let bytes = request.bytes("weights").await?;
                    play.load(bench.shelf, bytes.ok_or(Failure::WeightsOfAnother)?)?;
                    (self.play.insert(play), Steps::Both(0), pack)
                }
            };
            let (progress, rgba) = play.advance(bench.job, &settings, steps, pack.as_deref()).await?;
            Ok(Reply::new(&progress).with("rgba", rgba))
        })
    }
}
