//! `kiln eval`: how well the families find what is boxed in a set of photographs.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::families::{FAMILIES, Family, NAMES as FAMILY_NAMES};
use super::spec::{Answer, LAB, NAMES, Question};
use crate::command::photographs::{self, Opened};
use crate::command::session::Session;
use crate::command::{CommandRow, Stop, cli, print, sentence};
use crate::data::photographs::CLASSES;
use crate::job::Request;
use crate::maths::average_precision::Verdict;
use crate::methods::outputs::Found;
use crate::protocol::message::{Stage, Timings};
use crate::protocol::settings::Settings;
use crate::train::detector::{LEAST, Scene, average_precisions, judged, mean};

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run: evaluate,
    figures: None,
};

/// Every family, one after another.
const ALL: &str = "all";
/// The overlaps of COCO's mean: .5 to .95.
const OVERLAPS: usize = 10;

fn flags() -> Command {
    Command::new("eval")
        .about("Measures detectors on photographs with boxes")
        .arg(
            Arg::new("family")
                .long("family")
                .value_parser([&[ALL], &FAMILY_NAMES[..]].concat())
                .default_value(ALL)
                .help("what is measured"),
        )
        .arg(
            Arg::new("photos")
                .long("photos")
                .value_name("FOLDER")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("folder of the sets of photographs, NAME.tar or NAME/ with annotations.json in COCO's form, or in VOC's own layout; those of the split \"val\" are measured on"),
        )
        .arg(
            Arg::new("every")
                .long("every")
                .value_name("NUMBER")
                .value_parser(value_parser!(u32).range(1..))
                .default_value("1")
                .help("measure on every such photograph only: what looks at each box by itself takes its time"),
        )
        .arg(cli::backend_argument())
        .arg(cli::weights_argument())
        .arg(cli::json_argument("print the figures as JSON"))
}

fn evaluate(arguments: &ArgMatches) -> Result<(), Stop> {
    let folder: &PathBuf = arguments.get_one("photos").expect("is required");
    let wanted: &String = arguments.get_one("family").expect("has a default");
    let as_json = arguments.get_flag("json");
    let opened = photographs::open(folder)?;
    let every = *arguments.get_one::<u32>("every").expect("has a default") as usize;
    let held_out = opened.iter().filter(|of| of.photograph.is_held_out);
    let held_out: Vec<&Opened> = held_out.step_by(every).collect();
    if held_out.is_empty() {
        return Err(format!(
            "{} has no photographs to measure on: give some the split \"val\" in annotations.json.",
            print::shown(folder)
        )
        .into());
    }
    // Of all only those that know a class of the photographs.
    let families = FAMILIES
        .iter()
        .filter(|family| family.name == wanted || (wanted == ALL && family.is_measured()));
    let families: Vec<&Family> = families.copied().collect();
    if let Some(family) = families.iter().find(|family| !family.is_measured()) {
        return Err(format!(
            "{} knows none of the classes that the photographs box: it cannot be measured on them.",
            family.title
        )
        .into());
    }
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let mut rows = Vec::new();
    for family in families {
        let row = of_family(family, &held_out, &mut session)?;
        if !as_json {
            print::line(text(&row));
        }
        rows.push(row);
    }
    if as_json {
        print::line(Value::Array(rows));
    }
    Ok(())
}

