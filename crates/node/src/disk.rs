//! Reading and writing at a place in a file, whole or not at all.

use std::{
    fs::File,
    io::{self, IoSlice, IoSliceMut},
};

use bytes::{Buf, Bytes};
use rustix::{
    buffer::spare_capacity,
    io::{Errno, ReadWriteFlags},
};

/// Slices that one vectored write takes at most: `IOV_MAX` of Linux.
const SLICES_MAX: usize = 1024;

/// Bytes `offset..offset + length` of a file.
///
/// # Errors
/// The system's; `UnexpectedEof` if the file is shorter.
pub(crate) fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    // The system fills memory that was not set to zero before, which a stream at several GB/s would notice.
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let at = offset + bytes.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut bytes), at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // An allocator may have given more room than was asked for, and the system filled that too.
    bytes.truncate(length);
    Ok(bytes)
}

/// The same without waiting for a disk: `None` if not all bytes are in the page cache, or the file system cannot tell.
pub(crate) fn read_cached(file: &File, offset: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    let read = rustix::io::preadv2(file, &mut [IoSliceMut::new(&mut bytes)], offset, ReadWriteFlags::NOWAIT);
    (read == Ok(length)).then_some(bytes)
}

/// Writes the pieces one after another from `offset` on.
pub(crate) fn write_at(file: &File, pieces: &[&[u8]], mut offset: u64) -> io::Result<()> {
    for pieces in pieces.chunks(SLICES_MAX) {
        let mut slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut slices = &mut slices[..];
        // An empty slice at the front counts as written, so that the loop ends when nothing is left.
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            match rustix::io::pwritev(file, slices, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    offset += written as u64;
                    IoSlice::advance_slices(&mut slices, written);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// The pieces as one buffer; a single piece is not copied.
pub(crate) fn join(mut pieces: Vec<Bytes>) -> Bytes {
    if pieces.len() == 1 {
        return pieces.remove(0);
    }
    let mut all = Vec::with_capacity(pieces.iter().map(Buf::remaining).sum());
    pieces.iter().for_each(|piece| all.extend_from_slice(piece));
    all.into()
}

/// Whether the error means that there is no room, which passes, and says nothing bad about the disk.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// Whether the error says that this process or machine is short of something, which passes, and nothing about the disk.
pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_slices_go_and_come_whole() {
        let file = tempfile::tempfile().expect("file");
        let data: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
        let pieces: Vec<&[u8]> = std::iter::once(&b""[..]).chain(data.chunks(100)).chain([&b""[..]]).collect();
        assert!(pieces.len() > 2 * SLICES_MAX);
        write_at(&file, &pieces, 7).expect("write");
        assert_eq!(read_at(&file, 7, data.len()).expect("read"), data);
        assert_eq!(read_at(&file, 8, 0).expect("nothing"), b"");
        let beyond = read_at(&file, 8, data.len()).expect_err("beyond the end");
        assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(read_cached(&file, 8, data.len()), None);
    }
}
