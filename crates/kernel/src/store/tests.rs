use neargate_base::Scope;
use serde::{Deserialize, Serialize};

use super::{Derived, Record, Store, Transaction};
use crate::{Delta, Row};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Thing(u32);

impl Record for Thing {
    const TABLE: &'static str = "test.thing";
    const VERSION: u32 = 2;
}

fn scope() -> Scope {
    Scope::new("000000000000", "eu-west-1")
}

#[test]
fn a_rolled_back_transaction_leaves_no_trace() {
    let mut store = Store::default();
    let mut first = Transaction::default();
    first.put(&mut store, &scope(), "a", Thing(1));
    assert_eq!(first.deltas(&store).unwrap().len(), 1);

    let mut second = Transaction::default();
    second.put(&mut store, &scope(), "a", Thing(2));
    second.put(&mut store, &scope(), "a", Thing(3));
    second.put(&mut store, &scope(), "b", Thing(4));
    second.delete::<Thing>(&mut store, &scope(), "a");
    second.roll_back(&mut store);
    let left: Vec<_> = store.scan::<Thing>(&scope(), "").map(|(id, thing)| (id.to_owned(), thing.0)).collect();
    assert_eq!(left, [("a".to_owned(), 1)]);
}

#[test]
fn a_row_made_and_deleted_in_one_command_is_no_delta() {
    let mut store = Store::default();
    let mut transaction = Transaction::default();
    transaction.put(&mut store, &scope(), "a", Thing(1));
    transaction.delete::<Thing>(&mut store, &scope(), "a");
    assert_eq!(transaction.deltas(&store).unwrap(), []);
}

#[test]
fn scans_keep_to_their_scope_and_prefix() {
    let mut store = Store::default();
    let mut transaction = Transaction::default();
    for (region, id) in [("eu-west-1", "a/1"), ("eu-west-1", "a/2"), ("eu-west-1", "b"), ("eu-west-10", "a/3")] {
        transaction.put(&mut store, &Scope::new("000000000000", region), id, Thing(0));
    }
    let ids: Vec<_> = store.scan::<Thing>(&scope(), "a/").map(|(id, _)| id).collect();
    assert_eq!(ids, ["a/1", "a/2"]);
}

#[test]
fn what_is_committed_can_be_loaded_and_a_later_version_is_refused() {
    let mut store = Store::default();
    let mut transaction = Transaction::default();
    transaction.put(&mut store, &scope(), "a", Thing(7));
    let deltas = transaction.deltas(&store).unwrap();
    let [Delta::Put(row)] = deltas.as_slice() else { panic!("one row expected, got {deltas:?}") };

    let mut fresh = Store::default();
    fresh.register::<Thing>();
    fresh.load(row.clone()).unwrap();
    assert_eq!(fresh.get::<Thing>(&scope(), "a"), Some(&Thing(7)));
    assert!(fresh.load(Row { version: 3, ..row.clone() }).unwrap_err().contains("version 3"));
    assert!(fresh.load(Row { body: b"{".to_vec(), ..row.clone() }).is_err());
    assert!(fresh.load(Row { table: "other".into(), ..row.clone() }).unwrap_err().contains("unknown table"));
}

/// The sum of all things.
#[derive(Debug, Default)]
struct Sum(u32);

impl Derived for Sum {
    type Record = Thing;

    fn change(&mut self, _: &Scope, _: &str, before: Option<&Thing>, after: Option<&Thing>) {
        self.0 += after.map_or(0, |thing| thing.0);
        self.0 -= before.map_or(0, |thing| thing.0);
    }
}

#[test]
fn what_is_derived_follows_the_rows_there_and_back() {
    let mut store = Store::default();
    store.register_with::<Sum>();
    let sum = |store: &Store| store.derived::<Sum>().unwrap().0;
    store.load(Row { table: "test.thing".into(), key: "0/r/a".into(), version: 2, body: b"5".to_vec() }).unwrap();
    assert_eq!(sum(&store), 5);

    let mut first = Transaction::default();
    first.put(&mut store, &Scope::new("0", "r"), "a", Thing(7));
    first.put(&mut store, &scope(), "b", Thing(1));
    first.begin();
    first.delete::<Thing>(&mut store, &Scope::new("0", "r"), "a");
    first.put(&mut store, &scope(), "c", Thing(100));
    assert_eq!(sum(&store), 101);
    first.undo_to(&mut store, 0);
    assert_eq!(sum(&store), 8);
    first.roll_back(&mut store);
    assert_eq!(sum(&store), 5);
}
