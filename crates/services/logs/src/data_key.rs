//! The data keys under which segments are encrypted, and what wraps them.
//!
//! ```text
//! a group with a key    kms:GenerateDataKey / kms:Decrypt {aws:logs:arn} as logs.<region>.amazonaws.com ──▶ data key of a segment
//! a group without one   the installation's root key                                                    ──▶ data key of a segment
//! ```
//!
//! Follows <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>.
//!
//! Invariant: a data key serves one segment, and what wraps it is written down with it: a group's key may change at any time, what
//! was written before stays under the key it was written with.
//!
//! Invariant: the data key in the clear lives for one command; asking for it costs one call for each command and segment, never
//! for an event.

use neargate_kernel::{Cx, Fault, Principal, SecretKey};
use neargate_shape::Value;
use neargate_shape::scalar::{base64_decode, base64_encode};
use serde_json::{Value as Json, json};
use zeroize::Zeroize;

use crate::errors::LogsError;
use crate::state::{WrappedKey, group_arn, segment_file};

const KEY_BYTES: usize = 32;

/// A new data key for a segment of a group, and how it is kept.
pub(crate) fn make(
    cx: &mut Cx<'_>,
    group: &str,
    kms_key: Option<&str>,
    segment: &str,
) -> Result<(WrappedKey, SecretKey), Fault> {
    let Some(arn) = kms_key else {
        let bytes = cx.secret_bytes(KEY_BYTES)?;
        let purpose = purpose(cx, segment);
        let text = base64_encode(&cx.seal(&purpose, &bytes)?);
        return Ok((WrappedKey { kms_key: None, text }, data_key(&bytes)?));
    };
    let answer = kms(cx, group, arn, "GenerateDataKey", json!({"KeyId": arn, "KeySpec": "AES_256"}))?;
    let text = base64_encode(bytes(&answer, "CiphertextBlob"));
    Ok((WrappedKey { kms_key: Some(arn.to_owned()), text }, taken(answer)?))
}

/// The data key of a segment, from what is kept of it.
pub(crate) fn open(cx: &mut Cx<'_>, group: &str, segment: &str, wrapped: &WrappedKey) -> Result<SecretKey, Fault> {
    if let Some(arn) = &wrapped.kms_key {
        let input = json!({"KeyId": arn, "CiphertextBlob": wrapped.text});
        return taken(kms(cx, group, arn, "Decrypt", input)?);
    }
    let sealed = base64_decode(&wrapped.text).ok_or_else(|| Fault::internal("a segment's data key is not base64"))?;
    let purpose = purpose(cx, segment);
    data_key(&cx.unseal(&purpose, &sealed)?)
}

/// The ARN of the key that a group may be given, once CloudWatch Logs has encrypted and decrypted with it.
///
/// Of what AWS's page lets the key policy allow these two are tried, because they are what groups live on: a policy without
/// `kms:Encrypt*`, `kms:ReEncrypt*` or `kms:Describe*` is taken. By ARN of the key or of an alias; the group keeps the key's.
pub(crate) fn check(cx: &mut Cx<'_>, group: &str, key: &str) -> Result<String, Fault> {
    let resource = key.strip_prefix("arn:").and_then(|_| key.splitn(6, ':').nth(5)).unwrap_or_default();
    if !key.contains(":kms:") || !(resource.starts_with("key/") || resource.starts_with("alias/")) {
        return Err(LogsError::KeyNotFound(key.to_owned()).into());
    }
    let made = kms(cx, group, key, "GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"}))?;
    let text = base64_encode(bytes(&made, "CiphertextBlob"));
    let arn = made.get("KeyId").and_then(Value::as_str).unwrap_or(key).to_owned();
    drop(taken(made)?);
    drop(taken(kms(cx, group, &arn, "Decrypt", json!({"KeyId": arn, "CiphertextBlob": text}))?)?);
    Ok(arn)
}

/// Asks KMS as CloudWatch Logs, for a group.
fn kms(cx: &mut Cx<'_>, group: &str, key: &str, operation: &str, mut input: Json) -> Result<Value, Fault> {
    let (arn, service) = (group_arn(cx, group), format!("logs.{}.amazonaws.com", cx.scope.region));
    if let Some(members) = input.as_object_mut() {
        members.insert("EncryptionContext".to_owned(), json!({"aws:logs:arn": arn}));
    }
    let answer = cx.as_service(&service, &arn, |cx| cx.call_json("kms", operation, input));
    answer.map_err(|fault| match fault.code {
        _ if fault.status >= 500 => fault,
        "AccessDeniedException" if exists(cx, key) => {
            let (key, action) = (key.to_owned(), operation.to_owned());
            match fault.hint.filter(|hint| hint.starts_with("denied by")) {
                Some(by) => LogsError::KeyForbidden { group: arn, key, action, by }.into(),
                None => LogsError::KeyDenied { group: arn, key, service, action }.into(),
            }
        }
        "AccessDeniedException" => {
            LogsError::KeyUnusable { group: arn, cause: format!("key `{key}` does not exist") }.into()
        }
        _ => LogsError::KeyUnusable { group: arn, cause: fault.to_string() }.into(),
    })
}

/// Whether there is such a key: KMS does not say so to a service that it denies.
fn exists(cx: &mut Cx<'_>, key: &str) -> bool {
    let account = neargate_base::Account::new(key.split(':').nth(4).unwrap_or_default());
    let found =
        cx.as_principal(Principal::root(&account), |cx| cx.call_json("kms", "DescribeKey", json!({"KeyId": key})));
    !found.is_err_and(|fault| fault.code == "NotFoundException")
}

/// What the root key seals a segment's key for.
fn purpose(cx: &Cx<'_>, segment: &str) -> String {
    segment_file(cx, segment)
}

/// The key in an answer of KMS, which is overwritten.
fn taken(answer: Value) -> Result<SecretKey, Fault> {
    let key = data_key(bytes(&answer, "Plaintext"));
    if let Value::Structure(members) = answer {
        for (_, value) in members {
            if let Value::Blob(mut bytes) = value {
                bytes.zeroize();
            }
        }
    }
    key
}

fn data_key(bytes: &[u8]) -> Result<SecretKey, Fault> {
    SecretKey::new(bytes).ok_or_else(|| Fault::internal("a segment's data key is not 32 bytes long"))
}

fn bytes<'v>(answer: &'v Value, name: &str) -> &'v [u8] {
    match answer.get(name) {
        Some(Value::Blob(bytes)) => bytes,
        _ => &[],
    }
}
