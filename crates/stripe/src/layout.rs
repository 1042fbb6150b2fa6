//! Where each byte of an extent lives: stripes, units, parts.
//!
//! An extent of T bytes is cut into stripes of six units, one unit for each data part. What is left after the full
//! stripes, R bytes, is one short stripe: its first R mod 6 units take ceil(R / 6) bytes, the others floor(R / 6), in
//! file order. So the data parts of any extent are equal to within a byte, a small file is one short stripe, and
//! because the units of one part lie one after another, what a file range touches of a part is one contiguous range.
//!
//! A parity unit is as long as the longest data unit of its stripe, the first. Shorter data units count as padded with
//! zeros; the padding is never stored.

use std::ops::Range;

use base::limits::{DATA_PARTS, PARITY_PARTS_MAX, UNIT_BYTES};

use crate::Error;

/// The largest unit that a manifest may name; it bounds what a reader allocates on a manifest's word.
pub const UNIT_BYTES_MAX: u32 = 16 << 20;

/// How parity is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// [`crate::Codec`]: systematic Vandermonde Reed-Solomon over GF(2^8) with polynomial 0x11d.
    ReedSolomon,
}

/// How an extent is cut. Readers take it from the extent's manifest, never from the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    parity: u8,
    unit: u32,
    code: Code,
}

impl Layout {
    /// The version of these rules, as manifests name it.
    pub const VERSION: u8 = 1;

    /// The layout that new extents get: six data parts, `parity` parity parts, units of 1 MiB.
    ///
    /// # Errors
    /// [`Error::Layout`] for more than [`PARITY_PARTS_MAX`] parity parts.
    pub fn new(parity: usize) -> Result<Self, Error> {
        Self::with_unit(parity, UNIT_BYTES as u32)
    }

    /// The same with units of `unit` bytes, 1 to [`UNIT_BYTES_MAX`].
    ///
    /// # Errors
    /// [`Error::Layout`] if either number is out of bounds.
    pub fn with_unit(parity: usize, unit: u32) -> Result<Self, Error> {
        if parity > PARITY_PARTS_MAX {
            return Err(Error::Layout("too many parity parts"));
        }
        if !(1..=UNIT_BYTES_MAX).contains(&unit) {
            return Err(Error::Layout("a unit has 1 to 16 Mi bytes"));
        }
        Ok(Self { parity: parity as u8, unit, code: Code::ReedSolomon })
    }

    /// The version of the rules.
    pub fn version(self) -> u8 {
        Self::VERSION
    }

    /// Number of data parts: six (requirement C2).
    pub fn data(self) -> usize {
        DATA_PARTS
    }

    /// Number of parity parts.
    pub fn parity(self) -> usize {
        usize::from(self.parity)
    }

    /// Number of all parts. Their indices are 0 to this, data parts first.
    pub fn parts(self) -> usize {
        DATA_PARTS + self.parity()
    }

    /// Bytes of one part in a full stripe.
    pub fn unit(self) -> usize {
        self.unit as usize
    }

    /// How parity is computed.
    pub fn code(self) -> Code {
        self.code
    }

    /// Data bytes of a full stripe.
    pub fn stripe_bytes(self) -> usize {
        DATA_PARTS * self.unit()
    }

    /// Number of stripes of an extent of `total` bytes. None for an empty extent.
    pub fn stripes(self, total: u64) -> u64 {
        total.div_ceil(self.stripe_bytes() as u64)
    }

    /// Data bytes of stripe `stripe` of an extent of `total` bytes: only the last one may be short. Zero beyond it.
    pub fn stripe_length(self, total: u64, stripe: u64) -> usize {
        let full = self.stripe_bytes() as u64;
        let left = stripe.checked_mul(full).map_or(0, |start| total.saturating_sub(start));
        left.min(full) as usize
    }

    /// Lengths of the six data units of a stripe of `stripe_length` bytes. Parity units are as long as the first.
    ///
    /// # Panics
    /// If that is more than a full stripe: cut one stripe at a time.
    pub fn unit_lengths(self, stripe_length: usize) -> [usize; DATA_PARTS] {
        assert!(stripe_length <= self.stripe_bytes(), "{stripe_length} bytes are more than a stripe");
        std::array::from_fn(|index| share(stripe_length, index))
    }

