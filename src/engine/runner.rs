//! The engine: the same `run` is driven by the worker, the command line and the tests.

use burn::tensor::Device;

use crate::job::{Host, Job};
use crate::labs::detect::spec::CLASSES;
use crate::labs::generate::ask::{Ask, Told};
use crate::labs::segment::spec::Matte;
use crate::labs::stylize::spec::{self as style_settings, Painted, REGIONS_MAX, Region, STYLES};
use crate::labs::{
    detect::engine as detect, segment::engine as segment, stylize::engine as stylize,
};
use crate::models::arbitrary_style::{
    StylePainter, StylePainterConfig, StylePredictor, StylePredictorConfig,
};
use crate::models::selfie::{Selfie, SelfieConfig};
use crate::models::ssd::{Ssd, SsdConfig};
use crate::models::style_network::{StyleNetwork, StyleNetworkConfig};
use crate::protocol::card::{Manifest, ModelCard};
use crate::protocol::failure::Failure;
use crate::protocol::message::{LabResult, Outcome, Stage};
use crate::protocol::params::Lab;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

use super::searches::Searches;
use super::studio::{Beside, Studio};
use super::weights;

/// A device, the networks that are loaded on it, and the last result of each lab.
pub struct Engine {
    device: Device,
    backend: String,
    manifest: Manifest,
    ssd: Option<Ssd>,
    selfie: Option<Selfie>,
    style_network: Option<StyleNetwork>,
    any_style: Option<(StylePredictor, StylePainter)>,
    detected: Option<detect::RawDetections>,
    matted: Option<(Picture, segment::RawMatte)>,
    painted: Option<stylize::RawPainting>,
    searches: Searches,
    studio: Studio,
    regions: Vec<Region>,
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
            style_network: None,
            any_style: None,
            detected: None,
            matted: None,
            painted: None,
            searches: Searches::default(),
            studio: Studio::default(),
            regions: Vec::new(),
        }
    }

    /// Loads the network of a lab, if it is not there yet.
    ///
    /// # Errors
    /// Those of [`weights::load`].
    pub async fn load(&mut self, host: &dyn Host, lab: Lab) -> Result<(), Failure> {
        if lab.generates() {
            return Ok(());
        }
        let card = self.card(lab.model())?;
        match lab {
            Lab::Detect if self.ssd.is_none() => {
                let network = SsdConfig::new(CLASSES.len()).init(&self.device);
                self.ssd = Some(weights::load(host, card, network).await?);
            }
            Lab::Segment if self.selfie.is_none() => {
                let network = SelfieConfig::new().init(&self.device);
                self.selfie = Some(weights::load(host, card, network).await?);
            }
            Lab::Stylize if self.style_network.is_none() => {
                let network = StyleNetworkConfig::new(STYLES).init(&self.device);
                self.style_network = Some(weights::load(host, card, network).await?);
            }
            Lab::Gatys | Lab::Texture | Lab::Dream => {
                let card = card.clone();
                self.searches.load(host, &card, &self.device).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Regions with styles of their own, for runs of the style lab from now on.
    ///
    /// # Errors
    /// [`Failure::BadRegions`]; the regions before stay.
    pub fn set_regions(&mut self, regions: Vec<Region>) -> Result<(), Failure> {
        if regions.len() > REGIONS_MAX || !regions.iter().all(Region::is_valid) {
            return Err(Failure::BadRegions { limit: REGIONS_MAX });
        }
        self.regions = regions;
        Ok(())
    }

    /// Loads the pair that takes its style from a picture, if it is not there yet.
    async fn load_any_style(&mut self, host: &dyn Host) -> Result<(), Failure> {
        if self.any_style.is_none() {
            let [predict, transform] = style_settings::ARBITRARY;
            let predictor = StylePredictorConfig::new().init(&self.device);
            let painter = StylePainterConfig::new().init(&self.device);
            self.any_style = Some((
                weights::load(host, self.card(predict)?, predictor).await?,
                weights::load(host, self.card(transform)?, painter).await?,
            ));
        }
        Ok(())
    }

    /// Answers a question of the generative labs.
    ///
    /// # Errors
    /// Those of [`Studio::answer`].
    pub async fn answer(
        &mut self,
        job: &Job<'_>,
        host: &dyn Host,
        ask: Ask,
        beside: Beside,
    ) -> Result<(Told, Vec<u8>), Failure> {
        let (manifest, device) = (&self.manifest, &self.device);
        let studio = &mut self.studio;
        studio
            .answer(host, job, manifest, ask, beside, device)
            .await
    }

    fn card(&self, name: &str) -> Result<&ModelCard, Failure> {
        self.manifest.card(name)
    }

    /// Runs the network of a lab once on an empty picture, so that shaders are compiled and
    /// memory is there before the visitor waits for it. Keeps no result.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub async fn warm_up(&mut self, host: &dyn Host, lab: Lab) -> Result<(), Failure> {
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
            Lab::Stylize => {
                let settings = Settings::new(lab);
                let painter = stylize::Painter::Styles(loaded(&self.style_network));
                stylize::run(&job, &painter, &settings, &empty, &self.device).await?;
            }
            // A step each is worth a whole picture of the others: they start when asked to.
            Lab::Gatys | Lab::Texture | Lab::Dream => {}
            // Each question loads what it needs.
            _ => {}
        }
        Ok(())
    }

    /// Runs a lab on a picture. `style` is the picture that a style is taken from, where the settings
    /// ask for one.
    ///
    /// # Errors
    /// Those of [`load`](Self::load) and of the labs; [`Failure::NoStyle`].
    pub async fn run(
        &mut self,
        job: Job<'_>,
        host: &dyn Host,
        settings: &Settings,
        picture: Picture,
        style: Option<Picture>,
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
            Lab::Stylize => {
                let built_in = settings.choice(style_settings::SOURCE) == style_settings::BUILT_IN;
                let style = match (built_in, style) {
                    (true, _) => None,
                    (false, None) => return Err(Failure::NoStyle),
                    (false, style) => style,
                };
                let painter = match &style {
                    None => stylize::Painter::Styles(loaded(&self.style_network)),
                    Some(style) => {
                        self.load_any_style(host).await?;
                        let (predictor, painter) = loaded(&self.any_style);
                        stylize::Painter::Picture(predictor, painter, style)
                    }
                };
                let mut raw =
                    stylize::run(&job, &painter, settings, &picture, &self.device).await?;
                if !self.regions.is_empty() {
                    let network = loaded(&self.style_network);
                    let regions = &self.regions;
                    stylize::paint_regions(&job, network, regions, &mut raw, &self.device).await?;
                }
                let painting = stylize::refine(&raw, settings);
                self.painted = Some(raw);
                (size_of(&painting), painting.rgba)
            }
            Lab::Gatys | Lab::Texture | Lab::Dream => {
                let (search, style) = (&mut self.searches, style.as_ref());
                search
                    .run(&job, settings, picture, style, &self.device)
                    .await?
            }
            _ => return Err(Failure::NothingToRefine),
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

    /// Takes the last search of a lab further: see [`Searches::go_on`].
    ///
    /// # Errors
    /// Those of [`Searches::go_on`].
    pub async fn go_on(
        &mut self,
        job: Job<'_>,
        host: &dyn Host,
        settings: &Settings,
        steps: Option<u32>,
    ) -> Result<(Outcome, Vec<u8>), Failure> {
        let (result, bytes) = self.searches.go_on(&job, settings, steps).await?;
        let LabResult::Optimised(progress) = &result else {
            return Err(Failure::NothingToRefine);
        };
        let outcome = Outcome {
            width: progress.width as usize,
            height: progress.height as usize,
            result,
            memory: host.memory_bytes(),
            timings: job.finish(),
        };
        Ok((outcome, bytes))
    }

    /// How the last search of a lab went, as a GIF.
    ///
    /// # Errors
    /// Those of [`Searches::animation`].
    pub async fn animation(&self, job: &Job<'_>, lab: Lab) -> Result<Vec<u8>, Failure> {
        self.searches.animation(job, lab).await
    }

    /// Applies other settings to the last result of a lab, without running its network. With the
    /// bytes that travel beside the answer.
    ///
    /// # Errors
    /// [`Failure::NothingToRefine`].
    pub fn refine(&self, settings: &Settings) -> Result<(Outcome, Vec<u8>), Failure> {
        let (width, height, result, bytes) = match settings.lab() {
            Lab::Detect => {
                let raw = self.detected.as_ref().ok_or(Failure::NothingToRefine)?;
                let detections = detect::refine(raw, settings);
                let result = LabResult::Detect {
                    detections,
                    anchors: None,
                };
                (raw.width, raw.height, result, Vec::new())
            }
            Lab::Stylize => {
                let raw = self.painted.as_ref().ok_or(Failure::NothingToRefine)?;
                let painting = stylize::refine(raw, settings);
                (raw.width, raw.height, size_of(&painting), painting.rgba)
            }
            // The page lays the layers over each other itself; a search is adjusted when it goes on.
            _ => return Err(Failure::NothingToRefine),
        };
        let outcome = Outcome {
            width,
            height,
            result,
            memory: None,
            timings: Vec::new(),
        };
        Ok((outcome, bytes))
    }

    /// The numbers of the last run of a lab's network, as they left it: see [`LabResult::Raw`].
    ///
    /// # Errors
    /// [`Failure::NothingToRefine`].
    pub fn raw(&self, lab: Lab) -> Result<Vec<f32>, Failure> {
        let raw = match lab {
            Lab::Detect => self
                .detected
                .as_ref()
                .map(|raw| [&*raw.encodings, &*raw.scores].concat()),
            Lab::Segment => self.matted.as_ref().map(|(_, raw)| raw.shares.clone()),
            Lab::Stylize => self.painted.as_ref().map(|raw| {
                let share = |&byte: &u8| f32::from(byte) / 255.0;
                raw.painted.iter().map(share).collect()
            }),
            _ => None,
        };
        raw.ok_or(Failure::NothingToRefine)
    }

    /// The finished picture of the last result, with the settings' effect. `background` is what
    /// the portrait lab puts behind a person.
    ///
    /// # Errors
    /// [`Failure::NothingToRefine`]; those of [`Job::read`].
    pub async fn export(
        &mut self,
        job: &Job<'_>,
        settings: &Settings,
        background: Option<&Picture>,
    ) -> Result<Picture, Failure> {
        match settings.lab() {
            Lab::Segment => {
                let (picture, raw) = self.matted.as_ref().ok_or(Failure::NothingToRefine)?;
                segment::export(picture, raw, settings, background)
            }
            Lab::Stylize => {
                let raw = self.painted.as_ref().ok_or(Failure::NothingToRefine)?;
                Ok(stylize::refine(raw, settings))
            }
            Lab::Gatys | Lab::Texture | Lab::Dream => self.searches.picture(job, settings).await,
            // The page draws the boxes itself, and what it generates.
            _ => Err(Failure::NothingToRefine),
        }
    }
}

fn size_of(picture: &Picture) -> LabResult {
    LabResult::Stylize(Painted {
        width: picture.width as u32,
        height: picture.height as u32,
    })
}

fn loaded<M>(network: &Option<M>) -> &M {
    network
        .as_ref()
        .expect("`load` returned without an error just before")
}
