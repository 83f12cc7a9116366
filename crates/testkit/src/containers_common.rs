//! The default filter of system calls of container engines, as an OCI runtime takes it.
//!
//! containers-common (podman, buildah, CRI-O) ships it in the engines' form, whose rules depend on architecture and capabilities.
//!
//! Invariant: nothing of the profile is copied here; it is read where the package has put it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

/// Where the package has it (Debian: golang-github-containers-common).
pub const PROFILE: &str = "/usr/share/containers/seccomp.json";

/// The capabilities that container engines give, without `CAP_`.
pub const CAPABILITIES: &[&str] = &[
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "MKNOD",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

/// [`CAPABILITIES`] as `config.json` spells them.
pub fn capabilities() -> Vec<String> {
    CAPABILITIES.iter().map(|name| format!("CAP_{name}")).collect()
}

/// Why there is no profile here.
pub fn missing_profile() -> Option<String> {
    (!Path::new(PROFILE).exists()).then(|| format!("there is no `{PROFILE}` (Debian: golang-github-containers-common)"))
}

/// The package's version, as far as Debian's package manager knows it.
pub fn version() -> String {
    let asked = Command::new("dpkg-query").args(["-W", "-f", "${Version}", "golang-github-containers-common"]).output();
    let told = asked.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    if told.is_empty() { "of unknown version".to_owned() } else { told }
}

/// `linux.seccomp` of a `config.json` for a container with those capabilities; nothing where the profile is not of the known form.
pub fn seccomp(capabilities: &[String]) -> Option<Json> {
    let profile: Json = serde_json::from_slice(&std::fs::read(PROFILE).ok()?).ok()?;
    let [go, scmp] =
        if cfg!(target_arch = "aarch64") { ["arm64", "SCMP_ARCH_AARCH64"] } else { ["amd64", "SCMP_ARCH_X86_64"] };
    let calls: Vec<Json> = profile
        .get("syscalls")?
        .as_array()?
        .iter()
        .filter(|rule| holds(rule, go, capabilities))
        .map(|rule| {
            let parts = ["names", "action", "args", "errnoRet"];
            let there = parts.iter().filter_map(|part| Some((*part, rule.get(part).filter(|it| !it.is_null())?)));
            Json::Object(there.map(|(part, value)| (part.to_owned(), value.clone())).collect())
        })
        .collect();
    let is_own = |map: &&Json| map.get("architecture").is_some_and(|name| name == scmp);
    let map = profile.get("archMap")?.as_array()?.iter().find(is_own)?;
    let others = map.get("subArchitectures").and_then(Json::as_array).cloned().unwrap_or_default();
    let architectures: Vec<Json> = std::iter::once(json!(scmp)).chain(others).collect();
    Some(json!({
        "defaultAction": profile.get("defaultAction")?, "defaultErrnoRet": profile.get("defaultErrnoRet")?,
        "architectures": architectures, "syscalls": calls,
    }))
}

/// Whether a rule is one for this architecture and these capabilities.
fn holds(rule: &Json, architecture: &str, capabilities: &[String]) -> bool {
    let list = |part: &str, what: &str| -> Option<Vec<String>> {
        let names = rule.get(part)?.get(what)?.as_array()?;
        Some(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
    };
    let has = |name: &String| capabilities.contains(name);
    let is_own = |name: &String| name == architecture;
    list("includes", "arches").is_none_or(|names| names.iter().any(is_own))
        && list("includes", "caps").is_none_or(|names| names.iter().all(has))
        && !list("excludes", "arches").is_some_and(|names| names.iter().any(is_own))
        && !list("excludes", "caps").is_some_and(|names| names.iter().any(has))
}
