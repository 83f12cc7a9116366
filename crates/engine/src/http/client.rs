//! Where a request came from, as policies ask about it.
//!
//! Invariant: the endpoint is plain HTTP, and says so: `aws:SecureTransport` is false for what arrives here.

use std::net::IpAddr;

use neargate_kernel::Client;

/// The client of a request with these headers, from this address.
pub(super) fn client(address: IpAddr, headers: &[(&str, &str)]) -> Client {
    let header = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| (*value).to_owned())
    };
    Client {
        address: Some(address.to_canonical()),
        is_encrypted: false,
        user_agent: header("user-agent"),
        referer: header("referer"),
    }
}

#[cfg(test)]
mod tests {
    use super::client;

    #[test]
    fn the_address_is_that_of_the_connection_and_an_empty_header_is_no_value() {
        let client =
            client("::ffff:127.0.0.1".parse().unwrap(), &[("User-Agent", "aws-cli/2"), ("x-forwarded-for", "8.8.8.8")]);
        assert_eq!(client.address, Some("127.0.0.1".parse().unwrap()));
        assert_eq!(
            (client.user_agent.as_deref(), client.referer, client.is_encrypted),
            (Some("aws-cli/2"), None, false)
        );
    }
}
