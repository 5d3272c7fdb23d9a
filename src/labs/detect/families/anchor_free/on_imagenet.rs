//! The rooms of the anchor-free head on the backbone as ImageNet left it.

use super::ON_IMAGENET;
use super::rooms::AnchorFreeRooms;
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::{OnePass, Origin};
use crate::models::Network;
use crate::models::detect::anchor_free::{ANCHOR_FREE_HEAD_ON_IMAGENET, AnchorFree};
use crate::train::detector::anchor_free::AnchorFreeRecipe;

/// Which rooms, see [`Rooms`](crate::labs::detect::families::on_backbone::Rooms).
pub enum OnImageNet {}

/// Its rooms and settings are the other's.
impl OnePass for OnImageNet {
    type Recipe = AnchorFreeRecipe;
    const ORIGIN: Origin = Origin::ImageNet;

    fn family() -> &'static Family {
        &ON_IMAGENET
    }

    fn heads() -> &'static Network<AnchorFree> {
        &ANCHOR_FREE_HEAD_ON_IMAGENET
    }

    fn recipe() -> AnchorFreeRecipe {
        AnchorFreeRooms::recipe()
    }

    fn grids() -> (&'static [usize], usize) {
        AnchorFreeRooms::grids()
    }
}
