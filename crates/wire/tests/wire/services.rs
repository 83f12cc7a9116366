//! The descriptors of all services, taken without the services around them.

#![allow(unreachable_pub, dead_code, reason = "the services make more of their shapes public than is tested here")]

use neargate_shape::ServiceShape;

#[path = "../../../services/cloudformation/src/api.rs"]
mod cloudformation;
#[path = "../../../services/ec2/src/api.rs"]
mod ec2;
#[path = "../../../services/ecs/src/api.rs"]
pub(crate) mod ecs;
#[path = "../../../services/events/src/api.rs"]
pub(crate) mod events;
#[path = "../../../services/iam/src/api.rs"]
pub(crate) mod iam;
#[path = "../../../services/lambda/src/api.rs"]
mod lambda;
#[path = "../../../services/logs/src/api.rs"]
mod logs;
#[path = "../../../services/ssm/src/api.rs"]
mod ssm;
#[path = "../../../services/sts/src/api.rs"]
mod sts;

pub(crate) static ALL: &[&ServiceShape] = &[
    &cloudformation::SERVICE,
    &ec2::SERVICE,
    &ecs::SERVICE,
    &events::SERVICE,
    &iam::SERVICE,
    &lambda::SERVICE,
    &logs::SERVICE,
    &ssm::SERVICE,
    &sts::SERVICE,
];