    /// Cuts the bytes of one stripe into its six data units.
    ///
    /// # Panics
    /// As [`Self::unit_lengths`].
    pub fn cut(self, stripe: &[u8]) -> [&[u8]; DATA_PARTS] {
        let mut rest = stripe;
        self.unit_lengths(stripe.len()).map(|length| {
            let (unit, after) = rest.split_at(length);
            rest = after;
            unit
        })
    }

    /// Bytes of part `part` of an extent of `total` bytes.
    ///
    /// # Panics
    /// If the layout has no such part.
    pub fn part_length(self, total: u64, part: usize) -> u64 {
        self.stripe_range(total, 0..self.stripes(total), part).end
    }

    /// The bytes of part `part` that belong to the stripes `stripes`. To rebuild these stripes of any part, read this
    /// range of six others. Stripes beyond the end have no bytes.
    ///
    /// # Panics
    /// If the layout has no such part.
    pub fn stripe_range(self, total: u64, stripes: Range<u64>, part: usize) -> Range<u64> {
        assert!(part < self.parts(), "no part {part} in a layout of {}", self.parts());
        let full = total / self.stripe_bytes() as u64;
        let unit = u64::from(self.unit);
        // A parity unit is as long as the longest data unit, the first.
        let member = if part < DATA_PARTS { part } else { 0 };
        let at = |stripe: u64| {
            let short = if stripe > full { share(self.stripe_length(total, full), member) as u64 } else { 0 };
            stripe.min(full) * unit + short
        };
        at(stripes.start)..at(stripes.end.max(stripes.start))
    }

    /// The pieces of data parts that make up bytes `range` of an extent of `total` bytes, in file order.
    ///
    /// # Errors
    /// [`Error::Range`] if the range runs backwards or beyond the end.
    pub fn plan(self, total: u64, range: Range<u64>) -> Result<Plan, Error> {
        if range.start > range.end || range.end > total {
            return Err(Error::Range { total });
        }
        Ok(Plan { layout: self, total, range })
    }

    /// Bytes of data part `part` that lie before byte `offset` of the extent.
    fn bytes_before(self, total: u64, offset: u64, part: usize) -> u64 {
        let stripe = offset / self.stripe_bytes() as u64;
        let within = (offset % self.stripe_bytes() as u64) as usize;
        let length = self.stripe_length(total, stripe);
        let here = within.saturating_sub(share_start(length, part)).min(share(length, part));
        stripe * u64::from(self.unit) + here as u64
    }
}

/// Bytes of unit `index` in a stripe of `length` bytes. A full stripe follows the same rule as a short one.
fn share(length: usize, index: usize) -> usize {
    length / DATA_PARTS + usize::from(index < length % DATA_PARTS)
}

/// Where unit `index` begins in a stripe of `length` bytes.
fn share_start(length: usize, index: usize) -> usize {
    index * (length / DATA_PARTS) + index.min(length % DATA_PARTS)
}

/// A run of bytes that lies in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The stripe.
    pub stripe: u64,
    /// The data part.
    pub part: usize,
    /// Where the piece begins in the part.
    pub part_offset: u64,
    /// Bytes of the piece; never zero.
    pub length: usize,
    /// Where the piece begins in the extent.
    pub file_offset: u64,
}

/// What is still to be read of a range: yields its pieces in file order.
///
/// The other questions are about what is left as well, so a reader that changes its mind on the way (a node died)
/// asks the same plan again.
#[derive(Debug, Clone)]
pub struct Plan {
    layout: Layout,
    total: u64,
    range: Range<u64>,
}

impl Plan {
    /// The bytes of the extent that are left.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// Leaves out the next `bytes`, which were read.
    ///
    /// # Panics
    /// If fewer are left.
    pub fn pass(&mut self, bytes: u64) {
        assert!(bytes <= self.range.end - self.range.start, "more was read than was planned");
        self.range.start += bytes;
    }

    /// The stripes that are left.
    pub fn stripes(&self) -> Range<u64> {
        let full = self.layout.stripe_bytes() as u64;
        let start = self.range.start / full;
        start..if self.range.is_empty() { start } else { self.range.end.div_ceil(full) }
    }

