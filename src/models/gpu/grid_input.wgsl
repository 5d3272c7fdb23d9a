// From a gradient on the result of a layer of generate/grid_conv.rs to one on what it read. A thread makes
// one value: it asks each tap of the kernel which of the result's pixels read this one.

// The rows of the result that may read a row: from the first to before the second.
fn readers(at: u32) -> vec2<u32> {
    let reach = i32(KERNEL);
    var centre = i32(at);
    if (STEP == HALF) { centre = centre / 2; }
    if (STEP == DOUBLE) { centre = centre * 2; }
    let last = i32(new_side());
    return vec2(u32(clamp(centre - reach, 0, last)), u32(clamp(centre + reach + 1, 0, last)));
}

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
    let channel = index % channels_in();
    let picture = index / channels_in() % batch();
    let pixel = index / (channels_in() * batch());
    let rows = readers(pixel / side());
    let columns = readers(pixel % side());
    var sum = 0.0;
    for (var down = 0u; down < KERNEL; down++) {
        for (var row = rows.x; row < rows.y; row++) {
            if (source(row, down) != pixel / side()) {
                continue;
            }
            for (var right = 0u; right < KERNEL; right++) {
                let weights = ((down * KERNEL + right) * channels_in() + channel) * channels_out();
                for (var column = columns.x; column < columns.y; column++) {
                    if (source(column, right) != pixel % side()) {
                        continue;
                    }
                    let place = row * new_side() + column;
                    let start = (place * batch() + picture) * channels_out();
                    for (var out = 0u; out < channels_out(); out++) {
                        sum = fma(gradient_at(start + out), weight_at(weights + out), sum);
                    }
                }
            }
        }
    }
    result[index] = sum;
}
