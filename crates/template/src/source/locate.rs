//! Where in the text a path of the tree lies. Built on demand: only a template with findings pays for it.
//!
//! JSON is read as YAML here too; where that fails the positions up to the failure are still good.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, Span, StrInput, Tag};

use super::yaml::long_key;
use crate::trail::Trail;

/// Line and column, from one, of every path in a text.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    places: BTreeMap<String, (usize, usize)>,
}

impl Positions {
    /// Indexes the text as far as it can be read.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut walk = Walk { parser: Parser::new_from_str(text), trail: Trail::default(), positions: Self::default() };
        while let Some((event, span)) = walk.next() {
            if matches!(event, Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..)) {
                walk.node(&event, &span, 1);
            }
        }
        walk.positions
    }

    /// The place of a path, or of its nearest ancestor that the text has.
    pub(crate) fn find(&self, path: &str) -> Option<(usize, usize)> {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return Some(*place);
            }
            path = path.get(..path.rfind(['.', '['])?)?;
        }
    }
}

/// Line and column, from one, of a path such as `Resources.Queue.Properties` in a template's text, or of its nearest
/// ancestor that the text has.
pub fn locate(text: &str, path: &str) -> Option<(usize, usize)> {
    Positions::of(text).find(path)
}

struct Walk<'a> {
    parser: Parser<'a, StrInput<'a>>,
    trail: Trail,
    positions: Positions,
}

impl<'a> Walk<'a> {
    fn next(&mut self) -> Option<(Event<'a>, Span)> {
        self.parser.next_event()?.ok().filter(|(event, _)| *event != Event::StreamEnd)
    }

    fn mark(&mut self, span: &Span) {
        let place = (span.start.line(), span.start.col() + 1);
        self.positions.places.entry(self.trail.path().to_owned()).or_insert(place);
    }

    /// Walks one node; `None` where the text ended or is too deep.
    fn node(&mut self, event: &Event<'a>, span: &Span, depth: usize) -> Option<()> {
        if depth > super::DEPTH_MAX {
            return None;
        }
        self.mark(span);
        let enter = |walk: &mut Self, tag: Option<&Tag>| {
            let before = walk.trail.mark();
            if let Some(key) = tag.and_then(long_key) {
                walk.trail.key(&key);
                walk.mark(span);
            }
            before
        };
        match event {
            Event::Scalar(_, _, _, tag) => {
                let before = enter(self, tag.as_deref());
                self.trail.back(before);
            }
            Event::SequenceStart(_, tag) => {
                let before = enter(self, tag.as_deref());
                let mut index = 0;
                loop {
                    let (event, span) = self.next()?;
                    if event == Event::SequenceEnd {
                        break;
                    }
                    let inside = self.trail.mark();
                    self.trail.index(index);
                    self.node(&event, &span, depth + 1)?;
                    self.trail.back(inside);
                    index += 1;
                }
                self.trail.back(before);
            }
            Event::MappingStart(_, tag) => {
                let before = enter(self, tag.as_deref());
                loop {
                    let (event, span) = self.next()?;
                    let Event::Scalar(key, ..) = event else { break };
                    let inside = self.trail.mark();
                    self.trail.key(&key);
                    self.mark(&span);
                    let (event, span) = self.next()?;
                    self.node(&event, &span, depth + 1)?;
                    self.trail.back(inside);
                }
                self.trail.back(before);
            }
            _ => {}
        }
        Some(())
    }
}
