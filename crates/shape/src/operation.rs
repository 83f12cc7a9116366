//! Static descriptions of services and their operations.
//!
//! Invariant: lists of operations are sorted by name, for they are searched by halves.

use crate::descriptor::Shape;

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// `X-Amz-Target`, JSON 1.0.
    AwsJson10,
    /// `X-Amz-Target`, JSON 1.1.
    AwsJson11,
    /// Form in, XML out.
    Query,
    /// Form in, XML out, in EC2's dialect.
    Ec2,
    /// JSON bodies on paths.
    RestJson,
    /// XML bodies on paths.
    RestXml,
    /// XML bodies on paths, in S3's dialect.
    S3,
    /// CBOR bodies on a path for each operation (Smithy's RPC v2).
    RpcV2Cbor,
}

/// One operation.
#[derive(Debug)]
pub struct OperationShape {
    /// `RunTask`.
    pub name: &'static str,
    /// The shape of what it takes.
    pub input: fn() -> &'static Shape,
    /// The shape of what it answers.
    pub output: fn() -> &'static Shape,
    /// `POST` but in the rest protocols.
    pub http_method: &'static str,
    /// `/` but in the rest protocols; labels in braces.
    pub http_uri: &'static str,
    /// The status of a success.
    pub http_status: u16,
    /// The root element of a request's body in XML; empty where it is the input's own name.
    pub request_root: &'static str,
    /// The root element of an answer's body in XML; empty where it is the operation's name and `Response`.
    pub response_root: &'static str,
}

impl OperationShape {
    /// An operation of a protocol that has one path for all, or none: `POST /`.
    pub const fn rpc(name: &'static str, input: fn() -> &'static Shape, output: fn() -> &'static Shape) -> Self {
        let (http_method, http_uri, http_status) = ("POST", "/", 200);
        Self { name, input, output, http_method, http_uri, http_status, request_root: "", response_root: "" }
    }

    /// The same operation with names for the root elements of its bodies in XML.
    #[must_use]
    pub const fn rooted(mut self, request_root: &'static str, response_root: &'static str) -> Self {
        self.request_root = request_root;
        self.response_root = response_root;
        self
    }

    /// The same operation on a path of its own.
    #[must_use]
    pub const fn on(mut self, http_method: &'static str, http_uri: &'static str, http_status: u16) -> Self {
        self.http_method = http_method;
        self.http_uri = http_uri;
        self.http_status = http_status;
        self
    }
}

/// One service.
#[derive(Debug)]
pub struct ServiceShape {
    /// The service's name here, in endpoints and in credential scopes: `ecs`.
    pub name: &'static str,
    /// The name in credential scopes.
    pub signing_name: &'static str,
    /// How it speaks.
    pub protocol: Protocol,
    /// What precedes the operation in `X-Amz-Target`, and in the path of RPC v2; empty but in the JSON protocols and that one.
    pub target_prefix: &'static str,
    /// `2014-11-13`.
    pub api_version: &'static str,
    /// The namespace of XML answers; empty but in the XML protocols.
    pub xml_namespace: &'static str,
    /// The operations that exist here, by name.
    pub operations: &'static [&'static OperationShape],
    /// The names of all other operations of the model, which answer 501.
    pub unimplemented: &'static [&'static str],
}

impl ServiceShape {
    /// The operation of that name, where it exists here.
    pub fn operation(&self, name: &str) -> Option<&'static OperationShape> {
        let at = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        self.operations.get(at).copied()
    }

    /// Whether AWS has an operation of that name which does not exist here.
    pub fn is_unimplemented(&self, name: &str) -> bool {
        self.unimplemented.binary_search(&name).is_ok()
    }
}
