//! What two sides say to each other on a new connection, before gRPC: who the node is, and that both know the secret.
//!
//! ```text
//! client → node   magic (8)  client nonce (16)
//! node → client   magic (8)  node nonce (16)   node id (16)
//! client → node   proof (32) over both nonces and the node id
//! node → client   verdict (1)  proof (32) over the same, for the other direction
//! ```
//!
//! The client proves first: whoever merely reaches a node's port learns nothing that could be searched offline. Both
//! nonces are new for each connection, so a recording of one cannot open another. What this does not protect from is
//! in `docs/adr/2026-11-21-cluster-secret.md`.

use base::NodeId;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use uuid::Uuid;

use crate::{ClusterSecret, Error};

/// Name and version of what follows. The last byte is the version.
const MAGIC: [u8; 8] = *b"HFNODE\0\x01";

const CLIENT_PROOF: &str = "client of a node";
const NODE_PROOF: &str = "node to a client";

const KNOWN: u8 = 1;
const REFUSED: u8 = 0;

/// The client's side. Returns who answered.
///
/// # Errors
/// [`Error::Unauthenticated`] if either side does not know the secret, [`Error::Invalid`] if another node than `expected`
/// or something that is no node answers, [`Error::Unavailable`] if the connection breaks.
pub(crate) async fn greet<S>(io: &mut S, secret: &ClusterSecret, expected: Option<NodeId>) -> Result<NodeId, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let ours = nonce();
    let mut hello = [0; 24];
    hello[..8].copy_from_slice(&MAGIC);
    hello[8..].copy_from_slice(&ours);
    io.write_all(&hello).await.map_err(broken)?;

    let mut answer = [0; 40];
    io.read_exact(&mut answer).await.map_err(broken)?;
    let (magic, rest) = answer.split_at(8);
    let (theirs, node) = rest.split_at(16);
    if magic != MAGIC {
        return Err(Error::Invalid("no node of this version answers at this address".into()));
    }
    io.write_all(secret.proof(CLIENT_PROOF, &[&ours, theirs, node]).as_bytes()).await.map_err(broken)?;

    let mut verdict = [0; 33];
    io.read_exact(&mut verdict).await.map_err(broken)?;
    let (verdict, proof) = verdict.split_at(1);
    if verdict != [KNOWN] || secret.proof(NODE_PROOF, &[&ours, theirs, node]) != *proof {
        return Err(Error::Unauthenticated);
    }
    let node = NodeId::from_bytes(node.try_into().expect("split at the length of an id"));
    match expected {
        Some(expected) if expected != node => {
            Err(Error::Invalid(format!("another node answers at this address: {node}, not {expected}")))
        }
        _ => Ok(node),
    }
}

/// The node's side.
///
/// # Errors
/// [`Error::Unauthenticated`] if the client does not know the secret, [`Error::Invalid`] if it speaks something else,
/// [`Error::Unavailable`] if the connection breaks.
pub(crate) async fn welcome<S>(io: &mut S, secret: &ClusterSecret, node: NodeId) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut hello = [0; 24];
    io.read_exact(&mut hello).await.map_err(broken)?;
    let (magic, theirs) = hello.split_at(8);
    if magic != MAGIC {
        return Err(Error::Invalid("the connection does not begin as a client's of this version".into()));
    }
    let ours = nonce();
    let node = node.to_bytes();
    let mut answer = [0; 40];
    answer[..8].copy_from_slice(&MAGIC);
    answer[8..24].copy_from_slice(&ours);
    answer[24..].copy_from_slice(&node);
    io.write_all(&answer).await.map_err(broken)?;

    let mut proof = [0; 32];
    io.read_exact(&mut proof).await.map_err(broken)?;
    let mut verdict = [REFUSED; 33];
    let known = secret.proof(CLIENT_PROOF, &[theirs, &ours, &node]) == proof;
    if known {
        verdict[0] = KNOWN;
        verdict[1..].copy_from_slice(secret.proof(NODE_PROOF, &[theirs, &ours, &node]).as_bytes());
    }
    io.write_all(&verdict).await.map_err(broken)?;
    if known { Ok(()) } else { Err(Error::Unauthenticated) }
}

/// 122 bits from the operating system's generator.
pub(crate) fn nonce() -> [u8; 16] {
    *Uuid::new_v4().as_bytes()
}

