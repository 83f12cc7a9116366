//! Stand-ins for the ports that a test is not about.

use neargate_base::Arn;
use neargate_kernel::{
    Access, Authorizer, Cx, Decision, Event, EventSink, Fault, Interface, InterfaceRequest, Networks, Principal, Store,
};

/// Allows everybody everything; every role may be assumed by every service.
#[derive(Debug)]
pub struct AllowAll;

impl Authorizer for AllowAll {
    fn authorize(&self, _: &Store, _: &Principal, _: &Access) -> Decision {
        Decision::Allowed
    }

    fn may_assume(
        &self,
        _: &Store,
        role_arn: &str,
        service: &str,
        _: &[(String, Vec<String>)],
    ) -> Result<Principal, String> {
        let arn: Arn = role_arn.parse().map_err(|_| format!("{role_arn} is no role"))?;
        let account = neargate_base::Account::new(&arn.account);
        Ok(Principal::role(&account, arn.resource_name(), service))
    }
}

/// Drops events.
#[derive(Debug)]
pub struct Silence;

impl EventSink for Silence {
    fn publish(&self, _: &mut Cx<'_>, _: Event) -> Result<(), Fault> {
        Ok(())
    }
}

/// One subnet whose addresses are drawn at random; giving back is forgotten.
#[derive(Debug)]
pub struct OnePool;

impl Networks for OnePool {
    fn attach(&self, cx: &mut Cx<'_>, request: &InterfaceRequest<'_>) -> Result<Interface, Fault> {
        let subnet_id = request.subnets.first().cloned().unwrap_or_default();
        let private_ip = format!("10.0.0.{}", 4 + cx.rng.below(250));
        Ok(Interface {
            id: format!("eni-{}", cx.rng.hex(17)),
            subnet_id,
            subnet_cidr: "10.0.0.0/24".to_owned(),
            availability_zone: format!("{}a", cx.scope.region),
            vpc_id: "vpc-00000000000000000".to_owned(),
            vpc_cidr: "10.0.0.0/16".to_owned(),
            private_dns_name: format!("ip-{}.{}.compute.internal", private_ip.replace('.', "-"), cx.scope.region),
            private_ip,
            mac: "02:00:00:00:00:01".to_owned(),
        })
    }

    fn detach(&self, _: &mut Cx<'_>, _: &str) {}
}
