//! One pass over an event's bytes that finds the rules it matches.
//!
//! Only what some rule asks about is looked at; everything else is skipped. The pass ends early once each field has
//! had its value, provided the rest of the event holds none of the rules' names again (a duplicated name keeps its
//! last value) and no escape that could spell one.
//!
//! When a name does come twice in an object, or a name with a dot reaches what nested objects could also hold, the
//! pass begins again, slowly: it first finds which values are superseded, then leaves those out.
//!
//! Invariant: no tree is built and nothing recurses; memory is one frame for each open object or array that a rule
//! asks about, and one entry for each value that a rule with several fields passed.

use std::cell::RefCell;

use crate::condition::Found;
use crate::condition::{Kind, Value};
use crate::error::EventError;
use crate::index::{Dotted, Index, NONE, Node, ROOT, WaitingField};
use crate::join::{self, Elements, Places, TooManySteps, WHOLE};
use crate::scan::{Broken, Scan, unescape};
use crate::superseded::superseded;
use crate::tail::Marks;

/// Room that matching works in, kept for the next event. Marks are valid when they bear the current number, so
/// nothing needs clearing.
#[derive(Default)]
pub(crate) struct Room {
    event: u32,
    object: u32,
    nodes: Vec<u32>,
    atoms: Vec<(u32, u32)>,
    rules: Vec<u32>,
    matched: Vec<u32>,
    /// Rules of which a branch took too many steps; some may have matched by another.
    undecided: Vec<u32>,
    candidates: Vec<u32>,
    hits: Vec<(u32, u32)>,
    elements: Elements,
    frames: Vec<Frame>,
    text: Vec<u8>,
    name: Vec<u8>,
    lower: Vec<u8>,
    superseded: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    node: u32,
    /// The innermost element around what this frame reads.
    element: u32,
    /// The array's number; `NONE` for an object.
    array: u32,
    /// For an object: its own number, to know names that come again.
    object: u32,
    /// Fields below that may still get a value; counted outside arrays only.
    open: u32,
    in_array: bool,
    /// The element was opened with this frame.
    owns_element: bool,
    first: bool,
}

/// Why a pass ended without an answer.
enum Stop {
    Event(EventError),
    /// A name came again, or holds a dot that matters.
    Slow,
}

impl From<EventError> for Stop {
    fn from(error: EventError) -> Self {
        Self::Event(error)
    }
}

/// The longest event whose room is kept for the next: well above the megabyte that EventBridge takes.
const EVENT_KEPT_MAX: usize = 4 << 20;

thread_local! {
    static ROOM: RefCell<Option<Box<Room>>> = const { RefCell::new(None) };
}

/// Calls `with` with the numbers of the rules that match `event`, and of those that could not be decided within
/// [`crate::JOIN_STEPS_MAX`].
pub(crate) fn with_matched<T>(
    index: &Index,
    event: &[u8],
    with: impl FnOnce(&[u32], &[u32]) -> T,
) -> Result<T, EventError> {
    let mut room = ROOM.with(|slot| slot.borrow_mut().take()).unwrap_or_default();
    let mut result = pass(index, event, &mut room, false);
    if matches!(result, Err(Stop::Slow)) {
        room.superseded.clear();
        result = match superseded(event, &mut room.superseded) {
            Ok(()) => pass(index, event, &mut room, true),
            Err(error) => Err(Stop::Event(error)),
        };
    }
    let result = match result {
        Ok(()) => {
            let Room { rules, undecided, event, .. } = &mut *room;
            undecided.retain(|rule| rules.get(*rule as usize) != Some(event));
            undecided.sort_unstable();
            undecided.dedup();
            Ok(with(&room.matched, &room.undecided))
        }
        Err(Stop::Event(error)) => Err(error),
        Err(Stop::Slow) => Err(EventError::Malformed(0)),
    };
    // What a huge event needed is not kept for the others.
    if event.len() <= EVENT_KEPT_MAX {
        ROOM.with(|slot| *slot.borrow_mut() = Some(room));
    }
    result
}