fn broken(error: std::io::Error) -> Error {
    Error::Unavailable(format!("the connection broke while the two sides introduced themselves: {error}"))
}

#[cfg(test)]
mod tests {
    use base::Secret;

    use super::*;

    fn secret(text: &str) -> ClusterSecret {
        ClusterSecret::new(&Secret::new(text)).unwrap()
    }

    async fn meet(
        client: &str,
        node: &str,
        id: NodeId,
        expected: Option<NodeId>,
    ) -> (Result<NodeId, Error>, Result<(), Error>) {
        let (mut near, mut far) = tokio::io::duplex(1024);
        let (client, node) = (secret(client), secret(node));
        tokio::join!(greet(&mut near, &client, expected), welcome(&mut far, &node, id))
    }

    const A: &str = "one secret of a cluster";
    const B: &str = "one secret of another cluster";

    #[tokio::test]
    async fn both_sides_must_know_the_secret_and_the_node_be_the_expected_one() {
        let (one, two) = (NodeId::from_bytes([1; 16]), NodeId::from_bytes([2; 16]));
        let (client, node) = meet(A, A, one, None).await;
        assert_eq!(client.unwrap(), one);
        node.unwrap();
        assert_eq!(meet(A, A, one, Some(one)).await.0.unwrap(), one);
        assert!(matches!(meet(A, A, one, Some(two)).await.0, Err(Error::Invalid(_))));
        let (client, node) = meet(A, B, one, Some(one)).await;
        assert!(matches!(client, Err(Error::Unauthenticated)));
        assert!(matches!(node, Err(Error::Unauthenticated)));
    }

    #[tokio::test]
    async fn a_node_that_only_claims_to_know_is_refused() {
        let (mut near, mut far) = tokio::io::duplex(1024);
        let secret = secret(A);
        let impostor = async {
            let mut hello = [0; 24];
            far.read_exact(&mut hello).await.unwrap();
            far.write_all(&MAGIC).await.unwrap();
            far.write_all(&[7; 32]).await.unwrap();
            // It sends the client's own proof back, which is all that it has.
            let mut proof = [0; 32];
            far.read_exact(&mut proof).await.unwrap();
            far.write_all(&[KNOWN]).await.unwrap();
            far.write_all(&proof).await.unwrap();
        };
        let (client, ()) = tokio::join!(greet(&mut near, &secret, None), impostor);
        assert!(matches!(client, Err(Error::Unauthenticated)));
    }

    #[tokio::test]
    async fn a_recording_does_not_open_another_connection() {
        let secret = secret(A);
        let node = NodeId::from_bytes([1; 16]);
        let (ours, mut said) = (nonce(), Vec::new());
        for round in 0..2 {
            let (mut near, mut far) = tokio::io::duplex(1024);
            let client = async {
                near.write_all(&MAGIC).await.unwrap();
                near.write_all(&ours).await.unwrap();
                let mut answer = [0; 40];
                near.read_exact(&mut answer).await.unwrap();
                if round == 0 {
                    let proof = secret.proof(CLIENT_PROOF, &[&ours, &answer[8..24], &answer[24..]]);
                    said = proof.as_bytes().to_vec();
                }
                near.write_all(&said).await.unwrap();
                let mut verdict = [0; 33];
                near.read_exact(&mut verdict).await.unwrap();
                verdict[0]
            };
            let (verdict, result) = tokio::join!(client, welcome(&mut far, &secret, node));
            assert_eq!((verdict == KNOWN, result.is_ok()), (round == 0, round == 0));
        }
    }

    #[tokio::test]
    async fn something_else_is_told_apart_from_a_broken_connection() {
        let (mut near, mut far) = tokio::io::duplex(1024);
        near.write_all(b"GET / HTTP/1.1\r\nhost: somewhere\r\n\r\n").await.unwrap();
        let node = NodeId::from_bytes([1; 16]);
        assert!(matches!(welcome(&mut far, &secret(A), node).await, Err(Error::Invalid(_))));
        let (near, mut far) = tokio::io::duplex(1024);
        drop(near);
        assert!(matches!(welcome(&mut far, &secret(A), node).await, Err(Error::Unavailable(_))));
    }
}
