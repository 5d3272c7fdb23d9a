// One filter for each channel: a thread makes one value.

fn height() -> i32 { return i32(told(0u)); }
fn width() -> i32 { return i32(told(1u)); }
fn channels() -> u32 { return told(2u); }
fn columns_out() -> u32 { return told(3u); }
fn plane_out() -> u32 { return told(4u); }
fn values_out() -> u32 { return told(5u); }
fn stride() -> i32 { return i32(told(6u)); }
fn above() -> i32 { return i32(told(7u)); }
fn left() -> i32 { return i32(told(8u)); }
fn activation() -> u32 { return told(9u); }

@compute @workgroup_size(256, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let index = column_of(group, groups) * 256u + local.x;
    if (index >= values_out()) {
        return;
    }
    let map = index / plane_out();
    let channel = map % channels();
    let place = index % plane_out();
    let row = i32(place / columns_out()) * stride() - above();
    let column = i32(place % columns_out()) * stride() - left();
    let start = i32(map) * height() * width();
    var sum = bias_at(channel);
    for (var down = 0; down < i32(KERNEL); down++) {
        let at_row = row + down;
        if (at_row < 0 || at_row >= height()) {
            continue;
        }
        for (var right = 0; right < i32(KERNEL); right++) {
            let at_column = column + right;
            if (at_column >= 0 && at_column < width()) {
                let tap = (channel * KERNEL + u32(down)) * KERNEL + u32(right);
                sum = fma(weight_at(tap), x_at(u32(start + at_row * width() + at_column)), sum);
            }
        }
    }
    result[index] = activated(sum, activation()) + added_at(index);
}
