//! Reed-Solomon: parity of a stripe, and its lost units from any six that are left.

use std::{fmt, sync::OnceLock};

use base::limits::{DATA_PARTS, PARITY_PARTS_MAX};

use crate::{
    Error,
    field::{self, Row},
    kernel::{INPUTS, Kernel, OUTPUTS_MAX},
};

/// The instructions that parity is computed with on this machine, for logs and benchmarks.
pub fn kernel_name() -> &'static str {
    Kernel::best().name()
}

/// Encoder and decoder for a number of data and parity units. Share one: it remembers inverted matrices.
///
/// Within a stripe, data units may be shorter than the longest one and count as padded with zeros; parity units are as
/// long as the longest data unit.
pub struct Codec {
    data: usize,
    parity: usize,
    /// Each unit as a sum of the data units.
    generator: Vec<Row>,
    /// Each unit as a sum of `data` chosen ones, at the index whose bits are the chosen ones. With nine units at most
    /// that is 512 places of which 84 can be filled, so the memory is bounded without an eviction.
    recovery: Box<[OnceLock<Vec<Row>>]>,
    kernel: Kernel,
}

impl Codec {
    /// A codec for `data` (1 to 6) data and `parity` (0 to 3) parity units.
    ///
    /// # Errors
    /// [`Error::Layout`] if either number is out of bounds.
    pub fn new(data: usize, parity: usize) -> Result<Self, Error> {
        if !(1..=DATA_PARTS).contains(&data) {
            return Err(Error::Layout("a code has 1 to 6 data units"));
        }
        if parity > PARITY_PARTS_MAX {
            return Err(Error::Layout("a code has at most 3 parity units"));
        }
        let recovery = (0..1 << (data + parity)).map(|_| OnceLock::new()).collect();
        Ok(Self { data, parity, generator: field::generator(data, parity), recovery, kernel: Kernel::best() })
    }

    /// Number of data units.
    pub fn data(&self) -> usize {
        self.data
    }

    /// Number of parity units.
    pub fn parity(&self) -> usize {
        self.parity
    }

    /// Computes the parity units of a stripe.
    ///
    /// # Errors
    /// [`Error::Shape`] if the numbers of units are not the codec's, or a parity unit is not as long as the longest
    /// data unit. Nothing is written then.
    pub fn encode(&self, data: &[&[u8]], parity: &mut [&mut [u8]]) -> Result<(), Error> {
        if data.len() != self.data || parity.len() != self.parity {
            return Err(Error::Shape("not the codec's number of units"));
        }
        let longest = data.iter().map(|unit| unit.len()).max().unwrap_or(0);
        if parity.iter().any(|unit| unit.len() != longest) {
            return Err(Error::Shape("a parity unit is as long as the longest data unit"));
        }
        self.combine(&self.generator[self.data..], data, parity);
        Ok(())
    }

    /// Rebuilds lost units of a stripe.
    ///
    /// `lengths` are the lengths of its data units ([`crate::Layout::unit_lengths`]); `present` are its units, data then
    /// parity, as far as they are there (with more than enough, the first ones are used); `wanted` names units and
    /// gives each a buffer of its length to be filled.
    ///
    /// # Errors
    /// [`Error::TooFewUnits`] if fewer are present than there are data units; [`Error::Shape`] if numbers or lengths of
    /// units do not fit. Nothing is written then.
    pub fn reconstruct(
        &self,
        lengths: &[usize],
        present: &[Option<&[u8]>],
        wanted: &mut [(usize, &mut [u8])],
    ) -> Result<(), Error> {
        let units = self.data + self.parity;
        if lengths.len() != self.data || present.len() != units {
            return Err(Error::Shape("not the codec's number of units"));
        }
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let length = |index: usize| lengths.get(index).copied().unwrap_or(longest);
        let (mut chosen, mut mask) = (Vec::with_capacity(self.data), 0);
        for (index, unit) in present.iter().enumerate() {
            let Some(unit) = unit else { continue };
            if unit.len() != length(index) {
                return Err(Error::Shape("a present unit has the wrong length"));
            }
            if chosen.len() < self.data {
                chosen.push(*unit);
                mask |= 1 << index;
            }
        }
        if chosen.len() < self.data {
            return Err(Error::TooFewUnits { present: chosen.len(), needed: self.data });
        }
        if wanted.iter().any(|(index, buffer)| *index >= units || buffer.len() != length(*index)) {
            return Err(Error::Shape("a wanted unit has the wrong index or length"));
        }
        let recovery = self.recovery[mask].get_or_init(|| self.recovery(mask));
        let rows: Vec<Row> = wanted.iter().map(|(index, _)| recovery[*index]).collect();
        let mut outputs: Vec<&mut [u8]> = wanted.iter_mut().map(|(_, buffer)| &mut **buffer).collect();
        self.combine(&rows, &chosen, &mut outputs);
        Ok(())
    }

