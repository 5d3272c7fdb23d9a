// Sums of products of two tensors' values: a workgroup sums every so manieth stretch of 256.

const THREADS = 256u;

var<workgroup> sums: array<f32, THREADS>;

fn values() -> u32 { return told(0u); }

@compute @workgroup_size(256, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    var sum = 0.0;
    for (var at = group.x * THREADS + local.x; at < values(); at += groups.x * THREADS) {
        sum = fma(a_at(at), b_at(at), sum);
    }
    sums[local.x] = sum;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local.x < half) {
            sums[local.x] += sums[local.x + half];
        }
    }
    if (local.x == 0u) {
        result[group.x] = sums[0];
    }
}
