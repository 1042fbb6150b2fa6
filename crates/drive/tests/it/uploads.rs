//! The upload machine while bytes come in: offsets, leases, checksums, and bodies that break off.

use base::UploadId;
use drive::{Algorithm, Append, Body, Checksum, NewUpload, OnConflict, Upload, UploadKind, UploadState};
use futures::{SinkExt, StreamExt};
use testkit::database::TestDb;

use crate::world::{CHECKPOINT, World, body, bytes, code, cut, name};

testkit::both! {
    appends_in_pieces, a_cut_body_keeps_every_byte, a_caller_that_goes_away_keeps_every_byte, wrong_offsets_and_lengths,
    lengths_may_come_later, taking_over_cuts_the_stale_stream, checksums_keep_all_or_nothing, silence_keeps_what_came,
    expiry_moves_while_bytes_come,
}

pub(crate) fn new(name_: &str, length: Option<u64>) -> NewUpload {
    NewUpload {
        parent: None,
        name: name(name_),
        content_type: None,
        on_conflict: OnConflict::Fail,
        length,
        kind: UploadKind::Whole,
        metadata: "filename Zg==".to_owned(),
    }
}

pub(crate) fn at(offset: u64) -> Append {
    Append { offset, length: None, checksum: None }
}

impl World {
    pub(crate) async fn begin(&self, new: NewUpload) -> UploadId {
        self.drive.create_upload(&self.alice, new).await.expect("a new upload").id
    }

    pub(crate) async fn append(&self, id: UploadId, append: Append, body: Body) -> Result<Upload, drive::Error> {
        self.drive.append(&self.alice, id, append, body).await
    }

    pub(crate) async fn offset(&self, id: UploadId) -> u64 {
        self.drive.upload(&self.alice, id).await.expect("the upload is there").offset
    }
}

/// Reads the file back, removes it, and looks whether anything is left.
async fn finish(world: &World, upload: &Upload, sent: &[u8]) {
    let entry = upload.entry.clone().expect("the upload became a file");
    assert_eq!((upload.state, upload.entry_id), (UploadState::Finished, Some(entry.id)));
    let info = entry.file().expect("a file");
    assert_eq!((info.size, info.blake3), (sent.len() as u64, Some(*blake3::hash(sent).as_bytes())));
    assert_eq!(world.read(entry.id).await.expect("the bytes"), sent);
    assert_eq!(world.reserved().await, 0);
    world.check().await;
    world.drive.remove(&world.alice, entry.id, None).await.expect("removed");
    world.assert_empty().await;
}

async fn appends_in_pieces(test: TestDb) {
    let world = World::new(test).await;
    let sent = bytes(47_123);
    let id = world.begin(new("f", Some(sent.len() as u64))).await;
    assert_eq!(world.reserved().await, sent.len() as u64);
    let mut last = None;
    for (from, to) in [(0, 1), (1, 1), (1, 9_000), (9_000, 31_000), (31_000, 47_123)] {
        let upload = world.append(id, at(from as u64), body(&sent[from..to])).await.expect("bytes are taken");
        assert_eq!((upload.offset, upload.metadata.as_str()), (to as u64, "filename Zg=="));
        assert_eq!(upload.entry.is_some(), to == sent.len());
        world.check().await;
        last = Some(upload);
    }
    // No extent is longer than a checkpoint, and doing the last step again gives the same answer.
    assert!(world.number("SELECT MAX(length) FROM extent").await <= CHECKPOINT as i64);
    let last = last.expect("appends were made");
    let repeated = Append { length: Some(16_123), ..at(31_000) };
    for append in [at(sent.len() as u64), repeated] {
        let again = world.append(id, append, body(b"")).await.expect("the same answer");
        assert_eq!((again.entry_id, again.offset), (last.entry_id, last.offset));
    }
    assert_eq!(code(world.append(id, at(5), body(b"x")).await), "offset-mismatch");
    let changes = world.drive.changes(&world.alice, world.alice.principal.space, None, 100).await.expect("changes");
    assert_eq!(changes.items.len(), 1);
    finish(&world, &last, &sent).await;
}

async fn a_cut_body_keeps_every_byte(test: TestDb) {
    let world = World::new(test).await;
    let sent = bytes(35_500);
    let id = world.begin(new("f", Some(sent.len() as u64))).await;
    assert_eq!(code(world.append(id, at(0), cut(&sent[..25_500])).await), "body-cut");
    assert_eq!(world.offset(id).await, 25_500);
    // Shorter than announced is the same to the bytes that came.
    let announced = Append { length: Some(10_000), ..at(25_500) };
    assert_eq!(code(world.append(id, announced, body(&sent[25_500..30_000])).await), "body-too-short");
    assert_eq!(world.offset(id).await, 30_000);
    world.check().await;
    // A client that goes away right after the last byte has a file.
    let upload = world.append(id, at(30_000), cut(&sent[30_000..])).await.expect("all bytes came");
    finish(&world, &upload, &sent).await;
}

