//! The calls of the `Parts` service, each turned into the same call of the contract.

use std::{ops::Range, sync::Arc, time::Duration};

use base::PartId;
use bytes::Bytes;
use futures::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use hyper::body::Incoming;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, body, metadata::MetadataMap};
use tracing::Instrument;

use super::small::SmallCalls;
use crate::{
    Body, Error, Parts, TraceLink,
    bulk::{self, Chunks, PutStep, Reader},
    meter::{Meter, Meters, Side},
    pb::node::{self as pb, parts_server},
    trace::span,
    wire::{DATA_BYTES_MAX, Sum, part, required, to_status},
};

/// Between the beats of a call that takes its time.
const BEAT: Duration = Duration::from_secs(1);

/// Parts of one page of a listing at most; the answer stays far below the limit of a message.
const LIST_PARTS_MAX: u32 = 16_384;

/// The gRPC service over some [`Parts`].
#[derive(Clone)]
pub(crate) struct PartsService {
    parts: Arc<dyn Parts>,
    meters: Meters,
    trace: Option<TraceLink>,
    closing: CancellationToken,
}

impl PartsService {
    pub(super) fn new(parts: Arc<dyn Parts>, trace: Option<TraceLink>, closing: CancellationToken) -> Self {
        Self { parts, meters: Meters::new(Side::Server), trace, closing }
    }

    fn span<T>(&self, name: &'static str, part: Option<PartId>, request: &Request<T>) -> tracing::Span {
        span(name, part, request.metadata(), self.trace.as_ref())
    }
}

impl PartsService {
    pub(super) async fn put(&self, request: http::Request<Incoming>) -> http::Response<body::Body> {
        let (head, body) = request.into_parts();
        let span = span("parts.put", None, &MetadataMap::from_headers(head.headers), self.trace.as_ref());
        let mut inbound = Reader::of_request(body);
        let call = async {
            let Some(PutStep::Start(start)) = step(&mut inbound).await? else {
                return Err(Error::Invalid("a put begins with its start".into()));
            };
            let part = part(&start.part)?;
            tracing::Span::current().record("part", tracing::field::display(part));
            self.parts.put(part, incoming(inbound, self.meters.put.clone())).await
        };
        match self.meters.put.observe(call).instrument(span).await {
            Ok(receipt) => bulk::answer(stream::iter([Ok(bulk::whole(&pb::Receipt::from(receipt)))])),
            Err(error) => to_status(&error).into_http(),
        }
    }

    pub(super) async fn get(&self, request: http::Request<Incoming>) -> http::Response<body::Body> {
        let (head, body) = request.into_parts();
        let call = async {
            let message = required(Reader::of_request(body).next().await?)?;
            let (part, range) = asked(&bulk::decoded(message)?)?;
            let metadata = MetadataMap::from_headers(head.headers);
            let span = span("parts.get", Some(part), &metadata, self.trace.as_ref());
            self.parts.get(part, range).instrument(span).await
        };
        let body = match self.meters.get.observe(call).await {
            Ok(body) => body,
            Err(error) => return to_status(&error).into_http(),
        };
        let meter = self.meters.get.clone();
        bulk::answer(body.into_stream().flat_map(move |piece| {
            stream::iter(match piece {
                Ok(piece) => {
                    meter.moved(piece.len());
                    cut(piece).map(|bytes| Ok(bulk::data(bytes))).collect()
                }
                Err(error) => {
                    meter.failed(&error);
                    vec![Err(to_status(&error))]
                }
            })
        }))
    }
}

fn answer<T>(result: Result<T, Error>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|error| to_status(&error))
}

#[tonic::async_trait]
impl parts_server::Parts for PartsService {
    type VerifyStream = BoxStream<'static, Result<pb::VerifyReply, Status>>;
    type SmallStream = SmallCalls;

    async fn delete(&self, request: Request<pb::DeleteRequest>) -> Result<Response<pb::DeleteReply>, Status> {
        let span = self.span("parts.delete", None, &request);
        let call = async {
            let parts = request.get_ref().parts.iter().map(|bytes| part(bytes)).collect::<Result<Vec<_>, _>>()?;
            self.parts.delete(&parts).await
        };
        answer(self.meters.delete.observe(call).instrument(span).await.map(|()| pb::DeleteReply {}))
    }

