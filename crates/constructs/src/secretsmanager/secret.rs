//! Secrets.

use std::rc::Rc;

use neargate_base::{Arn, Diagnostic};
use neargate_l1::{Json, Value, secretsmanager as l1};

use crate::iam::{self, Grantable};
use crate::kms::{Key, SecretUse};
use crate::{CfnResource, RemovalPolicy, Scope, codes, construct};

/// What stands for the six characters that Secrets Manager adds to a name, in a policy.
const ANY_SUFFIX: &str = "-??????";
const SUFFIX_LENGTH: usize = 6;

/// How AWS Secrets Manager makes a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretStringGenerator {
    /// Characters that are not in it. Default: all may be.
    pub exclude_characters: Option<String>,
    /// Whether it has no lower-case letters. Default: it has.
    pub exclude_lowercase: Option<bool>,
    /// Whether it has no digits. Default: it has.
    pub exclude_numbers: Option<bool>,
    /// Whether it has no punctuation. Default: it has.
    pub exclude_punctuation: Option<bool>,
    /// Whether it has no upper-case letters. Default: it has.
    pub exclude_uppercase: Option<bool>,
    /// Whether it may have spaces. Default: no.
    pub include_space: Option<bool>,
    /// How long it is, 1 to 4096 characters. Default: 32.
    pub password_length: Option<i64>,
    /// Whether it has one character of each kind at least. Default: yes.
    pub require_each_included_type: Option<bool>,
    /// A JSON object that the value is put into, under `generate_string_key`. Default: the value is all there is.
    pub secret_string_template: Option<String>,
    /// Where in the template the value is put.
    pub generate_string_key: Option<String>,
}

/// Properties of a [`Secret`].
#[derive(Clone, Debug, Default)]
pub struct SecretProps {
    /// Its name. Default: CloudFormation's choice.
    pub secret_name: Option<String>,
    /// Description. Default: none.
    pub description: Option<String>,
    /// The key that encrypts it. Default: AWS Secrets Manager's own.
    pub encryption_key: Option<Key>,
    /// How its value is made; not together with `secret_string_value`. Default: 32 letters, digits and punctuation characters.
    pub generate_secret_string: Option<SecretStringGenerator>,
    /// Its value, for all who can read the template to see: give a value of deployment, such as a parameter with `no_echo`.
    pub secret_string_value: Option<Value<String>>,
    /// What happens when it leaves the stack. Default: it is deleted.
    pub removal_policy: Option<RemovalPolicy>,
}

/// What is known of a secret that exists: exactly one ARN.
#[derive(Clone, Debug, Default)]
pub struct SecretAttributes {
    /// The ARN with the six characters that Secrets Manager added at its end.
    pub secret_complete_arn: Option<Value<String>>,
    /// The ARN without them.
    pub secret_partial_arn: Option<Value<String>>,
    /// The key that encrypts it. Default: AWS Secrets Manager's own.
    pub encryption_key: Option<Key>,
}

/// A secret.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ecs, secretsmanager::Secret};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let credentials = Secret::from_secret_name(&stack, "Credentials", "app/creds");
/// let api_key = ecs::Secret::from_secrets_manager(&credentials, Some("apiKey"));
/// assert!(app.assemble().is_ok());
/// ```
#[derive(Clone)]
pub struct Secret(Rc<State>);

construct!(Secret);

struct State {
    scope: Scope,
    arn: Value<String>,
    /// The ARN, with anything for the suffix where it is not known.
    arn_for_policies: Value<String>,
    encryption_key: Option<Key>,
}

