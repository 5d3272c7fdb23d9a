// What the host tells at each launch, by its place.
fn told(index: u32) -> u32 {
    return told_rows[index / 4u][index % 4u];
}

// The column of a workgroup, where columns go on in layers (launch.rs).
fn column_of(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.z * groups.x + group.x;
}

// The functions of activation.rs by their codes.
fn activated(x: f32, code: u32) -> f32 {
    switch code {
        case 1u: { return max(x, 0.0); }
        case 2u: { return clamp(x, 0.0, 6.0); }
        case 3u: { return x * clamp(x + 3.0, 0.0, 6.0) / 6.0; }
        case 4u: { return 1.0 / (1.0 + exp(-x)); }
        default: { return x; }
    }
}
