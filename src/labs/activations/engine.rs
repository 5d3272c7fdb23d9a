//! Sends a picture through a network, and draws what its layers make of it.

use std::rc::Rc;

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::spec::{ActivationsSettings, Answer, Contrast, Crops, Drawn, Guess, Patches, Question, Sort};
use crate::engine::lab::{Bench, LabEngine, Workload, plain_picture};
use crate::job::{Job, Promise, Reply, Request};
use crate::labs::explain::engine::seen_size;
use crate::labs::explain::spec::LISTED;
use crate::labs::search::engine::fetch_layered;
use crate::maths::color_map::{diverging, inferno};
use crate::methods::attribution::drawn;
use crate::methods::resize::{stretch_rgb, to_tensor};
use crate::models::efficientnet_lite::SIDE;
use crate::models::layered::Layered;
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::named_layers::Layers;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

/// Longer side of a channel among the others, at most.
const TILE: usize = 84;
/// Parts of pictures that are found, and of one picture at most.
const PATCHES: usize = 12;
const OF_ONE: usize = 3;
/// Side in pixels of such a part, as it is shown.
const PATCH_SIDE: usize = 96;
/// How often a layer runs to be timed.
const REPEATS: usize = 5;
/// Kernels that are drawn at most.
const KERNELS: usize = 512;

/// What a picture left in each layer.
struct Seen {
    picture: Picture,
    network: Rc<dyn Layered>,
    name: &'static str,
    prepared: Prepared,
    maps: Vec<Tensor<4>>,
    /// None where the network knows no classes.
    probabilities: Vec<f32>,
    /// The values of the layer that was shown last.
    read: Option<(usize, Vec<f32>)>,
}

/// The picture as a network sees it.
struct Prepared {
    /// RGB from 0 to 1.
    input: Tensor<4>,
    /// Rows and columns.
    size: [usize; 2],
    /// Its bytes, RGB by row.
    rgb: Vec<u8>,
    /// Whether it is the negative.
    negative: bool,
}

impl Prepared {
    /// Where the network sees small grey squares, the picture is squeezed into one; and one whose border is bright, such
    /// as ink on paper, becomes its negative, because these networks learned bright things on black.
    fn new(picture: &Picture, layers: &Layers, device: &Device) -> Self {
        let size = layers.side.map_or_else(|| seen_size(picture), |side| [side; 2]);
        let [rows, columns] = size;
        let mut rgb = stretch_rgb(picture, columns, rows);
        let negative = layers.side.is_some() && border(&rgb, size) > 127.5;
        if negative {
            rgb.iter_mut().for_each(|value| *value = 255 - *value);
        }
        Self {
            input: to_tensor(&rgb, columns, rows, 1.0 / 255.0, 0.0, device),
            size,
            rgb,
            negative,
        }
    }
}

/// The mean of the outermost pixels of RGB bytes.
fn border(rgb: &[u8], [rows, columns]: [usize; 2]) -> f32 {
    let is_outermost = |pixel: usize| {
        let [row, column] = [pixel / columns, pixel % columns];
        row == 0 || column == 0 || row + 1 == rows || column + 1 == columns
    };
    let pixels = rgb.as_chunks::<3>().0.iter().enumerate();
    let outermost: Vec<f32> = pixels
        .filter(|(pixel, _)| is_outermost(*pixel))
        .map(|(_, rgb)| rgb.iter().map(|&value| f32::from(value)).sum::<f32>() / 3.0)
        .collect();
    outermost.iter().sum::<f32>() / outermost.len() as f32
}

impl Seen {
    async fn new(
        job: &Job<'_>,
        network: Rc<dyn Layered>,
        name: &'static str,
        picture: Picture,
        device: &Device,
    ) -> Result<Self, Failure> {
        job.stage(Stage::Prepare).await?;
        let prepared = Prepared::new(&picture, network.layers(), device);
        job.stage(Stage::Network).await?;
        let (maps, logits) = {
            let pass = network.pass(prepared.input.clone(), None);
            let layers = network.layers().layers.len();
            let maps = (0..layers).map(|layer| pass.map(layer).clone()).collect();
            (maps, pass.logits().cloned())
        };
        let probabilities = match logits {
            Some(logits) => job.read(activation::softmax(logits, 1)).await?,
            None => Vec::new(),
        };
        Ok(Self {
            picture,
            network,
            name,
            prepared,
            maps,
            probabilities,
            read: None,
        })
    }

