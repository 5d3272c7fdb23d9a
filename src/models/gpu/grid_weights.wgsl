// From a gradient on the result of a layer of generate/grid_conv.rs to those on its weights, and on its
// bias behind them. A thread makes one value, from a part of the pixels; parts are summed afterwards.

// Pixels of the result in a part.
fn share() -> u32 { return told(6u); }

@compute @workgroup_size(256, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let index = group.x * 256u + local.x;
    if (index >= values()) {
        return;
    }
    let out = index % channels_out();
    let channel = index / channels_out() % channels_in();
    let tap = index / (channels_out() * channels_in());
    let end = min((group.y + 1u) * share(), new_side() * new_side());
    var sum = 0.0;
    for (var pixel = group.y * share(); pixel < end; pixel++) {
        let row = source(pixel / new_side(), tap / KERNEL);
        let column = source(pixel % new_side(), tap % KERNEL);
        let read = (row * side() + column) * batch() * channels_in() + channel;
        let made = pixel * batch() * channels_out() + out;
        for (var picture = 0u; picture < batch(); picture++) {
            let gradient = gradient_at(made + picture * channels_out());
            if (tap < KERNEL * KERNEL) {
                sum = fma(x_at(read + picture * channels_in()), gradient, sum);
            } else {
                sum += gradient;
            }
        }
    }
    result[group.y * values() + index] = sum;
}
