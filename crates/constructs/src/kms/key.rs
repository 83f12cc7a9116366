//! Keys.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use neargate_base::{Arn, Diagnostic};
use neargate_l1::{Json, Value, kms as l1};

use crate::iam::{self, Conditions, Grantable, PolicyDocument, PolicyStatement, Principal};
use crate::{CfnResource, Duration, RemovalPolicy, Scope, Stack, codes, construct, intrinsic};

const DECRYPT: &[&str] = &["kms:Decrypt"];
const ENCRYPT: &[&str] = &["kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"];

/// Properties of a [`Key`].
#[derive(Clone, Debug, Default)]
pub struct KeyProps {
    /// Its first alias, with or without `alias/` in front. An account has an alias once in a region. Default: none.
    pub alias: Option<String>,
    /// Description. Default: none.
    pub description: Option<String>,
    /// Whether its key material is replaced now and then. Default: no, but yes where `rotation_period` is given.
    pub enable_key_rotation: Option<bool>,
    /// How often key material is replaced, 90 to 2560 days. Default: every 365 days, where it is.
    pub rotation_period: Option<Duration>,
    /// Whether it works. Default: yes.
    pub enabled: Option<bool>,
    /// Whether other regions may have replicas of it. Default: no.
    pub multi_region: Option<bool>,
    /// How long it can be taken back that it was deleted, 7 to 30 days. Default: 30 days.
    pub pending_window: Option<Duration>,
    /// Who may use it. Default: whom IAM policies of the account allow to.
    pub policy: Option<PolicyDocument>,
    /// What happens when it leaves the stack. Default: it stays, for what it encrypted is lost without it.
    pub removal_policy: Option<RemovalPolicy>,
}

