//! Roles.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use neargate_base::Diagnostic;
use neargate_l1::{Json, Value, iam as l1};

use super::Grantable;
use super::document::{PolicyDocument, PolicyStatement};
use super::managed_policy::ManagedPolicy;
use super::principal::Principal;
use crate::{CfnResource, Duration, Scope, codes, construct};

/// A role: what a service, a task or a user may do once it has assumed it.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, iam};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Stack", StackProps::default());
/// let role = iam::Role::new(&stack, "TaskRole", iam::RoleProps {
///     assumed_by: Some(iam::Principal::service("ecs-tasks.amazonaws.com")),
///     ..Default::default()
/// });
/// iam::grant(&role, &["sqs:SendMessage"], vec!["arn:aws:sqs:eu-west-1:123456789012:jobs".into()]);
/// let template = &app.assemble().unwrap().stacks[0].template;
/// assert_eq!(template["Resources"]["TaskRoleDefaultPolicy07FC53DE"]["Properties"]["Roles"][0]["Ref"], "TaskRole30FC0FBB");
/// ```
#[derive(Clone)]
pub struct Role(pub(super) Rc<State>);

construct!(Role);

pub(super) struct State {
    scope: Scope,
    pub(super) kind: Kind,
    /// Where the policy is that statements go to, once there are any.
    pub(super) default_policy: RefCell<Option<Scope>>,
}

pub(super) enum Kind {
    Owned(CfnResource, Rc<RefCell<Vec<ManagedPolicy>>>),
    Imported { arn: Value<String>, name: String, mutable: bool },
}

/// Properties of a [`Role`].
#[derive(Clone, Debug, Default)]
pub struct RoleProps {
    /// Who may assume it; required.
    pub assumed_by: Option<Principal>,
    /// Description, at most 1000 characters. Default: none.
    pub description: Option<String>,
    /// Ids that whoever assumes it must present one of. Default: none.
    pub external_ids: Vec<String>,
    /// Policies inside the role, by name. Default: none.
    pub inline_policies: BTreeMap<String, PolicyDocument>,
    /// Managed policies. Default: none.
    pub managed_policies: Vec<ManagedPolicy>,
    /// How long a session may last, 1 to 12 hours. Default: one hour.
    pub max_session_duration: Option<Duration>,
    /// The path of its name, beginning and ending with `/`. Default: `/`.
    pub path: Option<String>,
    /// A managed policy that bounds what it may do, whatever its policies allow. Default: none.
    pub permissions_boundary: Option<ManagedPolicy>,
    /// Its name, at most 64 characters. Default: CloudFormation's choice.
    pub role_name: Option<String>,
}

/// How a role that exists is taken in.
#[derive(Clone, Debug)]
pub struct FromRoleArnOptions {
    /// Whether grants may add a policy to it. A role of another account is never changed. Default: yes.
    pub mutable: bool,
}

impl Default for FromRoleArnOptions {
    fn default() -> Self {
        Self { mutable: true }
    }
}

impl Role {
    /// Declares a role.
    pub fn new(scope: &Scope, id: &str, props: RoleProps) -> Self {
        let scope = scope.child(id);
        check(&scope, &props);
        let managed = Rc::new(RefCell::new(props.managed_policies.clone()));
        let (place, shared) = (scope.clone(), Rc::clone(&managed));
        let resource =
            CfnResource::lazy(&scope, "Resource", move || Box::new(render(&place, &props, &shared.borrow())));
        Self::of(scope, Kind::Owned(resource, managed))
    }

    /// Takes in a role that exists.
    pub fn from_role_arn(scope: &Scope, id: &str, arn: impl Into<Value<String>>, options: FromRoleArnOptions) -> Self {
        let scope = scope.child(id);
        let arn = arn.into();
        let known = arn.known().and_then(|text| text.parse::<neargate_base::Arn>().ok());
        if known.is_none() && arn.known().is_some() {
            scope.error(codes::POLICY, format!("`{arn}` is no ARN of a role"));
        }
        let name = known.as_ref().and_then(|arn| arn.resource.rsplit('/').next()).unwrap_or_default().to_owned();
        let stack = scope.stack();
        let foreign = match (known.as_ref(), stack.account().known()) {
            (Some(arn), Some(account)) => arn.account != account,
            _ => false,
        };
        let mutable = options.mutable && !foreign;
        Self::of(scope, Kind::Imported { arn, name, mutable })
    }

    fn of(scope: Scope, kind: Kind) -> Self {
        let role = Self(Rc::new(State { scope, kind, default_policy: RefCell::default() }));
        role.register("neargate.iam.Role", &role);
        role
    }

    /// The ARN.
    pub fn role_arn(&self) -> Value<String> {
        match &self.0.kind {
            Kind::Owned(resource, _) => resource.attribute("Arn"),
            Kind::Imported { arn, .. } => arn.clone(),
        }
    }

