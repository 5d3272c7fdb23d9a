//! The engine's side of the labs that take steps: what they are at is kept, so that it can pause and go
//! on.

use std::rc::Rc;

use burn::module::Param;
use burn::tensor::{Device, Tensor};

use super::passes::Goal;
use super::spec::{Progress, Question};
use crate::engine::lab::{Bench, LabEngine, Workload, plain_picture};
use crate::job::{Job, Promise, Reply, Request};
use crate::models::efficientnet_lite::{EFFICIENTNET_LITE0, EfficientNetLite};
use crate::models::generate::classifier::{LeNet, lenet};
use crate::models::generate::lenet_layers::NamedLeNet;
use crate::models::layered::Layered;
use crate::models::vgg16::{VGG16, Vgg16};
use crate::models::{Network, Row};
use crate::protocol::failure::Failure;
use crate::protocol::generative::DataSet;
use crate::protocol::lab::LabSpec;
use crate::protocol::message::Stage;
use crate::protocol::named_layers::{LENET_DIGITS, LENET_FASHION, Layers};
use crate::protocol::param::Value;
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
pub trait Search<N: ?Sized> {
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
        network: &'a N,
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
pub struct Beginning<'a, N: ?Sized> {
    /// Events, cancelling, timing.
    pub job: &'a Job<'a>,
    /// The network whose maps are read.
    pub network: &'a N,
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
pub type Begin<N> =
    for<'a> fn(Beginning<'a, N>) -> Promise<'a, Result<Box<dyn Search<N>>, Failure>>;

/// Fetches the network of that name.
pub type Fetch<N> = for<'a> fn(Bench<'a>, &'static str) -> Promise<'a, Result<Rc<N>, Failure>>;

/// How a lab that takes steps works.
pub struct Way<N: ?Sized + 'static> {
    /// The lab.
    pub lab: &'static LabSpec,
    /// Name of the network that settings ask for.
    pub name: fn(&Settings) -> &'static str,
    /// Fetches it.
    pub fetch: Fetch<N>,
    /// One to try devices with, without fetching it: that of the shelf, or one of any weights.
    pub any: fn(&mut Bench<'_>, &'static str) -> Rc<N>,
    /// Readies a search.
    pub begin: Begin<N>,
    /// The settings with which the first step is like the others.
    pub at_once: &'static [(&'static str, &'static str)],
}

/// Name of the setting that is the longer side of the picture; all such labs have it.
const SIZE: &str = "size";
/// Longest side in pixels at which devices are compared: a step there takes the CPU less than a second.
const TIMED_SIDE: f32 = 96.0;

/// Longer side in pixels of the picture of a trial: no search is larger.
const PICTURE_SIDE: usize = 768;

/// The engine's side of a lab that takes steps.
pub fn engine<N: ?Sized + 'static>(way: Way<N>) -> Box<dyn LabEngine> {
    Box::new(Searches { way, last: None })
}

/// The way of a lab that reads VGG-16.
pub fn on_vgg16(
    lab: &'static LabSpec,
    begin: Begin<Vgg16>,
    at_once: &'static [(&'static str, &'static str)],
) -> Way<Vgg16> {
    Way {
        lab,
        name: |_| VGG16.name,
        fetch: |bench, _| Box::pin(async { bench.shelf.get(bench.job, &VGG16).await }),
        any: |bench, _| any_vgg16(bench),
        begin,
        at_once,
    }
}

/// The way of a lab that reads any network that can be looked into.
pub fn layered(
    lab: &'static LabSpec,
    name: fn(&Settings) -> &'static str,
    begin: Begin<dyn Layered>,
    at_once: &'static [(&'static str, &'static str)],
) -> Way<dyn Layered> {
    Way {
        lab,
        name,
        fetch: |bench, name| Box::pin(fetch_layered(bench, name)),
        any: |bench, name| {
            if name == VGG16.name {
                return any_vgg16(bench);
            }
            // Blank ones pass on zeros, which take as long.
            if let Some((row, layers)) = small(name) {
                let network = bench
                    .shelf
                    .find(name)
                    .unwrap_or_else(|| Rc::new(row.blank(&bench.device())));
                return Rc::new(NamedLeNet { network, layers });
            }
            let known: Option<Rc<EfficientNetLite>> = bench.shelf.find(name);
            match known {
                Some(known) => known,
                None => Rc::new(EFFICIENTNET_LITE0.blank(&bench.device())),
            }
        },
        begin,
        at_once,
    }
}

/// The small network of that name, with its layers.
fn small(name: &str) -> Option<(Network<LeNet>, &'static Layers)> {
    let networks = [
        (DataSet::Digits, &LENET_DIGITS),
        (DataSet::FashionMnist, &LENET_FASHION),
    ];
    let found = networks
        .into_iter()
        .find(|(_, layers)| layers.network == name);
    found.and_then(|(data, layers)| Some((lenet(data)?, layers)))
}

