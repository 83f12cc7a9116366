//! What an image is for, against what a task asks for and what this machine is.
//!
//! Follows what Amazon ECS does on Fargate: of an index of several images it takes the one for the task's platform and pulls
//! nothing where there is none; an image that stands alone is pulled whatever it is for, and its programs then do not start.
//!
//! Invariant: an image that does not say what it is for is taken to be for whatever is asked.

use std::fmt;

const NAME_BYTES_MAX: usize = 64;

/// An operating system and a processor architecture, as images name them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`, `arm64`.
    pub architecture: String,
}

/// Why a task does not get an image, or not on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The index has images for other platforms only.
    NotInIndex(Vec<Platform>),
    /// The image stands alone and is for another platform.
    OtherPlatform(Platform),
    /// The image fits the task, but its programs do not run on this machine.
    OtherMachine,
}

/// This machine's architecture as images name it.
pub fn host_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

impl Platform {
    /// A platform by its two names, in the spelling of images: `x86_64` and `aarch64` become `amd64` and `arm64`.
    pub fn new(os: &str, architecture: &str) -> Self {
        let architecture = match architecture {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Self { os: os.to_ascii_lowercase(), architecture: architecture.to_owned() }
    }

    /// What runs on this machine.
    pub fn host() -> Self {
        Self::new("linux", host_architecture())
    }

    /// `os/architecture`, as [`Platform`] shows itself; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (os, architecture) = text.split_once('/')?;
        Some(Self::new(os, architecture))
    }

    /// Whether its names are not longer than any there is.
    pub(crate) fn is_short(&self) -> bool {
        self.os.len() <= NAME_BYTES_MAX && self.architecture.len() <= NAME_BYTES_MAX
    }

    /// Whether both say the same as far as both say anything.
    pub(super) fn fits(&self, other: &Self) -> bool {
        let agree = |one: &str, two: &str| one.is_empty() || two.is_empty() || one == two;
        agree(&self.os, &other.os) && agree(&self.architecture, &other.architecture)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)
    }
}