impl Secret {
    /// Declares a secret.
    pub fn new(scope: &Scope, id: &str, props: SecretProps) -> Self {
        let scope = scope.child(id);
        check(&scope, &props);
        let generator = props.generate_secret_string.as_ref().filter(|generator| **generator != Default::default());
        let resource = CfnResource::new(
            &scope,
            "Resource",
            l1::Secret {
                description: props.description.map(Value::Literal),
                generate_secret_string: generator.map(|generator| generator.render().into()),
                kms_key_id: props.encryption_key.as_ref().map(Key::key_arn),
                name: props.secret_name.map(Value::Literal),
                secret_string: props.secret_string_value.clone(),
                ..Default::default()
            },
        );
        if generator.is_none() && props.secret_string_value.is_none() {
            // Empty, it says that a value is to be made; left out, the secret would have none.
            resource.add_property_override("GenerateSecretString", Json::Map(vec![]));
        }
        resource.apply_removal_policy(props.removal_policy.unwrap_or(RemovalPolicy::Destroy));
        if let Some(key) = &props.encryption_key {
            key.allow_secrets(&scope.stack());
        }
        let arn = resource.reference();
        Self::of(State { scope, arn: arn.clone(), arn_for_policies: arn, encryption_key: props.encryption_key })
    }

    /// Takes in a secret that exists, by its ARN with the six characters that Secrets Manager added at its end.
    pub fn from_secret_complete_arn(scope: &Scope, id: &str, arn: impl Into<Value<String>>) -> Self {
        let secret_complete_arn = Some(arn.into());
        Self::from_secret_attributes(scope, id, SecretAttributes { secret_complete_arn, ..Default::default() })
    }

    /// Takes in a secret that exists, by its ARN without the six characters that Secrets Manager added at its end.
    pub fn from_secret_partial_arn(scope: &Scope, id: &str, arn: impl Into<Value<String>>) -> Self {
        let secret_partial_arn = Some(arn.into());
        Self::from_secret_attributes(scope, id, SecretAttributes { secret_partial_arn, ..Default::default() })
    }

    /// Takes in a secret that exists in the stack's account and region, by its name.
    pub fn from_secret_name(scope: &Scope, id: &str, name: &str) -> Self {
        let scope = scope.child(id);
        check_name(&scope, name);
        let arn = scope.stack().format_arn("secretsmanager", &format!("secret:{name}"));
        let arn_for_policies = format!("{arn}{ANY_SUFFIX}").into();
        Self::of(State { scope, arn, arn_for_policies, encryption_key: None })
    }

    /// Takes in a secret that exists.
    pub fn from_secret_attributes(scope: &Scope, id: &str, attributes: SecretAttributes) -> Self {
        let scope = scope.child(id);
        let (arn, arn_for_policies) = match (attributes.secret_complete_arn, attributes.secret_partial_arn) {
            (Some(arn), None) => {
                check_arn(&scope, &arn, true);
                (arn.clone(), arn)
            }
            (None, Some(arn)) => {
                check_arn(&scope, &arn, false);
                (arn.clone(), format!("{arn}{ANY_SUFFIX}").into())
            }
            (complete, _) => {
                let message = "the secret needs exactly one of `secret_complete_arn` and `secret_partial_arn`";
                scope.report(Diagnostic::error(codes::SECRET, message).hint("give one of the two"));
                let arn = complete.unwrap_or_default();
                (arn.clone(), arn)
            }
        };
        Self::of(State { scope, arn, arn_for_policies, encryption_key: attributes.encryption_key })
    }

    fn of(state: State) -> Self {
        let secret = Self(Rc::new(state));
        secret.register("neargate.secretsmanager.Secret", &secret);
        secret
    }

    /// The ARN, as far as it is known: that of a secret taken in by name or partial ARN lacks the last six characters.
    pub fn secret_arn(&self) -> Value<String> {
        self.0.arn.clone()
    }

    /// The key that encrypts it, where that is not AWS Secrets Manager's own.
    pub fn encryption_key(&self) -> Option<&Key> {
        self.0.encryption_key.as_ref()
    }

    /// Lets a role read the value.
    pub fn grant_read(&self, grantee: &dyn Grantable) {
        let actions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"];
        self.grant(grantee, &actions, SecretUse::Decrypt);
    }

    /// Lets a role change the value.
    pub fn grant_write(&self, grantee: &dyn Grantable) {
        let actions =
            ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret", "secretsmanager:UpdateSecretVersionStage"];
        self.grant(grantee, &actions, SecretUse::Encrypt);
    }

