//! Properties of ciphertexts and of what lies in the journal, over random input.

use std::collections::BTreeMap;

use neargate_kernel::{Core, Cx, MemorySegments, Registry};
use neargate_shape::scalar::{base64_decode, base64_encode};
use neargate_testkit::{Harness, vault};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::json;

use super::{decrypt, key, kms, world};
use crate::state::KeyRecord;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_encrypted_comes_back_under_its_context_and_only_then(
        plain in vec(any::<u8>(), 1..200),
        context in btree_map("[a-z]{1,3}", "[a-z]{0,3}", 0..4),
        other in btree_map("[a-z]{1,3}", "[a-z]{0,3}", 0..4),
        rotations in 0..3_usize,
        bent in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let world = &mut world();
        let id = key(world);
        let plain = base64_encode(&plain);
        let input = json!({"KeyId": id, "Plaintext": plain, "EncryptionContext": context});
        let blob = kms(world, "Encrypt", input).unwrap()["CiphertextBlob"].as_str().unwrap().to_owned();
        for _ in 0..rotations {
            kms(world, "RotateKeyOnDemand", json!({"KeyId": id})).unwrap();
        }
        let answer = decrypt(world, &blob, &json!(context)).unwrap();
        prop_assert_eq!(&answer["Plaintext"], &json!(plain));
        if other != context {
            let fault = decrypt(world, &blob, &json!(other)).unwrap_err();
            prop_assert_eq!(fault.code, "InvalidCiphertextException");
        }
        let mut bytes = base64_decode(&blob).unwrap();
        let at = bent.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(decrypt(world, &base64_encode(&bytes), &json!(context)).is_err());
        bytes.truncate(at);
        if !bytes.is_empty() {
            prop_assert!(decrypt(world, &base64_encode(&bytes), &json!(context)).is_err());
        }
    }

    #[test]
    fn neither_plaintexts_nor_key_material_lie_in_the_journal(plain in vec(any::<u8>(), 24..80)) {
        let world = &mut world();
        let id = key(world);
        let context: BTreeMap<String, String> = BTreeMap::new();
        let encoded = base64_encode(&plain);
        kms(world, "Encrypt", json!({"KeyId": id, "Plaintext": encoded, "EncryptionContext": context})).unwrap();
        let data_key = kms(world, "GenerateDataKey", json!({"KeyId": id, "KeySpec": "AES_256"})).unwrap();
        let handed_out = base64_decode(data_key["Plaintext"].as_str().unwrap()).unwrap();
        for secret in [&plain, &handed_out, &material(world, &id)] {
            prop_assert!(!lies_in_the_journal(world, secret));
        }
    }
}

/// The key's material in the clear, as a core with the same root key opens it.
fn material(world: &mut Harness, id: &str) -> Vec<u8> {
    let registry = Registry::new(world.core().registry().ports, super::services());
    let core = Core::open(registry, world.rows(), Box::new(MemorySegments::default()), 1).unwrap();
    let mut core = core.with_vault(vault(1)).unwrap();
    let sealed = core.store().get::<KeyRecord>(&world.scope, id).unwrap().materials[0].sealed.clone();
    let purpose = format!("kms.key/{id}/0");
    let open = |cx: &mut Cx<'_>| cx.unseal(&purpose, &base64_decode(&sealed).unwrap());
    let (bytes, _) = core.perform(world.now, &world.scope, super::root(), open);
    bytes.unwrap().to_vec()
}

/// Whether bytes lie in a row as they are, in hexadecimal, in base64 or as a list of numbers.
fn lies_in_the_journal(world: &mut Harness, secret: &[u8]) -> bool {
    let numbers = serde_json::to_string(secret).unwrap();
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let forms = [secret.to_vec(), hex.into_bytes(), base64_encode(secret).into_bytes(), numbers.into_bytes()];
    let rows = world.rows();
    forms.iter().any(|form| rows.iter().any(|row| row.body.windows(form.len()).any(|part| part == form.as_slice())))
}
