//! Names, ARNs, paths and selectors of parameters.
//!
//! Invariant: pure.

use neargate_base::Scope;

use crate::errors::SsmError;

const LEVELS_MAX: usize = 15;

/// Which version a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    /// No selector.
    Latest,
    /// `:3`.
    Version(i64),
    /// `:production`.
    Label(String),
}

/// A parameter as a request names it: by name or ARN, with a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The name. From an ARN, what follows `parameter`: it may have a slash that the name has not.
    pub(crate) name: String,
    /// From an ARN, its account and region.
    pub(crate) scope: Option<Scope>,
    pub(crate) selector: Selector,
}

impl Reference {
    /// Reads `name`, `name:selector`, or an ARN of either.
    pub(crate) fn read(text: &str) -> Self {
        let (text, scope) = match text.splitn(6, ':').collect::<Vec<_>>().as_slice() {
            ["arn", _, "ssm", region, account, resource] => {
                (resource.strip_prefix("parameter").unwrap_or(resource), Some(Scope::new(account, region)))
            }
            _ => (text, None),
        };
        let (name, selector) = text.split_once(':').map_or((text, None), |(name, selector)| (name, Some(selector)));
        let selector = selector.map_or(Selector::Latest, |selector| {
            selector.parse().map_or_else(|_| Selector::Label(selector.to_owned()), Selector::Version)
        });
        Self { name: name.to_owned(), scope, selector }
    }
}

/// The ARN of a parameter. A leading slash of the name is the one after `parameter`.
pub(crate) fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("ssm", &format!("parameter/{}", name.strip_prefix('/').unwrap_or(name)))
}

/// Whether a new parameter may have this name.
pub(crate) fn check(name: &str) -> Result<(), SsmError> {
    let levels = name.strip_prefix('/').unwrap_or(name).split('/');
    let first = levels.clone().next().unwrap_or_default().to_ascii_lowercase();
    let is_path = name.matches('/').count() > 1;
    if first.starts_with("aws") && is_path && name.starts_with('/') {
        return Err(SsmError::ReservedName(name.to_owned()));
    }
    if (first.starts_with("aws") || first.starts_with("ssm")) && !is_path {
        return Err(SsmError::NamePrefix);
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(SsmError::NameNotQualified);
    }
    if first.starts_with("ssm") || !levels.clone().all(is_level) {
        return Err(SsmError::NameSpelling);
    }
    if name.starts_with('/') && levels.count() > LEVELS_MAX { Err(SsmError::HierarchyLevels) } else { Ok(()) }
}

/// The prefix of everything under a path, the slash included.
pub(crate) fn check_path(path: &str) -> Result<String, SsmError> {
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let levels = trimmed.strip_prefix('/').map(|levels| levels.split('/').all(is_level));
    if path == "/" || (levels == Some(true)) { Ok(format!("{trimmed}/")) } else { Err(SsmError::PathSpelling) }
}

/// Whether a parameter lies under a prefix of [`check_path`]: right under it, or anywhere. Names without a slash lie under `/`.
pub(crate) fn is_under(name: &str, prefix: &str, recursive: bool) -> bool {
    let name = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
    name.strip_prefix(prefix).is_some_and(|rest| recursive || !rest.contains('/'))
}

fn is_level(level: &str) -> bool {
    !level.is_empty() && level.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}
