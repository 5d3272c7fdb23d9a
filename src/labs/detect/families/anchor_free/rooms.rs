//! The rooms of the anchor-free head.

use super::ANCHOR_FREE;
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::OnePass;
use crate::models::Network;
use crate::models::detect::anchor_free::{ANCHOR_FREE_HEAD, AnchorFree, AnchorFreeConfig};
use crate::train::detector::anchor_free::AnchorFreeRecipe;

/// Which rooms, see [`Rooms`](crate::labs::detect::families::on_backbone::Rooms).
pub enum AnchorFreeRooms {}

impl OnePass for AnchorFreeRooms {
    type Recipe = AnchorFreeRecipe;

    fn family() -> &'static Family {
        &ANCHOR_FREE
    }

    fn heads() -> &'static Network<AnchorFree> {
        &ANCHOR_FREE_HEAD
    }

    fn recipe() -> AnchorFreeRecipe {
        AnchorFreeRecipe::new(AnchorFreeConfig::new(ANCHOR_FREE.classes.len()))
    }

    fn grids() -> (&'static [usize], usize) {
        (&[40, 20, 10, 5], 1)
    }
}
