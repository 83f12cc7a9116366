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
                // A public parameter is in no account, and read in the caller's.
                let scope = (!account.is_empty()).then(|| Scope::new(account, region));
                (resource.strip_prefix("parameter").unwrap_or(resource), scope)
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

/// Whether it is the name of a parameter that AWS keeps for everybody.
pub(crate) fn is_public(name: &str) -> bool {
    name.starts_with("/aws/service/")
}

/// Whether all levels of a path are spelt well, and not too many.
pub(crate) fn are_levels(path: &str) -> bool {
    let levels = || path.split('/').skip(1);
    levels().all(is_level) && levels().count() <= LEVELS_MAX
}

/// The ARN of a parameter. A leading slash of the name is the one after `parameter`. A public one is in no account.
pub(crate) fn arn(scope: &Scope, name: &str) -> String {
    if is_public(name) {
        let (partition, region) = (scope.region.partition().as_str(), scope.region.as_str());
        return format!("arn:{partition}:ssm:{region}::parameter{name}");
    }
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