    /// The one range of part `part` that holds every piece of it; `None` if the part is not needed, as parity never is.
    pub fn part_range(&self, part: usize) -> Option<Range<u64>> {
        if part >= DATA_PARTS {
            return None;
        }
        let before = |offset| self.layout.bytes_before(self.total, offset, part);
        let range = before(self.range.start)..before(self.range.end);
        (!range.is_empty()).then_some(range)
    }

    /// The range of part `part`, data or parity, that holds all its units of the stripes that are left: what it takes
    /// of six parts to rebuild the others.
    ///
    /// # Panics
    /// If the layout has no such part.
    pub fn stripe_range(&self, part: usize) -> Range<u64> {
        self.layout.stripe_range(self.total, self.stripes(), part)
    }
}

impl Iterator for Plan {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if self.range.is_empty() {
            return None;
        }
        let file_offset = self.range.start;
        let stripe = file_offset / self.layout.stripe_bytes() as u64;
        let within = (file_offset % self.layout.stripe_bytes() as u64) as usize;
        let length = self.layout.stripe_length(self.total, stripe);
        // The long units come first; only when `within` lies behind them all do the short ones have a byte at all.
        let (short, long) = (length / DATA_PARTS, length % DATA_PARTS);
        let behind_long = long * (short + 1);
        let part = if within < behind_long { within / (short + 1) } else { long + (within - behind_long) / short };
        let offset = within - share_start(length, part);
        let length = (self.range.end - file_offset).min((share(length, part) - offset) as u64) as usize;
        self.range.start += length as u64;
        let part_offset = stripe * u64::from(self.layout.unit) + offset as u64;
        Some(Piece { stripe, part, part_offset, length, file_offset })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn part_lengths_are_a_contract() {
        const MIB: u64 = 1 << 20;
        let check = |total, data: [u64; 6], stripes| {
            let layout = Layout::new(2).unwrap();
            let lengths: Vec<_> = (0..8).map(|part| layout.part_length(total, part)).collect();
            assert_eq!(lengths[..6], data, "{total}");
            assert_eq!(lengths[6..], [data[0], data[0]], "{total}");
            assert_eq!(layout.stripes(total), stripes, "{total}");
        };
        check(0, [0; 6], 0);
        check(1, [1, 0, 0, 0, 0, 0], 1);
        check(5, [1, 1, 1, 1, 1, 0], 1);
        check(6, [1; 6], 1);
        check(7, [2, 1, 1, 1, 1, 1], 1);
        check(MIB - 1, [174_763, 174_763, 174_763, 174_762, 174_762, 174_762], 1);
        check(MIB, [174_763, 174_763, 174_763, 174_763, 174_762, 174_762], 1);
        check(6 * MIB - 1, [MIB, MIB, MIB, MIB, MIB, MIB - 1], 1);
        check(6 * MIB, [MIB; 6], 1);
        check(6 * MIB + 1, [MIB + 1, MIB, MIB, MIB, MIB, MIB], 2);
        let ten = [1_789_569_707, 1_789_569_707, 1_789_569_707, 1_789_569_707, 1_789_569_706, 1_789_569_706];
        check(10 << 30, ten, 1707);
    }

    #[test]
    fn plans_are_a_contract() {
        // Units of 4: a full stripe of 24 bytes, then 9 bytes as 2, 2, 2, 1, 1, 1.
        let layout = Layout::with_unit(0, 4).unwrap();
        let pieces: Vec<_> = layout
            .plan(33, 18..32)
            .unwrap()
            .map(|piece| (piece.stripe, piece.part, piece.part_offset, piece.length, piece.file_offset))
            .collect();
        assert_eq!(
            pieces,
            [
                (0, 4, 2, 2, 18),
                (0, 5, 0, 4, 20),
                (1, 0, 4, 2, 24),
                (1, 1, 4, 2, 26),
                (1, 2, 4, 2, 28),
                (1, 3, 4, 1, 30),
                (1, 4, 4, 1, 31),
            ]
        );
        let plan = layout.plan(33, 18..32).unwrap();
        assert_eq!(plan.stripes(), 0..2);
        assert_eq!(plan.part_range(0), Some(4..6));
        assert_eq!(plan.part_range(4), Some(2..5));
        assert_eq!(plan.part_range(5), Some(0..4));
        assert_eq!(plan.stripe_range(5), 0..5);
        assert_eq!(layout.plan(33, 33..33).unwrap().next(), None);
    }

