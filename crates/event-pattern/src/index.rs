//! All rules in one automaton: a trie of field names, at its nodes the tests made on that field, and for each test the
//! branches that wait for it.
//!
//! A branch waits at one of its fields only, the one whose tests are shared by fewest other branches; its other fields
//! are looked at when that one has passed. So a value shared by every rule (`"source": ["aws.ec2"]`) costs no more
//! than a rare one, as long as the rules differ somewhere.
//!
//! Invariant: adding or removing a rule costs what its pattern is long, whatever else is in the index. An `exists`
//! test stands at every field of which some branch accepts the absence.

use crate::branch::{Branch, Field};
use crate::condition::Test;
use crate::condition::Tests;
use crate::condition::{Condition, View};
use crate::hash::Map;
use crate::slab::Slab;

/// No number.
pub(crate) const NONE: u32 = u32::MAX;
/// The trie's root.
pub(crate) const ROOT: u32 = 0;
/// Children a node keeps in a list before it makes a table.
const LISTED_MAX: usize = 8;

#[derive(Debug, Clone)]
pub(crate) struct Index {
    nodes: Slab<Node>,
    pub(crate) atoms: Slab<Atom>,
    pub(crate) branches: Slab<Waiting>,
    rules: Slab<Box<[u32]>>,
    /// Branches that can match with no value at all.
    pub(crate) always: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    parent: u32,
    name: Box<[u8]>,
    listed: Vec<(Box<[u8]>, u32)>,
    table: Option<Box<Map<Box<[u8]>, u32>>>,
    pub(crate) tests: Option<Box<Tests>>,
    /// Fields at this node and below.
    pub(crate) fields: u32,
}

/// A name that reaches deeper than one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dotted;

/// A test on a field, shared by all branches that make it.
#[derive(Debug, Clone)]
pub(crate) struct Atom {
    pub(crate) test: Test,
    node: u32,
    uses: u32,
    /// Uses by branches that need to know where in the event the test passed: all but those of one sure field.
    pub(crate) joined: u32,
    pub(crate) waiting: Vec<u32>,
}

/// A branch as it waits in the index.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) rule: u32,
    pub(crate) fields: Box<[WaitingField]>,
    /// The field it waits at, or `NONE` when it is among `always`.
    pivot: u32,
    /// Its places in the lists of the pivot's atoms (or in `always`).
    places: Box<[u32]>,
}

#[derive(Debug, Clone)]
pub(crate) struct WaitingField {
    pub(crate) atoms: Box<[u32]>,
    /// The field's `exists` atom when its absence is accepted, else `NONE`.
    pub(crate) absent: u32,
}

impl Default for Index {
    fn default() -> Self {
        let mut nodes = Slab::default();
        nodes.insert(Node::new(NONE, b""));
        Self { nodes, atoms: Slab::default(), branches: Slab::default(), rules: Slab::default(), always: Vec::new() }
    }
}

impl Node {
    fn new(parent: u32, name: &[u8]) -> Self {
        Self { parent, name: name.into(), listed: Vec::new(), table: None, tests: None, fields: 0 }
    }

    /// The child of that name; an error when there is none, but one whose name and a dot begin `name`.
    #[inline]
    pub(crate) fn child(&self, name: &[u8]) -> Result<Option<u32>, Dotted> {
        let Some(table) = &self.table else {
            let mut dotted = false;
            for (own, id) in &self.listed {
                match name.get(own.len()) {
                    None if own.len() == name.len() && own.first() == name.first() && **own == *name => {
                        return Ok(Some(*id));
                    }
                    Some(b'.') => dotted |= name.starts_with(own),
                    _ => {}
                }
            }
            return if dotted { Err(Dotted) } else { Ok(None) };
        };
        if let Some(id) = table.get(name) {
            return Ok(Some(*id));
        }
        let head = name.iter().position(|b| *b == b'.').and_then(|dot| name.get(..dot));
        if head.is_some_and(|head| table.contains_key(head)) { Err(Dotted) } else { Ok(None) }
    }

    pub(crate) fn has_children(&self) -> bool {
        !self.listed.is_empty() || self.table.as_ref().is_some_and(|t| !t.is_empty())
    }

