//! EC2 in a real core: operations, CloudFormation types and the port, with every other port faked.
//!
//! Each module says `cfg(test)` so that clippy grants it what it grants tests.

#[cfg(test)]
mod access;
#[cfg(test)]
mod default_vpc;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod interfaces;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod template;
#[cfg(test)]
mod world;
