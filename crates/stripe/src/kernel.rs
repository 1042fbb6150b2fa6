//! The inner loop of the code: outputs that are sums of inputs times coefficients, with the best instructions at hand.
//!
//! Every kernel reads each input once and keeps all outputs' sums in registers, so the loop is bound by memory and not
//! by arithmetic. This is the only file of the workspace with `unsafe` code: vector loads and stores, and calls of
//! functions that need instructions which were looked for first.
#![allow(unsafe_code, reason = "vector instructions take pointers and must be looked for before they are called")]

use std::{ops::Range, sync::OnceLock};

use crate::field::{NIBBLES, Row};

/// Inputs of one call. Callers with fewer give any input again with coefficient zero.
pub(crate) const INPUTS: usize = size_of::<Row>();

/// Outputs of one call at most.
pub(crate) const OUTPUTS_MAX: usize = 3;

/// Bytes of one step of the widest kernel. Kernels see multiples of it; what is left over goes through a padded copy.
const BLOCK: usize = 64;

/// One cache line.
#[repr(align(64))]
struct Block([u8; BLOCK]);

/// A way to compute; all give the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// 64 bytes at once; a product is one bit-matrix instruction.
    GfniAvx512,
    /// The same, 32 bytes at once.
    GfniAvx2,
    /// 32 bytes at once; a product is two table look-ups by byte shuffle (Plank, Greenan, Miller: "Screaming fast
    /// Galois field arithmetic using Intel SIMD instructions", FAST 2013).
    Avx2,
    /// The same look-ups byte by byte, on any machine.
    Scalar,
}

impl Kernel {
    /// All kernels, fastest first.
    pub(crate) const ALL: [Self; 4] = [Self::GfniAvx512, Self::GfniAvx2, Self::Avx2, Self::Scalar];

    /// The fastest kernel that this machine can run.
    pub(crate) fn best() -> Self {
        static BEST: OnceLock<Kernel> = OnceLock::new();
        *BEST.get_or_init(|| {
            Self::ALL.into_iter().find(|kernel| kernel.is_available()).expect("the scalar kernel runs everywhere")
        })
    }

    /// Its name, for logs and benchmarks.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GfniAvx512 => "gfni-avx512",
            Self::GfniAvx2 => "gfni-avx2",
            Self::Avx2 => "avx2",
            Self::Scalar => "scalar",
        }
    }

    /// Whether this machine can run it.
    pub(crate) fn is_available(self) -> bool {
        self == Self::Scalar || arch::is_available(self)
    }

    /// Sets byte b of output i to the sum over j of `rows[i][j]` times byte b of input j.
    ///
    /// # Panics
    /// If the slices are not all of one length, or the machine cannot run this kernel.
    pub(crate) fn combine<const M: usize>(self, rows: [Row; M], inputs: [&[u8]; INPUTS], mut outputs: [&mut [u8]; M]) {
        let length = inputs[0].len();
        assert!(inputs.iter().all(|input| input.len() == length), "inputs of one length");
        assert!(outputs.iter().all(|output| output.len() == length), "outputs of the inputs' length");
        assert!(self.is_available(), "a kernel of this machine");

        // A load that crosses a cache line costs two. Units of one buffer mostly begin at the same distance from a
        // line, so a short head lets every load of the body begin at one.
        let to_line = |input: &[u8]| input.as_ptr().align_offset(BLOCK);
        let head = to_line(inputs[0]);
        let together = inputs.iter().all(|input| to_line(input) == head);
        let head = if together { head.min(length) } else { 0 };
        // Where they differ, every load of 64 bytes would cross a line, but only every second one of 32.
        let body_kernel = if self == Self::GfniAvx512 && !together { Self::GfniAvx2 } else { self };

        let body = head..length - (length - head) % BLOCK;
        self.edge(&rows, inputs, &mut outputs, 0..head);
        body_kernel.blocks(
            &rows,
            inputs.map(|input| &input[body.clone()]),
            outputs.each_mut().map(|output| &mut output[body.clone()]),
        );
        self.edge(&rows, inputs, &mut outputs, body.end..length);
    }

    /// [`Self::combine`] for a range shorter than [`BLOCK`], through padded copies.
    fn edge<const M: usize>(
        self,
        rows: &[Row; M],
        inputs: [&[u8]; INPUTS],
        outputs: &mut [&mut [u8]; M],
        range: Range<usize>,
    ) {
        if range.is_empty() {
            return;
        }
        let padded = inputs.map(|input| {
            let mut block = Block([0; BLOCK]);
            block.0[..range.len()].copy_from_slice(&input[range.clone()]);
            block
        });
        let mut sums = [const { Block([0; BLOCK]) }; M];
        self.blocks(rows, padded.each_ref().map(|block| &block.0[..]), sums.each_mut().map(|sum| &mut sum.0[..]));
        for (output, sum) in outputs.iter_mut().zip(sums) {
            output[range.clone()].copy_from_slice(&sum.0[..range.len()]);
        }
    }

    /// [`Self::combine`] for lengths that are multiples of [`BLOCK`].
    fn blocks<const M: usize>(self, rows: &[Row; M], inputs: [&[u8]; INPUTS], outputs: [&mut [u8]; M]) {
        if self == Self::Scalar {
            return scalar(rows, inputs, outputs);
        }
        // SAFETY: `combine` asserted that the machine has the kernel's instructions, and that all slices have one
        // length, a multiple of BLOCK here. Input and output pointers come from live borrows.
        unsafe {
            let length = inputs[0].len();
            arch::blocks(self, rows, &inputs.map(<[u8]>::as_ptr), &outputs.map(|o| o.as_mut_ptr()), length);
        }
    }
}

