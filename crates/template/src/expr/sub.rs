//! The text of a `Fn::Sub`, taken apart.

/// A piece of the text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// `${!Name}`, which stands for `${Name}`.
    Escaped(&'a str),
    /// `${Name}` or `${Name.Attribute}`.
    Name(&'a str),
    /// `${…}` with something in it that is no name.
    Bad(&'a str),
}

/// The pieces in order. An unclosed `${` is text.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = vec![];
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("${") {
        let Some((name, after)) = inside.split_once('}') else { break };
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(match name.strip_prefix('!') {
            Some(escaped) => Piece::Escaped(escaped),
            None if is_name(name.trim()) => Piece::Name(name.trim()),
            None => Piece::Bad(name),
        });
        rest = after;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '_'))
}
