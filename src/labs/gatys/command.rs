//! `kiln gatys`.

use clap::{ArgMatches, Command};

use super::spec::{LAB, NAMES};
use crate::command::session::Session;
use crate::command::{CommandRow, Stop, cli, sentence};
use crate::engine::native_host::open_picture;
use crate::job::Request;
use crate::labs::search::command as search;
use crate::labs::search::spec::Question;
use crate::labs::stylize::paintings::OWN;
use crate::methods::resize::{stretch_rgb, to_tensor};
use crate::models::vgg16::{VGG16, layer_index, prepare};
use crate::protocol::failure::Failure;
use crate::protocol::settings::Settings;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run,
    figures: Some(("vgg16", figures)),
};

fn flags() -> Command {
    search::flags(&LAB)
        .arg(cli::picture_argument(
            "picture",
            "CONTENT",
            1,
            "what the result shows",
        ))
        .arg(cli::picture_argument(
            "style-picture",
            "STYLE",
            2,
            "how it is painted",
        ))
}

fn run(arguments: &ArgMatches) -> Result<(), Stop> {
    let mut settings = cli::settings(&LAB, arguments);
    // A file gives the style: none of the paintings.
    settings.set_text(NAMES.source, OWN);
    let pictures = [("picture", "picture"), ("style", "style-picture")];
    search::search(arguments, &settings, &pictures, "loss")
}

/// Milliseconds of one pass forward through VGG-16 as far as conv5_1, and of one step of a style search
/// with all five layers, both at 192 x 192.
fn figures(session: &mut Session, _runs: usize) -> Result<serde_json::Value, String> {
    const STEPS: u32 = 6;
    let said = |failure: Failure| sentence(&failure);
    let checkout = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let open = |path: &str| open_picture(&checkout.join(path)).map_err(said);
    let square = open("public/samples/astronaut.jpg")?;
    let style = open("public/paintings/auvers.jpg")?;
    let device = session.device.clone();
    let forward_ms = pollster::block_on(async {
        let job = session.job();
        let mut shelf = crate::engine::shelf::Shelf::new(
            device.clone(),
            crate::protocol::card::FILES,
        );
        let network = shelf.get(&job, &VGG16).await?;
        let rgb = stretch_rgb(&square, 192, 192);
        let image = prepare(to_tensor(&rgb, 192, 192, 1.0 / 255.0, 0.0, &device));
        let last = layer_index("conv5_1").expect("a layer");
        let mut forward_ms = Vec::new();
        for _ in 0..5 {
            let started = job.now_ms();
            let map = network.forward(image.clone(), last).pop().expect("maps");
            job.read(map.sum()).await?;
            forward_ms.push(job.now_ms() - started);
        }
        forward_ms.sort_by(f64::total_cmp);
        Ok(forward_ms[2])
    })
    .map_err(said)?;
    let settings = Settings::new(&LAB).with(&[(NAMES.steps, "1"), (NAMES.source, OWN)]);
    let run = Request::new(&Question::Run, &settings)
        .with("picture", square)
        .with("style", style);
    session.ask(run).map_err(said)?;
    let mut step_ms = Vec::new();
    for _ in 0..3 {
        let started = session.host().now_ms();
        let go_on = Question::Continue { steps: Some(STEPS) };
        session.ask(Request::new(&go_on, &settings)).map_err(said)?;
        // The last picture is looked at once more, for the report.
        step_ms.push((session.host().now_ms() - started) / f64::from(STEPS + 1));
    }
    step_ms.sort_by(f64::total_cmp);
    Ok(serde_json::json!({
        "forward_ms": forward_ms,
        "step_ms": step_ms[1],
        "step_to_forward": step_ms[1] / forward_ms,
    }))
}
