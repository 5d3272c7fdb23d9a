// Instance normalisation, first half: from the mean and the variance of each map to what its values are
// multiplied by and what is added then. A workgroup does one map.
//
// The result's first half are the factors, its second half the sums, a number for each map.

const THREADS = 256u;
const EPSILON = 1e-5;

var<workgroup> sums: array<f32, THREADS>;

fn plane() -> u32 { return told(0u); }
fn channels() -> u32 { return told(1u); }
fn maps() -> u32 { return told(2u); }
fn styles() -> u32 { return told(3u); }

// The sum of what all threads give, for each of them.
fn sum_of_all(thread: u32, value: f32) -> f32 {
    workgroupBarrier();
    sums[thread] = value;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            sums[thread] += sums[thread + half];
        }
    }
    workgroupBarrier();
    return sums[0];
}

@compute @workgroup_size(256, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let map = column_of(group, groups);
    let start = map * plane();
    let share = 1.0 / f32(plane());
    // Four sums each, so that a thread need not wait for one value before it asks for the next.
    var four = vec4<f32>();
    for (var at = local.x * 4u; at < plane(); at += 4u * THREADS) {
        four += values(start, at);
    }
    let mean = sum_of_all(local.x, four.x + four.y + four.z + four.w) * share;
    four = vec4<f32>();
    for (var at = local.x * 4u; at < plane(); at += 4u * THREADS) {
        let inside = vec4(at) + vec4(0u, 1u, 2u, 3u) < vec4(plane());
        let off = select(vec4<f32>(), values(start, at) - mean, inside);
        four = fma(off, off, four);
    }
    let variance = sum_of_all(local.x, four.x + four.y + four.z + four.w) * share;
    if (local.x == 0u && map < maps()) {
        let channel = map % channels();
        var gamma = 0.0;
        var beta = 0.0;
        for (var style = 0u; style < styles(); style++) {
            let by = select(1.0, mixture_at(style), MIXED == 1u);
            gamma += by * gamma_at(style * channels() + channel);
            beta += by * beta_at(style * channels() + channel);
        }
        let factor = gamma * inverseSqrt(variance + EPSILON);
        result[map] = factor;
        result[maps() + map] = beta - mean * factor;
    }
}

// Four values of a map, zeros beyond its end.
fn values(start: u32, at: u32) -> vec4<f32> {
    let last = plane() - 1u;
    let found = vec4(
        x_at(start + min(at, last)),
        x_at(start + min(at + 1u, last)),
        x_at(start + min(at + 2u, last)),
        x_at(start + min(at + 3u, last)),
    );
    return select(vec4<f32>(), found, vec4(at) + vec4(0u, 1u, 2u, 3u) < vec4(plane()));
}
