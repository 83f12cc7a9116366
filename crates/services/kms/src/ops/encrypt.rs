//! `Encrypt`, `Decrypt`, `ReEncrypt`.

use neargate_base::Scope;
use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::{Blob, OperationShape};
use zeroize::Zeroizing;

use super::data_keys::{refuse_recipient, stop_at_dry_run};
use crate::access::{on_ciphertext, with_context};
use crate::cipher::{self, Ciphertext, Context};
use crate::errors::KmsError;
use crate::reference::Found;
use crate::{api, reference};

const ALGORITHM: &str = "SYMMETRIC_DEFAULT";

pub(crate) struct Encrypt;

impl Operation for Encrypt {
    const SHAPE: &'static OperationShape = &api::ENCRYPT;
    type Input = api::EncryptInput;
    type Output = api::EncryptOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        with_context(cx, "Encrypt", &input.key_id, input.encryption_context.as_ref()).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        check_algorithm("Encrypt", input.encryption_algorithm.as_deref())?;
        let found = reference::find_or_make(cx, &input.key_id)?;
        found.usable()?;
        stop_at_dry_run(input.dry_run)?;
        let plain = Zeroizing::new(input.plaintext.0);
        let blob = cipher::encrypt(cx, &found, &input.encryption_context.unwrap_or_default(), &plain)?;
        Ok(api::EncryptOutput {
            ciphertext_blob: Some(Blob(blob)),
            key_id: Some(found.arn()),
            encryption_algorithm: Some(ALGORITHM.to_owned()),
        })
    }
}

pub(crate) struct Decrypt;

impl Operation for Decrypt {
    const SHAPE: &'static OperationShape = &api::DECRYPT;
    type Input = api::DecryptInput;
    type Output = api::DecryptOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let blob = input.ciphertext_blob.as_ref().map(|blob| blob.0.as_slice());
        on_ciphertext(cx, "Decrypt", blob, input.encryption_context.as_ref())
            .map_or_else(|| Accesses::none("a ciphertext that names no key is refused as invalid"), Accesses::new)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        check_algorithm("Decrypt", input.encryption_algorithm.as_deref())?;
        refuse_recipient("Decrypt", input.recipient.as_ref())?;
        let blob = input.ciphertext_blob.ok_or(KmsError::CiphertextMissing)?;
        let opened = open(cx, &blob.0, &input.encryption_context.unwrap_or_default(), input.key_id.as_deref())?;
        stop_at_dry_run(input.dry_run)?;
        Ok(api::DecryptOutput {
            key_id: Some(opened.found.arn()),
            plaintext: Some(Blob(opened.plain.to_vec())),
            encryption_algorithm: Some(ALGORITHM.to_owned()),
            ciphertext_for_recipient: None,
            key_material_id: opened.material_id,
        })
    }
}

pub(crate) struct ReEncrypt;

impl Operation for ReEncrypt {
    const SHAPE: &'static OperationShape = &api::RE_ENCRYPT;
    type Input = api::ReEncryptInput;
    type Output = api::ReEncryptOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let blob = input.ciphertext_blob.as_ref().map(|blob| blob.0.as_slice());
        let from = on_ciphertext(cx, "ReEncryptFrom", blob, input.source_encryption_context.as_ref());
        let context = input.destination_encryption_context.as_ref();
        let to = with_context(cx, "ReEncryptTo", &input.destination_key_id, context);
        let is_same = from.as_ref().is_some_and(|from| from.resource == to.resource).to_string();
        let asked = match from {
            Some(from) => Accesses::new(from).and([to]),
            None => to.into(),
        };
        asked.map(|access| access.with("kms:ReEncryptOnSameKey", is_same.as_str()))
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        check_algorithm("ReEncrypt", input.source_encryption_algorithm.as_deref())?;
        check_algorithm("ReEncrypt", input.destination_encryption_algorithm.as_deref())?;
        let blob = input.ciphertext_blob.ok_or(KmsError::CiphertextMissing)?;
        let context = input.source_encryption_context.unwrap_or_default();
        let opened = open(cx, &blob.0, &context, input.source_key_id.as_deref())?;
        let found = reference::find_or_make(cx, &input.destination_key_id)?;
        found.usable()?;
        stop_at_dry_run(input.dry_run)?;
        let context = input.destination_encryption_context.unwrap_or_default();
        let blob = cipher::encrypt(cx, &found, &context, &opened.plain)?;
        Ok(api::ReEncryptOutput {
            ciphertext_blob: Some(Blob(blob)),
            source_key_id: Some(opened.found.arn()),
            key_id: Some(found.arn()),
            source_encryption_algorithm: Some(ALGORITHM.to_owned()),
            destination_encryption_algorithm: Some(ALGORITHM.to_owned()),
            source_key_material_id: opened.material_id,
            destination_key_material_id: found.key.materials.last().map(|material| material.id.clone()),
        })
    }
}

/// What a ciphertext held, and the key that opened it.
struct Opened {
    found: Found,
    plain: Zeroizing<Vec<u8>>,
    material_id: Option<String>,
}

/// Opens a ciphertext; `wanted` is the key that the caller says it is under.
fn open(cx: &mut Cx<'_>, blob: &[u8], context: &Context, wanted: Option<&str>) -> Result<Opened, Fault> {
    let ciphertext = Ciphertext::read(blob)?;
    let scope = Scope::new(&ciphertext.account, cx.scope.region.as_str());
    // A key that is gone, or never was: the ciphertext is all that AWS knows to complain of.
    let found = reference::find(cx, &scope.arn("kms", &format!("key/{}", ciphertext.key_id)));
    let found = found.map_err(|_| KmsError::InvalidCiphertext)?;
    if let Some(wanted) = wanted {
        let wanted = reference::find(cx, wanted)?;
        if (&wanted.scope, &wanted.key.id) != (&found.scope, &found.key.id) {
            return Err(KmsError::IncorrectKey.into());
        }
    }
    found.usable()?;
    let plain = cipher::decrypt(cx, &found.key, &ciphertext, context)?;
    let material_id = cipher::material_id(&found.key, &ciphertext);
    Ok(Opened { found, plain, material_id })
}

fn check_algorithm(operation: &str, algorithm: Option<&str>) -> Result<(), Fault> {
    match algorithm.filter(|algorithm| *algorithm != ALGORITHM) {
        Some(algorithm) => {
            Err(Fault::not_implemented("kms", &format!("{operation} with EncryptionAlgorithm {algorithm}")))
        }
        None => Ok(()),
    }
}
