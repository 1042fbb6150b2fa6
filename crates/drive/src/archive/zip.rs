//! The zip format (PKWARE APPNOTE 6.3.10), as far as a stream of stored files needs it.
//!
//! The checksum and the sizes of a file follow its bytes in a data descriptor (4.3.9), since the checksum is not known when
//! its head is written. Sizes and places beyond 32 bits go to zip64 fields (4.5.3), and only then are such fields there:
//! simple archives stay readable for simple programs.

use base::Time;

use super::plan::Item;

const LOCAL: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;

/// General purpose flags (4.4.4): the descriptor follows; the name is UTF-8.
const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_UTF8: u16 = 1 << 11;

/// What a reader must know (4.4.3): folders, or zip64.
const NEEDS: u16 = 20;
const NEEDS_64: u16 = 45;

/// The writer is like a Unix (4.4.2), so that modes mean something.
const MADE_BY: u16 = 3 << 8 | NEEDS_64;

const HEAD_BYTES: u64 = 30;
const LISTED_BYTES: u64 = 46;

/// The extra field `UT` of Info-ZIP with the time of the last change, in UTC unlike zip's own.
const TIME_EXTRA: u64 = 9;

/// Whether a number is one for zip64.
fn is_large(number: u64) -> bool {
    number >= u64::from(u32::MAX)
}

/// The number, or what says that it stands in a zip64 field.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Bytes of what stands before a file's own.
pub(super) fn head_length(item: &Item) -> u64 {
    HEAD_BYTES + item.path.len() as u64 + TIME_EXTRA + if is_large(item.size) { 20 } else { 0 }
}

/// Bytes of the descriptor.
pub(super) fn tail_length(item: &Item) -> u64 {
    match (item.folder, is_large(item.size)) {
        (true, _) => 0,
        (false, false) => 16,
        (false, true) => 24,
    }
}

/// Bytes of an item's line in the directory, whose head is at `start`.
pub(super) fn listed_length(item: &Item, start: u64) -> u64 {
    LISTED_BYTES + item.path.len() as u64 + TIME_EXTRA + extra_length(item, start)
}

/// Bytes of the zip64 field in the directory.
fn extra_length(item: &Item, start: u64) -> u64 {
    let numbers = 2 * u64::from(is_large(item.size)) + u64::from(is_large(start));
    if numbers == 0 { 0 } else { 4 + 8 * numbers }
}

/// The local header.
pub(super) fn head(item: &Item) -> Vec<u8> {
    let large = is_large(item.size);
    let mut out = Vec::with_capacity(head_length(item) as usize);
    out.u32(LOCAL);
    common(&mut out, item, large);
    out.u32(0);
    // The sizes follow with the checksum. Where they need more room, this must be known before them.
    let size = if large { u32::MAX } else { 0 };
    out.u32(size);
    out.u32(size);
    out.u16(item.path.len() as u16);
    out.u16((TIME_EXTRA + if large { 20 } else { 0 }) as u16);
    out.extend_from_slice(item.path.as_bytes());
    time_extra(&mut out, item.modified);
    if large {
        out.u16(1);
        out.u16(16);
        out.u64(item.size);
        out.u64(item.size);
    }
    out
}

/// The data descriptor.
pub(super) fn tail(item: &Item, crc32: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(24);
    if item.folder {
        return out;
    }
    out.u32(DESCRIPTOR);
    out.u32(crc32);
    if is_large(item.size) {
        out.u64(item.size);
        out.u64(item.size);
    } else {
        out.u32(short(item.size));
        out.u32(short(item.size));
    }
    out
}

/// The line in the directory.
pub(super) fn listed(item: &Item, start: u64, crc32: u32) -> Vec<u8> {
    let extra = extra_length(item, start);
    let mut out = Vec::with_capacity(listed_length(item, start) as usize);
    out.u32(CENTRAL);
    out.u16(MADE_BY);
    common(&mut out, item, extra > 0);
    out.u32(crc32);
    let size = if is_large(item.size) { u32::MAX } else { short(item.size) };
    out.u32(size);
    out.u32(size);
    out.u16(item.path.len() as u16);
    out.u16((TIME_EXTRA + extra) as u16);
    // No comment, one disk, nothing known of text or not.
    out.u16(0);
    out.u16(0);
    out.u16(0);
    // The mode of Unix above, the folder of MS-DOS below.
    out.u32(if item.folder { 0o040_755 << 16 | 0x10 } else { 0o100_644 << 16 });
    out.u32(if is_large(start) { u32::MAX } else { short(start) });
    out.extend_from_slice(item.path.as_bytes());
    time_extra(&mut out, item.modified);
    if extra > 0 {
        out.u16(1);
        out.u16((extra - 4) as u16);
        if is_large(item.size) {
            out.u64(item.size);
            out.u64(item.size);
        }
        if is_large(start) {
            out.u64(start);
        }
    }
    out
}

