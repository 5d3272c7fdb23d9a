//! Networks that make pictures from codes, with what is known of their latent spaces.

use std::rc::Rc;

use burn::tensor::{Device, Tensor, TensorData, activation};

use crate::data::batches::{one_hot_of, pictures_of};
use crate::engine::lab::Bench;
use crate::job::{Job, Reply};
use crate::models::generate::gan::Generate as _;
use crate::models::generate::latents::{Latents, SavedAutoencoder, SavedGenerator};
use crate::models::generate::shipped::{AutoencoderRow, GeneratorRow};
use crate::protocol::failure::Failure;
use crate::protocol::generative::{CodesFrom, Shipped};
use crate::protocol::picture::Picture;
use crate::protocol::picture::Sheet;

/// A network that makes pictures from codes, with its latent space as plain numbers.
pub struct LatentModel {
    /// Which one it is.
    pub shipped: &'static Shipped,
    /// The network.
    pub network: Network,
    /// See [`Latents::mean`].
    pub mean: Vec<f32>,
    /// See [`Latents::directions`].
    pub directions: Vec<f32>,
    /// See [`Latents::attributes`].
    pub attributes: Vec<f32>,
}

/// The two kinds.
pub enum Network {
    /// With an encoder.
    Autoencoder(Rc<SavedAutoencoder>),
    /// Without.
    Generator(Rc<SavedGenerator>),
}

/// The models that a lab has opened.
#[derive(Default)]
pub struct Opened(Vec<Rc<LatentModel>>);

impl Opened {
    /// A model that ships, loaded if it is not there yet.
    ///
    /// # Errors
    /// Those of [`Shelf::get`](crate::engine::shelf::Shelf::get) and [`Job::read`].
    pub async fn get(
        &mut self,
        bench: &mut Bench<'_>,
        shipped: &'static Shipped,
    ) -> Result<Rc<LatentModel>, Failure> {
        if let Some(known) = self.0.iter().find(|known| known.shipped == shipped) {
            return Ok(known.clone());
        }
        let model = Rc::new(LatentModel::open(bench, shipped).await?);
        self.0.push(model.clone());
        Ok(model)
    }
}

impl LatentModel {
    /// Loads a model that ships.
    ///
    /// # Errors
    /// Those of [`Shelf::get`](crate::engine::shelf::Shelf::get) and [`Job::read`].
    pub async fn open(bench: &mut Bench<'_>, shipped: &'static Shipped) -> Result<Self, Failure> {
        let network = match shipped.family.encodes() {
            true => {
                let row = AutoencoderRow(shipped);
                Network::Autoencoder(bench.shelf.get(bench.job, &row).await?)
            }
            false => {
                let row = GeneratorRow(shipped);
                Network::Generator(bench.shelf.get(bench.job, &row).await?)
            }
        };
        Self::new(bench.job, shipped, network).await
    }

    /// Reads the latent space of a loaded network.
    ///
    /// # Errors
    /// Those of [`Job::read`].
    pub async fn new(
        job: &Job<'_>,
        shipped: &'static Shipped,
        network: Network,
    ) -> Result<Self, Failure> {
        let latents: &Latents = match &network {
            Network::Autoencoder(saved) => &saved.latents,
            Network::Generator(saved) => &saved.latents,
        };
        let mean = job.read(latents.mean.val()).await?;
        let directions = job.read(latents.directions.val()).await?;
        let attributes = job.read(latents.attributes.val()).await?;
        Ok(Self {
            shipped,
            network,
            mean,
            directions,
            attributes,
        })
    }

    /// The code of normally distributed numbers. Those of a fitted distribution lie along its principal
    /// directions; where there is but one source, it is that.
    pub fn code(&self, noise: &[f32], from: CodesFrom) -> Vec<f32> {
        match from {
            CodesFrom::Prior if self.shipped.family.has_two_sources() => noise.to_vec(),
            CodesFrom::Prior | CodesFrom::Fitted => self.moved(self.mean.clone(), noise, &[]),
        }
    }

