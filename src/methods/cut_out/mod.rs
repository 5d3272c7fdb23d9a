//! An object cut out of a photograph by its saliency map.

mod color_mixture;
mod grid_cut;

use color_mixture::{Color, Mixture};
use grid_cut::{GridCut, STEPS};

/// Units of the cuts' integer costs in one nat, the unit of all costs here: finer than any that matters.
const UNITS: f32 = 32.0;

/// How an object is cut out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CutOptions {
    /// Cuts, each with the colours of the parts that the one before made. 1 is Simonyan et al.'s method, more are
    /// GrabCut's. 0 cuts once, too.
    pub iterations: usize,
    /// Gaussians in each of the two colour models, at least 1. GrabCut has 5.
    pub components: usize,
    /// Cost in nats of parting two neighbours of the same colour, GrabCut's gamma.
    pub smoothness: f32,
    /// Quantile of the saliency, 0 to 1, above which pixels show the object's colours at first.
    pub sure_foreground: f32,
    /// Quantile below which they show the background's.
    pub sure_background: f32,
    /// How much saliency counts beside colour, in nats from a pixel of none to the most salient one.
    pub trust: f32,
    /// Saliency, as a share of the highest, that speaks for neither side.
    pub even: f32,
    /// Standard deviation of the blur of the map in shares of the photograph's shorter side: gradients lie on edges,
    /// what is meant is the object between them.
    pub blur: f32,
}

impl Default for CutOptions {
    fn default() -> Self {
        Self {
            iterations: 3,
            components: 5,
            smoothness: 50.0,
            sure_foreground: 0.95,
            sure_background: 0.30,
            trust: 7.0,
            even: 0.35,
            blur: 0.04,
        }
    }
}

/// What came of it. All are by row, one for each pixel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cut {
    /// Whether the pixel belongs to the object.
    pub foreground: Vec<bool>,
    /// What the pixel's colour was counted with at first: `Some(true)` for the object's, `Some(false)` for the
    /// background's. To be drawn; the cut may decide otherwise.
    pub seeds: Vec<Option<bool>>,
}

/// Cuts the object that a saliency map points at out of a photograph.
///
/// `rgb` is three bytes for each of `rows * columns` pixels, by row, `saliency` one finite number for each, the higher
/// the more salient; below zero counts as zero. Where an input is shorter than the size says, or the size is zero,
/// the cut is empty.
///
/// Colours of the most salient pixels and of the least salient ones make two mixtures of Gaussians. Then each pixel
/// comes to the side whose mixture explains its colour better, unless its saliency speaks against it or its neighbours
/// are on the other side: a minimum cut weighs the three. Saliency decides nothing alone, as maps err.
///
/// # Reference
/// Simonyan, Vedaldi and Zisserman 2014, "Deep inside convolutional networks", section 3.2: seeds and cut; they keep
/// the seeds, here saliency is one more cost. Rother, Kolmogorov and Blake 2004, "GrabCut": colour models, smoothness,
/// iterations.
pub fn cut_out(rgb: &[u8], size: [usize; 2], saliency: &[f32], options: &CutOptions) -> Cut {
    let pixels = size[0].saturating_mul(size[1]);
    if pixels == 0 || rgb.len() / 3 < pixels || saliency.len() < pixels {
        return Cut::default();
    }
    let colors: Vec<Color> = rgb
        .chunks_exact(3)
        .take(pixels)
        .map(|c| [c[0].into(), c[1].into(), c[2].into()])
        .collect();
    let saliency: Vec<f32> = saliency[..pixels]
        .iter()
        .map(|value| value.max(0.0))
        .collect();
    let saliency = blurred(saliency, size, options.blur * size[0].min(size[1]) as f32);
    let seeds = seeds(&saliency, options);
    let leaning_by_place = leanings(&saliency, options);

    let of_side = |sides: &[Option<bool>], side: bool| -> Vec<Color> {
        let pixels = colors.iter().zip(sides);
        pixels
            .filter(|(_, of)| **of == Some(side))
            .map(|(&color, _)| color)
            .collect()
    };
    let [mut behind, mut object] =
        [false, true].map(|side| Mixture::split(of_side(&seeds, side), options.components.max(1)));
    let mut grid = GridCut::new(size, &ties(&colors, size, options.smoothness));
    let mut sides = seeds.clone();
    for iteration in 0..options.iterations.max(1) {
        if iteration > 0 {
            behind = behind.refined(&of_side(&sides, false));
            object = object.refined(&of_side(&sides, true));
        }
        let both = colors.iter().zip(&leaning_by_place);
        let leanings: Vec<i32> = both
            .map(|(&color, by_place)| {
                units(object.log_density(color) - behind.log_density(color) + by_place)
            })
            .collect();
        let before = sides;
        sides = grid.cut(&leanings).into_iter().map(Some).collect();
        if sides == before {
            break;
        }
    }
    Cut {
        foreground: sides.iter().map(|&side| side == Some(true)).collect(),
        seeds,
    }
}