/// Where the directory is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Directory {
    pub(super) entries: u64,
    pub(super) start: u64,
    pub(super) length: u64,
}

impl Directory {
    fn is_large(self) -> bool {
        self.entries >= u64::from(u16::MAX) || is_large(self.start) || is_large(self.length)
    }

    /// Bytes of the end of the archive.
    pub(super) fn end_length(self) -> u64 {
        22 + if self.is_large() { 76 } else { 0 }
    }

    /// What stands after the directory.
    pub(super) fn end(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.end_length() as usize);
        if self.is_large() {
            out.u32(END_64);
            // Of what follows in this record.
            out.u64(44);
            out.u16(MADE_BY);
            out.u16(NEEDS_64);
            out.u32(0);
            out.u32(0);
            out.u64(self.entries);
            out.u64(self.entries);
            out.u64(self.length);
            out.u64(self.start);
            out.u32(LOCATOR_64);
            out.u32(0);
            out.u64(self.start + self.length);
            out.u32(1);
        }
        let entries = u16::try_from(self.entries).unwrap_or(u16::MAX);
        out.u32(END);
        out.u16(0);
        out.u16(0);
        out.u16(entries);
        out.u16(entries);
        out.u32(short(self.length));
        out.u32(short(self.start));
        out.u16(0);
        out
    }
}

/// What local and central headers have in common: version, flags, method (stored), time.
fn common(out: &mut Vec<u8>, item: &Item, large: bool) {
    let (time, date) = dos_time(item.modified);
    out.u16(if large { NEEDS_64 } else { NEEDS });
    out.u16(FLAG_UTF8 | if item.folder { 0 } else { FLAG_DESCRIPTOR });
    out.u16(0);
    out.u16(time);
    out.u16(date);
}

fn time_extra(out: &mut Vec<u8>, modified: Time) {
    out.extend_from_slice(b"UT");
    out.u16(5);
    out.push(1);
    let seconds = modified.as_secs().clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
    out.extend_from_slice(&seconds.to_le_bytes());
}

/// Time and date as MS-DOS had them: from 1980 to 2107, two seconds at a time.
fn dos_time(time: Time) -> (u16, u16) {
    let (year, month, day) = time.date();
    if year < 1980 {
        return (0, 1 << 5 | 1);
    }
    let second = time.as_secs().rem_euclid(86_400);
    let (hour, minute, half) = (second / 3600, second / 60 % 60, second % 60 / 2);
    let clock = (hour << 11) | (minute << 5) | half;
    let date = ((year.min(2107) - 1980) << 9) | (month << 5) | day;
    (clock as u16, date as u16)
}

/// Numbers as zip writes them: the least byte first.
trait LittleEndian {
    fn u16(&mut self, number: u16);
    fn u32(&mut self, number: u32);
    fn u64(&mut self, number: u64);
}

impl LittleEndian for Vec<u8> {
    fn u16(&mut self, number: u16) {
        self.extend_from_slice(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.extend_from_slice(&number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.extend_from_slice(&number.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(size: u64, folder: bool) -> Item {
        let path = if folder { "a/é/".to_owned() } else { "a/é".to_owned() };
        Item { path, folder, size, content: None, version: None, modified: Time::default(), crc32: None }
    }

    /// The layout is computed before anything is written: each length must be that of the bytes.
    #[test]
    fn lengths_are_those_of_the_bytes() {
        let large = u64::from(u32::MAX);
        for size in [0, 1, large - 1, large, large + 1, 1 << 40] {
            for folder in [false, true] {
                let item = item(if folder { 0 } else { size }, folder);
                assert_eq!(head(&item).len() as u64, head_length(&item), "{size}");
                assert_eq!(tail(&item, 7).len() as u64, tail_length(&item), "{size}");
                for start in [0, large - 1, large, 1 << 41] {
                    assert_eq!(listed(&item, start, 7).len() as u64, listed_length(&item, start), "{size} {start}");
                }
            }
        }
        for (entries, start, length) in
            [(0, 0, 0), (65_534, 1, 1), (65_535, 1, 1), (1, large, 1), (1, 1, large), (1 << 20, 1 << 40, 1 << 33)]
        {
            let directory = Directory { entries, start, length };
            assert_eq!(directory.end().len() as u64, directory.end_length(), "{directory:?}");
        }
    }

    #[test]
    fn times_of_ms_dos() {
        let at = |micros| dos_time(Time::from_micros(micros));
        assert_eq!(at(0), (0, 33));
        // 2026-11-21T01:26:55
        assert_eq!(at(1_795_224_415_123_456), (1 << 11 | 26 << 5 | 27, 46 << 9 | 11 << 5 | 21));
        assert_eq!(at(i64::MAX).1 >> 9, 127);
    }
}
