//! BLAKE3 beside the transfer: long bodies are hashed on another thread while the next bytes come in.

use bytes::Bytes;
use files::ContentHash;
use tokio::task::JoinSet;

/// Bytes that are gathered before another thread hashes them. At most twice as many are held at a time.
const BATCH_BYTES: usize = 1 << 20;

/// Bytes that are quicker hashed here than handed to another thread.
const INLINE_BYTES: usize = 64 << 10;

/// The hash of a body that is on its way.
#[derive(Default)]
pub(crate) struct Hashing {
    /// None while another thread has it.
    hash: Option<ContentHash>,
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
    busy: JoinSet<ContentHash>,
}

impl Hashing {
    /// Goes on from a hash of what came before.
    pub(crate) fn resume(hash: ContentHash) -> Self {
        Self { hash: Some(hash), ..Self::default() }
    }

    /// Takes the next bytes. Waits while the other thread is more than a batch behind.
    pub(crate) async fn push(&mut self, bytes: Bytes) {
        self.gathered_bytes += bytes.len();
        self.gathered.push(bytes);
        if self.gathered_bytes >= BATCH_BYTES {
            self.hand_over().await;
        }
    }

    /// The hash of everything that was pushed so far; more may follow.
    pub(crate) async fn settled(&mut self) -> &ContentHash {
        if self.gathered_bytes > INLINE_BYTES {
            self.hand_over().await;
        }
        let mut hash = self.take().await;
        for bytes in self.gathered.drain(..) {
            hash.push(&bytes);
        }
        self.gathered_bytes = 0;
        self.hash.insert(hash)
    }

    async fn hand_over(&mut self) {
        let mut hash = self.take().await;
        let batch = std::mem::take(&mut self.gathered);
        self.gathered_bytes = 0;
        self.busy.spawn_blocking(move || {
            for bytes in batch {
                hash.push(&bytes);
            }
            hash
        });
    }

    /// The hash itself, once the other thread has done its batch.
    async fn take(&mut self) -> ContentHash {
        match self.busy.join_next().await {
            Some(Ok(hash)) => hash,
            // Only a panic or the end of the runtime ends a blocking task; neither leaves a hash to go on with.
            Some(Err(error)) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => futures::future::pending().await,
            },
            None => self.hash.take().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hashes_what_was_pushed_whatever_the_pieces() {
        let all: Vec<u8> = (0..5_000_000u32).map(|i| (i * 7 % 251) as u8).collect();
        for piece in [1000, 70_000, 1 << 20, 3_000_000] {
            let mut hashing = Hashing::default();
            for (count, bytes) in all.chunks(piece).enumerate() {
                hashing.push(Bytes::copy_from_slice(bytes)).await;
                if count % 5 == 2 {
                    let state = hashing.settled().await.state();
                    hashing = Hashing::resume(ContentHash::restore(&state).expect("a state that was just made"));
                }
            }
            assert_eq!(hashing.settled().await.finalize(), *blake3::hash(&all).as_bytes(), "{piece}");
        }
    }
}
