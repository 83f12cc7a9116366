//! The construct tree and what every construct is made with.

pub(crate) mod app;
pub(crate) mod aspect;
pub mod codes;
pub(crate) mod duration;
pub(crate) mod element;
pub mod intrinsic;
pub(crate) mod logical_id;
pub(crate) mod node;
pub(crate) mod region;
pub(crate) mod resource;
pub(crate) mod scope;
pub(crate) mod stack;
pub(crate) mod tag;

/// What happens to a resource when it leaves its stack or must be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalPolicy {
    /// It is deleted.
    Destroy,
    /// It stays, and costs what it costs.
    Retain,
    /// A snapshot of it stays, where its type knows snapshots.
    Snapshot,
    /// It stays on update and replacement; if its creation fails it is deleted.
    RetainOnUpdateOrDelete,
}

impl RemovalPolicy {
    /// CloudFormation's `DeletionPolicy` and `UpdateReplacePolicy`.
    pub(crate) fn as_cfn(self) -> (&'static str, &'static str) {
        match self {
            Self::Destroy => ("Delete", "Delete"),
            Self::Retain => ("Retain", "Retain"),
            Self::Snapshot => ("Snapshot", "Snapshot"),
            Self::RetainOnUpdateOrDelete => ("RetainExceptOnCreate", "Retain"),
        }
    }
}
