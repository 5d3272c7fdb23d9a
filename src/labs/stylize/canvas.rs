//! What is painted on: a picture as it is shown, or larger by tiles, so that memory does not grow with it.

use std::cell::Cell;
use std::ops::Range;

use burn::tensor::{Device, Tensor};

use super::engine::{Painter, RawPainting};
use crate::job::{Job, Reply};
use crate::methods::resize::{extend, stretch_rgb, to_tensor, working_size};
use crate::methods::tiles::{Tile, Tiling};
use crate::models::style_network::Scales;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;

/// The network halves twice: its sides are multiples of this.
const MULTIPLE: usize = 4;
/// Smallest side in pixels that the network's reflecting borders allow, and a little more.
const SMALLEST: usize = 16;

/// Tiles that take about as much memory as a picture of 780 x 520 pixels.
///
/// Of the network with built-in styles a pixel is decided by 63 rows before it and 59 behind it: four by
/// each kernel of 9, 48 by the twelve of 3 at a quarter of the size, and 7 by the others. The network that
/// takes any style has ten of the twelve.
const TILING: Tiling = Tiling {
    most: 512,
    margin: 64,
    multiple: MULTIPLE,
};

/// RGB bytes by row, and columns and rows.
type Rgb = (Vec<u8>, [usize; 2]);

/// A picture at the size that it is painted at.
///
/// What a network normalises by, the mean and the spread of each of its maps, is of the whole picture. For
/// a painting that is larger than what is shown it is taken from that: tiles that are normalised alike are
/// parts of one painting, with the contrast and the colours of what is shown.
pub struct Canvas<'a> {
    job: &'a Job<'a>,
    device: &'a Device,
    content: Rgb,
    /// The picture at the size that is shown, where that is smaller.
    shown: Option<Rgb>,
    tiling: Tiling,
    /// Tiles painted, and to be painted.
    steps: [Cell<usize>; 2],
}

impl<'a> Canvas<'a> {
    /// A picture whose longer side becomes at most `longest`. It is shown with a longer side of at most
    /// `shown`, and will be painted so many times.
    pub fn new(
        job: &'a Job<'a>,
        device: &'a Device,
        picture: &Picture,
        [shown, longest]: [usize; 2],
        times: usize,
    ) -> Self {
        let size = working_size(picture, longest);
        let at = |size: [usize; 2]| (stretch_rgb(picture, size[0], size[1]), size);
        let smaller = working_size(picture, shown);
        let wide_high = size.map(|side| side.next_multiple_of(MULTIPLE).max(SMALLEST));
        let tiles = TILING.tiles(wide_high).len();
        Self {
            job,
            device,
            content: at(size),
            shown: (longest > shown && smaller != size).then(|| at(smaller)),
            tiling: TILING,
            steps: [0, tiles * times].map(Cell::new),
        }
    }

    /// What it becomes, RGB by row. A painting that goes by tiles tells after each how far it is.
    ///
    /// # Errors
    /// Those of [`Job::read`].
    pub async fn paint(&self, painter: &Painter) -> Result<Vec<u8>, Failure> {
        let Some(shown) = &self.shown else {
            let input = self.input(&self.content);
            let output = painter.forward(input, Scales::Own);
            return to_rgb(self.job, output, self.content.1).await;
        };
        let mut scales = Vec::new();
        let sketch = painter.forward(self.input(shown), Scales::Noted(&mut scales));
        // Waits for the device, so that no queue builds up.
        self.job.read(sketch.mean()).await?;
        self.paint_tiles(painter, &scales).await
    }

