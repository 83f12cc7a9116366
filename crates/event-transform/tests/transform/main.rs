//! The transformer against the corpora of known outcomes and against single rules.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod rules;
