//! The labs that take steps: what they are at is kept, so that a search can pause and go on.

use burn::tensor::Device;

use crate::job::{Host, Job};
use crate::labs::dream::engine::Dream;
use crate::labs::search::optimise::Optimisation;
use crate::labs::search::passes::Goal;
use crate::labs::search::spec::Progress;
use crate::models::vgg16::{Vgg16, Vgg16Config};
use crate::protocol::card::ModelCard;
use crate::protocol::failure::Failure;
use crate::protocol::message::LabResult;
use crate::protocol::params::Lab;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

use super::weights;

/// The network that all searches read, and the last search.
#[derive(Default)]
pub struct Searches {
    network: Option<Vgg16>,
    last: Option<Search>,
}

enum Search {
    Optimisation(Box<Optimisation>),
    Dream(Box<Dream>),
}

impl Search {
    fn lab(&self) -> Lab {
        match self {
            Self::Optimisation(search) => search.lab(),
            Self::Dream(_) => Lab::Dream,
        }
    }

    fn step(&self) -> u32 {
        match self {
            Self::Optimisation(search) => search.step(),
            Self::Dream(dream) => dream.step(),
        }
    }

    /// Steps that the settings ask for.
    fn planned(&self) -> u32 {
        match self {
            Self::Optimisation(search) => search.planned(),
            Self::Dream(dream) => dream.planned(),
        }
    }

    fn adjust(&mut self, settings: &Settings) {
        match self {
            Self::Optimisation(search) => search.adjust(settings),
            Self::Dream(dream) => dream.adjust(settings),
        }
    }

    async fn advance(
        &mut self,
        job: &Job<'_>,
        network: &Vgg16,
        goal: Goal,
    ) -> Result<(Progress, Vec<u8>), Failure> {
        match self {
            Self::Optimisation(search) => search.advance(job, network, goal).await,
            Self::Dream(dream) => dream.advance(job, network, goal).await,
        }
    }
}

impl Searches {
    /// Loads the network, if it is not there yet.
    ///
    /// # Errors
    /// Those of [`weights::load`].
    pub async fn load(
        &mut self,
        host: &dyn Host,
        card: &ModelCard,
        device: &Device,
    ) -> Result<(), Failure> {
        if self.network.is_none() {
            let network = Vgg16Config::new().init(device);
            self.network = Some(weights::load(host, card, network).await?);
        }
        Ok(())
    }

    /// Begins a search and takes it as far as the settings say, unless it is paused. `picture` is the
    /// content, the example of a texture, or what is dreamed of; `style` is that of a style transfer.
    ///
    /// # Errors
    /// Those of the labs; [`Failure::NoStyle`]. A search that began is kept even so.
    pub async fn run(
        &mut self,
        job: &Job<'_>,
        settings: &Settings,
        picture: Picture,
        style: Option<&Picture>,
        device: &Device,
    ) -> Result<(LabResult, Vec<u8>), Failure> {
        let network = self.network.as_ref().ok_or(Failure::NothingToRefine)?;
        // Its memory is needed for the next.
        self.last = None;
        let search = match settings.lab() {
            Lab::Dream => Search::Dream(Box::new(Dream::new(settings, picture, device))),
            Lab::Texture => {
                let search = Optimisation::new(job, network, settings, None, &picture, device);
                Search::Optimisation(Box::new(search.await?))
            }
            _ => {
                let style = style.ok_or(Failure::NoStyle)?;
                let content = Some(&picture);
                let search = Optimisation::new(job, network, settings, content, style, device);
                Search::Optimisation(Box::new(search.await?))
            }
        };
        let search = self.last.insert(search);
        let (progress, bytes) = search.advance(job, network, Goal::Planned).await?;
        Ok((LabResult::Optimised(progress), bytes))
    }

    /// Takes the last search further: by `steps`, or as far as the settings say; where it is that far
    /// already, as far again.
    ///
    /// # Errors
    /// [`Failure::NothingToRefine`] where there is none of this lab; those of the labs.
    pub async fn go_on(
        &mut self,
        job: &Job<'_>,
        settings: &Settings,
        steps: Option<u32>,
    ) -> Result<(LabResult, Vec<u8>), Failure> {
        let network = self.network.as_ref().ok_or(Failure::NothingToRefine)?;
        let search = self.last.as_mut();
        let search = search
            .filter(|search| search.lab() == settings.lab())
            .ok_or(Failure::NothingToRefine)?;
        search.adjust(settings);
        let (step, planned) = (search.step(), search.planned());
        let goal = match steps {
            Some(steps) => Goal::Step(step + steps),
            None if step < planned => Goal::Planned,
            None => Goal::Beyond(step),
        };
        let (progress, bytes) = search.advance(job, network, goal).await?;
        Ok((LabResult::Optimised(progress), bytes))
    }

    /// The present picture of the last search.
    ///
    /// # Errors
    /// [`Failure::NothingToRefine`] where there is none of this lab; those of [`Job::read`].
    pub async fn picture(
        &mut self,
        job: &Job<'_>,
        settings: &Settings,
    ) -> Result<Picture, Failure> {
        match &mut self.last {
            Some(Search::Optimisation(search)) if search.lab() == settings.lab() => {
                search.picture(job, settings).await
            }
            Some(Search::Dream(dream)) if settings.lab() == Lab::Dream => dream.picture(job).await,
            _ => Err(Failure::NothingToRefine),
        }
    }

    /// The last search as a GIF.
    ///
    /// # Errors
    /// As [`picture`](Self::picture).
    pub async fn animation(&self, job: &Job<'_>, lab: Lab) -> Result<Vec<u8>, Failure> {
        match &self.last {
            Some(search) if search.lab() != lab => Err(Failure::NothingToRefine),
            Some(Search::Optimisation(search)) => search.animation(job).await,
            Some(Search::Dream(dream)) => dream.animation(job).await,
            None => Err(Failure::NothingToRefine),
        }
    }
}