    /// By tiles that are normalised with these scales.
    async fn paint_tiles(
        &self,
        painter: &Painter,
        scales: &[Tensor<2>],
    ) -> Result<Vec<u8>, Failure> {
        let (content, [width, height]) = &self.content;
        let (content, [wide, high]) = extend(content, self.content.1, MULTIPLE, SMALLEST);
        let mut painted = vec![0; width * height * 3];
        for Tile { kept, read } in self.tiling.tiles([wide, high]) {
            let [columns, rows] = &read;
            let size = [columns.len(), rows.len()];
            let part = self.tensor(&cut(&content, wide, &read), size);
            let part = painter.forward(part, Scales::Given(scales.iter()));
            // What only fills up the network's multiples is not kept.
            let [across, down] = [(&kept[0], *width), (&kept[1], *height)]
                .map(|(kept, side)| kept.start..kept.end.min(side));
            let part = part
                .narrow(3, across.start - columns.start, across.len())
                .narrow(2, down.start - rows.start, down.len());
            let part = to_rgb(self.job, part, [across.len(), down.len()]).await?;
            for (row, pixels) in down.zip(part.chunks_exact(across.len() * 3)) {
                let start = (row * width + across.start) * 3;
                painted[start..][..pixels.len()].copy_from_slice(pixels);
            }
            self.tell();
            self.job.breathe().await?;
        }
        Ok(painted)
    }

    fn tell(&self) {
        let [done, total] = &self.steps;
        done.set(done.get() + 1);
        let [done, total] = [done, total].map(|steps| steps.get() as u32);
        self.job.report(done, total, Reply::default());
    }

    /// RGB bytes as the network's input; both sides become multiples of four.
    fn input(&self, (rgb, size): &Rgb) -> Tensor<4> {
        let (extended, size) = extend(rgb, *size, MULTIPLE, SMALLEST);
        self.tensor(&extended, size)
    }

    fn tensor(&self, rgb: &[u8], [wide, high]: [usize; 2]) -> Tensor<4> {
        to_tensor(rgb, wide, high, 1.0 / 255.0, 0.0, self.device)
    }

    /// The picture with what it became.
    pub fn with(&self, painted: Vec<u8>) -> RawPainting {
        let (content, [width, height]) = self.content.clone();
        RawPainting {
            width,
            height,
            content,
            painted,
        }
    }
}

/// A part of a picture of `wide` columns, RGB by row.
fn cut(rgb: &[u8], wide: usize, [columns, rows]: &[Range<usize>; 2]) -> Vec<u8> {
    let row = |row| &rgb[(row * wide + columns.start) * 3..][..columns.len() * 3];
    rows.clone().flat_map(row).copied().collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::native_host::{NativeHost, open_picture};
    use crate::engine::shelf::Shelf;
    use crate::labs::stylize::spec::STYLES;
    use crate::models::style_network::MULTISTYLE26;
    use crate::protocol::card::FILES;

    /// Small tiles with the margin of the large ones, on a picture of no round size.
    #[test]
    fn tiles_are_the_painting_of_the_whole_and_show_no_seams() {
        let host = NativeHost::new("weights", |_, _| {});
        let job = Job::new(&host, "cpu");
        let device = Device::flex();
        let photograph = open_picture("public/samples/temple.jpg".as_ref()).expect("ships");
        let mut shelf = Shelf::new(device.clone(), FILES);
        let network = pollster::block_on(shelf.get(&job, &MULTISTYLE26)).expect("ships");
        let weights = Tensor::full([1, STYLES], 1.0 / STYLES as f32, &device);
        let painter = Painter::Styles(network, weights);
        let mut canvas = Canvas::new(&job, &device, &photograph, [128, 250], 1);
        canvas.tiling.most = 60;
        let [width, height] = canvas.content.1;
        assert_eq!([width, height], [250, 167]);
        let mut scales = Vec::new();
        let shown = canvas.input(canvas.shown.as_ref().expect("it is smaller"));
        painter.forward(shown, Scales::Noted(&mut scales));
        let whole = painter.forward(canvas.input(&canvas.content), Scales::Given(scales.iter()));
        let whole = pollster::block_on(to_rgb(&job, whole, [width, height])).expect("finite");
        let tiles = pollster::block_on(canvas.paint(&painter)).expect("finite");
        let off = |(a, b): (&u8, &u8)| a.abs_diff(*b);
        let most = whole.iter().zip(&tiles).map(off).max();
        // Sums in another order, rounded: a tile that read too little is off by far more.
        assert!(most <= Some(1), "{most:?}");
        // A narrower margin is seen: the test would see a seam.
        canvas.tiling.margin = 16;
        let narrow = pollster::block_on(canvas.paint(&painter)).expect("finite");
        assert!(whole.iter().zip(&narrow).map(off).max() > Some(8));
    }
}
