//! Small crates, with circles and without.

use std::collections::BTreeMap;

use super::circles_of;

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let files: BTreeMap<String, String> = files.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    circles_of(&files).expect("it is Rust")
}

#[test]
fn two_files_that_need_each_other_are_a_circle() {
    for (a, b) in [
        ("use crate::b::B; pub struct A;", "use crate::a::A; pub struct B;"),
        ("use super::b::B; pub struct A;", "pub fn b() -> super::a::A { crate::a::A }"),
        ("use crate::b; pub fn a() { b::b() }", "pub fn b() { other!(crate::a::a()) }"),
        ("use crate::{b::{self, c}, x}; pub fn a() { c() }", "use crate::a::*; pub fn c() {}"),
        ("pub use crate::b::B as A;", "pub struct B(Option<Vec<crate::a::C>>);"),
        ("pub fn a() { use crate::b::{B, c}; }", "mod inner { use super::super::a::a; }"),
    ] {
        let found = circles(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b)]);
        assert_eq!(found.len(), 1, "{a} | {b}: {found:?}");
    }
}

#[test]
fn names_handed_on_by_a_parent_count_where_they_are_defined() {
    let a = ("m/a.rs", "use super::B; pub struct A(B);");
    let parent = ("m/mod.rs", "mod a; mod b; pub use a::A; pub use b::B;");
    assert!(circles(&[("lib.rs", "mod m;"), parent, a, ("m/b.rs", "pub struct B;")]).is_empty());
    let found = circles(&[("lib.rs", "mod m;"), parent, a, ("m/b.rs", "pub struct B(Option<Box<super::A>>);")]);
    assert_eq!(found.len(), 1);
    assert!(found.iter().all(|it| it.contains("m/a.rs takes B from m/b.rs")), "{found:?}");
}

#[test]
fn a_module_is_its_file_and_those_below() {
    let child = ("m/a.rs", "use super::B; use crate::C; pub struct A(B, C);");
    let parent = ("m/mod.rs", "mod a; pub use a::A; pub struct B;");
    assert!(circles(&[("lib.rs", "mod m; pub use m::A; pub struct C;"), parent, child]).is_empty());
    // By way of another file it is a circle.
    let files = [
        ("lib.rs", "mod m; mod n;"),
        parent,
        ("m/a.rs", "use crate::n::N; pub struct A;"),
        ("n.rs", "use crate::m::B; pub struct N;"),
    ];
    assert_eq!(circles(&files).len(), 1);
}

#[test]
fn what_a_parent_hands_on_all_at_once_is_found_too() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::*; pub use b::*;"),
        ("a.rs", "use crate::B; pub struct A(B);"),
        ("b.rs", "pub struct B(Option<Box<crate::A>>);"),
    ];
    assert_eq!(circles(&files).len(), 1);
}

#[test]
fn longer_circles_are_one() {
    let files = [
        ("main.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c::C; pub struct B;"),
        ("c.rs", "use crate::a::A; pub struct C;"),
        ("d.rs", "use crate::a::A;"),
    ];
    let found = circles(&files);
    assert_eq!(found.len(), 1);
    assert!(found.iter().all(|it| it.starts_with("3 files") && !it.contains("d.rs")), "{found:?}");
}

#[test]
fn tests_other_crates_and_visibility_tie_nothing() {
    let files = [
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
        ("a.rs", "use crate::b::B; use other::a::X; pub struct A; #[cfg(test)] mod tests { use crate::b::*; }"),
        (
            "b.rs",
            "pub struct B; pub(in crate::a) fn b() { other::a(); B::a() } #[cfg(all(test, unix))] mod t { use crate::a::A; }",
        ),
    ];
    assert!(circles(&files).is_empty(), "{:?}", circles(&files));
}
