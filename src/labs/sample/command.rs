//! `kiln sample`: pictures from the networks that ship.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::{Arg, ArgMatches, Command};

use crate::engine::native_host::{NativeHost, encode_png, open_device};
use crate::engine::runner::Engine;
use crate::engine::studio::{self, Beside};
use crate::job::{Host, Job};
use crate::labs::generate::ask::{Ask, Sheet, Told};
use crate::labs::generate::networks::{Maker, Network, sheet};
use crate::labs::generate::spec::{Shipped, find, setting};
use crate::labs::sample::engine as sample;
use crate::protocol::card::Manifest;
use crate::protocol::failure::Failure;
use crate::protocol::link::{self, Shared};
use crate::protocol::params::Lab;
use crate::protocol::picture::Picture;
use crate::protocol::png_text;

use crate::command::cli;

/// The flags of `kiln sample`.
pub fn command() -> Command {
    cli::with_settings(Lab::Sample, "Draws pictures from a generative network")
        .arg(cli::out_argument("out", "PNG to write"))
        .arg(
            Arg::new("grid")
                .long("grid")
                .value_name("COLUMNSxROWS")
                .help("so many different pictures, instead of what --view says"),
        )
}

/// Asks the engine as the page does.
pub fn ask(arguments: &ArgMatches, ask: Ask) -> Result<(Told, Vec<u8>), String> {
    let (device, backend) = open_device(cli::backend(arguments)).map_err(|f| f.to_string())?;
    let folder = arguments
        .get_one::<PathBuf>("weights")
        .expect("has a default");
    let host = NativeHost::new(folder, |_| {});
    let mut engine = Engine::new(device, &*backend, Manifest::shipped());
    let job = Job::new(&host, &*backend);
    pollster::block_on(engine.answer(&job, &host, ask, Beside::default()))
        .map_err(|failure| failure.to_string())
}

pub fn picture_of(sheet: Sheet, rgba: Vec<u8>) -> Picture {
    let (width, height) = (sheet.columns * sheet.side, sheet.rows * sheet.side);
    Picture {
        width: width as usize,
        height: height as usize,
        rgba,
    }
}

/// `kiln sample`.
pub fn sample(arguments: &ArgMatches) -> Result<(), String> {
    let settings = cli::settings(Lab::Sample, arguments);
    let out = arguments
        .get_one::<PathBuf>("out")
        .ok_or("say where to write: --out picture.png")?;
    let (sheet, rgba) = match arguments.get_one::<String>("grid") {
        Some(grid) => {
            let sides = grid.split_once('x');
            let sides = sides.and_then(|(c, r)| Some((c.parse().ok()?, r.parse().ok()?)));
            let (columns, rows): (usize, usize) = sides
                .filter(|(c, r)| (1..=64).contains(c) && (1..=64).contains(r))
                .ok_or("give --grid as 8x8, at most 64x64")?;
            let (device, backend) =
                open_device(cli::backend(arguments)).map_err(|f| f.to_string())?;
            let folder = arguments
                .get_one::<PathBuf>("weights")
                .expect("has a default");
            let host = NativeHost::new(folder, |_| {});
            let shipped = find(settings.choice(setting::MODEL)).expect("the table has the names");
            let drawn = pollster::block_on(async {
                let job = Job::new(&host, &*backend);
                let manifest = Manifest::shipped();
                let maker = open_maker(&job, &host, &manifest, shipped, &device).await?;
                let spread = settings.number(setting::SPREAD);
                let seed = settings.number(setting::SEED);
                let points = sample::noises(seed, shipped.latent, spread, columns * rows);
                let codes: Vec<_> = points
                    .into_iter()
                    .map(|mut along| {
                        let sliders = settings.row(setting::SLIDERS);
                        along.iter_mut().zip(sliders).for_each(|(a, s)| *a += s);
                        maker.code(&along, &settings.row(setting::ATTRIBUTES))
                    })
                    .collect();
                let class = settings.number(setting::CLASS) as u8;
                maker.decode(&job, &codes, class, &device).await
            });
            let drawn = drawn.map_err(|failure: Failure| failure.to_string())?;
            sheet(
                &drawn,
                shipped.data.side(),
                shipped.data.channels(),
                columns,
            )
        }
        None => match ask(arguments, Ask::Sample(settings.clone()))? {
            (Told::Sheet(sheet), rgba) => (sheet, rgba),
            _ => unreachable!("a question for a sheet is answered by one"),
        },
    };
    let png = encode_png(&picture_of(sheet, rgba));
    let text = link::encode(&Shared {
        settings,
        sample: None,
    });
    let png = png_text::insert(&png, &text).expect("a PNG of our own");
    write(out, &png)
}

/// A network that ships, with its latent space.
pub async fn open_maker(
    job: &Job<'_>,
    host: &dyn Host,
    manifest: &Manifest,
    shipped: &'static Shipped,
    device: &Device,
) -> Result<Maker, Failure> {
    let card = manifest.card(shipped.name)?;
    let network = match studio::blank(shipped, device) {
        Network::Auto(saved) => {
            let loaded = crate::engine::weights::load(host, card, *saved).await?;
            Network::Auto(Box::new(loaded))
        }
        Network::Gan(saved) => {
            let loaded = crate::engine::weights::load(host, card, *saved).await?;
            Network::Gan(Box::new(loaded))
        }
    };
    Maker::new(job, shipped, network).await
}

pub fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|e| format!("{} cannot be written: {e}", path.display()))
}
