// A layer of generate/grid_conv.rs on maps [pixels, batch, channels], what it adds, and batch
// normalisation with kept statistics. A thread makes one value; neighbours share a pixel.

// The result's channels are this many, over and over: a dense layer makes all pixels of a map at once.
fn normalised() -> u32 { return told(6u); }
fn activation() -> u32 { return told(7u); }

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
    let out = index % channels_out();
    let picture = index / channels_out() % batch();
    let pixel = index / (channels_out() * batch());
    var sum = bias_at(out);
    for (var down = 0u; down < KERNEL; down++) {
        let row = source(pixel / new_side(), down) * side();
        for (var right = 0u; right < KERNEL; right++) {
            let place = row + source(pixel % new_side(), right);
            let start = (place * batch() + picture) * channels_in();
            let weights = (down * KERNEL + right) * channels_in() * channels_out() + out;
            for (var channel = 0u; channel < channels_in(); channel++) {
                sum = fma(x_at(start + channel), weight_at(weights + channel * channels_out()), sum);
            }
        }
    }
    if (NORMALISED == 1u) {
        let channel = out % normalised();
        let factor = gamma_at(channel) * inverseSqrt(variance_at(channel) + bitcast<f32>(told(8u)));
        sum = (sum - mean_at(channel)) * factor + beta_at(channel);
    }
    result[index] = activated(sum, activation());
}