    #[test]
    fn refuses_what_is_out_of_bounds() {
        assert!(Layout::new(3).is_ok());
        assert!(matches!(Layout::new(4), Err(Error::Layout(_))));
        assert!(matches!(Layout::with_unit(0, 0), Err(Error::Layout(_))));
        assert!(matches!(Layout::with_unit(0, UNIT_BYTES_MAX + 1), Err(Error::Layout(_))));
        let layout = Layout::new(0).unwrap();
        assert_eq!(layout.plan(10, 0..11).err(), Some(Error::Range { total: 10 }));
        assert_eq!(layout.plan(10, Range { start: 4, end: 3 }).err(), Some(Error::Range { total: 10 }));
        assert_eq!(layout.plan(u64::MAX, u64::MAX - 1..u64::MAX).unwrap().map(|piece| piece.length).sum::<usize>(), 1);
    }

    /// Totals around the edges of units and stripes as well as anywhere.
    fn total(unit: u32) -> impl Strategy<Value = u64> {
        let unit = u64::from(unit);
        let near = move |edge: u64| (edge * unit).saturating_sub(1)..=edge * unit + 1;
        prop_oneof![
            0..=14u64,
            0..40 * unit,
            (0..20u64).prop_flat_map(near),
            (0..4u64).prop_flat_map(move |s| near(6 * s))
        ]
    }

    fn case() -> impl Strategy<Value = (Layout, u64, Range<u64>)> {
        (1u32..20, 0usize..=3)
            .prop_flat_map(|(unit, parity)| (Just(Layout::with_unit(parity, unit).unwrap()), total(unit)))
            .prop_flat_map(|(layout, total)| (Just(layout), Just(total), 0..=total, 0..=total))
            .prop_map(|(layout, total, a, b)| (layout, total, a.min(b)..a.max(b)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn pieces_cover_the_range_once_and_part_ranges_hold_them((layout, total, range) in case()) {
            let plan = layout.plan(total, range.clone()).unwrap();
            let (mut at, mut part_at) = (range.start, std::array::from_fn::<_, 6, _>(|part| plan.part_range(part).map(|r| r.start)));
            for piece in plan.clone() {
                prop_assert_eq!(piece.file_offset, at);
                prop_assert!(piece.length > 0);
                at += piece.length as u64;
                // Within a part the pieces follow each other without a gap, and each lies in its stripe's unit.
                prop_assert_eq!(part_at[piece.part], Some(piece.part_offset));
                let end = piece.part_offset + piece.length as u64;
                part_at[piece.part] = Some(end);
                let unit = layout.stripe_range(total, piece.stripe..piece.stripe + 1, piece.part);
                prop_assert!(unit.start <= piece.part_offset && end <= unit.end);
                prop_assert!(plan.stripes().contains(&piece.stripe));
            }
            prop_assert_eq!(at, range.end);
            for (part, end) in part_at.into_iter().enumerate() {
                prop_assert_eq!(end, plan.part_range(part).map(|r| r.end));
            }
        }

        #[test]
        fn parts_are_equal_to_within_a_byte_and_sum_up((layout, total, _) in case()) {
            let lengths: Vec<_> = (0..layout.parts()).map(|part| layout.part_length(total, part)).collect();
            prop_assert_eq!(lengths[..6].iter().sum::<u64>(), total);
            prop_assert!(lengths[0] - lengths[5] <= 1);
            prop_assert!(lengths[6..].iter().all(|length| *length == lengths[0]));
            let stripes = layout.stripes(total);
            prop_assert_eq!((0..stripes + 1).map(|s| layout.stripe_length(total, s) as u64).sum::<u64>(), total);
            for (part, length) in lengths.into_iter().take(6).enumerate() {
                let units = (0..stripes).map(|s| layout.unit_lengths(layout.stripe_length(total, s))[part] as u64);
                prop_assert_eq!(units.sum::<u64>(), length);
            }
        }
    }
}
