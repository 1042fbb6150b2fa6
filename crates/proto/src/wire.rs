//! Between the values of the contract and the messages on the wire.

use base::{NodeId, PartId};
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use prost::Message;
use tonic::{
    Code, Status,
    metadata::{BinaryMetadataValue, MetadataMap},
};

use crate::{Error, Health, PartInfo, Receipt, pb::node as pb};

#[cfg(test)]
mod golden;

/// Payload bytes of one message at most. Large enough that the cost of a message vanishes, small enough that calls on
/// one connection take turns.
pub(crate) const DATA_BYTES_MAX: usize = 1 << 20;

/// Calls of one `SmallBatch`, and replies of one `SmallReplies`, at most.
pub(crate) const SMALL_CALLS_MAX: usize = 256;

/// HTTP/2 windows: what a receiver that does not read holds at most, of one stream and of all of a connection.
/// One stream's window covers 10 Gbit/s at 3 ms.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 4 << 20;
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;

/// HTTP/2 frames at most. The protocol's default of 16 KiB costs a system call and a copy's bookkeeping 64 times a message.
pub(crate) const FRAME_BYTES: u32 = 256 << 10;

/// Metadata that carries the `Failure` of a call; `-bin` makes it base64 on the wire, as gRPC wants it.
const FAILURE_KEY: &str = "holdfast-failure-bin";

/// Bytes of a failure's message at most: it travels in a header.
const FAILURE_MESSAGE_BYTES_MAX: usize = 1024;

impl pb::Data {
    pub(crate) fn seal(bytes: Bytes) -> Self {
        let crc32c = crc32c([&bytes]);
        Self { bytes, crc32c }
    }

    /// The bytes, if they are those that were sent.
    pub(crate) fn open(self) -> Result<Bytes, Error> {
        if self.bytes.len() > DATA_BYTES_MAX {
            return Err(Error::Invalid("a data message is longer than agreed".into()));
        }
        if crc32c([&self.bytes]) != self.crc32c {
            // Not `Damaged`: the disk is innocent, and another try may well work.
            return Err(Error::Unavailable("bytes changed on their way".into()));
        }
        Ok(self.bytes)
    }
}

/// CRC-32C (RFC 3720) of the pieces one after another.
pub(crate) fn crc32c<'a>(pieces: impl IntoIterator<Item = &'a Bytes>) -> u32 {
    let mut digest = crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi);
    pieces.into_iter().for_each(|piece| digest.update(piece));
    // A CRC-32 has 32 bits; the crate returns every width as u64.
    digest.finalize() as u32
}

/// Length and checksum of bytes that go by in pieces.
pub(crate) struct Sum {
    length: u64,
    digest: crc_fast::Digest,
}

impl Sum {
    pub(crate) fn new() -> Self {
        Self { length: 0, digest: crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme) }
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.digest.update(bytes);
    }

    pub(crate) fn receipt(&self) -> Receipt {
        Receipt { length: self.length, checksum: self.digest.finalize() }
    }
}

pub(crate) fn part_bytes(part: PartId) -> Bytes {
    Bytes::copy_from_slice(&part.to_bytes())
}

pub(crate) fn part(bytes: &[u8]) -> Result<PartId, Error> {
    id(bytes).map(PartId::from_bytes)
}

fn id(bytes: &[u8]) -> Result<[u8; 16], Error> {
    bytes.try_into().map_err(|_| Error::Invalid("an id has 16 bytes".into()))
}

/// A field that the protocol calls optional and the contract does not.
pub(crate) fn required<T>(field: Option<T>) -> Result<T, Error> {
    field.ok_or_else(|| Error::Invalid("a message lacks what it must have".into()))
}

impl From<Receipt> for pb::Receipt {
    fn from(receipt: Receipt) -> Self {
        Self { length: receipt.length, checksum: receipt.checksum }
    }
}

impl From<pb::Receipt> for Receipt {
    fn from(receipt: pb::Receipt) -> Self {
        Self { length: receipt.length, checksum: receipt.checksum }
    }
}

impl From<PartInfo> for pb::PartInfo {
    fn from(info: PartInfo) -> Self {
        Self { part: part_bytes(info.part), receipt: Some(info.receipt.into()) }
    }
}

impl TryFrom<pb::PartInfo> for PartInfo {
    type Error = Error;

    fn try_from(info: pb::PartInfo) -> Result<Self, Error> {
        Ok(Self { part: part(&info.part)?, receipt: required(info.receipt)?.into() })
    }
}

impl From<Health> for pb::HealthReply {
    fn from(health: Health) -> Self {
        Self {
            node: Bytes::copy_from_slice(&health.node.to_bytes()),
            free_bytes: health.free_bytes,
            total_bytes: health.total_bytes,
            part_bytes: health.part_bytes,
            part_count: health.part_count,
            disk: health.disk,
            writable: health.writable,
            trouble: health.trouble,
        }
    }
}

impl TryFrom<pb::HealthReply> for Health {
    type Error = Error;

    fn try_from(health: pb::HealthReply) -> Result<Self, Error> {
        Ok(Self {
            node: id(&health.node).map(NodeId::from_bytes)?,
            free_bytes: health.free_bytes,
            total_bytes: health.total_bytes,
            part_bytes: health.part_bytes,
            part_count: health.part_count,
            disk: health.disk,
            writable: health.writable,
            trouble: health.trouble,
        })
    }
}

