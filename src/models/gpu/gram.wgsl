// Products of a matrix's rows with each other: [rows, depth] times its transpose, summed over a part of
// the depth. A workgroup makes a tile of 64 by 64, a thread 4 by 4; parts are summed afterwards.

const DEPTH = 16u;

var<workgroup> left: array<vec4<f32>, 272>;
var<workgroup> right: array<vec4<f32>, 272>;

fn rows() -> u32 { return told(0u); }
fn depth() -> u32 { return told(1u); }
// Columns that a part sums over: a multiple of DEPTH.
fn share() -> u32 { return told(2u); }
fn tiles() -> u32 { return told(3u); }

// The values of four rows from `row` on in one column; zeros beyond the last column.
fn values(row: u32, column: u32) -> vec4<f32> {
    let at = min(column, depth() - 1u);
    let last = rows() - 1u;
    let found = vec4(
        x_at(min(row, last) * depth() + at),
        x_at(min(row + 1u, last) * depth() + at),
        x_at(min(row + 2u, last) * depth() + at),
        x_at(min(row + 3u, last) * depth() + at),
    );
    return select(vec4<f32>(), found, column < depth());
}

@compute @workgroup_size(16, 16, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let part = group.y;
    let first_left = group.x / tiles() * 64u;
    let first_right = group.x % tiles() * 64u;
    let end = min((part + 1u) * share(), depth());
    var sums = mat4x4<f32>();
    for (var column = part * share(); column < end; column += DEPTH) {
        let fetched_left = values(first_left + local.y * 4u, column + local.x);
        let fetched_right = values(first_right + local.y * 4u, column + local.x);
        workgroupBarrier();
        left[local.x * 17u + local.y] = fetched_left;
        right[local.x * 17u + local.y] = fetched_right;
        workgroupBarrier();
        for (var at = 0u; at < DEPTH; at++) {
            let four = right[at * 17u + local.x];
            let by = left[at * 17u + local.y];
            sums[0] = fma(vec4(by.x), four, sums[0]);
            sums[1] = fma(vec4(by.y), four, sums[1]);
            sums[2] = fma(vec4(by.z), four, sums[2]);
            sums[3] = fma(vec4(by.w), four, sums[3]);
        }
    }
    for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
            let row = first_left + local.y * 4u + i;
            let column = first_right + local.x * 4u + j;
            if (row < rows() && column < rows()) {
                result[(part * rows() + row) * rows() + column] = sums[i][j];
            }
        }
    }
}