    /// The names of the children, when they are few.
    pub(crate) fn names(&self) -> Option<impl Iterator<Item = &[u8]>> {
        self.table.is_none().then(|| self.listed.iter().map(|(name, _)| &**name))
    }

    fn add_child(&mut self, name: &[u8], id: u32) {
        if let Some(table) = &mut self.table {
            table.insert(name.into(), id);
            return;
        }
        self.listed.push((name.into(), id));
        if self.listed.len() > LISTED_MAX {
            self.table = Some(Box::new(self.listed.drain(..).collect()));
        }
    }

    fn remove_child(&mut self, name: &[u8]) {
        self.listed.retain(|(own, _)| **own != *name);
        if let Some(table) = &mut self.table {
            table.remove(name);
        }
    }
}

/// How rarely a test is expected to pass; lower is rarer.
fn weight(condition: &Condition) -> usize {
    match condition {
        Condition::Exact(_) | Condition::AsciiFold(_) | Condition::Fold(_) => 0,
        Condition::Number(_) => 1,
        Condition::Literal(text) if text.len() > 5 => 0,
        Condition::Exists | Condition::AnythingBut(_) => 1 << 20,
        Condition::Range(_) => 1 << 10,
        _ => 1 << 6,
    }
}

impl Index {
    #[inline]
    pub(crate) fn node(&self, id: u32) -> Option<&Node> {
        self.nodes.get(id)
    }

    pub(crate) fn bounds(&self) -> (usize, usize, usize) {
        (self.nodes.bound(), self.atoms.bound(), self.rules.bound())
    }

    /// Adds a rule and returns its number.
    pub(crate) fn add(&mut self, branches: &[Branch]) -> u32 {
        let rule = self.rules.insert(Box::default());
        let ids: Box<[u32]> = branches.iter().map(|branch| self.add_branch(rule, branch)).collect();
        if let Some(slot) = self.rules.get_mut(rule) {
            *slot = ids;
        }
        rule
    }

    /// Removes a rule.
    pub(crate) fn remove(&mut self, rule: u32) {
        for branch in self.rules.remove(rule).unwrap_or_default() {
            self.remove_branch(branch);
        }
    }

    fn add_branch(&mut self, rule: u32, branch: &Branch) -> u32 {
        let joined = u32::from(branch.fields.len() > 1 || branch.fields.iter().any(|f| f.absent));
        let fields: Box<[WaitingField]> = branch.fields.iter().map(|field| self.add_field(field, joined)).collect();
        let pivot = self.pivot(&fields);
        let id = self.branches.insert(Waiting { rule, fields, pivot, places: Box::default() });
        let atoms: Vec<u32> = self.branches.get(id).map(Waiting::pivot_atoms).unwrap_or_default().to_vec();
        let mut places = Vec::with_capacity(atoms.len().max(1));
        let mut wait = |list: &mut Vec<u32>| {
            places.push(u32::try_from(list.len()).unwrap_or(NONE));
            list.push(id);
        };
        if pivot == NONE {
            wait(&mut self.always);
        }
        for atom in atoms {
            if let Some(atom) = self.atoms.get_mut(atom) {
                wait(&mut atom.waiting);
            }
        }
        if let Some(waiting) = self.branches.get_mut(id) {
            waiting.places = places.into();
        }
        id
    }

    fn add_field(&mut self, field: &Field, joined: u32) -> WaitingField {
        let node = self.node_for(&field.name);
        let atoms = field.tests.iter().map(|test| self.atom_for(node, test, joined)).collect();
        let exists = Test { condition: Condition::Exists, view: View::default() };
        let absent = if field.absent { self.atom_for(node, &exists, joined) } else { NONE };
        WaitingField { atoms, absent }
    }

    fn pivot(&self, fields: &[WaitingField]) -> u32 {
        let load = |atom: &u32| self.atoms.get(*atom).map_or(0, |a| a.waiting.len() + weight(&a.test.condition));
        let sure = fields.iter().enumerate().filter(|(_, field)| field.absent == NONE);
        sure.min_by_key(|(_, field)| field.atoms.iter().map(load).max().unwrap_or(0))
            .map_or(NONE, |(at, _)| u32::try_from(at).unwrap_or(NONE))
    }

