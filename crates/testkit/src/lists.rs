//! Lists, walked page by page.

use neargate_kernel::Fault;
use serde_json::{Value as Json, json};

use crate::Harness;

/// An operation that answers in pages.
#[derive(Clone, Debug)]
pub struct List<'a> {
    /// The service's short name.
    pub service: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// Its input without the token.
    pub input: Json,
    /// The member of its output that holds the items.
    pub items: &'a str,
    /// The members that hold the token: of the input, of the output.
    pub token: (&'a str, &'a str),
}

/// More pages than any list of a test has.
const PAGES_MAX: usize = 10_000;

impl List<'_> {
    /// All pages, each begun with the token of the one before.
    ///
    /// # Errors
    /// The first call's that is refused, or that the list does not end.
    pub fn pages(&self, harness: &mut Harness) -> Result<Vec<Vec<Json>>, Fault> {
        let (mut pages, mut token) = (vec![], Json::Null);
        while pages.len() < PAGES_MAX {
            let answer = self.call(harness, &token)?;
            pages.push(answer.get(self.items).and_then(Json::as_array).cloned().unwrap_or_default());
            token = answer.get(self.token.1).cloned().unwrap_or_default();
            if token.is_null() {
                return Ok(pages);
            }
        }
        Err(Fault::internal("the list does not end"))
    }

    /// What the list answers to tokens that it did not give for this input: none, one of another list, one of another filter, one that
    /// was changed.
    ///
    /// # Errors
    /// Where it has no second page whose token could be changed.
    pub fn refusals(&self, harness: &mut Harness, others: &[String]) -> Result<Vec<String>, Fault> {
        let first = self.call(harness, &Json::Null)?;
        let token = first.get(self.token.1).and_then(Json::as_str).ok_or_else(|| Fault::internal("one page only"))?;
        let changed = token.chars().rev().collect::<String>();
        let foreign = ["0", "garbage", "1000", &changed].into_iter().chain(others.iter().map(String::as_str));
        let told = |answer: Result<Json, Fault>| answer.map_or_else(|fault| fault.to_string(), |it| it.to_string());
        let mut answers: Vec<String> = foreign.map(|token| told(self.call(harness, &json!(token)))).collect();
        answers.dedup();
        Ok(answers)
    }

    /// The token of the second page.
    ///
    /// # Errors
    /// The call's.
    pub fn second(&self, harness: &mut Harness) -> Result<String, Fault> {
        let first = self.call(harness, &Json::Null)?;
        Ok(first.get(self.token.1).and_then(Json::as_str).unwrap_or_default().to_owned())
    }

    fn call(&self, harness: &mut Harness, token: &Json) -> Result<Json, Fault> {
        let mut input = self.input.clone();
        if let (Some(members), false) = (input.as_object_mut(), token.is_null()) {
            members.insert(self.token.0.to_owned(), token.clone());
        }
        harness.call(self.service, self.operation, input)
    }
}
