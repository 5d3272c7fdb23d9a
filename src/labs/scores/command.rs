//! `kiln score`: how good generated pictures are.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, value_parser};

use super::engine::{Judged, judge_by_inception};
use super::spec::{LAB, NAMES, Question, Scores, ScoresSettings};
use crate::command::session::Session;
use crate::command::train::{data_folder, open_pack};
use crate::command::{CommandRow, Stop, cli, print, sentence, weights_file};
use crate::engine::lab::Bench;
use crate::engine::shelf::Shelf;
use crate::job::Request;
use crate::labs::generate::networks::LatentModel;
use crate::labs::sample::engine::noises;
use crate::methods::statistics::{frechet, inception_score, moments};
use crate::models::inception_v3::{CLASSES, FEATURES, InceptionV3Config};
use crate::protocol::card::FILES;
use crate::protocol::failure::Failure;
use crate::protocol::generative::{CodesFrom, Family, SHIPPED, Shipped, find};

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run: score,
    figures: None,
};

fn flags() -> Command {
    cli::with_settings(&LAB)
    .arg(
        Arg::new("metric")
            .long("metric")
            .value_parser(["fid", "is", "all"])
            .default_value("all")
            .help("what to print"),
    )
    .arg(
        Arg::new("inception")
            .long("inception")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("score on the features of Inception-v3, from the file that `kiln import` wrote"),
    )
    .arg(
        Arg::new("network")
            .long("network")
            .value_parser(SHIPPED.map(|shipped| shipped.name))
            .conflicts_with_all(["model", "pictures", "modes", "blur", "noise"])
            .requires("inception")
            .help("with --inception: any network that ships, instead of --model"),
    )
    .arg(
        Arg::new("count")
            .long("count")
            .value_name("NUMBER")
            .value_parser(value_parser!(u32).range(2..=50_000))
            .default_value("1000")
            .help("with --inception: generated pictures, and real ones as far as there are; FID is lower with more"),
    )
    .arg(
        Arg::new("data-folder")
            .long("data-folder")
            .value_parser(value_parser!(PathBuf))
            .help("with --inception: folder of the packs that `make data` makes"),
    )
}

fn score(arguments: &ArgMatches) -> Result<(), Stop> {
    if let Some(file) = arguments.get_one::<PathBuf>("inception") {
        return on_inception(arguments, file);
    }
    let settings = cli::settings(&LAB, arguments);
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let said = |failure: Failure| sentence(&failure);
    let (reply, _) = session
        .ask(Request::new(&Question::Score, &settings))
        .map_err(said)?;
    let scores: Scores = reply.answer().map_err(said)?;
    let [means, covariances] = scores.frechet.map(f64::from);
    tell(
        arguments,
        "LeNet",
        [means, covariances],
        scores.inception.into(),
    );
    if metric(arguments) == "all" {
        print::line(format!(
            "pictures: {}, certainty: {:.3}",
            scores.count, scores.certainty
        ));
    }
    Ok(())
}

fn metric(arguments: &ArgMatches) -> &str {
    arguments
        .get_one::<String>("metric")
        .expect("has a default")
}

fn tell(arguments: &ArgMatches, judge: &str, [means, covariances]: [f64; 2], inception: f64) {
    if metric(arguments) != "is" {
        print::line(format!(
            "FID on {judge} features: {:.3} (means {means:.3}, covariances {covariances:.3})",
            means + covariances
        ));
    }
    if metric(arguments) != "fid" {
        print::line(format!("IS on {judge}: {inception:.3}"));
    }
}

/// Pictures below which the distance on Inception-v3's features is too large to say much: that many
/// features have a covariance of full rank only from so many pictures on.
const ENOUGH: usize = FEATURES;

/// Scores on the network that they are named after, with the weights of torchvision. They are not those of
/// papers, which are computed on TensorFlow's weights of 2015 and a graph that differs in its pooling.
fn on_inception(arguments: &ArgMatches, file: &Path) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    let named = arguments.get_one::<String>("network");
    let word = named.map_or(settings.word(NAMES.model), |name| name.as_str());
    let shipped: &'static Shipped = find(word)
        .ok_or("with --inception, say which network's pictures are scored: --network NAME.")?;
    for corruption in ["pictures", "modes", "blur", "noise"] {
        if arguments.value_source(corruption) == Some(ValueSource::CommandLine) {
            return Err(format!(
                "--{corruption} is for the scores on LeNet: leave it out with --inception."
            )
            .into());
        }
    }
    let count = *arguments.get_one::<u32>("count").expect("has a default") as usize;
    let test = open_pack(&data_folder(arguments), shipped.data, "test")?;
    let real = &test.pixels[..test.values() * test.count().min(count)];
    let shape = [shipped.data.side(), shipped.data.channels()];
    let session = Session::open(arguments, &[])?;
    let device = &session.device;
    let network = weights_file::load_weights(InceptionV3Config::new().init(device), file)?;
    let judged = pollster::block_on(async {
        let job = session.job();
        let mut shelf = Shelf::new(device.clone(), FILES);
        let mut bench = Bench {
            job: &job,
            shelf: &mut shelf,
        };
        let model = LatentModel::open(&mut bench, shipped).await?;
        let seed = settings.read::<ScoresSettings>().seed;
        let noises = noises(seed, shipped.latent, 1.0, count);
        let codes: Vec<_> = noises.iter().map(|noise| model.code(noise, CodesFrom::Prior)).collect();
        let mut pictures = Vec::new();
        // A network that is told the class draws each in turn.
        let classes = match shipped.family {
            Family::Cvae => shipped.data.classes(),
            Family::Ae | Family::Vae | Family::Gan => 1,
        };
        for (class, codes) in codes.chunks(count.div_ceil(classes)).enumerate() {
            pictures.extend(model.decode(&job, codes, class as u8, device).await?);
        }
        let fake = judge_by_inception(&job, &network, &pictures, shape, device).await?;
        let real = judge_by_inception(&job, &network, real, shape, device).await?;
        Ok((real, fake))
    });
    let (real, fake) =
        judged.map_err(|failure: Failure| sentence(&failure))?;
    let distance = frechet(
        &moments(&real.features, FEATURES),
        &moments(&fake.features, FEATURES),
    );
    let pictures = |judged: &Judged| judged.features.len() / FEATURES;
    if pictures(&fake).min(pictures(&real)) < ENOUGH {
        print::note(format!(
            "FID of fewer than {ENOUGH} pictures is too large by much: compare it with others of as many pictures only."
        ));
    }
    print::line(format!(
        "{} generated against {} real pictures",
        pictures(&fake),
        pictures(&real)
    ));
    let inception = inception_score(&fake.probabilities, CLASSES);
    tell(arguments, "torchvision's Inception-v3", distance, inception);
    Ok(())
}
