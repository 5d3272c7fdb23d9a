// What all three shaders of a grid are told (`GridLayer::told`).
fn side() -> u32 { return told(0u); }
fn new_side() -> u32 { return told(1u); }
fn batch() -> u32 { return told(2u); }
fn channels_in() -> u32 { return told(3u); }
fn channels_out() -> u32 { return told(4u); }
// Of what the shader makes.
fn values() -> u32 { return told(5u); }

// The numbers of `Step` in generate/grid_conv.rs.
const SAME = 0u;
const HALF = 1u;
const DOUBLE = 2u;

// The row (or column) of the map that a tap reads; outside, the nearest counts.
fn source(at: u32, tap: u32) -> u32 {
    let offset = i32(tap) - i32(KERNEL / 2u);
    let last = i32(side()) - 1;
    switch STEP {
        case HALF: { return u32(clamp(2 * i32(at) + offset, 0, last)); }
        case DOUBLE: { return u32(clamp(i32(at) + offset, 0, 2 * last + 1)) / 2u; }
        default: { return u32(clamp(i32(at) + offset, 0, last)); }
    }
}