/// The products of one byte by table.
fn scalar<const M: usize>(rows: &[Row; M], inputs: [&[u8]; INPUTS], outputs: [&mut [u8]; M]) {
    for (row, output) in rows.iter().zip(outputs) {
        output.fill(0);
        for (coefficient, input) in row.iter().zip(inputs) {
            let (low, high) = NIBBLES[usize::from(*coefficient)].split_at(16);
            for (sum, byte) in output.iter_mut().zip(input) {
                *sum ^= low[usize::from(byte & 15)] ^ high[usize::from(byte >> 4)];
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod arch {
    //! x86-64. The loops are written out per instruction set: what differs is every line.

    use std::arch::x86_64::*;

    use super::{INPUTS, Kernel};
    use crate::field::{AFFINE, NIBBLES, Row};

    pub(super) fn is_available(kernel: Kernel) -> bool {
        let avx2 = is_x86_feature_detected!("avx2");
        let gfni = is_x86_feature_detected!("gfni");
        match kernel {
            Kernel::GfniAvx512 => gfni && avx2 && is_x86_feature_detected!("avx512f"),
            Kernel::GfniAvx2 => gfni && avx2,
            Kernel::Avx2 => avx2,
            Kernel::Scalar => true,
        }
    }

    /// # Safety
    /// The machine must have the kernel's instructions; every pointer must be good for `length` bytes, the outputs for
    /// writing and without overlap; `length` must be a multiple of 64.
    pub(super) unsafe fn blocks<const M: usize>(
        kernel: Kernel,
        rows: &[Row; M],
        inputs: &[*const u8; INPUTS],
        outputs: &[*mut u8; M],
        length: usize,
    ) {
        // SAFETY: what the caller promises is what these three ask for.
        unsafe {
            match kernel {
                Kernel::GfniAvx512 => gfni_avx512(rows, inputs, outputs, length),
                Kernel::GfniAvx2 => gfni_avx2(rows, inputs, outputs, length),
                Kernel::Avx2 => avx2(rows, inputs, outputs, length),
                Kernel::Scalar => unreachable!("the scalar kernel has no need of this module"),
            }
        }
    }

    /// # Safety
    /// As [`blocks`].
    #[target_feature(enable = "gfni,avx512f")]
    unsafe fn gfni_avx512<const M: usize>(
        rows: &[Row; M],
        inputs: &[*const u8; INPUTS],
        outputs: &[*mut u8; M],
        length: usize,
    ) {
        let mut matrices = [[_mm512_setzero_si512(); INPUTS]; M];
        for (matrices, row) in matrices.iter_mut().zip(rows) {
            for (matrix, coefficient) in matrices.iter_mut().zip(row) {
                *matrix = _mm512_set1_epi64(AFFINE[usize::from(*coefficient)].cast_signed());
            }
        }
        for at in (0..length).step_by(64) {
            let mut sums = [_mm512_setzero_si512(); M];
            for j in 0..INPUTS {
                // SAFETY: `at` + 64 is at most `length`.
                let bytes = unsafe { _mm512_loadu_si512(inputs[j].add(at).cast()) };
                for i in 0..M {
                    sums[i] = _mm512_xor_si512(sums[i], _mm512_gf2p8affine_epi64_epi8::<0>(bytes, matrices[i][j]));
                }
            }
            for i in 0..M {
                // SAFETY: as above.
                unsafe { _mm512_storeu_si512(outputs[i].add(at).cast(), sums[i]) };
            }
        }
    }

    /// # Safety
    /// As [`blocks`].
    #[target_feature(enable = "gfni,avx2")]
    unsafe fn gfni_avx2<const M: usize>(
        rows: &[Row; M],
        inputs: &[*const u8; INPUTS],
        outputs: &[*mut u8; M],
        length: usize,
    ) {
        let mut matrices = [[_mm256_setzero_si256(); INPUTS]; M];
        for (matrices, row) in matrices.iter_mut().zip(rows) {
            for (matrix, coefficient) in matrices.iter_mut().zip(row) {
                *matrix = _mm256_set1_epi64x(AFFINE[usize::from(*coefficient)].cast_signed());
            }
        }
        for at in (0..length).step_by(32) {
            let mut sums = [_mm256_setzero_si256(); M];
            for j in 0..INPUTS {
                // SAFETY: `at` + 32 is at most `length`.
                let bytes = unsafe { _mm256_loadu_si256(inputs[j].add(at).cast()) };
                for i in 0..M {
                    sums[i] = _mm256_xor_si256(sums[i], _mm256_gf2p8affine_epi64_epi8::<0>(bytes, matrices[i][j]));
                }
            }
            for i in 0..M {
                // SAFETY: as above.
                unsafe { _mm256_storeu_si256(outputs[i].add(at).cast(), sums[i]) };
            }
        }
    }

    /// # Safety
    /// As [`blocks`].
    #[target_feature(enable = "avx2")]
    unsafe fn avx2<const M: usize>(
        rows: &[Row; M],
        inputs: &[*const u8; INPUTS],
        outputs: &[*mut u8; M],
        length: usize,
    ) {
        let mut tables = [[(_mm256_setzero_si256(), _mm256_setzero_si256()); INPUTS]; M];
        for (tables, row) in tables.iter_mut().zip(rows) {
            for (table, coefficient) in tables.iter_mut().zip(row) {
                let halves: *const __m128i = NIBBLES[usize::from(*coefficient)].as_ptr().cast();
                // SAFETY: a row of the table has 32 bytes.
                let (low, high) = unsafe { (_mm_loadu_si128(halves), _mm_loadu_si128(halves.add(1))) };
                *table = (_mm256_broadcastsi128_si256(low), _mm256_broadcastsi128_si256(high));
            }
        }
        let half = _mm256_set1_epi8(15);
        for at in (0..length).step_by(32) {
            let mut sums = [_mm256_setzero_si256(); M];
            for j in 0..INPUTS {
                // SAFETY: `at` + 32 is at most `length`.
                let bytes = unsafe { _mm256_loadu_si256(inputs[j].add(at).cast()) };
                let low = _mm256_and_si256(bytes, half);
                let high = _mm256_and_si256(_mm256_srli_epi64::<4>(bytes), half);
                for i in 0..M {
                    let (low_table, high_table) = tables[i][j];
                    let low_product = _mm256_shuffle_epi8(low_table, low);
                    let high_product = _mm256_shuffle_epi8(high_table, high);
                    sums[i] = _mm256_xor_si256(sums[i], _mm256_xor_si256(low_product, high_product));
                }
            }
            for i in 0..M {
                // SAFETY: as above.
                unsafe { _mm256_storeu_si256(outputs[i].add(at).cast(), sums[i]) };
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod arch {
    //! Other machines run the scalar kernel.

    use super::{INPUTS, Kernel};
    use crate::field::Row;

    pub(super) fn is_available(_: Kernel) -> bool {
        false
    }

    /// # Safety
    /// None to keep: it is never called, since no kernel is available.
    pub(super) unsafe fn blocks<const M: usize>(
        _: Kernel,
        _: &[Row; M],
        _: &[*const u8; INPUTS],
        _: &[*mut u8; M],
        _: usize,
    ) {
        unreachable!("no vector kernel is available on this machine")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::field::multiply;

    fn check<const M: usize>(rows: [Row; M], inputs: [&[u8]; INPUTS]) {
        let length = inputs[0].len();
        let expected: [Vec<u8>; M] = rows.map(|row| {
            (0..length).map(|b| (0..INPUTS).fold(0, |sum, j| sum ^ multiply(row[j], inputs[j][b]))).collect()
        });
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
            let mut outputs = [const { Vec::new() }; M].map(|_: Vec<u8>| vec![0xaa; length]);
            kernel.combine(rows, inputs, outputs.each_mut().map(|output| &mut output[..]));
            assert_eq!(outputs, expected, "{} of {length} bytes", kernel.name());
        }
    }

    proptest! {
        #[test]
        fn every_kernel_of_this_machine_agrees_with_the_definition(
            rows in any::<[Row; 3]>(),
            bytes in proptest::collection::vec(any::<u8>(), 8192),
            length in prop_oneof![0usize..200, Just(64), Just(128), 1000usize..1100],
            start in 0usize..64,
            skew in prop_oneof![Just(0usize), 0usize..64],
        ) {
            // Without skew all inputs begin at the same distance from a cache line, which is a path of its own.
            let stride = length.next_multiple_of(64) + skew;
            let inputs = std::array::from_fn(|j| &bytes[start + j * stride..][..length]);
            check([rows[0]], inputs);
            check([rows[0], rows[1]], inputs);
            check(rows, inputs);
        }
    }

    #[test]
    fn every_coefficient_times_every_byte() {
        let every: Vec<u8> = (0..=255).collect();
        for c in 0..=255 {
            check([[c, 0, 0, 0, 0, 0], [0, 0, c, 0, 0, 1]], [&every; INPUTS]);
        }
    }
}
