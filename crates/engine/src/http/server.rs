//! The serving thread.
//!
//! Invariant: a client that is slow, or says nothing, holds bounded memory for a bounded time.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use neargate_base::{Code, Diagnostic};
use neargate_wire::{Body, Response};
use rustix::net::sockopt::set_tcp_user_timeout;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::Edge;
use super::connections::Connection;

/// The largest request head; a chunk of a body is not larger either.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// The most headers.
const HEADERS_MAX: usize = 100;
/// How long a request's head may take, counted from the end of the request before it: also how long a connection may be idle.
const HEAD_DURATION_MAX: Duration = Duration::from_secs(30);
/// By which clients of ours know an engine of ours.
const SERVER: &str = concat!("Neargate/", env!("CARGO_PKG_VERSION"));
/// How long a client may leave an answer unread.
const UNREAD_MS_MAX: u32 = 30_000;

/// Takes the port.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, Diagnostic> {
    let listener = TcpListener::bind(address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    listener.map_err(|error| {
        let port = address.port();
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("is another engine running there? stop it with `neargate down --port {port}`, or choose another port with `--port`")
            }
            _ => "choose another port with `--port`".to_owned(),
        };
        Diagnostic::error(Code("NG-E0106"), format!("cannot listen on `{address}`: {error}")).hint(hint)
    })
}

/// The serving thread.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stopped: Arc<(Mutex<bool>, Condvar)>,
}

impl Server {
    /// Serves on a thread of its own until the process ends.
    pub(crate) fn start(listener: TcpListener, edge: Edge, stop: mpsc::Receiver<()>) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let stopped = Arc::new((Mutex::new(false), Condvar::new()));
        let told = Arc::clone(&stopped);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        std::thread::Builder::new().name("http".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::spawn(wait_for_stop(stop, told));
                serve(listener, Arc::new(edge)).await;
            });
        })?;
        Ok(Self { address, stopped })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks the engine to stop, as a signal and the control endpoint do.
    pub(crate) fn ask_to_stop(&self) {
        tell(&self.stopped);
    }

    /// Returns when somebody asked the engine to stop.
    pub(crate) fn wait_for_stop(&self) {
        let (stopped, news) = &*self.stopped;
        let stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        drop(news.wait_while(stopped, |stopped| !*stopped));
    }
}

fn tell(stopped: &(Mutex<bool>, Condvar)) {
    *stopped.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    stopped.1.notify_all();
}

async fn wait_for_stop(mut stop: mpsc::Receiver<()>, told: Arc<(Mutex<bool>, Condvar)>) {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = stop.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
    tell(&told);
}

async fn serve(listener: TcpListener, edge: Arc<Edge>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        edge.connections.room().await;
        // A connection that fails to be accepted is the client's loss; the next may not, least of all with one less open.
        let Ok((stream, _)) = listener.accept().await else {
            edge.connections.close_one();
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        tokio::spawn(attend(stream, Arc::clone(&edge), edge.connections.open()));
        // Whoever has already sent a request is heard before another can take its place.
        tokio::task::yield_now().await;
    }
}

/// Serves one connection until its client or somebody who needs its place ends it.
async fn attend(stream: TcpStream, edge: Arc<Edge>, connection: Arc<Connection>) {
    let _ = stream.set_nodelay(true);
    let _ = set_tcp_user_timeout(&stream, UNREAD_MS_MAX);
    let Ok(peer) = stream.peer_addr() else { return };
    let place = Arc::clone(&connection);
    let service = service_fn(move |request| answer(Arc::clone(&edge), Arc::clone(&place), peer.ip(), request));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DURATION_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error here is a client that went away, or one that was too slow.
        _ = serving => {}
        () = connection.unwanted() => {}
    }
}

async fn answer(
    edge: Arc<Edge>,
    connection: Arc<Connection>,
    peer: IpAddr,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, std::convert::Infallible> {
    connection.works();
    let (parts, body) = request.into_parts();
    let response = edge.answer(&parts, body, peer).await;
    connection.waits();
    Ok(encode(response))
}

fn encode(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut builder = hyper::Response::builder().status(response.status).header(hyper::header::SERVER, SERVER);
    for (name, value) in response.headers {
        builder = builder.header(&*name, value);
    }
    let Body::Whole(bytes) = response.body else { return failed("no operation has a stored body here") };
    builder.body(Full::new(Bytes::from(bytes))).unwrap_or_else(|error| failed(&error.to_string()))
}

fn failed(why: &str) -> hyper::Response<Full<Bytes>> {
    let mut failed = hyper::Response::new(Full::new(Bytes::from(why.to_owned())));
    *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
    failed
}
