//! Functions from what callers say of them.
//!
//! Invariant: what a caller does not say is what AWS makes of it; no size, hash or address of code is made up.

use neargate_kernel::{Cx, Fault, Principal};
use neargate_shape::{Value, Wire, from_json, to_json};
use serde_json::{Map, Value as Json, json};

use crate::api::{FunctionCodeLocation, FunctionConfiguration, ResolvedS3Object};
use crate::errors::LambdaError;
use crate::state::{FunctionRecord, arn};

/// What every function says of its state.
pub(crate) const NOT_RUN: &str = "recorded; not run";

/// Members of inputs that are not part of the configuration.
const NOT_CONFIGURATION: &[&str] = &[
    "Code",
    "CodeSigningConfigArn",
    "FunctionName",
    "ImageConfig",
    "Layers",
    "Publish",
    "PublishTo",
    "SnapStart",
    "Tags",
];

/// Where a function's code lies, as inputs say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    pub(crate) is_inline: bool,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) object_version: Option<String>,
    pub(crate) image_uri: Option<String>,
}

impl Code {
    /// Where the code lies. AWS gives an address to download it from; there is none here.
    pub(crate) fn location(self) -> Result<FunctionCodeLocation, LambdaError> {
        let sources = [self.is_inline, self.bucket.is_some(), self.image_uri.is_some()];
        if sources.into_iter().filter(|is_given| *is_given).count() != 1 || self.bucket.is_some() != self.key.is_some()
        {
            return Err(LambdaError::CodeSource);
        }
        let object = self.bucket.map(|bucket| ResolvedS3Object {
            s3_bucket: Some(bucket),
            s3_key: self.key,
            s3_object_version: self.object_version,
        });
        let repository_type = if self.image_uri.is_some() { "ECR" } else { "S3" };
        Ok(FunctionCodeLocation {
            repository_type: Some(repository_type.to_owned()),
            image_uri: self.image_uri,
            resolved_s3_object: object,
            ..FunctionCodeLocation::default()
        })
    }
}

/// A new function of this name and code, as it is before its caller says more.
pub(crate) fn blank(cx: &Cx<'_>, name: &str, code: FunctionCodeLocation) -> Result<FunctionRecord, Fault> {
    let package_type = if code.image_uri.is_some() { "Image" } else { "Zip" };
    let blank = json!({
        "FunctionName": name,
        "FunctionArn": arn(&cx.scope, name),
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}")},
        "MemorySize": 128,
        "PackageType": package_type,
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "Timeout": 3,
        "TracingConfig": {"Mode": "PassThrough"},
        "LastUpdateStatus": "Successful",
        "State": "Active",
        "StateReason": NOT_RUN,
        "Version": "$LATEST",
    });
    let tags = std::collections::BTreeMap::new();
    let logical_id = cx.system_tags().get("aws:cloudformation:logical-id").cloned();
    let configuration = configuration(blank)?;
    Ok(FunctionRecord { configuration, code, tags, reserved_concurrent_executions: None, logical_id })
}

/// Gives a function what an input says of its configuration; the rest stays.
pub(crate) fn configure(cx: &mut Cx<'_>, record: &mut FunctionRecord, input: Value) -> Result<(), Fault> {
    let given: Map<String, Json> = to_json(&input).as_object().cloned().unwrap_or_default();
    let mut all = to_json(&record.configuration.clone().into_value()).as_object().cloned().unwrap_or_default();
    if let Some(layers) = given.get("Layers").and_then(Json::as_array) {
        all.insert("Layers".to_owned(), layers.iter().map(|layer| json!({ "Arn": layer })).collect());
    }
    if let Some(image) = given.get("ImageConfig") {
        all.insert("ImageConfigResponse".to_owned(), json!({ "ImageConfig": image }));
    }
    if let Some(snap_start) = given.get("SnapStart") {
        let apply_on = snap_start.get("ApplyOn").and_then(Json::as_str).unwrap_or("None");
        all.insert("SnapStart".to_owned(), json!({ "ApplyOn": apply_on, "OptimizationStatus": "Off" }));
    }
    all.extend(given.into_iter().filter(|(name, _)| !NOT_CONFIGURATION.contains(&name.as_str())));
    record.configuration = configuration(Json::Object(all))?;
    touch(cx, record);
    Ok(())
}

/// Notes that a function was changed just now.
pub(crate) fn touch(cx: &mut Cx<'_>, record: &mut FunctionRecord) {
    record.configuration.last_modified = Some(cx.time().to_string().replace('Z', "+0000"));
    record.configuration.revision_id = Some(cx.rng.uuid());
}

/// Assumes a role for a function, by its ARN, as Lambda does.
pub(crate) fn check_role(cx: &Cx<'_>, role: &str, function: &str) -> Result<Principal, LambdaError> {
    cx.assume_for_service(role, "lambda.amazonaws.com", function).map_err(LambdaError::RoleNotAssumable)
}

/// A configuration as the output of an operation, which has the same members.
pub(crate) fn answer<O: Wire>(configuration: FunctionConfiguration) -> Result<O, Fault> {
    O::from_value(configuration.into_value()).map_err(|error| Fault::internal(error.to_string()))
}

fn configuration(json: Json) -> Result<FunctionConfiguration, Fault> {
    // Inputs have members that the configuration does not show.
    from_json(FunctionConfiguration::shape(), json, &mut vec![])
        .and_then(FunctionConfiguration::from_value)
        .map_err(|error| Fault::validation(error.to_string()))
}