    /// Each unit as a sum of those whose bits are set in `mask`.
    fn recovery(&self, mask: usize) -> Vec<Row> {
        let chosen: Vec<Row> = self
            .generator
            .iter()
            .enumerate()
            .filter(|(index, _)| mask & (1 << index) != 0)
            .map(|(_, row)| *row)
            .collect();
        let inverse = field::invert(&chosen).expect("any `data` rows of the generator are independent");
        field::product(&self.generator, &inverse)
    }

    /// Sets each output to its row's sum of the inputs. Inputs count as padded with zeros, outputs may be cut short.
    fn combine(&self, rows: &[Row], inputs: &[&[u8]], outputs: &mut [&mut [u8]]) {
        // The kernel wants one length. Between two neighbouring lengths the same inputs and outputs take part: in our
        // layouts that is the length of the shortest unit, and one byte more.
        let mut ends: Vec<usize> = inputs.iter().map(|i| i.len()).chain(outputs.iter().map(|o| o.len())).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut start = 0;
        for end in ends {
            let Some(filler) = inputs.iter().find(|input| input.len() >= end) else {
                outputs.iter_mut().filter(|output| output.len() >= end).for_each(|output| output[start..end].fill(0));
                start = end;
                continue;
            };
            let takes_part = |j: usize| inputs.get(j).is_some_and(|input| input.len() >= end);
            let pieces: [&[u8]; INPUTS] =
                std::array::from_fn(|j| if takes_part(j) { &inputs[j][start..end] } else { &filler[start..end] });
            let (active, mut targets): (Vec<Row>, Vec<&mut [u8]>) = rows
                .iter()
                .zip(outputs.iter_mut())
                .filter(|(_, output)| output.len() >= end)
                .map(|(row, output)| {
                    let row = std::array::from_fn(|j| if takes_part(j) { row[j] } else { 0 });
                    (row, &mut output[start..end])
                })
                .unzip();
            for (rows, targets) in active.chunks(OUTPUTS_MAX).zip(targets.chunks_mut(OUTPUTS_MAX)) {
                match (rows, targets) {
                    (&[a], [x]) => self.kernel.combine([a], pieces, [x]),
                    (&[a, b], [x, y]) => self.kernel.combine([a, b], pieces, [x, y]),
                    (&[a, b, c], [x, y, z]) => self.kernel.combine([a, b, c], pieces, [x, y, z]),
                    _ => unreachable!("chunks have one to {OUTPUTS_MAX} members"),
                }
            }
            start = end;
        }
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codec({}+{}, {})", self.data, self.parity, self.kernel.name())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reed_solomon_erasure::galois_8::ReedSolomon;

    use super::*;

    /// The parity units of `data`.
    fn parity(codec: &Codec, data: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let longest = data.iter().map(Vec::len).max().unwrap();
        let mut parity = vec![vec![0xaa; longest]; codec.parity];
        let units: Vec<&[u8]> = data.iter().map(Vec::as_slice).collect();
        codec.encode(&units, &mut parity.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>()).unwrap();
        parity
    }

    #[test]
    fn parity_bytes_are_a_contract() {
        // 45 bytes as one stripe; the expected bytes come from an independent program.
        let bytes: Vec<u8> = (0..45u32).map(|i| (i * 37 + 11) as u8).collect();
        let units = crate::Layout::new(3).unwrap().cut(&bytes).map(<[u8]>::to_vec);
        let golden = [
            [0x1f, 0xdc, 0x6b, 0x55, 0x6e, 0x45, 0xe5, 0xa5],
            [0xf0, 0x99, 0x28, 0xb8, 0xc9, 0x38, 0x46, 0xc3],
            [0x46, 0x29, 0xbf, 0xd6, 0xa8, 0x68, 0xe9, 0x03],
        ];
        for m in 0..=3 {
            assert_eq!(parity(&Codec::new(6, m).unwrap(), &units), golden[..m]);
        }
    }

    proptest! {
        #[test]
        fn parity_is_that_of_the_oracle(
            data in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..=6),
            m in 1usize..=3,
        ) {
            let longest = data.iter().map(Vec::len).max().unwrap().max(1);
            let mut data = data;
            data[0].resize(longest, 0x5c);
            let mut shards = data.clone();
            shards.iter_mut().for_each(|shard| shard.resize(longest, 0));
            shards.resize(data.len() + m, vec![0; longest]);
            ReedSolomon::new(data.len(), m).unwrap().encode(&mut shards).unwrap();
            prop_assert_eq!(&parity(&Codec::new(data.len(), m).unwrap(), &data), &shards[data.len()..]);
        }
    }

