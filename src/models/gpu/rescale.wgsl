// Instance normalisation, second half: each value times the factor of its map, plus its sum.

fn plane() -> u32 { return told(0u); }
fn maps() -> u32 { return told(1u); }
fn values() -> u32 { return told(2u); }
fn activation() -> u32 { return told(3u); }

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
    let map = index / plane();
    let value = fma(x_at(index), scales_at(map), scales_at(maps() + map));
    result[index] = activated(value, activation()) + added_at(index);
}
