//! Fast style transfer: one pass of a network that knows its styles.

use burn::tensor::{Device, Tensor, TensorData};

use crate::labs::stylize::spec::{self as stylize, Region, STYLES};
use crate::methods::luminance::with_colors_of;
use crate::methods::resize::{extend, stretch_rgb, to_tensor, working_size};
use crate::methods::strokes::{Brush, coverage};
use crate::models::arbitrary_style::{STYLE_NUMBERS, StylePainter, StylePredictor};
use crate::models::style_network::StyleNetwork;
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

use crate::job::Job;

/// The network halves twice: its sides are multiples of this.
const MULTIPLE: usize = 4;
/// Smallest side in pixels that the network's reflecting borders allow, and a little more.
const SMALLEST: usize = 16;

/// Side in pixels of the square of the style picture that its network reads.
pub const STYLE_SIDE: usize = 256;

/// What paints.
pub enum Painter<'a> {
    /// The network with built-in styles.
    Styles(&'a StyleNetwork),
    /// The pair that takes its style from a picture.
    Picture(&'a StylePredictor, &'a StylePainter, &'a Picture),
}

/// A photograph and what the network made of it; enough to change strength and colours.
#[derive(Debug, Clone, PartialEq)]
pub struct RawPainting {
    /// Columns of both.
    pub width: usize,
    /// Rows of both.
    pub height: usize,
    /// The photograph at that size, RGB by row.
    pub content: Vec<u8>,
    /// What the network gave, RGB by row.
    pub painted: Vec<u8>,
}

/// The largest square in the middle of a style picture: `[1, 3, 256, 256]`, RGB from 0 to 1.
pub fn prepare_style(style: &Picture, device: &Device) -> Tensor<4> {
    let side = style.width.min(style.height);
    let [left, top] = [style.width - side, style.height - side].map(|rest| rest / 2);
    let rgba = (top..top + side)
        .flat_map(|y| &style.rgba[(y * style.width + left) * 4..][..side * 4])
        .copied()
        .collect();
    let square = Picture {
        width: side,
        height: side,
        rgba,
    };
    let rgb = stretch_rgb(&square, STYLE_SIDE, STYLE_SIDE);
    to_tensor(&rgb, STYLE_SIDE, STYLE_SIDE, 1.0 / 255.0, 0.0, device)
}

/// Runs the network on a picture.
///
/// # Errors
/// Those of [`Job::stage`] and [`Job::read`].
pub async fn run(
    job: &Job<'_>,
    painter: &Painter<'_>,
    settings: &Settings,
    picture: &Picture,
    device: &Device,
) -> Result<RawPainting, Failure> {
    job.stage(Stage::Prepare).await?;
    let size = working_size(picture, settings.number(stylize::SIZE) as usize);
    let content = stretch_rgb(picture, size[0], size[1]);
    let input = prepare(&content, size, device);
    job.stage(Stage::Network).await?;
    let output = match painter {
        Painter::Styles(network) => network.forward(
            input,
            weights(&settings.mix(stylize::STYLE)[..STYLES], device),
        ),
        Painter::Picture(predictor, painter, style) => {
            let style = predictor.forward(prepare_style(style, device));
            painter.forward(input, style + moved(settings, device))
        }
    };
    let painted = to_rgb(job, output, size).await?;
    job.stage(Stage::Postprocess).await?;
    Ok(RawPainting {
        width: size[0],
        height: size[1],
        content,
        painted,
    })
}

/// What the sliders of the directions add to a style, `[1, 100]`.
fn moved(settings: &Settings, device: &Device) -> Tensor<2> {
    let mut sum = vec![0f32; STYLE_NUMBERS];
    for (name, direction) in stylize::DIRECTIONS.iter().zip(directions()) {
        let by = settings.number(name);
        for (value, step) in sum.iter_mut().zip(direction) {
            *value += step * by;
        }
    }
    Tensor::from_data(TensorData::new(sum, [1, STYLE_NUMBERS]), device)
}

/// The main directions in which the styles of paintings differ, one standard deviation long each, by
/// `tools/style_directions.py`.
fn directions() -> Vec<Vec<f32>> {
    serde_json::from_str(include_str!("directions.json")).expect("a test reads it")
}

/// RGB bytes as the network's input; both sides become multiples of four.
fn prepare(content: &[u8], size: [usize; 2], device: &Device) -> Tensor<4> {
    let (extended, [wide, high]) = extend(content, size, MULTIPLE, SMALLEST);
    to_tensor(&extended, wide, high, 1.0 / 255.0, 0.0, device)
}

/// Weights of the styles, `[1, 26]`.
fn weights(of_styles: &[f32], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(of_styles.to_vec(), [1, STYLES]), device)
}

/// What a network painted, as RGB bytes by row, without what was added at the borders.
async fn to_rgb(
    job: &Job<'_>,
    output: Tensor<4>,
    [width, height]: [usize; 2],
) -> Result<Vec<u8>, Failure> {
    let [_, _, high, wide] = output.dims();
    let values = job.read(output).await?;
    let mut painted = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let value = values[(channel * high + y) * wide + x];
                painted.push((value.clamp(0.0, 1.0) * 255.0).round() as u8);
            }
        }
    }
    Ok(painted)
}