/// A symmetric key.
///
/// Grants go to the role's policy: the default key policy trusts the account's IAM policies. A log group that is given a key sees to it
/// that CloudWatch Logs may use it ([`crate::logs::LogGroupProps::encryption_key`]).
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, iam, kms};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let key = kms::Key::new(&stack, "Key", kms::KeyProps {
///     alias: Some("jobs".into()),
///     enable_key_rotation: Some(true),
///     ..Default::default()
/// });
/// let assumed_by = Some(iam::Principal::service("ecs-tasks.amazonaws.com"));
/// key.grant_decrypt(&iam::Role::new(&stack, "Role", iam::RoleProps { assumed_by, ..Default::default() }));
/// assert!(app.assemble().is_ok());
/// ```
#[derive(Clone)]
pub struct Key(Rc<State>);

construct!(Key);

struct State {
    scope: Scope,
    key_id: Value<String>,
    arn: Value<String>,
    /// None where the key was only taken in.
    policy: Option<Rc<RefCell<PolicyDocument>>>,
    has_alias: Cell<bool>,
}

impl Key {
    /// Declares a key.
    pub fn new(scope: &Scope, id: &str, props: KeyProps) -> Self {
        let scope = scope.child(id);
        check(&scope, &props);
        let policy = Rc::new(RefCell::new(props.policy.clone().unwrap_or_else(default_policy)));
        let (place, shared) = (scope.clone(), Rc::clone(&policy));
        let alias = props.alias.clone();
        let removal = props.removal_policy.unwrap_or(RemovalPolicy::Retain);
        let resource =
            CfnResource::lazy(&scope, "Resource", move || Box::new(render(&place, &props, &shared.borrow())));
        resource.apply_removal_policy(removal);
        let key = Self::of(scope, resource.reference(), resource.attribute("Arn"), Some(policy));
        if let Some(alias) = alias {
            key.add_alias(&alias);
        }
        key
    }

    /// Takes in a key that exists. Its policy stays as it is: it must let in whom grants go to.
    pub fn from_key_arn(scope: &Scope, id: &str, arn: impl Into<Value<String>>) -> Self {
        let scope = scope.child(id);
        let arn = arn.into();
        let key_id = match arn.known() {
            None => segment(&arn),
            Some(text) => {
                let parsed = text.parse::<Arn>().ok();
                let name = parsed.as_ref().and_then(|arn| arn.resource.strip_prefix("key/"));
                if name.is_none() {
                    let hint = "write it as `arn:aws:kms:<region>:<account>:key/<key id>`";
                    scope.report(Diagnostic::error(codes::KEY, format!("`{text}` is no ARN of a key")).hint(hint));
                }
                name.unwrap_or_default().into()
            }
        };
        Self::of(scope, key_id, arn, None)
    }

    fn of(
        scope: Scope,
        key_id: Value<String>,
        arn: Value<String>,
        policy: Option<Rc<RefCell<PolicyDocument>>>,
    ) -> Self {
        let key = Self(Rc::new(State { scope, key_id, arn, policy, has_alias: Cell::new(false) }));
        key.register("neargate.kms.Key", &key);
        key
    }

    /// The id.
    pub fn key_id(&self) -> Value<String> {
        self.0.key_id.clone()
    }

    /// The ARN.
    pub fn key_arn(&self) -> Value<String> {
        self.0.arn.clone()
    }

    /// The id of the next alias.
    pub(super) fn alias_id(&self, alias_name: &str) -> String {
        if self.0.has_alias.replace(true) { format!("Alias{alias_name}") } else { "Alias".to_owned() }
    }

    /// Adds a statement to the key policy; whether it could: the policy of a key that was only taken in stays as it is.
    pub fn add_to_resource_policy(&self, statement: PolicyStatement) -> bool {
        let Some(policy) = &self.0.policy else { return false };
        policy.borrow_mut().statements.push(statement);
        true
    }

    /// Lets a role use the key for these actions.
    pub fn grant(&self, grantee: &dyn Grantable, actions: &[&str]) {
        iam::grant(grantee, actions, vec![self.key_arn()]);
    }

    /// Lets a role decrypt.
    pub fn grant_decrypt(&self, grantee: &dyn Grantable) {
        self.grant(grantee, DECRYPT);
    }

    /// Lets a role encrypt.
    pub fn grant_encrypt(&self, grantee: &dyn Grantable) {
        self.grant(grantee, ENCRYPT);
    }

    /// Lets a role encrypt and decrypt.
    pub fn grant_encrypt_decrypt(&self, grantee: &dyn Grantable) {
        self.grant(grantee, &[DECRYPT, ENCRYPT].concat());
    }

    /// Lets a role use the key through AWS Secrets Manager of a stack's region, and in no other way.
    ///
    /// The key policy says so where it can: not that of a key that was only taken in, and not that of a key in another stack, which
    /// would have to wait for the role while the role's stack waits for the key. Then the role's policy does.
    pub(crate) fn grant_through_secrets_manager(&self, stack: &Stack, grantee: &dyn Grantable, usage: SecretUse) {
        let role = grantee.grant_role();
        let statement = through_secrets_manager(stack, &[usage]);
        if self.0.policy.is_some() && role.stack() == self.stack() {
            let principals = vec![Principal::Arn(role.role_arn())];
            self.add_to_resource_policy(PolicyStatement { principals, ..statement });
        } else {
            role.add_to_policy(PolicyStatement { resources: vec![self.key_arn()], ..statement });
        }
    }

    /// Lets a secret be made with the key, for whom the account's IAM policies allow to.
    pub(crate) fn allow_secrets(&self, stack: &Stack) {
        let uses = [SecretUse::Decrypt, SecretUse::Encrypt, SecretUse::Manage];
        let principals = vec![Principal::AccountRoot];
        self.add_to_resource_policy(PolicyStatement { principals, ..through_secrets_manager(stack, &uses) });
    }

    /// Lets CloudWatch Logs of a stack's region encrypt a log group, or any of the account where the name is not known.
    ///
    /// Without it CloudWatch Logs refuses to make a log group with the key. See
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>.
    pub(crate) fn allow_cloudwatch_logs(&self, stack: &Stack, log_group_name: Option<&str>) {
        let actions = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];
        let service = format!("logs.{}.{}", stack.region(), intrinsic::url_suffix());
        let log_groups = stack.format_arn("logs", &format!("log-group:{}", log_group_name.unwrap_or("*")));
        self.add_to_resource_policy(PolicyStatement {
            actions: actions.map(str::to_owned).to_vec(),
            resources: vec!["*".into()],
            principals: vec![Principal::service(&service)],
            conditions: condition("ArnLike", "kms:EncryptionContext:aws:logs:arn", log_groups.to_string()),
            ..PolicyStatement::default()
        });
    }
}

/// What a secret needs its key for.
#[derive(Clone, Copy)]
pub(crate) enum SecretUse {
    /// Its value is read.
    Decrypt,
    /// Its value is written.
    Encrypt,
    /// It is made with the key.
    Manage,
}

fn through_secrets_manager(stack: &Stack, uses: &[SecretUse]) -> PolicyStatement {
    let actions = uses.iter().flat_map(|usage| match usage {
        SecretUse::Decrypt => DECRYPT,
        SecretUse::Encrypt => ENCRYPT,
        SecretUse::Manage => &["kms:CreateGrant", "kms:DescribeKey"],
    });
    let service = format!("secretsmanager.{}.amazonaws.com", stack.region());
    PolicyStatement {
        actions: actions.map(|action| (*action).to_owned()).collect(),
        resources: vec!["*".into()],
        conditions: condition("StringEquals", "kms:ViaService", service),
        ..PolicyStatement::default()
    }
}

fn condition(operator: &str, key: &str, value: String) -> Conditions {
    let test = [(key.to_owned(), Json::from(value))];
    [(operator.to_owned(), test.into_iter().collect())].into_iter().collect()
}

/// The account's IAM policies decide.
fn default_policy() -> PolicyDocument {
    let statement = PolicyStatement {
        actions: vec!["kms:*".to_owned()],
        resources: vec!["*".into()],
        principals: vec![Principal::AccountRoot],
        ..PolicyStatement::default()
    };
    PolicyDocument { statements: vec![statement] }
}

/// What stands after the `/` of an ARN that only deployment knows.
fn segment(arn: &Value<String>) -> Value<String> {
    let parts: Value<Vec<Value<String>>> = intrinsic::split("/", arn.clone());
    match parts {
        Value::Token(token) => intrinsic::select(1, Json::Token(token)),
        Value::Literal(_) => arn.clone(),
    }
}

fn render(scope: &Scope, props: &KeyProps, policy: &PolicyDocument) -> l1::Key {
    let rotation = props.enable_key_rotation.or(props.rotation_period.map(|_| true));
    l1::Key {
        description: props.description.clone().map(Value::Literal),
        enable_key_rotation: rotation.map(Value::Literal),
        enabled: props.enabled.map(Value::Literal),
        key_policy: Some(policy.render(scope)),
        multi_region: props.multi_region.map(Value::Literal),
        pending_window_in_days: props.pending_window.map(|window| window.to_days().into()),
        rotation_period_in_days: props.rotation_period.map(|period| period.to_days().into()),
        ..Default::default()
    }
}

fn check(scope: &Scope, props: &KeyProps) {
    let error = |message: String, hint: &str| {
        scope.report(Diagnostic::error(codes::KEY, message).hint(hint.to_owned()));
    };
    let spans = [("rotation_period", props.rotation_period, 90, 2560), ("pending_window", props.pending_window, 7, 30)];
    for (name, span, least, most) in spans {
        let Some(span) = span else { continue };
        let days = span.to_days();
        if !(least..=most).contains(&days) {
            let nearest = days.clamp(least, most);
            error(
                format!("`{name}` is {days} days: expected {least} to {most}"),
                &format!("the nearest is `Duration::days({nearest})`"),
            );
        }
    }
    if props.rotation_period.is_some() && props.enable_key_rotation == Some(false) {
        error("`rotation_period` is given, but `enable_key_rotation` is off".to_owned(), "leave out one of the two");
    }
    if props.description.as_ref().is_some_and(|text| text.chars().count() > 8192) {
        error("`description` is longer than 8192 characters".to_owned(), "say less");
    }
}
