//! Bytes in several pieces, as they came, read as if they were one.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// Bytes in pieces, none of which is empty.
#[derive(Debug, Default, Clone)]
pub(crate) struct Chunks {
    pieces: VecDeque<Bytes>,
    length: usize,
}

impl Chunks {
    pub(crate) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.length += piece.len();
            self.pieces.push_back(piece);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The pieces, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        self.pieces.iter()
    }

    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let piece = self.pieces.pop_front()?;
        self.length -= piece.len();
        Some(piece)
    }

    pub(crate) fn pop_back_if(&mut self, wanted: impl FnOnce(&Bytes) -> bool) -> Option<Bytes> {
        let piece = self.pieces.pop_back_if(|piece| wanted(piece))?;
        self.length -= piece.len();
        Some(piece)
    }

    /// Takes the first `length` bytes away; nothing is copied. `None` if there are fewer.
    pub(crate) fn split(&mut self, length: usize) -> Option<Self> {
        if length > self.length {
            return None;
        }
        let mut taken = Self::default();
        while taken.length < length {
            let first = self.pieces.front_mut()?;
            let piece = first.split_to(first.len().min(length - taken.length));
            if first.is_empty() {
                self.pieces.pop_front();
            }
            taken.push(piece);
        }
        self.length -= length;
        Some(taken)
    }
}

impl Buf for Chunks {
    fn remaining(&self) -> usize {
        self.length
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |piece| piece)
    }

    fn advance(&mut self, count: usize) {
        assert!(self.split(count).is_some(), "more is passed over than there is");
    }
}
