//! R-CNN's rooms with an ImageNet classifier in place of the machines.

use std::borrow::Cow;
use std::rc::Rc;

use burn::tensor::Device;
use burn::tensor::activation::softmax;

use super::OPEN as FAMILY;
use crate::engine::shelf::Shelf;
use crate::job::{Job, Promise};
use crate::labs::detect::detector::AnyDetector;
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_regions::{Named, OnSearch, Rooms, Searched, crops_of, of_crop};
use crate::labs::detect::spec::DetectSettings;
use crate::maths::boxes::Corners;
use crate::methods::outputs::Places;
use crate::methods::outputs::votes::agreed;
use crate::methods::warp::Sheet;
use crate::models::efficientnet_lite::{EFFICIENTNET_LITE0, EfficientNetLite};
use crate::protocol::failure::Failure;

/// Where the crops go.
struct BySoftmax(Device);

/// See [`Family::load`].
pub(super) fn load<'a>(
    shelf: &'a mut Shelf,
    job: &'a Job<'_>,
    settings: &'a DetectSettings,
) -> Promise<'a, Result<Box<dyn AnyDetector>, Failure>> {
    Box::pin(async move {
        let networks = shelf.get(job, &EFFICIENTNET_LITE0).await?;
        let device = shelf.device();
        let rooms = Rooms::new(device, networks, BySoftmax(device.clone()), settings);
        Ok(Box::new(rooms) as Box<dyn AnyDetector>)
    })
}

impl OnSearch for BySoftmax {
    type Networks = Rc<EfficientNetLite>;
    /// Nothing that was computed: the picture.
    type Features = Sheet;
    const TOGETHER: usize = 8;
    const GRIDS: &'static [&'static [usize]] = &[];
    /// A tabby is a tiger cat, too.
    const AMONG_ALL: bool = true;

    fn family() -> &'static Family {
        &FAMILY
    }

    fn maps() -> Vec<usize> {
        Vec::new()
    }

    /// A softmax without a class for nothing is sure of every patch. An object is called the same by the boxes around it, too.
    fn settled(said: &Places) -> Cow<'_, Places> {
        Cow::Owned(agreed(said))
    }

    async fn features(
        _: &Rc<EfficientNetLite>,
        _: &Job<'_>,
        searched: &Searched,
    ) -> Result<Sheet, Failure> {
        Ok(Sheet::of(&searched.picture, searched.square.size))
    }

    async fn name(
        &self,
        network: &Rc<EfficientNetLite>,
        job: &Job<'_>,
        sheet: &Sheet,
        regions: &[Corners],
    ) -> Result<Named, Failure> {
        let scores = if regions.is_empty() {
            Vec::new()
        } else {
            let crops = crops_of(sheet, regions, &self.0);
            job.read(softmax(network.forward(crops), 1)).await?
        };
        Ok(Named {
            places: Places {
                starts: regions.to_vec(),
                // It was never taught to move a box.
                boxes: regions.to_vec(),
                sure: Vec::new(),
                scores,
                classes: FAMILY.classes.len(),
            },
            reads: regions.iter().map(|of| vec![of_crop(*of)]).collect(),
            bins: Vec::new(),
            roi: Vec::new(),
        })
    }
}
