//! `kiln train`: weights from data and a seed.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::data::batches::{self, Order};
use crate::data::pack::Pack;
use crate::engine::native_host::{NativeHost, open_device};
use crate::job::Job;
use crate::models::generate::gan::Generator;
use crate::models::generate::shapes;
use crate::protocol::failure::Failure;
use crate::protocol::generative::{DataSet, Objective};
use crate::train::autoencoder::{self, AutoencoderTrainee};
use crate::train::checkpoint::Storage as _;
use crate::train::classifier::{self, ClassifierTrainee};
use crate::train::gan::{GanTrainee, Players, Rules, Turn};
use crate::train::training::{Numbers, Plan, Report, Trainee, Training};

use super::output::{self, Output};
use super::weights_file::{self, CheckpointFiles};
use super::{Stop, cli, print, sentence, train_detector};

/// The flags of `kiln train`.
pub fn command() -> Command {
    let flag = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("NUMBER")
            .default_value(default)
            .allow_negative_numbers(true)
            .help(help)
    };
    // Bounds keep a slip of the finger from filling the memory or from training for a year: 256
    // pictures of 64 x 64 take a GAN 2.7 GB.
    let whole =
        |name, default, most, help| flag(name, default, help).value_parser(cli::whole_number(most));
    let number = |name, default, [least, most]: [f64; 2], help| {
        flag(name, default, help).value_parser(cli::number(least, most))
    };
    Command::new("train")
        .about("Trains a network of the generative labs, or a detector")
        .arg(
            Arg::new("kind")
                .required(true)
                .value_parser(["ae", "vae", "cvae", "gan", "classifier", "detector"])
                .help("what to train"),
        )
        .arg(
            Arg::new("data")
                .long("data")
                .value_parser(<DataSet as strum::VariantNames>::VARIANTS.to_vec())
                .default_value(DataSet::FashionMnist.name())
                .help("what to learn from"),
        )
        .arg(
            Arg::new("objective")
                .long("objective")
                .value_parser(<Objective as strum::VariantNames>::VARIANTS.to_vec())
                .default_value("hinge")
                .help("what the adversarial pair plays for"),
        )
        .arg(
            Arg::new("spectral-norm")
                .long("spectral-norm")
                .action(ArgAction::SetTrue)
                .help("divide the discriminator's weights by their largest singular value"),
        )
        .arg(whole(
            "latent",
            "16",
            512,
            "numbers that a picture is made from",
        ))
        .arg(number(
            "beta",
            "1",
            [0.0, 1e6],
            "weight of the divergence of a VAE",
        ))
        .arg(number(
            "margin",
            "0.3",
            [0.0, 1e6],
            "energy that EBGAN pushes generated samples up to",
        ))
        .arg(number(
            "clip",
            "0.05",
            [1e-9, 1e6],
            "largest weight of WGAN's discriminator",
        ))
        .arg(whole("steps", "3000", 10_000_000, "steps to take"))
        .arg(whole("batch", "64", 256, "pictures of a step"))
        .arg(number(
            "rate",
            "0.001",
            RATES,
            "learning rate (of the generator)",
        ))
        .arg(number(
            "rate-discriminator",
            "0.0004",
            RATES,
            "learning rate of the discriminator",
        ))
        .arg(whole(
            "discriminator-steps",
            "1",
            100,
            "steps of the discriminator for each of the generator",
        ))
        .arg(flag("seed", "7", "decides weights, order and noise").value_parser(value_parser!(u32)))
        .arg(path("out", "weights.bpk", "file to write"))
        .arg(path("log", "", "CSV to write the losses to"))
        .arg(whole(
            "log-every",
            "50",
            1_000_000,
            "steps between two lines of the log",
        ))
        .arg(whole(
            "checkpoint-every",
            "500",
            1_000_000,
            "steps between two checkpoints, with a held-out score each",
        ))
        .arg(path(
            "data-folder",
            "",
            "folder of the packs that `make data` makes",
        ))
        .arg(cli::backend_argument())
        .args(train_detector::flags())
        .arg(
            Arg::new("resume")
                .long("resume")
                .action(ArgAction::SetTrue)
                .help("go on from the checkpoint beside the file to write"),
        )
        .arg(cli::force_argument())
}

/// Learning rates: 0 learns nothing, and what is far too large is told with advice when it happens.
const RATES: [f64; 2] = [1e-12, 1e30];

pub(super) fn path(name: &'static str, default: &'static str, help: &'static str) -> Arg {
    let arg = Arg::new(name)
        .long(name)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(help);
    if default.is_empty() {
        arg
    } else {
        arg.default_value(default)
    }
}

/// What the flags say, for every trainee.
struct Flags {
    data: DataSet,
    train: Pack,
    /// Where it is to be had.
    held_out: Option<Pack>,
    rate: f64,
    batch: usize,
    latent: usize,
    seed: u32,
    device: Device,
}

