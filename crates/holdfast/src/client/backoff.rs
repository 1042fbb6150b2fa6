//! Patience: when to try again, and when to give up.

use std::time::Duration;

use super::failure::Failure;

/// How long a request may go on failing before the command gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// One attempt: asking twice would not mean the same.
    None,
    /// A person waits for the answer.
    Brief,
    /// A transfer that may have run for hours survives the restart of a server.
    Long,
}

impl Patience {
    fn budget(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Brief => Duration::from_millis(1500),
            Self::Long => Duration::from_secs(120),
        }
    }
}

/// The first pause.
const FIRST: Duration = Duration::from_millis(200);

/// No pause is longer, unless the server asks for it.
const LONGEST: Duration = Duration::from_secs(10);

/// Counts the pauses since something last went well. Each is about twice as long as the one before, and differs by
/// chance, so that many clients do not come back at the same moment.
#[derive(Debug)]
pub(super) struct Backoff {
    budget: Duration,
    spent: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(patience: Patience) -> Self {
        Self { budget: patience.budget(), spent: Duration::ZERO, next: FIRST }
    }

    /// Something went well: the patience is whole again.
    pub(super) fn reset(&mut self) {
        self.spent = Duration::ZERO;
        self.next = FIRST;
    }

    /// Waits before the next attempt; `false`, at once, if there should be none.
    pub(super) async fn wait(&mut self, failure: &Failure) -> bool {
        match self.pause(failure.retry_after(), rand::random_range(0.75..1.25)) {
            Some(pause) if failure.is_transient() => {
                tokio::time::sleep(pause).await;
                true
            }
            _ => false,
        }
    }

    /// The next pause; `jitter` is about 1.
    fn pause(&mut self, asked: Option<Duration>, jitter: f64) -> Option<Duration> {
        let pause = self.next.mul_f64(jitter).max(asked.unwrap_or_default());
        self.spent = self.spent.saturating_add(pause);
        self.next = (self.next * 2).min(LONGEST);
        (self.spent <= self.budget).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let mut backoff = Backoff::new(Patience::Brief);
        let pauses: Vec<_> = std::iter::from_fn(|| backoff.pause(None, 1.0)).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800]);
        backoff.reset();
        assert_eq!(backoff.pause(None, 1.0), Some(FIRST));
        assert_eq!(Backoff::new(Patience::None).pause(None, 1.0), None);
    }

    #[test]
    fn the_server_may_ask_for_more_but_not_for_ever() {
        let mut backoff = Backoff::new(Patience::Long);
        assert_eq!(backoff.pause(Some(Duration::from_secs(30)), 1.0), Some(Duration::from_secs(30)));
        assert_eq!(backoff.pause(Some(Duration::from_secs(3600)), 1.0), None);
        let mut backoff = Backoff::new(Patience::Long);
        let pauses: Vec<_> = std::iter::from_fn(|| backoff.pause(None, 1.0)).collect();
        assert!(pauses.len() > 12 && pauses.iter().all(|pause| *pause <= LONGEST), "{pauses:?}");
    }

    #[tokio::test]
    async fn what_will_not_pass_is_not_tried_again() {
        let mut backoff = Backoff::new(Patience::Long);
        assert!(!backoff.wait(&Failure::Failed("no".into())).await);
    }
}
