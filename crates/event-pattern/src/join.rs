//! Array consistency: whether values for all fields of a branch can be chosen so that, of each array in the event,
//! they lie in one element.
//!
//! Only elements that are objects or arrays bind; a scalar right in an array may go with any other. `exists: false`
//! holds when no value of the field is consistent with what the fields before it have chosen.
//!
//! Fields are taken in order, keeping the set of distinct choices of elements made so far, and forgetting every array
//! that no later field has values in. Elements are numbered as they appear, so all that lies below one is a range of
//! numbers, and of an array in which another element is already chosen the whole rest is leapt over.
//!
//! Invariant: ordinary events (no dotted names that reach into the same object twice) cost about
//! `(choices + values) × depth` steps a field; nothing costs more than [`STEPS_MAX`] steps a branch.

use std::collections::BTreeMap;

/// Most steps spent on one branch for one event: about 0.15 s and 100 MB. An event of a megabyte without dotted names takes
/// less than a quarter of them.
pub const STEPS_MAX: usize = 4_000_000;

/// A branch would take more than [`STEPS_MAX`] steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManySteps;

/// The element that is the whole event.
pub(crate) const WHOLE: u32 = 0;

/// The elements (objects and arrays inside arrays) of an event in which values were looked at.
#[derive(Debug, Default)]
pub(crate) struct Elements {
    elements: Vec<Element>,
    /// The last element of each array, with all that lies below.
    array_ends: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Element {
    parent: u32,
    array: u32,
    /// The last element that lies below, or itself.
    end: u32,
}

impl Elements {
    pub(crate) fn clear(&mut self) {
        self.elements.clear();
        self.array_ends.clear();
        self.elements.push(Element { parent: WHOLE, array: u32::MAX, end: u32::MAX });
    }