/// Where the run goes.
pub(super) struct Course {
    pub(super) plan: Plan,
    resume: bool,
    checkpoints: CheckpointFiles,
    out: Output,
    log: Log,
    /// Name of what it runs on.
    backend: String,
}

impl Course {
    /// Writes what was trained where the user wants it.
    pub(super) fn write(self, weights: &[u8]) -> Result<(), String> {
        self.out
            .write(weights)
            .map_err(|failure| sentence(&failure))
    }
}

/// A CSV file, a line on the terminal, a clock.
struct Log {
    file: Option<fs::File>,
    path: PathBuf,
    steps: u64,
    started: Instant,
}

impl Log {
    fn tell(&mut self, report: Report) -> Result<(), Failure> {
        let seconds = self.started.elapsed().as_secs_f64();
        let texts = |numbers: &Numbers| {
            let texts: Vec<String> = numbers.iter().map(|(n, v)| format!("{n} {v:.4}")).collect();
            texts.join(", ")
        };
        match report {
            Report::Losses { step, losses } => {
                print::note(format!(
                    "step {step}/{}, {seconds:.0} s: {}",
                    self.steps,
                    texts(&losses)
                ));
                if let Some(file) = &mut self.file {
                    let values: Vec<String> = losses.iter().map(|(_, v)| v.to_string()).collect();
                    let line = writeln!(file, "{step},{seconds:.1},{}", values.join(","));
                    line.map_err(|error| Failure::Unwritable {
                        path: print::shown(&self.path),
                        reason: error.to_string(),
                    })?;
                }
            }
            Report::Score { steps, score } => {
                print::note(format!("held out, after {steps} steps: {}", texts(&score)));
            }
        }
        Ok(())
    }
}

/// The folder of the packs: the flag's, or the one that `make data` fills.
pub fn data_folder(arguments: &ArgMatches) -> PathBuf {
    let given = arguments.get_one::<PathBuf>("data-folder").cloned();
    given.unwrap_or_else(|| {
        let cache = std::env::var_os("KILN_CACHE").map(PathBuf::from);
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        cache
            .unwrap_or_else(|| home().join(".cache/kiln"))
            .join("data")
    })
}

/// `<folder>/<set>-<part>.pack`.
pub fn pack_file(folder: &Path, data: DataSet, part: &str) -> PathBuf {
    folder.join(format!("{}-{part}.pack", data.name()))
}

/// Reads [`pack_file`].
pub fn open_pack(folder: &Path, data: DataSet, part: &str) -> Result<Pack, String> {
    let file = pack_file(folder, data, part);
    let name = print::shown(&file);
    let bytes = fs::read(&file)
        .map_err(|e| format!("{name} cannot be read ({e}): run `make data` first."))?;
    let pack = Pack::parse(&name, &bytes).map_err(|failure| sentence(&failure))?;
    let labels = if data == DataSet::Avatars { 6 } else { 1 };
    if (pack.side, pack.channels, pack.labels_each) == (data.side(), data.channels(), labels) {
        Ok(pack)
    } else {
        Err(format!(
            "{name} does not hold {}: run `make data` again.",
            data.name()
        ))
    }
}

/// `kiln train KIND ...`.
pub fn train(arguments: &ArgMatches) -> Result<(), Stop> {
    let number = |name: &str| *arguments.get_one::<f64>(name).expect("has a default");
    let whole = |name: &str| *arguments.get_one::<u32>(name).expect("has a default");
    let word = |name: &str| arguments.get_one::<String>(name).expect("has a default");
    let data = DataSet::from_name(word("data")).expect("clap knows the names");
    let folder = data_folder(arguments);
    let log_path = arguments.get_one::<PathBuf>("log").cloned();
    let out = arguments.get_one::<PathBuf>("out").expect("has a default");
    let mut outputs = output::Plan::new(arguments);
    for part in ["train", "test"] {
        outputs.reads(&pack_file(&folder, data, part));
    }
    // A name of a picture or of a table is most likely meant for another flag.
    let weights = outputs.file(out, &["bpk"])?;
    if let Some(log) = &log_path {
        outputs.file(log, &["csv", "txt", "log"])?;
    }
    let open = |path: &PathBuf| {
        let file = fs::OpenOptions::new().create(true).append(true).open(path);
        file.map_err(|e| {
            format!(
                "{} cannot be written ({e}): check the folder.",
                print::shown(path)
            )
        })
    };
    let steps = u64::from(whole("steps"));
    let (device, backend) = open_device(cli::backend(arguments)).map_err(|f| sentence(&f))?;
    let course = Course {
        plan: Plan {
            log_every: u64::from(whole("log-every")),
            checkpoint_every: u64::from(whole("checkpoint-every")),
            ..Plan::new(steps)
        },
        resume: arguments.get_flag("resume"),
        checkpoints: CheckpointFiles::beside(out),
        out: weights,
        log: Log {
            file: log_path.as_ref().map(open).transpose()?,
            path: log_path.unwrap_or_default(),
            steps,
            started: Instant::now(),
        },
        backend,
    };
    if word("kind") == "detector" {
        return Ok(train_detector::run(course, &device, arguments)?);
    }
    let flags = Flags {
        data,
        train: open_pack(&folder, data, "train")?,
        held_out: open_pack(&folder, data, "test")
            .inspect_err(|sentence| print::note(format!("no held-out score: {sentence}")))
            .ok(),
        rate: number("rate"),
        batch: whole("batch") as usize,
        latent: whole("latent") as usize,
        seed: whole("seed"),
        device: device.autodiff(),
    };
    match word("kind").as_str() {
        "gan" => {
            let rules = Rules {
                objective: Objective::from_name(word("objective")).expect("clap knows the names"),
                latent: flags.latent,
                margin: number("margin") as f32,
                clip: number("clip") as f32,
                seed: flags.seed,
            };
            let spectral_norm = arguments.get_flag("spectral-norm");
            let turn = Turn::Both {
                discriminator_steps: whole("discriminator-steps"),
            };
            let rates = [number("rate-discriminator"), flags.rate];
            gan(course, &flags, rules, spectral_norm, rates, turn)
        }
        "classifier" => classifier(course, &flags),
        kind => autoencoder(course, &flags, kind, number("beta") as f32),
    }?;
    Ok(())
}