    /// The values of a layer, read once.
    async fn values(&mut self, job: &Job<'_>, layer: usize) -> Result<&[f32], Failure> {
        if self.read.as_ref().is_none_or(|(read, _)| *read != layer) {
            let values = job.read(self.maps[layer].clone()).await?;
            self.read = Some((layer, values));
        }
        Ok(self.read.as_ref().map_or(&[], |(_, values)| values))
    }

    async fn show(&mut self, job: &Job<'_>, settings: &ActivationsSettings) -> Result<Reply, Failure> {
        job.stage(Stage::Postprocess).await?;
        let (layer, channel) = (settings.layer(), settings.channel());
        let [_, channels, rows, columns] = self.maps[layer].dims();
        let kernels = kernels(job, &*self.network, settings).await?;
        let values = self.values(job, layer).await?.to_vec();
        let signed = values.iter().any(|&value| value < 0.0);
        let largest_of: Vec<f32> = values
            .chunks_exact(rows * columns)
            .map(|map| map.iter().fold(0f32, |most, value| value.abs().max(most)))
            .collect();
        let of_all = largest_of.iter().copied().fold(0f32, f32::max);
        let scale = |channel: usize| match settings.contrast {
            Contrast::Each => largest_of[channel],
            Contrast::All => of_all,
        };
        let mut order: Vec<usize> = (0..channels).collect();
        if settings.sort == Sort::Strongest {
            order.sort_by(|&a, &b| largest_of[b].total_cmp(&largest_of[a]));
        }
        let of = |channel: usize| &values[channel * rows * columns..][..rows * columns];
        let (tile, shrunk) = tile([rows, columns]);
        let mut maps = Vec::with_capacity(channels * tile[0] * tile[1]);
        for &channel in &order {
            let small = means(of(channel), [rows, columns], shrunk);
            maps.extend(bytes(&small, signed, scale(channel)));
        }
        let one = of(channel);
        let [least, most] = [f32::min, f32::max].map(|pick| one.iter().copied().fold(one[0], pick));
        let mean = one.iter().sum::<f32>() / one.len() as f32;
        let above = one.iter().filter(|&&value| value > 0.0).count() as f32 / one.len() as f32;
        let mut ranked: Vec<usize> = (0..self.probabilities.len()).collect();
        ranked.sort_by(|&a, &b| self.probabilities[b].total_cmp(&self.probabilities[a]));
        let names = self.network.layers().layers;
        let layers = names.iter().zip(&self.maps).enumerate().map(|(number, (layer, map))| {
            let [_, channels, rows, columns] = map.dims();
            Drawn {
                name: layer.name.into(),
                shape: [channels, rows, columns],
                parameters: self.network.parameters(number),
                field: layer.field,
            }
        });
        let answer = Answer {
            seen: [self.prepared.size[1], self.prepared.size[0]],
            negative: self.prepared.negative,
            classes: ranked.into_iter().take(LISTED).map(|class| guess(&*self.network, &self.probabilities, class)).collect(),
            layers: layers.collect(),
            layer,
            channel,
            order,
            tile: [tile[1], tile[0]],
            signed,
            largest: scale(channel),
            channel_says: [least, mean, most, above],
            kernels: [kernels.side, kernels.count],
            kernels_in_colour: kernels.in_colour,
        };
        let large = bytes(one, signed, scale(channel));
        Ok(Reply::new(&answer)
            .with("maps", maps)
            .with("channel", large)
            .with("kernels", kernels.rgb))
    }
}

/// A class and its probability.
fn guess(network: &dyn Layered, probabilities: &[f32], class: usize) -> Guess {
    Guess {
        class,
        name: network.layers().classes[class].into(),
        probability: probabilities[class],
    }
}

/// Rows and columns of a channel among the others, and how many places of the map are one of it.
fn tile(size: [usize; 2]) -> ([usize; 2], usize) {
    let shrunk = size[0].max(size[1]).div_ceil(TILE).max(1);
    (size.map(|side| side.div_ceil(shrunk)), shrunk)
}