/// A network that can be looked into, by its name.
///
/// # Errors
/// Those of [`Shelf::get`](crate::engine::shelf::Shelf::get).
pub async fn fetch_layered(bench: Bench<'_>, name: &str) -> Result<Rc<dyn Layered>, Failure> {
    if let Some((row, layers)) = small(name) {
        let network = bench.shelf.get(bench.job, &row).await?;
        return Ok(Rc::new(NamedLeNet { network, layers }));
    }
    Ok(match name == VGG16.name {
        true => bench.shelf.get(bench.job, &VGG16).await? as Rc<dyn Layered>,
        false => bench.shelf.get(bench.job, &EFFICIENTNET_LITE0).await?,
    })
}

/// VGG-16 to try devices with, without fetching its 29 MB: that of the shelf, or one that passes on
/// means of what it gets. What numbers a network has does not change how long it takes, as long as they
/// stay numbers.
pub fn any_vgg16(bench: &mut Bench<'_>) -> Rc<Vgg16> {
    let known = bench.shelf.find(VGG16.name());
    known.unwrap_or_else(|| {
        let device = bench.device();
        let mut network = VGG16.blank(&device);
        for conv in &mut network.convs {
            let dims = conv.weight.dims();
            let share = 1.0 / (dims[1] * dims[2] * dims[3]) as f32;
            conv.weight = Param::from_tensor(Tensor::full(dims, share, &device));
        }
        Rc::new(network)
    })
}

/// The last search of a lab.
struct Searches<N: ?Sized + 'static> {
    way: Way<N>,
    /// With the settings that it began with: they say which network it goes on with.
    last: Option<(Box<dyn Search<N>>, Settings)>,
}

impl<N: ?Sized + 'static> LabEngine for Searches<N> {
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
                    let network = (self.way.fetch)(bench, (self.way.name)(settings)).await?;
                    // Its memory is needed for the next.
                    self.last = None;
                    let beginning = Beginning {
                        job,
                        network: &*network,
                        settings: settings.clone(),
                        picture,
                        style,
                        device,
                    };
                    // What began is kept even where its steps fail.
                    let begun = (self.way.begin)(beginning).await?;
                    let (search, _) = self.last.insert((begun, settings.clone()));
                    let standing = search.advance(job, &network, Goal::Planned).await?;
                    Ok(standing.into_reply())
                }
                Question::Continue { steps } => {
                    let (search, began) = self.last.as_mut().ok_or(Failure::NothingToRefine)?;
                    let network = (self.way.fetch)(bench, (self.way.name)(began)).await?;
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
                    let (search, _) = self.last.as_mut().ok_or(Failure::NothingToRefine)?;
                    search.adjust(settings);
                    let picture = search.picture(job).await?;
                    let png = bench.png(&picture, settings).await?;
                    Ok(Reply::default().with("png", png))
                }
                Question::Animate => {
                    let (search, _) = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    let gif = search.animation(job).await?;
                    Ok(Reply::default().with("gif", gif))
                }
            }
        })
    }

    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let settings = Settings::new(self.way.lab);
            (self.way.fetch)(bench, (self.way.name)(&settings))
                .await
                .map(drop)
        })
    }

    /// The size of the picture: what is slower at a small one may be faster at a large one.
    fn workload(&self, settings: &Settings) -> Option<Workload> {
        let mut timed = settings.clone();
        let side = match settings.get(SIZE) {
            Value::Number(size) => size.min(TIMED_SIDE),
            _ => return None,
        };
        timed.set(SIZE, Value::Number(side));
        Some(Workload {
            name: format!("{}, {side} px", (self.way.name)(settings)),
            timed,
        })
    }

    /// Begins a search and takes a step.
    fn trial<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        settings: &'a Settings,
    ) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let network = (self.way.any)(&mut bench, (self.way.name)(settings));
            let picture = plain_picture(PICTURE_SIDE);
            // Another style than that of the picture: there is to be something to search.
            let mut style = picture.clone();
            style.rgba.iter_mut().for_each(|value| *value -= 60);
            let beginning = Beginning {
                job: bench.job,
                network: &*network,
                settings: settings.clone().with(self.way.at_once),
                picture: Some(picture),
                style: Some(style),
                device: bench.device(),
            };
            let mut search = (self.way.begin)(beginning).await?;
            search
                .advance(bench.job, &network, Goal::Step(1))
                .await
                .map(drop)
        })
    }

    fn goes_on(&self, request: &Request) -> bool {
        !matches!(request.question(), Ok(Question::Run))
    }

    fn holds(&self) -> bool {
        self.last.is_some()
    }
}
