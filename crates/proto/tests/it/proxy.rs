//! A wire that changes bytes on their way.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Eight of these in a row do not occur in headers or frames, only in the test's payload.
pub(crate) const MARK: u8 = 0xa5;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Direction {
    ToNode,
    ToClient,
}

/// Forwards to `node`, and in one direction changes a bit within each run of [`MARK`].
pub(crate) async fn spoil(node: SocketAddr, direction: Direction) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut wires = JoinSet::new();
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_node, mut to_node) = TcpStream::connect(node).await.unwrap().into_split();
            wires.spawn(async move { pump(&mut from_client, &mut to_node, direction == Direction::ToNode).await });
            wires.spawn(async move { pump(&mut from_node, &mut to_client, direction == Direction::ToClient).await });
        }
    });
    (address, tasks)
}

async fn pump<R, W>(from: &mut R, to: &mut W, spoils: bool)
where
    R: AsyncReadExt + Unpin,
    W: AsyncWriteExt + Unpin,
{
    let mut buffer = vec![0; 64 << 10];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        if spoils && let Some(at) = buffer[..count].windows(8).position(|run| run == [MARK; 8]) {
            buffer[at + 4] ^= 1;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