/// The means of squares of places.
fn means(values: &[f32], [rows, columns]: [usize; 2], side: usize) -> Vec<f32> {
    if side == 1 {
        return values.to_vec();
    }
    let mut means = Vec::new();
    for top in (0..rows).step_by(side) {
        for left in (0..columns).step_by(side) {
            let (bottom, right) = (rows.min(top + side), columns.min(left + side));
            let sum: f32 = (top..bottom).map(|row| values[row * columns + left..row * columns + right].iter().sum::<f32>()).sum();
            means.push(sum / ((bottom - top) * (right - left)) as f32);
        }
    }
    means
}

/// Values as bytes: 255 is `largest`; where they are signed 128 is zero.
fn bytes(values: &[f32], signed: bool, largest: f32) -> Vec<u8> {
    let share = |value: f32| if largest > 0.0 { (value / largest).clamp(-1.0, 1.0) } else { 0.0 };
    let byte = |&value: &f32| match signed {
        true => (128.0 + 127.0 * share(value)).round() as u8,
        false => (255.0 * share(value).max(0.0)).round() as u8,
    };
    values.iter().map(byte).collect()
}

/// Kernels, drawn.
#[derive(Default)]
struct Kernels {
    side: usize,
    count: usize,
    in_colour: bool,
    rgb: Vec<u8>,
}

/// The kernels of a layer: of the first as colours, of others as they are signed; where each channel of the map has one
/// for each channel below, those of one channel.
async fn kernels(job: &Job<'_>, network: &dyn Layered, settings: &ActivationsSettings) -> Result<Kernels, Failure> {
    let (layer, channel) = (settings.layer(), settings.channel());
    let Some(kernels) = network.kernels(layer) else {
        return Ok(Kernels::default());
    };
    let [out, inputs, side, _] = kernels.dims();
    let in_colour = layer == 0 && inputs == 3;
    let shown = match inputs {
        3 | 1 => kernels,
        _ => kernels.narrow(0, channel.min(out - 1), 1).swap_dims(0, 1),
    };
    let [count, inputs, ..] = shown.dims();
    let count = count.min(KERNELS);
    let values = job.read(shown.narrow(0, 0, count)).await?;
    let mut rgb = Vec::with_capacity(count * side * side * 3);
    let together = match settings.contrast {
        // Some are a tenth of others.
        Contrast::Each => inputs * side * side,
        Contrast::All => values.len().max(1),
    };
    let shares: Vec<u8> = values.chunks(together).flat_map(|values| drawn(values, true, 0.0).0).collect();
    for shares in shares.chunks_exact(inputs * side * side) {
        // Grey is zero.
        for place in 0..side * side {
            match in_colour {
                true => rgb.extend([0, 1, 2].map(|color| shares[color * side * side + place])),
                false => rgb.extend(diverging((f32::from(shares[place]) - 128.0) / 127.0)),
            }
        }
    }
    Ok(Kernels {
        side,
        count,
        in_colour,
        rgb,
    })
}

/// The places of a map where its values are largest, those first: at most so many, and none within a place of a larger
/// one. `[row, column]` and the value.
fn peaks(map: &[f32], [rows, columns]: [usize; 2], count: usize) -> Vec<([usize; 2], f32)> {
    let mut places: Vec<usize> = (0..rows * columns).collect();
    places.sort_by(|&a, &b| map[b].total_cmp(&map[a]));
    let mut peaks: Vec<([usize; 2], f32)> = Vec::new();
    for place in places {
        let [row, column] = [place / columns, place % columns];
        let is_apart = |([other_row, other_column], _): &([usize; 2], f32)| {
            row.abs_diff(*other_row) > 1 || column.abs_diff(*other_column) > 1
        };
        if map[place] > 0.0 && peaks.iter().all(is_apart) {
            peaks.push(([row, column], map[place]));
        }
        if peaks.len() == count {
            break;
        }
    }
    peaks
}

/// The part of a picture that a place sees, in pixels: left, top, right, bottom, as far as the picture goes.
fn field([row, column]: [usize; 2], stride: usize, field: usize, [height, width]: [usize; 2]) -> [usize; 4] {
    let along = |place: usize, side: usize| {
        let middle = place * stride + stride / 2;
        let start = middle.saturating_sub(field / 2).min(side - 1);
        [start, (middle + field.div_ceil(2)).clamp(start + 1, side)]
    };
    let [[left, right], [top, bottom]] = [along(column, width), along(row, height)];
    [left, top, right, bottom]
}