fn of_family(family: &Family, held_out: &[&Opened], session: &mut Session) -> Result<Value, Stop> {
    let mut settings = Settings::new(&LAB);
    let score = LEAST.to_string();
    let iou = family.thresholds.iou.to_string();
    for (name, value) in [
        (NAMES.model, family.name),
        (NAMES.score, &*score),
        (NAMES.iou, &*iou),
    ] {
        assert!(settings.set_text(name, value), "{name} cannot be {value}");
    }
    let known: Vec<Option<usize>> = (0..family.classes.len()).map(|class| family.photographed(class)).collect();
    let mut found = Vec::new();
    let mut times: Vec<Timings> = Vec::new();
    for (index, opened) in held_out.iter().enumerate() {
        let failed = |failure| format!("{}: {}", opened.photograph.file, sentence(&failure));
        let picture = opened.picture().map_err(failed)?;
        let question = Request::new(&Question::Run, &settings).with("picture", picture);
        let (reply, done) = session.ask(question).map_err(failed)?;
        let answer: Answer = reply.answer().map_err(failed)?;
        let of_picture = answer.detections.kept().filter_map(|(_, of)| {
            Some(Found {
                box_in_square: of.box_in_image,
                class: known[of.class]?,
                score: of.score,
                place: of.anchor,
            })
        });
        found.push(of_picture.collect::<Vec<_>>());
        times.push(done.timings);
        if index % 200 == 199 {
            print::note(format!("{}: {} of {}", family.name, index + 1, held_out.len()));
        }
    }
    let scenes: Vec<Scene<'_>> = held_out
        .iter()
        .map(|opened| Scene {
            objects: &opened.photograph.objects,
            boxed: std::array::from_fn(|class| {
                opened.photograph.boxed[class] && known.contains(&Some(class))
            }),
            proposals: &[],
        })
        .collect();
    let half = average_precisions(&scenes, &found, 0.5);
    let all: Vec<f32> = (0..OVERLAPS)
        .map(|step| {
            let overlap = 0.5 + 0.05 * step as f32;
            mean(&average_precisions(&scenes, &found, overlap))
        })
        .collect();
    let of_classes: serde_json::Map<String, Value> = CLASSES
        .iter()
        .zip(half)
        .filter_map(|(class, average)| Some(((*class).into(), rounded(average?).into())))
        .collect();
    let (best, threshold) = best_f1(&scenes, &found);
    Ok(json!({
        "family": family.name,
        "photographs": held_out.len(),
        "map50": rounded(mean(&half)),
        "map": rounded(all.iter().sum::<f32>() / OVERLAPS as f32),
        "ap50": of_classes,
        "named": rounded(named(&scenes, &found)),
        "f1": rounded(best),
        "score_of_best_f1": rounded(threshold),
        "median_ms": medians(&times),
    }))
}

fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1000.0).round() / 1000.0
}

