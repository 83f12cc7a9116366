//! Logical ids as the CDK makes them: readable, stable under refactorings that keep the path, unique by a hash of the path.
//!
//! The rule is a contract with deployed stacks: another id is another resource, so a change here replaces what users run.

use md5::{Digest, Md5};

const HIDDEN: &str = "Default";
const HIDDEN_FROM_HUMANS: &str = "Resource";
const HUMAN_LENGTH_MAX: usize = 240;
const LENGTH_MAX: usize = 255;

/// The unique id of a path: its ids below the stack for a logical id, below the root for a name.
///
/// `Default` components vanish; a single component is the id itself; otherwise the readable parts are joined (without `Resource`
/// and without what merely repeats the end of its parent), followed by eight hex digits of the path's MD5.
pub fn unique_id<S: AsRef<str>>(path: &[S]) -> String {
    let path: Vec<&str> = path.iter().map(AsRef::as_ref).filter(|id| *id != HIDDEN).collect();
    if let [only] = path.as_slice() {
        let id = alphanumeric(only);
        if id.len() <= LENGTH_MAX {
            return id;
        }
    }
    let mut human = String::new();
    let mut kept: Option<&str> = None;
    for id in &path {
        if kept.is_some_and(|kept| kept.ends_with(id)) {
            continue;
        }
        kept = Some(id);
        if *id != HIDDEN_FROM_HUMANS {
            human.push_str(&alphanumeric(id));
        }
    }
    human.truncate(HUMAN_LENGTH_MAX);
    human + &hash(&path.join("/"))
}

/// The first eight hex digits, upper case, of the MD5 of a text.
pub(crate) fn hash(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02X}")).collect()
}

fn alphanumeric(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::unique_id;

    #[test]
    fn one_component_is_its_own_id() {
        assert_eq!(unique_id(&["my-Vpc"]), "myVpc");
        assert_eq!(unique_id(&["my-Vpc", "Default"]), "myVpc");
    }

    #[test]
    fn resource_counts_for_the_hash_only_and_repeated_ends_are_dropped() {
        assert_eq!(unique_id(&["Vpc", "Resource"]), "Vpc8378EB38");
        assert_eq!(unique_id(&["Vpc", "PublicSubnet1", "Subnet"]), "VpcPublicSubnet1Subnet5C2D37C4");
        assert_eq!(
            unique_id(&["my-proj ManagementTask", "TriggeredTaskDef", "EventsRole", "DefaultPolicy", "Resource"]),
            "myprojManagementTaskTriggeredTaskDefEventsRoleDefaultPolicyD959D05A"
        );
    }

    #[test]
    fn long_ids_are_cut_before_the_hash() {
        let long = "x".repeat(300);
        assert_eq!(unique_id(&[long.as_str(), "y"]).len(), 248);
        assert_eq!(unique_id(&[long.as_str()]).len(), 248);
    }
}
