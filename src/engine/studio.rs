//! The generative labs' side of the engine: loads what a question needs, keeps what the next may use.

use burn::tensor::Device;

use super::weights;
use crate::data::pack::Pack;
use crate::job::{Host, Job};
use crate::labs::encode::engine::{self as encode, Inversion, Map};
use crate::labs::generate::ask::{Ask, Told};
use crate::labs::generate::networks::{Maker, Network, sheet};
use crate::labs::generate::spec::{
    self as generate, ATTRIBUTES_OF_AVATARS, DataSet, Family, SHIPPED, Shipped, classifier_of,
    setting,
};
use crate::labs::sample::engine as sample;
use crate::labs::scores::engine::{self as score, Harm, Judged};
use crate::labs::train::engine::{Play, pictures_to_learn};
use crate::models::generate::classifier::{LeNet, LeNetConfig};
use crate::models::generate::gan::Generator;
use crate::models::generate::latents::{Latents, Saved};
use crate::models::generate::shapes;
use crate::protocol::card::Manifest;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

/// Networks, data and work in progress.
#[derive(Default)]
pub struct Studio {
    makers: Vec<Maker>,
    packs: Vec<(String, Pack)>,
    /// The judge of a set, and what it makes of the set's test pictures.
    judge: Option<(DataSet, LeNet, Judged)>,
    /// What [`Ask::Encode`] took, with the set it belongs to.
    slots: [Option<(DataSet, Vec<u8>)>; 2],
    map: Option<Map>,
    inversion: Option<Inversion>,
    play: Option<Play>,
    /// Pictures that were scored, with what they are of.
    scored: Option<((String, u32), Vec<u8>)>,
}

/// An empty network of a shipped kind, with its latent space.
pub fn blank(shipped: &Shipped, device: &Device) -> Network {
    let data = shipped.data;
    let attributes = if data == DataSet::Avatars && shipped.family.encodes() {
        ATTRIBUTES_OF_AVATARS.len()
    } else {
        0
    };
    let latents = Latents::new(shipped.latent, attributes, device);
    let (side, channels) = (data.side(), data.channels());
    if shipped.family == Family::Gan {
        let config = shapes::generator(side, channels, shipped.latent);
        return Network::Gan(Box::new(Saved {
            network: Generator::new(&config, device),
            latents,
        }));
    }
    let classes = if shipped.family == Family::Cvae {
        data.classes()
    } else {
        0
    };
    let config = shapes::autoencoder(side, channels, shipped.latent)
        .with_variational(shipped.family != Family::Ae)
        .with_classes(classes);
    Network::Auto(Box::new(Saved {
        network: config.init(device),
        latents,
    }))
}

/// The autoencoders and the GAN of a set: plain, variational, adversarial.
pub fn trio(data: DataSet) -> [&'static str; 3] {
    match data {
        DataSet::Digits => ["ae-digits", "vae-digits", "gan-digits-hinge"],
        DataSet::FashionMnist => [
            "ae-fashion-mnist",
            "vae-fashion-mnist",
            "gan-fashion-mnist-hinge",
        ],
        DataSet::Avatars => ["ae-avatars", "vae-avatars", "gan-avatars"],
    }
}

fn data_of(settings: &Settings) -> DataSet {
    DataSet::from_name(settings.choice(setting::DATA)).expect("the table has the words")
}

