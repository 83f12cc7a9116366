//! Stacks: the unit that is deployed, one template each.

use std::ops::Deref;
use std::rc::Rc;

use neargate_base::{Account, Diagnostic, Region};
use neargate_l1::Value;
use serde_json::{Value as Plain, json};

use super::node::{Environment, MissingContext, Scope, Stack, StackProps, StackState};
use super::{codes, intrinsic, region};
use crate::synth::asset::{Asset, AssetSource, DockerAsset};

impl std::fmt::Debug for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stack({})", self.scope.path())
    }
}

impl Deref for Stack {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}

impl PartialEq for Stack {
    fn eq(&self, other: &Self) -> bool {
        self.scope == other.scope
    }
}

impl Eq for Stack {}

/// The qualifier of the CDK's bootstrap resources.
pub(crate) const QUALIFIER: &str = "hnb659fds";

impl Stack {
    /// Makes a stack, usually in the app.
    pub fn new(scope: &Scope, id: &str, props: StackProps) -> Self {
        let scope = scope.child(id);
        let state = Rc::new(StackState { props, ..StackState::default() });
        scope.set_stack(&state);
        let stack = Self { scope, state };
        stack.register("neargate.Stack", &stack);
        stack.check();
        stack
    }

    pub(crate) fn of_state(scope: Scope, state: Rc<StackState>) -> Self {
        Self { scope, state }
    }

    /// The stack a scope is, or is in.
    pub fn of(scope: &Scope) -> Self {
        scope.stack()
    }

    fn check(&self) {
        let name = self.name();
        let legal = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !legal || name.len() > 128 {
            self.report(
                Diagnostic::error(codes::BAD_STACK, format!("`{name}` is no stack name"))
                    .hint("begin with a letter, go on with up to 127 letters, digits and `-`; or set `stack_name`"),
            );
        }
        if let Some(account) = self.state.props.env.account.as_ref().filter(|account| !Account::is_valid(account)) {
            self.error(codes::BAD_STACK, format!("`{account}` is no account id: expected twelve digits"));
        }
        if let Some(problem) = self.state.props.env.region.as_deref().and_then(region::problem) {
            self.report(problem);
        }
    }

    /// The name in CloudFormation.
    pub fn name(&self) -> String {
        self.state.props.stack_name.clone().unwrap_or_else(|| self.artifact_id())
    }

    /// The name of its artifact in the cloud assembly.
    pub(crate) fn artifact_id(&self) -> String {
        match self.path_ids().as_slice() {
            [only] => only.clone(),
            _ => self.unique_id(),
        }
    }

    /// The account: literal where the stack names one.
    pub fn account(&self) -> Value<String> {
        self.state.props.env.account.clone().map_or_else(intrinsic::account_id, Value::Literal)
    }

    /// The region: literal where the stack names one.
    pub fn region(&self) -> Value<String> {
        self.state.props.env.region.clone().map_or_else(intrinsic::region, Value::Literal)
    }

    /// The partition: literal where the stack names a region.
    pub fn partition(&self) -> Value<String> {
        match &self.state.props.env.region {
            Some(region) => Region::new(region).partition().as_str().into(),
            None => intrinsic::partition(),
        }
    }

