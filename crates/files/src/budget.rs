//! The process-wide bound on payload bytes in flight.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// Bytes are counted in pages of this size, so that any budget fits a semaphore's 32-bit permits.
const PAGE: usize = 4096;

/// Payload bytes that may be in memory at once, in all transfers together.
///
/// A transfer asks for a wide window and takes a narrow one when there is no room: many slow clients then share the
/// budget instead of shutting each other out. One that gets not even the narrow window waits, and is refused after a
/// while; since it waits before it reads from its peer, the wait is back pressure.
#[derive(Clone)]
pub(crate) struct Budget {
    pages: Arc<Semaphore>,
    wait: Duration,
}

/// What a transfer got. Dropping it gives it back.
pub(crate) enum Window {
    /// All it asked for.
    Wide(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit),
    /// As little as it can do with.
    Narrow(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit),
}

impl Window {
    pub(crate) fn is_wide(&self) -> bool {
        matches!(self, Self::Wide(_))
    }
}

impl Budget {
    pub(crate) fn new(bytes: usize, wait: Duration) -> Self {
        Self { pages: Arc::new(Semaphore::new(bytes.div_ceil(PAGE))), wait }
    }

    /// Takes `wide` bytes if they are free, else waits for `narrow`.
    ///
    /// # Errors
    /// [`Error::Busy`] if even the narrow window did not come in time.
    pub(crate) async fn take(&self, wide: usize, narrow: usize) -> Result<Window, Error> {
        let pages = |bytes: usize| bytes.div_ceil(PAGE).max(1) as u32;
        if let Ok(permit) = self.pages.clone().try_acquire_many_owned(pages(wide)) {
            return Ok(Window::Wide(permit));
        }
        metrics::counter!("holdfast_transfer_budget_waits_total").increment(1);
        let narrow = pages(narrow.min(wide));
        match tokio::time::timeout(self.wait, self.pages.clone().acquire_many_owned(narrow)).await {
            Ok(Ok(permit)) if narrow == pages(wide) => Ok(Window::Wide(permit)),
            Ok(Ok(permit)) => Ok(Window::Narrow(permit)),
            Ok(Err(_)) | Err(_) => Err(Error::Busy),
        }
    }
}
