//! Fast style transfer: one pass of a network that knows its styles.

use std::rc::Rc;

use burn::tensor::{Device, Tensor, TensorData};

use crate::methods::luminance::with_colors_of;
use crate::methods::resize::{stretch_rgb, to_tensor};
use crate::methods::strokes::{Brush, coverage};
use crate::models::arbitrary_style::{
    ARBITRARY_PREDICT, ARBITRARY_TRANSFORM, STYLE_NUMBERS, StylePainter,
};
use crate::models::style_network::{MULTISTYLE26, Scales, StyleNetwork};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::param::Value;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

use super::canvas::Canvas;
use super::paintings::BUILT_IN;
use super::spec::{
    Colors, Format, LAB, LARGEST, NAMES, Painted, Question, REGIONS_MAX, Region, STYLES,
    StylizeSettings,
};
use crate::engine::lab::{Bench, LabEngine, Workload, plain_picture};
use crate::job::{Job, Promise, Reply, Request, bytes_of};

/// Side in pixels of the square of the style picture that its network reads.
pub const STYLE_SIDE: usize = 256;

/// Longest side in pixels at which devices are compared: large enough that they compute more than they
/// wait for each other, small enough for the CPU.
const TIMED_SIDE: usize = 256;

/// A network, and the style that it paints in.
pub enum Painter {
    /// The network with built-in styles, and their weights, `[1, 26]`.
    Styles(Rc<StyleNetwork>, Tensor<2>),
    /// The network that takes any style, and the numbers of one, `[1, 100]`.
    Picture(Rc<StylePainter>, Tensor<2>),
}

impl Painter {
    /// Repaints a picture, `[1, 3, height, width]`, of values from 0 to 1.
    pub fn forward(&self, image: Tensor<4>, scales: Scales<'_>) -> Tensor<4> {
        match self {
            Self::Styles(network, weights) => network.forward_with(image, weights.clone(), scales),
            Self::Picture(network, style) => network.forward_with(image, style.clone(), scales),
        }
    }

    /// One of the built-in styles alone.
    fn of_style(network: Rc<StyleNetwork>, style: u8, device: &Device) -> Self {
        let mut only = [0.0; STYLES];
        only[usize::from(style)] = 1.0;
        Self::Styles(network, weights(&only, device))
    }
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

/// Weights of the styles, `[1, 26]`.
fn weights(of_styles: &[f32], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(of_styles.to_vec(), [1, STYLES]), device)
}

/// The styles of regions, each once.
fn styles(regions: &[Region]) -> Vec<u8> {
    let mut styles: Vec<u8> = regions.iter().filter_map(|region| region.style).collect();
    styles.sort_unstable();
    styles.dedup();
    styles
}

/// Lays each region over what is painted, in its own style, of which `layers` have the paintings.
///
/// # Errors
/// [`Failure::Cancelled`].
async fn lay_regions(
    job: &Job<'_>,
    regions: &[Region],
    layers: &[(u8, Vec<u8>)],
    raw: &mut RawPainting,
) -> Result<(), Failure> {
    let size = [raw.width, raw.height];
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
        job.breathe().await?;
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

/// Fetches the networks that the style needs, and reads the style where it is a picture's.
async fn painter(
    bench: &mut Bench<'_>,
    settings: &StylizeSettings,
    style: Option<&Picture>,
) -> Result<Painter, Failure> {
    let (job, device) = (bench.job, bench.device());
    let Some(style) = style else {
        let network = bench.shelf.get(job, &MULTISTYLE26).await?;
        job.stage(Stage::Prepare).await?;
        let weights = weights(&settings.style.0[..STYLES], &device);
        return Ok(Painter::Styles(network, weights));
    };
    let predictor = bench.shelf.get(job, &ARBITRARY_PREDICT).await?;
    let network = bench.shelf.get(job, &ARBITRARY_TRANSFORM).await?;
    job.stage(Stage::Prepare).await?;
    let style = predictor.forward(prepare_style(style, &device));
    Ok(Painter::Picture(network, style + moved(settings, &device)))
}

/// What a painting is made of.
struct Order<'a> {
    settings: StylizeSettings,
    picture: Picture,
    /// What the style is taken from, where it is not built in.
    style: Option<Picture>,
    regions: &'a [Region],
}