fn autoencoder(course: Course, flags: &Flags, kind: &str, beta: f32) -> Result<(), String> {
    let data = flags.data;
    let classes = if kind == "cvae" { data.classes() } else { 0 };
    if kind == "cvae" && classes == 0 {
        return Err(format!("{} has no classes: train a vae.", data.name()));
    }
    let config = shapes::autoencoder(data.side(), data.channels(), flags.latent)
        .with_variational(kind != "ae")
        .with_classes(classes);
    let options = autoencoder::Options {
        beta,
        rate: flags.rate,
        batch: flags.batch,
        seed: flags.seed,
    };
    let held_out = flags.held_out.as_ref();
    let trainee = AutoencoderTrainee::new(&config, options, &flags.train, held_out, &flags.device);
    follow(course, Training::new(trainee, 0))
}

fn classifier(course: Course, flags: &Flags) -> Result<(), String> {
    let classes = flags.data.classes();
    if classes == 0 {
        return Err(format!("{} has no classes.", flags.data.name()));
    }
    let options = classifier::Options {
        classes,
        rate: flags.rate,
        batch: flags.batch,
        seed: flags.seed,
    };
    let held_out = flags.held_out.as_ref();
    let trainee = ClassifierTrainee::new(options, &flags.train, held_out, &flags.device);
    follow(course, Training::new(trainee, 0))
}

fn gan(
    course: Course,
    flags: &Flags,
    rules: Rules,
    spectral_norm: bool,
    rates: [f64; 2],
    turn: Turn,
) -> Result<(), String> {
    let (side, channels) = (flags.data.side(), flags.data.channels());
    let energy = rules.objective == Objective::Energy;
    let generator = shapes::generator(side, channels, rules.latent);
    let discriminator = shapes::discriminator(side, channels, energy, spectral_norm);
    let mut players = Players::new(
        Generator::new(&generator, &flags.device),
        discriminator.init(&flags.device),
        rules,
    );
    let (pack, device) = (&flags.train, &flags.device);
    let mut order = Order::new(pack.count(), flags.batch, flags.seed);
    let trainee = GanTrainee {
        players: &mut players,
        data: Box::new(|n| batches::grid(pack, order.step(n), device) * 2.0 - 1.0),
        batch: flags.batch.min(pack.count()),
        rates,
        turn,
        held_out: flags.held_out.as_ref(),
        device: device.clone(),
    };
    follow(course, Training::new(trainee, 0).averaged())
}

/// Trains to the end of the course, tells the score, and writes the weights.
pub(super) fn follow<T: Trainee>(course: Course, training: Training<T>) -> Result<(), String> {
    let (course, network) = run_course(course, training)?;
    course.write(&weights_file::half_bytes(network)?)
}

/// Goes through a run; gives back what came out, which is not written yet.
pub(super) fn run_course<T: Trainee>(
    mut course: Course,
    mut training: Training<T>,
) -> Result<(Course, T::Network), String> {
    let host = NativeHost::new("weights", |_, _| {});
    let job = Job::new(&host, &*course.backend);
    let trained = pollster::block_on(async {
        if course.resume {
            training.resume(&course.checkpoints.last().await?)?;
        }
        let mut tell = |report| course.log.tell(report);
        training
            .run(&job, &course.plan, &mut course.checkpoints, &mut tell)
            .await?;
        training.score(&job, &mut tell).await
    });
    trained.map_err(|failure| sentence(&failure))?;
    Ok((course, training.finished()))
}
