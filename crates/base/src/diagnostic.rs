//! What Neargate tells a user who got something wrong: a code, a place, a cause and a way out.

use std::fmt;

use serde::Serialize;

/// A stable code such as `NG-E0102`; its page is `docs/errors/NG-E0102.md`.
///
/// `NG-C` construct, `NG-T` template, `NG-K` check, `NG-P` provision, `NG-R` runtime, `NG-E` engine and command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// What was asked for will not happen.
    Error,
    /// It will happen, but probably not as meant.
    Warning,
    /// It will happen; the user should know this of it.
    Note,
}

/// One finding about the user's input or machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// How much it weighs.
    pub severity: Severity,
    /// Where: a construct path, `file:line:column`, or a logical id. Empty where there is no place to name.
    pub path: String,
    /// What was got and what was expected: lowercase, one line, values in backticks.
    pub message: String,
    /// Further facts, a line each.
    pub details: Vec<String>,
    /// What the user can do, a line each.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error without a place, details or hints yet.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path: String::new(),
            message: message.into(),
            details: vec![],
            hints: vec![],
        }
    }

    /// A warning without a place, details or hints yet.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Names the place.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds a way out.
    #[must_use]
    pub fn hint(mut self, line: impl Into<String>) -> Self {
        self.hints.push(line.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        write!(f, "{severity}[{}]: {}", self.code, self.message)?;
        if !self.path.is_empty() {
            write!(f, "\n  at {}", self.path)?;
        }
        for line in &self.details {
            write!(f, "\n  {line}")?;
        }
        if !self.hints.is_empty() {
            writeln!(f)?;
        }
        for line in &self.hints {
            write!(f, "\nhint: {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}
