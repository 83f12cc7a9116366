//! Secrets: entropy, and the root key under which secrets lie in the state.
//!
//! ```text
//! root key (outside the data)  ──seals──▶  key material of KMS  ──encrypts──▶  data keys  ──encrypt──▶  values of secrets
//! ```
//!
//! A sealed text is `version (1) | nonce (12) | AES-256-GCM ciphertext and tag`, its purpose is associated data: what was sealed
//! for one purpose cannot be opened for another.
//!
//! Invariant: the root key is made when something is sealed for the first time; the state then holds a text that only this key
//! opens, so a lost or foreign key is known as such and never replaced.
//!
//! Invariant: the root key and entropy never reach a record but sealed. Keys are overwritten when they are dropped.
//!
//! Invariant: a row of a [`Record`] that is `SEALED` is in clear in memory alone, and opens only at its own place.

use std::fmt;

use aes_gcm::aead::{Aead, AeadInPlace, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use neargate_base::Scope;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{Cx, Delta, Fault, Record, Rng, Row, Store};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const PROOF: &str = "kernel.root_key";

/// Cryptographically secure randomness: key material, nonces, passwords. [`Rng`] is for ids, which may repeat under a seed.
pub trait Entropy: Send {
    /// Fills the bytes.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), String>;
}

/// Where the installation's root key is kept, apart from the data.
pub trait RootKeyFile: Send {
    /// The key, where there is one.
    fn load(&mut self) -> Result<Option<SecretKey>, String>;
    /// Keeps a new key for good, before this returns.
    fn keep(&mut self, key: &SecretKey) -> Result<(), String>;
    /// Where the key is, for a reader.
    fn place(&self) -> String;
}

/// Repeats itself for the same seed: for tests.
impl Entropy for Rng {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), String> {
        bytes.fill_with(|| u8::try_from(self.below(256)).unwrap_or(0));
        Ok(())
    }
}

/// 256 bits for AES in Galois/Counter Mode. Overwritten when dropped, never shown.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// A key of these bytes; `None` where they are not 32.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Encrypts. `associated` is not in the answer and must be given again to decrypt. A nonce must never serve one key twice.
    pub fn encrypt(&self, nonce: [u8; NONCE_BYTES], associated: &[u8], plain: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: associated };
        // Fails only beyond 64 GiB.
        self.cipher().encrypt(Nonce::from_slice(&nonce), payload).unwrap_or_default()
    }

    /// Decrypts; `None` for other bytes than were encrypted under this key, nonce and associated data.
    pub fn decrypt(&self, nonce: [u8; NONCE_BYTES], associated: &[u8], text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let payload = Payload { msg: text, aad: associated };
        self.cipher().decrypt(Nonce::from_slice(&nonce), payload).ok().map(Zeroizing::new)
    }

    /// The key made ready for many texts.
    pub fn sealer(&self) -> Sealer {
        Sealer(Box::new(self.cipher()))
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(&self.0))
    }
}

/// A key made ready: to be held for as long as there are texts to seal, and no longer.
pub struct Sealer(Box<Aes256Gcm>);

impl Sealer {
    /// Encrypts what lies from `from` on in its place and appends the tag; see [`SecretKey::encrypt`].
    pub fn encrypt_from(&self, from: usize, nonce: [u8; NONCE_BYTES], associated: &[u8], bytes: &mut Vec<u8>) {
        let plain = bytes.get_mut(from..).unwrap_or_default();
        // Fails only beyond 64 GiB.
        if let Ok(tag) = self.0.encrypt_in_place_detached(Nonce::from_slice(&nonce), associated, plain) {
            bytes.extend_from_slice(&tag);
        } else {
            bytes.truncate(from);
        }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

/// Sealed under the root key when it was made: tells that key from every other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RootKeyProof(Vec<u8>);

impl Record for RootKeyProof {
    const TABLE: &'static str = "kernel.root_key";
}

impl RootKeyProof {
    fn place() -> (Scope, &'static str) {
        (Scope::new("-", "-"), "proof")
    }
}

/// Entropy and the root key, as a core holds them.
pub struct Vault {
    entropy: Box<dyn Entropy>,
    file: Box<dyn RootKeyFile>,
    root: Option<SecretKey>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// A vault whose root key is loaded or made once it is needed.
    pub fn new(entropy: Box<dyn Entropy>, file: Box<dyn RootKeyFile>) -> Self {
        Self { entropy, file, root: None }
    }

    /// Loads the root key if the state needs one. `Err` says that it is lost or another one, and where it should be.
    pub(crate) fn check(&mut self, store: &Store) -> Result<(), String> {
        let (place, id) = RootKeyProof::place();
        let Some(RootKeyProof(proof)) = store.get::<RootKeyProof>(&place, id) else { return Ok(()) };
        if self.root.is_some() {
            return Ok(());
        }
        let at = self.file.place();
        let key =
            self.file.load()?.ok_or_else(|| format!("the root key is not at `{at}`; the state was sealed with it"))?;
        match open(&key, PROOF, proof) {
            Some(_) => self.root = Some(key),
            None => return Err(format!("the root key at `{at}` is not the one that the state was sealed with")),
        }
        Ok(())
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.entropy.fill(bytes).map_err(|error| Fault::internal(format!("no entropy: {error}")))
    }

    fn nonce(&mut self) -> Result<[u8; NONCE_BYTES], Fault> {
        let mut nonce = [0; NONCE_BYTES];
        self.fill(&mut nonce)?;
        Ok(nonce)
    }

    /// The root key; made, if neither the state nor its file knows one.
    fn root(&mut self, store: &Store) -> Result<SecretKey, Fault> {
        self.check(store).map_err(Fault::internal)?;
        if let Some(root) = &self.root {
            return Ok(root.clone());
        }
        // A file without a proof: the command that made the key was undone.
        let root = match self.file.load().map_err(Fault::internal)? {
            Some(root) => root,
            None => {
                let mut bytes = Zeroizing::new([0; 32]);
                self.fill(bytes.as_mut())?;
                let root = SecretKey(*bytes);
                self.file.keep(&root).map_err(Fault::internal)?;
                root
            }
        };
        self.root = Some(root.clone());
        Ok(root)
    }

    fn seal(&mut self, root: &SecretKey, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let nonce = self.nonce()?;
        let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + plain.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend(nonce);
        sealed.extend(root.encrypt(nonce, purpose.as_bytes(), plain));
        Ok(sealed)
    }
}

/// Whether a row's body is encrypted: a record in JSON begins with a printable character.
pub(crate) fn is_sealed(body: &[u8]) -> bool {
    body.first() == Some(&VERSION)
}

fn row_purpose(table: &str, key: &str) -> String {
    format!("row {table} {key}")
}

impl Vault {
    /// An encrypted row, opened; the vault was checked before.
    pub(crate) fn open_row(&self, row: Row) -> Result<Row, String> {
        let root = self.root.as_ref().ok_or("rows are sealed and nothing says with which root key")?;
        let plain = open(root, &row_purpose(&row.table, &row.key), &row.body);
        let plain = plain.ok_or_else(|| format!("row `{}` of `{}` does not open", row.key, row.table))?;
        Ok(Row { body: plain.to_vec(), ..row })
    }
}

/// No entropy and no root key: for cores that keep no secrets.
pub(crate) struct Absent;

impl Entropy for Absent {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), String> {
        Err("the core was opened without a vault".to_owned())
    }
}

impl RootKeyFile for Absent {
    fn load(&mut self) -> Result<Option<SecretKey>, String> {
        Ok(None)
    }

