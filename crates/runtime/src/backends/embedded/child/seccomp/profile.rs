//! The same filter in an OCI runtime's words.
//!
//! Invariant: made of the very lists that [`super::build`] reads, so that what one allows the other allows.

use serde_json::{Value as Json, json};

use super::{calls, relevant, table};
use crate::backends::embedded::child::capability;
use crate::event::StartFailure;
use crate::spec::ContainerSpec;

/// This machine's architecture as the specification calls it, alone: calls of another end the thread.
const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "SCMP_ARCH_AARCH64" } else { "SCMP_ARCH_X86_64" };

/// `linux.seccomp` of a container's `config.json`.
pub(in crate::backends::embedded::child) fn profile(container: &ContainerSpec) -> Result<Json, StartFailure> {
    let capabilities = relevant(container)?;
    let has = |name: &str| capability::bit(name).is_some_and(|bit| capabilities & bit != 0);
    let lists = table::WITH_CAPABILITY.iter().filter(|(name, _)| has(name)).map(|(_, list)| *list);
    let decided = |name: &str| matches!(name, "socket" | "personality") || (name == "clone" && !has("SYS_ADMIN"));
    let names: Vec<&str> =
        lists.chain([table::ALWAYS]).flat_map(calls).map(|(name, _)| name).filter(|name| !decided(name)).collect();
    let mut rules = vec![json!({ "names": names, "action": "SCMP_ACT_ALLOW" })];
    let mut where_argument = |call: &str, op: &str, value: u64, value_two: u64| {
        let argument = json!({ "index": 0, "value": value, "valueTwo": value_two, "op": op });
        rules.push(json!({ "names": [call], "action": "SCMP_ACT_ALLOW", "args": [argument] }));
    };
    where_argument("socket", "SCMP_CMP_LT", table::SOCKET_FAMILIES_BELOW, 0);
    table::SOCKET_FAMILIES.iter().for_each(|family| where_argument("socket", "SCMP_CMP_EQ", *family, 0));
    table::PERSONALITIES.iter().for_each(|it| where_argument("personality", "SCMP_CMP_EQ", *it, 0));
    if !has("SYS_ADMIN") {
        where_argument("clone", "SCMP_CMP_MASKED_EQ", table::CLONE_NAMESPACES, 0);
        rules.push(json!({ "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": libc::ENOSYS }));
    }
    Ok(json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": libc::EPERM,
        "architectures": [ARCHITECTURE],
        "syscalls": rules,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the profile says to a call whose first argument is 0.
    fn verdict(profile: &Json, call: &str) -> String {
        let named = |rule: &&Json| rule["names"].as_array().unwrap().iter().any(|name| name == call);
        let rules: Vec<&Json> = profile["syscalls"].as_array().unwrap().iter().filter(named).collect();
        let holds = |rule: &&Json| {
            rule["args"].as_array().is_none_or(|arguments| {
                arguments.iter().all(|it| match it["op"].as_str().unwrap() {
                    "SCMP_CMP_LT" => it["value"] != 0,
                    "SCMP_CMP_EQ" => it["value"] == 0,
                    "SCMP_CMP_MASKED_EQ" => it["valueTwo"] == 0,
                    other => panic!("{other}"),
                })
            })
        };
        match rules.into_iter().find(holds) {
            Some(rule) if rule["action"] == "SCMP_ACT_ALLOW" => "allow".to_owned(),
            Some(rule) => rule["errnoRet"].to_string(),
            None => profile["defaultErrnoRet"].to_string(),
        }
    }

    #[test]
    fn the_profile_says_what_the_filter_says_to_every_call_of_the_lists() {
        let all = || table::WITH_CAPABILITY.iter().map(|(_, list)| *list).chain([table::ALWAYS]).flat_map(calls);
        for added in std::iter::once(None).chain(table::WITH_CAPABILITY.iter().map(|(name, _)| Some(*name))) {
            let mut container = ContainerSpec::new("main", Vec::new(), Vec::new());
            container.capabilities_add = added.map(str::to_owned).into_iter().collect();
            let filter = super::super::build(relevant(&container).unwrap()).unwrap();
            let profile = profile(&container).unwrap();
            for (name, number) in all().chain([("socket", libc::SYS_socket), ("personality", libc::SYS_personality)]) {
                let ours = super::super::tests::verdict(
                    &filter,
                    super::super::tests::NATIVE,
                    u32::try_from(number).unwrap(),
                    0,
                );
                assert_eq!(verdict(&profile, name), ours, "{name} with {added:?}");
            }
        }
    }
}
