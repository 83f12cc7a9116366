//! Which image of a multi-platform index this machine takes.
//!
//! Invariant: pure; the only image there is, is taken whatever it is for.

use neargate_base::Diagnostic;
use serde_json::Value;

use super::super::codes;
use super::super::platform::Platform;
use super::super::platform::host_architecture;

/// Picks among the descriptors of an index.
pub(super) fn pick(descriptors: &[Value]) -> Result<&Value, Diagnostic> {
    let images: Vec<&Value> = descriptors.iter().filter(|descriptor| !is_attestation(descriptor)).collect();
    let ours = images.iter().find(|d| platform(d) == Some(("linux", host_architecture())));
    match (ours, images.as_slice()) {
        (Some(ours), _) => Ok(ours),
        (None, [only]) => Ok(only),
        (None, []) => Err(codes::corrupt("the index names no image")),
        (None, [first, rest @ ..]) if rest.iter().all(|other| other.get("digest") == first.get("digest")) => Ok(first),
        (None, several) => {
            let mut offered: Vec<String> = several
                .iter()
                .map(|d| platform(d).map_or_else(|| "unknown".to_owned(), |(os, arch)| format!("{os}/{arch}")))
                .collect();
            offered.dedup();
            let wanted = host_architecture();
            Err(Diagnostic::error(
                codes::NO_PLATFORM,
                format!("the image is for `{}`, this machine needs `linux/{wanted}`", offered.join("`, `")),
            )
            .hint(format!(
                "save it with `skopeo copy --override-os linux --override-arch {wanted}` or for several platforms"
            )))
        }
    }
}

/// What an index has images for, as far as it says.
pub(super) fn offered(descriptors: &[Value]) -> Vec<Platform> {
    let images = descriptors.iter().filter(|descriptor| !is_attestation(descriptor));
    images.filter_map(platform).map(|(os, architecture)| Platform::new(os, architecture)).collect()
}

/// Statements about other images, which build tools put beside them.
fn is_attestation(descriptor: &Value) -> bool {
    let kind = descriptor.get("annotations").and_then(|a| a.get("vnd.docker.reference.type")).and_then(Value::as_str);
    kind == Some("attestation-manifest") || platform(descriptor) == Some(("unknown", "unknown"))
}

fn platform(descriptor: &Value) -> Option<(&str, &str)> {
    let platform = descriptor.get("platform")?;
    Some((platform.get("os")?.as_str()?, platform.get("architecture")?.as_str()?))
}
