//! `Put` and `Get`, the calls that carry the bytes of parts: gRPC like the others, but without its buffers.
//!
//! The generated code gathers every message in a buffer at either end. Here a payload leaves as the [`Bytes`] that it came
//! in, behind a head of a few bytes, and arrives as the frames of HTTP/2 that it travelled in.

use std::fmt::Display;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header};
use http_body::Frame;
use http_body_util::StreamBody;
use tonic::{Status, body::Body, metadata::MetadataMap, transport::Channel};
use tower::{Service, ServiceExt};

pub(crate) use self::{
    chunks::Chunks,
    message::{Outgoing, PutStep, data, decoded, payload, put_data, put_step, whole},
    reader::Reader,
};
use crate::{Error, wire::from_status};

mod chunks;
mod message;
mod reader;

pub(crate) const PUT: &str = "/holdfast.node.v1.Parts/Put";
pub(crate) const GET: &str = "/holdfast.node.v1.Parts/Get";

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// What went wrong between the two sides; it may go well another time, or with another node.
fn broken(why: impl Display) -> Error {
    Error::Unavailable(format!("the stream broke: {why}"))
}

/// Sends a call, and gives its answer as soon as that begins.
///
/// # Errors
/// The status, where it is all of the answer.
pub(crate) async fn call(
    mut channel: Channel,
    path: &'static str,
    metadata: MetadataMap,
    messages: impl Stream<Item = Outgoing> + Send + 'static,
) -> Result<Reader<Body>, Error> {
    let frames = messages.flat_map(|message| stream::iter(message.frames())).map(Ok::<_, Status>);
    let mut request = Request::new(Body::new(StreamBody::new(frames)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static(path);
    *request.version_mut() = Version::HTTP_2;
    *request.headers_mut() = metadata.into_headers();
    request.headers_mut().insert(header::TE, TRAILERS);
    request.headers_mut().insert(header::CONTENT_TYPE, GRPC);
    let lost = |error| from_status(&Status::from_error(Box::new(error)));
    let response = channel.ready().await.map_err(lost)?.call(request).await.map_err(lost)?;
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != tonic::Code::Ok => Err(from_status(&status)),
        // An answer that is all headers has no messages.
        Some(_) => Ok(Reader::ended()),
        None if response.status() == http::StatusCode::OK => Ok(Reader::of_response(response.into_body())),
        None => Err(broken(format_args!("HTTP status {}", response.status()))),
    }
}

/// Answers a call; the status comes after the messages.
pub(crate) fn answer(messages: impl Stream<Item = Result<Outgoing, Status>> + Send + 'static) -> Response<Body> {
    let frames = stream::unfold(Some(Box::pin(messages)), |messages| async {
        let mut messages = messages?;
        match messages.next().await {
            Some(Ok(message)) => Some((message.frames(), Some(messages))),
            Some(Err(status)) => Some((trailers(&status).into_iter().collect(), None)),
            None => Some((trailers(&Status::ok("")).into_iter().collect(), None)),
        }
    });
    let frames = frames.flat_map(stream::iter).map(Ok::<_, Status>);
    let mut response = Response::new(Body::new(StreamBody::new(frames)));
    response.headers_mut().insert(header::CONTENT_TYPE, GRPC);
    response
}

/// A status at the end of a stream. One that cannot be said in headers is left out, which is an error to the other side.
fn trailers(status: &Status) -> Option<Frame<Bytes>> {
    let mut headers = HeaderMap::new();
    status.add_header(&mut headers).ok().map(|()| Frame::trailers(headers))
}

#[cfg(test)]
mod tests;
