//! Container images.

use std::collections::BTreeMap;
use std::path::PathBuf;

use neargate_base::Diagnostic;
use neargate_l1::Value;

use crate::Scope;
use crate::codes;
use crate::ecr::Repository;
use crate::iam;
use crate::synth::asset::DockerAsset;

/// How an image is built from a directory.
#[derive(Clone, Debug, Default)]
pub struct AssetImageProps {
    /// The Dockerfile, relative to the directory. Default: `Dockerfile`.
    pub file: Option<String>,
    /// The build stage. Default: the last.
    pub target: Option<String>,
    /// `linux/amd64` or `linux/arm64`. Default: that of the machine that builds.
    pub platform: Option<String>,
    /// `--build-arg`s. Default: none.
    pub build_args: BTreeMap<String, String>,
}

/// The image that a container runs.
///
/// ```
/// use neargate_constructs::ecs::ContainerImage;
///
/// let image = ContainerImage::from_registry("public.ecr.aws/docker/library/busybox:1.37");
/// ```
#[derive(Clone, Debug)]
pub enum ContainerImage {
    /// One in a registry.
    Registry {
        /// `name:tag`, with the registry in front where it is not Docker Hub.
        name: Value<String>,
        /// The ARN of a secret with `username` and `password`. Default: none.
        credentials_secret_arn: Option<Value<String>>,
    },
    /// One in an Amazon ECR repository.
    Ecr {
        /// The repository.
        repository: Repository,
        /// A tag, or a digest that begins with `sha256:`.
        tag_or_digest: String,
    },
    /// One that is built from a directory with a Dockerfile when the app is run or deployed.
    Asset {
        /// The directory.
        directory: PathBuf,
        /// How it is built.
        props: AssetImageProps,
    },
}

/// What a container definition says of its image.
pub(super) struct BoundImage {
    pub(super) name: Value<String>,
    pub(super) credentials_secret_arn: Option<Value<String>>,
}

impl ContainerImage {
    /// One in a public registry: `name:tag`, with the registry in front where it is not Docker Hub.
    pub fn from_registry(name: impl Into<Value<String>>) -> Self {
        Self::Registry { name: name.into(), credentials_secret_arn: None }
    }

    /// One in an Amazon ECR repository.
    pub fn from_ecr_repository(repository: &Repository, tag_or_digest: &str) -> Self {
        Self::Ecr { repository: repository.clone(), tag_or_digest: tag_or_digest.to_owned() }
    }

    /// One that is built from a directory with a Dockerfile. What its `.dockerignore` names is left out, and so are cloud assemblies.
    pub fn from_asset(directory: impl Into<PathBuf>, props: AssetImageProps) -> Self {
        Self::Asset { directory: directory.into(), props }
    }

    /// Gives what the definition of the container in this scope says, and the execution role what it needs for that.
    pub(super) fn bind(&self, container: &Scope, role: &dyn Fn() -> iam::Role) -> BoundImage {
        match self {
            Self::Registry { name, credentials_secret_arn } => {
                if let Some(arn) = credentials_secret_arn {
                    iam::grant(
                        &role(),
                        &["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                        vec![arn.clone()],
                    );
                }
                if name.known().is_some_and(|name| !is_image(name)) {
                    let hint = "write it as `name:tag`, with the registry in front where it is not Docker Hub";
                    let message = format!("`{name}` is no name of an image");
                    container.report(Diagnostic::error(codes::CONTAINER, message).hint(hint));
                }
                if name.known().is_some_and(is_private_ecr) {
                    container.report(
                        Diagnostic::warning(
                            codes::CONTAINER,
                            format!("`{name}` is in Amazon ECR, and the execution role may not pull it"),
                        )
                        .hint("use `ContainerImage::from_ecr_repository`, which gives it what it needs"),
                    );
                }
                BoundImage { name: name.clone(), credentials_secret_arn: credentials_secret_arn.clone() }
            }
            Self::Ecr { repository, tag_or_digest } => {
                repository.grant_pull(&role());
                BoundImage { name: repository.uri_for(tag_or_digest), credentials_secret_arn: None }
            }
            Self::Asset { directory, props } => {
                let scope = container.child("AssetImage");
                let mut asset = DockerAsset {
                    hash: String::new(),
                    display_name: scope.path(),
                    directory: directory.clone(),
                    files: BTreeMap::new(),
                    dockerfile: props.file.clone(),
                    target: props.target.clone(),
                    platform: props.platform.clone(),
                    build_args: props.build_args.clone(),
                };
                asset.fingerprint().into_iter().for_each(|problem| scope.error(codes::ASSET, problem));
                let dockerfile = directory.join(props.file.as_deref().unwrap_or("Dockerfile"));
                if directory.is_dir() && !dockerfile.is_file() {
                    scope.error(codes::ASSET, format!("there is no `{}`", dockerfile.display()));
                }
                let stack = scope.stack();
                let name = stack.add_docker_asset(asset);
                Repository::bootstrap(&scope).grant_pull(&role());
                BoundImage { name, credentials_secret_arn: None }
            }
        }
    }
}

/// What Amazon ECS takes for an image: up to 255 letters, digits and `-_:./#@+`.
fn is_image(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_:./#@+".contains(c);
    !name.is_empty() && name.len() <= 255 && name.chars().all(legal)
}

/// `<account>.dkr.ecr.<region>.amazonaws.com/…`.
fn is_private_ecr(name: &str) -> bool {
    name.split_once('/').is_some_and(|(host, _)| host.contains(".dkr.ecr.") && host.contains(".amazonaws.com"))
}
