//! Which functions are the CDK's: by their logical ids, which begin with texts that the CDK fixes and end with a hash.
//!
//! As `aws-cdk-lib` 2.276.0 writes them: `AWS679f53fac002430cb0da5b7982bd22872D164C4C` and the like.
//!
//! Invariant: whoever may make a function of such an id must be allowed to pass its role to Lambda, and so could have the role's
//! rights from a function of any code.

use neargate_kernel::Fault;

use crate::state::FunctionRecord;

/// Why a custom resource is refused that none of these serves.
pub(super) const NOT_SERVED: &str = "functions are not run, so nothing serves this custom resource";

/// A function of the CDK, by what its logical id begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known(&'static str);

/// The length of a generated name's random end, with its hyphen.
const RANDOM_CHARACTERS: usize = 13;
/// The length of a generated name that was cut.
const CUT_NAME_CHARACTERS: usize = 64;
/// How much of the id a name that was cut must still have: so much that it tells one from the others.
const CUT_ID_CHARACTERS_MIN: usize = 24;

impl Known {
    /// Serves `Custom::AWS`.
    pub(super) const SDK_CALL: Self = Self("AWS679f53fac002430cb0da5b7982bd2287");
    /// Serves `Custom::LogRetention`.
    pub(super) const LOG_RETENTION: Self = Self("LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a");
    /// Serves `Custom::CrossRegionExportWriter`.
    pub(super) const EXPORT_WRITER: Self = Self("CustomCrossRegionExportWriterCustomResourceProviderHandler");
    /// Serves `Custom::CrossRegionExportReader`.
    pub(super) const EXPORT_READER: Self = Self("CustomCrossRegionExportReaderCustomResourceProviderHandler");

    /// Whether a function is this one. Functions of older builds are told by their generated names, which have the logical id.
    pub(super) fn is(self, name: &str, function: &FunctionRecord) -> bool {
        match &function.logical_id {
            Some(id) => id.starts_with(self.0),
            None => self.is_in_name(name),
        }
    }

    /// Whether a name is one that CloudFormation made of such a logical id: `stack-logicalId-RANDOM12`, where a long one was cut.
    fn is_in_name(self, name: &str) -> bool {
        let stem = name.len().checked_sub(RANDOM_CHARACTERS).and_then(|end| name.split_at_checked(end));
        let Some((stem, random)) = stem else { return false };
        let is_random = random
            .strip_prefix('-')
            .is_some_and(|it| it.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit()));
        let Some((_, id)) = stem.rsplit_once('-').filter(|_| is_random) else { return false };
        let is_cut = name.len() == CUT_NAME_CHARACTERS && id.len() >= CUT_ID_CHARACTERS_MIN;
        id.starts_with(self.0) || (is_cut && self.0.starts_with(id))
    }

    /// Why another function does not serve this.
    pub(super) fn refusal(self, arn: &str) -> Fault {
        let text =
            format!("{NOT_SERVED}: {arn} is not the function of the CDK whose logical id begins with `{}`", self.0);
        Fault::sender("NotImplemented", text).with_status(501)
    }
}

#[cfg(test)]
mod tests {
    use super::Known;

    const ALL: [(Known, &str); 4] = [
        (Known::SDK_CALL, "AWS679f53fac002430cb0da5b7982bd22872D164C4C"),
        (Known::LOG_RETENTION, "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8aFD4BFC8A"),
        (Known::EXPORT_WRITER, "CustomCrossRegionExportWriterCustomResourceProviderHandlerD8786E8A"),
        (Known::EXPORT_READER, "CustomCrossRegionExportReaderCustomResourceProviderHandler46647B68"),
    ];

    /// A name as CloudFormation makes it.
    fn generated(stack: &str, id: &str) -> String {
        let stem: String = format!("{stack}-{id}").chars().take(51).collect();
        format!("{stem}-0123456789AB")
    }

    #[test]
    fn a_function_of_an_older_build_is_told_by_its_generated_name() {
        for (known, id) in ALL {
            for stack in ["s", "my-stack", "a-stack-of-21-letters"] {
                let name = generated(stack, id);
                let found: Vec<_> = ALL.iter().filter(|(it, _)| it.is_in_name(&name)).map(|(it, _)| *it).collect();
                assert_eq!(found, [known], "{name}");
            }
        }
    }

    #[test]
    fn another_name_is_none_of_the_cdk_s() {
        let id = ALL[0].1;
        let too_little_left = generated("a-stack-whose-name-leaves-of-the-id-nothing", id);
        for name in [
            "",
            "-",
            "seed-db",
            "s-Function-0123456789AB",
            id,
            "s-AWS679f53fac0024-0123456789AB",
            &too_little_left,
            "s-AWS679f53fac002430cb0da5b7982bd22872D164C4C",
            "s-xAWS679f53fac002430cb0da5b7982bd2287-0123456789AB",
            "s-AWS679f53fac002430cb0da5b7982bd2287_0123456789AB",
            "s-AWS679f53fac002430cb0da5b7982bd2287-é0123456789A",
        ] {
            assert!(ALL.iter().all(|(known, _)| !known.is_in_name(name)), "{name}");
        }
    }
}
