//! `ListSecrets`, and the filters that it shares with `BatchGetSecretValue`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::page::page;
use crate::api::{self, Filter};
use crate::state::SecretRecord;

pub(crate) struct ListSecrets;

impl Operation for ListSecrets {
    const SHAPE: &'static OperationShape = &api::LIST_SECRETS;
    type Input = api::ListSecretsInput;
    type Output = api::ListSecretsOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Access::new("secretsmanager:ListSecrets", "*").into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let filters = input.filters.unwrap_or_default();
        let shows_deleted = input.include_planned_deletion == Some(true);
        let secrets = cx.scan::<SecretRecord>("").map(|(_, secret)| secret);
        let fits = |secret: &&SecretRecord| (shows_deleted || secret.deletion.is_none()) && fits_all(secret, &filters);
        let mut secrets: Vec<_> = secrets.filter(fits).collect();
        match input.sort_by.as_deref() {
            Some("name") => secrets.sort_by(|one, other| one.name.cmp(&other.name)),
            Some("last-changed-date") => secrets.sort_by_key(|secret| secret.changed),
            Some("last-accessed-date") => secrets.sort_by_key(|secret| secret.accessed),
            _ => secrets.sort_by_key(|secret| secret.created),
        }
        // The newest first, where nothing else is said.
        if input.sort_order.as_deref() != Some("asc") {
            secrets.reverse();
        }
        let shown = secrets.into_iter().map(SecretRecord::shown).collect();
        let (secrets, next_token) = page(shown, input.next_token.as_deref(), input.max_results, 100)?;
        Ok(api::ListSecretsOutput { secret_list: Some(secrets), next_token })
    }
}

/// Whether a secret fits every filter.
pub(super) fn fits_all(secret: &SecretRecord, filters: &[Filter]) -> bool {
    filters.iter().all(|filter| {
        let key = filter.key.as_deref().unwrap_or("all");
        let values = filter.values.as_deref().unwrap_or_default();
        let (excluded, wanted): (Vec<_>, Vec<_>) = values.iter().partition(|value| value.starts_with('!'));
        let is_excluded = excluded.iter().any(|value| fits(secret, key, value.get(1..).unwrap_or_default()));
        !is_excluded && (wanted.is_empty() || wanted.iter().any(|value| fits(secret, key, value)))
    })
}

/// A value is the beginning of what it is compared with; case matters for names and tags.
fn fits(secret: &SecretRecord, key: &str, value: &str) -> bool {
    let of_tags = |part: fn(&api::Tag) -> Option<&String>| {
        secret.tags.iter().filter_map(part).any(|text| text.starts_with(value))
    };
    let of_description = || {
        let (text, value) = (secret.description.as_deref().unwrap_or_default().to_lowercase(), value.to_lowercase());
        text.starts_with(&value) || text.split_whitespace().any(|word| word.starts_with(&value))
    };
    match key {
        "name" => secret.name.starts_with(value),
        "description" => of_description(),
        "tag-key" => of_tags(|tag| tag.key.as_ref()),
        "tag-value" => of_tags(|tag| tag.value.as_ref()),
        "all" => ["name", "description", "tag-key", "tag-value"].iter().any(|key| fits(secret, key, value)),
        // No secret here has a region or a service of its own.
        _ => false,
    }
}
