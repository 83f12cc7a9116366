//! Image references as Docker reads them: `corp/my-proj:1.0` is `docker.io/corp/my-proj:1.0`.
//!
//! Follows the grammar of the distribution project: `[domain/]path[:tag][@digest]`, where the first part is a domain only if
//! it has a `.` or a `:`, or is `localhost`; `docker.io` with a single-part path gains `library/`; no tag and no digest
//! means `latest`.
//!
//! Invariant: a [`Reference`] is always normalised; its text form parses to itself.

use std::fmt;
use std::str::FromStr;

use neargate_base::Diagnostic;

use super::codes;
use super::digest::Digest;

const DEFAULT_DOMAIN: &str = "docker.io";
const DEFAULT_TAG: &str = "latest";
const NAME_BYTES_MAX: usize = 255;
const TAG_BYTES_MAX: usize = 128;

/// A normalised image reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Reads a reference as a user or a task definition writes it.
    ///
    /// # Errors
    /// `NG-R0101`, saying which part is wrong.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        read(text).map_err(|why| {
            Diagnostic::error(codes::INVALID_REFERENCE, format!("`{text}` is no image reference: {why}"))
                .hint("write it as `repository:tag`, for example `corp/my-proj:1.0`")
        })
    }

    /// Registry host, with port where there is one: `docker.io`, `localhost:5000`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Path of the repository on its registry: `library/alpine`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag; none only where a digest is given instead.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where the reference pins one.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// `domain/path` without tag and digest.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// Whether `other` names the same repository.
    pub fn same_repository(&self, other: &Self) -> bool {
        self.domain == other.domain && self.path == other.path
    }

    /// The same repository with this tag and no digest.
    ///
    /// # Errors
    /// `NG-R0101` when the tag is none.
    pub fn with_tag(&self, tag: &str) -> Result<Self, Diagnostic> {
        Self::parse(&format!("{}:{tag}", self.repository()))
    }

    /// The same reference, without its tag where a digest says more.
    #[must_use]
    pub(crate) fn without_tag_beside_digest(mut self) -> Self {
        if self.digest.is_some() {
            self.tag = None;
        }
        self
    }

    /// How people write it: without `docker.io/` and `library/`.
    pub fn familiar(&self) -> String {
        let full = self.to_string();
        match full.strip_prefix("docker.io/") {
            Some(rest) => rest.strip_prefix("library/").filter(|rest| !rest.contains('/')).unwrap_or(rest).to_owned(),
            None => full,
        }
    }
}

/// `domain/path[:tag][@digest]`.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = Diagnostic;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

fn read(text: &str) -> Result<Reference, String> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(Digest::parse(digest).map_err(|problem| problem.message)?)),
        None => (text, None),
    };
    // A colon after the last slash starts the tag; one before it belongs to the domain's port.
    let name_end = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest.get(name_end..).and_then(|last| last.find(':')) {
        Some(colon) => (rest.get(..name_end + colon).unwrap_or_default(), rest.get(name_end + colon + 1..)),
        None => (rest, None),
    };
    if let Some(tag) = tag {
        check_tag(tag)?;
    }
    let (domain, path) = split_domain(name);
    check_domain(&domain)?;
    for part in path.split('/') {
        check_path_part(part)?;
    }
    if Digest::from_hex(&path).is_some() || path.strip_prefix("library/").is_some_and(|p| Digest::from_hex(p).is_some())
    {
        return Err("64 hex digits alone are an image id, not a name; write `sha256:` before them".to_owned());
    }
    if domain.len() + 1 + path.len() > NAME_BYTES_MAX {
        return Err(format!(
            "got a name of {} bytes, at most {NAME_BYTES_MAX} are allowed",
            domain.len() + 1 + path.len()
        ));
    }
    let tag = tag.map(str::to_owned).or_else(|| digest.is_none().then(|| DEFAULT_TAG.to_owned()));
    Ok(Reference { domain, path, tag, digest })
}

fn split_domain(name: &str) -> (String, String) {
    let (domain, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" || has_upper(first) => (first, rest),
        _ => (DEFAULT_DOMAIN, name),
    };
    let domain = if domain == "index.docker.io" { DEFAULT_DOMAIN } else { domain };
    let library = domain == DEFAULT_DOMAIN && !path.contains('/');
    (domain.to_owned(), if library { format!("library/{path}") } else { path.to_owned() })
}

fn has_upper(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_uppercase())
}

fn check_tag(tag: &str) -> Result<(), String> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let valid = tag.len() <= TAG_BYTES_MAX
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-');
    if valid {
        Ok(())
    } else {
        Err(format!("tag `{tag}` must be 1 to {TAG_BYTES_MAX} letters, digits, `_`, `.` or `-`"))
    }
}

fn check_domain(domain: &str) -> Result<(), String> {
    let (host, port) = match domain.rfind(':').filter(|_| !domain.ends_with(']')) {
        Some(colon) => (domain.get(..colon).unwrap_or_default(), domain.get(colon + 1..)),
        None => (domain, None),
    };
    if let Some(port) = port
        && port.parse::<u16>().is_err()
    {
        return Err(format!("`{port}` is no port"));
    }
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let valid = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        }),
    };
    if valid { Ok(()) } else { Err(format!("`{host}` is no registry host")) }
}

/// Runs of lowercase letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn check_path_part(part: &str) -> Result<(), String> {
    if part.is_empty() {
        return Err("a part of its name is empty".to_owned());
    }
    if has_upper(part) {
        return Err(format!("`{part}` must be lowercase"));
    }
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let separators = part.split(|c: char| u8::try_from(c).is_ok_and(word)).filter(|run| !run.is_empty());
    let ends = part.bytes().next().is_some_and(word) && part.bytes().next_back().is_some_and(word);
    let joined = separators.into_iter().all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-'));
    if ends && joined {
        Ok(())
    } else {
        Err(format!("`{part}` must be lowercase letters and digits joined by `.`, `_` or `-`"))
    }
}