    fn last(&self) -> u32 {
        u32::try_from(self.elements.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    pub(crate) fn open_array(&mut self) -> u32 {
        self.array_ends.push(u32::MAX);
        u32::try_from(self.array_ends.len() - 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn close_array(&mut self, array: u32) {
        let last = self.last();
        if let Some(end) = self.array_ends.get_mut(array as usize) {
            *end = last;
        }
    }

    pub(crate) fn open(&mut self, parent: u32, array: u32) -> u32 {
        self.elements.push(Element { parent, array, end: u32::MAX });
        self.last()
    }

    pub(crate) fn close(&mut self, element: u32) {
        let last = self.last();
        if let Some(element) = self.elements.get_mut(element as usize) {
            element.end = last;
        }
    }

    /// `(array, element)` for each array that `element` lies in, innermost first.
    fn chain(&self, element: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let mut at = element;
        std::iter::from_fn(move || {
            if at == WHOLE {
                return None;
            }
            let element = self.elements.get(at as usize)?;
            let link = (element.array, at);
            at = element.parent;
            Some(link)
        })
    }

    fn end(&self, element: u32) -> u32 {
        self.elements.get(element as usize).map_or(u32::MAX, |e| e.end)
    }

    fn array_end(&self, array: u32) -> u32 {
        self.array_ends.get(array as usize).copied().unwrap_or(u32::MAX)
    }
}

/// Where a field's tests passed, and where it is present if its absence would do.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Distinct elements in rising order.
    pub(crate) passed: Vec<u32>,
    pub(crate) present: Option<Vec<u32>>,
}

/// The element chosen in each array, in rising order of arrays.
type Choice = Vec<(u32, u32)>;

/// Whether all fields can be satisfied together.
pub(crate) fn consistent(elements: &Elements, fields: &[Places]) -> Result<bool, TooManySteps> {
    let free = |f: &Places| f.passed.first() == Some(&WHOLE) || f.present.as_ref().is_some_and(Vec::is_empty);
    if fields.iter().all(free) {
        return Ok(true);
    }
    if fields.iter().any(|f| f.passed.is_empty() && f.present.is_none()) {
        return Ok(false);
    }
    let mut join = Join { elements, last_use: BTreeMap::new(), steps: 0 };
    for (at, field) in fields.iter().enumerate() {
        for &element in field.passed.iter().chain(field.present.iter().flatten()) {
            for (array, _) in elements.chain(element) {
                join.last_use.insert(array, at);
                join.step()?;
            }
        }
    }
    let mut choices: Vec<Choice> = vec![Choice::new()];
    for (at, field) in fields.iter().enumerate() {
        let absence_follows = fields.iter().skip(at + 1).any(|f| f.present.is_some());
        choices = join.extend(&choices, at, field, absence_follows)?;
        if choices.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Join<'e> {
    elements: &'e Elements,
    /// The last field with values in each array.
    last_use: BTreeMap<u32, usize>,
    steps: usize,
}

impl Join<'_> {
    fn step(&mut self) -> Result<(), TooManySteps> {
        self.steps += 1;
        if self.steps > STEPS_MAX { Err(TooManySteps) } else { Ok(()) }
    }

    fn extend(
        &mut self,
        choices: &[Choice],
        at: usize,
        field: &Places,
        absence_follows: bool,
    ) -> Result<Vec<Choice>, TooManySteps> {
        let mut next: Vec<Choice> = Vec::new();
        for choice in choices {
            if let Some(present) = &field.present {
                let mut any = false;
                self.each_consistent(choice, present, |_| {
                    any = true;
                    false
                })?;
                if !any {
                    next.push(self.kept(choice, at));
                }
            }
            if !absence_follows && field.passed.first() == Some(&WHOLE) {
                next.push(self.kept(choice, at));
                continue;
            }
            let mut found = Vec::new();
            self.each_consistent(choice, &field.passed, |element| {
                found.push(element);
                true
            })?;
            for element in found {
                let mut chosen = self.kept(choice, at);
                for link in self.elements.chain(element) {
                    self.step()?;
                    if self.is_kept(link.0, at)
                        && let Err(place) = chosen.binary_search_by_key(&link.0, |(array, _)| *array)
                    {
                        chosen.insert(place, link);
                    }
                }
                next.push(chosen);
            }
        }
        next.sort_unstable();
        next.dedup();
        if !absence_follows && next.first().is_some_and(Vec::is_empty) {
            next.truncate(1);
        }
        Ok(next)
    }

    fn is_kept(&self, array: u32, at: usize) -> bool {
        self.last_use.get(&array).is_some_and(|last| *last > at)
    }

    fn kept(&self, choice: &Choice, at: usize) -> Choice {
        choice.iter().copied().filter(|(array, _)| self.is_kept(*array, at)).collect()
    }

    /// Calls `take` with each of `places` that is consistent with `choice`, until it answers false.
    fn each_consistent(
        &mut self,
        choice: &Choice,
        places: &[u32],
        mut take: impl FnMut(u32) -> bool,
    ) -> Result<(), TooManySteps> {
        let mut at = 0;
        while let Some(&place) = places.get(at) {
            // The outermost array in which another element is chosen.
            let mut clash = None;
            for (array, element) in self.elements.chain(place) {
                self.step()?;
                if let Ok(known) = choice.binary_search_by_key(&array, |(array, _)| *array) {
                    let chosen = choice.get(known).map_or(element, |(_, chosen)| *chosen);
                    if chosen != element {
                        clash = Some((array, element, chosen));
                    }
                }
            }
            self.step()?;
            match clash {
                None if !take(place) => return Ok(()),
                None => at += 1,
                Some((_, element, chosen)) if chosen > element => {
                    at += places.get(at..).unwrap_or(&[]).partition_point(|p| *p < chosen).max(1);
                }
                Some((array, element, _)) => {
                    let end = self.elements.array_end(array).max(self.elements.end(element));
                    at += places.get(at..).unwrap_or(&[]).partition_point(|p| *p <= end).max(1);
                }
            }
        }
        Ok(())
    }
}
