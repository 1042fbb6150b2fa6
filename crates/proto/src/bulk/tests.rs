//! However the frames of a body are cut, the messages are those of the generated code, and nonsense is an error.

use std::convert::Infallible;

use bytes::{BufMut, Bytes, BytesMut};
use futures::{FutureExt, stream};
use http_body_util::{BodyExt, StreamBody};
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::{
    pb::node::{self as pb, put_request::Step},
    wire::DATA_BYTES_MAX,
};

/// A message as any gRPC library sends it.
fn generated(message: &impl Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let mut all = vec![0];
    all.put_u32(bytes.len() as u32);
    all.extend(bytes);
    all
}

fn sent(message: Outgoing) -> Vec<u8> {
    message.frames().into_iter().flat_map(|frame| frame.into_data().unwrap()).collect()
}

/// A body whose frames end at these places.
fn body(bytes: &[u8], cuts: &[usize]) -> impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin + use<> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).chain([0, bytes.len()]).collect();
    places.sort_unstable();
    let frames: Vec<_> =
        places.windows(2).map(|it| Ok(Frame::data(Bytes::copy_from_slice(&bytes[it[0]..it[1]])))).collect();
    StreamBody::new(stream::iter(frames))
}

fn request(
    bytes: &[u8],
    cuts: &[usize],
) -> Reader<impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin + use<>> {
    Reader::of_request(body(bytes, cuts))
}

/// All messages, none of which is waited for.
fn read<B>(mut reader: Reader<B>) -> Result<Vec<Chunks>, Error>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut messages = Vec::new();
    loop {
        match reader.next().now_or_never().expect("everything is there") {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => break,
            Err(error) => {
                assert!(matches!(reader.next().now_or_never(), Some(Ok(None))), "an error is the last");
                return Err(error);
            }
        }
    }
    Ok(messages)
}

fn joined(chunks: &Chunks) -> Vec<u8> {
    chunks.iter().flatten().copied().collect()
}

fn start() -> pb::PutRequest {
    pb::PutRequest { step: Some(Step::Start(pb::PutStart { part: vec![7; 16].into() })) }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, why: &str) {
    match result {
        Err(Error::Unavailable(text)) if text.contains(why) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_bytes_of_a_message_are_a_contract() {
    let hex = |message| sent(message).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let payload = Bytes::from_static(b"123456789");
    assert_eq!(hex(data(payload.clone())), "0000000010 15839206e3 0a09313233343536373839".replace(' ', ""));
    assert_eq!(hex(put_data(payload)), "0000000012 1210 15839206e3 0a09313233343536373839".replace(' ', ""));
    assert_eq!(sent(whole(&start())), generated(&start()));
    assert_eq!(sent(whole(&pb::GetRequest::default())), [0; 5]);
}

#[test]
fn generated_code_reads_what_is_sent() {
    for length in [0, 1, 127, 128, 16_383, 16_384, DATA_BYTES_MAX] {
        let bytes = Bytes::from(vec![9; length]);
        let sealed = pb::Data::seal(bytes.clone());
        assert_eq!(pb::Data::decode(&sent(data(bytes.clone()))[5..]).unwrap(), sealed);
        let put = pb::PutRequest::decode(&sent(put_data(bytes))[5..]).unwrap();
        assert_eq!(put.step, Some(Step::Data(sealed)));
    }
}

proptest! {
    #[test]
    fn frames_cut_anywhere_give_the_same_messages(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5000), 0..6),
        by_generated in any::<bool>(),
        cuts in prop::collection::vec(any::<usize>(), 0..40),
    ) {
        let mut wire = generated(&start());
        for payload in &payloads {
            let payload = Bytes::copy_from_slice(payload);
            wire.extend(if by_generated {
                generated(&pb::PutRequest { step: Some(Step::Data(pb::Data::seal(payload))) })
            } else {
                sent(put_data(payload))
            });
        }
        let mut messages = read(request(&wire, &cuts)).unwrap().into_iter();
        let Some(PutStep::Start(first)) = put_step(messages.next().unwrap()).unwrap() else { panic!() };
        prop_assert_eq!(first.part, vec![7; 16]);
        for payload in &payloads {
            let Some(PutStep::Data(got)) = put_step(messages.next().unwrap()).unwrap() else { panic!() };
            prop_assert_eq!(&joined(&got), payload);
            prop_assert!(got.iter().all(|piece| !piece.is_empty()));
        }
        prop_assert!(messages.next().is_none());
    }

    #[test]
    fn nonsense_is_an_error_or_a_message_and_no_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        cuts in prop::collection::vec(any::<usize>(), 0..5),
    ) {
        let _ = read(request(&bytes, &cuts));
        let mut message = Chunks::default();
        body(&bytes, &cuts).collect().now_or_never().unwrap().unwrap().to_bytes().chunks(7)
            .for_each(|piece| message.push(Bytes::copy_from_slice(piece)));
        let _ = payload(message.clone());
        let _ = put_step(message);
    }

    #[test]
    fn a_changed_bit_never_gives_other_bytes(bytes in prop::collection::vec(any::<u8>(), 1..300), at in any::<usize>()) {
        let mut wire = sent(data(bytes.clone().into()));
        let at = at % (wire.len() * 8);
        wire[at / 8] ^= 1 << (at % 8);
        let got = read(request(&wire, &[])).map(|messages| messages.into_iter().map(payload).collect::<Vec<_>>());
        for got in got.into_iter().flatten().flatten() {
            prop_assert!(got.len() == 0 || joined(&got) == bytes);
        }
    }
}

