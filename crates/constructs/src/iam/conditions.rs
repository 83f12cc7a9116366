//! Conditions of statements.

use std::collections::BTreeMap;

use neargate_l1::Json;

/// Condition operators (`ArnEquals`), each with keys and the values they must have.
pub type Conditions = BTreeMap<String, BTreeMap<String, Json>>;

/// Adds conditions; of one operator and key, the later counts.
pub(super) fn merge_conditions(into: &mut Conditions, from: &Conditions) {
    for (operator, tests) in from {
        into.entry(operator.clone()).or_default().extend(tests.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
}
