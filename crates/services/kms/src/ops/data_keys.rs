//! `GenerateDataKey`, `GenerateDataKeyWithoutPlaintext`, `GenerateRandom`.

use neargate_kernel::{Access, Accesses, Cx, Fault, Operation};
use neargate_shape::{Blob, OperationShape};
use zeroize::Zeroizing;

use crate::access::{with_caller, with_context};
use crate::api;
use crate::cipher::{self, Context};
use crate::errors::KmsError;
use crate::reference::{self, Found};

pub(crate) struct GenerateDataKey;

impl Operation for GenerateDataKey {
    const SHAPE: &'static OperationShape = &api::GENERATE_DATA_KEY;
    type Input = api::GenerateDataKeyInput;
    type Output = api::GenerateDataKeyOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        with_context(cx, "GenerateDataKey", &input.key_id, input.encryption_context.as_ref()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        refuse_recipient("GenerateDataKey", input.recipient.as_ref())?;
        let length = length(input.number_of_bytes, input.key_spec.as_deref())?;
        let made = make(cx, &input.key_id, &input.encryption_context.unwrap_or_default(), length, input.dry_run)?;
        Ok(api::GenerateDataKeyOutput {
            ciphertext_blob: Some(Blob(made.blob)),
            plaintext: Some(Blob(made.plain.to_vec())),
            key_id: Some(made.found.arn()),
            ciphertext_for_recipient: None,
            key_material_id: made.found.key.materials.last().map(|material| material.id.clone()),
        })
    }
}

pub(crate) struct GenerateDataKeyWithoutPlaintext;

impl Operation for GenerateDataKeyWithoutPlaintext {
    const SHAPE: &'static OperationShape = &api::GENERATE_DATA_KEY_WITHOUT_PLAINTEXT;
    type Input = api::GenerateDataKeyWithoutPlaintextInput;
    type Output = api::GenerateDataKeyWithoutPlaintextOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let context = input.encryption_context.as_ref();
        with_context(cx, "GenerateDataKeyWithoutPlaintext", &input.key_id, context).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let length = length(input.number_of_bytes, input.key_spec.as_deref())?;
        let made = make(cx, &input.key_id, &input.encryption_context.unwrap_or_default(), length, input.dry_run)?;
        Ok(api::GenerateDataKeyWithoutPlaintextOutput {
            ciphertext_blob: Some(Blob(made.blob)),
            key_id: Some(made.found.arn()),
            key_material_id: made.found.key.materials.last().map(|material| material.id.clone()),
        })
    }
}

pub(crate) struct GenerateRandom;

impl Operation for GenerateRandom {
    const SHAPE: &'static OperationShape = &api::GENERATE_RANDOM;
    type Input = api::GenerateRandomInput;
    type Output = api::GenerateRandomOutput;

    fn access(cx: &Cx<'_>, _: &Self::Input) -> Accesses {
        with_caller(cx, Access::new("kms:GenerateRandom", "*")).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        refuse_recipient("GenerateRandom", input.recipient.as_ref())?;
        if input.custom_key_store_id.is_some() {
            return Err(Fault::not_implemented("kms", "GenerateRandom with CustomKeyStoreId"));
        }
        let length = input.number_of_bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let bytes = cx.secret_bytes(length.ok_or(KmsError::NumberOfBytesMissing)?)?;
        Ok(api::GenerateRandomOutput { plaintext: Some(Blob(bytes.to_vec())), ciphertext_for_recipient: None })
    }
}

struct Made {
    found: Found,
    plain: Zeroizing<Vec<u8>>,
    blob: Vec<u8>,
}

fn make(cx: &mut Cx<'_>, key_id: &str, context: &Context, length: usize, dry_run: Option<bool>) -> Result<Made, Fault> {
    let found = reference::find_or_make(cx, key_id)?;
    found.usable()?;
    stop_at_dry_run(dry_run)?;
    let plain = cx.secret_bytes(length)?;
    let blob = cipher::encrypt(cx, &found, context, &plain)?;
    Ok(Made { found, plain, blob })
}

fn length(bytes: Option<i32>, spec: Option<&str>) -> Result<usize, KmsError> {
    match (bytes.and_then(|bytes| usize::try_from(bytes).ok()), spec) {
        (Some(bytes), None) => Ok(bytes),
        (None, Some("AES_128")) => Ok(16),
        (None, Some(_)) => Ok(32),
        _ => Err(KmsError::NumberOfBytesOrKeySpec),
    }
}

/// What is left out when a caller only asks whether it would work.
pub(super) fn stop_at_dry_run(dry_run: Option<bool>) -> Result<(), KmsError> {
    if dry_run == Some(true) { Err(KmsError::DryRun) } else { Ok(()) }
}

/// Answers for an enclave are not made here.
pub(super) fn refuse_recipient(operation: &str, recipient: Option<&api::RecipientInfo>) -> Result<(), Fault> {
    match recipient {
        Some(_) => Err(Fault::not_implemented("kms", &format!("{operation} with Recipient"))),
        None => Ok(()),
    }
}
