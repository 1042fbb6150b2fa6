//! The bytes of one message of each kind. They are a contract between releases: if this test fails, a cluster whose
//! processes are upgraded one after another breaks.

use bytes::Bytes;
use prost::Message;

use crate::pb::{
    cluster,
    node::{self as pb, failure::Code, put_request::Step, small_call::Action, small_reply},
};

fn check<M: Message + Default + PartialEq + std::fmt::Debug>(message: M, hex: &str) {
    let bytes = message.encode_to_vec();
    let printed = bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    assert_eq!(printed, hex, "{message:?}");
    assert!(M::decode(bytes.as_slice()).is_ok_and(|back| back == message), "{message:?}");
}

fn id(byte: u8) -> Bytes {
    vec![byte; 16].into()
}

const ID_1: &str = "01010101010101010101010101010101";
const ID_2: &str = "02020202020202020202020202020202";

const RECEIPT: pb::Receipt = pb::Receipt { length: 300, checksum: 0x1122_3344_5566_7788 };
const RECEIPT_HEX: &str = "08ac02118877665544332211";

fn data() -> pb::Data {
    pb::Data::seal(Bytes::from_static(b"123456789"))
}

const DATA_HEX: &str = "0a0931323334353637383915839206e3";

#[test]
fn put_and_get() {
    check(data(), DATA_HEX);
    check(RECEIPT, RECEIPT_HEX);
    let put = |step| pb::PutRequest { step: Some(step) };
    check(put(Step::Start(pb::PutStart { part: id(1) })), &format!("0a120a10{ID_1}"));
    check(put(Step::Data(data())), &format!("1210{}", DATA_HEX));
    check(put(Step::End(RECEIPT)), &format!("1a0c{RECEIPT_HEX}"));
    check(pb::GetRequest { part: id(1), start: 1, end: 300 }, &format!("0a10{ID_1}100118ac02"));
}

#[test]
fn delete_list_verify_health() {
    check(pb::DeleteRequest { parts: vec![id(1), id(2)] }, &format!("0a10{ID_1}0a10{ID_2}"));
    check(pb::DeleteReply {}, "");
    check(pb::ListRequest { after: id(1), limit: 1000 }, &format!("0a10{ID_1}10e807"));
    let info = pb::PartInfo { part: id(2), receipt: Some(RECEIPT) };
    check(pb::ListReply { parts: vec![info] }, &format!("0a200a10{ID_2}120c{RECEIPT_HEX}"));
    check(pb::VerifyRequest { part: id(1) }, &format!("0a10{ID_1}"));
    check(pb::VerifyReply { receipt: None }, "");
    check(pb::VerifyReply { receipt: Some(RECEIPT) }, &format!("0a0c{RECEIPT_HEX}"));
    check(pb::HealthRequest {}, "");
    check(health(), &format!("0a10{ID_1}1001180220032804320264313801420474697265"));
}

fn health() -> pb::HealthReply {
    pb::HealthReply {
        node: id(1),
        free_bytes: 1,
        total_bytes: 2,
        part_bytes: 3,
        part_count: 4,
        disk: "d1".into(),
        writable: true,
        trouble: Some("tire".into()),
    }
}

#[test]
fn small_calls_and_failures() {
    let put = pb::SmallPut { part: id(1), data: Some(data()) };
    let get = pb::GetRequest { part: id(2), start: 0, end: 9 };
    let batch = pb::SmallBatch {
        calls: vec![
            pb::SmallCall { id: 1, action: Some(Action::Put(put)) },
            pb::SmallCall { id: 2, action: Some(Action::Get(get)) },
        ],
        traceparent: "00".into(),
    };
    let expected = format!("0a2808011224 0a10{ID_1}1210{} 0a180802 1a140a10{ID_2}1809 12023030", DATA_HEX);
    check(batch, &expected.replace(' ', ""));
    let failure = pb::Failure { code: Code::Damaged.into(), part: id(1), message: "x".into() };
    let replies = pb::SmallReplies {
        replies: vec![
            pb::SmallReply { id: 1, result: Some(small_reply::Result::Receipt(RECEIPT)) },
            pb::SmallReply { id: 2, result: Some(small_reply::Result::Data(data())) },
            pb::SmallReply { id: 3, result: Some(small_reply::Result::Failure(failure)) },
        ],
    };
    let expected = format!("0a100801120c{RECEIPT_HEX} 0a1408021a10{} 0a1b080322170802 1210{ID_1}1a0178", DATA_HEX);
    check(replies, &expected.replace(' ', ""));
}

#[test]
fn reports() {
    let report = cluster::NodeReport {
        address: "n:1".into(),
        version: "1".into(),
        health: Some(pb::HealthReply { node: id(1), ..Default::default() }),
        started_at: 5,
        sequence: 6,
    };
    check(report, &format!("0a036e3a311201311a120a10{ID_1}20052806"));
    let advice = cluster::NodeAdvice { state: cluster::node_advice::State::Draining.into(), heartbeat_ms: 1000 };
    check(advice, "080210e807");
    let sealed = Bytes::from_static(b"r");
    check(
        cluster::SealedReport { nonce: id(1), report: sealed.clone(), mac: sealed.clone() },
        &format!("0a10{ID_1}1201721a0172"),
    );
    check(cluster::SealedAdvice { advice: sealed.clone(), mac: sealed }, "0a0172120172");
}
