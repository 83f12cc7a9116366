//! Which of a VPC's subnets are meant.

use neargate_l1::Value;

use super::subnet::Subnet;
use super::subnet_group::SubnetType;

/// What subnets are chosen by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subnets {
    /// All of a type.
    Type(SubnetType),
    /// All of a group: the name that the VPC's subnet configuration gives it.
    GroupName(String),
    /// These.
    These(Vec<Subnet>),
}

/// A choice among a VPC's subnets.
///
/// ```
/// use neargate_constructs::ec2::{SubnetSelection, SubnetType, Subnets};
///
/// let public: SubnetSelection = SubnetType::Public.into();
/// assert_eq!(public, SubnetSelection { subnets: Some(Subnets::Type(SubnetType::Public)), ..Default::default() });
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubnetSelection {
    /// Default: the private ones; where there are none, the isolated ones; where there are none of those either, the public ones.
    pub subnets: Option<Subnets>,
    /// Only those in these zones. Default: all zones.
    pub availability_zones: Vec<String>,
    /// Only the first of each zone. Default: all.
    pub one_per_az: bool,
}

impl From<SubnetType> for SubnetSelection {
    fn from(subnet_type: SubnetType) -> Self {
        Self { subnets: Some(Subnets::Type(subnet_type)), ..Self::default() }
    }
}

impl SubnetSelection {
    /// Keeps what the zones allow.
    pub(super) fn filter(&self, subnets: Vec<Subnet>) -> Vec<Subnet> {
        let mut kept: Vec<Subnet> = Vec::new();
        for subnet in subnets {
            let zone = subnet.availability_zone();
            let wanted = self.availability_zones.is_empty()
                || zone.known().is_some_and(|zone| self.availability_zones.iter().any(|wanted| wanted == zone));
            let taken = self.one_per_az && kept.iter().any(|kept| kept.availability_zone() == zone);
            if wanted && !taken {
                kept.push(subnet);
            }
        }
        kept
    }
}

/// The subnets that a selection found.
#[derive(Clone, Debug, Default)]
pub struct SelectedSubnets {
    /// The subnets.
    pub subnets: Vec<Subnet>,
}

impl SelectedSubnets {
    /// Their ids.
    pub fn subnet_ids(&self) -> Vec<Value<String>> {
        self.subnets.iter().map(Subnet::subnet_id).collect()
    }

    /// Their zones, one per subnet.
    pub fn availability_zones(&self) -> Vec<Value<String>> {
        self.subnets.iter().map(Subnet::availability_zone).collect()
    }
}
