//! As much XML as AWS speaks: elements and text, written and read.
//!
//! Comments, processing instructions and document types are read over. Prefixes of elements' names are dropped.
//!
//! Invariant: nesting is bounded while reading, so nothing that recurses over an [`Element`] can exhaust the stack.

use std::fmt;

const DEPTH_MAX: usize = 128;

/// An element with its text and children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// The name without its prefix.
    pub name: String,
    /// The attributes with their names as written, declarations of namespaces left out.
    pub attributes: Vec<(String, String)>,
    /// The text directly inside, all of it in one piece.
    pub text: String,
    /// The elements inside, in order.
    pub children: Vec<Element>,
}

/// The text is no XML, or XML of a kind that AWS does not send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlError(pub String);

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for XmlError {}

impl Element {
    /// Reads the root element of a document.
    ///
    /// # Errors
    /// Where the text is not well-formed, or nested more than 128 deep.
    pub fn parse(text: &str) -> Result<Self, XmlError> {
        let mut open: Vec<Self> = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('<') {
            let (before, after) = rest.split_at(at);
            if let Some(element) = open.last_mut() {
                unescape(before, &mut element.text)?;
            }
            if let Some(data) = after.strip_prefix("<![CDATA[") {
                let (data, after) = until(data, "]]>")?;
                open.last_mut()
                    .ok_or_else(|| XmlError("text outside the root element".to_owned()))?
                    .text
                    .push_str(data);
                rest = after;
            } else if let Some(comment) = after.strip_prefix("<!--") {
                rest = until(comment, "-->")?.1;
            } else if after.starts_with("<?") || after.starts_with("<!") {
                rest = until(after, ">")?.1;
            } else if let Some(closing) = after.strip_prefix("</") {
                let (name, after) = until(closing, ">")?;
                rest = after;
                let element = open.pop().filter(|element| element.name == local(name.trim()));
                let element = element.ok_or_else(|| XmlError(format!("`</{name}>` closes nothing")))?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Ok(element),
                }
            } else {
                let (tag, empty, after) = opening(after)?;
                rest = after;
                let (name, more) = tag.split_once(|letter: char| letter.is_ascii_whitespace()).unwrap_or((tag, ""));
                let attributes = attributes(more)?;
                let element = Self { name: local(name).to_owned(), attributes, ..Self::default() };
                match open.last_mut() {
                    Some(parent) if empty => parent.children.push(element),
                    None if empty => return Ok(element),
                    _ => open.push(element),
                }
                if open.len() > DEPTH_MAX {
                    return Err(XmlError(format!("nested more than {DEPTH_MAX} deep")));
                }
            }
        }
        Err(XmlError("the document ends before its root element does".to_owned()))
    }

    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The attribute of that name, whatever its prefix is.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(written, _)| local(written) == local(name));
        found.map(|(_, text)| text.as_str())
    }

    /// The first element of that name here or below.
    pub fn descendant(&self, name: &str) -> Option<&Self> {
        if self.name == name { Some(self) } else { self.children.iter().find_map(|child| child.descendant(name)) }
    }
}

/// The attributes of a tag.
fn attributes(text: &str) -> Result<Vec<(String, String)>, XmlError> {
    let mut found = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let malformed = || XmlError("an attribute without a value in quotes".to_owned());
        let (name, after) = rest.split_once('=').ok_or_else(malformed)?;
        let after = after.trim_ascii_start();
        let quote = after.chars().next().filter(|letter| matches!(letter, '"' | '\'')).ok_or_else(malformed)?;
        let (value, after) = after.get(1..).unwrap_or_default().split_once(quote).ok_or_else(malformed)?;
        rest = after.trim_ascii_start();
        let name = name.trim_ascii_end();
        if name != "xmlns" && !name.starts_with("xmlns:") {
            let mut text = String::new();
            unescape(value, &mut text)?;
            found.push((name.to_owned(), text));
        }
    }
    Ok(found)
}

