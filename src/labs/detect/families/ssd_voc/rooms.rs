//! SSD's rooms.

use super::SSD_VOC;
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::OnePass;
use crate::methods::outputs::ssd::{DEFAULT_BOXES, SHAPES};
use crate::models::Network;
use crate::models::detect::ssd_head::{SSD_HEAD, SsdHead};
use crate::train::detector::ssd::SsdRecipe;

/// Which rooms, see [`Rooms`](crate::labs::detect::families::on_backbone::Rooms).
pub enum SsdRooms {}

impl OnePass for SsdRooms {
    type Recipe = SsdRecipe;

    fn family() -> &'static Family {
        &SSD_VOC
    }

    fn heads() -> &'static Network<SsdHead> {
        &SSD_HEAD
    }

    fn recipe() -> SsdRecipe {
        SsdRecipe::new(96)
    }

    fn grids() -> (&'static [usize], usize) {
        (DEFAULT_BOXES.cells, SHAPES)
    }
}
