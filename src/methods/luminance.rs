//! Brightness apart from colour.

/// Weights of red, green and blue in brightness (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Brightness of an sRGB pixel, 0 to 255.
pub fn luma(pixel: [u8; 3]) -> f32 {
    pixel
        .iter()
        .zip(LUMA)
        .map(|(&value, weight)| f32::from(value) * weight)
        .sum()
}

/// The brightness of one pixel with the colour of another: the other's chroma (Cb and Cr) stays,
/// which is the same as moving its three channels by the difference in brightness.
///
/// # Reference
/// Gatys, Bethge, Hertzmann and Shechtman 2016, "Preserving Color in Neural Artistic Style
/// Transfer", luminance-only transfer.
pub fn with_colors_of(brightness: [u8; 3], color: [u8; 3]) -> [u8; 3] {
    let shift = luma(brightness) - luma(color);
    color.map(|value| (f32::from(value) + shift).round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_is_as_bright_as_can_be() {
        assert!((luma([255, 255, 255]) - 255.0).abs() < 1e-3);
        assert!((luma([0, 255, 0]) - 149.685).abs() < 1e-3);
    }

    #[test]
    fn colours_move_by_the_difference_in_brightness() {
        // Luma of the colour: 0.299 * 100 + 0.587 * 50 + 0.114 * 10 = 60.39; 80 - 60.39 = 19.61.
        assert_eq!(with_colors_of([80, 80, 80], [100, 50, 10]), [120, 70, 30]);
        assert_eq!(
            with_colors_of([255, 255, 255], [255, 0, 0]),
            [255, 179, 179]
        );
    }
}
