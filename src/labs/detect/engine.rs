//! Detection on the engine: the chosen family's detector, and what is kept of its last run.

use super::detector::{Kept, trial_picture};
use super::families::FAMILIES;
use super::spec::{Answer, DetectSettings, LAB, Question};
use crate::engine::lab::{Bench, LabEngine, Workload};
use crate::job::{Promise, Reply, Request, bytes_of};
use crate::maths::boxes::Corners;
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::settings::Settings;

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Detection { last: None })
}

/// The last run.
struct Detection {
    last: Option<Box<dyn Kept>>,
}

/// What is said of a run, or of the part of it that is done.
pub fn answer(run: &dyn Kept, settings: &DetectSettings, with_inside: bool) -> Reply {
    let position = |family| FAMILIES.iter().position(|&other| std::ptr::eq(other, family));
    let [width, height] = run.size();
    let (inside, places) = with_inside.then(|| run.inside()).unzip();
    let reply = Reply::new(&Answer {
        family: position(run.family()).expect("every family is in the list"),
        width,
        height,
        detections: run.refine(settings.thresholds()),
        inside,
    });
    let Some(places) = places else {
        return reply;
    };
    let corners = |boxes: &[Corners]| -> Vec<f32> {
        let each = boxes.iter().flat_map(|b| [b.x0, b.y0, b.x1, b.y1]);
        each.collect()
    };
    reply
        .with("starts", bytes_of(&corners(&places.starts)))
        .with("boxes", bytes_of(&corners(&places.boxes)))
        .with("sure", bytes_of(&places.sure))
        .with("scores", bytes_of(&places.scores))
        .with("bins", bytes_of(run.bins()))
}

/// Runs a family's network on a picture of no account.
async fn run_empty(bench: Bench<'_>, settings: &DetectSettings) -> Result<(), Failure> {
    let detector = (settings.family().load)(bench.shelf, bench.job, settings).await?;
    detector.run(bench.job, &trial_picture()).await.map(drop)
}

impl LabEngine for Detection {
    fn answer<'a>(
        &'a mut self,
        bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let job = bench.job;
            let settings: DetectSettings = request.settings.read();
            match request.question()? {
                Question::Run => {
                    job.stage(Stage::Decode).await?;
                    let picture = request.picture("picture").await?;
                    let picture = picture.ok_or(Failure::EmptyFile)?;
                    job.stage(Stage::Load).await?;
                    let detector = (settings.family().load)(bench.shelf, job, &settings).await?;
                    let run = match detector.run(job, &picture).await {
                        Ok(run) => run,
                        Err(failure) => {
                            // What was told of it on the way is what is shown, and refined.
                            self.last = detector.so_far(&picture).or(self.last.take());
                            return Err(failure);
                        }
                    };
                    let reply = answer(&*run, &settings, true);
                    self.last = Some(run);
                    Ok(reply)
                }
                Question::Refine => {
                    let run = self.last.as_deref().ok_or(Failure::NothingToRefine)?;
                    Ok(answer(run, &settings, false))
                }
                Question::Raw => {
                    let run = self.last.as_deref().ok_or(Failure::NothingToRefine)?;
                    Ok(Reply::default().with("raw", bytes_of(&run.numbers())))
                }
            }
        })
    }

    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let first: DetectSettings = Settings::new(&LAB).read();
            (first.family().load)(bench.shelf, bench.job, &first).await.map(drop)
        })
    }

    fn warm_up<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let first: DetectSettings = Settings::new(&LAB).read();
            run_empty(bench, &first).await
        })
    }

    fn workload(&self, settings: &Settings) -> Option<Workload> {
        let family = settings.read::<DetectSettings>().family();
        Some(Workload {
            name: family.title.into(),
            timed: settings.clone(),
        })
    }

    fn trial<'a>(
        &'a mut self,
        bench: Bench<'a>,
        settings: &'a Settings,
    ) -> Promise<'a, Result<(), Failure>> {
        let settings: DetectSettings = settings.read();
        Box::pin(async move { run_empty(bench, &settings).await })
    }

    fn goes_on(&self, request: &Request) -> bool {
        !matches!(request.question(), Ok(Question::Run))
    }

    fn holds(&self) -> bool {
        self.last.is_some()
    }
}