/// Takes an opening tag apart: what is in it, whether it is also the closing one, and what follows.
fn opening(text: &str) -> Result<(&str, bool, &str), XmlError> {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (None, '>') => {
                let (tag, after) = (text.get(1..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
                let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
                return if tag.is_empty() || tag.starts_with(|letter: char| letter.is_ascii_whitespace()) {
                    Err(XmlError("an element without a name".to_owned()))
                } else {
                    Ok((tag, empty, after))
                };
            }
            _ => {}
        }
    }
    Err(XmlError("a tag without an end".to_owned()))
}

fn until<'a>(text: &'a str, end: &str) -> Result<(&'a str, &'a str), XmlError> {
    text.split_once(end).ok_or_else(|| XmlError(format!("expected `{end}`")))
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn unescape(text: &str, into: &mut String) -> Result<(), XmlError> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        into.push_str(before);
        let (entity, after) = until(after, ";")?;
        rest = after;
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let letter = match entity {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match entity.strip_prefix('#') {
                Some(digits) => {
                    digits.strip_prefix(['x', 'X']).map_or_else(|| number(digits, 10), |digits| number(digits, 16))
                }
                None => None,
            },
        };
        into.push(letter.ok_or_else(|| XmlError(format!("unknown entity `&{entity};`")))?);
    }
    into.push_str(rest);
    Ok(())
}

/// Writes XML.
#[derive(Debug, Default)]
pub(crate) struct Writer(String);

impl Writer {
    /// Opens an element; attributes as they are to appear.
    pub(crate) fn open(&mut self, name: &str, attributes: &str) {
        self.0.extend(["<", name, if attributes.is_empty() { "" } else { " " }, attributes, ">"]);
    }

    /// Closes an element.
    pub(crate) fn close(&mut self, name: &str) {
        self.0.extend(["</", name, ">"]);
    }

    /// An element with nothing but text.
    pub(crate) fn leaf(&mut self, name: &str, text: &str) {
        self.open(name, "");
        self.text(text);
        self.close(name);
    }

    /// Text that is XML already.
    pub(crate) fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// Text. Characters that XML 1.0 cannot carry become U+FFFD.
    pub(crate) fn text(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\r' => self.0.push_str("&#xD;"),
                '\t' | '\n' => self.0.push(letter),
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.0.push('\u{fffd}'),
                _ => self.0.push(letter),
            }
        }
    }

    /// The document.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::{Element, Writer};

    #[test]
    fn text_survives_writing_and_reading() {
        for text in ["", "a & b < c > d", "]]>", "line\r\nline\ttab", "\"quoted\" 'too'", "ü😀"] {
            let mut writer = Writer::default();
            writer.leaf("A", text);
            let written = String::from_utf8(writer.finish()).unwrap();
            assert_eq!(Element::parse(&written).unwrap().text, text, "{written}");
        }
    }

    #[test]
    fn prologue_attributes_comments_and_cdata_are_read_over() {
        let text =
            r#"<?xml version="1.0"?><!-- x --><a:R xmlns="u>v"><B i='>'/><C><![CDATA[<&]]>&#65;&#x42;</C></a:R>"#;
        let root = Element::parse(text).unwrap();
        assert_eq!((root.name.as_str(), root.children.len()), ("R", 2));
        assert_eq!(root.child("C").unwrap().text, "<&AB");
    }

    #[test]
    fn attributes_are_read_by_their_names_without_prefix() {
        let text = r#"<G xmlns:xsi="http://x" xsi:type = 'a &amp; "b"' c="" ><D/></G>"#;
        let root = Element::parse(text).unwrap();
        assert_eq!((root.attribute("xsi:type"), root.attribute("c")), (Some("a & \"b\""), Some("")));
        assert_eq!((root.attributes.len(), root.children.len()), (2, 1));
    }

    #[test]
    fn what_is_not_well_formed_or_too_deep_is_refused() {
        for text in [
            "",
            "<A>",
            "<A></B>",
            "</A>",
            "<A>&x;</A>",
            "<A",
            "< >",
            "<A b>",
            "<A b=c/>",
            "<A b='c/>",
            &"<A>".repeat(100_000),
        ] {
            assert!(Element::parse(text).is_err(), "{}", text.chars().take(20).collect::<String>());
        }
    }
}
