//! The comparison on the engine: one family after another, each timed by itself.

use super::spec::{Answer, CompareSettings, Judgement, Named, OfFamily, Question};
use crate::data::photographs::Labelled;
use crate::engine::lab::{Bench, LabEngine, Workload};
use crate::job::{Job, Promise, Reply, Request};
use crate::labs::detect::detector::{Kept, trial_picture};
use crate::labs::detect::families::{FAMILIES, Family, Looks, PHOTOGRAPH_CLASSES};
use crate::labs::detect::spec::{DetectSettings, LAB as DETECT, Thresholds};
use crate::protocol::failure::Failure;
use crate::protocol::message::{Stage, Timings};
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Comparison::default())
}

/// Scores below this are not ranked, and no more boxes than this.
const LEAST: f32 = 0.05;
const MOST: usize = 100;
/// Boxes of a search that a network is warmed up with, where each goes through it by itself.
const FEW: usize = 10;

#[derive(Default)]
struct Comparison {
    last: Vec<Ran>,
    /// The picture of the last run.
    picture: Option<Picture>,
    /// Families that ran before: a first run is slower than all later ones.
    warm: Vec<&'static str>,
}

/// A family's run.
struct Ran {
    kept: Box<dyn Kept>,
    timings: Timings,
}

fn position(family: &Family) -> usize {
    let position = FAMILIES.iter().position(|&other| std::ptr::eq(other, family));
    position.expect("every family is in the list")
}

/// What a family is asked by itself.
fn of_family(settings: &CompareSettings) -> DetectSettings {
    DetectSettings {
        searched: settings.searched,
        ..Settings::new(&DETECT).read()
    }
}

fn answer(ran: &[Ran], [width, height]: [usize; 2], settings: &CompareSettings) -> Answer {
    let of = |ran: &Ran| {
        let family = ran.kept.family();
        OfFamily {
            family: position(family),
            detections: ran.kept.refine(settings.thresholds(family)),
            ranked: ran
                .kept
                .refine(Thresholds {
                    score: LEAST,
                    ..settings.thresholds(family)
                })
                .kept()
                .map(|(_, found)| found.clone())
                .take(MOST)
                .collect(),
            places: ran.kept.looked_at(),
            timings: ran.timings.clone(),
        }
    };
    Answer {
        width,
        height,
        found: ran.iter().map(of).collect(),
    }
}

impl Comparison {
    async fn run(
        &mut self,
        bench: &mut Bench<'_>,
        family: &'static Family,
        picture: &Picture,
        settings: &CompareSettings,
    ) -> Result<Ran, Failure> {
        let of_family = of_family(settings);
        let job = bench.job;
        // Timed by itself: the job's own stages are those of all families together.
        let part = Job::new(job.host(), job.backend()).silent();
        if !self.warm.contains(&family.name) {
            // Where each box goes through the network by itself, a few are enough.
            let searched = match family.looks {
                Looks::Crops => FEW,
                _ => settings.searched,
            };
            let first = DetectSettings {
                searched,
                ..of_family.clone()
            };
            let detector = (family.load)(bench.shelf, job, &first).await?;
            detector.run(&part, &trial_picture()).await?;
            part.finish();
            self.warm.push(family.name);
        }
        let detector = (family.load)(bench.shelf, job, &of_family).await?;
        let kept = detector.run(&part, picture).await?;
        // The last stage is what a threshold needs.
        kept.refine(settings.thresholds(family));
        Ok(Ran {
            kept,
            timings: part.finish().timings,
        })
    }
}

impl LabEngine for Comparison {
    fn answer<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let settings: CompareSettings = request.settings.read();
            match request.question()? {
                Question::Run => {
                    let job = bench.job;
                    job.stage(Stage::Decode).await?;
                    let picture = request.picture("picture").await?;
                    let picture = picture.ok_or(Failure::EmptyFile)?;
                    let size = [picture.width, picture.height];
                    let families = settings.chosen();
                    job.stage(Stage::Network).await?;
                    let mut ran = Vec::new();
                    for &family in &families {
                        ran.push(self.run(&mut bench, family, &picture, &settings).await?);
                        let says = Reply::new(&answer(&ran, size, &settings));
                        job.report(ran.len() as u32, families.len() as u32, says);
                    }
                    let reply = Reply::new(&answer(&ran, size, &settings));
                    self.last = ran;
                    self.picture = Some(picture);
                    Ok(reply)
                }
                Question::Judge(named) => {
                    let picture = self.picture.as_ref().ok_or(Failure::NothingToRefine)?;
                    let object = |named: &Named| Labelled {
                        class: named.class,
                        box_in_image: named.box_in_image,
                        ignored: None,
                    };
                    let known = named.iter().filter(|named| named.class < PHOTOGRAPH_CLASSES.len());
                    let objects: Vec<Labelled> = known.map(object).collect();
                    let mut all = Vec::new();
                    for family in settings.chosen() {
                        let Some(judge) = family.judge else { continue };
                        let judged = judge(bench.shelf, bench.job, picture, &objects).await?;
                        all.push(Judgement {
                            family: position(family),
                            losses: judged
                                .losses
                                .into_iter()
                                .map(|(name, loss)| (name.into(), loss))
                                .collect(),
                            places: judged.places,
                            positives: judged.positives,
                            negatives: judged.negatives,
                            ignored: judged.ignored,
                        });
                        bench.job.breathe().await?;
                    }
                    Ok(Reply::new(&all))
                }
                Question::Refine => {
                    let size = self.last.first().ok_or(Failure::NothingToRefine)?.kept.size();
                    Ok(Reply::new(&answer(&self.last, size, &settings)))
                }
            }
        })
    }

    fn workload(&self, settings: &Settings) -> Option<Workload> {
        let families = settings.read::<CompareSettings>().chosen();
        let titles: Vec<&str> = families.iter().map(|family| family.title).collect();
        Some(Workload {
            name: titles.join(", "),
            timed: settings.clone(),
        })
    }

    fn trial<'a>(
        &'a mut self,
        bench: Bench<'a>,
        settings: &'a Settings,
    ) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let settings: CompareSettings = settings.read();
            let of_family = of_family(&settings);
            for family in settings.chosen() {
                let detector = (family.load)(bench.shelf, bench.job, &of_family).await?;
                detector.run(bench.job, &trial_picture()).await?;
            }
            Ok(())
        })
    }

    fn goes_on(&self, request: &Request) -> bool {
        !matches!(request.question(), Ok(Question::Run))
    }

    fn holds(&self) -> bool {
        !self.last.is_empty()
    }
}
