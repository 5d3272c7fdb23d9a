//! The small classifier whose features and certainties the scores of this lab are computed on.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};

use super::grid_conv::{GridConv, GridConvConfig, Step};
use crate::protocol::generative::{DataSet, classifier_of};

/// Features that the last layer reads.
pub const FEATURES: usize = 84;

/// Configuration of a [`LeNet`].
#[derive(Config, Debug)]
pub struct LeNetConfig {
    /// Classes.
    pub classes: usize,
}

/// LeNet-5 with strides for its subsampling, rectifiers, and 16 and 32 channels instead of 6 and 16.
///
/// # Reference
/// LeCun, Bottou, Bengio and Haffner 1998, "Gradient-Based Learning Applied to Document
/// Recognition".
#[derive(Module, Debug)]
pub struct LeNet {
    /// 5x5, to 16 and 32 channels; each halves the side: 28, 14, 7.
    pub convs: Vec<GridConv>,
    /// To 120, to [`FEATURES`], to the classes.
    pub dense: Vec<GridConv>,
}

impl LeNetConfig {
    /// A classifier of zeros.
    pub fn init(&self, device: &Device) -> LeNet {
        let conv = |inputs, out| {
            GridConvConfig::new([inputs, out])
                .with_kernel(5)
                .with_step(Step::Half)
                .init(device)
        };
        let dense = |inputs, out| {
            GridConvConfig::new([inputs, out])
                .with_kernel(1)
                .init(device)
        };
        LeNet {
            convs: vec![conv(1, 16), conv(16, 32)],
            dense: vec![
                dense(7 * 7 * 32, 120),
                dense(120, FEATURES),
                dense(FEATURES, self.classes),
            ],
        }
    }
}

impl LeNet {
    /// What the last layer reads, after its rectifier.
    ///
    /// # Shapes
    /// - input: `[784, batch, 1]`, brightness from 0 to 1
    /// - output: `[batch, FEATURES]`
    pub fn features(&self, pictures: Tensor<3>) -> Tensor<2> {
        let mut x = pictures * 2.0 - 1.0;
        let mut side = 28;
        for conv in &self.convs {
            x = activation::relu(conv.forward(x, side));
            side = conv.step.side(side);
        }
        let [pixels, batch, channels] = x.dims();
        let mut x = x.swap_dims(0, 1).reshape([1, batch, pixels * channels]);
        for dense in &self.dense[..2] {
            x = activation::relu(dense.forward(x, 1));
        }
        x.squeeze_dim(0)
    }

    /// From [`features`](Self::features) to logits `[batch, classes]`.
    pub fn classify(&self, features: Tensor<2>) -> Tensor<2> {
        self.dense[2]
            .forward(features.unsqueeze_dim(0), 1)
            .squeeze_dim(0)
    }
}
/// The shipped classifier of a data set; none of avatars.
pub fn lenet(data: DataSet) -> Option<crate::models::Network<LeNet>> {
    Some(crate::models::Network {
        name: classifier_of(data)?,
        init: |device| LeNetConfig::new(10).init(device),
    })
}