async fn a_caller_that_goes_away_keeps_every_byte(test: TestDb) {
    let world = World::new(test).await;
    let sent = bytes(12_345);
    let id = world.begin(new("f", Some(sent.len() as u64))).await;
    let (mut sender, body) = crate::world::channel();
    let mut append = Box::pin(world.append(id, at(0), body));
    tokio::select! {
        _ = &mut append => panic!("the body has no end yet"),
        () = async {
            for piece in sent[..6_000].chunks(1000) {
                sender.send(Ok(piece.to_vec().into())).await.expect("the drive takes bytes");
            }
        } => {}
    }
    // The server drops the request, and the body ends with the connection.
    drop(append);
    drop(sender);
    world.drive.settle().await;
    assert_eq!(world.offset(id).await, 6_000);
    let upload = world.append(id, at(6_000), crate::world::body(&sent[6_000..])).await.expect("all bytes came");
    finish(&world, &upload, &sent).await;
}

async fn wrong_offsets_and_lengths(test: TestDb) {
    let world = World::new(test).await;
    let id = world.begin(new("f", Some(20_000))).await;
    for offset in [1, 20_000, u64::MAX] {
        assert_eq!(code(world.append(id, at(offset), body(b"x")).await), "offset-mismatch");
    }
    let long = Append { length: Some(20_001), ..at(0) };
    assert_eq!(code(world.append(id, long, body(b"x")).await), "body-too-long");
    // Without an announcement it is noticed as it happens; what was kept before stays.
    assert_eq!(code(world.append(id, at(0), body(&bytes(20_500))).await), "body-too-long");
    let kept = world.offset(id).await;
    assert_eq!(kept, CHECKPOINT, "the last byte is kept with the file or not at all");
    assert_eq!(code(world.drive.declare_length(&world.alice, id, 5).await), "length-given");
    assert_eq!(code(world.drive.declare_length(&world.alice, id, 20_000).await), "ok");
    for (result, wanted) in [
        (code(world.drive.upload(&world.bob, id).await), "not-found"),
        (code(world.drive.terminate(&world.bob, id).await), "not-found"),
        (code(world.drive.append(&world.bob, id, at(kept), body(b"x")).await), "not-found"),
        (code(world.drive.create_upload(&world.bob, new("f", Some(100_001))).await), "quota-exceeded"),
        (code(world.drive.create_upload(&world.bob, new("f", Some(u64::MAX))).await), "file-too-large"),
    ] {
        assert_eq!(result, wanted);
    }
    world.check().await;
    world.drive.terminate(&world.alice, id).await.expect("ended");
    assert_eq!(code(world.drive.upload(&world.alice, id).await), "not-found");
    assert_eq!(world.reserved().await, 0);
    world.assert_empty().await;
}

async fn lengths_may_come_later(test: TestDb) {
    let world = World::new(test).await;
    let sent = bytes(30_000);
    let id = world.begin(new("f", None)).await;
    let upload = world.append(id, at(0), body(&sent)).await.expect("bytes are taken");
    assert_eq!((upload.offset, upload.length, upload.state), (30_000, None, UploadState::Open));
    assert_eq!(world.reserved().await, 30_000, "what is kept is reserved");
    world.check().await;
    assert_eq!(code(world.drive.declare_length(&world.alice, id, 29_999).await), "body-too-long");
    let upload = world.drive.declare_length(&world.alice, id, 30_000).await.expect("complete");
    finish(&world, &upload, &sent).await;
    // The quota bounds an upload whose length nobody knows.
    let id = world.drive.create_upload(&world.bob, new("f", None)).await.expect("an upload").id;
    let result = world.drive.append(&world.bob, id, at(0), body(&bytes(150_000))).await;
    assert_eq!(code(result), "quota-exceeded");
    assert_eq!(world.drive.upload(&world.bob, id).await.expect("an upload").offset, 100_000);
    world.check().await;
    world.assert_empty().await;
    // Nothing at all is a file too.
    let upload = world.drive.create_upload(&world.alice, new("empty", Some(0))).await.expect("a file at once");
    finish(&world, &upload, b"").await;
}

