//! Regions and availability zones.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, real};
use crate::api;
use crate::errors::Ec2Error;
use crate::list::{Field, select, text};
use neargate_base::zones;

use crate::zones::REGIONS;

/// `DescribeAvailabilityZones` lists the region's three zones.
pub(crate) struct DescribeAvailabilityZones;

impl Operation for DescribeAvailabilityZones {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_AVAILABILITY_ZONES;
    type Input = api::DescribeAvailabilityZonesInput;
    type Output = api::DescribeAvailabilityZonesOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeAvailabilityZones")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let region = cx.scope.region.to_string();
        let all = zones(&region).into_iter().map(|zone| zone_view(&region, zone.name, zone.id)).collect();
        let all = select(all, input.filters.as_deref(), ZONE_FIELDS, |_| &[])?;
        let all = named(all, input.zone_names, |it| &it.zone_name, "Invalid availability zone: ")?;
        let all = named(all, input.zone_ids, |it| &it.zone_id, "Invalid availability zone-id: ")?;
        Ok(api::DescribeAvailabilityZonesOutput { availability_zones: Some(all) })
    }
}

const ZONE_FIELDS: &[Field<api::AvailabilityZone>] = &[
    ("group-name", |it| text(&it.group_name)),
    ("opt-in-status", |it| text(&it.opt_in_status)),
    ("region-name", |it| text(&it.region_name)),
    ("state", |it| text(&it.state)),
    ("zone-id", |it| text(&it.zone_id)),
    ("zone-name", |it| text(&it.zone_name)),
    ("zone-type", |it| text(&it.zone_type)),
];

fn zone_view(region: &str, name: String, id: String) -> api::AvailabilityZone {
    api::AvailabilityZone {
        opt_in_status: Some("opt-in-not-required".to_owned()),
        messages: Some(vec![]),
        region_name: Some(region.to_owned()),
        zone_name: Some(name),
        zone_id: Some(id),
        group_name: Some(format!("{region}-zg-1")),
        network_border_group: Some(region.to_owned()),
        zone_type: Some("availability-zone".to_owned()),
        state: Some("available".to_owned()),
        ..api::AvailabilityZone::default()
    }
}

/// Those of the names, where there are any; each must be there.
fn named<T>(
    mut all: Vec<T>,
    names: Option<Vec<String>>,
    name: fn(&T) -> &Option<String>,
    invalid: &str,
) -> Result<Vec<T>, Ec2Error> {
    let Some(names) = names.filter(|names| !names.is_empty()) else { return Ok(all) };
    if let Some(absent) = names.iter().find(|wanted| all.iter().all(|it| name(it).as_ref() != Some(wanted))) {
        return Err(Ec2Error::InvalidValue(format!("{invalid}[{absent}]")));
    }
    all.retain(|it| name(it).as_ref().is_some_and(|name| names.contains(name)));
    Ok(all)
}

/// `DescribeRegions` lists the regions that need no opting in, or all.
pub(crate) struct DescribeRegions;

impl Operation for DescribeRegions {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_REGIONS;
    type Input = api::DescribeRegionsInput;
    type Output = api::DescribeRegionsOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeRegions")
    }

    fn apply(_: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let all_regions = input.all_regions == Some(true);
        let region = |(name, opt_in): (&str, bool)| api::Region {
            opt_in_status: Some(if opt_in { "not-opted-in" } else { "opt-in-not-required" }.to_owned()),
            region_name: Some(name.to_owned()),
            endpoint: Some(format!("ec2.{name}.amazonaws.com")),
            ..api::Region::default()
        };
        let regions = REGIONS.into_iter().filter(|(_, opt_in)| all_regions || !opt_in).map(region).collect();
        let regions = select(regions, input.filters.as_deref(), REGION_FIELDS, |_| &[])?;
        let regions = named(regions, input.region_names, |it| &it.region_name, "Invalid region: ")?;
        Ok(api::DescribeRegionsOutput { regions: Some(regions) })
    }
}

const REGION_FIELDS: &[Field<api::Region>] = &[
    ("endpoint", |it| text(&it.endpoint)),
    ("opt-in-status", |it| text(&it.opt_in_status)),
    ("region-name", |it| text(&it.region_name)),
];
