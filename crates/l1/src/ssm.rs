//! `AWS::SSM` resources.
//!
//! Invariant: written by `cargo xtask codegen l1` from cfn-lint 1.58.0; edit the generator, not this file.

use std::collections::BTreeMap;

use crate::Value;

crate::resource! {
    Parameter "AWS::SSM::Parameter" {
        allowed_pattern "AllowedPattern" Value<String>,
        data_type "DataType" Value<String>,
        description "Description" Value<String>,
        name "Name" Value<String>,
        policies "Policies" Value<String>,
        tags "Tags" Value<BTreeMap<String, Value<String>>>,
        tier "Tier" Value<String>,
        r#type "Type" Value<String>,
        value "Value" Value<String>,
    }
    required ["Type", "Value"]
    attributes ["Arn"]
    tags Map
}
