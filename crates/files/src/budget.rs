//! The process-wide bound on payload bytes in flight.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// Bytes are counted in pages of this size, so that any budget fits a semaphore's 32-bit permits.
const PAGE: usize = 4096;

/// A transfer that never holds more than this is a small one: a small file, a short range.
const SMALL_BYTES_MAX: usize = 2 << 20;

/// Payload bytes that may be in memory at once, in all transfers together.
///
/// A transfer asks for a wide window, which it gets while less than half of the budget is in use, and takes a narrow one
/// otherwise: many slow clients then share the budget instead of shutting each other out. Small transfers have an
/// eighth of the budget to themselves, so they pass by any number of large ones that hardly move. One that gets not even the narrow window waits, and is refused after a
/// while; since it waits before it reads from its peer, the wait is back pressure.
#[derive(Clone)]
pub(crate) struct Budget {
    large: Arc<Semaphore>,
    large_pages: usize,
    small: Arc<Semaphore>,
    wait: Duration,
}

/// What a transfer got. Dropping it gives it back.
pub(crate) enum Window {
    /// All it asked for.
    Wide(#[expect(dead_code, reason = "held for its drop")] Taken),
    /// As little as it can do with.
    Narrow(#[expect(dead_code, reason = "held for its drop")] Taken),
}

/// Pages taken, seen in the gauge for as long as they are.
pub(crate) struct Taken {
    pages: OwnedSemaphorePermit,
}

impl Taken {
    fn new(pages: OwnedSemaphorePermit) -> Self {
        in_flight().increment((pages.num_permits() * PAGE) as f64);
        Self { pages }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        in_flight().decrement((self.pages.num_permits() * PAGE) as f64);
    }
}

fn in_flight() -> metrics::Gauge {
    metrics::gauge!("holdfast_transfer_bytes_in_flight")
}

impl Window {
    pub(crate) fn is_wide(&self) -> bool {
        matches!(self, Self::Wide(_))
    }
}

impl Budget {
    pub(crate) fn new(bytes: usize, wait: Duration) -> Self {
        let pages = bytes.div_ceil(PAGE);
        // At least one small transfer of the largest kind fits.
        let small_pages = (pages / 8).max(SMALL_BYTES_MAX / PAGE);
        let large_pages = pages.saturating_sub(small_pages);
        Self {
            large: Arc::new(Semaphore::new(large_pages)),
            large_pages,
            small: Arc::new(Semaphore::new(small_pages)),
            wait,
        }
    }

    /// Takes `wide` bytes if they are free, else waits for `narrow`.
    ///
    /// # Errors
    /// [`Error::Busy`] if even the narrow window did not come in time.
    pub(crate) async fn take(&self, wide: usize, narrow: usize) -> Result<Window, Error> {
        let pages = |bytes: usize| bytes.div_ceil(PAGE).max(1) as u32;
        let (semaphore, kept_free) =
            if wide <= SMALL_BYTES_MAX { (&self.small, 0) } else { (&self.large, self.large_pages / 2) };
        if semaphore.available_permits() >= kept_free + pages(wide) as usize
            && let Ok(permit) = semaphore.clone().try_acquire_many_owned(pages(wide))
        {
            return Ok(Window::Wide(Taken::new(permit)));
        }
        metrics::counter!("holdfast_transfer_budget_waits_total").increment(1);
        let narrow = pages(narrow.min(wide));
        match tokio::time::timeout(self.wait, semaphore.clone().acquire_many_owned(narrow)).await {
            Ok(Ok(permit)) if narrow == pages(wide) => Ok(Window::Wide(Taken::new(permit))),
            Ok(Ok(permit)) => Ok(Window::Narrow(Taken::new(permit))),
            Ok(Err(_)) | Err(_) => Err(Error::Busy),
        }
    }
}
