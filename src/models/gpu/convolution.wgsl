// A convolution as a matrix product that gathers its second factor on the way ("implicit GEMM"):
// [out, in * KERNEL * KERNEL] times [in * KERNEL * KERNEL, pixels].
//
// A workgroup makes a tile of 16 * PER_THREAD channels by 64 pixels, a thread PER_THREAD channels by 4
// pixels. DEPTH rows of both factors at a time lie in workgroup memory; the next are fetched while they
// are used.

const DEPTH = 16u;
const AREA = KERNEL * KERNEL;

// One more in a row than threads, so that those who store one column meet different banks.
var<workgroup> weights: array<vec4<f32>, 272>;
var<workgroup> pixels: array<vec4<f32>, 256>;

fn height() -> i32 { return i32(told(0u)); }
fn width() -> i32 { return i32(told(1u)); }
fn plane_in() -> u32 { return told(0u) * told(1u); }
fn channels_in() -> u32 { return told(2u); }
fn channels_out() -> u32 { return told(3u); }
fn columns_out() -> u32 { return told(4u); }
// Pixels of a map of the result, and of all maps of a channel.
fn plane_out() -> u32 { return told(5u); }
fn pixels_out() -> u32 { return told(6u); }
fn stride() -> i32 { return i32(told(7u)); }
fn above() -> i32 { return i32(told(8u)); }
fn left() -> i32 { return i32(told(9u)); }
fn activation() -> u32 { return told(10u); }

fn mirrored(at: i32, size: i32) -> i32 {
    let inside = abs(at);
    return min(inside, 2 * size - 2 - inside);
}

// The value of the map that begins at `start`, or what its border stands for. Fetched whether it counts
// or not: behind a branch each of a thread's fetches would wait for the one before.
fn pixel(start: u32, row_at: i32, column_at: i32, counts: bool) -> f32 {
    var row = row_at;
    var column = column_at;
    var inside = counts;
    if (MIRRORED == 1u) {
        row = mirrored(row, height() << DOUBLED) >> DOUBLED;
        column = mirrored(column, width() << DOUBLED) >> DOUBLED;
    } else {
        inside = inside && row >= 0 && row < height() && column >= 0 && column < width();
        row = clamp(row, 0, height() - 1);
        column = clamp(column, 0, width() - 1);
    }
    let index = start + u32(row * width() + column);
    if (GATED == 1u) {
        inside = inside && gate_at(index) > 0.0;
    }
    return select(0.0, x_at(index), inside);
}

// The weight between a result's channel and a row of the gathered factor. Beyond the last of either it is
// some weight: it meets zeros, or what comes of it is not written.
fn factor(out_at: u32, depth_at: u32) -> f32 {
    let out = min(out_at, channels_out() - 1u);
    let depth = min(depth_at, channels_in() * AREA - 1u);
    if (ADJOINT == 1u) {
        let place = (depth / AREA * channels_out() + out) * AREA;
        return weight_at(place + AREA - 1u - depth % AREA);
    }
    return weight_at(out * channels_in() * AREA + depth);
}

fn weights_of(out: u32, depth: u32) -> vec4<f32> {
    var found = vec4<f32>();
    found.x = factor(out, depth);
    if (PER_THREAD > 1u) { found.y = factor(out + 1u, depth); }
    if (PER_THREAD > 2u) {
        found.z = factor(out + 2u, depth);
        found.w = factor(out + 3u, depth);
    }
    return found;
}

// What the windows at four corners read at one row of the gathered factor.
fn pixels_of(depth_at: u32, maps: vec4<u32>, rows: vec4<i32>, columns: vec4<i32>) -> vec4<f32> {
    let counts = depth_at < channels_in() * AREA;
    let depth = min(depth_at, channels_in() * AREA - 1u);
    let starts = maps + depth / AREA * plane_in();
    let down = i32(depth % AREA / KERNEL);
    let right = i32(depth % KERNEL);
    return vec4(
        pixel(starts.x, rows.x + down, columns.x + right, counts),
        pixel(starts.y, rows.y + down, columns.y + right, counts),
        pixel(starts.z, rows.z + down, columns.z + right, counts),
        pixel(starts.w, rows.w + down, columns.w + right, counts),
    );
}

fn finish(sums: vec4<f32>, out: u32, starts: vec4<u32>, first: u32) {
    if (out >= channels_out()) {
        return;
    }
    let bias = bias_at(out);
    for (var at = 0u; at < 4u; at++) {
        if (first + at < pixels_out()) {
            let index = starts[at] + out * plane_out();
            result[index] = activated(sums[at] + bias, activation()) + added_at(index);
        }
    }
}

@compute @workgroup_size(16, 16, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let first = column_of(group, groups) * 64u + local.x * 4u;
    let out = (group.y * 16u + local.y) * PER_THREAD;
    let depths = channels_in() * AREA;

    // Where the four pixels lie: corners of their windows, starts of their maps in x and in the result.
    let numbers = min(vec4(first) + vec4(0u, 1u, 2u, 3u), vec4(pixels_out() - 1u));
    let pictures = numbers / plane_out();
    let places = numbers % plane_out();
    let rows = vec4<i32>(places / columns_out()) * stride() - above();
    let columns = vec4<i32>(places % columns_out()) * stride() - left();
    let starts_in = pictures * channels_in() * plane_in();
    let starts_out = pictures * (channels_out() * plane_out()) + places;

    var sums0 = vec4<f32>();
    var sums1 = vec4<f32>();
    var sums2 = vec4<f32>();
    var sums3 = vec4<f32>();
    var depth = 0u;
    var fetched = pixels_of(local.y, starts_in, rows, columns);
    var fetched_weights = weights_of(out, local.x);
    loop {
        workgroupBarrier();
        pixels[local.y * 16u + local.x] = fetched;
        weights[local.x * 17u + local.y] = fetched_weights;
        workgroupBarrier();
        depth += DEPTH;
        fetched = pixels_of(depth + local.y, starts_in, rows, columns);
        fetched_weights = weights_of(out, depth + local.x);
        for (var at = 0u; at < DEPTH; at++) {
            let four = pixels[at * 16u + local.x];
            let by = weights[at * 17u + local.y];
            sums0 = fma(vec4(by.x), four, sums0);
            if (PER_THREAD > 1u) { sums1 = fma(vec4(by.y), four, sums1); }
            if (PER_THREAD > 2u) {
                sums2 = fma(vec4(by.z), four, sums2);
                sums3 = fma(vec4(by.w), four, sums3);
            }
        }
        if (depth >= depths) {
            break;
        }
    }
    finish(sums0, out, starts_out, first);
    if (PER_THREAD > 1u) { finish(sums1, out + 1u, starts_out, first); }
    if (PER_THREAD > 2u) {
        finish(sums2, out + 2u, starts_out, first);
        finish(sums3, out + 3u, starts_out, first);
    }
}