fn pass(index: &Index, event: &[u8], room: &mut Room, slow: bool) -> Result<(), Stop> {
    let (nodes, atoms, rules) = index.bounds();
    room.event = room.event.wrapping_add(1);
    if room.event == 0 || room.object > u32::MAX / 2 {
        (room.event, room.object) = (1, 0);
        room.nodes.clear();
        room.atoms.clear();
        room.rules.clear();
    }
    room.nodes.resize(room.nodes.len().max(nodes), 0);
    room.atoms.resize(room.atoms.len().max(atoms), (0, NONE));
    room.rules.resize(room.rules.len().max(rules), 0);
    room.matched.clear();
    room.undecided.clear();
    room.candidates.clear();
    room.hits.clear();
    room.elements.clear();
    room.frames.clear();
    let open = index.node(ROOT).map_or(0, |root| root.fields);
    let mut walk = Walk { index, room, scan: Scan::new(event), open, may_stop: !slow, slow };
    walk.event()?;
    walk.decide();
    Ok(())
}

struct Walk<'w> {
    index: &'w Index,
    room: &'w mut Room,
    scan: Scan<'w>,
    /// Fields that may still get a value.
    open: u32,
    may_stop: bool,
    slow: bool,
}

impl<'w> Walk<'w> {
    fn broken(&self) -> Stop {
        Stop::Event(EventError::Malformed(self.scan.pos))
    }

