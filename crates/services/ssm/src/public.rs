//! Public parameters, `/aws/service/…`, which AWS keeps for everybody and nobody can put.
//!
//! Follows <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html>.
//!
//! Invariant: what is provided here is what this installation's user says; none is made up.

use neargate_kernel::{Cx, Fault};

use crate::errors::SsmError;
use crate::name;
use crate::state::{self, ParameterRecord, Version};

/// Gives a public parameter its value in the context's account and region, as AWS would have it there already.
pub fn provide(cx: &mut Cx<'_>, name: &str, value: String) -> Result<(), Fault> {
    if !name::is_public(name) || !name::are_levels(name) {
        let text = format!("`{name}` is no name of a public parameter, such as `/aws/service/group/name`");
        return Err(Fault::validation(text));
    }
    if value.is_empty() {
        return Err(SsmError::EmptyValue.into());
    }
    let before = cx.get::<ParameterRecord>(name).cloned();
    if before.as_ref().is_some_and(|record| record.latest.value == value) {
        return Ok(());
    }
    let latest = Version {
        name: name.to_owned(),
        version: before.as_ref().map_or(1, |record| record.latest.version + 1),
        kind: "String".to_owned(),
        value,
        key_id: None,
        data_type: "text".to_owned(),
        tier: "Standard".to_owned(),
        description: None,
        allowed_pattern: None,
        policies: None,
        modified: cx.time(),
        modified_by: cx.principal.arn(),
    };
    match before {
        Some(record) => state::put_version(cx, record, latest),
        None => cx.put(name, ParameterRecord { latest, tags: vec![] }),
    }
    Ok(())
}
