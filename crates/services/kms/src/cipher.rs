//! Ciphertexts.
//!
//! ```text
//! 1  form      1 byte
//! account      8 bytes, big endian
//! key id      16 bytes
//! material     4 bytes, big endian: which version of the key's material, from 0
//! nonce       12 bytes
//! text and tag of AES-256-GCM
//! ```
//!
//! Associated data are everything before the nonce and the encryption context, each key and value with its length before it: a
//! ciphertext opens under its own key, version and context only, and nothing can be moved between a context's keys and values.
//!
//! Invariant: material is unsealed for one use and overwritten after it.

use std::collections::BTreeMap;

use neargate_base::Scope;
use neargate_kernel::{Cx, Fault, SecretKey};
use neargate_shape::scalar::{base64_decode, base64_encode};
use zeroize::Zeroizing;

use crate::errors::KmsError;
use crate::reference::Found;
use crate::state::KeyRecord;

/// An encryption context.
pub(crate) type Context = BTreeMap<String, String>;

const FORM: u8 = 1;
const HEAD_BYTES: usize = 29;
const NONCE_BYTES: usize = 12;

/// A ciphertext with what it says of its key.
#[derive(Debug)]
pub(crate) struct Ciphertext<'b> {
    head: [u8; HEAD_BYTES],
    /// The key's account and id.
    pub(crate) account: String,
    pub(crate) key_id: String,
    material: usize,
    nonce: [u8; NONCE_BYTES],
    text: &'b [u8],
}

impl<'b> Ciphertext<'b> {
    /// Takes a blob apart. What it says is true only once it has been decrypted.
    pub(crate) fn read(blob: &'b [u8]) -> Result<Self, KmsError> {
        Self::take_apart(blob).ok_or(KmsError::InvalidCiphertext)
    }

    fn take_apart(blob: &'b [u8]) -> Option<Self> {
        let (head, rest) = blob.split_first_chunk::<HEAD_BYTES>()?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let (form, ids) = head.split_first()?;
        let (account, ids) = ids.split_first_chunk::<8>()?;
        let (key, material) = ids.split_first_chunk::<16>()?;
        let material = u32::from_be_bytes(material.try_into().ok()?);
        (*form == FORM).then_some(Self {
            head: *head,
            account: format!("{:012}", u64::from_be_bytes(*account)),
            key_id: uuid(u128::from_be_bytes(*key)),
            material: usize::try_from(material).ok()?,
            nonce: *nonce,
            text,
        })
    }
}

/// Encrypts under the key's latest material.
pub(crate) fn encrypt(cx: &mut Cx<'_>, found: &Found, context: &Context, plain: &[u8]) -> Result<Vec<u8>, Fault> {
    let latest = found.key.materials.len().saturating_sub(1);
    let head = head(&found.scope, &found.key.id, latest).ok_or_else(|| Fault::internal("the key has no plain id"))?;
    let nonce = cx.secret_bytes(NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.as_slice().try_into().map_err(|_| Fault::internal("no nonce"))?;
    let material = material(cx, &found.key, latest)?;
    let text = material.encrypt(nonce, &associated(&head, context), plain);
    Ok([head.as_slice(), &nonce, &text].concat())
}

/// Decrypts under the material that the ciphertext names.
pub(crate) fn decrypt(
    cx: &mut Cx<'_>,
    key: &KeyRecord,
    ciphertext: &Ciphertext<'_>,
    context: &Context,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    if ciphertext.material >= key.materials.len() {
        return Err(KmsError::InvalidCiphertext.into());
    }
    let material = material(cx, key, ciphertext.material)?;
    let plain = material.decrypt(ciphertext.nonce, &associated(&ciphertext.head, context), ciphertext.text);
    Ok(plain.ok_or(KmsError::InvalidCiphertext)?)
}

/// The id of the material that a ciphertext was made with.
pub(crate) fn material_id(key: &KeyRecord, ciphertext: &Ciphertext<'_>) -> Option<String> {
    key.materials.get(ciphertext.material).map(|material| material.id.clone())
}

/// New material of a key as it is kept.
pub(crate) fn seal_material(cx: &mut Cx<'_>, key_id: &str, version: usize, bytes: &[u8]) -> Result<String, Fault> {
    Ok(base64_encode(&cx.seal(&purpose(key_id, version), bytes)?))
}

fn material(cx: &mut Cx<'_>, key: &KeyRecord, version: usize) -> Result<SecretKey, Fault> {
    let sealed = key.materials.get(version).and_then(|material| base64_decode(&material.sealed));
    let sealed = sealed.ok_or_else(|| Fault::internal("the key has no such material"))?;
    let bytes = cx.unseal(&purpose(&key.id, version), &sealed)?;
    SecretKey::new(&bytes).ok_or_else(|| Fault::internal("the key's material is not 32 bytes long"))
}

fn purpose(key_id: &str, version: usize) -> String {
    format!("kms.key/{key_id}/{version}")
}

fn head(scope: &Scope, key_id: &str, material: usize) -> Option<[u8; HEAD_BYTES]> {
    let account: u64 = scope.account.as_str().parse().ok()?;
    let key = u128::from_str_radix(&key_id.replace('-', ""), 16).ok()?;
    let material = u32::try_from(material).ok()?;
    [&[FORM][..], &account.to_be_bytes(), &key.to_be_bytes(), &material.to_be_bytes()].concat().try_into().ok()
}

fn associated(head: &[u8], context: &Context) -> Vec<u8> {
    let mut bytes = head.to_vec();
    for text in context.iter().flat_map(|(key, value)| [key, value]) {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

fn uuid(number: u128) -> String {
    let digits = format!("{number:032x}");
    let part = |range| digits.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}