/// The score from which on the harmonic mean of precision and recall, over all classes, is largest, and that mean.
fn best_f1(scenes: &[Scene<'_>], found: &[Vec<Found>]) -> (f32, f32) {
    let mut verdicts: Vec<(f32, bool)> = Vec::new();
    let mut positives = 0;
    for class in 0..CLASSES.len() {
        let (claims, judged) = judged(scenes, found, class, 0.5);
        positives += judged.positives;
        let counting = claims.iter().zip(judged.verdicts).filter(|(_, of)| *of != Verdict::Ignored);
        verdicts.extend(counting.map(|(claim, of)| (claim.score, matches!(of, Verdict::Hit(_)))));
    }
    verdicts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut hits = 0;
    let mut best = (0.0, 1.0);
    for (index, (score, is_hit)) in verdicts.into_iter().enumerate() {
        hits += usize::from(is_hit);
        let f1 = 2.0 * hits as f32 / (index + 1 + positives) as f32;
        if f1 > best.0 {
            best = (f1, score);
        }
    }
    best
}

/// Of the objects that any box finds, at an overlap of .5, the share whose strongest such box has their class. Average
/// precision does not show it where a set is silent: there a dog may be called a train without a false alarm.
fn named(scenes: &[Scene<'_>], found: &[Vec<Found>]) -> f32 {
    let (mut right, mut all) = (0, 0);
    for (scene, found) in scenes.iter().zip(found) {
        for object in scene.objects.iter().filter(|of| of.ignored.is_none()) {
            let over = found
                .iter()
                .filter(|of| of.box_in_square.iou(object.box_in_image) >= 0.5);
            if let Some(best) = over.max_by(|a, b| a.score.total_cmp(&b.score)) {
                all += 1;
                right += usize::from(best.class == object.class);
            }
        }
    }
    right as f32 / all.max(1) as f32
}

/// The median of each stage in milliseconds.
fn medians(times: &[Timings]) -> serde_json::Map<String, Value> {
    let of_stage = |stage: &Stage| {
        let all = times.iter().flatten().filter(|(of, _)| of == stage);
        let mut all: Vec<f64> = all.map(|(_, ms)| *ms).collect();
        all.sort_by(f64::total_cmp);
        let median = *all.get(all.len() / 2)?;
        Some((stage.name().into(), ((median * 10.0).round() / 10.0).into()))
    };
    Stage::ALL.iter().filter_map(of_stage).collect()
}

fn text(row: &Value) -> String {
    let mut text = format!(
        "{}: mAP@.5 {}, mAP@.5:.95 {} on {} photographs; {} of what is found has its own class; best F1 {} from a score of {}\n ",
        row["family"].as_str().unwrap_or(""),
        row["map50"],
        row["map"],
        row["photographs"],
        row["named"],
        row["f1"],
        row["score_of_best_f1"]
    );
    for (class, average) in row["ap50"].as_object().into_iter().flatten() {
        let _ = write!(text, " {class} {average}");
    }
    let _ = write!(text, "\n ");
    for (stage, ms) in row["median_ms"].as_object().into_iter().flatten() {
        let _ = write!(text, " {stage} {ms} ms");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::average_precision::Ignored;
    use crate::maths::boxes::Corners;
    use crate::data::photographs::Labelled;

    fn square(x: f32) -> Corners {
        Corners {
            x0: x,
            y0: 0.0,
            x1: x + 10.0,
            y1: 10.0,
        }
    }

    #[test]
    fn the_best_threshold_is_where_hits_end() {
        let objects = [0.0, 50.0].map(|x| Labelled {
            class: 4,
            box_in_image: square(x),
            ignored: None,
        });
        let scene = Scene {
            objects: &objects,
            boxed: [true; CLASSES.len()],
            proposals: &[],
        };
        let found = [(0.9, 0.0), (0.7, 51.0), (0.6, 0.0), (0.5, 200.0)].map(|(score, x)| Found {
            box_in_square: square(x),
            class: 4,
            score,
            place: 0,
        });
        assert_eq!(best_f1(&[scene], &[found.to_vec()]), (1.0, 0.7));
        assert_eq!(best_f1(&[scene], &[vec![]]).0, 0.0);
        // A third that is difficult and not found is no miss; where it is found, however surely, that is no false alarm.
        let [first, second] = objects;
        let hard = Labelled {
            box_in_image: square(200.0),
            ignored: Some(Ignored::Difficult),
            ..first
        };
        let objects = [first, second, hard];
        let scene = Scene {
            objects: &objects,
            ..scene
        };
        let mut found = found.to_vec();
        assert_eq!(best_f1(&[scene], &[found.clone()]), (1.0, 0.7));
        found[3].score = 0.95;
        assert_eq!(best_f1(&[scene], &[found]), (1.0, 0.7));
    }

    #[test]
    fn what_is_found_has_its_own_class_or_another() {
        let objects = [0.0, 50.0, 100.0].map(|x| Labelled {
            class: 4,
            box_in_image: square(x),
            ignored: None,
        });
        let scene = Scene {
            objects: &objects,
            boxed: [false; CLASSES.len()],
            proposals: &[],
        };
        // The first is called a dog with more certainty than a cat, the second a cat, the third is not found.
        let found = [(0.9, 0.0, 5), (0.7, 1.0, 4), (0.6, 50.0, 4)].map(|(score, x, class)| Found {
            box_in_square: square(x),
            class,
            score,
            place: 0,
        });
        assert_eq!(named(&[scene], &[found.to_vec()]), 0.5);
        assert_eq!(named(&[scene], &[vec![]]), 0.0);
    }
}