async fn taking_over_cuts_the_stale_stream(test: TestDb) {
    let world = World::new(test).await;
    let sent = bytes(40_000);
    let id = world.begin(new("f", Some(sent.len() as u64))).await;
    let (mut sender, stale) = crate::world::channel();
    let first = world.append(id, at(0), stale);
    let second = async {
        for piece in sent[..15_000].chunks(1000) {
            sender.send(Ok(piece.to_vec().into())).await.expect("the drive takes bytes");
        }
        // Two pieces more than the channel holds: by now a checkpoint was made, and 4,000 bytes or so are in the air.
        let offset = world.offset(id).await;
        assert_eq!(offset, CHECKPOINT);
        // A client that is wrong about the offset cuts nobody.
        assert_eq!(code(world.append(id, at(3), body(b"x")).await), "offset-mismatch");
        assert!(!sender.is_closed());
        let upload = world.append(id, at(offset), body(&sent[offset as usize..])).await;
        // The stale stream was cut: nobody reads from it any more.
        while sender.send(Ok(vec![0; 1000].into())).await.is_ok() {}
        upload.expect("the rest is taken")
    };
    let (first, upload) = futures::join!(first, second);
    assert_eq!(code(first), "upload-taken-over");
    finish(&world, &upload, &sent).await;
}

async fn checksums_keep_all_or_nothing(test: TestDb) {
    let world = World::new(test).await;
    let sent = bytes(45_000);
    let id = world.begin(new("f", Some(sent.len() as u64))).await;
    let with = |offset, value: &[u8]| Append {
        checksum: Some(Checksum { algorithm: Algorithm::Blake3, value: value.to_vec() }),
        ..at(offset)
    };
    let first = blake3::hash(&sent[..25_000]);
    let wrong = with(0, blake3::hash(b"other").as_bytes());
    assert_eq!(code(world.append(id, wrong, body(&sent[..25_000])).await), "checksum-mismatch");
    assert_eq!(code(world.append(id, with(0, first.as_bytes()), cut(&sent[..25_000])).await), "body-cut");
    let short = Append { length: Some(25_000), ..with(0, first.as_bytes()) };
    assert_eq!(code(world.append(id, short, body(&sent[..20_000])).await), "body-too-short");
    assert_eq!(world.offset(id).await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM extent").await, 0, "cleaned at once");
    world.append(id, with(0, first.as_bytes()), body(&sent[..25_000])).await.expect("the checksum matches");
    assert_eq!(world.offset(id).await, 25_000);
    let rest = blake3::hash(&sent[25_000..]);
    let upload = world.append(id, with(25_000, rest.as_bytes()), body(&sent[25_000..])).await.expect("the rest");
    finish(&world, &upload, &sent).await;
}

async fn silence_keeps_what_came(test: TestDb) {
    let world = World::new(test).await;
    let sent = bytes(5_000);
    let id = world.begin(new("f", Some(sent.len() as u64))).await;
    // A connection that is dead without a word: its body never ends.
    let silent = body(&sent[..3_000]).chain(futures::stream::pending()).boxed();
    let stale = world.append(id, at(0), silent);
    let resume = async {
        // Whoever resumes asks for the offset first, and finds what arrived once the silence was noticed.
        let mut offset = 0;
        while offset != 3_000 {
            tokio::task::yield_now().await;
            offset = world.offset(id).await;
        }
        world.append(id, at(3_000), body(&sent[3_000..])).await.expect("the rest is taken")
    };
    let (stale, upload) = futures::join!(stale, resume);
    assert_eq!(code(stale), "upload-taken-over");
    finish(&world, &upload, &sent).await;
}

async fn expiry_moves_while_bytes_come(test: TestDb) {
    let world = World::new(test).await;
    let sent = bytes(4_000);
    let hour = std::time::Duration::from_secs(3600);
    let id = world.begin(new("f", Some(sent.len() as u64))).await;
    let (mut sender, slow) = crate::world::channel();
    let expirer = drive::jobs::Expirer::new(world.drive.clone());
    let feed = async {
        for piece in sent.chunks(80) {
            sender.send(Ok(piece.to_vec().into())).await.expect("the upload lives");
            world.clock.advance(hour);
            assert_eq!(expirer.round().await.expect("a round"), 0, "a live upload is left alone");
        }
        drop(sender);
    };
    // Fifty pieces an hour apart are more than two days, and the upload lives for one after a checkpoint.
    let (upload, ()) = futures::join!(world.append(id, at(0), slow), feed);
    finish(&world, &upload.expect("all bytes came"), &sent).await;
}