    /// The name.
    pub fn role_name(&self) -> Value<String> {
        match &self.0.kind {
            Kind::Owned(resource, _) => resource.reference(),
            Kind::Imported { arn, name, .. } if name.is_empty() => last_segment(arn),
            Kind::Imported { name, .. } => name.as_str().into(),
        }
    }

    /// Gives a managed policy to the role.
    pub fn add_managed_policy(&self, policy: ManagedPolicy) {
        match &self.0.kind {
            Kind::Owned(_, managed) => managed.borrow_mut().push(policy),
            Kind::Imported { .. } => self.report(
                Diagnostic::error(
                    codes::POLICY,
                    format!("{policy:?} cannot be attached to a role that was only taken in"),
                )
                .hint("attach it where the role is made"),
            ),
        }
    }
}

impl Grantable for Role {
    fn grant_role(&self) -> Role {
        self.clone()
    }
}

/// What stands after the last `/` of an ARN that only deployment knows, one level deep.
fn last_segment(arn: &Value<String>) -> Value<String> {
    let parts: Value<Vec<Value<String>>> = crate::intrinsic::split("/", arn.clone());
    match parts {
        Value::Token(token) => crate::intrinsic::select(1, Json::Token(token)),
        Value::Literal(_) => arn.clone(),
    }
}

fn render(scope: &Scope, props: &RoleProps, managed: &[ManagedPolicy]) -> l1::Role {
    let mut arns: Vec<Value<String>> = Vec::new();
    for policy in managed {
        let arn = policy.arn();
        if !arns.contains(&arn) {
            arns.push(arn);
        }
    }
    let policies: Vec<Value<l1::role::Policy>> = props
        .inline_policies
        .iter()
        .map(|(name, document)| {
            let policy_document = Some(document.render(scope));
            l1::role::Policy { policy_name: Some(name.as_str().into()), policy_document }.into()
        })
        .collect();
    l1::Role {
        assume_role_policy_document: Some(trust_policy(scope, props).render(scope)),
        description: props.description.clone().filter(|text| !text.is_empty()).map(Value::Literal),
        managed_policy_arns: (!arns.is_empty()).then(|| arns.into()),
        max_session_duration: props.max_session_duration.map(|duration| duration.to_seconds().into()),
        path: props.path.clone().map(Value::Literal),
        permissions_boundary: props.permissions_boundary.as_ref().map(ManagedPolicy::arn),
        policies: (!policies.is_empty()).then(|| policies.into()),
        role_name: props.role_name.clone().map(Value::Literal),
        ..Default::default()
    }
}

/// One statement per action by which the principals assume the role; equal ones are merged when the document is rendered.
fn trust_policy(scope: &Scope, props: &RoleProps) -> PolicyDocument {
    let mut simple = Vec::new();
    if let Some(principal) = &props.assumed_by {
        flatten(principal, &mut simple);
    }
    let statements = simple.into_iter().map(|principal| {
        let fragments = principal.fragments(&scope.stack());
        let actions = fragments.iter().map(|fragment| fragment.assume_role_action.clone()).collect();
        let mut statement = PolicyStatement { actions, principals: vec![principal], ..PolicyStatement::default() };
        if !props.external_ids.is_empty() {
            let mut ids: Vec<Json> = props.external_ids.iter().map(|id| Json::from(id.as_str())).collect();
            let ids = if ids.len() == 1 { ids.remove(0) } else { Json::List(ids) };
            let test = [("sts:ExternalId".to_owned(), ids)];
            statement.conditions.insert("StringEquals".to_owned(), test.into_iter().collect());
        }
        statement
    });
    PolicyDocument { statements: statements.collect() }
}

fn flatten(principal: &Principal, simple: &mut Vec<Principal>) {
    match principal {
        Principal::Composite(all) => all.iter().for_each(|principal| flatten(principal, simple)),
        other => simple.push(other.clone()),
    }
}

fn check(scope: &Scope, props: &RoleProps) {
    let error = |message: String| scope.error(codes::POLICY, message);
    if props.assumed_by.is_none() {
        scope.report(
            Diagnostic::error(codes::MISSING_PROPERTY, "the role has no `assumed_by`")
                .hint("say who may assume it: `Principal::service(\"ecs-tasks.amazonaws.com\")`"),
        );
    }
    if let Some(name) = &props.role_name {
        let legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
            error(format!("`{name}` is no role name: expected 1 to 64 letters, digits and `_+=,.@-`"));
        }
    }
    if let Some(path) = &props.path
        && !(path.starts_with('/') && path.ends_with('/') && path.len() <= 512)
    {
        error(format!("`{path}` is no role path: expected at most 512 characters that begin and end with `/`"));
    }
    if let Some(seconds) = props.max_session_duration.map(Duration::to_seconds)
        && !(3600..=43_200).contains(&seconds)
    {
        error(format!("`max_session_duration` is {seconds} seconds: expected 3600 to 43200"));
    }
    if props.description.as_ref().is_some_and(|text| text.chars().count() > 1000) {
        error("`description` is longer than 1000 characters".to_owned());
    }
}
