//! The rooms of YOLO's first grid.

use super::YOLO_V1;
use crate::labs::detect::families::Family;
use crate::labs::detect::families::on_backbone::OnePass;
use crate::methods::outputs::grid::CELLS;
use crate::models::Network;
use crate::models::detect::grid_head::{BOXES, GRID_HEAD, GridHead};
use crate::train::detector::grid::GridRecipe;

/// Which rooms, see [`Rooms`](crate::labs::detect::families::on_backbone::Rooms).
pub enum YoloV1Rooms {}

impl OnePass for YoloV1Rooms {
    type Recipe = GridRecipe;

    fn family() -> &'static Family {
        &YOLO_V1
    }

    fn heads() -> &'static Network<GridHead> {
        &GRID_HEAD
    }

    fn recipe() -> GridRecipe {
        GridRecipe::new(160)
    }

    fn grids() -> (&'static [usize], usize) {
        (&[CELLS], BOXES)
    }
}
