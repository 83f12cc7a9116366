//! Aliases: names of keys.

use std::rc::Rc;

use neargate_base::Diagnostic;
use neargate_l1::{Value, kms as l1};

use super::key::Key;
use crate::{CfnResource, RemovalPolicy, Scope, codes, construct};

const PREFIX: &str = "alias/";
const NAME_LENGTH_MAX: usize = 256;

/// Properties of an [`Alias`].
#[derive(Clone, Debug, Default)]
pub struct AliasProps {
    /// The name, with or without `alias/` in front; required. An account has it once in a region.
    pub alias_name: String,
    /// The key that it names; required.
    pub target_key: Option<Key>,
    /// What happens when it leaves the stack. Default: it is deleted.
    pub removal_policy: Option<RemovalPolicy>,
}

/// An alias: a name of a key, which can be given to another key later.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, kms};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let key = kms::Key::new(&stack, "Key", kms::KeyProps::default());
/// let alias = kms::Alias::new(&stack, "Alias", kms::AliasProps {
///     alias_name: "jobs".into(),
///     target_key: Some(key),
///     ..Default::default()
/// });
/// assert_eq!(alias.alias_name(), "alias/jobs");
/// ```
#[derive(Clone)]
pub struct Alias(Rc<State>);

construct!(Alias);

struct State {
    scope: Scope,
    name: String,
}

impl Alias {
    /// Declares an alias.
    pub fn new(scope: &Scope, id: &str, props: AliasProps) -> Self {
        let scope = scope.child(id);
        let name = match props.alias_name.starts_with(PREFIX) {
            true => props.alias_name,
            false => format!("{PREFIX}{}", props.alias_name),
        };
        check(&scope, &name);
        let alias = l1::Alias {
            alias_name: Some(name.as_str().into()),
            target_key_id: props.target_key.as_ref().map(Key::key_arn),
        };
        let resource = CfnResource::new(&scope, "Resource", alias);
        if let Some(policy) = props.removal_policy {
            resource.apply_removal_policy(policy);
        }
        let alias = Self(Rc::new(State { scope, name }));
        alias.register("neargate.kms.Alias", &alias);
        alias
    }

    /// The name, with `alias/` in front.
    pub fn alias_name(&self) -> &str {
        &self.0.name
    }
}

impl Key {
    /// Gives it a further name.
    pub fn add_alias(&self, alias_name: &str) -> Alias {
        let id = self.alias_id(alias_name);
        let target_key = Some(self.clone());
        Alias::new(self, &id, AliasProps { alias_name: alias_name.to_owned(), target_key, ..AliasProps::default() })
    }
}

/// A name that holds a value of deployment is checked there.
fn check(scope: &Scope, name: &str) {
    if Value::from(name).known().is_none() {
        return;
    }
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    let legal = |c: char| c.is_ascii_alphanumeric() || ":/_-".contains(c);
    if rest.is_empty() || name.len() > NAME_LENGTH_MAX || !name.chars().all(legal) {
        scope.report(
            Diagnostic::error(codes::KEY, format!("`{name}` is no alias"))
                .hint("take up to 250 letters, digits and `:/_-`, with or without `alias/` in front"),
        );
    } else if rest.to_ascii_lowercase().starts_with("aws/") {
        scope.report(
            Diagnostic::error(codes::KEY, format!("`{name}` begins with `alias/aws/`, which is for AWS's own keys"))
                .hint("take another name"),
        );
    }
}