/// A part of RGB bytes as RGBA at the size of a patch.
fn cut(rgb: &[u8], width: usize, [left, top, right, bottom]: [usize; 4]) -> Vec<u8> {
    let rows = (top..bottom).flat_map(|row| rgb[(row * width + left) * 3..(row * width + right) * 3].as_chunks::<3>().0);
    let part = Picture {
        width: right - left,
        height: bottom - top,
        rgba: rows.flat_map(|&[r, g, b]| [r, g, b, 255]).collect(),
    };
    // As large as it goes without being stretched, in the middle of a square that is clear around it.
    let longer = part.width.max(part.height);
    let [wide, high] = [part.width, part.height].map(|side| (side * PATCH_SIDE / longer).max(1));
    let small = stretch_rgb(&part, wide, high);
    let (left, top) = ((PATCH_SIDE - wide) / 2, (PATCH_SIDE - high) / 2);
    let mut patch = vec![0u8; PATCH_SIDE * PATCH_SIDE * 4];
    for (row, line) in small.chunks_exact(3 * wide).enumerate() {
        let start = ((top + row) * PATCH_SIDE + left) * 4;
        let pixels = patch[start..start + 4 * wide].chunks_exact_mut(4);
        for (pixel, rgb) in pixels.zip(line.chunks_exact(3)) {
            pixel[..3].copy_from_slice(rgb);
            pixel[3] = 255;
        }
    }
    patch
}

