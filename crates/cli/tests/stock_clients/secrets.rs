//! Keys, secrets and encrypted parameters through the stock command line.

use serde_json::json;

use crate::Engine;

pub(crate) fn keys(engine: &Engine) -> String {
    let made = engine.aws(&["kms", "create-key", "--description", "stock"]);
    let key = made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
    engine.aws(&["kms", "create-alias", "--alias-name", "alias/stock", "--target-key-id", &key]);
    engine.aws(&["kms", "enable-key-rotation", "--key-id", &key]);
    assert_eq!(engine.aws(&["kms", "get-key-rotation-status", "--key-id", &key])["KeyRotationEnabled"], true);
    let context = ["--encryption-context", "for=stock"];
    // The two versions of the command line read a blob on the command line in two ways, and one in a file in one.
    let plain = blob(engine, "plain", b"hush");
    let encrypt = ["kms", "encrypt", "--key-id", "alias/stock", "--plaintext", &plain];
    let sealed = engine.aws(&[&encrypt[..], &context].concat())["CiphertextBlob"].as_str().unwrap().to_owned();
    let sealed = blob(engine, "sealed", &neargate_shape::scalar::base64_decode(&sealed).unwrap());
    let decrypt = ["kms", "decrypt", "--ciphertext-blob", &sealed];
    assert_eq!(engine.aws(&[&decrypt[..], &context].concat())["Plaintext"], "aHVzaA==");
    assert!(engine.refused(&decrypt).contains("(InvalidCiphertextException)"));
    let data_key = engine.aws(&["kms", "generate-data-key", "--key-id", &key, "--key-spec", "AES_256"]);
    assert_eq!(data_key["Plaintext"].as_str().unwrap().len(), 44);
    key
}

pub(crate) fn secrets(engine: &Engine, key: &str) {
    let made = engine.aws(&[
        "secretsmanager",
        "create-secret",
        "--name",
        "stock/db",
        "--secret-string",
        r#"{"user":"u"}"#,
        "--kms-key-id",
        key,
    ]);
    let arn = made["ARN"].as_str().unwrap();
    let get = ["secretsmanager", "get-secret-value", "--secret-id"];
    assert_eq!(engine.aws(&[&get[..], &[arn]].concat())["SecretString"], r#"{"user":"u"}"#);
    engine.aws(&["secretsmanager", "put-secret-value", "--secret-id", "stock/db", "--secret-string", "two"]);
    assert_eq!(engine.aws(&[&get[..], &["stock/db"]].concat())["SecretString"], "two");
    let previous = engine.aws(&[&get[..], &["stock/db", "--version-stage", "AWSPREVIOUS"]].concat());
    assert_eq!(previous["SecretString"], r#"{"user":"u"}"#);
    let described = engine.aws(&["secretsmanager", "describe-secret", "--secret-id", "stock/db"]);
    assert_eq!((&described["KmsKeyId"], described["VersionIdsToStages"].as_object().unwrap().len()), (&json!(key), 2));
    engine.aws(&["kms", "disable-key", "--key-id", key]);
    assert!(engine.refused(&[&get[..], &["stock/db"]].concat()).contains("(DecryptionFailure)"));
    engine.aws(&["kms", "enable-key", "--key-id", key]);
    engine.aws(&["secretsmanager", "delete-secret", "--secret-id", "stock/db"]);
    assert!(engine.refused(&[&get[..], &["stock/db"]].concat()).contains("(InvalidRequestException)"));
    engine.aws(&["secretsmanager", "restore-secret", "--secret-id", "stock/db"]);
    assert_eq!(engine.aws(&["secretsmanager", "list-secrets"])["SecretList"][0]["Name"], "stock/db");
}

pub(crate) fn secure_strings(engine: &Engine) {
    engine.aws(&["ssm", "put-parameter", "--name", "/secure/a", "--value", "hush", "--type", "SecureString"]);
    let get = ["ssm", "get-parameter", "--name", "/secure/a"];
    assert_ne!(engine.aws(&get)["Parameter"]["Value"], "hush");
    assert_eq!(engine.aws(&[&get[..], &["--with-decryption"]].concat())["Parameter"]["Value"], "hush");
    let described = engine.aws(&["ssm", "describe-parameters", "--parameter-filters", "Key=Type,Values=SecureString"]);
    assert_eq!(described["Parameters"][0]["KeyId"], "alias/aws/ssm");
}

fn blob(engine: &Engine, name: &str, bytes: &[u8]) -> String {
    let path = engine.folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    format!("fileb://{}", path.display())
}
