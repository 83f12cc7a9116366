//! Amazon EC2, as far as tasks need it: networks, subnets and security groups.
//!
//! Follows <https://docs.aws.amazon.com/vpc/latest/userguide/>.

mod cidr;
mod nat;
mod peer;
mod port;
mod restrict;
mod security_group;
mod selection;
mod subnet;
mod vpc;
mod vpc_attributes;
mod zone;

pub use peer::Peer;
pub use port::Port;
pub use security_group::{FromSecurityGroupIdOptions, SecurityGroup, SecurityGroupProps};
pub use selection::{SelectedSubnets, SubnetSelection, Subnets};
pub use subnet::{Subnet, SubnetAttributes};
pub use vpc::{InstanceTenancy, SubnetConfiguration, SubnetType, Vpc, VpcProps};
pub use vpc_attributes::VpcAttributes;