#[test]
fn a_message_in_tiny_frames_is_not_a_million_pieces() {
    let wire = sent(data(vec![1; 100_000].into()));
    let cuts: Vec<_> = (0..wire.len()).collect();
    let messages = read(request(&wire, &cuts)).unwrap();
    assert!(messages[0].iter().count() < 250, "{}", messages[0].iter().count());
    assert_eq!(joined(&payload(messages[0].clone()).unwrap()), [1; 100_000]);
}

#[test]
fn a_body_that_is_no_grpc_is_refused() {
    let wire = sent(data(Bytes::from_static(b"123456789")));
    for end in 1..wire.len() {
        refused(read(request(&wire[..end], &[])), "within a message");
    }
    refused(read(request(&[1, 0, 0, 0, 0], &[])), "compressed");
    refused(read(request(&[0, 0xff, 0xff, 0xff, 0xff], &[])), "4294967295 bytes");
}

#[test]
fn a_message_that_is_none_is_refused() {
    let message =
        |bytes: &[u8]| read(request(&[&[0, 0, 0, 0, bytes.len() as u8], bytes].concat(), &[])).unwrap().remove(0);
    assert_eq!(payload(message(&[])).unwrap().len(), 0, "the checksum of nothing is nought");
    refused(payload(message(&[0x15, 0, 0])), "broke");
    refused(payload(message(&[0x0a, 5, 1])), "longer than its message");
    refused(payload(message(&[0x08, 1])), "another type");
    refused(payload(message(&[0x0a, 1, 1, 0x15, 0, 0, 0, 0])), "changed on their way");
    refused(payload(message(&[0x0a, 1, 1])), "changed on their way");
    refused(put_step(message(&[0x12, 3, 0x0a, 1, 1])), "changed on their way");
    refused(put_step(message(&[0x10, 3])), "another type");
    // A later release may say more, at either level.
    let mut later = BytesMut::new();
    later.put_slice(&[0x18, 1, 0x2a, 2, 8, 8]);
    later.put_slice(&sent(data(Bytes::from_static(b"123456789")))[5..]);
    later.put_slice(&[0x35, 1, 2, 3, 4]);
    assert_eq!(joined(&payload(message(&later)).unwrap()), b"123456789");
    let unknown = put_step(message(&[0x22, 1, 1])).unwrap();
    assert!(unknown.is_none());
    let long = [&sent(data(vec![0; DATA_BYTES_MAX + 1].into()))[..]].concat();
    let messages = read(request(&long, &[])).unwrap();
    assert!(matches!(payload(messages[0].clone()), Err(Error::Invalid(_))));
}

#[test]
fn a_response_ends_with_its_status_and_never_without() {
    let response = |end: Option<Status>| {
        let frames = sent(data(Bytes::from_static(b"1")));
        let end = end.and_then(|status| trailers(&status));
        let frames = [Some(Frame::data(Bytes::from(frames))), end].into_iter().flatten().map(Ok::<_, Infallible>);
        Reader::of_response(StreamBody::new(stream::iter(frames.collect::<Vec<_>>())))
    };
    assert_eq!(read(response(Some(Status::ok("")))).unwrap().len(), 1);
    refused(read(response(None)), "without a status");
    let full = crate::wire::to_status(&Error::Full);
    assert!(matches!(read(response(Some(full))), Err(Error::Full)));
    let empty = Frame::trailers(HeaderMap::new());
    refused(read(Reader::of_response(StreamBody::new(stream::iter([Ok::<_, Infallible>(empty)])))), "without a status");
}