impl Studio {
    /// Answers a question. `picture` and `file` are what travelled beside it.
    ///
    /// # Errors
    /// Those of [`weights::load`] and of the labs.
    pub async fn answer(
        &mut self,
        host: &dyn Host,
        job: &Job<'_>,
        manifest: &Manifest,
        ask: Ask,
        beside: Beside,
        device: &Device,
    ) -> Result<(Told, Vec<u8>), Failure> {
        let tools = Tools {
            host,
            job,
            manifest,
            device,
        };
        match ask {
            Ask::Sample(settings) => {
                let index = self.maker(&tools, settings.choice(setting::MODEL)).await?;
                let run = sample::run(job, &self.makers[index], &settings, device);
                let (sheet, bytes) = run.await?;
                Ok((Told::Sheet(sheet), bytes))
            }
            Ask::Encode { settings, slot } => self.encode(&tools, &settings, slot, beside).await,
            Ask::Edit(settings) => {
                let data = data_of(&settings);
                let [_, variational] = self.autoencoders(&tools, data).await?;
                let picture = self.slot(data, 0)?;
                let maker = &self.makers[variational];
                let edited = encode::edit(job, maker, picture, &settings, device).await?;
                let (sheet, bytes) = sheet(&edited, data.side(), data.channels(), 3);
                Ok((Told::Sheet(sheet), bytes))
            }
            Ask::Between(settings) => {
                let data = data_of(&settings);
                let [plain, variational] = self.autoencoders(&tools, data).await?;
                let makers = [&self.makers[plain], &self.makers[variational]];
                let ends = [self.slot(data, 0)?, self.slot(data, 1)?];
                let (sheet, bytes) = encode::between(job, &makers, ends, device).await?;
                Ok((Told::Sheet(sheet), bytes))
            }
            Ask::Map {
                settings,
                begin,
                steps,
            } => {
                let data = data_of(&settings);
                if begin || self.map.is_none() {
                    let [_, variational] = self.autoencoders(&tools, data).await?;
                    let pack = self.pack(&tools, data, "test").await?;
                    let own = self.slot(data, 0).ok();
                    let (maker, pack) = (&self.makers[variational], &self.packs[pack].1);
                    self.map = Some(Map::begin(job, maker, pack, own, device).await?);
                }
                let map = self.map.as_mut().expect("just made");
                map.advance(steps);
                Ok((map.told(), Vec::new()))
            }
            Ask::Invert {
                settings,
                begin,
                steps,
            } => self.invert(&tools, &settings, begin, steps).await,
            Ask::TrainBegin { settings, drawn } => {
                let pack = self.training_pack(&tools, &settings).await?;
                let pack = pack.map(|index| &self.packs[index].1);
                let play = self
                    .play
                    .insert(Play::begin(&settings, drawn, pack, device));
                let (progress, bytes) = play
                    .advance(
                        job,
                        &settings,
                        crate::labs::generate::ask::Steps::Both(0),
                        pack,
                    )
                    .await?;
                Ok((Told::Trained(progress), bytes))
            }
            Ask::TrainStep { settings, steps } => {
                let pack = self.training_pack(&tools, &settings).await?;
                let pack = pack.map(|index| &self.packs[index].1);
                let play = self.play.as_mut().ok_or(Failure::NothingInTraining)?;
                let (progress, bytes) = play.advance(job, &settings, steps, pack).await?;
                Ok((Told::Trained(progress), bytes))
            }
            Ask::TrainSave => {
                let play = self.play.as_ref().ok_or(Failure::NothingInTraining)?;
                Ok((Told::Weights, play.save()?))
            }
            Ask::TrainLoad { settings, drawn } => {
                let pack = self.training_pack(&tools, &settings).await?;
                let pack = pack.map(|index| &self.packs[index].1);
                let mut play = Play::begin(&settings, drawn, pack, device);
                play.load(beside.file.ok_or(Failure::WeightsOfAnother)?)?;
                let both = crate::labs::generate::ask::Steps::Both(0);
                let (progress, bytes) = play.advance(job, &settings, both, pack).await?;
                self.play = Some(play);
                Ok((Told::Trained(progress), bytes))
            }
            Ask::Score(settings) => self.score(&tools, &settings).await,
        }
    }

    async fn encode(
        &mut self,
        tools: &Tools<'_>,
        settings: &Settings,
        slot: usize,
        beside: Beside,
    ) -> Result<(Told, Vec<u8>), Failure> {
        let data = data_of(settings);
        let [plain, variational] = self.autoencoders(tools, data).await?;
        let picture = match beside.picture {
            Some(picture) => encode::fit(&picture, data),
            None => {
                let pack = self.pack(tools, data, "test").await?;
                let pack = &self.packs[pack].1;
                let item = settings.number(setting::ITEM) as usize + slot;
                pack.picture(item % pack.count()).to_vec()
            }
        };
        let (job, device) = (tools.job, tools.device);
        let a = encode::encode(job, &self.makers[plain], &picture, device).await?;
        let b = encode::encode(job, &self.makers[variational], &picture, device).await?;
        let shown = [&picture[..], &a.picture, &b.picture].concat();
        let (sheet, bytes) = sheet(&shown, data.side(), data.channels(), 3);
        self.slots[slot.min(1)] = Some((data, picture));
        if slot == 0 {
            self.inversion = None;
            self.map = None;
        }
        let told = Told::Encoded {
            sheet,
            plain: a.mean,
            mean: b.mean,
            spread: b.spread,
            errors: [a.error, b.error],
        };
        Ok((told, bytes))
    }

    async fn invert(
        &mut self,
        tools: &Tools<'_>,
        settings: &Settings,
        begin: bool,
        steps: u32,
    ) -> Result<(Told, Vec<u8>), Failure> {
        let data = data_of(settings);
        if begin || self.inversion.is_none() {
            let gan = self.maker(tools, trio(data)[2]).await?;
            let seed = settings.number(setting::SEED) as u32;
            let goal = self.slot(data, 0)?;
            self.inversion = Inversion::begin(&self.makers[gan], goal, seed, tools.device);
        }
        let goal = self.slot(data, 0)?.to_vec();
        let inversion = self.inversion.as_mut().ok_or(Failure::NoSlot)?;
        let (errors, picture) = inversion.advance(tools.job, steps).await?;
        let shown = [goal, picture].concat();
        let (sheet, bytes) = sheet(&shown, data.side(), data.channels(), 2);
        let step = inversion.step();
        let told = Told::Inverted {
            sheet,
            step,
            errors,
        };
        Ok((told, bytes))
    }

