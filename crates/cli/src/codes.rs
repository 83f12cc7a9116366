//! The stable codes of the command line's own diagnostics; each has a page under `docs/errors/`.

use neargate_base::Code;

/// No engine answers.
pub(crate) const NO_ENGINE: Code = Code("NG-E0201");
/// The engine refused a call.
pub(crate) const REFUSED: Code = Code("NG-E0202");
/// There is no app where one was named.
pub(crate) const NO_APP: Code = Code("NG-E0203");
/// `neargate.toml` is no TOML.
pub(crate) const CONFIG_SYNTAX: Code = Code("NG-E0204");
/// `neargate.toml` has a key or value that it must not have.
pub(crate) const CONFIG: Code = Code("NG-E0205");
/// The app's command failed.
pub(crate) const APP_FAILED: Code = Code("NG-E0206");
/// `cdk.json` cannot be used.
pub(crate) const CDK_JSON: Code = Code("NG-E0207");
/// An event cannot be read or was not accepted.
pub(crate) const EVENT: Code = Code("NG-E0208");
/// An argument has a value that it must not have.
pub(crate) const ARGUMENT: Code = Code("NG-E0209");
/// A file or directory cannot be read or written.
pub(crate) const FILE: Code = Code("NG-E0210");
/// What was asked for is not in the engine.
pub(crate) const NOT_FOUND: Code = Code("NG-E0211");
/// There is no network to run a task in.
pub(crate) const NO_NETWORK: Code = Code("NG-E0212");
/// The engine did not start or did not end.
pub(crate) const ENGINE: Code = Code("NG-E0213");
/// What answers is no engine of ours.
pub(crate) const NOT_NEARGATE: Code = Code("NG-E0214");
/// The engine wants its own key, which cannot be read.
pub(crate) const KEY: Code = Code("NG-E0215");
/// Containers do not run on this machine.
pub(crate) const NO_CONTAINERS: Code = Code("NG-E0240");
/// Nothing came of what was fired.
pub(crate) const NO_TASK: Code = Code("NG-E0220");
/// Tasks did not end in time.
pub(crate) const TIMEOUT: Code = Code("NG-E0221");
/// The user broke it off.
pub(crate) const INTERRUPTED: Code = Code("NG-E0222");
/// There is nothing to fire.
pub(crate) const NOTHING_TO_FIRE: Code = Code("NG-E0223");
/// An event pattern is not valid.
pub(crate) const PATTERN: Code = Code("NG-E0230");
/// `PutTargets` refuses a target's input.
pub(crate) const TARGET_INPUT: Code = Code("NG-E0231");
/// Nothing is delivered to a target.
pub(crate) const NOT_DELIVERED: Code = Code("NG-E0232");
/// A schedule expression or its zone is not valid.
pub(crate) const SCHEDULE: Code = Code("NG-E0233");
/// A schedule never fires again.
pub(crate) const NEVER: Code = Code("NG-E0234");
/// Lines of stdin could not be answered.
pub(crate) const LINES: Code = Code("NG-E0235");
/// The program itself is wrong.
pub(crate) const OWN_FAULT: Code = Code("NG-E0290");
/// A stack was not made, changed or deleted.
pub(crate) const STACK: Code = Code("NG-P0201");
/// Something the app brings cannot be provided.
pub(crate) const ASSET: Code = Code("NG-P0202");
/// The app takes in what nobody provides.
pub(crate) const IMPORT: Code = Code("NG-P0203");
/// A template has a resource of a type that the engine does not run.
pub(crate) const TYPE: Code = Code("NG-P0204");
/// A task failed before its containers ran.
pub(crate) const TASK: Code = Code("NG-R0201");
/// Something failed beside tasks that ran.
pub(crate) const ON_THE_WAY: Code = Code("NG-R0202");
