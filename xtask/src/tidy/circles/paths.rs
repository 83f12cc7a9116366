//! The paths (`a::b::c`) in a stream of tokens, macros' arguments and bodies included.
//!
//! Invariant: what stands behind `$crate` or in `pub(in …)` is not a path that the file itself takes.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path, segment by segment; the last is `*` where everything is taken.
pub(super) type Segments = Vec<String>;

/// Every path of more than one segment.
pub(super) fn paths(tokens: TokenStream) -> Vec<Segments> {
    let mut found = vec![];
    walk(&tokens.into_iter().collect::<Vec<_>>(), &mut found);
    found
}

fn walk(tokens: &[TokenTree], found: &mut Vec<Segments>) {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Ident(name) if name == "pub" && is_restriction(tokens.get(at + 1)) => at += 2,
            TokenTree::Ident(name) if !follows_a_dollar(tokens, at) => {
                at = path(&[name.to_string()], tokens, at + 1, found);
            }
            // Its segments are skipped with it.
            TokenTree::Ident(_) => at = path(&[], tokens, at + 1, &mut vec![]),
            TokenTree::Group(group) => {
                walk(&group.stream().into_iter().collect::<Vec<_>>(), found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Reads on behind a path's first segment; answers where the path ends.
fn path(first: &[String], tokens: &[TokenTree], mut at: usize, found: &mut Vec<Segments>) -> usize {
    let mut segments = first.to_vec();
    while is_separator(tokens, at) {
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(name)) => segments.push(name.to_string()),
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => segments.push("*".to_owned()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                branches(&segments, &group.stream().into_iter().collect::<Vec<_>>(), found);
                return at + 3;
            }
            _ => break,
        }
        at += 3;
    }
    if segments.len() > 1 {
        found.push(segments);
    }
    at
}

/// The branches of `prefix::{…}`.
fn branches(prefix: &[String], tokens: &[TokenTree], found: &mut Vec<Segments>) {
    for branch in tokens.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',')) {
        let first = match branch.first() {
            Some(TokenTree::Ident(name)) if name == "self" => {
                found.push(prefix.to_vec());
                continue;
            }
            Some(TokenTree::Ident(name)) => name.to_string(),
            Some(TokenTree::Punct(_)) => "*".to_owned(),
            _ => continue,
        };
        path(&[prefix, &[first]].concat(), branch, 1, found);
    }
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}

fn follows_a_dollar(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    matches!(before, Some(TokenTree::Punct(punct)) if punct.as_char() == '$')
}

/// `(in some::path)` behind `pub`.
fn is_restriction(token: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = token else { return false };
    matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(name)) if name == "in")
}
