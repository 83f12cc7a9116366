//! Connections.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use neargate_base::{Code, Diagnostic};
use neargate_wire::{Request, Response};
use tokio::sync::mpsc;

use super::Edge;
use super::edge::plain;

/// The largest request body.
const BODY_BYTES_MAX: usize = 32 << 20;

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

    /// Returns when somebody asked the engine to stop.
    pub(crate) fn wait_for_stop(&self) {
        let (stopped, news) = &*self.stopped;
        let stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        drop(news.wait_while(stopped, |stopped| !*stopped));
    }
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
    *told.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    told.1.notify_all();
}

async fn serve(listener: TcpListener, edge: Arc<Edge>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        // A connection that fails to be accepted is the client's loss; the next may not.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let edge = Arc::clone(&edge);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&edge), request));
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // An error here is a client that went away.
            let _ = connection.await;
        });
    }
}

async fn answer(
    edge: Arc<Edge>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, std::convert::Infallible> {
    let (parts, body) = request.into_parts();
    let response = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let request = Request {
                method: parts.method.as_str(),
                path: parts.uri.path(),
                query: parts.uri.query().unwrap_or_default(),
                headers: &headers,
                body: &body,
            };
            edge.answer(&request).await
        }
        Err(_) => plain(413, &format!("the request's body is larger than {BODY_BYTES_MAX} bytes, or was cut off")),
    };
    Ok(encode(response))
}

fn encode(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(response.body))).unwrap_or_else(|error| {
        let mut failed = hyper::Response::new(Full::new(Bytes::from(error.to_string())));
        *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}
