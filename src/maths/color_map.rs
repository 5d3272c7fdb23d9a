//! Colours of numbers: heat for sizes, two hues around white for signs.

/// Colour of a share between 0 and 1 on the inferno map, from five of its colours.
pub fn inferno(share: f32) -> [u8; 3] {
    const STOPS: [[f32; 3]; 5] = [
        [0.0, 0.0, 4.0],
        [87.0, 16.0, 110.0],
        [188.0, 55.0, 84.0],
        [249.0, 142.0, 9.0],
        [252.0, 255.0, 164.0],
    ];
    between(&STOPS, share.clamp(0.0, 1.0))
}

/// Colour of a number between -1 and 1: blue below zero, white at it, orange above (Okabe-Ito's blue
/// and vermilion).
pub fn diverging(value: f32) -> [u8; 3] {
    const STOPS: [[f32; 3]; 3] = [
        [0.0, 114.0, 178.0],
        [247.0, 247.0, 247.0],
        [213.0, 94.0, 0.0],
    ];
    between(&STOPS, (value.clamp(-1.0, 1.0) + 1.0) / 2.0)
}

fn between(stops: &[[f32; 3]], share: f32) -> [u8; 3] {
    let at = share * (stops.len() - 1) as f32;
    let low = (at as usize).min(stops.len() - 2);
    let mix = |c: usize| stops[low][c] + (stops[low + 1][c] - stops[low][c]) * (at - low as f32);
    [0, 1, 2].map(|channel| mix(channel).round() as u8)
}
