//! A scanned hall: points with colours, as a binary PLY file.

use crate::{
    Dice,
    canvas::{between, rgb},
};

/// A point: three coordinates of four bytes and three colours of one.
const POINT_BYTES: usize = 15;

/// The floor, walls and columns of a hall as a laser sees them, in this many points: 15 bytes each.
pub fn scan(points: usize, seed: u64) -> Vec<u8> {
    let mut file = Vec::with_capacity(points * POINT_BYTES + 400);
    file.extend_from_slice(
        format!(
            "ply\nformat binary_little_endian 1.0\ncomment hall scan, metres\nelement vertex {points}\n\
             property float x\nproperty float y\nproperty float z\n\
             property uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n"
        )
        .as_bytes(),
    );
    let dice = &mut Dice::new(seed);
    let (long, wide, high) = (38.0, 17.0, 8.5);
    for _ in 0..points {
        let (x, y, z, colour) = match dice.below(10) {
            0..4 => (dice.between(0.0, long), dice.between(0.0, wide), 0.0, rgb(0x8d7f6c)),
            4..6 => (dice.between(0.0, long), 0.0, dice.between(0.0, high), rgb(0xd8d2c4)),
            6..8 => (dice.between(0.0, long), wide, dice.between(0.0, high), rgb(0xcfc8b8)),
            8 => (dice.between(0.0, long), dice.between(0.0, wide), high, rgb(0x6a5a48)),
            _ => {
                let (column, side) = (dice.below(7) as f32, dice.below(2) as f32);
                let angle = dice.between(0.0, std::f32::consts::TAU);
                let (x, y) = (3.0 + column * 5.3 + 0.3 * angle.cos(), 4.0 + side * 9.0 + 0.3 * angle.sin());
                (x, y, dice.between(0.0, high), rgb(0x4a5560))
            }
        };
        // A scanner is right to some millimetres.
        for coordinate in [x, y, z] {
            let seen: f32 = coordinate + dice.between(-0.004, 0.004);
            file.extend_from_slice(&seen.to_le_bytes());
        }
        let shade = between(colour, rgb(0x000000), 0.3 * dice.between(0.0, 1.0) + 0.15 * (1.0 - z / high));
        file.extend(shade.map(|channel| channel as u8));
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_what_the_header_says() {
        let file = scan(1000, 4);
        let end = b"end_header\n";
        let head = file.windows(end.len()).position(|window| window == end).expect("a header") + end.len();
        assert_eq!(file.len() - head, 1000 * POINT_BYTES);
        assert_eq!(file, scan(1000, 4));
        assert_ne!(file, scan(1000, 5));
    }
}
