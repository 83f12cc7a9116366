//! The cloud assembly: what `cdk deploy` and Neargate's own command line read.

use std::path::{Path, PathBuf};

use neargate_base::Diagnostic;
use serde_json::{Map, Value as Plain, json};

use super::asset::{Asset, AssetSource, DockerAsset, hash_text};
use super::template::BOOTSTRAP_VERSION_MIN;
use crate::tree::codes;
use crate::tree::logical_id;
use crate::tree::node::{MissingContext, Stack};
use crate::tree::stack::QUALIFIER;

/// The version of the assembly's format.
const VERSION: &str = "55.0.0";

/// One stack of an assembly.
#[derive(Clone, Debug)]
pub struct StackArtifact {
    /// The name of its artifact, which its files begin with.
    pub id: String,
    /// Its name in CloudFormation.
    pub name: String,
    /// Its template.
    pub template: Plain,
    stack: Stack,
    waits_for: Vec<String>,
}

/// An assembly in memory.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// The stacks, each after those it reads from.
    pub stacks: Vec<StackArtifact>,
    /// Warnings and notes; errors leave no assembly.
    pub diagnostics: Vec<Diagnostic>,
    tree: Plain,
    missing: Vec<MissingContext>,
}

/// An assembly on disk.
#[derive(Clone, Debug)]
pub struct CloudAssembly {
    /// Where it lies.
    pub directory: PathBuf,
    /// What it holds.
    pub assembly: Assembly,
}

impl Assembly {
    pub(super) fn new(
        templates: Vec<(Stack, Plain)>,
        order: &[Stack],
        tree: Plain,
        missing: Vec<MissingContext>,
        diagnostics: Vec<Diagnostic>,
    ) -> Self {
        let mut stacks: Vec<StackArtifact> = templates
            .into_iter()
            .map(|(stack, template)| {
                let waits_for = stack.state.waits_for.borrow().iter().map(Stack::artifact_id).collect();
                StackArtifact { id: stack.artifact_id(), name: stack.name(), template, stack, waits_for }
            })
            .collect();
        stacks.sort_by_key(|artifact| order.iter().position(|stack| *stack == artifact.stack));
        Self { stacks, diagnostics, tree, missing }
    }

    /// The stack with this name in CloudFormation.
    pub fn stack(&self, name: &str) -> Option<&StackArtifact> {
        self.stacks.iter().find(|stack| stack.name == name)
    }

    /// Writes the assembly; files that are there already and are not part of it stay.
    pub fn write(self, directory: &Path) -> Result<CloudAssembly, Vec<Diagnostic>> {
        match self.try_write(directory) {
            Ok(()) => Ok(CloudAssembly { directory: directory.to_path_buf(), assembly: self }),
            Err((path, error)) => {
                let message = format!("`{}` cannot be written: {error}", path.display());
                Err(vec![Diagnostic::error(codes::ASSET, message).hint("choose another directory with `CDK_OUTDIR`")])
            }
        }
    }

    fn try_write(&self, directory: &Path) -> Result<(), (PathBuf, std::io::Error)> {
        std::fs::create_dir_all(directory).map_err(|error| (directory.to_path_buf(), error))?;
        let mut artifacts = Map::new();
        for stack in &self.stacks {
            let template = text(&stack.template);
            write_file(directory, &format!("{}.template.json", stack.id), &template)?;
            let template_hash = hash_text(&template);
            for asset in stack.stack.state.assets.borrow().iter() {
                write_asset(directory, asset)?;
            }
            for asset in stack.stack.state.docker_assets.borrow().iter() {
                stage_directory(directory, asset)?;
            }
            write_file(directory, &format!("{}.assets.json", stack.id), &text(&assets_file(stack, &template_hash)))?;
            artifacts.insert(format!("{}.assets", stack.id), assets_artifact(stack));
            artifacts.insert(stack.id.clone(), stack_artifact(stack, &template_hash));
        }
        artifacts.insert("Tree".to_owned(), json!({"type": "cdk:tree", "properties": {"file": "tree.json"}}));
        let mut manifest = Map::new();
        manifest.insert("version".to_owned(), Plain::from(VERSION));
        manifest.insert("artifacts".to_owned(), Plain::Object(artifacts));
        if !self.missing.is_empty() {
            manifest.insert("missing".to_owned(), Plain::Array(self.missing.iter().map(missing_entry).collect()));
        }
        write_file(directory, "manifest.json", &text(&Plain::Object(manifest)))?;
        write_file(directory, "tree.json", &self.tree.to_string())?;
        write_file(directory, "cdk.out", &json!({ "version": VERSION }).to_string())
    }
}

fn missing_entry(missing: &MissingContext) -> Plain {
    json!({"key": missing.key, "provider": missing.provider, "props": missing.props})
}

fn text(json: &Plain) -> String {
    format!("{json:#}")
}

fn write_file(directory: &Path, name: &str, text: &str) -> Result<(), (PathBuf, std::io::Error)> {
    let path = directory.join(name);
    std::fs::write(&path, text).map_err(|error| (path, error))
}

fn write_asset(directory: &Path, asset: &Asset) -> Result<(), (PathBuf, std::io::Error)> {
    let staged = directory.join(asset.directory());
    std::fs::create_dir_all(&staged).map_err(|error| (staged.clone(), error))?;
    let AssetSource::Embedded(files) = &asset.source;
    files.iter().try_for_each(|(name, text)| write_file(&staged, name, text))
}

