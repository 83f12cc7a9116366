//! `Rules`: assertions over the parameters.

use super::{EvalError, Evaluator};
use crate::codes;
use crate::finding::Finding;

impl Evaluator<'_> {
    /// A finding for each assertion that does not hold. What cannot be decided is no finding.
    pub fn rules(&self) -> Result<Vec<Finding>, EvalError> {
        let mut findings = vec![];
        for (name, rule) in &self.template.rules {
            if let Some(condition) = &rule.condition
                && self.truth(condition)? != Ok(true)
            {
                continue;
            }
            for assertion in &rule.assertions {
                if self.truth(&assertion.assert)? == Ok(false) {
                    let said = assertion.description.as_deref().unwrap_or("an assertion does not hold");
                    let message = format!("the rule `{name}` does not hold: {said}");
                    let aws = format!("Template validation error: Rule {name} failed: {said}");
                    findings.push(Finding::error(codes::RULE, message, aws).at(&format!("Rules.{name}")));
                }
            }
        }
        Ok(findings)
    }
}