    /// Another code, moved along the directions, in standard deviations of the codes, and along the
    /// attributes.
    pub fn moved(&self, mut code: Vec<f32>, along: &[f32], attributes: &[f32]) -> Vec<f32> {
        let latent = code.len();
        for (rows, amounts) in [(&self.directions, along), (&self.attributes, attributes)] {
            for (row, &amount) in rows.chunks_exact(latent).zip(amounts) {
                for (value, step) in code.iter_mut().zip(row) {
                    *value += amount * step;
                }
            }
        }
        code
    }

    /// Pictures of codes, as bytes, one after the other.
    ///
    /// # Errors
    /// Those of [`Job::read`].
    pub async fn decode(
        &self,
        job: &Job<'_>,
        codes: &[Vec<f32>],
        class: u8,
        device: &Device,
    ) -> Result<Vec<u8>, Failure> {
        let latent = self.shipped.latent;
        let (side, channels) = (self.shipped.data.side(), self.shipped.data.channels());
        let mut bytes = Vec::new();
        // A chunk keeps memory bounded and the submission short.
        for chunk in codes.chunks(64) {
            let values: Vec<f32> = chunk.iter().flatten().copied().collect();
            let data = TensorData::new(values, [chunk.len(), latent]);
            let brightness = self.brightness(Tensor::from_data(data, device), class);
            let values = job.read(brightness).await?;
            bytes.extend(pictures_of(&values, side * side, chunk.len(), channels));
        }
        Ok(bytes)
    }

    /// # Shapes
    /// - `codes`: `[batch, latent]`
    /// - output: `[side * side, batch, channels]`, 0 to 1
    pub fn brightness(&self, codes: Tensor<2>, class: u8) -> Tensor<3> {
        match &self.network {
            Network::Autoencoder(saved) => {
                let network = &saved.network;
                let classes = self.shipped.data.classes();
                let [batch, _] = codes.dims();
                let one_hot = network
                    .class_shift
                    .is_some()
                    .then(|| one_hot_of(&vec![class; batch], classes, &codes.device()));
                activation::sigmoid(network.decode(codes, one_hot))
            }
            Network::Generator(saved) => (saved.network.generate(codes) + 1.0) * 0.5,
        }
    }
}

/// A sheet as one picture.
pub fn picture_of(sheet: Sheet, rgba: Vec<u8>) -> Picture {
    let (width, height) = (sheet.columns * sheet.side, sheet.rows * sheet.side);
    Picture {
        width: width as usize,
        height: height as usize,
        rgba,
    }
}

/// Pictures on a sheet of so many columns, as an answer: a [`Sheet`] and the file `rgba`.
pub fn sheet_reply(pictures: &[u8], side: usize, channels: usize, columns: usize) -> Reply {
    let (sheet, rgba) = sheet(pictures, side, channels, columns);
    Reply::new(&sheet).with("rgba", rgba)
}

/// Pictures on a sheet, RGBA: `columns` in a row.
pub fn sheet(pictures: &[u8], side: usize, channels: usize, columns: usize) -> (Sheet, Vec<u8>) {
    let each = side * side * channels;
    let count = pictures.len() / each;
    let rows = count.div_ceil(columns);
    let width = columns * side;
    let mut rgba = vec![0; width * rows * side * 4];
    for (index, picture) in pictures.chunks_exact(each).enumerate() {
        let (row, column) = (index / columns, index % columns);
        for (at, color) in picture.chunks_exact(channels).enumerate() {
            let (y, x) = (row * side + at / side, column * side + at % side);
            let pixel = &mut rgba[(y * width + x) * 4..][..4];
            let rgb = if channels == 3 {
                [color[0], color[1], color[2]]
            } else {
                [color[0]; 3]
            };
            pixel[..3].copy_from_slice(&rgb);
            pixel[3] = 255;
        }
    }
    let sheet = Sheet {
        side: side as u32,
        columns: columns as u32,
        rows: rows as u32,
    };
    (sheet, rgba)
}
