//! The engine: the same `run` is driven by the worker, the command line and the tests.

use burn::tensor::Device;

use crate::labs::job::{Host, Job};
use crate::labs::{detect, segment};
use crate::models::selfie::{Selfie, SelfieConfig};
use crate::models::ssd::{Ssd, SsdConfig};
use crate::protocol::card::Manifest;
use crate::protocol::detect::CLASSES;
use crate::protocol::failure::Failure;
use crate::protocol::message::{LabResult, Outcome, Stage};
use crate::protocol::params::Lab;
use crate::protocol::picture::Picture;
use crate::protocol::segment::Matte;
use crate::protocol::settings::Settings;

use super::weights;

/// A device, the networks that are loaded on it, and the last result of each lab.
pub struct Engine {
    device: Device,
    backend: String,
    manifest: Manifest,
    ssd: Option<Ssd>,
    selfie: Option<Selfie>,
    detected: Option<detect::RawDetections>,
    matted: Option<(Picture, segment::RawMatte)>,
}

impl Engine {
    /// An engine on a device that is ready. `backend` is its name for messages.
    pub fn new(device: Device, backend: impl Into<String>, manifest: Manifest) -> Self {
        Self {
            device,
            backend: backend.into(),
            manifest,
            ssd: None,
            selfie: None,
            detected: None,
            matted: None,
        }
    }

    /// Loads the network of a lab, if it is not there yet.
    ///
    /// # Errors
    /// Those of [`weights::load`].
    pub async fn load<H: Host>(&mut self, host: &H, lab: Lab) -> Result<(), Failure> {
        let name = lab.model();
        let card = self
            .manifest
            .find(name)
            .ok_or_else(|| Failure::WeightsMissing {
                name: name.into(),
                reason: "not in the manifest".into(),
            })?;
        match lab {
            Lab::Detect if self.ssd.is_none() => {
                let network = SsdConfig::new(CLASSES.len()).init(&self.device);
                self.ssd = Some(weights::load(host, card, network).await?);
            }
            Lab::Segment if self.selfie.is_none() => {
                let network = SelfieConfig::new().init(&self.device);
                self.selfie = Some(weights::load(host, card, network).await?);
            }
            _ => {}
        }
        Ok(())
    }

    /// Runs the network of a lab once on an empty picture, so that shaders are compiled and
    /// memory is there before the visitor waits for it. Keeps no result.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub async fn warm_up<H: Host>(&mut self, host: &H, lab: Lab) -> Result<(), Failure> {
        self.load(host, lab).await?;
        let empty = Picture {
            width: 1,
            height: 1,
            rgba: vec![127, 127, 127, 255],
        };
        let job = Job::new(host, &*self.backend);
        match lab {
            Lab::Detect => {
                detect::run(&job, loaded(&self.ssd), &empty, &self.device).await?;
            }
            Lab::Segment => {
                segment::run(&job, loaded(&self.selfie), &empty, &self.device).await?;
            }
        }
        Ok(())
    }

    /// Runs a lab on a picture.
    ///
    /// # Errors
    /// Those of [`load`](Self::load) and of the labs.
    pub async fn run<H: Host>(
        &mut self,
        job: Job<'_, H>,
        host: &H,
        settings: &Settings,
        picture: Picture,
    ) -> Result<(Outcome, Vec<u8>), Failure> {
        let lab = settings.lab();
        job.stage(Stage::Load).await?;
        self.load(host, lab).await?;
        let (width, height) = (picture.width, picture.height);
        let (result, bytes) = match lab {
            Lab::Detect => {
                let raw = detect::run(&job, loaded(&self.ssd), &picture, &self.device).await?;
                let detections = detect::refine(&raw, settings);
                let anchors = Some(detect::anchors(&raw));
                self.detected = Some(raw);
                (
                    LabResult::Detect {
                        detections,
                        anchors,
                    },
                    Vec::new(),
                )
            }
            Lab::Segment => {
                let raw = segment::run(&job, loaded(&self.selfie), &picture, &self.device).await?;
                let matte = segment::preview(&raw, &picture);
                let result = LabResult::Segment(Matte {
                    alpha: Vec::new(),
                    ..matte
                });
                self.matted = Some((picture, raw));
                (result, matte.alpha)
            }
        };
        Ok((
            Outcome {
                width,
                height,
                result,
                memory: host.memory_bytes(),
                timings: job.finish(),
            },
            bytes,
        ))
    }

    /// Applies other settings to the last result of a lab, without running its network.
    ///
    /// # Errors
    /// [`Failure::NothingToRefine`].
    pub fn refine(&self, settings: &Settings) -> Result<Outcome, Failure> {
        match (settings.lab(), &self.detected) {
            (Lab::Detect, Some(raw)) => Ok(Outcome {
                width: raw.width,
                height: raw.height,
                result: LabResult::Detect {
                    detections: detect::refine(raw, settings),
                    anchors: None,
                },
                memory: None,
                timings: Vec::new(),
            }),
            _ => Err(Failure::NothingToRefine),
        }
    }

    /// The last segmented picture with the effect of the settings.
    ///
    /// # Errors
    /// [`Failure::NothingToRefine`].
    pub fn export(
        &self,
        settings: &Settings,
        background: Option<&Picture>,
    ) -> Result<Picture, Failure> {
        let (picture, raw) = self.matted.as_ref().ok_or(Failure::NothingToRefine)?;
        segment::export(picture, raw, settings, background)
    }
}

fn loaded<M>(network: &Option<M>) -> &M {
    network
        .as_ref()
        .expect("`load` returned without an error just before")
}
