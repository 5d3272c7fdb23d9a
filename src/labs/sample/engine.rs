//! Pictures from points in latent space: one, its neighbours, many, a walk, sums and differences.

use burn::tensor::Device;

use crate::job::{Job, Promise, Reply, Request};
use super::spec::{MANY, NEIGHBOURS, Path, Question, SampleSettings, View, WALK};
use crate::engine::lab::{Bench, LabEngine, Workload};
use crate::labs::generate::networks::{LatentModel, Opened, sheet_reply};
use crate::maths::draws::Draws;
use crate::protocol::failure::Failure;
use crate::protocol::settings::Settings;

/// Stream of the draws that a visitor's seed decides.
const STREAM: u64 = 1 << 20;
/// Standard deviations between neighbours on the grid.
const NEIGHBOUR_STEP: f32 = 0.8;

/// Normally distributed numbers for a seed, see [`noises`].
pub fn noise(seed: u32, latent: usize, spread: f32) -> Vec<f32> {
    let mut noise = Draws::new(seed, STREAM).normals(latent);
    noise.iter_mut().for_each(|value| *value *= spread);
    noise
}

/// Normally distributed numbers for many pictures of one seed; codes where they are drawn from the prior,
/// otherwise numbers along the directions.
pub fn noises(seed: u32, latent: usize, spread: f32, count: usize) -> Vec<Vec<f32>> {
    let mut draws = Draws::new(seed, STREAM + 1);
    let mut next = || draws.normals(latent).iter().map(|v| v * spread).collect();
    (0..count).map(|_| next()).collect()
}

/// The point a share `t` of the way: straight, or on the arc that keeps the length between those of
/// the ends (Shoemake 1985). Most of a normal distribution lies on a shell; the straight way cuts
/// through the empty middle.
pub fn between(a: &[f32], b: &[f32], t: f32, spherical: bool) -> Vec<f32> {
    let mix = |wa: f32, wb: f32| a.iter().zip(b).map(|(x, y)| wa * x + wb * y).collect();
    let length = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
    let (la, lb) = (length(a), length(b));
    if !spherical || la < 1e-6 || lb < 1e-6 {
        return mix(1.0 - t, t);
    }
    let cosine = a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>() / (la * lb);
    let angle = cosine.clamp(-1.0, 1.0).acos();
    // Nearly the same, or nearly opposite: no arc is the shortest.
    if angle.sin() < 1e-3 {
        return mix(1.0 - t, t);
    }
    let reach = la + (lb - la) * t;
    mix(
        reach * ((1.0 - t) * angle).sin() / (angle.sin() * la),
        reach * (t * angle).sin() / (angle.sin() * lb),
    )
}

/// How many pictures a view has.
fn count(view: View) -> usize {
    match view {
        View::One => 1,
        View::Neighbours => NEIGHBOURS * NEIGHBOURS,
        View::Many => MANY * MANY,
        View::Walk => WALK,
        View::Arithmetic => 4,
    }
}

/// The code of a draw, with what the sliders, the attributes and a place `beside` it along the directions
/// add.
pub fn code(
    model: &LatentModel,
    settings: &SampleSettings,
    noise: &[f32],
    beside: &[f32],
) -> Vec<f32> {
    let drawn = model.code(noise, settings.codes_from);
    let moved = model.moved(drawn, &settings.sliders.0, &settings.attributes.0);
    model.moved(moved, beside, &[])
}