fn units(nats: f32) -> i32 {
    (nats * UNITS).round() as i32
}

/// Which pixels show the object's colours, and which the background's. If all are as salient, none does.
fn seeds(saliency: &[f32], options: &CutOptions) -> Vec<Option<bool>> {
    let mut ordered = saliency.to_vec();
    ordered.sort_unstable_by(f32::total_cmp);
    let last = ordered.len().saturating_sub(1);
    let quantile = |share: f32| {
        ordered
            .get((share.clamp(0.0, 1.0) * last as f32) as usize)
            .copied()
            .unwrap_or(0.0)
    };
    let (high, low) = (
        quantile(options.sure_foreground),
        quantile(options.sure_background),
    );
    let (least, most) = (quantile(0.0), quantile(1.0));
    // Many pixels may be as salient as the quantile, above all those of none: they count as beyond it, but not all as
    // both.
    let seed = |&value: &f32| {
        if value == most && most > least || value > high {
            Some(true)
        } else if value < low || value == least && most > least {
            Some(false)
        } else {
            None
        }
    };
    saliency.iter().map(seed).collect()
}

/// What saliency says for the object, in nats.
fn leanings(saliency: &[f32], options: &CutOptions) -> Vec<f32> {
    let mut ordered = saliency.to_vec();
    ordered.sort_unstable_by(f32::total_cmp);
    // The 99th percentile: a few pixels would make all others look unimportant.
    let most = ordered
        .get(ordered.len() * 99 / 100)
        .copied()
        .unwrap_or(0.0);
    let share = |value: f32| {
        if most > 0.0 {
            (value / most).min(1.0)
        } else {
            options.even
        }
    };
    saliency
        .iter()
        .map(|&value| options.trust * (share(value) - options.even))
        .collect()
}

/// For each pixel, the costs of parting it from its neighbours along [`STEPS`]: high where the colours are alike.
/// GrabCut's V, equation 11, with beta from the mean contrast (Boykov and Jolly 2001) and divided by the distance.
fn ties(colors: &[Color], [rows, columns]: [usize; 2], smoothness: f32) -> Vec<[i32; 4]> {
    let contrast = |pixel: usize, [down, right]: [isize; 2]| {
        let row = (pixel / columns)
            .checked_add_signed(down)
            .filter(|&row| row < rows)?;
        let column = (pixel % columns)
            .checked_add_signed(right)
            .filter(|&column| column < columns)?;
        let (a, b) = (colors[pixel], colors[row * columns + column]);
        Some(
            (0..3)
                .map(|channel| (a[channel] - b[channel]).powi(2))
                .sum::<f32>(),
        )
    };
    let (mut sum, mut count) = (0.0, 0u32);
    for contrast in (0..colors.len())
        .flat_map(|pixel| STEPS.map(|step| contrast(pixel, step)))
        .flatten()
    {
        sum += f64::from(contrast);
        count += 1;
    }
    let beta = if sum > 0.0 {
        (f64::from(count) / (2.0 * sum)) as f32
    } else {
        0.0
    };
    let tie = |pixel, step: [isize; 2]| {
        let distance = if step.contains(&0) {
            1.0
        } else {
            std::f32::consts::SQRT_2
        };
        contrast(pixel, step).map_or(0, |contrast| {
            units(smoothness / distance * (-beta * contrast).exp())
        })
    };
    (0..colors.len())
        .map(|pixel| STEPS.map(|step| tie(pixel, step)))
        .collect()
}

