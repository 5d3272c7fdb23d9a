//! The stages of a detector as pictures: where it looks, what a first step proposes, what is left.

use super::annotate::{Canvas, frames};
use super::families::FAMILIES;
use super::spec::{Answer, Grid, Inside};
use crate::job::Reply;
use crate::maths::boxes::Corners;
use crate::maths::color_map::inferno;
use crate::protocol::picture::Picture;

/// Proposals that are drawn.
const MOST: usize = 20;

/// The names that pictures get, and the pictures.
pub type Pictures = Vec<(String, Picture)>;

/// From the answer to a run, with what lies beside it.
pub fn pictures(picture: &Picture, answer: &Answer, reply: &Reply) -> Pictures {
    let Some(inside) = &answer.inside else {
        return Vec::new();
    };
    let scores = floats(reply.file("scores"));
    let mut all: Pictures = inside
        .grids
        .iter()
        .map(|grid| (format!("cells-{}", grid.columns), heat(picture, inside, grid, &scores)))
        .collect();
    if let Some(proposals) = &inside.proposals {
        let of = |wanted: &dyn Fn(Option<usize>) -> bool| -> Vec<Corners> {
            let kept = proposals.all.iter().filter(|of| wanted(of.region));
            kept.map(|of| of.box_in_image).take(MOST).collect()
        };
        all.push(("proposals-before".into(), frames(picture, &of(&|_| true))));
        all.push(("proposals".into(), frames(picture, &of(&|region| region.is_some()))));
    }
    let family = FAMILIES[answer.family];
    let merged = answer.detections.merged(family);
    let candidates = answer.detections.candidates.iter().enumerate();
    let before: Vec<Corners> = candidates
        .filter(|(at, _)| !merged.contains(at))
        .map(|(_, found)| found.box_in_image)
        .collect();
    all.push(("before-suppression".into(), frames(picture, &before)));
    let boxes = super::annotate::draw(picture, &answer.detections, family);
    all.push(("boxes".into(), boxes));
    all
}

/// Little-endian numbers.
fn floats(bytes: &[u8]) -> Vec<f32> {
    let all = bytes.as_chunks::<4>().0.iter();
    all.map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// Each cell in the colour of its best score, half over the picture.
fn heat(picture: &Picture, inside: &Inside, grid: &Grid, scores: &[f32]) -> Picture {
    let mut canvas = Canvas::of(picture);
    let ([across, down], [left, upper]) = (grid.step, grid.origin);
    let each = grid.each * inside.classes;
    for cell in 0..grid.columns * grid.rows {
        let first = grid.first * inside.classes + cell * each;
        let of_cell = scores.get(first..first + each).unwrap_or(&[]);
        let best = of_cell.iter().copied().fold(0.0, f32::max);
        let [column, row] = [cell % grid.columns, cell / grid.columns].map(|at| at as f32);
        let [x, y] = [left + column * across, upper + row * down];
        let edges = [x, y, x + across, y + down];
        canvas.tint(edges.map(|at| at.round() as i64), inferno(best), 0.55);
    }
    canvas.picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_tinted_by_their_best_score() {
        let picture = Picture::new(4, 2, [0, 0, 0, 255].repeat(8)).unwrap();
        let grid = Grid {
            columns: 2,
            rows: 1,
            step: [2.0, 2.0],
            origin: [0.0; 2],
            first: 0,
            each: 1,
        };
        let inside = Inside {
            grids: vec![grid.clone()],
            classes: 2,
            proposals: None,
        };
        let drawn = heat(&picture, &inside, &grid, &[0.0, 0.0, 0.2, 1.0]);
        let at = |x: usize| drawn.rgba[4 * x] as i32;
        assert!(at(0) < 5 && at(3) > 100, "{:?}", drawn.rgba);
    }
}
