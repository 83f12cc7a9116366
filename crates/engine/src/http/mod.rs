//! The HTTP edge: bytes in, bytes out.
//!
//! A request passes, in this order, and none of it before what stands above:
//!
//! 1. [`connections`]: there are only so many;
//! 2. the server: a head of bounded size, in bounded time;
//! 3. [`guard`]: a program of this machine sends it, no web page;
//! 4. [`edge`]: its signature, as far as its head tells;
//! 5. [`bodies`]: room for its body, and the body, in bounded time;
//! 6. the rest of its signature; what it means; the call.

mod bodies;
mod causes;
mod client;
mod connections;
mod control;
mod cors;
mod credentials;
mod edge;
mod events;
mod fixtures;
mod guard;
mod keys;
mod names;
mod server;
mod templates;

pub(crate) use control::stop_all_tasks;
pub(crate) use edge::{Edge, EdgeParts};
pub(crate) use keys::RootKeys;
pub use keys::{EndpointKey, KEY_FILE};
pub(crate) use server::{Server, listen};

use neargate_base::{Code, Diagnostic};

use guard::Guard;
use names::{HostPattern, Origin};

/// Who may call the endpoint.
#[derive(Clone, Debug, Default)]
pub struct EndpointConfig {
    /// Names and addresses by which it is called, beside this machine's own: `NAME`, `*.NAME` for all below, an address.
    pub allowed_hosts: Vec<String>,
    /// Origins whose web pages may call AWS services here: `http://localhost:3000`.
    pub allowed_origins: Vec<String>,
    /// Root's calls and the control endpoint need a generated key.
    pub auth: bool,
}

impl EndpointConfig {
    /// The guard that this wants.
    pub(crate) fn guard(&self) -> Result<Guard, Diagnostic> {
        let wrong = |text: String, hint: &str| Diagnostic::error(Code("NG-E0110"), text).hint(hint);
        let host = |text: &String| {
            HostPattern::parse(text).ok_or_else(|| {
                let hint = "a name without port, `*.NAME` for all below it, or an address is expected";
                wrong(format!("`{text}` is no host that can be allowed"), hint)
            })
        };
        let origin = |text: &String| {
            Origin::parse(text).ok_or_else(|| {
                let hint = "scheme, host and port are expected, as in `http://localhost:3000`";
                wrong(format!("`{text}` is no origin that can be allowed"), hint)
            })
        };
        let hosts = self.allowed_hosts.iter().map(host).collect::<Result<_, _>>()?;
        let origins = self.allowed_origins.iter().map(origin).collect::<Result<_, _>>()?;
        Ok(Guard::new(hosts, origins))
    }
}
