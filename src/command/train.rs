//! `kiln train`: weights from data and a seed.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::data::batches::{self, Order};
use crate::data::pack::Pack;
use crate::models::generate::gan::{Discriminate as _, Discriminator, Generate as _, Generator};
use crate::models::generate::shapes;
use crate::protocol::generative::{DataSet, Objective};
use crate::train::autoencoder::AutoencoderTrainer;
use crate::train::classifier::ClassifierTrainer;
use crate::train::gan::{GanTrainer, Rules};
use crate::train::{decayed, noise};

use super::weights_file;

/// Steps between two lines of the log.
const LOG_EVERY: u64 = 50;
/// Steps between two checkpoints.
const CHECKPOINT_EVERY: u64 = 500;

/// The flags of `kiln train`.
pub fn command() -> Command {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("NUMBER")
            .default_value(default)
            .allow_negative_numbers(true)
            .value_parser(value_parser!(f64))
            .help(help)
    };
    Command::new("train")
        .about("Trains a network of the generative labs")
        .arg(
            Arg::new("kind")
                .required(true)
                .value_parser(["ae", "vae", "cvae", "gan", "classifier"])
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
        .arg(number(
            "latent",
            "16",
            "numbers that a picture is made from",
        ))
        .arg(number("beta", "1", "weight of the divergence of a VAE"))
        .arg(number(
            "margin",
            "0.3",
            "energy that EBGAN pushes generated samples up to",
        ))
        .arg(number(
            "clip",
            "0.05",
            "largest weight of WGAN's discriminator",
        ))
        .arg(number("steps", "3000", "steps to take"))
        .arg(number("batch", "64", "pictures of a step"))
        .arg(number("rate", "0.001", "learning rate (of the generator)"))
        .arg(number(
            "rate-discriminator",
            "0.0004",
            "learning rate of the discriminator",
        ))
        .arg(number(
            "discriminator-steps",
            "1",
            "steps of the discriminator for each of the generator",
        ))
        .arg(number("seed", "7", "decides weights, order and noise"))
        .arg(path("out", "weights.bpk", "file to write"))
        .arg(path("log", "", "CSV to write, a line for every 50 steps"))
        .arg(path(
            "data-folder",
            "",
            "folder of the packs that `make data` makes",
        ))
        .arg(
            Arg::new("resume")
                .long("resume")
                .action(ArgAction::SetTrue)
                .help("go on from the checkpoint beside the file to write"),
        )
}

