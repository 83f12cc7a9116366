//! Encrypting values under data keys that KMS makes and opens, as the caller and through this service.
//!
//! ```text
//! KmsKeyId ──kms:GenerateDataKey {SecretARN, SecretVersionId}──▶ data key ──AES-256-GCM──▶ text
//! ```
//!
//! Invariant: the data key in the clear is overwritten once it has served.

use neargate_kernel::{Cx, Fault, SecretKey};
use neargate_shape::scalar::{base64_decode, base64_encode};
use neargate_shape::{Blob, Value};
use serde_json::{Value as Json, json};
use zeroize::{Zeroize, Zeroizing};

use crate::errors::SecretError;
use crate::state::{SealedVersion, SecretRecord};

/// The short name by which KMS and IAM know this service.
const SERVICE: &str = "secretsmanager";
/// The account's own key of the service.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";
const NONCE_BYTES: usize = 12;
const VALUE_BYTES_MAX: usize = 65_536;

/// A value in the clear.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Plain {
    Text(Zeroizing<String>),
    Bytes(Zeroizing<Vec<u8>>),
}

impl Plain {
    /// The value of a request; `None` where it brings none.
    pub(crate) fn of(text: Option<String>, bytes: Option<Blob>) -> Result<Option<Self>, SecretError> {
        let plain = match (text, bytes) {
            (Some(_), Some(_)) => return Err(SecretError::ValueTwice),
            (Some(text), None) => Self::Text(Zeroizing::new(text)),
            (None, Some(bytes)) => Self::Bytes(Zeroizing::new(bytes.0)),
            (None, None) => return Ok(None),
        };
        if plain.bytes().len() > VALUE_BYTES_MAX { Err(SecretError::ValueSize) } else { Ok(Some(plain)) }
    }

    /// As an answer carries it: the text, or the bytes.
    pub(crate) fn shown(&self) -> (Option<String>, Option<Blob>) {
        match self {
            Self::Text(text) => (Some(text.to_string()), None),
            Self::Bytes(bytes) => (None, Some(Blob(bytes.to_vec()))),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Which of the two it is, for the associated data.
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// An encrypted version and the ARN of the key that it is encrypted with.
pub(crate) struct Sealed {
    pub(crate) version: SealedVersion,
    pub(crate) key: String,
}

/// Encrypts a version's value with the secret's key.
pub(crate) fn seal(cx: &mut Cx<'_>, secret: &SecretRecord, version: &str, plain: &Plain) -> Result<Sealed, Fault> {
    let key = secret.kms_key_id.as_deref().unwrap_or(DEFAULT_KEY);
    let input = json!({"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context(secret, version)});
    let answer = kms(cx, "GenerateDataKey", input, SecretError::Encryption)?;
    let text = |name| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (key_arn, wrapped) = (text("KeyId"), bytes(&answer, "CiphertextBlob").to_vec());
    let data_key = data_key(answer)?;
    let nonce = cx.secret_bytes(NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.as_slice().try_into().map_err(|_| Fault::internal("no nonce"))?;
    let text = data_key.encrypt(nonce, &associated(secret, version, plain.kind()), plain.bytes());
    let text = base64_encode(&[nonce.as_slice(), &text].concat());
    Ok(Sealed { version: SealedVersion { data_key: base64_encode(&wrapped), text }, key: key_arn })
}

/// Decrypts a version's value with the key it was encrypted with.
pub(crate) fn open(
    cx: &mut Cx<'_>,
    secret: &SecretRecord,
    version: &str,
    sealed: &SealedVersion,
) -> Result<Plain, Fault> {
    let input = json!({"CiphertextBlob": sealed.data_key, "EncryptionContext": context(secret, version)});
    let data_key = data_key(kms(cx, "Decrypt", input, SecretError::Decryption)?)?;
    let broken = || Fault::internal("the value does not decrypt under its data key");
    let text = base64_decode(&sealed.text).ok_or_else(broken)?;
    let (nonce, text) = text.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
    if let Some(plain) = data_key.decrypt(*nonce, &associated(secret, version, "text"), text) {
        let text = std::str::from_utf8(&plain).map_err(|_| broken())?;
        return Ok(Plain::Text(Zeroizing::new(text.to_owned())));
    }
    let plain = data_key.decrypt(*nonce, &associated(secret, version, "bytes"), text);
    plain.map(Plain::Bytes).ok_or_else(broken)
}

/// Asks KMS as the caller, through this service.
fn kms(cx: &mut Cx<'_>, operation: &str, input: Json, failure: fn(String) -> SecretError) -> Result<Value, Fault> {
    cx.via(SERVICE, |cx| cx.call_json("kms", operation, input)).map_err(|fault| {
        let cause = fault.hint.as_ref().map_or_else(|| fault.to_string(), |hint| format!("{fault}; {hint}"));
        match fault.code {
            "AccessDeniedException" => SecretError::KmsDenied(cause).into(),
            _ if fault.status >= 500 => fault,
            _ => failure(cause).into(),
        }
    })
}

/// The key in an answer, which is overwritten.
fn data_key(answer: Value) -> Result<SecretKey, Fault> {
    let key = SecretKey::new(bytes(&answer, "Plaintext"));
    if let Value::Structure(members) = answer {
        for (_, value) in members {
            if let Value::Blob(mut bytes) = value {
                bytes.zeroize();
            }
        }
    }
    key.ok_or_else(|| Fault::internal("the data key is not 32 bytes long"))
}

fn bytes<'v>(answer: &'v Value, name: &str) -> &'v [u8] {
    match answer.get(name) {
        Some(Value::Blob(bytes)) => bytes,
        _ => &[],
    }
}

fn context(secret: &SecretRecord, version: &str) -> Json {
    json!({"SecretARN": secret.arn, "SecretVersionId": version})
}

fn associated(secret: &SecretRecord, version: &str, kind: &str) -> Vec<u8> {
    format!("{kind} {version} {}", secret.arn).into_bytes()
}
