//! ECS in a real core, with a driver that is the test itself.

#![cfg(test)]

mod capacity;
mod families;
mod lifecycle;
mod lists;
mod refusals;
mod registration;
mod retention;
mod secrets;
