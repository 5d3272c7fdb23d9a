//! The networks that can be looked into: their layers by name, with what a place of a map sees.

use super::imagenet;

/// A layer that has a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// Its name.
    pub name: &'static str,
    /// Channels of its map.
    pub channels: usize,
    /// Pixels of the picture from one place of the map to the next.
    pub stride: usize,
    /// Side in pixels of the part of the picture that a place can see (Araujo et al. 2019, "Computing Receptive Fields
    /// of Convolutional Neural Networks").
    pub field: usize,
}

/// A network that can be looked into.
#[derive(Debug, PartialEq, Eq)]
pub struct Layers {
    /// Its name in the manifest.
    pub network: &'static str,
    /// From the picture on.
    pub layers: &'static [Layer],
    /// Names of the classes that it tells apart; none where it has no classifier.
    pub classes: &'static [&'static str],
    /// Side of the square, grey pictures that it sees; none where it sees pictures of any shape in colours.
    pub side: Option<usize>,
}

impl Layers {
    /// The number of a layer, by its name or as text.
    pub fn find(&self, name: &str) -> Option<usize> {
        let named = self.layers.iter().position(|layer| layer.name == name);
        named.or_else(|| {
            name.parse()
                .ok()
                .filter(|&number| number < self.layers.len())
        })
    }
}

/// What a layer does, as its field is reckoned: side of the kernel, stride, channels.
type Step = (&'static str, usize, usize, usize);

const fn reckoned<const N: usize>(steps: [Step; N]) -> [Layer; N] {
    let mut layers = [Layer {
        name: "",
        channels: 0,
        stride: 1,
        field: 1,
    }; N];
    let (mut stride, mut field) = (1, 1);
    let mut index = 0;
    while index < N {
        let (name, kernel, step, channels) = steps[index];
        field += (kernel - 1) * stride;
        stride *= step;
        layers[index] = Layer {
            name,
            channels,
            stride,
            field,
        };
        index += 1;
    }
    layers
}

/// EfficientNet-Lite0: stem, 16 inverted residuals, head.
pub static EFFICIENTNET_LITE0: Layers = Layers {
    network: "efficientnet-lite0",
    layers: &reckoned([
        ("stem", 3, 2, 32),
        ("block1", 3, 1, 16),
        ("block2", 3, 2, 24),
        ("block3", 3, 1, 24),
        ("block4", 5, 2, 40),
        ("block5", 5, 1, 40),
        ("block6", 3, 2, 80),
        ("block7", 3, 1, 80),
        ("block8", 3, 1, 80),
        ("block9", 5, 1, 112),
        ("block10", 5, 1, 112),
        ("block11", 5, 1, 112),
        ("block12", 5, 2, 192),
        ("block13", 5, 1, 192),
        ("block14", 5, 1, 192),
        ("block15", 5, 1, 192),
        ("block16", 3, 1, 320),
        ("head", 1, 1, 1280),
    ]),
    classes: imagenet::NAMES,
    side: None,
};

const fn vgg16() -> [Layer; 13] {
    // A pooling by two is before the first convolution of each later group.
    let names = [
        "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv4_1",
        "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3",
    ];
    let mut layers = [Layer {
        name: "",
        channels: 0,
        stride: 1,
        field: 1,
    }; 13];
    let (mut stride, mut field, mut channels) = (1, 1, 64);
    let mut index = 0;
    while index < 13 {
        if matches!(index, 2 | 4 | 7 | 10) {
            field += stride;
            stride *= 2;
            if channels < 512 {
                channels *= 2;
            }
        }
        field += 2 * stride;
        layers[index] = Layer {
            name: names[index],
            channels,
            stride,
            field,
        };
        index += 1;
    }
    layers
}

/// The convolutions of VGG-16; no classifier.
pub static VGG16: Layers = Layers {
    network: "vgg16",
    layers: &vgg16(),
    classes: &[],
    side: None,
};

/// LeNet's layers: two convolutions of 5x5 that halve the side, and two dense layers, which see all.
const LENET: &[Layer] = &{
    let [first, second] = reckoned([("conv1", 5, 2, 16), ("conv2", 5, 2, 32)]);
    [first, second, dense("dense1", 120), dense("dense2", 84)]
};

/// Side of the pictures that it sees.
const LENET_SIDE: usize = 28;

const fn dense(name: &'static str, channels: usize) -> Layer {
    Layer {
        name,
        channels,
        stride: LENET_SIDE,
        field: LENET_SIDE,
    }
}

/// LeNet that knows digits.
pub static LENET_DIGITS: Layers = Layers {
    network: "lenet-digits",
    layers: LENET,
    classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    side: Some(LENET_SIDE),
};

/// LeNet that knows clothes.
pub static LENET_FASHION: Layers = Layers {
    network: "lenet-fashion-mnist",
    layers: LENET,
    classes: &[
        "T-shirt or top",
        "trousers",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ],
    side: Some(LENET_SIDE),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_by_hand() {
        let of = |network: &Layers, name| {
            let layer = network.layers[network.find(name).expect("a layer")];
            (layer.channels, layer.stride, layer.field)
        };
        // 3; 3 + 2 * 2 = 7; + 2 * 2 = 11, then strides of 4.
        assert_eq!(of(&EFFICIENTNET_LITE0, "stem"), (32, 2, 3));
        assert_eq!(of(&EFFICIENTNET_LITE0, "block2"), (24, 4, 11));
        assert_eq!(of(&EFFICIENTNET_LITE0, "block3"), (24, 4, 19));
        assert_eq!(of(&EFFICIENTNET_LITE0, "head").0, 1280);
        // As often written down: 3, 5, 10, 14, 24, 32, 40, 60, ... 196 with pooling by two.
        let fields: Vec<_> = VGG16.layers.iter().map(|layer| layer.field).collect();
        assert_eq!(
            fields,
            [3, 5, 10, 14, 24, 32, 40, 60, 76, 92, 132, 164, 196]
        );
        assert_eq!(of(&VGG16, "conv3_1").0, 256);
        assert_eq!(VGG16.find("3"), Some(3));
        assert_eq!(VGG16.find("13"), None);
    }
}
