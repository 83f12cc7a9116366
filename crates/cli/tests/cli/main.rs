//! The command as its users see it: exit codes, stdout, stderr.
//!
//! Each module says `cfg(test)` so that clippy grants it what it grants tests.
#![allow(clippy::too_many_lines, reason = "snapshots are long")]

#[cfg(test)]
mod asked;
#[cfg(test)]
mod client;
#[cfg(test)]
mod corpora;
#[cfg(test)]
mod data_dir;
#[cfg(test)]
mod events;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod foreground;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod help;
#[cfg(test)]
mod images;
#[cfg(test)]
mod lacks;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod recorder;
#[cfg(test)]
mod running;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod seed;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod synth;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod upkeep;
#[cfg(test)]
mod visible;