    fn grant(&self, grantee: &dyn Grantable, actions: &[&str], usage: SecretUse) {
        iam::grant(grantee, actions, vec![self.0.arn_for_policies.clone()]);
        if let Some(key) = &self.0.encryption_key {
            key.grant_through_secrets_manager(&self.stack(), grantee, usage);
        }
    }
}

impl SecretStringGenerator {
    fn render(&self) -> l1::secret::GenerateSecretString {
        l1::secret::GenerateSecretString {
            exclude_characters: self.exclude_characters.clone().map(Value::Literal),
            exclude_lowercase: self.exclude_lowercase.map(Value::Literal),
            exclude_numbers: self.exclude_numbers.map(Value::Literal),
            exclude_punctuation: self.exclude_punctuation.map(Value::Literal),
            exclude_uppercase: self.exclude_uppercase.map(Value::Literal),
            generate_string_key: self.generate_string_key.clone().map(Value::Literal),
            include_space: self.include_space.map(Value::Literal),
            password_length: self.password_length.map(Value::Literal),
            require_each_included_type: self.require_each_included_type.map(Value::Literal),
            secret_string_template: self.secret_string_template.clone().map(Value::Literal),
        }
    }
}

/// Whether an ARN that is known is one of a secret, and has or has not the characters at its end.
fn check_arn(scope: &Scope, arn: &Value<String>, complete: bool) {
    let Some(text) = arn.known() else { return };
    let parsed = text.parse::<Arn>().ok();
    if !parsed.is_some_and(|arn| arn.service == "secretsmanager" && arn.resource.starts_with("secret:")) {
        let hint = "write it as `arn:aws:secretsmanager:<region>:<account>:secret:<name>-<six characters>`";
        return scope.report(Diagnostic::error(codes::SECRET, format!("`{text}` is no ARN of a secret")).hint(hint));
    }
    let has_suffix = text
        .rsplit_once('-')
        .is_some_and(|(_, suffix)| suffix.len() == SUFFIX_LENGTH && suffix.chars().all(|c| c.is_ascii_alphanumeric()));
    if complete && !has_suffix {
        scope.report(
            Diagnostic::error(
                codes::SECRET,
                format!("`{text}` is not complete: the six characters that Secrets Manager adds are missing"),
            )
            .hint("give the ARN that `aws secretsmanager describe-secret` shows, or take the secret in by its name"),
        );
    }
}

/// A name that holds a value of deployment is checked there.
fn check_name(scope: &Scope, name: &str) {
    let legal = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    let is_known = Value::from(name).known().is_some();
    if is_known && (name.is_empty() || name.len() > 512 || !name.chars().all(legal)) {
        let message = format!("`{name}` is no name of a secret");
        let hint = "take 1 to 512 letters, digits and `/_+=.@-`";
        scope.report(Diagnostic::error(codes::SECRET, message).hint(hint));
    }
}

fn check(scope: &Scope, props: &SecretProps) {
    let error = |message: String, hint: &str| {
        scope.report(Diagnostic::error(codes::SECRET, message).hint(hint.to_owned()));
    };
    if props.generate_secret_string.is_some() && props.secret_string_value.is_some() {
        error(
            "`generate_secret_string` and `secret_string_value` are both given".to_owned(),
            "a secret has one value: give one of the two",
        );
    }
    if let Some(name) = &props.secret_name {
        check_name(scope, name);
    }
    let Some(generator) = &props.generate_secret_string else { return };
    if let Some(length) = generator.password_length.filter(|length| !(1..=4096).contains(length)) {
        error(format!("`password_length` is {length}: expected 1 to 4096"), "leave it out for 32");
    }
    if generator.secret_string_template.is_some() != generator.generate_string_key.is_some() {
        error(
            "`secret_string_template` and `generate_string_key` are given one without the other".to_owned(),
            "the key says where in the template the value is put: give both",
        );
    }
}
