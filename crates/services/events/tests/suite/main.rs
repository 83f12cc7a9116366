//! EventBridge through its API, with the real ECS behind it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly; clippy's own exemption stops at test functions"
)]

mod ask;
mod deliver;
mod lists;
mod patterns;
mod put;
mod schedule;
mod visible;
mod world;