/// Lays each region over what is painted, in its own style: the network runs once for each style.
///
/// # Errors
/// Those of [`Job::stage`] and [`Job::read`]; the painting is then as it was.
pub async fn paint_regions(
    job: &Job<'_>,
    network: &StyleNetwork,
    regions: &[Region],
    raw: &mut RawPainting,
    device: &Device,
) -> Result<(), Failure> {
    job.stage(Stage::Network).await?;
    let size = [raw.width, raw.height];
    let mut layers: Vec<(u8, Vec<u8>)> = Vec::new();
    for style in regions.iter().filter_map(|region| region.style) {
        if layers.iter().any(|(known, _)| *known == style) {
            continue;
        }
        let mut only = [0.0; STYLES];
        only[usize::from(style)] = 1.0;
        let output = network.forward(prepare(&raw.content, size, device), weights(&only, device));
        layers.push((style, to_rgb(job, output, size).await?));
        job.breathe().await?;
    }
    job.stage(Stage::Postprocess).await?;
    for region in regions {
        let layer = match region.style {
            Some(style) => layers.iter().find(|(known, _)| *known == style),
            None => None,
        };
        let over = layer.map_or(&raw.content, |(_, painted)| painted);
        let brush = Brush {
            width: region.width,
            points: &region.points,
        };
        for (pixel, covered) in coverage(brush, size).into_iter().enumerate() {
            if covered > 0.0 {
                for byte in pixel * 3..pixel * 3 + 3 {
                    let [under, over] = [raw.painted[byte], over[byte]].map(f32::from);
                    raw.painted[byte] = (under + (over - under) * covered).round() as u8;
                }
            }
        }
    }
    Ok(())
}

/// Strength and colours: what the sliders change without another run.
pub fn refine(raw: &RawPainting, settings: &Settings) -> Picture {
    let strength = (settings.number(stylize::STRENGTH) * 2.56).round() as u32;
    let keeps_colors = settings.choice(stylize::COLORS) == "photo";
    let mut rgba = Vec::with_capacity(raw.width * raw.height * 4);
    let pixels = raw.painted.as_chunks::<3>().0;
    for (&painted, &content) in pixels.iter().zip(raw.content.as_chunks::<3>().0) {
        let painted = if keeps_colors {
            with_colors_of(painted, content)
        } else {
            painted
        };
        for channel in 0..3 {
            let [over, under] = [painted, content].map(|pixel| u32::from(pixel[channel]));
            rgba.push(((over * strength + under * (256 - strength) + 128) / 256) as u8);
        }
        rgba.push(255);
    }
    Picture {
        width: raw.width,
        height: raw.height,
        rgba,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::params::{Lab, Value};

    #[test]
    fn the_middle_of_a_style_picture_is_read() {
        let columns = [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]];
        let wide = Picture::new(3, 1, columns.concat()).expect("right size");
        let tensor = prepare_style(&wide, &Device::flex());
        assert_eq!(tensor.dims(), [1, 3, STYLE_SIDE, STYLE_SIDE]);
        let means: Vec<f32> = tensor
            .mean_dims(&[2, 3])
            .into_data()
            .try_into_vec()
            .expect("f32");
        assert_eq!(means, [0.0, 1.0, 0.0]);
    }

    #[test]
    fn directions_are_of_the_size_of_a_style_and_stand_square_to_each_other() {
        let directions = directions();
        assert_eq!(directions.len(), stylize::DIRECTIONS.len());
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        for (number, a) in directions.iter().enumerate() {
            assert_eq!(a.len(), STYLE_NUMBERS);
            for b in &directions[..number] {
                // Rounded to four digits.
                assert!(dot(a, b).abs() < 1e-2 * dot(a, a));
                assert!(dot(a, a) <= dot(b, b), "the largest comes first");
            }
        }
        let mut settings = Settings::new(Lab::Stylize);
        settings.set("direction-2", Value::Number(-2.0));
        let moved: Vec<f32> = moved(&settings, &Device::flex())
            .into_data()
            .try_into_vec()
            .expect("f32");
        assert!((moved[7] + 2.0 * directions[1][7]).abs() < 1e-6);
    }

    #[test]
    fn strength_blends_and_colours_can_stay() {
        let raw = RawPainting {
            width: 1,
            height: 1,
            content: vec![200, 100, 0],
            painted: vec![100, 100, 100],
        };
        let mut settings = Settings::new(Lab::Stylize);
        assert_eq!(refine(&raw, &settings).rgba, [100, 100, 100, 255]);
        settings.set(stylize::STRENGTH, Value::Number(50.0));
        assert_eq!(refine(&raw, &settings).rgba, [150, 100, 50, 255]);
        settings.set(stylize::STRENGTH, Value::Number(0.0));
        assert_eq!(refine(&raw, &settings).rgba, [200, 100, 0, 255]);
        settings.set(stylize::STRENGTH, Value::Number(100.0));
        settings.set(stylize::COLORS, Value::Choice(1));
        // Luma of the content: 0.299 * 200 + 0.587 * 100 = 118.5; moved by 100 - 118.5.
        assert_eq!(refine(&raw, &settings).rgba, [182, 82, 0, 255]);
    }
}
