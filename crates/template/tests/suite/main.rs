//! What the crate promises, as one test binary.
//!
//! Each module says `cfg(test)` so that clippy grants it what it grants tests.

#![allow(clippy::disallowed_methods, reason = "tests read cases from files")]

#[cfg(test)]
mod assembly;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod order;
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod said;
#[cfg(test)]
mod syntax;
