//! Fast style transfer: one pass of a network that knows its styles.

use burn::tensor::{Device, Tensor, TensorData};

use crate::methods::luminance::with_colors_of;
use crate::methods::resize::{extend, stretch_rgb, to_tensor, working_size};
use crate::methods::strokes::{Brush, coverage};
use crate::models::arbitrary_style::{
    ARBITRARY_PREDICT, ARBITRARY_TRANSFORM, STYLE_NUMBERS, StylePainter, StylePredictor,
};
use crate::models::style_network::{MULTISTYLE26, StyleNetwork};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::param::Value;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

use super::paintings::BUILT_IN;
use super::spec::{
    Colors, LAB, NAMES, Painted, Question, REGIONS_MAX, Region, STYLES, StylizeSettings,
};
use crate::engine::lab::{Bench, LabEngine, Workload, empty_picture, plain_picture};
use crate::job::{Job, Promise, Reply, Request, bytes_of};

/// The network halves twice: its sides are multiples of this.
const MULTIPLE: usize = 4;
/// Smallest side in pixels that the network's reflecting borders allow, and a little more.
const SMALLEST: usize = 16;

/// Side in pixels of the square of the style picture that its network reads.
pub const STYLE_SIDE: usize = 256;

/// Longest side in pixels at which devices are compared: large enough that they compute more than they
/// wait for each other, small enough for the CPU.
const TIMED_SIDE: usize = 256;

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
    settings: &StylizeSettings,
    picture: &Picture,
    device: &Device,
) -> Result<RawPainting, Failure> {
    job.stage(Stage::Prepare).await?;
    let size = working_size(picture, settings.size);
    let content = stretch_rgb(picture, size[0], size[1]);
    let input = prepare(&content, size, device);
    job.stage(Stage::Network).await?;
    let output = match painter {
        Painter::Styles(network) => network.forward(
            input,
            weights(&settings.style.0[..STYLES], device),
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
fn moved(settings: &StylizeSettings, device: &Device) -> Tensor<2> {
    let mut sum = vec![0f32; STYLE_NUMBERS];
    for (by, direction) in settings.directions().into_iter().zip(directions()) {
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
pub fn refine(raw: &RawPainting, settings: &StylizeSettings) -> Picture {
    let strength = (settings.strength * 2.56).round() as u32;
    let keeps_colors = settings.colors == Colors::Photo;
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

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Stylization { last: None })
}

/// Runs the networks that the style needs: where it is a picture's, the pair that reads pictures.
async fn paint(
    bench: &mut Bench<'_>,
    settings: &StylizeSettings,
    picture: &Picture,
    style: Option<&Picture>,
) -> Result<RawPainting, Failure> {
    let (job, device) = (bench.job, bench.device());
    match style {
        None => {
            let network = bench.shelf.get(job, &MULTISTYLE26).await?;
            run(job, &Painter::Styles(&network), settings, picture, &device).await
        }
        Some(style) => {
            let predictor = bench.shelf.get(job, &ARBITRARY_PREDICT).await?;
            let painter = bench.shelf.get(job, &ARBITRARY_TRANSFORM).await?;
            let painter = Painter::Picture(&predictor, &painter, style);
            run(job, &painter, settings, picture, &device).await
        }
    }
}

/// What the network made of the last picture.
struct Stylization {
    last: Option<RawPainting>,
}

impl Stylization {
    async fn run(
        &mut self,
        mut bench: Bench<'_>,
        request: &Request,
        regions: &[Region],
    ) -> Result<Reply, Failure> {
        if regions.len() > REGIONS_MAX || !regions.iter().all(Region::is_valid) {
            return Err(Failure::BadRegions { limit: REGIONS_MAX });
        }
        let (job, device) = (bench.job, bench.device());
        let settings: StylizeSettings = request.settings.read();
        job.stage(Stage::Decode).await?;
        let picture = request.picture("picture").await?;
        let picture = picture.ok_or(Failure::EmptyFile)?;
        let style = match settings.source() {
            BUILT_IN => None,
            _ => Some(request.picture("style").await?.ok_or(Failure::NoStyle)?),
        };
        job.stage(Stage::Load).await?;
        let mut raw = paint(&mut bench, &settings, &picture, style.as_ref()).await?;
        if !regions.is_empty() {
            let network = bench.shelf.get(job, &MULTISTYLE26).await?;
            paint_regions(job, &network, regions, &mut raw, &device).await?;
        }
        let reply = painted_reply(&raw, &settings);
        self.last = Some(raw);
        Ok(reply)
    }
}

fn painted_reply(raw: &RawPainting, settings: &StylizeSettings) -> Reply {
    let painting = refine(raw, settings);
    let painted = Painted {
        width: painting.width as u32,
        height: painting.height as u32,
    };
    Reply::new(&painted).with("rgba", painting.rgba)
}

impl LabEngine for Stylization {
    fn answer<'a>(
        &'a mut self,
        bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let question = request.question()?;
            if let Question::Run { regions } = question {
                return self.run(bench, &request, &regions).await;
            }
            let raw = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
            let settings = request.settings.read();
            match question {
                Question::Run { .. } | Question::Refine => Ok(painted_reply(raw, &settings)),
                Question::Export => {
                    let png = bench.png(&refine(raw, &settings), &request.settings).await?;
                    Ok(Reply::default().with("png", png))
                }
                Question::Raw => {
                    let share = |&byte: &u8| f32::from(byte) / 255.0;
                    let values: Vec<f32> = raw.painted.iter().map(share).collect();
                    Ok(Reply::default().with("raw", bytes_of(&values)))
                }
            }
        })
    }

    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move { bench.shelf.get(bench.job, &MULTISTYLE26).await.map(drop) })
    }

    fn warm_up<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let network = bench.shelf.get(bench.job, &MULTISTYLE26).await?;
            let settings = Settings::new(&LAB).read();
            let painter = Painter::Styles(&network);
            run(bench.job, &painter, &settings, &empty_picture(), &bench.device()).await?;
            Ok(())
        })
    }

    /// The network, and how many pixels it paints.
    fn workload(&self, settings: &Settings) -> Option<Workload> {
        let read: StylizeSettings = settings.read();
        let network = match read.source() {
            BUILT_IN => MULTISTYLE26.name,
            _ => ARBITRARY_TRANSFORM.name,
        };
        let side = read.size.min(TIMED_SIDE);
        let mut timed = settings.clone();
        timed.set(NAMES.size, Value::Number(side as f32));
        Some(Workload {
            name: format!("{network}, {side} px"),
            timed,
        })
    }

    fn trial<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        settings: &'a Settings,
    ) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let settings: StylizeSettings = settings.read();
            let picture = plain_picture(settings.size);
            let style = (settings.source() != BUILT_IN).then_some(&picture);
            paint(&mut bench, &settings, &picture, style).await.map(drop)
        })
    }

    fn goes_on(&self, request: &Request) -> bool {
        !matches!(request.question(), Ok(Question::Run { .. }))
    }

    fn holds(&self) -> bool {
        self.last.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(directions.len(), 4);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        for (number, a) in directions.iter().enumerate() {
            assert_eq!(a.len(), STYLE_NUMBERS);
            for b in &directions[..number] {
                // Rounded to four digits.
                assert!(dot(a, b).abs() < 1e-2 * dot(a, a));
                assert!(dot(a, a) <= dot(b, b), "the largest comes first");
            }
        }
        let mut settings = Settings::new(&LAB);
        settings.set(NAMES.direction_2, Value::Number(-2.0));
        let moved: Vec<f32> = moved(&settings.read(), &Device::flex())
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
        let mut settings = Settings::new(&LAB);
        assert_eq!(refine(&raw, &settings.read()).rgba, [100, 100, 100, 255]);
        settings.set(NAMES.strength, Value::Number(50.0));
        assert_eq!(refine(&raw, &settings.read()).rgba, [150, 100, 50, 255]);
        settings.set(NAMES.strength, Value::Number(0.0));
        assert_eq!(refine(&raw, &settings.read()).rgba, [200, 100, 0, 255]);
        settings.set(NAMES.strength, Value::Number(100.0));
        settings.set(NAMES.colors, Value::Choice(1));
        // Luma of the content: 0.299 * 200 + 0.587 * 100 = 118.5; moved by 100 - 118.5.
        assert_eq!(refine(&raw, &settings.read()).rgba, [182, 82, 0, 255]);
    }
}