    fn event(&mut self) -> Result<(), Stop> {
        if self.scan.token() != Some(b'{') {
            return Err(EventError::NotAnObject.into());
        }
        let Some(root) = self.index.node(ROOT).filter(|root| root.fields > 0) else { return Ok(()) };
        self.value(root, ROOT, WHOLE, false, false)?;
        while let Some(&frame) = self.room.frames.last() {
            let Some(node) = self.index.node(frame.node) else { return Ok(()) };
            let done = if frame.array == NONE { self.member(&frame, node)? } else { self.item(&frame, node)? };
            if done {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes a comma unless the frame's first entry follows, or the closing bracket; true when it was closed.
    #[inline]
    fn separator(&mut self, first: bool, close: u8) -> Result<bool, Stop> {
        let Some(byte) = self.scan.token() else { return Err(self.broken()) };
        if byte == close {
            self.scan.pos += 1;
            return Ok(true);
        }
        if first {
            if let Some(frame) = self.room.frames.last_mut() {
                frame.first = false;
            }
        } else if byte == b',' {
            self.scan.pos += 1;
        } else {
            return Err(self.broken());
        }
        Ok(false)
    }

    /// Reads the members of an object up to and with the first that is asked about, or to the object's end. True when
    /// nothing that follows can matter.
    #[inline]
    fn member(&mut self, frame: &Frame, node: &'w Node) -> Result<bool, Stop> {
        let mut first = frame.first;
        let (id, child) = loop {
            if self.separator(first, b'}')? {
                return Ok(self.pop());
            }
            first = false;
            if self.scan.token() != Some(b'"') {
                return Err(self.broken());
            }
            let (raw, escaped) = self.scan.string().map_err(|Broken| self.broken())?;
            let child = if escaped {
                self.escaped_child(node, raw, frame.object)?
            } else {
                self.child(node, raw, frame.object)?
            };
            if self.scan.token() != Some(b':') {
                return Err(self.broken());
            }
            self.scan.pos += 1;
            self.scan.token();
            let child = child.filter(|_| !self.slow || self.room.superseded.binary_search(&self.scan.pos).is_err());
            if let Some((id, child)) = child.and_then(|id| Some((id, self.index.node(id)?))) {
                break (id, child);
            }
            self.scan.skip_value().map_err(|Broken| self.broken())?;
        };
        let pushed = self.value(child, id, frame.element, frame.in_array, false)?;
        Ok(!pushed && !frame.in_array && self.close(child.fields, child.fields))
    }

    fn escaped_child(&mut self, node: &Node, raw: &[u8], object: u32) -> Result<Option<u32>, Stop> {
        let mut name = std::mem::take(&mut self.room.name);
        name.clear();
        let read = unescape(raw, &mut name);
        let child = self.child(node, &name, object);
        self.room.name = name;
        read.map_err(|_| self.broken())?;
        child
    }

    /// The node that `name` leads to.
    #[inline]
    fn child(&mut self, node: &Node, name: &[u8], object: u32) -> Result<Option<u32>, Stop> {
        if self.slow {
            let mut at = None;
            for segment in name.split(|b| *b == b'.') {
                let from = at.map_or(Some(node), |id| self.index.node(id));
                at = from.and_then(|n| n.child(segment).ok().flatten());
                if at.is_none() {
                    break;
                }
            }
            return Ok(at);
        }
        let Some(child) = node.child(name).map_err(|Dotted| Stop::Slow)? else { return Ok(None) };
        match self.room.nodes.get_mut(child as usize) {
            Some(seen) if *seen != object => *seen = object,
            _ => return Err(Stop::Slow),
        }
        Ok(Some(child))
    }

    /// Reads one item of an array. True when nothing that follows can matter.
    #[inline]
    fn item(&mut self, frame: &Frame, node: &'w Node) -> Result<bool, Stop> {
        if self.separator(frame.first, b']')? {
            return Ok(self.pop());
        }
        self.scan.token();
        self.value(node, frame.node, frame.element, true, true)?;
        Ok(false)
    }

    /// Reads the value at the position, which stands at `node`. True when it opened a frame.
    #[inline]
    fn value(&mut self, node: &'w Node, id: u32, element: u32, in_array: bool, is_item: bool) -> Result<bool, Stop> {
        let byte = self.scan.peek();
        let asked = match byte {
            Some(b'{') => node.has_children(),
            Some(b'[') => true,
            _ => node.tests.is_some(),
        };
        if !asked {
            self.scan.skip_value().map_err(|Broken| self.broken())?;
            return Ok(false);
        }
        match byte {
            Some(b'{' | b'[') => {
                self.push(node, id, element, in_array, is_item, byte == Some(b'['));
                return Ok(true);
            }
            Some(b'"') => {
                let (raw, escaped) = self.scan.string().map_err(|Broken| self.broken())?;
                if escaped {
                    let mut text = std::mem::take(&mut self.room.text);
                    text.clear();
                    let read = unescape(raw, &mut text);
                    self.test(node, &Value::new(Kind::Text, &text), element);
                    self.room.text = text;
                    read.map_err(|_| self.broken())?;
                } else {
                    self.test(node, &Value::new(Kind::Text, raw), element);
                }
            }
            Some(b'-' | b'0'..=b'9') => {
                let text = self.scan.number().map_err(|Broken| self.broken())?;
                self.test(node, &Value::new(Kind::Number, text), element);
            }
            _ => {
                let text = self.scan.literal().map_err(|Broken| self.broken())?;
                self.test(node, &Value::new(Kind::Literal, text), element);
            }
        }
        Ok(false)
    }

    fn push(&mut self, node: &Node, id: u32, element: u32, in_array: bool, is_item: bool, is_array: bool) {
        let room = &mut *self.room;
        let around = room.frames.last().map_or(NONE, |frame| frame.array);
        let element = if is_item { room.elements.open(element, around) } else { element };
        let array = if is_array { room.elements.open_array() } else { NONE };
        room.object += 1;
        let open = if in_array || is_array { 0 } else { node.fields };
        room.frames.push(Frame {
            node: id,
            element,
            array,
            object: room.object,
            open,
            in_array,
            owns_element: is_item,
            first: true,
        });
        self.scan.pos += 1;
    }

    /// Leaves the innermost object or array. True when nothing that follows can matter.
    #[inline]
    fn pop(&mut self) -> bool {
        let Some(frame) = self.room.frames.pop() else { return true };
        if frame.owns_element {
            self.room.elements.close(frame.element);
        }
        if frame.array != NONE {
            self.room.elements.close_array(frame.array);
        }
        if frame.in_array {
            return false;
        }
        let fields = self.index.node(frame.node).map_or(0, |node| node.fields);
        self.close(fields, if frame.array == NONE { frame.open } else { fields })
    }

    /// Notes that a value outside arrays was read, below which `fields` fields lie, `still_open` of them not yet
    /// noted. True when nothing that follows can matter.
    #[inline]
    fn close(&mut self, fields: u32, still_open: u32) -> bool {
        if let Some(frame) = self.room.frames.last_mut() {
            frame.open = frame.open.saturating_sub(fields);
        }
        self.open = self.open.saturating_sub(still_open);
        if self.open > 0 || !self.may_stop {
            return false;
        }
        self.may_stop = false;
        // What is still open can only get another value through a name of an object that is still open.
        let mut marks = Marks::default();
        for frame in &self.room.frames {
            let Some(names) = self.index.node(frame.node).and_then(Node::names) else { return false };
            names.for_each(|name| marks.add(name));
        }
        marks.is_quiet(self.scan.rest())
    }

    /// Puts a value to all tests at `node`.
    #[inline]
    fn test(&mut self, node: &'w Node, value: &Value<'_>, element: u32) {
        let Some(tests) = &node.tests else { return };
        let index = self.index;
        let mut lower = std::mem::take(&mut self.room.lower);
        tests.find_passed(value, &mut lower, |found| match found {
            Found::Passed(id) => self.passed(id, element),
            Found::Ask(id) => {
                let Some(atom) = index.atoms.get(id) else { return };
                let known = self.room.atoms.get(id as usize).is_some_and(|(event, _)| *event == self.room.event);
                if (!known || atom.joined > 0) && atom.test.holds(value) {
                    self.passed(id, element);
                }
            }
        });
        self.room.lower = lower;
    }

    /// Notes that a test passed in `element`.
    fn passed(&mut self, id: u32, element: u32) {
        let Some(atom) = self.index.atoms.get(id) else { return };
        let room = &mut *self.room;
        let Some((event, first_hit)) = room.atoms.get_mut(id as usize) else { return };
        if *event != room.event {
            (*event, *first_hit) = (room.event, NONE);
            for &waiting in &atom.waiting {
                match self.index.branches.get(waiting) {
                    Some(branch) if branch.fields.len() > 1 => room.candidates.push(waiting),
                    Some(branch) => matched(&mut room.rules, &mut room.matched, room.event, branch.rule),
                    None => {}
                }
            }
        }
        if atom.joined > 0 {
            let known = room.hits.get(*first_hit as usize).is_some_and(|(last, _)| *last == element);
            if !known {
                room.hits.push((element, *first_hit));
                *first_hit = u32::try_from(room.hits.len() - 1).unwrap_or(NONE);
            }
        }
    }

    /// Decides the branches with several fields of which one has passed.
    fn decide(&mut self) {
        let mut candidates = std::mem::take(&mut self.room.candidates);
        candidates.sort_unstable();
        candidates.dedup();
        for &id in candidates.iter().chain(&self.index.always) {
            let Some(branch) = self.index.branches.get(id) else { continue };
            if self.room.rules.get(branch.rule as usize) == Some(&self.room.event) {
                continue;
            }
            let possible = |field: &WaitingField| {
                field.absent != NONE || field.atoms.iter().any(|atom| self.first_hit(*atom) != NONE)
            };
            if !branch.fields.iter().all(possible) {
                continue;
            }
            let places = |field: &WaitingField| {
                let present = (field.absent != NONE).then(|| self.places(&[field.absent]));
                Places { passed: self.places(&field.atoms), present }
            };
            let places: Vec<Places> = branch.fields.iter().map(places).collect();
            let room = &mut *self.room;
            match join::consistent(&room.elements, &places) {
                Ok(true) => matched(&mut room.rules, &mut room.matched, room.event, branch.rule),
                Ok(false) => {}
                Err(TooManySteps) => room.undecided.push(branch.rule),
            }
        }
        self.room.candidates = candidates;
    }

    fn first_hit(&self, atom: u32) -> u32 {
        self.room
            .atoms
            .get(atom as usize)
            .filter(|(event, _)| *event == self.room.event)
            .map_or(NONE, |(_, first)| *first)
    }

    fn places(&self, atoms: &[u32]) -> Vec<u32> {
        let mut places = Vec::new();
        for atom in atoms {
            let mut at = self.first_hit(*atom);
            while let Some((element, next)) = self.room.hits.get(at as usize) {
                places.push(*element);
                at = *next;
            }
        }
        places.sort_unstable();
        places.dedup();
        places
    }
}

fn matched(rules: &mut [u32], list: &mut Vec<u32>, event: u32, rule: u32) {
    if let Some(mark) = rules.get_mut(rule as usize)
        && *mark != event
    {
        *mark = event;
        list.push(rule);
    }
}
