//! Values of type `SecureString`: encrypted and decrypted by KMS as the caller, through this service.
//!
//! ```text
//! standard tier   value ──kms:Encrypt {PARAMETER_ARN}──▶ the ciphertext of KMS
//! advanced tier   data key of kms:GenerateDataKey {PARAMETER_ARN}: value ──AES-256-GCM──▶ text
//!                 form 1 | length of the wrapped key u16, big endian | wrapped key | nonce 12 | text and tag
//! ```
//!
//! Follows <https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html>. On AWS the
//! advanced form is that of the AWS Encryption SDK; here it is one of our own.
//!
//! Invariant: a value in the clear and its data key are overwritten once they have served; what is kept is base64 of the above.

use neargate_kernel::{Cx, Fault, SecretKey};
use neargate_shape::Value;
use neargate_shape::scalar::{base64_decode, base64_encode};
use zeroize::Zeroize;

use crate::errors::SsmError;
use crate::name;
use crate::state::Version;

/// The type's name.
pub(crate) const SECURE_STRING: &str = "SecureString";
/// The account's own key of the service.
pub(crate) const DEFAULT_KEY: &str = "alias/aws/ssm";
const SERVICE: &str = "ssm";
const FORM: u8 = 1;
const NONCE_BYTES: usize = 12;

/// Encrypts a value of the parameter `name` for a tier.
pub(crate) fn seal(cx: &mut Cx<'_>, name: &str, key_id: &str, tier: &str, plain: &str) -> Result<String, Fault> {
    let context = context(cx, name);
    if tier == "Standard" {
        let plain = Value::Blob(plain.as_bytes().to_vec());
        let answer = kms(cx, "Encrypt", vec![("KeyId", Value::from(key_id)), ("Plaintext", plain), context])?;
        return Ok(base64_encode(bytes(&answer, "CiphertextBlob")));
    }
    let input = vec![("KeyId", Value::from(key_id)), ("KeySpec", Value::from("AES_256")), context];
    let mut answer = kms(cx, "GenerateDataKey", input)?;
    let data_key = SecretKey::new(bytes(&answer, "Plaintext"));
    let wrapped = bytes(&answer, "CiphertextBlob").to_vec();
    overwrite(&mut answer);
    let data_key = data_key.ok_or_else(|| Fault::internal("the data key is not 32 bytes long"))?;
    let nonce = cx.secret_bytes(NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.as_slice().try_into().map_err(|_| Fault::internal("no nonce"))?;
    let text = data_key.encrypt(nonce, name::arn(&cx.scope, name).as_bytes(), plain.as_bytes());
    let length = u16::try_from(wrapped.len()).map_err(|_| Fault::internal("the wrapped key is too long"))?;
    Ok(base64_encode(&[&[FORM][..], &length.to_be_bytes(), &wrapped, &nonce, &text].concat()))
}

impl Version {
    /// The version with its value in the clear, where that is wanted and it is not. Asks KMS as the caller.
    pub(crate) fn decrypted(mut self, cx: &mut Cx<'_>, with_decryption: Option<bool>) -> Result<Self, Fault> {
        if self.kind == SECURE_STRING && with_decryption == Some(true) {
            self.value = open(cx, &self)?;
        }
        Ok(self)
    }
}

/// Decrypts the value of a version.
pub(crate) fn open(cx: &mut Cx<'_>, version: &Version) -> Result<String, Fault> {
    let broken = || Fault::internal(format!("the value of `{}` does not decrypt", version.name));
    let held = base64_decode(&version.value).ok_or_else(broken)?;
    let context = context(cx, &version.name);
    if version.tier == "Standard" {
        let mut answer = kms(cx, "Decrypt", vec![("CiphertextBlob", Value::Blob(held)), context])?;
        let plain = std::str::from_utf8(bytes(&answer, "Plaintext")).map(str::to_owned).map_err(|_| broken());
        overwrite(&mut answer);
        return plain;
    }
    let (wrapped, nonce, text) = take_apart(&held).ok_or_else(broken)?;
    let mut answer = kms(cx, "Decrypt", vec![("CiphertextBlob", Value::Blob(wrapped.to_vec())), context])?;
    let data_key = SecretKey::new(bytes(&answer, "Plaintext"));
    overwrite(&mut answer);
    let arn = name::arn(&cx.scope, &version.name);
    let plain = data_key.and_then(|key| key.decrypt(nonce, arn.as_bytes(), text)).ok_or_else(broken)?;
    std::str::from_utf8(&plain).map(str::to_owned).map_err(|_| broken())
}

/// Wrapped key, nonce, text.
fn take_apart(held: &[u8]) -> Option<(&[u8], [u8; NONCE_BYTES], &[u8])> {
    let (form, rest) = held.split_first()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (wrapped, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>()?;
    (*form == FORM).then_some((wrapped, *nonce, text))
}

type Member = (&'static str, Value);

fn context(cx: &Cx<'_>, name: &str) -> Member {
    let arn = Value::from(name::arn(&cx.scope, name).as_str());
    ("EncryptionContext", Value::Map(vec![("PARAMETER_ARN".to_owned(), arn)]))
}

/// Asks KMS as the caller. Its faults come back in Parameter Store's codes with KMS's text, as AWS passes them on.
fn kms(cx: &mut Cx<'_>, operation: &str, input: Vec<Member>) -> Result<Value, Fault> {
    let answer = cx.via(SERVICE, |cx| cx.call("kms", operation, Value::Structure(input)));
    answer.map_err(|fault| {
        if fault.status >= 500 {
            return fault;
        }
        let (message, status, code, request) = (&fault.message, fault.status, fault.code, &cx.request_id);
        let text = format!(
            "{message} (Service: AWSKMS; Status Code: {status}; Error Code: {code}; Request ID: {request}; Proxy: null)"
        );
        let mut refused: Fault = match code {
            "AccessDeniedException" => SsmError::KmsDenied(text).into(),
            _ => SsmError::InvalidKeyId(text).into(),
        };
        refused.hint = fault.hint;
        refused
    })
}

/// Overwrites the bytes of an answer.
fn overwrite(answer: &mut Value) {
    if let Value::Structure(members) = answer {
        for (_, value) in members {
            if let Value::Blob(bytes) = value {
                bytes.zeroize();
            }
        }
    }
}

fn bytes<'v>(answer: &'v Value, name: &str) -> &'v [u8] {
    match answer.get(name) {
        Some(Value::Blob(bytes)) => bytes,
        _ => &[],
    }
}
