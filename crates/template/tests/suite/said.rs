//! What is said of a text.

use expect_test::Expect;
use neargate_template::{Template, validation_error};

/// Compares the diagnostics and AWS's message with what is expected.
pub(crate) fn check(text: &str, expected: Expect) {
    let (_, findings) = Template::read(text, "t.yaml");
    let mut shown: Vec<String> = findings.iter().map(|finding| finding.diagnostic.to_string()).collect();
    shown.push(format!("aws: {}", validation_error(&findings).unwrap_or_else(|| "accepted".to_owned())));
    expected.assert_eq(&shown.join("\n"));
}
