//! Availability zones: facts, not state.
//!
//! Invariant: every region has three.

/// An availability zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// `eu-west-1a`.
    pub name: String,
    /// `euw1-az1`.
    pub id: String,
}

/// The zones of a region: three in each.
pub fn zones(region: &str) -> Vec<Zone> {
    let code = code(region);
    let zone =
        |(letter, number): (char, u8)| Zone { name: format!("{region}{letter}"), id: format!("{code}-az{number}") };
    [('a', 1), ('b', 2), ('c', 3)].map(zone).into()
}

/// The names of a region's zones, in order.
pub fn zone_names(region: &str) -> Vec<String> {
    zones(region).into_iter().map(|zone| zone.name).collect()
}

/// The id of a zone of the region.
pub fn zone_id(region: &str, name: &str) -> Option<String> {
    zones(region).into_iter().find(|zone| zone.name == name).map(|zone| zone.id)
}

/// `ap-southeast-2` in zone ids: `apse2`.
fn code(region: &str) -> String {
    let short = |part: &str| match part {
        "gov" => "g".to_owned(),
        "north" | "south" | "east" | "west" | "central" => part.chars().take(1).collect(),
        "northeast" => "ne".to_owned(),
        "southeast" => "se".to_owned(),
        "northwest" => "nw".to_owned(),
        "southwest" => "sw".to_owned(),
        other => other.to_owned(),
    };
    region.split('-').map(short).collect()
}

#[cfg(test)]
mod tests {
    use super::{zone_id, zones};

    #[test]
    fn zone_ids_are_short_for_the_region() {
        let first = |region: &str| zones(region).first().map(|zone| zone.id.clone()).unwrap();
        let ids =
            ["us-east-1", "eu-west-1", "ap-southeast-2", "ap-northeast-1", "ca-central-1", "us-gov-west-1"].map(first);
        assert_eq!(ids, ["use1-az1", "euw1-az1", "apse2-az1", "apne1-az1", "cac1-az1", "usgw1-az1"]);
        assert_eq!(zone_id("eu-north-1", "eu-north-1c").as_deref(), Some("eun1-az3"));
        assert_eq!(zone_id("eu-north-1", "eu-north-1d"), None);
    }
}