/// A map blurred by a Gaussian of this standard deviation in pixels; beyond the border there is nothing to count.
fn blurred(mut map: Vec<f32>, [rows, columns]: [usize; 2], deviation: f32) -> Vec<f32> {
    if !(deviation > 0.0 && deviation.is_finite()) {
        return map;
    }
    let reach = ((3.0 * deviation) as usize).min(rows.max(columns));
    let weights: Vec<f32> = (0..=reach)
        .map(|away| (-0.5 * (away as f32 / deviation).powi(2)).exp())
        .collect();
    // Along the rows, then along the columns: number of lines and from one to the next, length and step of a line.
    for (lines, apart, length, step) in [(rows, columns, columns, 1), (columns, 1, rows, columns)] {
        for line in 0..lines {
            let values: Vec<f32> = (0..length)
                .map(|at| map[line * apart + at * step])
                .collect();
            for at in 0..length {
                let (mut sum, mut total) = (0.0, 0.0);
                let around = at.saturating_sub(reach)..(at + reach + 1).min(length);
                for (place, value) in around.clone().zip(&values[around]) {
                    let weight = weights[place.abs_diff(at)];
                    sum += weight * value;
                    total += weight;
                }
                map[line * apart + at * step] = sum / total;
            }
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from 0 to 255 that look random.
    fn noise(count: usize) -> impl Iterator<Item = u32> {
        let mut state = 1u32;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        })
        .take(count)
    }

    #[test]
    fn a_disc_is_found_by_a_blurry_map_beside_its_middle() {
        let [rows, columns] = [90, 120];
        let away = |pixel: usize, row: f32, column: f32| {
            ((pixel / columns) as f32 - row).hypot((pixel % columns) as f32 - column)
        };
        let disc: Vec<bool> = (0..rows * columns)
            .map(|pixel| away(pixel, 45.0, 60.0) < 25.0)
            .collect();
        let noise: Vec<u32> = noise(3 * rows * columns).collect();
        let rgb: Vec<u8> = disc
            .iter()
            .zip(noise.as_chunks::<3>().0)
            .flat_map(|(&disc, noise)| {
                let color = if disc { [160, 60, 50] } else { [60, 110, 70] };
                [0, 1, 2].map(|channel| (color[channel] + noise[channel] / 4) as u8)
            })
            .collect();
        let saliency: Vec<f32> = (0..rows * columns)
            .map(|pixel| (-(away(pixel, 38.0, 70.0) / 28.0).powi(2)).exp())
            .collect();
        let cut = cut_out(&rgb, [rows, columns], &saliency, &CutOptions::default());
        let count = |of: fn(bool, bool) -> bool| {
            disc.iter()
                .zip(&cut.foreground)
                .filter(|&(&a, &b)| of(a, b))
                .count()
        };
        let iou = count(|a, b| a && b) as f32 / count(|a, b| a || b) as f32;
        assert!(iou > 0.95, "{iou}");
        // Not by the map alone.
        let alone = disc
            .iter()
            .zip(&saliency)
            .filter(|&(&a, &b)| a == (b > 0.35))
            .count();
        assert!((alone as f32) < 0.93 * disc.len() as f32, "{alone}");
    }

    #[test]
    fn pictures_without_anything_in_them_have_an_answer() {
        let options = CutOptions::default();
        let answer =
            |rgb: &[u8], size, saliency: &[f32]| cut_out(rgb, size, saliency, &options).foreground;
        assert!(answer(&[], [0, 0], &[]).is_empty());
        assert!(answer(&[], [0, 7], &[]).is_empty());
        assert_eq!(answer(&[9, 9, 9], [1, 1], &[0.5]), [true]);
        assert_eq!(answer(&[9, 9, 9], [1, 1], &[0.0]), [false]);
        // Too short.
        assert!(answer(&[9, 9, 9], [1, 2], &[0.5]).is_empty());
        // One colour: the map decides, as a whole.
        assert_eq!(answer(&[9; 12], [2, 2], &[0.0; 4]), [false; 4]);
        let rising: Vec<f32> = (0..100).map(|pixel| pixel as f32).collect();
        assert_eq!(answer(&[9; 300], [10, 10], &rising), [true; 100]);
        // Equal saliency, several colours.
        let colors: Vec<u8> = noise(300).map(|value| value as u8).collect();
        assert_eq!(answer(&colors, [10, 10], &[0.0; 100]), [false; 100]);
        assert_eq!(answer(&colors, [10, 10], &[-3.0; 100]), [false; 100]);
    }

    #[test]
    fn settings_out_of_range_have_an_answer() {
        let options = CutOptions {
            iterations: 0,
            components: 0,
            smoothness: 1e30,
            sure_foreground: -1.0,
            sure_background: 2.0,
            trust: -1e30,
            even: f32::INFINITY,
            blur: 1e30,
        };
        let colors: Vec<u8> = noise(300).map(|value| value as u8).collect();
        assert_eq!(
            cut_out(&colors, [10, 10], &[1.0; 100], &options)
                .foreground
                .len(),
            100
        );
    }

    #[test]
    fn seeds_are_beyond_the_quantiles() {
        let saliency: Vec<f32> = (0..=100).map(|value| value as f32).collect();
        let seeds = seeds(&saliency, &CutOptions::default());
        let count = |of| seeds.iter().filter(|&&seed| seed == of).count();
        // 96 to 100, and 0 to 29.
        assert_eq!(
            [count(Some(true)), count(Some(false)), count(None)],
            [5, 30, 66]
        );
        // Half of a map is zero: those are background, though the quantile is one of them.
        let saliency = [0.0, 0.0, 0.0, 1.0, 2.0, 2.0];
        let seeds = super::seeds(&saliency, &CutOptions::default());
        let [no, maybe, yes] = [Some(false), None, Some(true)];
        assert_eq!(seeds, [no, no, no, maybe, yes, yes]);
    }
}
