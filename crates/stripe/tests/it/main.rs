//! The promise of the crate as a whole: any size, any range and any allowed loss give the same bytes.

use base::limits::DATA_PARTS;
use proptest::prelude::*;
use stripe::{Codec, Layout};

/// Cuts and guards an extent as a writer does: stripe by stripe.
fn write(layout: Layout, codec: &Codec, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new(); layout.parts()];
    for stripe in bytes.chunks(layout.stripe_bytes()) {
        let units = layout.cut(stripe);
        let mut parity = vec![vec![0; units[0].len()]; layout.parity()];
        codec.encode(&units, &mut parity.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>()).expect("units fit");
        for (part, unit) in parts.iter_mut().zip(units.into_iter().chain(parity.iter().map(Vec::as_slice))) {
            part.extend_from_slice(unit);
        }
    }
    parts
}

/// Reads a range as a reader does: one contiguous range of each part that is needed; where one of those is lost, of
/// all parts that are left, and stripe by stripe what was lost is rebuilt.
fn read(layout: Layout, codec: &Codec, total: u64, parts: &[Option<Vec<u8>>], range: std::ops::Range<u64>) -> Vec<u8> {
    let plan = layout.plan(total, range).expect("the range lies within");
    let needs_rebuild = (0..DATA_PARTS).any(|part| parts[part].is_none() && plan.part_range(part).is_some());
    // What came over the wire of each part, and where in the part it begins.
    let mut fetched: Vec<Option<(usize, Vec<u8>)>> = (0..layout.parts())
        .map(|part| {
            let range = if needs_rebuild { Some(plan.stripe_range(part)) } else { plan.part_range(part) }?;
            let range = range.start as usize..range.end as usize;
            Some((range.start, parts[part].as_ref()?[range].to_vec()))
        })
        .collect();
    if needs_rebuild {
        let lost: Vec<usize> = (0..DATA_PARTS).filter(|part| parts[*part].is_none()).collect();
        let mut rebuilt: Vec<_> =
            lost.iter().map(|part| (plan.stripe_range(*part).start as usize, Vec::new())).collect();
        for stripe in plan.stripes() {
            let lengths = layout.unit_lengths(layout.stripe_length(total, stripe));
            let present: Vec<Option<&[u8]>> = (0..layout.parts())
                .map(|part| {
                    let (start, bytes) = fetched[part].as_ref()?;
                    let unit = layout.stripe_range(total, stripe..stripe + 1, part);
                    Some(&bytes[unit.start as usize - start..unit.end as usize - start])
                })
                .collect();
            let mut units: Vec<_> = lost.iter().map(|part| vec![0; lengths[*part]]).collect();
            let mut wanted: Vec<_> = lost.iter().copied().zip(units.iter_mut().map(Vec::as_mut_slice)).collect();
            codec.reconstruct(&lengths, &present, &mut wanted).expect("enough units are left");
            rebuilt.iter_mut().zip(&units).for_each(|((_, bytes), unit)| bytes.extend_from_slice(unit));
        }
        lost.into_iter().zip(rebuilt).for_each(|(part, bytes)| fetched[part] = Some(bytes));
    }
    let mut joined = Vec::new();
    for piece in plan {
        let (start, bytes) = fetched[piece.part].as_ref().expect("planned or rebuilt");
        let at = piece.part_offset as usize - start;
        joined.extend_from_slice(&bytes[at..at + piece.length]);
    }
    joined
}

fn bytes(length: usize, seed: u64) -> Vec<u8> {
    (0..length as u64).map(|i| (i ^ (i >> 9) ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0]).collect()
}

/// A copy of the parts without those whose bit is set in `lost`.
fn lose(parts: &[Vec<u8>], lost: u32) -> Vec<Option<Vec<u8>>> {
    parts.iter().enumerate().map(|(index, part)| (lost & (1 << index) == 0).then(|| part.clone())).collect()
}

#[test]
fn every_edge_size_and_every_allowed_loss() {
    let unit = 16;
    let stripe = 6 * unit;
    let edges =
        [0, 1, 2, 5, 6, 7, unit - 1, unit, unit + 1, stripe - 1, stripe, stripe + 1, 2 * stripe - 1, 3 * stripe + 7];
    for parity in 0..=3usize {
        let layout = Layout::with_unit(parity, unit as u32).unwrap();
        let codec = Codec::new(6, parity).unwrap();
        for length in edges {
            let bytes = bytes(length, 1);
            let parts = write(layout, &codec, &bytes);
            for (index, part) in parts.iter().enumerate() {
                assert_eq!(part.len() as u64, layout.part_length(length as u64, index));
            }
            for lost in (0u32..1 << parts.len()).filter(|lost| lost.count_ones() as usize <= parity) {
                let left = lose(&parts, lost);
                assert_eq!(read(layout, &codec, length as u64, &left, 0..length as u64), bytes, "{length} {lost:b}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_size_any_range_any_allowed_loss(
        unit in 1u32..100,
        parity in 0usize..=3,
        (length, from, to) in (0usize..3000).prop_flat_map(|n| (Just(n), 0..=n, 0..=n)),
        lost in any::<u32>(),
        seed in any::<u64>(),
    ) {
        let layout = Layout::with_unit(parity, unit).unwrap();
        let codec = Codec::new(6, parity).unwrap();
        let bytes = bytes(length, seed);
        let parts = write(layout, &codec, &bytes);
        // As many of the asked losses as parity allows.
        let mut lost = lost & ((1 << parts.len()) - 1);
        while lost.count_ones() as usize > parity {
            lost &= lost - 1;
        }
        let range = from.min(to)..from.max(to);
        let found = read(layout, &codec, length as u64, &lose(&parts, lost), range.start as u64..range.end as u64);
        prop_assert_eq!(found, &bytes[range]);
    }
}

#[test]
fn the_real_unit_works_too() {
    let layout = Layout::new(2).unwrap();
    let codec = Codec::new(6, 2).unwrap();
    let bytes = bytes(7 * (1 << 20) + 1001, 3);
    let total = bytes.len() as u64;
    let parts = write(layout, &codec, &bytes);
    let left = lose(&parts, 0b0001_0010);
    assert!(read(layout, &codec, total, &left, 0..total) == bytes);
    assert!(read(layout, &codec, total, &left, (6 << 20) - 1..(6 << 20) + 1) == bytes[(6 << 20) - 1..(6 << 20) + 1]);
}
