//! The default VPC that every account has in every region, with a subnet in each zone and an internet gateway.
//!
//! Follows <https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html>.
//!
//! Invariant: it is made when somebody first looks, and once: who deletes it does not get it back.
//!
//! Invariant: its ids follow from account and region alone, so that what a client remembers of them stays true.

use neargate_kernel::{Cx, Record};
use serde::{Deserialize, Serialize};

use crate::cidr::Cidr;
use crate::errors::Ec2Error;
use crate::kind::Kind;
use crate::rules::default_group;
use crate::state::{Association, InternetGateway, Route, RouteTable, SecurityGroup, Subnet, Target, Vpc};
use neargate_base::zones;

const VPC_BLOCK: &str = "172.31.0.0/16";

/// Between the blocks of two subnets, in addresses of the third octet: each is a /20.
const SUBNET_STEP: usize = 16;

/// Where the default VPC is, or was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DefaultVpc {
    id: String,
}

impl Record for DefaultVpc {
    const TABLE: &'static str = "ec2.default-vpc";
}

const KEY: &str = "default";

/// The default VPC's id, where it has not been deleted.
pub(crate) fn id(cx: &mut Cx<'_>) -> Result<String, Ec2Error> {
    ensure(cx);
    let id = cx.get::<DefaultVpc>(KEY).map(|known| known.id.clone()).unwrap_or_default();
    if cx.get::<Vpc>(&id).is_some() { Ok(id) } else { Err(Ec2Error::NoDefaultVpc) }
}

/// The security group that a request names by id, or by its name in the default VPC.
pub(crate) fn group(cx: &mut Cx<'_>, id: Option<String>, name: Option<&str>) -> Result<String, Ec2Error> {
    match (id, name) {
        (Some(id), _) => Ok(id),
        (None, Some(name)) => {
            let vpc = self::id(cx)?;
            let mut groups = cx.scan::<SecurityGroup>("").filter(|(_, group)| group.vpc == vpc && group.name == name);
            groups.next().map(|(id, _)| id.to_owned()).ok_or_else(|| Kind::SecurityGroup.missing(name))
        }
        (None, None) => Err(Ec2Error::MissingParameter("groupName or groupId".to_owned())),
    }
}

/// Makes the default VPC unless there has been one.
pub(crate) fn ensure(cx: &mut Cx<'_>) {
    if cx.get::<DefaultVpc>(KEY).is_some() {
        return;
    }
    let Ok(block) = VPC_BLOCK.parse::<Cidr>() else { return };
    let id = fixed_id(cx, "vpc", "");
    let (group_id, table_id, gateway_id) = (fixed_id(cx, "sg", ""), fixed_id(cx, "rtb", ""), fixed_id(cx, "igw", ""));
    let vpc = Vpc {
        cidr: block,
        cidr_association: fixed_id(cx, "vpc-cidr-assoc", ""),
        tenancy: "default".to_owned(),
        dns_support: true,
        dns_hostnames: true,
        address_usage_metrics: false,
        default_group: group_id.clone(),
        main_table: table_id.clone(),
        network_acl: fixed_id(cx, "acl", ""),
        is_default: true,
    };
    let group = default_group(cx, &id, &group_id);
    cx.put(&group_id, group);
    let main = Association { id: fixed_id(cx, "rtbassoc", ""), subnet: None };
    let out = Route { destination: Cidr::ANYWHERE, target: Target::InternetGateway(gateway_id.clone()) };
    cx.put(&table_id, RouteTable { vpc: id.clone(), associations: vec![main], routes: vec![out] });
    cx.put(&gateway_id, InternetGateway { vpc: Some(id.clone()) });
    for (at, zone) in zones(cx.scope.region.as_str()).into_iter().enumerate() {
        let Ok(cidr) = format!("172.31.{}.0/20", at * SUBNET_STEP).parse::<Cidr>() else { continue };
        let (subnet, acl_association) = (fixed_id(cx, "subnet", &zone.name), fixed_id(cx, "aclassoc", &zone.name));
        let made =
            Subnet { vpc: id.clone(), cidr, zone: zone.name, acl_association, maps_public_ip: true, is_default: true };
        cx.put(&subnet, made);
    }
    cx.put(&id, vpc);
    cx.put(KEY, DefaultVpc { id });
}

/// An id of the usual form that follows from account, region and what it is for.
fn fixed_id(cx: &Cx<'_>, prefix: &str, what: &str) -> String {
    // FNV-1a and a last stir, so that names that differ little give ids that differ much; the same for ever.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in format!("{}/{prefix}/{what}", cx.scope).bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    format!("{prefix}-0{hash:016x}")
}
