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
        let link = link::encode(&Shared {
            settings: settings.clone(),
            sample: None,
        });
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