    fn keep(&mut self, _: &SecretKey) -> Result<(), String> {
        Err("the core was opened without a vault".to_owned())
    }

    fn place(&self) -> String {
        "nowhere".to_owned()
    }
}

fn open(root: &SecretKey, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (version, rest) = sealed.split_first()?;
    let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>()?;
    (*version == VERSION).then(|| root.decrypt(*nonce, purpose.as_bytes(), text)).flatten()
}

impl Cx<'_> {
    /// Cryptographically secure random bytes.
    pub fn secret_bytes(&mut self, length: usize) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let mut bytes = Zeroizing::new(vec![0; length]);
        self.vault.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Seals bytes under the installation's root key, to be kept in a record. Two seals of the same bytes differ.
    pub fn seal(&mut self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let root = self.proven_root()?;
        self.vault.seal(&root, purpose, plain)
    }

    /// The root key, with a proof of it in the state.
    fn proven_root(&mut self) -> Result<SecretKey, Fault> {
        let root = self.vault.root(self.store)?;
        let (place, id) = RootKeyProof::place();
        if self.store.get::<RootKeyProof>(&place, id).is_none() {
            let proof = RootKeyProof(self.vault.seal(&root, PROOF, &[])?);
            self.transaction.put(self.store, &place, id, proof);
        }
        Ok(root)
    }

    /// What the command wrote, and `others` rows as they are, for the journal: sealed where their record is.
    pub(crate) fn deltas(&mut self, others: &[(&'static str, String)]) -> Result<Vec<Delta>, Fault> {
        let is_sealed = !others.is_empty() || self.transaction.is_sealed(self.store);
        let root = is_sealed.then(|| self.proven_root()).transpose()?;
        let mut deltas = self.transaction.deltas(self.store).map_err(Fault::internal)?;
        for (table, key) in others {
            let is_there = |delta: &Delta| match delta {
                Delta::Put(Row { table: other, key: of, .. }) | Delta::Delete { table: other, key: of } => {
                    other == table && of == key
                }
            };
            if !deltas.iter().any(is_there) {
                deltas.push(self.store.delta(table, key).map_err(Fault::internal)?);
            }
        }
        let Some(root) = root else { return Ok(deltas) };
        for delta in &mut deltas {
            if let Delta::Put(row) = delta
                && self.store.sealed_name(&row.table).is_some()
            {
                row.body = self.vault.seal(&root, &row_purpose(&row.table, &row.key), &row.body)?;
            }
        }
        Ok(deltas)
    }

    /// Opens what was sealed for the same purpose.
    pub fn unseal(&mut self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let root = self.vault.root(self.store)?;
        open(&root, purpose, sealed)
            .ok_or_else(|| Fault::internal(format!("what was sealed for `{purpose}` does not open")))
    }
}

#[cfg(test)]
mod tests {
    use super::{PROOF, SecretKey, Vault, open};
    use crate::Rng;

    #[test]
    fn a_seal_opens_only_whole_and_for_its_purpose() {
        let key = SecretKey::new(&[7; 32]).unwrap();
        let mut vault = Vault::new(Box::new(Rng::seeded(1)), Box::new(super::Absent));
        let sealed = vault.seal(&key, "a", b"plain").unwrap();
        assert_eq!(open(&key, "a", &sealed).unwrap().as_slice(), b"plain");
        assert_ne!(sealed, vault.seal(&key, "a", b"plain").unwrap(), "nonces differ");
        assert!(open(&key, PROOF, &sealed).is_none(), "another purpose");
        assert!(open(&SecretKey::new(&[8; 32]).unwrap(), "a", &sealed).is_none(), "another key");
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(open(&key, "a", &bent).is_none(), "byte {at}");
            assert!(open(&key, "a", &sealed[..at]).is_none(), "{at} bytes");
        }
    }
}
