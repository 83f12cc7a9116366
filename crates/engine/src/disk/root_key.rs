//! The installation's root key: a file apart from the data directory, so that a copy of the data alone opens no secret.
//!
//! ```text
//! $XDG_STATE_HOME/neargate/keys/<instance>.key     where that is set
//! /var/lib/neargate/keys/<instance>.key            for root
//! ~/.local/state/neargate/keys/<instance>.key      for everybody else
//! ```
//!
//! Invariant: 32 bytes, readable by their owner alone, durable before anything is sealed with them, never overwritten.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use neargate_base::Timestamp;
use neargate_kernel::{Entropy, RootKeyFile, SecretKey, Vault};
use rustix::rand::{GetRandomFlags, getrandom};

use super::{key_places, private};

/// The vault of an engine: the kernel's random number generator, and the file of this data directory's root key.
pub(crate) fn vault(instance: &str, data_dir: &Path) -> Vault {
    let path = path(instance);
    if let Some(path) = &path {
        // What cannot be noted or tightened is no reason not to start: the key itself is checked when it is read.
        let _ = path.parent().filter(|keys| keys.exists()).map(private::tighten);
        let _ = key_places::note(path, data_dir);
    }
    Vault::new(Box::new(Machine), Box::new(KeyFile { path, data_dir: data_dir.to_owned() }))
}

/// Removes the root key of a data directory that is removed.
pub(crate) fn remove(instance: &str) -> std::io::Result<()> {
    path(instance).map_or(Ok(()), |key| key_places::remove(&key))
}

/// Whether the key of an instance is that of a data directory elsewhere, of which this one is a copy.
pub(crate) fn is_of_another(instance: &str, data_dir: &Path) -> bool {
    path(instance).is_some_and(|key| key_places::is_of_another(&key, data_dir))
}

/// Removes the root keys of data directories that were at a path and are gone.
pub(crate) fn remove_of(data_dir: &Path) -> std::io::Result<()> {
    let keys = folder().map(|folder| key_places::keys_of(&folder, data_dir)).unwrap_or_default();
    keys.iter().try_for_each(|key| key_places::remove(key))
}

/// Removes the root keys of data directories that have long been gone; answers those that are gone since now.
pub(crate) fn sweep(now: Timestamp) -> Vec<PathBuf> {
    folder().map(|folder| key_places::sweep(&folder, now)).unwrap_or_default()
}

/// The machine's own entropy.
struct Machine;

impl Entropy for Machine {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), String> {
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match getrandom(rest, GetRandomFlags::empty()) {
                Ok(got) => filled += got,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }
}

/// Where the key is; nowhere where the environment names no place.
struct KeyFile {
    path: Option<PathBuf>,
    data_dir: PathBuf,
}

/// From now on this process holds the key: it leaves no core dump, and no other process of the user may look into it.
fn guard_memory() -> Result<(), String> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(|error| format!("cannot keep the root key out of core dumps: {error}"))
}

impl RootKeyFile for KeyFile {
    fn load(&mut self) -> Result<Option<SecretKey>, String> {
        guard_memory()?;
        let Some(path) = &self.path else { return Ok(None) };
        read(path).map_err(|error| format!("cannot read the root key `{}`: {error}", path.display()))
    }

    fn keep(&mut self, key: &SecretKey) -> Result<(), String> {
        guard_memory()?;
        let path = self
            .path
            .as_ref()
            .ok_or("there is no place for the root key: neither `XDG_STATE_HOME` nor `HOME` is set")?;
        write(path, key)
            .and_then(|()| key_places::note(path, &self.data_dir))
            .map_err(|error| format!("cannot write the root key `{}`: {error}", path.display()))
    }

    fn place(&self) -> String {
        self.path.as_ref().map_or("a place that `XDG_STATE_HOME` names".to_owned(), |path| path.display().to_string())
    }
}

fn path(instance: &str) -> Option<PathBuf> {
    folder().map(|folder| folder.join(format!("{instance}.key")))
}

fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let of_root = || rustix::process::geteuid().is_root().then(|| PathBuf::from("/var/lib"));
    let of_user = || absolute("HOME").map(|home| home.join(".local/state"));
    let state = absolute("XDG_STATE_HOME").or_else(of_root).or_else(of_user)?;
    Some(state.join("neargate/keys"))
}

fn read(path: &Path) -> std::io::Result<Option<SecretKey>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.metadata()?.mode() & 0o077 != 0 {
        return Err(std::io::Error::other("others may read it; take it for known, or set its mode to 0600"));
    }
    let mut bytes = Vec::with_capacity(32);
    file.read_to_end(&mut bytes)?;
    let key = SecretKey::new(&bytes);
    bytes.fill(0);
    key.map(Some).ok_or_else(|| std::io::Error::other("it is not 32 bytes long"))
}

/// Written beside its name and linked to it: a crash leaves the whole key or none, and a key that is there stays.
fn write(path: &Path, key: &SecretKey) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all(key.bytes()).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, path));
    let _ = fs::remove_file(&draft);
    written.and_then(|()| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use neargate_kernel::{Entropy, SecretKey};

    use super::{Machine, read, write};

    #[test]
    fn a_key_is_kept_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("neargate/keys/1.key");
        assert!(read(&path).unwrap().is_none());
        write(&path, &SecretKey::new(&[1; 32]).unwrap()).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().bytes(), &[1; 32]);
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert!(write(&path, &SecretKey::new(&[2; 32]).unwrap()).is_err(), "never overwritten");
        assert_eq!(read(&path).unwrap().unwrap().bytes(), &[1; 32]);
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1, "no draft stays");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(read(&path).is_err(), "others may read it");
    }

    #[test]
    fn the_machine_fills_every_byte() {
        let mut bytes = [0; 4096];
        Machine.fill(&mut bytes).unwrap();
        assert!(bytes.chunks(32).all(|chunk| chunk.iter().any(|byte| *byte != 0)));
    }
}