impl<'a> Order<'a> {
    /// Reads what came with a question.
    async fn read(
        job: &Job<'_>,
        request: &Request,
        regions: &'a [Region],
    ) -> Result<Self, Failure> {
        if regions.len() > REGIONS_MAX || !regions.iter().all(Region::is_valid) {
            return Err(Failure::BadRegions { limit: REGIONS_MAX });
        }
        job.stage(Stage::Decode).await?;
        let settings: StylizeSettings = request.settings.read();
        let picture = request.picture("picture").await?.ok_or(Failure::EmptyFile)?;
        let style = match settings.source() {
            BUILT_IN => None,
            _ => Some(request.picture("style").await?.ok_or(Failure::NoStyle)?),
        };
        Ok(Self {
            settings,
            picture,
            style,
            regions,
        })
    }

    /// With a longer side of at most `longest`: as it is shown, or larger.
    async fn paint(
        &self,
        bench: &mut Bench<'_>,
        longest: usize,
    ) -> Result<RawPainting, Failure> {
        let (job, device) = (bench.job, bench.device());
        job.stage(Stage::Load).await?;
        let painter = painter(bench, &self.settings, self.style.as_ref()).await?;
        let styles = styles(self.regions);
        let sides = [self.settings.size, longest];
        let canvas = Canvas::new(job, &device, &self.picture, sides, 1 + styles.len());
        job.stage(Stage::Network).await?;
        let mut raw = canvas.with(canvas.paint(&painter).await?);
        let mut layers = Vec::with_capacity(styles.len());
        for style in styles {
            let network = bench.shelf.get(job, &MULTISTYLE26).await?;
            let painter = Painter::of_style(network, style, &device);
            layers.push((style, canvas.paint(&painter).await?));
            job.breathe().await?;
        }
        job.stage(Stage::Postprocess).await?;
        lay_regions(job, self.regions, &layers, &mut raw).await?;
        Ok(raw)
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
        let order = Order::read(bench.job, request, regions).await?;
        let raw = order.paint(&mut bench, order.settings.size).await?;
        let reply = painted_reply(&raw, &order.settings);
        self.last = Some(raw);
        Ok(reply)
    }
}

/// Paints a picture at its own size, into a file. What is shown stays.
async fn paint_large(
    mut bench: Bench<'_>,
    request: &Request,
    regions: &[Region],
    format: Format,
) -> Result<Reply, Failure> {
    let order = Order::read(bench.job, request, regions).await?;
    let raw = order.paint(&mut bench, LARGEST).await?;
    let painting = refine(&raw, &order.settings);
    drop(raw);
    let file = match format {
        Format::Png => bench.png(&painting, &request.settings).await?,
        Format::Jpeg => bench.job.host().jpeg(&painting).await?,
    };
    Ok(Reply::new(&Painted::of(&painting)).with("file", file))
}

fn painted_reply(raw: &RawPainting, settings: &StylizeSettings) -> Reply {
    let painting = refine(raw, settings);
    Reply::new(&Painted::of(&painting)).with("rgba", painting.rgba)
}

impl LabEngine for Stylization {
    fn answer<'a>(
        &'a mut self,
        bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let last = self.last.as_ref().ok_or(Failure::NothingToRefine);
            let settings = request.settings.read();
            match request.question()? {
                Question::Run { regions } => self.run(bench, &request, &regions).await,
                Question::Large { regions, format } => {
                    paint_large(bench, &request, &regions, format).await
                }
                Question::Refine => Ok(painted_reply(last?, &settings)),
                Question::Export => {
                    let png = bench.png(&refine(last?, &settings), &request.settings).await?;
                    Ok(Reply::default().with("png", png))
                }
                Question::Raw => {
                    let share = |&byte: &u8| f32::from(byte) / 255.0;
                    let values: Vec<f32> = last?.painted.iter().map(share).collect();
                    Ok(Reply::default().with("raw", bytes_of(&values)))
                }
            }
        })
    }

    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move { bench.shelf.get(bench.job, &MULTISTYLE26).await.map(drop) })
    }

    fn warm_up<'a>(&'a mut self, mut bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let settings: StylizeSettings = Settings::new(&LAB).read();
            let order = Order {
                // As large as the visitor's will be.
                picture: plain_picture(settings.size),
                settings,
                style: None,
                regions: &[],
            };
            order.paint(&mut bench, order.settings.size).await.map(drop)
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
            let order = Order {
                style: (settings.source() != BUILT_IN).then(|| picture.clone()),
                settings,
                picture,
                regions: &[],
            };
            order.paint(&mut bench, order.settings.size).await.map(drop)
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
