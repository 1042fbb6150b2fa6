//! How wide and high a picture says that it is, in its first bytes. Reads what strangers send: every look is bounded.

use super::PictureKind;

/// Width and height in pixels; nothing for bytes that do not begin as a picture of this kind does.
pub(super) fn size(kind: PictureKind, bytes: &[u8]) -> Option<(u32, u32)> {
    match kind {
        PictureKind::Jpeg => jpeg(bytes),
        PictureKind::Png => png(bytes),
        PictureKind::Webp => webp(bytes),
    }
}

/// ISO 15948, 5.2 and 11.2.2: the signature, and a chunk IHDR of 13 bytes.
fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
    Some((big(header.get(..4)?), big(header.get(4..8)?)))
}

/// ITU T.81, annex B: segments up to the first frame header.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    // Each round takes at least one byte.
    loop {
        let (&[0xff, marker], after) = rest.split_first_chunk::<2>()? else { return None };
        match marker {
            // A byte that fills up.
            0xff => rest = rest.get(1..)?,
            // A frame of any process. C4, C8 and CC are tables and what is reserved.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                // Length, precision, lines, samples per line.
                return Some((big(after.get(5..7)?), big(after.get(3..5)?)));
            }
            // Tables, application data, comments: they say how long they are, and that includes the length itself.
            0xc4 | 0xcc | 0xdb | 0xdd | 0xe0..=0xef | 0xfe => {
                let length = big(after.get(..2)?);
                rest = after.get(usize::try_from(length).ok().filter(|length| *length >= 2)?..)?;
            }
            // Nothing else comes before a frame.
            _ => return None,
        }
    }
}

/// RFC 9649: a RIFF of a picture with losses, one without, or one with more to it than its pixels.
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    let (length, form) = bytes.strip_prefix(b"RIFF")?.split_first_chunk::<4>()?;
    if (u32::from_le_bytes(*length) as usize) > form.len() {
        return None;
    }
    let (kind, rest) = form.strip_prefix(b"WEBP")?.split_first_chunk::<4>()?;
    let data = rest.get(4..)?;
    match kind {
        b"VP8 " => {
            // RFC 6386, 9.1: a key frame has a lowest bit of 0, and behind three bytes a start code.
            let (tag, frame) = data.split_first_chunk::<3>()?;
            let sides = frame.strip_prefix(&[0x9d, 0x01, 0x2a]).filter(|_| tag[0] & 1 == 0)?;
            // 14 bits each; two above are for scaling.
            Some((little(sides.get(..2)?) & 0x3fff, little(sides.get(2..4)?) & 0x3fff))
        }
        b"VP8L" => {
            let sides = little(data.strip_prefix(&[0x2f])?.get(..4)?);
            Some(((sides & 0x3fff) + 1, ((sides >> 14) & 0x3fff) + 1))
        }
        // Four bytes of flags, then 24 bits each.
        b"VP8X" => Some((little(data.get(4..7)?) + 1, little(data.get(7..10)?) + 1)),
        _ => None,
    }
}

/// A number of up to four bytes, highest first.
fn big(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// A number of up to four bytes, lowest first.
fn little(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The head of a PNG of this size.
    pub(in crate::picture) fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
        bytes.extend([8, 6, 0, 0, 0]);
        bytes
    }

    fn riff(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let size = |length: usize| u32::try_from(length).expect("short").to_le_bytes();
        [b"RIFF", &size(12 + data.len()), b"WEBP", kind, &size(data.len()), data].concat()
    }

    const JPEG: &[u8] = &[
        0xff, 0xd8, // start
        0xff, 0xe0, 0x00, 0x04, 0xff, 0xc0, // application data that looks like a frame
        0xff, 0xff, 0xfe, 0x00, 0x03, b'x', // a fill byte, and a comment
        0xff, 0xc4, 0x00, 0x02, // a table
        0xff, 0xc2, 0x00, 0x11, 0x08, 0x01, 0x02, 0x03, 0x04, 0x03, // a progressive frame: 258 lines of 772
    ];

    /// A picture of each kind with its size.
    fn samples() -> Vec<(PictureKind, Vec<u8>, (u32, u32))> {
        let lossy = [0x30, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x41, 0x2c, 0x01, 0x00];
        // 14 bits of 299 and 14 of 511, from the lowest.
        let lossless = [&[0x2f][..], &(299_u32 | 511 << 14).to_le_bytes()].concat();
        let extended = [0x10, 0, 0, 0, 0xff, 0x03, 0, 0x3f, 0, 0];
        vec![
            (PictureKind::Png, png(300, 70_000), (300, 70_000)),
            (PictureKind::Jpeg, JPEG.to_vec(), (772, 258)),
            (PictureKind::Webp, riff(b"VP8 ", &lossy), (320, 300)),
            (PictureKind::Webp, riff(b"VP8L", &lossless), (300, 512)),
            (PictureKind::Webp, riff(b"VP8X", &extended), (1024, 64)),
        ]
    }

    #[test]
    fn sizes_are_read() {
        for (kind, bytes, expected) in samples() {
            assert_eq!(size(kind, &bytes), Some(expected), "{kind:?}");
            for other in PictureKind::ALL.into_iter().filter(|other| *other != kind) {
                assert_eq!(size(other, &bytes), None, "{kind:?} as {other:?}");
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_twisted_never_panics() {
        for (kind, bytes, expected) in samples() {
            for end in 0..bytes.len() {
                let cut = size(kind, &bytes[..end]);
                assert!(cut.is_none() || cut == Some(expected), "{kind:?} cut at {end}");
            }
            for at in 0..bytes.len() {
                for value in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut twisted = bytes.clone();
                    twisted[at] = value;
                    let _ = size(kind, &twisted);
                }
            }
        }
    }

    #[test]
    fn other_things_are_no_pictures() {
        let scan_first = [0xff, 0xd8, 0xff, 0xda, 0x00, 0x08];
        let length_of_nothing = [0xff, 0xd8, 0xff, 0xe0, 0x00, 0x00, 0xff, 0xc0];
        let inter_frame = riff(b"VP8 ", &[0x31, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0x40, 0x01]);
        let sound = [b"RIFF", &8_u32.to_le_bytes()[..], b"WAVEfmt "].concat();
        let longer_than_it_is = [b"RIFF", &200_u32.to_le_bytes()[..], b"WEBPVP8X", &[0; 14]].concat();
        for bytes in [&scan_first[..], &length_of_nothing, &inter_frame, &sound, &longer_than_it_is, b"<svg/>", b""] {
            for kind in PictureKind::ALL {
                assert_eq!(size(kind, bytes), None, "{bytes:x?}");
            }
        }
    }
}