fn stage_directory(directory: &Path, asset: &DockerAsset) -> Result<(), (PathBuf, std::io::Error)> {
    let staged = directory.join(asset.staged());
    for (name, path) in &asset.files {
        let target = staged.join(name);
        let parent = target.parent().unwrap_or(&staged).to_path_buf();
        std::fs::create_dir_all(&parent).map_err(|error| (parent, error))?;
        std::fs::copy(path, &target).map_err(|error| (target, error))?;
    }
    Ok(())
}

fn assets_artifact(stack: &StackArtifact) -> Plain {
    json!({
        "type": "cdk:asset-manifest",
        "properties": {
            "file": format!("{}.assets.json", stack.id),
            "requiresBootstrapStackVersion": BOOTSTRAP_VERSION_MIN,
            "bootstrapStackVersionSsmParameter": version_parameter(),
        },
    })
}

fn version_parameter() -> String {
    format!("/cdk-bootstrap/{QUALIFIER}/version")
}

fn stack_artifact(stack: &StackArtifact, template_hash: &str) -> Plain {
    let own_assets = format!("{}.assets", stack.id);
    let mut dependencies = stack.waits_for.clone();
    dependencies.push(own_assets.clone());
    let mut properties = json!({
        "templateFile": format!("{}.template.json", stack.id),
        "terminationProtection": stack.stack.state.props.termination_protection,
        "validateOnSynth": false,
        "assumeRoleArn": stack.stack.bootstrap_role("deploy"),
        "cloudFormationExecutionRoleArn": stack.stack.bootstrap_role("cfn-exec"),
        "stackTemplateAssetObjectUrl": format!("s3://{}/{template_hash}.json", stack.stack.bucket_name()),
        "requiresBootstrapStackVersion": BOOTSTRAP_VERSION_MIN,
        "bootstrapStackVersionSsmParameter": version_parameter(),
        "additionalDependencies": [own_assets],
        "lookupRole": {
            "arn": stack.stack.bootstrap_role("lookup"),
            "requiresBootstrapStackVersion": 8,
            "bootstrapStackVersionSsmParameter": version_parameter(),
        },
    });
    if let Some(properties) = properties.as_object_mut() {
        if stack.name != stack.id {
            properties.insert("stackName".to_owned(), Plain::from(stack.name.as_str()));
        }
        let tags = &stack.stack.state.props.tags;
        if !tags.is_empty() {
            let tags = tags.iter().map(|(key, value)| (key.clone(), Plain::from(value.as_str()))).collect();
            properties.insert("tags".to_owned(), Plain::Object(tags));
        }
    }
    json!({
        "type": "aws:cloudformation:stack",
        "environment": stack.stack.environment(),
        "properties": properties,
        "dependencies": dependencies,
        "displayName": stack.stack.path(),
    })
}

fn assets_file(stack: &StackArtifact, template_hash: &str) -> Plain {
    let state = &stack.stack.state;
    let mut files = Map::new();
    for asset in state.assets.borrow().iter() {
        let source = json!({"path": asset.directory(), "packaging": "zip"});
        let destination = file_destination(&stack.stack, &asset.object_key());
        let entry = json!({"displayName": asset.display_name, "source": source, "destinations": destination});
        files.insert(asset.hash.clone(), entry);
    }
    let source = json!({"path": format!("{}.template.json", stack.id), "packaging": "file"});
    let destination = file_destination(&stack.stack, &format!("{template_hash}.json"));
    let entry = json!({"displayName": format!("{} Template", stack.id), "source": source, "destinations": destination});
    files.insert(template_hash.to_owned(), entry);
    let images: Map<String, Plain> = state
        .docker_assets
        .borrow()
        .iter()
        .map(|asset| (asset.hash.clone(), image_entry(&stack.stack, asset)))
        .collect();
    json!({"version": VERSION, "files": files, "dockerImages": images})
}

fn file_destination(stack: &Stack, key: &str) -> Plain {
    let role = stack.bootstrap_role("file-publishing");
    destination(stack, json!({"bucketName": stack.bucket_name(), "objectKey": key, "assumeRoleArn": role}))
}

fn image_entry(stack: &Stack, asset: &DockerAsset) -> Plain {
    let mut source = json!({ "directory": asset.staged() });
    if let Some(source) = source.as_object_mut() {
        let options =
            [("dockerFile", &asset.dockerfile), ("dockerBuildTarget", &asset.target), ("platform", &asset.platform)];
        for (key, value) in options {
            if let Some(value) = value {
                source.insert(key.to_owned(), Plain::from(value.as_str()));
            }
        }
        if !asset.build_args.is_empty() {
            let args = asset.build_args.iter().map(|(key, value)| (key.clone(), Plain::from(value.as_str()))).collect();
            source.insert("dockerBuildArgs".to_owned(), Plain::Object(args));
        }
    }
    let role = stack.bootstrap_role("image-publishing");
    let to = json!({"repositoryName": stack.repository_name(), "imageTag": asset.hash, "assumeRoleArn": role});
    json!({"displayName": asset.display_name, "source": source, "destinations": destination(stack, to)})
}

/// One destination under a key that names the environment and what goes there.
fn destination(stack: &Stack, mut body: Plain) -> Plain {
    let env = &stack.state.props.env;
    let hash = logical_id::hash(&body.to_string()).to_lowercase();
    if let (Some(region), Some(body)) = (&env.region, body.as_object_mut()) {
        body.insert("region".to_owned(), Plain::from(region.as_str()));
    }
    let account = env.account.as_deref().unwrap_or("current_account");
    let region = env.region.as_deref().unwrap_or("current_region");
    let mut destinations = Map::new();
    destinations.insert(format!("{account}-{region}-{hash}"), body);
    Plain::Object(destinations)
}
