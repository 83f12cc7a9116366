//! Inline policies.

use std::cell::RefCell;
use std::rc::Rc;

use neargate_base::Diagnostic;
use neargate_l1::{Value, iam as l1};

use super::document::{PolicyDocument, PolicyStatement};
use super::role::{Kind, Role};
use crate::{CfnResource, Scope, codes, construct};

const NAME_LENGTH_MAX: usize = 128;

/// An inline policy of one or more roles.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, iam::{Policy, PolicyProps, PolicyStatement, Principal, Role, RoleProps}};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let assumed_by = Some(Principal::service("ecs-tasks.amazonaws.com"));
/// let role = Role::new(&stack, "Role", RoleProps { assumed_by, ..Default::default() });
/// let policy = Policy::new(&stack, "Read", PolicyProps { roles: vec![role], ..Default::default() });
/// policy.add_statement(PolicyStatement {
///     actions: vec!["s3:GetObject".into()],
///     resources: vec!["arn:aws:s3:::bucket/*".into()],
///     ..Default::default()
/// });
/// assert!(app.assemble().is_ok());
/// ```
#[derive(Clone)]
pub struct Policy(Rc<State>);

construct!(Policy);

struct State {
    scope: Scope,
    statements: RefCell<Vec<PolicyStatement>>,
    roles: RefCell<Vec<Role>>,
}

/// Properties of a [`Policy`].
#[derive(Clone, Debug, Default)]
pub struct PolicyProps {
    /// Its name. Default: its logical id.
    pub policy_name: Option<String>,
    /// What it allows.
    pub statements: Vec<PolicyStatement>,
    /// The roles that have it.
    pub roles: Vec<Role>,
}

impl Policy {
    /// Declares an inline policy.
    pub fn new(scope: &Scope, id: &str, props: PolicyProps) -> Self {
        let scope = scope.child(id);
        let policy = Self(Rc::new(State {
            scope: scope.clone(),
            statements: RefCell::new(props.statements),
            roles: RefCell::new(props.roles),
        }));
        let state = Rc::clone(&policy.0);
        let name = props.policy_name;
        CfnResource::lazy(&scope, "Resource", move || {
            let document = PolicyDocument { statements: state.statements.borrow().clone() };
            let roles: Vec<Value<String>> = state.roles.borrow().iter().map(Role::role_name).collect();
            Box::new(l1::Policy {
                policy_document: Some(document.render(&state.scope)),
                policy_name: Some(name.clone().unwrap_or_else(|| default_name(&state.scope)).into()),
                roles: Some(roles.into()),
                ..Default::default()
            })
        });
        let state = Rc::clone(&policy.0);
        scope.add_validation(move |found| {
            let error = |message: &str| Diagnostic::error(codes::POLICY, message);
            if state.statements.borrow().is_empty() {
                found.push(error("policy is empty").hint("add a statement, or leave the policy out"));
            }
            if state.roles.borrow().is_empty() {
                found.push(error("policy belongs to no role").hint("attach it to a role"));
            }
        });
        policy.register("neargate.iam.Policy", &policy);
        policy
    }

    /// Adds a statement.
    pub fn add_statement(&self, statement: PolicyStatement) {
        self.0.statements.borrow_mut().push(statement);
    }

    /// Gives the policy to a role.
    pub fn attach_to_role(&self, role: &Role) {
        let mut roles = self.0.roles.borrow_mut();
        if !roles.contains(role) {
            roles.push(role.clone());
        }
    }
}

impl Role {
    /// Adds a statement to the role's default policy, which is made with the first one.
    pub fn add_to_policy(&self, statement: PolicyStatement) {
        if matches!(self.0.kind, Kind::Imported { mutable: false, .. }) {
            return;
        }
        let existing = self.0.default_policy.borrow().as_ref().and_then(|scope| scope.construct::<Policy>());
        let policy = existing.unwrap_or_else(|| self.make_default_policy());
        policy.add_statement(statement);
    }

    fn make_default_policy(&self) -> Policy {
        let roles = vec![self.clone()];
        let policy = match &self.0.kind {
            Kind::Owned(..) => Policy::new(self, "DefaultPolicy", PolicyProps { roles, ..PolicyProps::default() }),
            Kind::Imported { .. } => {
                // Several stacks may add to one imported role: the name must tell them apart.
                let name = format!("Policy{}", self.unique_id());
                Policy::new(
                    self,
                    &name,
                    PolicyProps { roles, policy_name: Some(name.clone()), ..PolicyProps::default() },
                )
            }
        };
        *self.0.default_policy.borrow_mut() = Some((*policy).clone());
        policy
    }
}

/// The logical id, cut from the front so that its hash stays.
fn default_name(scope: &Scope) -> String {
    let id = scope.try_find_child("Resource").map(|resource| resource.logical_id()).unwrap_or_default();
    let from = id.len().saturating_sub(NAME_LENGTH_MAX);
    id.get(from..).unwrap_or_default().to_owned()
}
