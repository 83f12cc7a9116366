//! The root key: when it is made, and what is said when it is lost.

use std::sync::{Arc, Mutex};

use expect_test::{Expect, expect};
use neargate_kernel::{Core, CoreError, Fault, MemorySegments, Registry, Rng, RootKeyFile, Row, SecretKey, Vault};
use neargate_testkit::{Harness, open_ports};
use serde_json::json;

use super::{key, services, told, world};

/// A file that can be looked at, and lost.
#[derive(Clone, Default)]
struct File(Arc<Mutex<Option<SecretKey>>>);

impl File {
    fn holds(&self) -> bool {
        self.0.lock().unwrap().is_some()
    }
}

impl RootKeyFile for File {
    fn load(&mut self) -> Result<Option<SecretKey>, String> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn keep(&mut self, key: &SecretKey) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(key.clone());
        Ok(())
    }

    fn place(&self) -> String {
        "/keys/1.key".to_owned()
    }
}

fn open(rows: Vec<Row>, file: &File) -> Result<Core, CoreError> {
    let registry = Registry::new(open_ports(), services());
    let vault = Vault::new(Box::new(Rng::seeded(5)), Box::new(file.clone()));
    Core::open(registry, rows, Box::new(MemorySegments::default()), 5)?.with_vault(vault)
}

fn make_key(core: &mut Core, world: &Harness, then: Result<(), Fault>) -> Result<(), Fault> {
    let make = |cx: &mut neargate_kernel::Cx<'_>| cx.call_json("kms", "CreateKey", json!({})).and(then);
    core.perform(world.now, &world.scope, super::root(), make).0
}

#[test]
fn the_root_key_is_made_once_it_is_needed_and_then_kept() {
    let (world, file) = (world(), File::default());
    let mut core = open(vec![], &file).unwrap();
    assert!(!file.holds(), "an installation without secrets has no root key");
    assert!(make_key(&mut core, &world, Err(Fault::internal("undone"))).is_err());
    let made = file.0.lock().unwrap().as_ref().map(|key| *key.bytes());
    assert!(made.is_some());
    let mut core = open(vec![], &file).unwrap();
    make_key(&mut core, &world, Ok(())).unwrap();
    assert_eq!(file.0.lock().unwrap().as_ref().map(|key| *key.bytes()), made, "never replaced");
}

#[test]
fn a_lost_or_foreign_root_key_is_said() {
    let mut world = world();
    key(&mut world);
    let rows = world.rows();
    let check = |key: Option<[u8; 32]>, expected: Expect| {
        let file = File(Arc::new(Mutex::new(key.and_then(|key| SecretKey::new(&key)))));
        let opened = open(rows.clone(), &file);
        expected.assert_eq(&opened.map_or_else(|error| error.to_string(), |_| "opened".to_owned()));
    };
    check(None, expect!["the root key is not at `/keys/1.key`; the state was sealed with it"]);
    check(Some([8; 32]), expect!["the root key at `/keys/1.key` is not the one that the state was sealed with"]);
    check(Some([7; 32]), expect!["opened"]);
}

#[test]
fn a_core_without_a_vault_makes_no_keys() {
    let world = world();
    let registry = Registry::new(open_ports(), services());
    let mut core = Core::open(registry, vec![], Box::new(MemorySegments::default()), 5).unwrap();
    let answer = make_key(&mut core, &world, Ok(()));
    expect!["500 InternalFailure: no entropy: the core was opened without a vault"]
        .assert_eq(&told(answer.map(|()| json!(null))));
}
