//! The codes of this crate's diagnostics; `docs/errors/` has a page for each.

use neargate_base::Code;

/// Two constructs with one id in a scope, or an empty id.
pub const DUPLICATE_ID: Code = Code("NG-C0001");
/// A construct that needs a stack is outside of any.
pub const NO_STACK: Code = Code("NG-C0002");
/// A required property is missing.
pub const MISSING_PROPERTY: Code = Code("NG-C0003");
/// Two elements of a stack have one logical id.
pub const DUPLICATE_LOGICAL_ID: Code = Code("NG-C0004");
/// A reference leads where no template can follow.
pub const BAD_REFERENCE: Code = Code("NG-C0005");
/// An event field outside of a target's input.
pub const EVENT_FIELD: Code = Code("NG-C0006");
/// A stack has an invalid name, account or region.
pub const BAD_STACK: Code = Code("NG-C0007");
/// Stacks that wait for each other.
pub const STACK_CYCLE: Code = Code("NG-C0008");
/// A typed modification of a resource of another type.
pub const BAD_MODIFICATION: Code = Code("NG-C0009");
/// An asset cannot be read, or the assembly cannot be written.
pub const ASSET: Code = Code("NG-C0010");
/// A VPC's properties contradict each other or leave no room.
pub const VPC: Code = Code("NG-C0100");
/// A subnet selection finds nothing or contradicts itself.
pub const SUBNET_SELECTION: Code = Code("NG-C0101");
/// A security group rule that cannot be.
pub const SECURITY_GROUP: Code = Code("NG-C0102");
/// CPU and memory that do not go together on Fargate.
pub const CPU_AND_MEMORY: Code = Code("NG-C0200");
/// A task definition that Amazon ECS would refuse on Fargate.
pub const TASK_DEFINITION: Code = Code("NG-C0201");
/// A container that Amazon ECS would refuse on Fargate.
pub const CONTAINER: Code = Code("NG-C0202");
/// A cluster whose properties contradict each other.
pub const CLUSTER: Code = Code("NG-C0203");
/// A rule that EventBridge would refuse.
pub const RULE: Code = Code("NG-C0300");
/// An event pattern that EventBridge would refuse, or that cannot be merged.
pub const EVENT_PATTERN: Code = Code("NG-C0301");
/// A schedule that EventBridge would refuse.
pub const SCHEDULE: Code = Code("NG-C0302");
/// A target that EventBridge would refuse.
pub const TARGET: Code = Code("NG-C0303");
/// A role or policy that IAM would refuse.
pub const POLICY: Code = Code("NG-C0400");
/// A key or alias that AWS KMS would refuse.
pub const KEY: Code = Code("NG-C0410");
/// A secret that AWS Secrets Manager would refuse, or whose ARN is not what it should be.
pub const SECRET: Code = Code("NG-C0420");
/// A log group that CloudWatch Logs would refuse.
pub const LOG_GROUP: Code = Code("NG-C0600");
