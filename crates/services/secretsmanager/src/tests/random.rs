//! Properties over random input: passwords, and what lies in the journal.

use neargate_shape::scalar::base64_encode;
use neargate_testkit::Harness;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::{ask, token, value, world};

fn count(password: &str, is: fn(char) -> bool) -> usize {
    password.chars().filter(|letter| is(*letter)).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_password_has_what_it_must_and_not_what_it_must_not(
        length in 5..100_usize,
        lower in any::<bool>(),
        upper in any::<bool>(),
        numbers in any::<bool>(),
        punctuation in any::<bool>(),
        space in any::<bool>(),
        excluded in "[a-f0-4!#]{0,6}",
    ) {
        let world = &mut world();
        let input = json!({"PasswordLength": length, "ExcludeLowercase": !lower, "ExcludeUppercase": !upper,
            "ExcludeNumbers": !numbers, "ExcludePunctuation": !punctuation, "IncludeSpace": space,
            "ExcludeCharacters": excluded});
        let answer = ask(world, "GetRandomPassword", input);
        if !(lower || upper || numbers || punctuation || space) {
            prop_assert_eq!(answer.unwrap_err().code, "InvalidParameterException");
            return Ok(());
        }
        let answer = answer.unwrap();
        let password = answer["RandomPassword"].as_str().unwrap();
        prop_assert_eq!(password.chars().count(), length);
        prop_assert_eq!(count(password, |letter| letter.is_ascii_lowercase()) > 0, lower);
        prop_assert_eq!(count(password, |letter| letter.is_ascii_uppercase()) > 0, upper);
        prop_assert_eq!(count(password, |letter| letter.is_ascii_digit()) > 0, numbers);
        prop_assert_eq!(count(password, |letter| letter.is_ascii_punctuation()) > 0, punctuation);
        prop_assert_eq!(count(password, |letter| letter == ' ') > 0, space);
        prop_assert!(!password.chars().any(|letter| excluded.contains(letter)));
    }

    #[test]
    fn no_value_lies_in_the_journal(text in "[a-zA-Z0-9]{16,60}", bytes in vec(any::<u8>(), 16..60)) {
        let world = &mut world();
        ask(world, "CreateSecret", json!({"Name": "a", "SecretString": text})).unwrap();
        let binary = base64_encode(&bytes);
        let put = json!({"SecretId": "a", "SecretBinary": binary, "ClientRequestToken": token(1)});
        ask(world, "PutSecretValue", put.clone()).unwrap();
        ask(world, "PutSecretValue", put).unwrap();
        ask(world, "UpdateSecret", json!({"SecretId": "a", "SecretString": text})).unwrap();
        let read = value(world, "a");
        prop_assert_eq!(read, format!("\"{text}\""));
        for secret in [text.as_bytes(), &bytes] {
            prop_assert!(!lies_in_the_journal(world, secret));
        }
        world.restart().unwrap();
        prop_assert_eq!(value(world, "a"), format!("\"{text}\""));
    }
}

/// Whether bytes lie in a row as they are, in hexadecimal, in base64 or as a list of numbers.
fn lies_in_the_journal(world: &mut Harness, secret: &[u8]) -> bool {
    let numbers = serde_json::to_string(secret).unwrap();
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let forms = [secret.to_vec(), hex.into_bytes(), base64_encode(secret).into_bytes(), numbers.into_bytes()];
    let rows = world.rows();
    forms.iter().any(|form| rows.iter().any(|row| row.body.windows(form.len()).any(|part| part == form.as_slice())))
}
