//! Pictures from points in latent space: one, its neighbours, many, a walk, sums and differences.

use burn::tensor::Device;

use crate::job::Job;
use crate::labs::generate::ask::Sheet;
use crate::labs::generate::networks::{Maker, sheet};
use crate::labs::generate::spec::{MANY, NEIGHBOURS, WALK, setting};
use crate::models::generate::seeded::Draws;
use crate::protocol::failure::Failure;
use crate::protocol::settings::Settings;

/// Stream of the draws that a visitor's seed decides.
const STREAM: u64 = 1 << 20;
/// Standard deviations between neighbours on the grid.
const NEIGHBOUR_STEP: f32 = 0.8;

/// Numbers along the directions for a seed, in standard deviations.
pub fn noise(seed: f32, latent: usize, spread: f32) -> Vec<f32> {
    let mut noise = Draws::new(seed as u32, STREAM).normals(latent);
    noise.iter_mut().for_each(|value| *value *= spread);
    noise
}

/// Numbers along the directions for many pictures of one seed.
pub fn noises(seed: f32, latent: usize, spread: f32, count: usize) -> Vec<Vec<f32>> {
    let mut draws = Draws::new(seed as u32, STREAM + 1);
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

/// The codes that the settings describe, and how many pictures stand in a row.
pub fn codes(maker: &Maker, settings: &Settings) -> (Vec<Vec<f32>>, usize) {
    let latent = maker.shipped.latent;
    let spread = settings.number(setting::SPREAD);
    let attributes = settings.row(setting::ATTRIBUTES);
    let sliders = settings.row(setting::SLIDERS);
    let code = |mut along: Vec<f32>| {
        for (value, slider) in along.iter_mut().zip(sliders) {
            *value += slider;
        }
        maker.code(&along, &attributes)
    };
    let point = |name| noise(settings.number(name), latent, spread);
    let here = point(setting::SEED);
    match settings.choice(setting::VIEW) {
        "neighbours" => {
            let direction = |name| (settings.number(name) as usize - 1).min(latent - 1);
            let (across, down) = (direction(setting::ACROSS), direction(setting::DOWN));
            let half = NEIGHBOURS as f32 / 2.0 - 0.5;
            let places = (0..NEIGHBOURS).flat_map(|row| (0..NEIGHBOURS).map(move |c| (row, c)));
            let codes = places.map(|(row, column)| {
                let mut along = here.clone();
                along[across] += (column as f32 - half) * NEIGHBOUR_STEP;
                along[down] += (half - row as f32) * NEIGHBOUR_STEP;
                code(along)
            });
            (codes.collect(), NEIGHBOURS)
        }
        "many" => {
            let seed = settings.number(setting::SEED);
            let points = noises(seed, latent, spread, MANY * MANY);
            (points.into_iter().map(code).collect(), MANY)
        }
        "walk" => {
            let end = point(setting::SEED_B);
            let spherical = settings.choice(setting::PATH) == "spherical";
            let share = |i: usize| i as f32 / (WALK - 1) as f32;
            let codes = (0..WALK).map(|i| code(between(&here, &end, share(i), spherical)));
            (codes.collect(), WALK / 2)
        }
        "arithmetic" => {
            let (b, c) = (point(setting::SEED_B), point(setting::SEED_C));
            let result = (0..latent).map(|i| here[i] - b[i] + c[i]).collect();
            ([here, b, c, result].map(code).into(), 4)
        }
        _ => (vec![code(here)], 1),
    }
}

/// The sheet that the settings describe.
///
/// # Errors
/// Those of [`Job::read`].
pub async fn run(
    job: &Job<'_>,
    maker: &Maker,
    settings: &Settings,
    device: &Device,
) -> Result<(Sheet, Vec<u8>), Failure> {
    let (codes, columns) = codes(maker, settings);
    let class = settings.number(setting::CLASS) as u8;
    let pictures = maker.decode(job, &codes, class, device).await?;
    let data = maker.shipped.data;
    Ok(sheet(&pictures, data.side(), data.channels(), columns))
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
        assert_eq!(noise(3.0, 8, 1.0), noise(3.0, 8, 1.0));
        assert_ne!(noise(3.0, 8, 1.0), noise(4.0, 8, 1.0));
        assert_eq!(noise(3.0, 8, 0.0), [0.0; 8]);
    }
}
