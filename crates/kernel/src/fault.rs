//! What an AWS service answers when it refuses: a code of its own, a text, a status.

use neargate_shape::Protocol;

/// One refusal, in the words AWS uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The error code as AWS spells it, such as `ClusterNotFoundException`.
    pub code: &'static str,
    /// AWS's text.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// What Neargate adds for its user: sent beside the fault, never in its text.
    pub hint: Option<String>,
}

impl Fault {
    /// The caller's mistake, status 400.
    pub fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: 400, hint: None }
    }

    /// The same fault with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same fault with a hint for Neargate's user.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A denial under the name and status that the protocol's services give it; any other fault as it is.
    #[must_use]
    pub(crate) fn into_denial_of(mut self, protocol: Protocol) -> Self {
        if self.code != "AccessDeniedException"
            || matches!(protocol, Protocol::AwsJson10 | Protocol::AwsJson11 | Protocol::RpcV2Cbor)
        {
            return self;
        }
        self.status = 403;
        match protocol {
            Protocol::Query | Protocol::RestXml | Protocol::S3 => self.code = "AccessDenied",
            Protocol::Ec2 => {
                self.code = "UnauthorizedOperation";
                self.message = format!("You are not authorized to perform this operation. {}", self.message);
            }
            _ => {}
        }
        self
    }

    /// `ValidationException`, as most JSON services name a malformed input.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::sender("ValidationException", message)
    }

    /// The engine's own failure, status 500.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { code: "InternalFailure", message: message.into(), status: 500, hint: None }
    }

    /// The service cannot answer now and may later, status 503.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { code: "ServiceUnavailable", message: message.into(), status: 503, hint: None }
    }

    /// An operation of AWS that Neargate does not have, status 501.
    pub fn not_implemented(service: &str, operation: &str) -> Self {
        Self::sender("NotImplemented", format!("Neargate does not implement {service}:{operation}")).with_status(501)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}
