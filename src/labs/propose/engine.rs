//! Selective search on the engine. It runs no network: there is nothing to load, and no device to choose.

use super::spec::{Answer, By, Colors, MOST, ProposeSettings, Question};
use crate::engine::lab::{Bench, LabEngine};
use crate::job::{Job, Promise, Reply, Request, bytes_of};
use crate::labs::detect::families::on_regions::search;
use crate::maths::boxes::Corners;
use crate::methods::color_spaces::Space;
use crate::methods::resize::stretch_rgb;
use crate::methods::segments::Cutting;
use crate::methods::selective_search::{Described, Hierarchy, Measures, SEARCH};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Proposing::default())
}

/// The search does not depend on the settings: it is made once for a picture.
#[derive(Default)]
struct Proposing {
    searched: Option<(Picture, Vec<Corners>, f64)>,
}

impl Proposing {
    /// The boxes of a picture, and the milliseconds that they took.
    async fn search(&mut self, job: &Job<'_>, picture: &Picture) -> Result<(Vec<Corners>, f64), Failure> {
        if let Some((known, boxes, ms)) = &self.searched
            && known == picture
        {
            return Ok((boxes.clone(), *ms));
        }
        let start = job.host().now_ms();
        let boxes = search(job, picture, MOST).await?;
        let ms = job.host().now_ms() - start;
        self.searched = Some((picture.clone(), boxes.clone(), ms));
        Ok((boxes, ms))
    }
}

impl ProposeSettings {
    /// How the picture is cut.
    pub fn cutting(&self) -> Cutting {
        Cutting {
            k: self.k,
            sigma: self.sigma,
            least: self.least,
        }
    }

    /// In which colours.
    pub fn space(&self) -> Space {
        match self.colors {
            Colors::Hsv => Space::Hsv,
            Colors::Lab => Space::Lab,
            Colors::Rgb => Space::Rgb,
        }
    }

    /// What makes regions similar.
    pub fn measures(&self) -> Measures {
        let is = |by: By| self.by == By::All || self.by == by;
        Measures {
            color: is(By::Color),
            texture: is(By::Texture),
            size: is(By::Size),
            fill: is(By::Fill),
        }
    }
}

fn reply(hierarchy: &Hierarchy, boxes: &[Corners], answer: &Answer) -> Reply {
    let segments = hierarchy.segments.of.iter();
    let segments = segments.flat_map(|&of| (of as u16).to_le_bytes());
    let regions = hierarchy.regions.iter().flat_map(|region| {
        let [x0, y0, x1, y1] = region.bounds.map(f32::from);
        [region.pixels as f32, x0, y0, x1, y1]
    });
    let merges = hierarchy.merges.iter().flat_map(|merge| {
        let [a, b] = merge.of.map(|region| region as f32);
        let of = merge.similarity;
        [a, b, of.color, of.texture, of.size, of.fill]
    });
    let corners = boxes.iter().flat_map(|b| [b.x0, b.y0, b.x1, b.y1]);
    Reply::new(answer)
        .with("segments", segments.collect())
        .with("regions", bytes_of(&regions.collect::<Vec<_>>()))
        .with("merges", bytes_of(&merges.collect::<Vec<_>>()))
        .with("proposals", bytes_of(&corners.collect::<Vec<_>>()))
}

impl LabEngine for Proposing {
    fn answer<'a>(
        &'a mut self,
        bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let job = bench.job;
            let settings: ProposeSettings = request.settings.read();
            let Question::Run = request.question()?;
            job.stage(Stage::Decode).await?;
            let picture = request.picture("picture").await?;
            let picture = picture.ok_or(Failure::EmptyFile)?;
            job.stage(Stage::Prepare).await?;
            let [width, height] = SEARCH.size(&picture);
            let rgb = stretch_rgb(&picture, width, height);
            job.stage(Stage::Proposals).await?;
            let start = job.host().now_ms();
            let described = Described::new(
                &rgb,
                [height, width],
                settings.space(),
                settings.cutting(),
            );
            let hierarchy = described.merged(settings.measures());
            let ms = job.host().now_ms() - start;
            job.breathe().await?;
            let (boxes, of_search) = self.search(job, &picture).await?;
            let answer = Answer {
                size: [picture.width, picture.height],
                cut: [width, height],
                segments: hierarchy.segments.count,
                ms: [ms, of_search],
            };
            Ok(reply(&hierarchy, &boxes, &answer))
        })
    }
}
