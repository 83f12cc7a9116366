//! Requests and responses as plain parts.
//!
//! Invariant: no type of any HTTP crate, so that engine, simulator and tests can all make them.

use std::borrow::Cow;

use neargate_shape::Stored;

/// A request as it came: nothing decoded, nothing normalised.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The path as sent, percent-encoded.
    pub path: &'a str,
    /// The query string as sent, without the question mark.
    pub query: &'a str,
    /// Headers in order; names in any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// A response as it came.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// Headers in order; names in any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// A response to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers, lower case; the content type and the request id are among them.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: Body,
}

impl Response {
    /// The first header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// The body of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// These bytes.
    Whole(Vec<u8>),
    /// Bytes that are kept elsewhere, to be sent from there.
    Stored(Stored),
}

impl Body {
    /// The bytes, where they are here.
    pub fn whole(&self) -> Option<&[u8]> {
        if let Self::Whole(bytes) = self { Some(bytes) } else { None }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Whole(Vec::new())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes)
    }
}

/// A request to be sent: our own client's side. The host is the sender's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// `POST`.
    pub method: &'static str,
    /// The path, percent-encoded.
    pub path: String,
    /// The query string without the question mark.
    pub query: String,
    /// Headers, lower case; without host, length and signature.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An error of an AWS API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `ClientException`, as AWS spells it on the wire.
    pub code: String,
    /// For people.
    pub message: String,
    /// The HTTP status. Below 500 the sender is to blame.
    pub status: u16,
}

impl Fault {
    /// A fault of the caller's, status 400.
    pub fn sender(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400 }
    }

    /// The same fault with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Whether the caller is to blame.
    pub fn is_sender(&self) -> bool {
        self.status < 500
    }
}
