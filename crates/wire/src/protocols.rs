//! Which codec speaks which protocol.
//!
//! Invariant: one static codec per protocol.

use neargate_shape::Protocol;

use crate::codec::Codec;
use crate::{awsjson, query, restjson, restxml, rpcv2cbor};

/// The codec of a protocol; `None` where there is none yet.
pub fn codec(protocol: Protocol) -> Option<&'static dyn Codec> {
    Some(match protocol {
        Protocol::AwsJson10 => &awsjson::AwsJson { version: "1.0" },
        Protocol::AwsJson11 => &awsjson::AwsJson { version: "1.1" },
        Protocol::Query => &query::Query { dialect: query::Dialect::Query },
        Protocol::Ec2 => &query::Query { dialect: query::Dialect::Ec2 },
        Protocol::RestJson => &restjson::RestJson,
        Protocol::RestXml => &restxml::RestXml { dialect: restxml::Dialect::RestXml },
        Protocol::S3 => &restxml::RestXml { dialect: restxml::Dialect::S3 },
        Protocol::RpcV2Cbor => &rpcv2cbor::RpcV2Cbor,
        _ => return None,
    })
}