    async fn list(&self, request: Request<pb::ListRequest>) -> Result<Response<pb::ListReply>, Status> {
        let span = self.span("parts.list", None, &request);
        let call = async {
            let request = request.get_ref();
            let after = if request.after.is_empty() { None } else { Some(part(&request.after)?) };
            let parts = self.parts.list(after, request.limit.min(LIST_PARTS_MAX)).await?;
            Ok(pb::ListReply { parts: parts.into_iter().map(pb::PartInfo::from).collect() })
        };
        answer(self.meters.list.observe(call).instrument(span).await)
    }

    async fn verify(&self, request: Request<pb::VerifyRequest>) -> Result<Response<Self::VerifyStream>, Status> {
        let part = part(&request.get_ref().part).map_err(|error| to_status(&error))?;
        let span = self.span("parts.verify", Some(part), &request);
        let (parts, meter) = (self.parts.clone(), self.meters.verify.clone());
        let call = async move { meter.observe(parts.verify(part)).await }.instrument(span).boxed();
        // Dropping the stream drops the call in it.
        let beats = stream::unfold(Some(call), |call| async {
            let mut call = call?;
            match timeout(BEAT, &mut call).await {
                Err(_) => Some((Ok(pb::VerifyReply { receipt: None }), Some(call))),
                Ok(Ok(receipt)) => Some((Ok(pb::VerifyReply { receipt: Some(receipt.into()) }), None)),
                Ok(Err(error)) => Some((Err(to_status(&error)), None)),
            }
        });
        Ok(Response::new(beats.boxed()))
    }

    async fn health(&self, _: Request<pb::HealthRequest>) -> Result<Response<pb::HealthReply>, Status> {
        answer(self.meters.health.observe(self.parts.health()).await.map(pb::HealthReply::from))
    }

    async fn small(&self, request: Request<Streaming<pb::SmallBatch>>) -> Result<Response<SmallCalls>, Status> {
        let calls = SmallCalls::new(
            request.into_inner(),
            self.parts.clone(),
            self.meters.clone(),
            self.trace.clone(),
            self.closing.clone(),
        );
        Ok(Response::new(calls))
    }
}

/// What a get asks for; a range that ends before it begins is of no part.
pub(super) fn asked(request: &pb::GetRequest) -> Result<(PartId, Range<u64>), Error> {
    let part = part(&request.part)?;
    if request.start > request.end { Err(Error::Range(part)) } else { Ok((part, request.start..request.end)) }
}

/// A piece as messages of the agreed length.
fn cut(mut piece: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || (!piece.is_empty()).then(|| piece.split_to(piece.len().min(DATA_BYTES_MAX))))
}

/// The body of a put. It ends well only with an `End` that tells what came; a client that vanishes ends it with an
/// error, so that the node keeps nothing.
fn incoming(inbound: Reader<Incoming>, meter: Meter) -> Body {
    let arriving = Arriving { inbound, sum: Sum::new(), checked: Chunks::default(), meter };
    let pieces = stream::unfold(Some(arriving), |arriving| async {
        let mut arriving = arriving?;
        match arriving.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some(arriving))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    Body::Stream(pieces.boxed())
}

struct Arriving {
    inbound: Reader<Incoming>,
    sum: Sum,
    /// What is left of a message.
    checked: Chunks,
    meter: Meter,
}

impl Arriving {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(piece) = self.checked.pop() {
                self.sum.add(&piece);
                self.meter.moved(piece.len());
                return Ok(Some(piece));
            }
            match step(&mut self.inbound).await? {
                Some(PutStep::Data(payload)) => self.checked = payload,
                Some(PutStep::End(sent)) if sent == self.sum.receipt() => return Ok(None),
                Some(PutStep::End(_)) => return Err(Error::Body("they are not those that were sent".into())),
                Some(PutStep::Start(_)) => return Err(Error::Invalid("a put has one start".into())),
                None => return Err(Error::Body("the sender stopped".into())),
            }
        }
    }
}

/// The next step of a put; `None` where there is none that makes sense.
async fn step(inbound: &mut Reader<Incoming>) -> Result<Option<PutStep>, Error> {
    let message = inbound.next().await.map_err(|error| Error::Body(error.to_string()))?;
    message.map_or(Ok(None), bulk::put_step)
}
