//! `AWS::SecretsManager` resources.
//!
//! Invariant: written by `cargo xtask codegen l1` from cfn-lint 1.58.0; edit the generator, not this file.

use crate::Value;

crate::resource! {
    Secret "AWS::SecretsManager::Secret" {
        description "Description" Value<String>,
        generate_secret_string "GenerateSecretString" Value<secret::GenerateSecretString>,
        kms_key_id "KmsKeyId" Value<String>,
        name "Name" Value<String>,
        replica_regions "ReplicaRegions" Value<Vec<Value<secret::ReplicaRegion>>>,
        secret_string "SecretString" Value<String>,
        tags "Tags" Value<Vec<Value<secret::Tag>>>,
        r#type "Type" Value<String>,
    }
    required []
    attributes ["Id"]
    tags List
}

/// Property types of [`Secret`].
pub mod secret {
    use crate::Value;

    crate::shape! {
        GenerateSecretString {
            exclude_characters "ExcludeCharacters" Value<String>,
            exclude_lowercase "ExcludeLowercase" Value<bool>,
            exclude_numbers "ExcludeNumbers" Value<bool>,
            exclude_punctuation "ExcludePunctuation" Value<bool>,
            exclude_uppercase "ExcludeUppercase" Value<bool>,
            generate_string_key "GenerateStringKey" Value<String>,
            include_space "IncludeSpace" Value<bool>,
            password_length "PasswordLength" Value<i64>,
            require_each_included_type "RequireEachIncludedType" Value<bool>,
            secret_string_template "SecretStringTemplate" Value<String>,
        }
        required []
    }

    crate::shape! {
        ReplicaRegion {
            kms_key_id "KmsKeyId" Value<String>,
            region "Region" Value<String>,
        }
        required ["Region"]
    }

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }
}
