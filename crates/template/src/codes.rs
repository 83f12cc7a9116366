//! The stable codes of what can be wrong with a template or a cloud assembly.

use neargate_base::Code;

/// The text is neither JSON nor YAML, or uses YAML that CloudFormation refuses (aliases, merge keys).
pub const SYNTAX: Code = Code("NG-T0001");
/// A section or member has the wrong shape, or a mandatory one is missing.
pub const SHAPE: Code = Code("NG-T0002");
/// A top-level section that CloudFormation does not have.
pub const SECTION: Code = Code("NG-T0003");
/// A member that a resource, parameter, output or rule does not have.
pub const MEMBER: Code = Code("NG-T0004");
/// A transform or macro, which is not implemented.
pub const TRANSFORM: Code = Code("NG-T0005");
/// An intrinsic function that does not exist, or not at this place.
pub const FUNCTION: Code = Code("NG-T0006");
/// An intrinsic function with the wrong arguments.
pub const ARGUMENTS: Code = Code("NG-T0007");
/// A reference to a resource or parameter that the template does not have.
pub const REFERENCE: Code = Code("NG-T0008");
/// A condition that the template does not have.
pub const CONDITION: Code = Code("NG-T0009");
/// A mapping, or a key of one, that the template does not have.
pub const MAPPING: Code = Code("NG-T0010");
/// Resources or conditions that depend on each other in a circle.
pub const CYCLE: Code = Code("NG-T0011");
/// A key given twice; the last one counts.
pub const DUPLICATE: Code = Code("NG-T0012");
/// A value given for a parameter that the parameter's declaration refuses, or none where one is needed.
pub const PARAMETER: Code = Code("NG-T0013");
/// A parameter's pattern that could not be checked.
pub const PATTERN: Code = Code("NG-T0014");
/// A rule of the template whose assertion does not hold.
pub const RULE: Code = Code("NG-T0015");
/// A manifest that is no cloud assembly, or one of a kind that is not implemented.
pub const ASSEMBLY: Code = Code("NG-T0020");

/// Every code of this crate.
pub const ALL: &[Code] = &[
    SYNTAX, SHAPE, SECTION, MEMBER, TRANSFORM, FUNCTION, ARGUMENTS, REFERENCE, CONDITION, MAPPING, CYCLE, DUPLICATE,
    PARAMETER, PATTERN, RULE, ASSEMBLY,
];