/// The parts of pictures that excite a channel most.
async fn patches(
    job: &Job<'_>,
    network: &dyn Layered,
    pictures: &[Picture],
    settings: &ActivationsSettings,
    device: &Device,
) -> Result<Reply, Failure> {
    let (number, channel) = (settings.layer(), settings.channel());
    let layer = network.layers().layers[number];
    let mut found = Vec::new();
    for (index, picture) in pictures.iter().enumerate() {
        let Prepared { input, size, rgb, .. } = Prepared::new(picture, network.layers(), device);
        let map = network.pass(input, Some(number)).map(number).clone();
        let [_, _, rows, columns] = map.dims();
        let map = job.read(map.narrow(1, channel, 1)).await?;
        // Where a place sees nearly all of a picture, its parts are the picture.
        let sees_all = layer.field >= size[0].min(size[1]);
        let of_one = if sees_all { 1 } else { OF_ONE };
        for (place, value) in peaks(&map, [rows, columns], of_one) {
            let part = field(place, layer.stride, layer.field, size);
            let shares = [size[1], size[0], size[1], size[0]];
            let part_shares: [f32; 4] = std::array::from_fn(|i| part[i] as f32 / shares[i] as f32);
            found.push((index, value, part_shares, cut(&rgb, size[1], part)));
        }
        job.report(index as u32 + 1, pictures.len() as u32, Reply::default());
        job.breathe().await?;
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found.truncate(PATCHES);
    let rgba = found.iter().flat_map(|(.., rgba)| rgba.clone()).collect();
    let patches = found.into_iter().map(|(picture, value, part, _)| (picture, value, part));
    let answer = Patches {
        side: PATCH_SIDE,
        patches: patches.collect(),
    };
    Ok(Reply::new(&answer).with("rgba", rgba))
}

/// How long each layer takes, in milliseconds: it runs several times in a row, and the last map is waited for.
async fn times(job: &Job<'_>, network: &dyn Layered, input: &Tensor<4>) -> Result<Vec<f64>, Failure> {
    let mut times = Vec::new();
    let mut map = input.clone();
    for layer in 0..network.layers().layers.len() {
        // What is compiled, or fetched into a cache, at the first time is not the layer's own.
        let next = network.layer(layer, map.clone());
        wait_for(job, &next).await?;
        let began = job.now_ms();
        let mut last = next.clone();
        for _ in 0..REPEATS {
            last = network.layer(layer, map.clone());
        }
        wait_for(job, &last).await?;
        times.push((job.now_ms() - began) / REPEATS as f64);
        map = next;
        job.breathe().await?;
    }
    Ok(times)
}

/// Waits until a map is there: a number of it is read.
async fn wait_for(job: &Job<'_>, map: &Tensor<4>) -> Result<(), Failure> {
    job.read(map.clone().slice([0..1, 0..1, 0..1, 0..1])).await.map(drop)
}

/// Ten crops, classified.
async fn crops(job: &Job<'_>, seen: &Seen, device: &Device) -> Result<Reply, Failure> {
    let (network, picture) = (&*seen.network, &seen.picture);
    let classes = network.layers().classes.len();
    if classes == 0 {
        return Err(Failure::NoClasses {
            network: network.layers().network.into(),
        });
    }
    // Of 256 pixels of the shorter side 224 are taken, in the middle or at a corner.
    let side = (picture.width.min(picture.height) * 7 / 8).max(1);
    let (right, bottom) = (picture.width - side, picture.height - side);
    let places = [[right / 2, bottom / 2], [0, 0], [right, 0], [0, bottom], [right, bottom]];
    let mut rgba = Vec::new();
    let mut values = Vec::with_capacity(10 * 3 * SIDE * SIDE);
    for [left, top] in places {
        let rows = (top..top + side).flat_map(|row| {
            let start = (row * picture.width + left) * 4;
            picture.rgba[start..start + side * 4].iter().copied()
        });
        let part = Picture { width: side, height: side, rgba: rows.collect() };
        let mut rgb = stretch_rgb(&part, SIDE, SIDE);
        if seen.prepared.negative {
            rgb.iter_mut().for_each(|value| *value = 255 - *value);
        }
        let small = stretch_rgb(&part, PATCH_SIDE, PATCH_SIDE);
        for mirrored in [false, true] {
            let along = |row: &[u8]| -> Vec<[u8; 3]> {
                let pixels = row.as_chunks::<3>().0.iter().copied();
                if mirrored { pixels.rev().collect() } else { pixels.collect() }
            };
            let seen: Vec<[u8; 3]> = rgb.chunks_exact(3 * SIDE).flat_map(along).collect();
            for channel in 0..3 {
                values.extend(seen.iter().map(|pixel| f32::from(pixel[channel]) / 255.0));
            }
            let shown = small.chunks_exact(3 * PATCH_SIDE).flat_map(along);
            rgba.extend(shown.flat_map(|[r, g, b]| [r, g, b, 255]));
        }
    }
    let pictures = Tensor::from_data(TensorData::new(values, [10, 3, SIDE, SIDE]), device);
    let logits = network.pass(pictures, None).logits().expect("a classifier").clone();
    let probabilities = job.read(activation::softmax(logits, 1)).await?;
    let best = |values: &[f32]| {
        let best = (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]));
        best.unwrap_or(0)
    };
    let mut means = vec![0f32; classes];
    for of_crop in probabilities.chunks_exact(classes) {
        means.iter_mut().zip(of_crop).for_each(|(mean, value)| *mean += value / 10.0);
    }
    let class = best(&means);
    let each = probabilities.chunks_exact(classes);
    let answer = Crops {
        side: PATCH_SIDE,
        mean: guess(network, &means, class),
        crops: each.clone().map(|of_crop| guess(network, of_crop, best(of_crop))).collect(),
        of_mean: each.map(|of_crop| of_crop[class]).collect(),
    };
    Ok(Reply::new(&answer).with("rgba", rgba))
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Activations { last: None })
}

struct Activations {
    last: Option<Seen>,
}

/// The channels of an answer as one picture.
fn sheet_of(reply: &Reply) -> Result<Picture, Failure> {
    let answer: Answer = reply.answer()?;
    let [wide, high] = answer.tile;
    let count = answer.order.len();
    let columns = (count as f32 * high as f32 / wide as f32).sqrt().ceil().max(1.0) as usize;
    let rows = count.div_ceil(columns);
    let (width, height) = (columns * (wide + 1), rows * (high + 1));
    let mut rgba = [255; 4].repeat(width * height);
    for (index, map) in reply.file("maps").chunks_exact(wide * high).enumerate() {
        let [left, top] = [index % columns * (wide + 1), index / columns * (high + 1)];
        for (place, &byte) in map.iter().enumerate() {
            let at = ((top + place / wide) * width + left + place % wide) * 4;
            rgba[at..at + 3].copy_from_slice(&color(byte, answer.signed));
        }
    }
    Ok(Picture { width, height, rgba })
}

/// The colour of a byte of a map.
fn color(byte: u8, signed: bool) -> [u8; 3] {
    match signed {
        true => diverging((f32::from(byte) - 128.0) / 127.0),
        false => inferno(f32::from(byte) / 255.0),
    }
}

