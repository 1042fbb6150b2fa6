//! Arithmetic in GF(2^8) with polynomial 0x11d, and the matrices of the code.
//!
//! Field and matrix are those of the Backblaze, klauspost/reedsolomon and `reed-solomon-erasure` implementations, so
//! parity written by one can be read by any other.

use base::limits::DATA_PARTS;

/// x^8 + x^4 + x^3 + x^2 + 1, without its highest term.
const POLYNOMIAL: u8 = 0x1d;

/// Coefficients of one output over the inputs. Codes with fewer inputs leave the last ones zero.
pub(crate) type Row = [u8; DATA_PARTS];

/// The product of two elements. Slow and constant-evaluable; bulk work goes through the tables.
pub(crate) const fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        a = (a << 1) ^ if a & 0x80 != 0 { POLYNOMIAL } else { 0 };
        b >>= 1;
    }
    product
}

/// The inverse of a non-zero element: a^254, because a^255 = 1.
fn inverse(a: u8) -> u8 {
    power(a, 254)
}

/// `a` to the power of `exponent`; 0^0 is 1.
fn power(a: u8, exponent: usize) -> u8 {
    (0..exponent).fold(1, |product, _| multiply(product, a))
}

/// For each coefficient its products with 0x00 … 0x0f, then with 0x00, 0x10 … 0xf0: a byte's product is the sum of the
/// products of its two halves. This is the table that a byte shuffle looks up.
pub(crate) static NIBBLES: [[u8; 32]; 256] = {
    let mut table = [[0; 32]; 256];
    let mut c = 0;
    while c < 256 {
        let mut half = 0;
        while half < 16 {
            table[c][half] = multiply(c as u8, half as u8);
            table[c][16 + half] = multiply(c as u8, (half << 4) as u8);
            half += 1;
        }
        c += 1;
    }
    table
};

/// For each coefficient the 8×8 bit matrix of multiplying with it, as `GF2P8AFFINEQB` wants it.
///
/// The instruction has no fixed polynomial: byte 7 - i of the matrix selects the input bits whose parity is bit i of
/// the result (Intel SDM volume 2). Multiplication by a constant is linear over bits, so it has such a matrix.
pub(crate) static AFFINE: [u64; 256] = {
    let mut table = [0; 256];
    let mut c = 0;
    while c < 256 {
        let mut j = 0;
        while j < 8 {
            let column = multiply(c as u8, 1 << j);
            let mut i = 0;
            while i < 8 {
                if column & (1 << i) != 0 {
                    table[c] |= 1 << (8 * (7 - i) + j);
                }
                i += 1;
            }
            j += 1;
        }
        c += 1;
    }
    table
};

/// The generator matrix of `data` + `parity` units: the identity above the parity rows. It is the Vandermonde matrix
/// (row r, column c: r^c) times the inverse of its upper square, so any `data` of its rows are independent.
pub(crate) fn generator(data: usize, parity: usize) -> Vec<Row> {
    let vandermonde: Vec<Row> =
        (0..data + parity).map(|r| std::array::from_fn(|c| if c < data { power(r as u8, c) } else { 0 })).collect();
    let top = invert(&vandermonde[..data]).expect("a Vandermonde matrix of distinct elements is invertible");
    product(&vandermonde, &top)
}

/// The matrix product; `b` has as many rows as `a` has columns in use.
pub(crate) fn product(a: &[Row], b: &[Row]) -> Vec<Row> {
    let cell = |row: &Row, column: usize| (0..b.len()).fold(0, |sum, i| sum ^ multiply(row[i], b[i][column]));
    a.iter().map(|row| std::array::from_fn(|column| cell(row, column))).collect()
}

/// The inverse of a square matrix by Gauss-Jordan elimination; `None` if it has none.
pub(crate) fn invert(square: &[Row]) -> Option<Vec<Row>> {
    let n = square.len();
    let mut left = square.to_vec();
    let mut right: Vec<Row> = (0..n).map(|r| std::array::from_fn(|c| u8::from(r == c))).collect();
    for pivot in 0..n {
        let row = (pivot..n).find(|row| left[*row][pivot] != 0)?;
        left.swap(pivot, row);
        right.swap(pivot, row);
        let scale = inverse(left[pivot][pivot]);
        for cell in left[pivot].iter_mut().chain(&mut right[pivot]) {
            *cell = multiply(*cell, scale);
        }
        let (left_pivot, right_pivot) = (left[pivot], right[pivot]);
        for row in (0..n).filter(|row| *row != pivot) {
            let factor = left[row][pivot];
            for c in 0..n {
                left[row][c] ^= multiply(factor, left_pivot[c]);
                right[row][c] ^= multiply(factor, right_pivot[c]);
            }
        }
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplication_is_that_of_the_polynomial() {
        // By the definition: carry-less product, then reduction by 0x11d.
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                let wide = (0..8).filter(|i| b & (1 << i) != 0).fold(0u16, |sum, i| sum ^ (u16::from(a) << i));
                let reduced =
                    (8..15).rev().fold(wide, |w, i| if w & (1 << i) != 0 { w ^ (0x11d << (i - 8)) } else { w });
                assert_eq!(u16::from(multiply(a, b)), reduced);
                let halves = NIBBLES[usize::from(a)];
                assert_eq!(halves[usize::from(b & 15)] ^ halves[16 + usize::from(b >> 4)], multiply(a, b));
                let affine = (0..8).fold(0, |byte, i| {
                    let selected = (AFFINE[usize::from(a)] >> (8 * (7 - i))) as u8 & b;
                    byte | ((selected.count_ones() as u8 & 1) << i)
                });
                assert_eq!(affine, multiply(a, b));
            }
            assert_eq!(multiply(a, inverse(a)), u8::from(a != 0));
        }
    }

    #[test]
    fn parity_rows_are_a_contract() {
        let rows = generator(6, 3);
        for (r, row) in rows[..6].iter().enumerate() {
            assert_eq!(*row, std::array::from_fn(|c| u8::from(r == c)));
        }
        // Computed by an independent program from the definition.
        let golden = [[7, 6, 5, 4, 3, 2], [6, 7, 4, 5, 2, 3], [0xa0, 0xdf, 0xdf, 0xb7, 0xfe, 0xe8]];
        assert_eq!(rows[6..], golden);
        assert_eq!(invert(&[[1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]]), None);
    }
}
