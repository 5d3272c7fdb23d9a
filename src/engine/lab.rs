//! What a lab is to the engine.

use burn::tensor::Device;

use crate::job::{Job, Promise, Reply, Request};
use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::link::{self, Shared};
use crate::protocol::picture::Picture;
use crate::protocol::png_text;
use crate::protocol::settings::Settings;

use super::shelf::Shelf;

/// What a lab works with while it answers.
pub struct Bench<'a> {
    /// Events, cancelling, timing, and the only way to read a tensor.
    pub job: &'a Job<'a>,
    /// The networks and data sets.
    pub shelf: &'a mut Shelf,
}

impl Bench<'_> {
    /// The device that networks run on.
    pub fn device(&self) -> Device {
        self.shelf.device().clone()
    }

    /// A picture as a PNG file with the settings inside, so that dropping it on the page restores them.
    ///
    /// # Errors
    /// [`Failure::DamagedPicture`] where it cannot be encoded.
    pub async fn png(&self, picture: &Picture, settings: &Settings) -> Result<Vec<u8>, Failure> {
        let png = self.job.host().png(picture).await?;
        let link = link::encode(&Shared::new(settings.clone()));
        png_text::insert(&png, &link).ok_or(Failure::DamagedPicture)
    }
}

/// The engine's side of a lab: it keeps what its next answer may need.
pub trait LabEngine {
    /// Answers a question of the lab's own.
    ///
    /// # Errors
    /// Whatever can go wrong in front of a visitor; what the lab kept before stays.
    fn answer<'a>(
        &'a mut self,
        bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>>;

    /// Fetches the weights that the lab's first answer needs.
    ///
    /// # Errors
    /// Those of [`Shelf::get`].
    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        let _ = bench;
        Box::pin(async { Ok(()) })
    }

    /// Runs its network once on an empty picture, so that shaders are compiled and memory is there
    /// before the visitor waits for it. Keeps no result.
    ///
    /// # Errors
    /// Those of [`answer`](Self::answer).
    fn warm_up<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        let _ = bench;
        Box::pin(async { Ok(()) })
    }

    /// What decides how long an answer with these settings takes. Where there are two devices, the
    /// faster one at it is found out. A lab that says nothing stays on the CPU.
    fn workload(&self, settings: &Settings) -> Option<Workload> {
        let _ = settings;
        None
    }

    /// Settings whose workloads are as good as opened with the lab: those of a button away.
    fn near(&self) -> Vec<Settings> {
        Vec::new()
    }

    /// A run such as these settings ask for, on data of no account and with weights that are there
    /// already, or any: compiles what the first answer needs, and is what devices are timed by. Keeps no
    /// result.
    ///
    /// # Errors
    /// Those of [`answer`](Self::answer).
    fn trial<'a>(
        &'a mut self,
        bench: Bench<'a>,
        settings: &'a Settings,
    ) -> Promise<'a, Result<(), Failure>> {
        let _ = settings;
        self.warm_up(bench)
    }

    /// Whether a question goes on with what earlier answers left. It then has to be asked where they
    /// were given: what is kept does not move to another device.
    fn goes_on(&self, request: &Request) -> bool {
        let _ = request;
        false
    }

    /// Whether something is kept that a question may go on with.
    fn holds(&self) -> bool {
        false
    }
}

/// What devices are compared by.
pub struct Workload {
    /// The network, and what else decides how long it takes; for people, too.
    pub name: String,
    /// Settings of a run that is like it and short enough to be timed on the slower device.
    pub timed: Settings,
}

/// A row of the list of labs, as the engine needs it.
pub struct EngineRow {
    /// The lab.
    pub spec: &'static LabSpec,
    /// Makes its side of the engine; nothing is loaded yet.
    pub make: fn() -> Box<dyn LabEngine>,
}

/// The smallest picture, to warm up with.
pub fn empty_picture() -> Picture {
    Picture {
        width: 1,
        height: 1,
        rgba: vec![127, 127, 127, 255],
    }
}

/// A picture in the shape of a photograph, for trials. It is bright, so that what comes out of a
/// network of any weights is not all zero.
pub fn plain_picture(longer_side: usize) -> Picture {
    let (width, height) = (longer_side, longer_side * 2 / 3);
    Picture {
        width,
        height,
        rgba: [230, 220, 210, 255].repeat(width * height),
    }
}