impl LabEngine for Activations {
    fn answer<'a>(&'a mut self, bench: Bench<'a>, request: Request) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let (job, device) = (bench.job, bench.device());
            let settings: ActivationsSettings = request.settings.read();
            let name = settings.network.name();
            match request.question()? {
                Question::Run => {
                    job.stage(Stage::Decode).await?;
                    let picture = request.picture("picture").await?.ok_or(Failure::EmptyFile)?;
                    job.stage(Stage::Load).await?;
                    let network = fetch_layered(bench, name).await?;
                    let seen = Seen::new(job, network, name, picture, &device).await?;
                    self.last.insert(seen).show(job, &settings).await
                }
                Question::Show => {
                    let last = self.last.as_mut().ok_or(Failure::NothingToRefine)?;
                    if last.name != name {
                        return Err(Failure::NothingToRefine);
                    }
                    last.show(job, &settings).await
                }
                Question::Patches => {
                    let network = fetch_layered(bench, name).await?;
                    let mut pictures = Vec::new();
                    while let Some(picture) = request.picture(&pictures.len().to_string()).await? {
                        pictures.push(picture);
                    }
                    patches(job, &*network, &pictures, &settings, &device).await
                }
                Question::Times => {
                    let last = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    let times = times(job, &*last.network, &last.prepared.input).await?;
                    Ok(Reply::new(&times))
                }
                Question::Crops => {
                    let last = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    crops(job, last, &device).await
                }
                Question::Export => {
                    let last = self.last.as_mut().ok_or(Failure::NothingToRefine)?;
                    let reply = last.show(job, &settings).await?;
                    let png = bench.png(&sheet_of(&reply)?, &request.settings).await?;
                    Ok(Reply::default().with("png", png))
                }
            }
        })
    }

    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let settings: ActivationsSettings = Settings::new(&super::spec::LAB).read();
            fetch_layered(bench, settings.network.name()).await.map(drop)
        })
    }

    fn warm_up<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let (job, device) = (bench.job, bench.device());
            let settings: ActivationsSettings = Settings::new(&super::spec::LAB).read();
            let name = settings.network.name();
            let network = fetch_layered(bench, name).await?;
            let picture = plain_picture(SIDE * 3 / 2);
            let mut seen = Seen::new(job, network, name, picture, &device).await?;
            seen.show(job, &settings).await.map(drop)
        })
    }

    fn workload(&self, settings: &Settings) -> Option<Workload> {
        let of: ActivationsSettings = settings.read();
        Some(Workload {
            name: of.network.name().into(),
            timed: settings.clone(),
        })
    }

    fn goes_on(&self, request: &Request) -> bool {
        !matches!(request.question(), Ok(Question::Run | Question::Patches))
    }

    fn holds(&self) -> bool {
        self.last.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_shrunk_by_whole_numbers() {
        assert_eq!(tile([7, 10]), ([7, 10], 1));
        assert_eq!(tile([112, 168]), ([56, 84], 2));
        assert_eq!(means(&[1.0, 3.0, 5.0, 5.0, 7.0, 9.0], [2, 3], 2), [4.0, 7.0]);
        assert_eq!(bytes(&[-2.0, 0.0, 1.0], true, 2.0), [1, 128, 192]);
        assert_eq!(bytes(&[-2.0, 0.0, 1.0], false, 2.0), [0, 0, 128]);
        assert_eq!(bytes(&[0.0], false, 0.0), [0]);
    }

    #[test]
    fn peaks_keep_apart_and_see_their_fields() {
        let map = [0.0, 1.0, 3.0, 2.0, 0.0, 0.0, 2.5, 0.0, -1.0, 4.0];
        assert_eq!(peaks(&map, [2, 5], 3), [([1, 4], 4.0), ([0, 2], 3.0)]);
        assert_eq!(peaks(&[0.0; 4], [2, 2], 3), []);
        // Stride 8 and a field of 19: around pixel 12 of the first direction, cut off at the edge of the other.
        assert_eq!(field([1, 0], 8, 19, [64, 64]), [0, 3, 14, 22]);
        assert_eq!(field([7, 7], 8, 19, [64, 64]), [51, 51, 64, 64]);
    }
}