    /// An ARN of this stack's partition, region and account.
    pub fn format_arn(&self, service: &str, resource: &str) -> Value<String> {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region(), self.account()).into()
    }

    /// The availability zones: those in the context where the stack names its account and region, else the first two of wherever it
    /// is deployed.
    pub fn availability_zones(&self) -> Vec<Value<String>> {
        let (Some(account), Some(region)) = (&self.state.props.env.account, &self.state.props.env.region) else {
            return (0..2).map(|index| intrinsic::select(index, intrinsic::availability_zones())).collect();
        };
        if let Some(zones) = self.known_availability_zones() {
            return zones.into_iter().map(Value::from).collect();
        }
        let key = zones_key(account, region);
        let missing = MissingContext {
            key,
            provider: "availability-zones",
            props: json!({"account": account, "region": region}),
        };
        let mut all = self.tree.missing_context.borrow_mut();
        if !all.contains(&missing) {
            let message = format!("the availability zones of account `{account}` in `{region}` are not in the context");
            self.report(
                Diagnostic::warning(
                    codes::BAD_STACK,
                    format!("{message}: `{region}a`, `{region}b` and `{region}c` are assumed"),
                )
                .hint(format!("put a list under `{}` into the context", missing.key)),
            );
            all.push(missing);
        }
        ["a", "b", "c"].iter().map(|zone| Value::from(format!("{region}{zone}"))).collect()
    }

    /// The availability zones that the context names for the stack's account and region.
    pub(crate) fn known_availability_zones(&self) -> Option<Vec<String>> {
        let Environment { account, region } = &self.state.props.env;
        match self.try_get_context(&zones_key(account.as_ref()?, region.as_ref()?)) {
            Some(Plain::Array(zones)) => Some(zones.iter().filter_map(Plain::as_str).map(str::to_owned).collect()),
            _ => None,
        }
    }

    /// Makes this stack wait for another at deployment.
    pub fn add_stack_dependency(&self, on: &Self) {
        let mut waits_for = self.state.waits_for.borrow_mut();
        if self != on && !waits_for.contains(on) {
            waits_for.push(on.clone());
        }
    }

    /// Takes a file asset into the assembly and says where it will be in S3: bucket and key.
    pub(crate) fn add_file_asset(
        &self,
        display_name: String,
        source: AssetSource,
    ) -> (Asset, Value<String>, Value<String>) {
        let asset = Asset::new(display_name, source);
        let mut assets = self.state.assets.borrow_mut();
        if !assets.iter().any(|known| known.hash == asset.hash) {
            assets.push(asset.clone());
        }
        (asset.clone(), self.sub_where_needed(&self.bucket_name()), asset.object_key().into())
    }

    /// Takes a container image into the assembly and gives its URI.
    pub(crate) fn add_docker_asset(&self, asset: DockerAsset) -> Value<String> {
        let (account, region) = (self.account_or_placeholder(), self.region_or_placeholder());
        let uri = format!("{account}.dkr.ecr.{region}.${{AWS::URLSuffix}}/{}:{}", self.repository_name(), asset.hash);
        let mut assets = self.state.docker_assets.borrow_mut();
        if !assets.iter().any(|known| known.hash == asset.hash) {
            assets.push(asset);
        }
        self.sub_where_needed(&uri)
    }

    pub(crate) fn bucket_name(&self) -> String {
        format!("cdk-{QUALIFIER}-assets-{}-{}", self.account_or_placeholder(), self.region_or_placeholder())
    }

    pub(crate) fn repository_name(&self) -> String {
        format!("cdk-{QUALIFIER}-container-assets-{}-{}", self.account_or_placeholder(), self.region_or_placeholder())
    }

    /// `arn:…:role/cdk-hnb659fds-<role>-<account>-<region>`, with placeholders for what is not known.
    pub(crate) fn bootstrap_role(&self, role: &str) -> String {
        let (account, region) = (self.account_or_placeholder(), self.region_or_placeholder());
        format!("arn:${{AWS::Partition}}:iam::{account}:role/cdk-{QUALIFIER}-{role}-role-{account}-{region}")
    }

    fn account_or_placeholder(&self) -> String {
        self.state.props.env.account.clone().unwrap_or_else(|| "${AWS::AccountId}".to_owned())
    }

    fn region_or_placeholder(&self) -> String {
        self.state.props.env.region.clone().unwrap_or_else(|| "${AWS::Region}".to_owned())
    }

    /// `Fn::Sub` of a text that has placeholders, else the text.
    fn sub_where_needed(&self, text: &str) -> Value<String> {
        if text.contains("${") { intrinsic::sub(text) } else { text.into() }
    }

    /// `aws://account/region`, as the assembly's manifest writes it.
    pub(crate) fn environment(&self) -> String {
        let Environment { account, region } = &self.state.props.env;
        let account = account.as_deref().unwrap_or("unknown-account");
        format!("aws://{account}/{}", region.as_deref().unwrap_or("unknown-region"))
    }
}

impl Scope {
    /// The stack this is, or is in.
    ///
    /// Outside of any stack this is a diagnostic, and a stack named `Default` is made in the app so that work can go on.
    pub fn stack(&self) -> Stack {
        if let Some(owner) = self.tree.with(self.node, |node| node.owner)
            && let Some(state) = self.tree.with(owner, |node| node.stack.clone())
        {
            return Stack::of_state(self.at(owner), state);
        }
        self.report_no_stack();
        let root = self.at(0);
        match root.try_find_child("Default").and_then(|scope| scope.construct::<Stack>()) {
            Some(stack) => stack,
            None => Stack::new(&root, "Default", StackProps::default()),
        }
    }

    /// Makes this the scope of a stack.
    pub(crate) fn set_stack(&self, state: &Rc<StackState>) {
        self.tree.with(self.node, |node| {
            node.owner = Some(self.node);
            node.stack = Some(Rc::clone(state));
        });
    }
}

/// The CDK's name for a list of zones in the context.
fn zones_key(account: &str, region: &str) -> String {
    format!("availability-zones:account={account}:region={region}")
}
