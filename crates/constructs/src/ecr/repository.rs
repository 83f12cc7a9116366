//! Repositories that exist.

use std::rc::Rc;

use neargate_l1::Value;

use crate::iam::{self, Grantable};
use crate::{Scope, construct, intrinsic};

/// A repository of container images that exists.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ecr::Repository, ecs::ContainerImage};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let repository = Repository::from_repository_name(&stack, "Repository", "etl/app");
/// let image = ContainerImage::from_ecr_repository(&repository, "1.4.2");
/// ```
#[derive(Clone)]
pub struct Repository(Rc<State>);

construct!(Repository);

struct State {
    scope: Scope,
    name: Value<String>,
    arn: Value<String>,
}

impl Repository {
    /// A repository of the stack's account and region.
    pub fn from_repository_name(scope: &Scope, id: &str, name: impl Into<Value<String>>) -> Self {
        let scope = scope.child(id);
        let name = name.into();
        let arn = scope.stack().format_arn("ecr", &format!("repository/{name}"));
        Self::of(scope, name, arn)
    }

    /// The repository that the CDK's bootstrap stack has for images of assemblies.
    pub(crate) fn bootstrap(scope: &Scope) -> Self {
        let stack = scope.stack();
        let name = stack.repository_name();
        let name = if name.contains("${") { intrinsic::sub(&name) } else { name.into() };
        Self::from_repository_name(scope, "Repository", name)
    }

    fn of(scope: Scope, name: Value<String>, arn: Value<String>) -> Self {
        let repository = Self(Rc::new(State { scope, name, arn }));
        repository.register("neargate.ecr.Repository", &repository);
        repository
    }

    /// The ARN.
    pub fn repository_arn(&self) -> Value<String> {
        self.0.arn.clone()
    }

    /// The image's URI; a digest begins with `sha256:`.
    pub fn uri_for(&self, tag_or_digest: &str) -> Value<String> {
        let stack = self.stack();
        let separator = if tag_or_digest.starts_with("sha256:") { '@' } else { ':' };
        let host = format!("{}.dkr.ecr.{}.{}", stack.account(), stack.region(), intrinsic::url_suffix());
        format!("{host}/{}{separator}{tag_or_digest}", self.0.name).into()
    }

    /// Lets a role pull.
    pub fn grant_pull(&self, grantee: &dyn Grantable) {
        let actions = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"];
        iam::grant(grantee, &actions, vec![self.repository_arn()]);
        iam::grant(grantee, &["ecr:GetAuthorizationToken"], vec!["*".into()]);
    }
}
