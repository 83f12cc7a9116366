//! Yes, no, or not known.

use std::collections::BTreeSet;

/// Whether something holds of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It depends on these condition keys, whose values the evaluator does not have although AWS would.
    Unknown(BTreeSet<String>),
}

impl Truth {
    /// That one condition key is not known.
    pub fn unknown(key: &str) -> Self {
        Self::Unknown(BTreeSet::from([key.to_owned()]))
    }

    /// The opposite; what is not known stays so.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }

    /// The opposite where `negated`.
    #[must_use]
    pub fn not_if(self, negated: bool) -> Self {
        if negated { self.negated() } else { self }
    }

    /// Whether any holds: not known where none does for certain and one may.
    pub fn any(all: impl IntoIterator<Item = Self>) -> Self {
        let mut keys = BTreeSet::new();
        for truth in all {
            match truth {
                Self::Yes => return Self::Yes,
                Self::No => {}
                Self::Unknown(more) => keys.extend(more),
            }
        }
        if keys.is_empty() { Self::No } else { Self::Unknown(keys) }
    }

    /// Whether all hold: not known where all may and one is not certain.
    pub fn all(all: impl IntoIterator<Item = Self>) -> Self {
        Self::any(all.into_iter().map(Self::negated)).negated()
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}
