//! Points in space as a PLY file, which most viewers of such things read.

/// Little-endian `f32`: `x y z`, or `x y z r g b` with colours in `0..=1`.
pub(super) fn ply(points: &[u8], coloured: bool) -> Vec<u8> {
    let floats = if coloured { 6 } else { 3 };
    let points = points.chunks_exact(4 * floats);
    let mut head = format!(
        "ply\nformat binary_little_endian 1.0\nelement vertex {}\n",
        points.len()
    );
    head.push_str("property float x\nproperty float y\nproperty float z\n");
    if coloured {
        head.push_str("property uchar red\nproperty uchar green\nproperty uchar blue\n");
    }
    head.push_str("end_header\n");
    let mut out = head.into_bytes();
    for point in points {
        let (place, colour) = point.split_at(12);
        out.extend_from_slice(place);
        for channel in colour.chunks_exact(4) {
            let value = <[u8; 4]>::try_from(channel).map_or(0.0, f32::from_le_bytes);
            out.push((value.clamp(0.0, 1.0) * 255.0).round() as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_bytes() {
        let point = [1.0f32, 2.0, 3.0, 0.0, 0.5, 1.0];
        let bytes: Vec<u8> = point.iter().flat_map(|v| v.to_le_bytes()).collect();
        let file = ply(&bytes, true);
        assert!(file.starts_with(b"ply\nformat binary_little_endian 1.0\nelement vertex 1\n"));
        assert_eq!(&file[file.len() - 15..file.len() - 3], &bytes[..12]);
        assert_eq!(&file[file.len() - 3..], &[0, 128, 255]);
    }
}
