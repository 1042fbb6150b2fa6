//! The tar format: ustar, with pax records (POSIX.1-2017, `pax`) where a name or a size does not fit it.

use super::plan::Item;

const BLOCK: u64 = 512;

/// Two blocks of zeros end an archive.
pub(super) const END_BYTES: u64 = 2 * BLOCK;

/// Bytes of a name in a ustar header.
const NAME_BYTES: usize = 100;

/// The largest size that eleven octal digits say.
const SIZE_MAX: u64 = 0o777_7777_7777;

/// Bytes of what stands before a file's own.
pub(super) fn head_length(item: &Item) -> u64 {
    let records = records(item).len() as u64;
    BLOCK + if records == 0 { 0 } else { BLOCK + records.next_multiple_of(BLOCK) }
}

/// Bytes that fill the last block.
pub(super) fn tail_length(item: &Item) -> u64 {
    item.size.next_multiple_of(BLOCK) - item.size
}

/// The header of an item, after that of its records if it needs any.
pub(super) fn head(item: &Item) -> Vec<u8> {
    let mut out = Vec::with_capacity(head_length(item) as usize);
    let records = records(item);
    if !records.is_empty() {
        out.extend_from_slice(&block("PaxHeaders/entry", 0o644, records.len() as u64, 0, b'x'));
        out.extend_from_slice(records.as_bytes());
        out.resize(out.len().next_multiple_of(BLOCK as usize), 0);
    }
    // Who knows no records gets a name that is safe and a size that is at least no other file's.
    let plain: String = item.path.chars().map(|c| if c.is_ascii() { c } else { '_' }).take(NAME_BYTES).collect();
    let (mode, kind) = if item.folder { (0o755, b'5') } else { (0o644, b'0') };
    let seconds = item.modified.as_secs().clamp(0, SIZE_MAX as i64) as u64;
    out.extend_from_slice(&block(&plain, mode, item.size.min(SIZE_MAX), seconds, kind));
    out
}

/// What the header itself cannot say.
fn records(item: &Item) -> String {
    let mut records = String::new();
    if item.path.len() > NAME_BYTES || !item.path.is_ascii() {
        record(&mut records, "path", &item.path);
    }
    if item.size > SIZE_MAX {
        record(&mut records, "size", &item.size.to_string());
    }
    records
}

/// `length key=value\n`, where the length counts its own digits.
fn record(records: &mut String, key: &str, value: &str) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    records.push_str(&format!("{length} {key}={value}\n"));
}

fn block(name: &str, mode: u64, size: u64, seconds: u64, kind: u8) -> [u8; BLOCK as usize] {
    let mut block = [0; BLOCK as usize];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{size:011o}").as_bytes());
    put(136, format!("{seconds:011o}").as_bytes());
    // The sum is taken with spaces in its own place.
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u64 = block.iter().copied().map(u64::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use base::Time;

    use super::*;

    #[test]
    fn lengths_are_those_of_the_bytes() {
        for path in ["a", "é", &"x".repeat(100), &"x".repeat(101), &"я/".repeat(2000)] {
            for size in [0, 1, 512, 513, SIZE_MAX, SIZE_MAX + 1, 1 << 40] {
                let item = Item {
                    path: path.to_owned(),
                    folder: false,
                    size,
                    content: None,
                    version: None,
                    modified: Time::default(),
                    crc32: None,
                };
                assert_eq!(head(&item).len() as u64, head_length(&item), "{path} {size}");
                assert_eq!((size + tail_length(&item)) % BLOCK, 0);
            }
        }
    }

    #[test]
    fn records_count_themselves() {
        for length in [1, 88, 89, 90, 91, 92, 93, 986, 987, 988, 989, 990, 991] {
            let mut text = String::new();
            record(&mut text, "path", &"x".repeat(length));
            let said: usize = text.split(' ').next().and_then(|digits| digits.parse().ok()).expect("a length");
            assert_eq!(said, text.len());
        }
    }
}
