//! What is wrong with a template, said twice: to our user as a diagnostic, to an AWS client as AWS says it.
//!
//! Invariant: every error finding has a text that a CloudFormation operation can answer as `ValidationError`.

use std::collections::BTreeSet;

use neargate_base::{Code, Diagnostic, Severity};

/// How long the names of resources and parameters may be.
const NAME_LENGTH_MAX: usize = 255;

/// One thing that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// For our own user.
    pub diagnostic: Diagnostic,
    /// For an AWS client.
    pub refusal: Refusal,
}

/// What AWS says of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A whole message.
    Text(String),
    /// A name that joins all others of its block in one message.
    Unresolved {
        /// The logical id that does not exist.
        name: String,
        /// `Resources` or `Outputs`.
        block: &'static str,
    },
    /// Nothing: AWS accepts it.
    Accepted,
}

impl Finding {
    /// An error with AWS's message.
    pub(crate) fn error(code: Code, message: impl Into<String>, aws: impl Into<String>) -> Self {
        Self { diagnostic: Diagnostic::error(code, message), refusal: Refusal::Text(aws.into()) }
    }

    /// Something AWS accepts and the user should know.
    pub(crate) fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { diagnostic: Diagnostic::warning(code, message), refusal: Refusal::Accepted }
    }

    pub(crate) fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.diagnostic.path);
        self
    }

    pub(crate) fn hint(mut self, line: impl Into<String>) -> Self {
        self.diagnostic.hints.push(line.into());
        self
    }

    /// Adds `did you mean` where a known name is near the given one.
    pub(crate) fn nearest<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, known) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

/// The one message with which CloudFormation refuses the template, if any finding is an error it would see.
pub fn validation_error(findings: &[Finding]) -> Option<String> {
    let errors = findings.iter().filter(|finding| finding.diagnostic.severity == Severity::Error);
    let first = errors.clone().find(|finding| finding.refusal != Refusal::Accepted)?;
    match &first.refusal {
        Refusal::Text(text) => Some(text.clone()),
        Refusal::Accepted => None,
        Refusal::Unresolved { block, .. } => {
            let names: BTreeSet<&str> = errors
                .filter_map(|finding| match &finding.refusal {
                    Refusal::Unresolved { name, block: other } if other == block => Some(name.as_str()),
                    _ => None,
                })
                .collect();
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            Some(format!(
                "Template format error: Unresolved resource dependencies [{names}] in the {block} block of the template"
            ))
        }
    }
}

/// The known name with the smallest edit distance, if that is at most a third of the name's length.
/// Names of one or two letters, and of more than [`NAME_LENGTH_MAX`], are near nothing.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let bound = length / 3;
    if length > NAME_LENGTH_MAX {
        return None;
    }
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in known.into_iter().filter(|candidate| candidate.len().abs_diff(name.len()) <= bound) {
        let distance = edit_distance(&name.to_lowercase(), &candidate.to_lowercase());
        if distance <= bound && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| name)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, above), above_left) in b.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            next.push((above_left + usize::from(x != *y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
