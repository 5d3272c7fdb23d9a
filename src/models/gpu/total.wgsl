// The sum of the parts of a result, times a number.

fn values() -> u32 { return told(0u); }
fn parts() -> u32 { return told(1u); }
fn scale() -> f32 { return bitcast<f32>(told(2u)); }

@compute @workgroup_size(256, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let index = column_of(group, groups) * 256u + local.x;
    if (index >= values()) {
        return;
    }
    var sum = 0.0;
    for (var part = 0u; part < parts(); part++) {
        sum += x_at(part * values() + index);
    }
    result[index] = sum * scale();
}
