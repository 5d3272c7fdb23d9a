//! Where each style has its tile.

use crate::labs::stylize::spec::STYLES;

/// Tiles in a row of `styles.jpg`, which `tools/style_sheet.py` makes.
const SHEET_COLUMNS: usize = 13;

/// Where the tile of a style lies in the sheet, as CSS wants it.
pub fn tile_position(index: usize) -> String {
    let (column, row) = (index % SHEET_COLUMNS, index / SHEET_COLUMNS);
    let x = column as f32 / (SHEET_COLUMNS - 1) as f32 * 100.0;
    let y = row as f32 / (STYLES.div_ceil(SHEET_COLUMNS) - 1).max(1) as f32 * 100.0;
    format!("{x:.2}% {y:.2}%")
}
