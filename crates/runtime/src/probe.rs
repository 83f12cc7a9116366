//! What this machine can do for a backend, in words for a person.
//!
//! Invariant: a probe leaves nothing behind and never fails: what it cannot find out is a capability that is not there.

/// One thing a backend needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// What: `namespaces`, `overlayfs`, `cgroups` …
    pub name: &'static str,
    /// Whether it is there.
    pub ok: bool,
    /// Whether containers cannot run at all without it.
    pub required: bool,
    /// What was found.
    pub detail: String,
    /// How to get it, empty where it is there.
    pub hint: String,
}

impl Capability {
    /// Whether containers cannot run for want of it.
    pub fn is_obstacle(&self) -> bool {
        self.required && !self.ok
    }
}