/// The codes that the settings describe, and how many pictures stand in a row.
pub fn codes(model: &LatentModel, settings: &SampleSettings) -> (Vec<Vec<f32>>, usize) {
    let latent = model.shipped.latent;
    let code = |noise: Vec<f32>| code(model, settings, &noise, &[]);
    let point = |seed| noise(seed, latent, settings.spread);
    let here = point(settings.seed);
    match settings.view {
        View::One => (vec![code(here)], 1),
        View::Neighbours => {
            let direction = |counted: usize| (counted - 1).min(latent - 1);
            let (across, down) = (direction(settings.across), direction(settings.down));
            let half = NEIGHBOURS as f32 / 2.0 - 0.5;
            let places = (0..NEIGHBOURS).flat_map(|row| (0..NEIGHBOURS).map(move |c| (row, c)));
            let codes = places.map(|(row, column)| {
                let mut beside = vec![0.0; latent];
                beside[across] += (column as f32 - half) * NEIGHBOUR_STEP;
                beside[down] += (half - row as f32) * NEIGHBOUR_STEP;
                self::code(model, settings, &here, &beside)
            });
            (codes.collect(), NEIGHBOURS)
        }
        View::Many => {
            let points = noises(settings.seed, latent, settings.spread, MANY * MANY);
            (points.into_iter().map(code).collect(), MANY)
        }
        View::Walk => {
            let end = point(settings.seed_b);
            let spherical = settings.path == Path::Spherical;
            let share = |i: usize| i as f32 / (WALK - 1) as f32;
            let codes = (0..WALK).map(|i| code(between(&here, &end, share(i), spherical)));
            (codes.collect(), WALK / 2)
        }
        View::Arithmetic => {
            let (b, c) = (point(settings.seed_b), point(settings.seed_c));
            let result = (0..latent).map(|i| here[i] - b[i] + c[i]).collect();
            ([here, b, c, result].map(code).into(), 4)
        }
    }
}

/// The pictures that the settings describe, one after the other, and how many stand in a row.
///
/// # Errors
/// Those of [`Job::read`].
pub async fn run(
    job: &Job<'_>,
    model: &LatentModel,
    settings: &SampleSettings,
    device: &Device,
) -> Result<(Vec<u8>, usize), Failure> {
    let (codes, columns) = codes(model, settings);
    let pictures = model.decode(job, &codes, settings.class, device).await?;
    Ok((pictures, columns))
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Sampling::default())
}

#[derive(Default)]
struct Sampling {
    opened: Opened,
}

impl LabEngine for Sampling {
    fn answer<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let Question::Sheet = request.question()?;
            let settings: SampleSettings = request.settings.read();
            let model = self.opened.get(&mut bench, settings.shipped()).await?;
            let (pictures, columns) =
                run(bench.job, &model, &settings, &bench.device()).await?;
            let data = model.shipped.data;
            Ok(sheet_reply(&pictures, data.side(), data.channels(), columns))
        })
    }

    /// The network, and how many pictures it draws at once.
    fn workload(&self, settings: &Settings) -> Option<Workload> {
        let read: SampleSettings = settings.read();
        Some(Workload {
            name: format!("{} x {}", read.shipped().name, count(read.view)),
            timed: settings.clone(),
        })
    }

    fn trial<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        settings: &'a Settings,
    ) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let settings: SampleSettings = settings.read();
            let model = self.opened.get(&mut bench, settings.shipped()).await?;
            run(bench.job, &model, &settings, &bench.device()).await.map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arc_keeps_the_length_and_a_line_does_not() {
        let (a, b) = ([3.0, 0.0], [0.0, 3.0]);
        let length = |v: Vec<f32>| (v[0] * v[0] + v[1] * v[1]).sqrt();
        assert!((length(between(&a, &b, 0.5, true)) - 3.0).abs() < 1e-5);
        assert!((length(between(&a, &b, 0.5, false)) - 4.5f32.sqrt()).abs() < 1e-5);
        for spherical in [false, true] {
            assert_eq!(between(&a, &b, 0.0, spherical), a);
            let end = between(&a, &b, 1.0, spherical);
            assert!((end[0]).abs() < 1e-5 && (end[1] - 3.0).abs() < 1e-5);
        }
        // Nothing to turn around.
        assert_eq!(between(&[0.0, 0.0], &b, 0.5, true), [0.0, 1.5]);
        assert!(between(&a, &[-3.0, 0.0], 0.5, true)[0].abs() < 1e-5);
    }

    #[test]
    fn a_seed_is_a_point() {
        assert_eq!(noise(3, 8, 1.0), noise(3, 8, 1.0));
        assert_ne!(noise(3, 8, 1.0), noise(4, 8, 1.0));
        assert_eq!(noise(3, 8, 0.0), [0.0; 8]);
    }
}
