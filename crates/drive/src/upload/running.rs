//! Which uploads are being appended to in this process, so that a stale stream is cut at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use base::UploadId;
use tokio_util::sync::CancellationToken;

use crate::Error;

/// The appends that run in this process. There are never more than bodies being received.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<HashMap<UploadId, (u64, CancellationToken)>>>);

/// An append's place among those that run.
pub(crate) struct Seat {
    running: Running,
    upload: UploadId,
    generation: u64,
    /// Cancelled when somebody else resumed the upload.
    pub(crate) cut: CancellationToken,
}

impl Running {
    /// Takes the place of whoever appended before, who is cut.
    ///
    /// # Errors
    /// [`Error::UploadTakenOver`] if somebody with a newer lease is there already.
    pub(crate) fn enter(&self, upload: UploadId, generation: u64) -> Result<Seat, Error> {
        let cut = CancellationToken::new();
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match running.get(&upload) {
            Some((newer, _)) if *newer > generation => return Err(Error::UploadTakenOver),
            Some((_, stale)) => stale.cancel(),
            None => {}
        }
        running.insert(upload, (generation, cut.clone()));
        Ok(Seat { running: self.clone(), upload, generation, cut })
    }

    /// Cuts whoever is appending to an upload.
    pub(crate) fn cut(&self, upload: UploadId) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cut)) = running.get(&upload) {
            cut.cancel();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut running = self.running.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The place may be somebody else's by now.
        if running.get(&self.upload).is_some_and(|(generation, _)| *generation == self.generation) {
            running.remove(&self.upload);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lease_has_the_seat() {
        let running = Running::default();
        let upload = UploadId::from_bytes([1; 16]);
        let first = running.enter(upload, 1).expect("the seat is free");
        let third = running.enter(upload, 3).expect("a newer lease takes over");
        assert!(first.cut.is_cancelled() && !third.cut.is_cancelled());
        assert!(running.enter(upload, 2).is_err());
        drop(first);
        running.cut(upload);
        assert!(third.cut.is_cancelled());
        drop(third);
        assert!(running.enter(upload, 2).is_ok());
    }
}
