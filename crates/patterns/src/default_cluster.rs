//! The cluster of tasks that name none: one per VPC and stack.

use neargate_constructs::ec2::Vpc;
use neargate_constructs::ecs::{Cluster, ClusterProps};
use neargate_constructs::{Scope, Stack, unique_id};

/// The stack's default cluster for a VPC: made once, then shared by all whose ids have the same beginning.
///
/// Two VPCs may have the same id in different scopes; each still gets a cluster of its own.
pub(crate) fn default_cluster(scope: &Scope, beginning: &str, vpc: Option<&Vpc>) -> Cluster {
    let stack = Stack::of(scope);
    let id = format!("{beginning}{}", vpc.map(|vpc| vpc.id()).unwrap_or_default());
    // The id says which VPC is meant only where no other of that id came first; then the VPC's whole path says it.
    let by_path = vpc.map(|vpc| format!("{id}{}", unique_id(&[vpc.path().as_str(), "Vpc"])));
    for id in std::iter::once(&id).chain(by_path.as_ref()) {
        match stack.try_find_child(id) {
            None => return Cluster::new(&stack, id, ClusterProps { vpc: vpc.cloned(), ..ClusterProps::default() }),
            Some(child) => {
                let cluster = child.construct::<Cluster>();
                if let Some(cluster) = cluster.filter(|cluster| vpc.is_none() || cluster.vpc() == vpc) {
                    return cluster;
                }
            }
        }
    }
    // Something else of this name is in the way: making the cluster reports the duplicate.
    Cluster::new(&stack, &id, ClusterProps { vpc: vpc.cloned(), ..ClusterProps::default() })
}