impl From<&Error> for pb::Failure {
    fn from(error: &Error) -> Self {
        use pb::failure::Code;
        let (code, part, message) = match error {
            Error::NotFound(part) => (Code::NotFound, Some(*part), ""),
            Error::Damaged(part, why) => (Code::Damaged, Some(*part), why.as_str()),
            Error::Range(part) => (Code::Range, Some(*part), ""),
            Error::Full => (Code::Full, None, ""),
            Error::Suspect(why) => (Code::Suspect, None, why.as_str()),
            Error::Body(why) => (Code::Body, None, why.as_str()),
            Error::Unavailable(why) => (Code::Unavailable, None, why.as_str()),
            Error::Unauthenticated => (Code::Unauthenticated, None, ""),
            Error::Invalid(why) => (Code::Invalid, None, why.as_str()),
        };
        let message = message[..message.floor_char_boundary(FAILURE_MESSAGE_BYTES_MAX)].to_owned();
        Self { code: code.into(), part: part.map(part_bytes).unwrap_or_default(), message }
    }
}

impl From<pb::Failure> for Error {
    fn from(failure: pb::Failure) -> Self {
        use pb::failure::Code;
        let of_part = |error: fn(PartId) -> Self| part(&failure.part).map_or_else(|e| e, error);
        match failure.code() {
            Code::NotFound => of_part(Self::NotFound),
            Code::Range => of_part(Self::Range),
            Code::Damaged => match part(&failure.part) {
                Ok(part) => Self::Damaged(part, failure.message),
                Err(error) => error,
            },
            Code::Full => Self::Full,
            Code::Suspect => Self::Suspect(failure.message),
            Code::Body => Self::Body(failure.message),
            Code::Unauthenticated => Self::Unauthenticated,
            Code::Invalid => Self::Invalid(failure.message),
            // A later release may know more codes; what they have in common is that the node did not do it.
            Code::Unavailable | Code::Unspecified => Self::Unavailable(failure.message),
        }
    }
}

/// The status that carries an error to the other side, whole.
pub(crate) fn to_status(error: &Error) -> Status {
    let code = match error {
        Error::NotFound(_) => Code::NotFound,
        Error::Damaged(..) => Code::DataLoss,
        Error::Range(_) => Code::OutOfRange,
        Error::Full => Code::ResourceExhausted,
        Error::Suspect(_) => Code::FailedPrecondition,
        Error::Body(_) => Code::Aborted,
        Error::Unavailable(_) => Code::Unavailable,
        Error::Unauthenticated => Code::Unauthenticated,
        Error::Invalid(_) => Code::InvalidArgument,
    };
    let failure = pb::Failure::from(error);
    let mut metadata = MetadataMap::new();
    metadata.insert_bin(FAILURE_KEY, BinaryMetadataValue::from_bytes(&failure.encode_to_vec()));
    Status::with_metadata(code, failure.message, metadata)
}

/// The error that a status stands for: the one that the other side put in, or the one of the way there.
pub(crate) fn from_status(status: &Status) -> Error {
    let carried = status.metadata().get_bin(FAILURE_KEY).and_then(|value| value.to_bytes().ok());
    if let Some(failure) = carried.and_then(|bytes| pb::Failure::decode(bytes).ok()) {
        return failure.into();
    }
    // The connector's own error, such as a wrong secret, is somewhere below what the layers of the channel made of it.
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(status);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<Error>() {
            return error.clone();
        }
        cause = error.source();
    }
    match status.code() {
        Code::Unauthenticated => Error::Unauthenticated,
        Code::InvalidArgument | Code::Unimplemented => Error::Invalid(status.message().to_owned()),
        _ => Error::Unavailable(status.message().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_survives_the_wire() {
        let part = PartId::from_bytes([9; 16]);
        for error in [
            Error::NotFound(part),
            Error::Damaged(part, "block 3".into()),
            Error::Range(part),
            Error::Full,
            Error::Suspect("sync failed: диск".into()),
            Error::Body("ended".into()),
            Error::Unavailable("stopping".into()),
            Error::Unauthenticated,
            Error::Invalid("nonsense".into()),
        ] {
            let back = from_status(&to_status(&error));
            assert_eq!(format!("{back:?}"), format!("{error:?}"));
        }
        let Error::Suspect(long) = from_status(&to_status(&Error::Suspect("ж".repeat(5000)))) else { panic!() };
        assert_eq!(long, "ж".repeat(512));
    }

    #[test]
    fn a_foreign_status_is_no_answer() {
        assert!(matches!(from_status(&Status::internal("?")), Error::Unavailable(_)));
        assert!(matches!(from_status(&Status::unimplemented("?")), Error::Invalid(_)));
        let error: Error = pb::Failure { code: 77, ..Default::default() }.into();
        assert!(matches!(error, Error::Unavailable(_)));
        let error: Error = pb::Failure { code: 1, part: Bytes::from_static(b"short"), ..Default::default() }.into();
        assert!(matches!(error, Error::Invalid(_)));
    }

    #[test]
    fn data_that_changed_is_refused() {
        let sealed = pb::Data::seal(Bytes::from_static(b"123456789"));
        // The check value of CRC-32C (RFC 3720, appendix B.4 uses the same polynomial).
        assert_eq!(sealed.crc32c, 0xe306_9283);
        assert!(sealed.clone().open().is_ok());
        assert!(pb::Data { bytes: Bytes::from_static(b"123456788"), ..sealed }.open().is_err());
        assert!(pb::Data::seal(vec![0; DATA_BYTES_MAX + 1].into()).open().is_err());
    }
}
