//! The names of availability zones.

use neargate_base::Diagnostic;
use neargate_l1::Value;

use crate::tree::region::is_region;
use crate::{Stack, codes};

/// What is wrong with a zone's name, as far as the stack knows: its account's zones, or its region, or neither. A name that only
/// deployment knows is checked there.
pub(super) fn problem(stack: &Stack, zone: &str) -> Option<Diagnostic> {
    Value::from(zone).known()?;
    let error = |message: String, hint: String| Some(Diagnostic::error(codes::VPC, message).hint(hint));
    let region = stack.region().known().filter(|region| is_region(region)).map(str::to_owned);
    match (stack.known_availability_zones(), region) {
        (Some(zones), _) if zones.iter().any(|known| known == zone) => None,
        (Some(zones), _) => {
            let names: Vec<String> = zones.iter().map(|zone| format!("`{zone}`")).collect();
            error(
                format!(
                    "`{zone}` is no availability zone of the stack's account and region: expected {}",
                    names.join(", ")
                ),
                "take one of them, or leave `availability_zones` out for the first ones".to_owned(),
            )
        }
        (None, Some(region)) if !zone.starts_with(&region) => {
            error(format!("the availability zone `{zone}` is not in `{region}`"), format!("write it as `{region}a`"))
        }
        _ if is_zone(zone) => None,
        (None, region) => error(
            format!("`{zone}` is no availability zone: expected a region's name and a letter"),
            format!("write it as `{}a`", region.as_deref().unwrap_or("eu-west-1")),
        ),
    }
}

/// `eu-west-1a`; the zones of Local Zones and Wavelength (`us-west-2-lax-1a`, `us-east-1-wl1-bos-wlz-1`) are longer.
fn is_zone(name: &str) -> bool {
    let plain = name.strip_suffix(|letter: char| letter.is_ascii_lowercase()).is_some_and(is_region);
    let begin: Vec<&str> = name.splitn(4, '-').take(3).collect();
    plain || (name.split('-').count() > 4 && is_region(&begin.join("-")))
}

#[cfg(test)]
mod tests {
    use super::is_zone;

    #[test]
    fn zones_are_regions_with_a_letter() {
        for name in [
            "eu-west-1a",
            "us-gov-east-1b",
            "ap-southeast-2c",
            "us-west-2-lax-1a",
            "us-east-1-wl1-bos-wlz-1",
            "eusc-de-east-1a",
        ] {
            assert!(is_zone(name), "{name}");
        }
        for name in ["", "a", "eu-west-1", "eu-west-a", "EU-WEST-1a", "eu-west-1ab", "nonsense"] {
            assert!(!is_zone(name), "{name}");
        }
    }
}