    fn remove_branch(&mut self, id: u32) {
        let Some(branch) = self.branches.remove(id) else { return };
        if branch.pivot == NONE {
            let place = branch.places.first().copied().unwrap_or(NONE);
            if let Some(moved) = take(&mut self.always, place) {
                self.moved(moved, NONE, place);
            }
        }
        for (&atom, &place) in branch.pivot_atoms().iter().zip(&*branch.places) {
            let moved = self.atoms.get_mut(atom).and_then(|a| take(&mut a.waiting, place));
            if let Some(moved) = moved {
                self.moved(moved, atom, place);
            }
        }
        let joined = u32::from(branch.fields.len() > 1 || branch.fields.iter().any(|f| f.absent != NONE));
        for field in &*branch.fields {
            for &atom in &*field.atoms {
                self.release(atom, joined);
            }
            if field.absent != NONE {
                self.release(field.absent, joined);
            }
        }
    }

    /// Notes that `branch` now stands at `place` in the list of `atom` (`NONE`: in `always`).
    fn moved(&mut self, branch: u32, atom: u32, place: u32) {
        let Some(waiting) = self.branches.get_mut(branch) else { return };
        let at = waiting.pivot_atoms().iter().position(|a| *a == atom).unwrap_or(0);
        if let Some(slot) = waiting.places.get_mut(at) {
            *slot = place;
        }
    }

    fn atom_for(&mut self, node: u32, test: &Test, joined: u32) -> u32 {
        let known = self.nodes.get(node).and_then(|n| n.tests.as_ref()).and_then(|tests| tests.find(test));
        let id = known.unwrap_or_else(|| {
            self.atoms.insert(Atom { test: test.clone(), node, uses: 0, joined: 0, waiting: Vec::new() })
        });
        if let Some(atom) = self.atoms.get_mut(id) {
            atom.uses += 1;
            atom.joined += joined;
        }
        if known.is_none() {
            let fresh = self.nodes.get(node).is_some_and(|n| n.tests.is_none());
            if let Some(n) = self.nodes.get_mut(node) {
                n.tests.get_or_insert_default().insert(test, id);
            }
            if fresh {
                self.count_field(node, true);
            }
        }
        id
    }

    fn release(&mut self, id: u32, joined: u32) {
        let Some(atom) = self.atoms.get_mut(id) else { return };
        atom.uses -= 1;
        atom.joined -= joined;
        if atom.uses > 0 {
            return;
        }
        let Some(atom) = self.atoms.remove(id) else { return };
        let Some(node) = self.nodes.get_mut(atom.node) else { return };
        let Some(tests) = &mut node.tests else { return };
        tests.remove(&atom.test, id);
        if tests.len == 0 {
            node.tests = None;
            self.count_field(atom.node, false);
            self.prune(atom.node);
        }
    }

    fn count_field(&mut self, mut node: u32, more: bool) {
        while let Some(n) = self.nodes.get_mut(node) {
            n.fields = if more { n.fields + 1 } else { n.fields - 1 };
            node = n.parent;
        }
    }

    fn node_for(&mut self, name: &str) -> u32 {
        let mut node = ROOT;
        for segment in name.as_bytes().split(|b| *b == b'.') {
            node = match self.nodes.get(node).and_then(|n| n.child(segment).ok().flatten()) {
                Some(child) => child,
                None => {
                    let child = self.nodes.insert(Node::new(node, segment));
                    if let Some(parent) = self.nodes.get_mut(node) {
                        parent.add_child(segment, child);
                    }
                    child
                }
            };
        }
        node
    }

    fn prune(&mut self, mut node: u32) {
        while node != ROOT {
            let Some(n) = self.nodes.get(node) else { return };
            if n.tests.is_some() || n.has_children() {
                return;
            }
            let Some(gone) = self.nodes.remove(node) else { return };
            if let Some(parent) = self.nodes.get_mut(gone.parent) {
                parent.remove_child(&gone.name);
            }
            node = gone.parent;
        }
    }
}

impl Waiting {
    fn pivot_atoms(&self) -> &[u32] {
        self.fields.get(self.pivot as usize).map_or(&[], |field| &field.atoms)
    }
}

/// Takes the entry at `place` out of a list; returns the entry that took its place, if another did.
fn take(list: &mut Vec<u32>, place: u32) -> Option<u32> {
    let place = place as usize;
    if place < list.len() {
        list.swap_remove(place);
    }
    list.get(place).copied()
}