    async fn score(
        &mut self,
        tools: &Tools<'_>,
        settings: &Settings,
    ) -> Result<(Told, Vec<u8>), Failure> {
        let model = settings.choice(setting::MODEL);
        let data = generate::data_of_scored(model);
        let (job, device) = (tools.job, tools.device);
        let test = self.pack(tools, data, "test").await?;
        if self.judge.as_ref().is_none_or(|(of, ..)| *of != data) {
            let name = classifier_of(data).expect("the scored sets have classifiers");
            let network = LeNetConfig::new(data.classes()).init(device);
            let network = weights::load(tools.host, tools.manifest.card(name)?, network).await?;
            let real = score::real_pictures(&self.packs[test].1);
            let judged = score::judge(job, &network, real, device).await?;
            self.judge = Some((data, network, judged));
        }
        let seed = settings.number(setting::SEED) as u32;
        let key = (model.to_string(), seed);
        if self.scored.as_ref().is_none_or(|(of, _)| *of != key) {
            let pictures = if generate::find(model).is_none() {
                score::real_pictures(&self.packs[test].1).to_vec()
            } else {
                let index = self.maker(tools, model).await?;
                let maker = &self.makers[index];
                let noises = sample::noises(seed as f32, maker.shipped.latent, 1.0, score::SCORED);
                let codes: Vec<_> = noises.iter().map(|along| maker.code(along, &[])).collect();
                maker.decode(job, &codes, 0, device).await?
            };
            self.scored = Some((key, pictures));
        }
        let harm = Harm {
            modes: settings.number(setting::MODES) as usize,
            blur: settings.number(setting::BLUR),
            noise: settings.number(setting::NOISE),
            seed,
        };
        let (_, classifier, judged) = self.judge.as_ref().expect("just made");
        let reference = score::reference(judged);
        let pictures = &self.scored.as_ref().expect("just made").1;
        let scored = score::score(job, classifier, pictures, harm, &reference, device);
        let (scores, bytes) = scored.await?;
        Ok((Told::Scored(scores), bytes))
    }

    fn slot(&self, data: DataSet, slot: usize) -> Result<&[u8], Failure> {
        match &self.slots[slot] {
            Some((of, picture)) if *of == data => Ok(picture),
            _ => Err(Failure::NoSlot),
        }
    }

    async fn autoencoders(
        &mut self,
        tools: &Tools<'_>,
        data: DataSet,
    ) -> Result<[usize; 2], Failure> {
        let [plain, variational, _] = trio(data);
        let plain = self.maker(tools, plain).await?;
        Ok([plain, self.maker(tools, variational).await?])
    }

    /// Index of a network, loaded if it is not there yet.
    async fn maker(&mut self, tools: &Tools<'_>, name: &str) -> Result<usize, Failure> {
        if let Some(index) = self.makers.iter().position(|m| m.shipped.name == name) {
            return Ok(index);
        }
        let shipped = SHIPPED
            .iter()
            .find(|shipped| shipped.name == name)
            .expect("the table has the names");
        let card = tools.manifest.card(name)?;
        let network = match blank(shipped, tools.device) {
            Network::Auto(saved) => {
                Network::Auto(Box::new(weights::load(tools.host, card, *saved).await?))
            }
            Network::Gan(saved) => {
                Network::Gan(Box::new(weights::load(tools.host, card, *saved).await?))
            }
        };
        self.makers
            .push(Maker::new(tools.job, shipped, network).await?);
        Ok(self.makers.len() - 1)
    }

    /// Index of a data set's part, loaded if it is not there yet.
    async fn pack(
        &mut self,
        tools: &Tools<'_>,
        data: DataSet,
        part: &str,
    ) -> Result<usize, Failure> {
        let name = format!("{}-{part}.pack", data.name());
        if let Some(index) = self.packs.iter().position(|(known, _)| *known == name) {
            return Ok(index);
        }
        let bytes = weights::fetch(tools.host, tools.manifest.card(&name)?).await?;
        let pack = Pack::parse(&name, &bytes)?;
        self.packs.push((name, pack));
        Ok(self.packs.len() - 1)
    }

    async fn training_pack(
        &mut self,
        tools: &Tools<'_>,
        settings: &Settings,
    ) -> Result<Option<usize>, Failure> {
        match pictures_to_learn(settings) {
            Some(data) => Ok(Some(self.pack(tools, data, "train").await?)),
            None => Ok(None),
        }
    }
}

/// What an answer is made with.
struct Tools<'a> {
    host: &'a dyn Host,
    job: &'a Job<'a>,
    manifest: &'a Manifest,
    device: &'a Device,
}

/// What travels beside a question.
#[derive(Default)]
pub struct Beside {
    /// A picture of the visitor's.
    pub picture: Option<Picture>,
    /// A file of the visitor's.
    pub file: Option<Vec<u8>>,
}
