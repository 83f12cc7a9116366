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
mod subnet_group;
mod vpc;
mod vpc_attributes;
mod zone;

pub use peer::{Peer, SecurityGroup};
pub use port::Port;
pub use security_group::{FromSecurityGroupIdOptions, SecurityGroupProps};
pub use selection::{SelectedSubnets, SubnetSelection, Subnets};
pub use subnet::{Subnet, SubnetAttributes};
pub use subnet_group::{SubnetConfiguration, SubnetType};
pub use vpc::{InstanceTenancy, Vpc, VpcProps};
pub use vpc_attributes::VpcAttributes;
