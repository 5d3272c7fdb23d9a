//! Fast style transfer: one pass of a network that knows its styles.

use burn::tensor::{Device, Tensor, TensorData};

use crate::methods::luminance::with_colors_of;
use crate::methods::resize::{extend, stretch_rgb, to_tensor, working_size};
use crate::models::arbitrary_style::{StylePainter, StylePredictor};
use crate::models::style_network::StyleNetwork;
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;
use crate::protocol::stylize::{self, STYLES};

use super::job::{Host, Job};

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
pub async fn run<H: Host>(
    job: &Job<'_, H>,
    painter: &Painter<'_>,
    settings: &Settings,
    picture: &Picture,
    device: &Device,
) -> Result<RawPainting, Failure> {
    job.stage(Stage::Prepare).await?;
    let [width, height] = working_size(picture, settings.number(stylize::SIZE) as usize);
    let content = stretch_rgb(picture, width, height);
    let (extended, [wide, high]) = extend(&content, [width, height], MULTIPLE, SMALLEST);
    let input = to_tensor(&extended, wide, high, 1.0 / 255.0, 0.0, device);
    job.stage(Stage::Network).await?;
    let output = match painter {
        Painter::Styles(network) => {
            let weights = settings.mix(stylize::STYLE)[..STYLES].to_vec();
            let styles = Tensor::from_data(TensorData::new(weights, [1, STYLES]), device);
            network.forward(input, styles)
        }
        Painter::Picture(predictor, painter, style) => {
            let style = predictor.forward(prepare_style(style, device));
            painter.forward(input, style)
        }
    };
    let values = job.read(output).await?;
    job.stage(Stage::Postprocess).await?;
    let mut painted = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let value = values[(channel * high + y) * wide + x];
                painted.push((value.clamp(0.0, 1.0) * 255.0).round() as u8);
            }
        }
    }
    Ok(RawPainting {
        width,
        height,
        content,
        painted,
    })
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
