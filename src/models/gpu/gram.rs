//! Matrix products of few rows and many columns.

use burn::tensor::Tensor;

use super::super::convolution::{Border, Convolution};
use super::dot::total;
use super::launch::{Shader, body, launch, on_gpu};

/// Rows and columns of the result that a workgroup makes.
const TILE: usize = 64;
/// Columns that are fetched at a time.
const DEPTH: usize = 16;
/// Workgroups that keep a large GPU busy: a small result is summed in as many parts.
const ENOUGH_GROUPS: usize = 128;
/// A matrix `[rows, depth]` times its transpose times `scale`: `[rows, rows]`. `None` without a GPU.
///
/// With few rows there is little to do at once but along the depth, so that parts of it are summed apart.
pub fn gram(x: &Tensor<2>, scale: f32) -> Option<Tensor<2>> {
    let [rows, depth] = x.dims();
    let tiles = rows.div_ceil(TILE);
    let wanted = ENOUGH_GROUPS.div_ceil(tiles * tiles);
    let share = depth.div_ceil(wanted).next_multiple_of(DEPTH);
    let parts = depth.div_ceil(share);
    let products = Shader {
        body: body!("gram"),
        constants: vec![],
        inputs: vec![("x", true)],
        threads: [16, 16],
        told: 4,
    };
    let told = [rows, depth, share, tiles].map(|number| number as u32);
    let groups = [tiles * tiles, parts];
    let there = vec![on_gpu(x)?];
    let summed: Tensor<3> = launch(products, there, told.to_vec(), groups, [parts, rows, rows]);
    total(&summed, scale, [rows, rows])
}

/// A product `[out, in]` times `[in, columns]`: a convolution with a kernel of one. `None` without a GPU.
pub fn product(left: &Tensor<2>, right: &Tensor<2>) -> Option<Tensor<2>> {
    let [out, channels] = left.dims();
    let [_, columns] = right.dims();
    let weight = left.clone().reshape([out, channels, 1, 1]);
    let map = right.clone().reshape([1, channels, 1, columns]);
    let border = Border::Zeros { above: 0, left: 0 };
    let y = Convolution::new(&weight, border, [1, columns]).run(&map)?;
    Some(y.reshape([out, columns]))
}
