//! The engine's side of the labs that take steps: what they are at is kept, so that it can pause and go
//! on.

use burn::tensor::Device;

use super::passes::Goal;
use super::spec::{Progress, Question};
use crate::engine::lab::{Bench, LabEngine};
use crate::job::{Job, Promise, Reply, Request};
use crate::models::vgg16::{VGG16, Vgg16};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

/// Where a search stands, with the bytes of the files that go beside it.
pub struct Standing {
    /// The numbers.
    pub progress: Progress,
    /// The file `rgba`.
    pub rgba: Vec<u8>,
    /// The file `grams`.
    pub grams: Vec<u8>,
}

impl Standing {
    /// As a lab says it.
    pub fn into_reply(self) -> Reply {
        Reply::new(&self.progress)
            .with("rgba", self.rgba)
            .with("grams", self.grams)
    }
}

/// A picture that changes step by step.
pub trait Search {
    /// Steps done.
    fn step(&self) -> u32;

    /// Steps that the settings ask for.
    fn planned(&self) -> u32;

    /// Takes over of other settings what may change under way.
    fn adjust(&mut self, settings: &Settings);

    /// Takes steps until the goal is reached, or the job is to pause. What was reached stays, also where
    /// the job is cancelled.
    ///
    /// # Errors
    /// Those of [`Job::read`].
    fn advance<'a>(
        &'a mut self,
        job: &'a Job<'a>,
        network: &'a Vgg16,
        goal: Goal,
    ) -> Promise<'a, Result<Standing, Failure>>;

    /// The present picture.
    ///
    /// # Errors
    /// Those of [`Job::read`].
    fn picture<'a>(&'a self, job: &'a Job<'a>) -> Promise<'a, Result<Picture, Failure>>;

    /// How it came about, as a GIF.
    ///
    /// # Errors
    /// Those of [`Job::read`].
    fn animation<'a>(&'a self, job: &'a Job<'a>) -> Promise<'a, Result<Vec<u8>, Failure>>;
}

/// What a search is begun with.
pub struct Beginning<'a> {
    /// Events, cancelling, timing.
    pub job: &'a Job<'a>,
    /// The network whose maps are read.
    pub network: &'a Vgg16,
    /// The settings.
    pub settings: Settings,
    /// The file `picture`.
    pub picture: Option<Picture>,
    /// The file `style`.
    pub style: Option<Picture>,
    /// Where the network is.
    pub device: Device,
}

/// Readies the search of a lab.
pub type Begin = for<'a> fn(Beginning<'a>) -> Promise<'a, Result<Box<dyn Search>, Failure>>;

/// The engine's side of a lab that takes steps.
pub fn engine(begin: Begin) -> Box<dyn LabEngine> {
    Box::new(Searches { begin, last: None })
}

/// The last search of a lab.
struct Searches {
    begin: Begin,
    last: Option<Box<dyn Search>>,
}

impl LabEngine for Searches {
    fn answer<'a>(
        &'a mut self,
        bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let (job, device) = (bench.job, bench.device());
            let settings = &request.settings;
            match request.question()? {
                Question::Run => {
                    job.stage(Stage::Decode).await?;
                    let picture = request.picture("picture").await?;
                    let style = request.picture("style").await?;
                    job.stage(Stage::Load).await?;
                    let network = bench.shelf.get(job, &VGG16).await?;
                    // Its memory is needed for the next.
                    self.last = None;
                    let beginning = Beginning {
                        job,
                        network: &network,
                        settings: settings.clone(),
                        picture,
                        style,
                        device,
                    };
                    // What began is kept even where its steps fail.
                    let search = self.last.insert((self.begin)(beginning).await?);
                    let standing = search.advance(job, &network, Goal::Planned).await?;
                    Ok(standing.into_reply())
                }
                Question::Continue { steps } => {
                    let network = bench.shelf.get(job, &VGG16).await?;
                    let search = self.last.as_mut().ok_or(Failure::NothingToRefine)?;
                    search.adjust(settings);
                    let (step, planned) = (search.step(), search.planned());
                    let goal = match steps {
                        Some(steps) => Goal::Step(step + steps),
                        None if step < planned => Goal::Planned,
                        None => Goal::Beyond(step),
                    };
                    let standing = search.advance(job, &network, goal).await?;
                    Ok(standing.into_reply())
                }
                Question::Export => {
                    let search = self.last.as_mut().ok_or(Failure::NothingToRefine)?;
                    search.adjust(settings);
                    let picture = search.picture(job).await?;
                    let png = bench.png(&picture, settings).await?;
                    Ok(Reply::default().with("png", png))
                }
                Question::Animate => {
                    let search = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    let gif = search.animation(job).await?;
                    Ok(Reply::default().with("gif", gif))
                }
            }
        })
    }

    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move { bench.shelf.get(bench.job, &VGG16).await.map(drop) })
    }
}
