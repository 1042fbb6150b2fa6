//! The messages of `Put` and `Get`, written and read around their payload.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_body::Frame;
use prost::{
    DecodeError, Message,
    encoding::{
        DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, encoded_len_varint, skip_field,
    },
};

use super::{Chunks, broken};
use crate::{
    Error, Receipt,
    pb::node as pb,
    wire::{DATA_BYTES_MAX, crc32c},
};

/// What stands before a message: a flag that says whether it is compressed, and its length as a `u32`.
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests>
pub(super) const PREFIX_BYTES: usize = 5;

/// Fields of the messages in `node.proto`.
const DATA_BYTES: u32 = 1;
const DATA_CRC32C: u32 = 2;
const PUT_START: u32 = 1;
const PUT_DATA: u32 = 2;
const PUT_END: u32 = 3;

/// A head of any message here is shorter: prefix, three keys, two lengths and a checksum.
const HEAD_BYTES_MAX: usize = 32;

/// A message that is to be sent: its payload is the end of it, and may be empty.
#[derive(Debug)]
pub(crate) struct Outgoing {
    head: Bytes,
    payload: Bytes,
}

impl Outgoing {
    pub(super) fn frames(self) -> Vec<Frame<Bytes>> {
        [self.head, self.payload].into_iter().filter(|bytes| !bytes.is_empty()).map(Frame::data).collect()
    }
}

fn prefix(head: &mut BytesMut, length: usize) {
    head.put_u8(0);
    head.put_u32(u32::try_from(length).expect("a message is no longer than a piece of a part and its head"));
}

/// A message without payload.
pub(crate) fn whole(message: &impl Message) -> Outgoing {
    let length = message.encoded_len();
    let mut head = BytesMut::with_capacity(PREFIX_BYTES + length);
    prefix(&mut head, length);
    message.encode_raw(&mut head);
    Outgoing { head: head.freeze(), payload: Bytes::new() }
}

/// `Data` with these bytes. Fields may stand in any order; the checksum goes first, so that nothing follows the bytes.
pub(crate) fn data(payload: Bytes) -> Outgoing {
    let mut head = BytesMut::with_capacity(HEAD_BYTES_MAX);
    prefix(&mut head, data_length(&payload));
    data_head(&mut head, &payload);
    Outgoing { head: head.freeze(), payload }
}

/// `PutRequest` with `Data` of these bytes.
pub(crate) fn put_data(payload: Bytes) -> Outgoing {
    let length = data_length(&payload);
    let mut head = BytesMut::with_capacity(HEAD_BYTES_MAX);
    prefix(&mut head, 1 + encoded_len_varint(length as u64) + length);
    encode_key(PUT_DATA, WireType::LengthDelimited, &mut head);
    encode_varint(length as u64, &mut head);
    data_head(&mut head, &payload);
    Outgoing { head: head.freeze(), payload }
}

/// Bytes of a `Data`; each key is one.
fn data_length(payload: &Bytes) -> usize {
    1 + size_of::<u32>() + 1 + encoded_len_varint(payload.len() as u64) + payload.len()
}

fn data_head(head: &mut BytesMut, payload: &Bytes) {
    encode_key(DATA_CRC32C, WireType::ThirtyTwoBit, head);
    head.put_u32_le(crc32c([payload]));
    encode_key(DATA_BYTES, WireType::LengthDelimited, head);
    encode_varint(payload.len() as u64, head);
}

/// The bytes of a `Data`, if they are those that were sent.
pub(crate) fn payload(mut message: Chunks) -> Result<Chunks, Error> {
    let (mut bytes, mut sum) = (Chunks::default(), 0);
    while let Some((tag, wire)) = key(&mut message)? {
        match (tag, wire) {
            (DATA_BYTES, WireType::LengthDelimited) => bytes = field(&mut message)?,
            (DATA_CRC32C, WireType::ThirtyTwoBit) => sum = message.try_get_u32_le().map_err(broken)?,
            (DATA_BYTES | DATA_CRC32C, _) => return Err(broken("a field is of another type")),
            _ => skip(wire, tag, &mut message)?,
        }
    }
    if bytes.len() > DATA_BYTES_MAX {
        return Err(Error::Invalid("a data message is longer than agreed".into()));
    }
    if crc32c(bytes.iter()) != sum {
        // Not `Damaged`: the disk is innocent, and another try may well work.
        return Err(Error::Unavailable("bytes changed on their way".into()));
    }
    Ok(bytes)
}

/// What a `PutRequest` says.
#[derive(Debug)]
pub(crate) enum PutStep {
    Start(pb::PutStart),
    Data(Chunks),
    End(Receipt),
}

/// The step of a `PutRequest`; `None` if it is of a kind that this release does not know.
pub(crate) fn put_step(mut message: Chunks) -> Result<Option<PutStep>, Error> {
    let mut step = None;
    while let Some((tag, wire)) = key(&mut message)? {
        match (tag, wire) {
            (PUT_START, WireType::LengthDelimited) => step = Some(PutStep::Start(decoded(field(&mut message)?)?)),
            (PUT_DATA, WireType::LengthDelimited) => step = Some(PutStep::Data(payload(field(&mut message)?)?)),
            (PUT_END, WireType::LengthDelimited) => {
                let receipt: pb::Receipt = decoded(field(&mut message)?)?;
                step = Some(PutStep::End(receipt.into()));
            }
            (PUT_START | PUT_DATA | PUT_END, _) => return Err(broken("a field is of another type")),
            _ => skip(wire, tag, &mut message)?,
        }
    }
    Ok(step)
}

/// A message without payload.
pub(crate) fn decoded<M: Message + Default>(message: Chunks) -> Result<M, Error> {
    M::decode(message).map_err(broken)
}

/// The key of the next field; `None` at the end.
fn key(message: &mut Chunks) -> Result<Option<(u32, WireType)>, Error> {
    if message.has_remaining() { decode_key(message).map(Some).map_err(broken) } else { Ok(None) }
}

/// The bytes of a field that says its length.
fn field(message: &mut Chunks) -> Result<Chunks, Error> {
    let length = decode_varint(message).map_err(broken)?;
    let length = usize::try_from(length).map_err(broken)?;
    message.split(length).ok_or_else(|| broken("a field is longer than its message"))
}

/// A field that a later release sends.
fn skip(wire: WireType, tag: u32, message: &mut Chunks) -> Result<(), Error> {
    let skipped: Result<(), DecodeError> = skip_field(wire, tag, message, DecodeContext::default());
    skipped.map_err(broken)
}
