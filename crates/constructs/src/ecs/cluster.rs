//! Clusters.

use std::rc::Rc;

use neargate_base::Diagnostic;
use neargate_l1::{Json, Token, Value, ecs as l1};

use crate::ec2::{Vpc, VpcProps};
use crate::{CfnResource, Scope, codes, construct};

/// How much a cluster tells CloudWatch of its containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerInsights {
    /// Metrics of clusters, services and tasks.
    Enabled,
    /// Nothing.
    Disabled,
    /// Metrics of containers, too.
    Enhanced,
}

/// Properties of a [`Cluster`].
#[derive(Clone, Debug, Default)]
pub struct ClusterProps {
    /// Its name. Default: CloudFormation's choice.
    pub cluster_name: Option<String>,
    /// The network that its tasks run in. Default: a new one in two zones.
    pub vpc: Option<Vpc>,
    /// How much it tells CloudWatch. Default: what the account says.
    pub container_insights: Option<ContainerInsights>,
}

/// What is known of a cluster that exists.
#[derive(Clone, Debug, Default)]
pub struct ClusterAttributes {
    /// The name; required.
    pub cluster_name: Value<String>,
    /// The ARN. Default: of the stack's account and region.
    pub cluster_arn: Option<Value<String>>,
    /// The network that its tasks run in; required.
    pub vpc: Option<Vpc>,
}

/// A cluster: a name under which tasks run, in one network.
///
/// ```
/// use neargate_constructs::{App, Stack, StackProps, ec2, ecs};
///
/// let app = App::new();
/// let stack = Stack::new(&app, "Jobs", StackProps::default());
/// let vpc = ec2::Vpc::new(&stack, "Vpc", ec2::VpcProps { max_azs: Some(2), ..Default::default() });
/// let cluster = ecs::Cluster::new(&stack, "Cluster", ecs::ClusterProps { vpc: Some(vpc.clone()), ..Default::default() });
/// assert_eq!(cluster.vpc(), Some(&vpc));
/// ```
#[derive(Clone)]
pub struct Cluster(Rc<State>);

construct!(Cluster);

struct State {
    scope: Scope,
    name: Value<String>,
    arn: Value<String>,
    vpc: Option<Vpc>,
}

impl Cluster {
    /// Declares a cluster.
    pub fn new(scope: &Scope, id: &str, props: ClusterProps) -> Self {
        let scope = scope.child(id);
        let settings = props.container_insights.map(|insights| {
            let value = match insights {
                ContainerInsights::Enabled => "enabled",
                ContainerInsights::Disabled => "disabled",
                ContainerInsights::Enhanced => "enhanced",
            };
            let setting =
                l1::cluster::ClusterSettings { name: Some("containerInsights".into()), value: Some(value.into()) };
            Value::from(vec![setting.into()])
        });
        let cluster = l1::Cluster {
            cluster_name: props.cluster_name.map(Value::Literal),
            cluster_settings: settings,
            ..Default::default()
        };
        let resource = CfnResource::new(&scope, "Resource", cluster);
        let vpc =
            props.vpc.unwrap_or_else(|| Vpc::new(&scope, "Vpc", VpcProps { max_azs: Some(2), ..VpcProps::default() }));
        Self::of(State { scope, name: resource.reference(), arn: resource.attribute("Arn"), vpc: Some(vpc) })
    }

    /// Takes in a cluster that exists.
    pub fn from_cluster_attributes(scope: &Scope, id: &str, attributes: ClusterAttributes) -> Self {
        let scope = scope.child(id);
        if attributes.vpc.is_none() {
            scope.report(
                Diagnostic::error(codes::CLUSTER, "the cluster has no `vpc`")
                    .hint("give the network that its tasks run in, such as `Vpc::from_vpc_attributes`"),
            );
        }
        let name = attributes.cluster_name;
        let arn = attributes.cluster_arn.unwrap_or_else(|| scope.stack().format_arn("ecs", &format!("cluster/{name}")));
        Self::of(State { scope, name, arn, vpc: attributes.vpc })
    }

    /// Takes in a cluster that exists, by its ARN. Tasks in it need a network from elsewhere.
    pub fn from_cluster_arn(scope: &Scope, id: &str, arn: impl Into<Value<String>>) -> Self {
        let arn = arn.into();
        let name = match arn.known().and_then(|text| text.split_once('/')) {
            Some((_, name)) => name.into(),
            None => {
                let split: Value<Vec<Value<String>>> = crate::intrinsic::split("/", arn.clone());
                let list = if let Value::Token(token) = split { token } else { Token::pseudo("AWS::NoValue") };
                crate::intrinsic::select(1, Json::Token(list))
            }
        };
        Self::of(State { scope: scope.child(id), name, arn, vpc: None })
    }

    fn of(state: State) -> Self {
        let cluster = Self(Rc::new(state));
        cluster.register("neargate.ecs.Cluster", &cluster);
        cluster
    }

    /// The name.
    pub fn cluster_name(&self) -> Value<String> {
        self.0.name.clone()
    }

    /// The ARN.
    pub fn cluster_arn(&self) -> Value<String> {
        self.0.arn.clone()
    }

    /// The network that its tasks run in, where it is known.
    pub fn vpc(&self) -> Option<&Vpc> {
        self.0.vpc.as_ref()
    }
}
