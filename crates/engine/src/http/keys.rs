//! The endpoint's own keys: whoever signs with one is root of its account.
//!
//! Without `--auth` they are those that everybody knows: `test` with the secret `test` for the default account, an account's
//! number with that secret for any other. Then every program of every user of the machine is root here. With `--auth` they are
//! generated, kept in a file of the data directory that its owner alone can read, and the ones that everybody knows are refused.
//!
//! Invariant: a generated secret is shown by nothing but its file and who reads it; it is never sent, only signed with.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use neargate_base::{Account, Code, DEFAULT_ACCOUNT, Diagnostic};
use rustix::rand::{GetRandomFlags, getrandom};

use super::EndpointConfig;

/// The file in the data directory.
pub const KEY_FILE: &str = "endpoint.key";
/// More than the file ever has.
const FILE_BYTES_MAX: u64 = 1024;
/// How the access key ids begin.
const PREFIX: &str = "NGEK";
/// The secret that everybody knows.
const KNOWN_SECRET: &str = "test";

/// A generated key.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointKey {
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
}

/// Shows the access key id only.
impl std::fmt::Debug for EndpointKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndpointKey").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

impl EndpointKey {
    /// Whether an access key id is one that an engine has generated.
    pub fn is_id(access_key: &str) -> bool {
        access_key.len() == 20 && access_key.starts_with(PREFIX)
    }

    /// Reads a key file. It must be a file of this user's, or of root's.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().read(true).custom_flags(nonblocking()).open(path)?;
        let found = file.metadata()?;
        let invalid = |text: &str| std::io::Error::new(ErrorKind::InvalidData, text.to_owned());
        let own = rustix::process::geteuid().as_raw();
        if !found.is_file() || (found.uid() != own && found.uid() != 0) {
            return Err(invalid("it is no file of this user's"));
        }
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        match (lines.next(), lines.next(), lines.next()) {
            (Some(access_key), Some(secret_key), None) => {
                Ok(Self { access_key: access_key.to_owned(), secret_key: secret_key.to_owned() })
            }
            _ => Err(invalid("an access key id and a secret access key are expected, a line each")),
        }
    }

    /// The key of a data directory: the one that it has, or a new one.
    pub(crate) fn of(data_dir: &Path) -> Result<Self, Diagnostic> {
        let path = data_dir.join(KEY_FILE);
        let cannot = |verb: &str, error: &std::io::Error| {
            Diagnostic::error(Code("NG-E0111"), format!("cannot {verb} the endpoint's key: {error}"))
                .at(path.display().to_string())
                .hint("remove the file for a new key, or start the engine without `--auth`")
        };
        match Self::read(&path) {
            Ok(key) => {
                let mode = fs::metadata(&path).map(|found| found.mode()).map_err(|error| cannot("read", &error))?;
                if mode & 0o077 != 0 {
                    let error = std::io::Error::other(format!("others may read it (mode {:04o})", mode & 0o7777));
                    return Err(cannot("trust", &error));
                }
                Ok(key)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key = Self::generate().map_err(|error| cannot("generate", &error))?;
                key.write(&path).map_err(|error| cannot("write", &error))?;
                Ok(key)
            }
            Err(error) => Err(cannot("read", &error)),
        }
    }

    fn generate() -> std::io::Result<Self> {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut bytes = [0_u8; 56];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            filled += getrandom(rest, GetRandomFlags::empty())?;
        }
        // 32 letters: five bits of each byte count.
        let letter = |byte: &u8| LETTERS.get(usize::from(byte & 31)).map_or('A', |letter| char::from(*letter));
        let (id, secret) = bytes.split_at(16);
        Ok(Self {
            access_key: format!("{PREFIX}{}", id.iter().map(letter).collect::<String>()),
            secret_key: secret.iter().map(letter).collect(),
        })
    }

    /// Whole or not at all, and never readable by others.
    fn write(&self, path: &Path) -> std::io::Result<()> {
        let beside = path.with_extension("key.new");
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        writeln!(file, "{}\n{}", self.access_key, self.secret_key)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

/// A name that leads to a pipe or a device must not hold up who reads it.
fn nonblocking() -> i32 {
    i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0)
}

/// Which keys an endpoint takes as an account's root.
#[derive(Debug)]
pub(crate) enum RootKeys {
    /// Those that everybody knows.
    Known,
    /// A generated one; its file is at that path.
    Generated(EndpointKey, PathBuf),
}

impl RootKeys {
    /// The keys that a configuration wants.
    pub(crate) fn of(config: &EndpointConfig, data_dir: &Path) -> Result<Self, Diagnostic> {
        if !config.auth {
            return Ok(Self::Known);
        }
        Ok(Self::Generated(EndpointKey::of(data_dir)?, data_dir.join(KEY_FILE)))
    }

    /// The account that an access key is root of, and its secret.
    pub(super) fn find(&self, access_key: &str) -> Option<(Account, &str)> {
        let (own, secret) = match self {
            Self::Known => ("test", KNOWN_SECRET),
            Self::Generated(key, _) => (key.access_key.as_str(), key.secret_key.as_str()),
        };
        let account = match access_key {
            key if key == own => DEFAULT_ACCOUNT,
            key if Account::is_valid(key) => key,
            _ => return None,
        };
        Some((Account::new(account), secret))
    }

    /// The generated one.
    pub(crate) fn generated(&self) -> Option<&EndpointKey> {
        match self {
            Self::Known => None,
            Self::Generated(key, _) => Some(key),
        }
    }

    /// Where the key is that a caller needs; nowhere where everybody knows it.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Known => None,
            Self::Generated(_, path) => Some(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::{EndpointKey, KEY_FILE, RootKeys};

    #[test]
    fn a_key_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = EndpointKey::of(folder.path()).unwrap();
        let path = folder.path().join(KEY_FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!((key.access_key.len(), key.secret_key.len()), (20, 40));
        assert_eq!(EndpointKey::of(folder.path()).unwrap(), key);
        assert!(!format!("{key:?}").contains(&key.secret_key));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(EndpointKey::of(other.path()).unwrap(), key);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(EndpointKey::of(folder.path()).unwrap_err().code.0, "NG-E0111");
    }

    #[test]
    fn what_is_no_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for text in ["", "one\n", "one\ntwo\nthree\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(EndpointKey::read(&path).is_err(), "{text}");
        }
        assert!(EndpointKey::read(folder.path()).is_err());
        assert!(EndpointKey::read(std::path::Path::new("/dev/zero")).is_err());
    }

    #[test]
    fn a_generated_key_takes_the_place_of_the_known_ones() {
        let key = EndpointKey { access_key: "NGEKX".to_owned(), secret_key: "secret".to_owned() };
        let generated = RootKeys::Generated(key, "/k".into());
        let shown = |keys: &RootKeys, key: &str| {
            keys.find(key).map(|(account, secret)| format!("{} {secret}", account.as_str()))
        };
        assert_eq!(shown(&RootKeys::Known, "test").as_deref(), Some("000000000000 test"));
        assert_eq!(shown(&RootKeys::Known, "123456789012").as_deref(), Some("123456789012 test"));
        assert_eq!(shown(&RootKeys::Known, "NGEKX"), None);
        assert_eq!(shown(&generated, "NGEKX").as_deref(), Some("000000000000 secret"));
        assert_eq!(shown(&generated, "123456789012").as_deref(), Some("123456789012 secret"));
        assert_eq!(shown(&generated, "test"), None);
    }
}
