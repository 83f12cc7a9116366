//! The roles that a document names: it means those that exist when it is stored, by their unique ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use neargate_base::Account;
use neargate_decide::Document;
use neargate_kernel::Store;

use crate::resource_policy;
use crate::state::{self, RoleRecord, StoredDocument};

impl StoredDocument {
    /// The same document, which means the roles that exist now under the ARNs that it names, and none made later.
    pub(crate) fn naming(mut self, store: &Store) -> Self {
        self.principals = role_ids(store, &self.parsed);
        Arc::make_mut(&mut self.parsed).tie_principals(|arn| self.principals.get(arn).cloned());
        self
    }

    /// The text as AWS shows it: roles that are gone stand there by their unique ids.
    pub(crate) fn shown(&self, store: &Store) -> String {
        shown(store, &self.text, &self.principals)
    }
}

/// The account and the role that an ARN names.
pub(crate) fn role_of_arn<'s>(store: &'s Store, arn: &str) -> Option<(Account, &'s RoleRecord)> {
    let mut parts = arn.splitn(6, ':');
    let (_, _) = (parts.next().filter(|arn| *arn == "arn")?, parts.next()?);
    let (_, _) = (parts.next().filter(|service| *service == "iam")?, parts.next()?);
    let account = Account::new(parts.next()?);
    let path_and_name = parts.next()?.strip_prefix("role")?;
    let (_, name) = path_and_name.rsplit_once('/')?;
    let role = state::find_role(store, &account, name)?;
    let is_it = path_and_name.strip_suffix(name) == Some(role.path.as_str());
    is_it.then_some((account, role))
}

/// The unique ids of the roles that a document names, by ARN.
pub(crate) fn role_ids(store: &Store, document: &Document) -> BTreeMap<String, String> {
    let id = |arn: &str| Some((arn.to_owned(), role_of_arn(store, arn)?.1.id.clone()));
    document.arns_named().filter_map(id).collect()
}

/// A policy as AWS shows it: a role that does not exist any more stands there by its unique id.
pub(crate) fn shown(store: &Store, text: &str, principals: &BTreeMap<String, String>) -> String {
    let is_gone = |arn: &str, id: &str| role_of_arn(store, arn).is_none_or(|(_, role)| role.id != id);
    let gone = principals.iter().filter(|(arn, id)| is_gone(arn, id));
    gone.fold(text.to_owned(), |text, (arn, id)| resource_policy::with_principal(&text, arn, id))
}
