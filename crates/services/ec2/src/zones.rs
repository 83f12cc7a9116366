//! Regions and their availability zones: facts, not state.

/// An availability zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// `eu-west-1a`.
    pub(crate) name: String,
    /// `euw1-az1`.
    pub(crate) id: String,
}

/// The zones of a region: three in each.
pub(crate) fn zones(region: &str) -> Vec<Zone> {
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
pub(crate) fn zone_id(region: &str, name: &str) -> Option<String> {
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

/// The regions of the commercial partition and whether an account must opt in to them.
pub(crate) const REGIONS: [(&str, bool); 34] = [
    ("af-south-1", true),
    ("ap-east-1", true),
    ("ap-east-2", true),
    ("ap-northeast-1", false),
    ("ap-northeast-2", false),
    ("ap-northeast-3", false),
    ("ap-south-1", false),
    ("ap-south-2", true),
    ("ap-southeast-1", false),
    ("ap-southeast-2", false),
    ("ap-southeast-3", true),
    ("ap-southeast-4", true),
    ("ap-southeast-5", true),
    ("ap-southeast-6", true),
    ("ap-southeast-7", true),
    ("ca-central-1", false),
    ("ca-west-1", true),
    ("eu-central-1", false),
    ("eu-central-2", true),
    ("eu-north-1", false),
    ("eu-south-1", true),
    ("eu-south-2", true),
    ("eu-west-1", false),
    ("eu-west-2", false),
    ("eu-west-3", false),
    ("il-central-1", true),
    ("me-central-1", true),
    ("me-south-1", true),
    ("mx-central-1", true),
    ("sa-east-1", false),
    ("us-east-1", false),
    ("us-east-2", false),
    ("us-west-1", false),
    ("us-west-2", false),
];

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