    #[test]
    fn every_loss_that_parity_allows_is_rebuilt_and_no_more() {
        for (m, patterns) in [(1, 7), (2, 8 + 28), (3, 9 + 36 + 84)] {
            let codec = Codec::new(6, m).unwrap();
            // A short stripe (units differ by a byte) and an even one.
            for total in [6 * 70 + 4, 6 * 64, 4] {
                let bytes: Vec<u8> =
                    (0..total).map(|i: u32| (i * i).wrapping_mul(0x9e37_79b9).to_be_bytes()[0]).collect();
                let layout = crate::Layout::new(m).unwrap();
                let lengths = layout.unit_lengths(bytes.len());
                let mut units = layout.cut(&bytes).map(<[u8]>::to_vec).to_vec();
                units.extend(parity(&codec, &units));
                let mut seen = 0;
                for lost in 1u32..1 << units.len() {
                    let present: Vec<_> = (0..units.len())
                        .map(|index| (lost & (1 << index) == 0).then_some(units[index].as_slice()))
                        .collect();
                    let gone = |index: &usize| present[*index].is_none();
                    let mut rebuilt: Vec<_> =
                        (0..units.len()).filter(gone).map(|index| (index, vec![0xaa; units[index].len()])).collect();
                    let mut wanted: Vec<_> =
                        rebuilt.iter_mut().map(|(index, buffer)| (*index, &mut buffer[..])).collect();
                    let result = codec.reconstruct(&lengths, &present, &mut wanted);
                    let count = lost.count_ones() as usize;
                    if count > m {
                        assert_eq!(result, Err(Error::TooFewUnits { present: units.len() - count, needed: 6 }));
                        continue;
                    }
                    seen += 1;
                    assert_eq!(result, Ok(()));
                    assert!(rebuilt.iter().all(|(index, bytes)| *bytes == units[*index]), "{lost:b} of {total}");
                }
                assert_eq!(seen, patterns);
            }
            let filled = codec.recovery.iter().filter(|rows| rows.get().is_some()).count();
            assert!(filled <= 84, "{filled}");
        }
    }

    #[test]
    fn units_that_were_merely_not_read_are_rebuilt_too() {
        // More wanted than parity: allowed, since the present ones may be wanted as well.
        let codec = Codec::new(6, 2).unwrap();
        let data: Vec<Vec<u8>> = (0..6).map(|i| vec![i * 41 + 1; 100]).collect();
        let units = [data.clone(), parity(&codec, &data)].concat();
        let present: Vec<_> = (0..8).map(|i| (i > 1).then_some(units[i].as_slice())).collect();
        let mut all = vec![vec![0; 100]; 8];
        let mut wanted: Vec<_> = all.iter_mut().map(Vec::as_mut_slice).enumerate().collect();
        codec.reconstruct(&[100; 6], &present, &mut wanted).unwrap();
        assert_eq!(all, units);
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert!(matches!(Codec::new(0, 2), Err(Error::Layout(_))));
        assert!(matches!(Codec::new(7, 2), Err(Error::Layout(_))));
        assert!(matches!(Codec::new(6, 4), Err(Error::Layout(_))));
        let codec = Codec::new(6, 1).unwrap();
        let unit: &[u8] = &[1; 4];
        let shape = |result| assert!(matches!(result, Err(Error::Shape(_))), "{result:?}");
        shape(codec.encode(&[unit; 5], &mut [&mut [0; 4]]));
        shape(codec.encode(&[unit; 6], &mut []));
        shape(codec.encode(&[unit; 6], &mut [&mut [0; 3]]));
        let mut present = [Some(unit); 7];
        present[2] = None;
        shape(codec.reconstruct(&[4; 5], &present, &mut []));
        shape(codec.reconstruct(&[4; 6], &present[..6], &mut []));
        shape(codec.reconstruct(&[4; 6], &present, &mut [(7, &mut [0; 4])]));
        shape(codec.reconstruct(&[4; 6], &present, &mut [(2, &mut [0; 3])]));
        shape(codec.reconstruct(&[4, 4, 4, 4, 4, 3], &present, &mut [(2, &mut [0; 4])]));
    }
}
