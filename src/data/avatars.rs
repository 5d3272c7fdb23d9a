//! What the labels of avatars mean, and attributes made of them.

use super::pack::Pack;
use crate::protocol::generative::ATTRIBUTES_OF_AVATARS;

/// Which label is which, in the order of `tools/data/avatars.mjs`.
const HAIR: usize = 0;
const HAIR_COLOR: usize = 1;
const SKIN: usize = 2;
const EYES: usize = 3;
const MOUTH: usize = 4;
const ACCESSORY: usize = 5;

/// Attributes of an avatar as numbers, in the order of [`ATTRIBUTES_OF_AVATARS`].
pub fn attributes(pack: &Pack, index: usize) -> [f32; ATTRIBUTES_OF_AVATARS.len()] {
    let label = |which| usize::from(pack.label(index, which));
    let accessory = label(ACCESSORY);
    [
        // Black, dark brown, brown, blond; purple, teal, orange, yellow.
        [-1.0, -0.7, 0.0, 1.0, 0.0, 0.0, 0.3, 0.8][label(HAIR_COLOR) % 8],
        [0.0, 0.0, 0.2, 0.3, -1.0, -1.0, 1.0, 0.8][label(HAIR_COLOR) % 8],
        // Short, mohawk, wavy bob, bowl, curly bob, straight, braids, shaved, bun, fro bun, bangs, half
        // shaved, curly short.
        [
            -0.7, -0.8, 0.6, -0.2, 0.8, 1.0, 1.0, -1.0, 0.0, 0.0, 0.5, 0.0, -0.4,
        ][label(HAIR) % 13],
        label(SKIN) as f32 / 7.0,
        f32::from(u8::from(accessory == 1)),
        f32::from(u8::from(accessory == 2)),
        // Open smile, unimpressed, gap smile, open and sad, teeth, awkward, braces, kawaii.
        [1.0, -0.8, 0.8, -1.0, 0.8, 0.0, 0.6, 0.5][label(MOUTH) % 8],
        // Cheery, normal, confused, starstruck, winking, sleepy, sad, angry.
        [-0.3, 0.5, 0.5, 1.0, -0.2, -1.0, 0.3, 0.3][label(EYES) % 8],
    ]
}