fn path(name: &'static str, default: &'static str, help: &'static str) -> Arg {
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

/// What the flags say.
struct Plan {
    data: DataSet,
    train: Pack,
    steps: u64,
    batch: usize,
    rate: f64,
    seed: u32,
    latent: usize,
    out: PathBuf,
    log: Log,
    resume: bool,
    device: Device,
}

/// A CSV file, a line on the terminal, a clock.
struct Log {
    file: Option<fs::File>,
    started: Instant,
}

impl Log {
    fn line(&mut self, step: u64, steps: u64, columns: &[(&str, f32)]) -> Result<(), String> {
        if let Some((name, _)) = columns.iter().find(|(_, value)| !value.is_finite()) {
            let failure = crate::protocol::failure::Failure::Diverged { step };
            return Err(format!("{failure} ({name})"));
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let texts: Vec<String> = columns.iter().map(|(n, v)| format!("{n} {v:.4}")).collect();
        eprintln!("step {step}/{steps}, {seconds:.0} s: {}", texts.join(", "));
        if let Some(file) = &mut self.file {
            let values: Vec<String> = columns.iter().map(|(_, v)| v.to_string()).collect();
            writeln!(file, "{step},{seconds:.1},{}", values.join(","))
                .map_err(|e| format!("the log cannot be written: {e}"))?;
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

/// Reads `<folder>/<set>-<part>.pack`.
pub fn open_pack(folder: &Path, data: DataSet, part: &str) -> Result<Pack, String> {
    let file = folder.join(format!("{}-{part}.pack", data.name()));
    let bytes = fs::read(&file).map_err(|e| {
        format!(
            "{} cannot be read ({e}): run `make data` first.",
            file.display()
        )
    })?;
    let name = file.display().to_string();
    let pack = Pack::parse(&name, &bytes).map_err(|failure| failure.to_string())?;
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
pub fn train(arguments: &ArgMatches) -> Result<(), String> {
    let number = |name: &str| *arguments.get_one::<f64>(name).expect("has a default");
    let word = |name: &str| arguments.get_one::<String>(name).expect("has a default");
    for name in ["latent", "steps", "batch", "discriminator-steps"] {
        if !(number(name) >= 1.0 && number(name) < 1e9 && number(name).fract() == 0.0) {
            return Err(format!("--{name} must be a whole number above 0."));
        }
    }
    if number("rate") <= 0.0 || number("rate").is_nan() {
        return Err("--rate must be above 0.".into());
    }
    let data = DataSet::from_name(word("data")).expect("clap knows the names");
    let file = match arguments.get_one::<PathBuf>("log") {
        None => None,
        Some(path) => Some(
            fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .map_err(|e| format!("{} cannot be written: {e}", path.display()))?,
        ),
    };
    let plan = Plan {
        data,
        train: open_pack(&data_folder(arguments), data, "train")?,
        steps: number("steps") as u64,
        batch: number("batch") as usize,
        rate: number("rate"),
        seed: number("seed") as u32,
        latent: number("latent") as usize,
        out: arguments
            .get_one::<PathBuf>("out")
            .expect("has a default")
            .clone(),
        log: Log {
            file,
            started: Instant::now(),
        },
        resume: arguments.get_flag("resume"),
        device: Device::flex().autodiff(),
    };
    match word("kind").as_str() {
        "gan" => {
            let objective = Objective::from_name(word("objective")).expect("clap knows the names");
            let rules = Rules {
                objective,
                latent: plan.latent,
                margin: number("margin") as f32,
                clip: number("clip") as f32,
                seed: plan.seed,
            };
            let spectral_norm = arguments.get_flag("spectral-norm");
            let (rate, each) = (number("rate-discriminator"), number("discriminator-steps"));
            gan(plan, rules, spectral_norm, rate, each as u64)
        }
        "classifier" => classifier(plan),
        kind => autoencoder(plan, kind, number("beta") as f32),
    }
}

fn read(value: Tensor<1>) -> f32 {
    super::read_now(value)[0]
}

fn autoencoder(mut plan: Plan, kind: &str, beta: f32) -> Result<(), String> {
    let (data, device) = (plan.data, plan.device.clone());
    let classes = if kind == "cvae" { data.classes() } else { 0 };
    if kind == "cvae" && classes == 0 {
        return Err(format!("{} has no classes: train a vae.", data.name()));
    }
    let config = shapes::autoencoder(data.side(), data.channels(), plan.latent)
        .with_variational(kind != "ae")
        .with_classes(classes);
    let mut trainer = AutoencoderTrainer::new(&config, beta, plan.seed, &device);
    if plan.resume {
        trainer.network = weights_file::load_checkpoint(trainer.network, &plan.out, "network")?;
        trainer.optimiser = weights_file::load_optimiser(trainer.optimiser, &plan.out, "network")?;
        trainer.step = weights_file::load_step(&plan.out)?;
    }
    let mut order = Order::new(plan.train.count(), plan.batch, plan.seed);
    while trainer.step < plan.steps {
        let step = trainer.step;
        let indices = order.step(step);
        let pictures = batches::grid(&plan.train, indices, &device);
        let labels =
            (classes > 0).then(|| batches::one_hot(&plan.train, indices, classes, &device));
        let terms = trainer.step(pictures, labels, decayed(plan.rate, step, plan.steps));
        if step.is_multiple_of(LOG_EVERY) {
            let columns = [
                ("reconstruction", read(terms.reconstruction)),
                ("divergence", read(terms.divergence)),
            ];
            plan.log.line(step, plan.steps, &columns)?;
        }
        if trainer.step.is_multiple_of(CHECKPOINT_EVERY) {
            weights_file::save_checkpoint(&trainer.network, &plan.out, "network")?;
            weights_file::save_optimiser(&trainer.optimiser, &plan.out, "network")?;
            weights_file::save_step(&plan.out, trainer.step)?;
        }
    }
    weights_file::save_half(trainer.trained(), &plan.out)
}

fn gan(
    mut plan: Plan,
    rules: Rules,
    spectral_norm: bool,
    rate_discriminator: f64,
    discriminator_steps: u64,
) -> Result<(), String> {
    let (data, device) = (plan.data, plan.device.clone());
    let (side, channels) = (data.side(), data.channels());
    let energy = rules.objective == Objective::Energy;
    let generator = Generator::new(&shapes::generator(side, channels, rules.latent), &device);
    let discriminator: Discriminator =
        shapes::discriminator(side, channels, energy, spectral_norm).init(&device);
    let mut trainer = GanTrainer::new(generator, discriminator, rules);
    let mut step = 0;
    if plan.resume {
        trainer.generator = weights_file::load_checkpoint(trainer.generator, &plan.out, "g")?;
        trainer.discriminator =
            weights_file::load_checkpoint(trainer.discriminator, &plan.out, "d")?;
        trainer.generator_optimiser =
            weights_file::load_optimiser(trainer.generator_optimiser, &plan.out, "g")?;
        trainer.discriminator_optimiser =
            weights_file::load_optimiser(trainer.discriminator_optimiser, &plan.out, "d")?;
        step = weights_file::load_step(&plan.out)?;
        trainer.draws = step * discriminator_steps;
    }
    let mut order = Order::new(plan.train.count(), plan.batch, plan.seed);
    let mut average = Average::new(&trainer.generator);
    if plan.resume {
        let blank = Generator::new(&shapes::generator(side, channels, rules.latent), &device);
        let saved = weights_file::load_checkpoint(blank, &plan.out, "average")?;
        average = average.with_values_of(&trainer.generator, &saved);
    }
    while step < plan.steps {
        let rate = |rate| decayed(rate, step, plan.steps);
        let mut real = |n: u64| batches::grid(&plan.train, order.step(n), &device) * 2.0 - 1.0;
        for more in 1..discriminator_steps {
            let fake = trainer.samples(plan.batch, &device);
            let pictures = real(step * discriminator_steps + more);
            trainer.step_discriminator(pictures, fake, rate(rate_discriminator));
        }
        let pictures = real(step * discriminator_steps);
        let [d, g] = trainer.step(pictures, [rate(rate_discriminator), rate(plan.rate)]);
        average.follow(&trainer.generator, step);
        if step.is_multiple_of(LOG_EVERY) {
            let columns = [
                ("discriminator", read(d.loss)),
                ("generator", read(g.loss)),
                ("gradient of d", read(d.gradient).sqrt()),
                ("gradient of g", read(g.gradient).sqrt()),
            ];
            plan.log.line(step, plan.steps, &columns)?;
        }
        step += 1;
        if step.is_multiple_of(CHECKPOINT_EVERY) {
            weights_file::save_checkpoint(&trainer.generator, &plan.out, "g")?;
            weights_file::save_checkpoint(&trainer.discriminator, &plan.out, "d")?;
            let averaged = average.clone().finish(trainer.generator.clone());
            weights_file::save_checkpoint(&averaged, &plan.out, "average")?;
            weights_file::save_optimiser(&trainer.generator_optimiser, &plan.out, "g")?;
            weights_file::save_optimiser(&trainer.discriminator_optimiser, &plan.out, "d")?;
            weights_file::save_step(&plan.out, step)?;
        }
    }
    let _ = trainer
        .discriminator
        .score(Tensor::zeros([side * side, 1, channels], &device));
    // The averaged weights need batch statistics of their own.
    let generator = average.finish(trainer.generator.clone());
    for round in 0..20 {
        let noise = noise(
            rules.seed,
            (1 << 30) + round,
            plan.batch,
            rules.latent,
            &device,
        );
        let _ = generator.generate(noise);
    }
    weights_file::save_half(generator.valid(), &plan.out)
}

fn classifier(mut plan: Plan) -> Result<(), String> {
    let (data, device) = (plan.data, plan.device.clone());
    let classes = data.classes();
    if classes == 0 {
        return Err(format!("{} has no classes.", data.name()));
    }
    let mut trainer = ClassifierTrainer::new(classes, plan.seed, &device);
    let mut order = Order::new(plan.train.count(), plan.batch, plan.seed);
    for step in 0..plan.steps {
        let indices = order.step(step);
        let pictures = batches::grid(&plan.train, indices, &device);
        let labels = batches::one_hot(&plan.train, indices, classes, &device);
        let loss = trainer.step(pictures, labels, decayed(plan.rate, step, plan.steps));
        if step.is_multiple_of(LOG_EVERY) {
            plan.log
                .line(step, plan.steps, &[("cross-entropy", read(loss))])?;
        }
    }
    weights_file::save_half(trainer.trained(), &plan.out)
}

/// Weights of a generator averaged over the steps: its samples vary less from step to step (Yazıcı et
/// al. 2019).
#[derive(Clone)]
struct Average {
    /// A tensor of its parameter's rank each.
    values: std::collections::HashMap<burn::module::ParamId, std::rc::Rc<dyn std::any::Any>>,
}

/// How much of the average stays at a step.
const AVERAGE_KEEPS: f32 = 0.998;

impl Average {
    fn new(network: &Generator) -> Self {
        let mut average = Self {
            values: std::collections::HashMap::new(),
        };
        average.visit(network, 0.0);
        average
    }

    /// The values of another copy of the network, whose parameters come in the same order.
    fn with_values_of(self, network: &Generator, saved: &Generator) -> Self {
        struct Ids(Vec<burn::module::ParamId>);
        impl burn::module::ModuleVisitor for Ids {
            fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
                self.0.push(param.id);
            }
        }
        let ids = |network: &Generator| {
            let mut ids = Ids(Vec::new());
            network.visit(&mut ids);
            ids.0
        };
        let read = Self::new(saved).values;
        let pairs = ids(network).into_iter().zip(ids(saved));
        let values = pairs.filter_map(|(own, theirs)| Some((own, read.get(&theirs)?.clone())));
        Self {
            values: values.collect(),
        }
    }

    fn follow(&mut self, network: &Generator, step: u64) {
        // From a short memory to a long one: the first steps are soon forgotten.
        let keeps = AVERAGE_KEEPS.min((1.0 + step as f32) / (10.0 + step as f32));
        self.visit(network, keeps);
    }

    fn visit(&mut self, network: &Generator, keeps: f32) {
        struct Visit<'a>(&'a mut Average, f32);
        impl burn::module::ModuleVisitor for Visit<'_> {
            fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
                let now = param.val().inner();
                let values = &mut self.0.values;
                let next = match values
                    .get(&param.id)
                    .and_then(|v| v.downcast_ref::<Tensor<D>>())
                {
                    Some(average) => average.clone() * self.1 + now * (1.0 - self.1),
                    None => now,
                };
                values.insert(param.id, std::rc::Rc::new(next));
            }
        }
        network.visit(&mut Visit(self, keeps));
    }

    fn finish(self, network: Generator) -> Generator {
        struct Fill(Average);
        impl burn::module::ModuleMapper for Fill {
            fn map_float<const D: usize>(
                &mut self,
                param: burn::module::Param<Tensor<D>>,
            ) -> burn::module::Param<Tensor<D>> {
                let average = self.0.values.get(&param.id);
                match average.and_then(|v| v.downcast_ref::<Tensor<D>>()) {
                    Some(average) => {
                        let average = average.clone();
                        param.map(|old| {
                            Tensor::from_inner(average).set_require_grad(old.is_require_grad())
                        })
                    }
                    None => param,
                }
            }
        }
        network.map(&mut Fill(self))
    }
}
