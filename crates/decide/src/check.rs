//! What AWS refuses of a document whose structure is sound, in AWS's order.
//!
//! Identity policies pass two parsers at AWS. The first, of old, takes dates and resources by rules of its own and answers one text
//! for everything; the second names what it refuses.

use super::document::{Document, Effect, Part, Statement};
use super::malformed::{IAM_PATHS, Kind, Malformed};
use super::pattern::action_matches;

/// The partitions that a resource's ARN may name.
const PARTITIONS: &[&str] =
    &["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc", "*"];

/// The actions of STS, which alone a trust policy may speak of.
const STS: &[&str] = &[
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:AssumeRoot",
    "sts:DecodeAuthorizationMessage",
    "sts:GetAccessKeyInfo",
    "sts:GetCallerIdentity",
    "sts:GetFederationToken",
    "sts:GetServiceBearerToken",
    "sts:GetSessionToken",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

/// Checks a document whose structure is sound. `legacy` is what was found while it was read.
pub(crate) fn check(
    document: &Document,
    version: Option<&str>,
    kind: Kind,
    legacy: &[String],
) -> Result<(), Malformed> {
    if kind == Kind::Identity && version != Some("2012-10-17") {
        return Err(Malformed::Version);
    }
    let statements = &document.statements;
    let is_identity = matches!(kind, Kind::Identity | Kind::Inline);
    let flaw = if is_identity { of_first_parser(statements, legacy)? } else { None };
    let sids: Vec<_> = statements.iter().filter_map(|statement| statement.sid.as_ref()).collect();
    if sids.iter().enumerate().any(|(at, sid)| sids.iter().skip(at + 1).any(|other| other == sid)) {
        return Err(Malformed::Sid);
    }
    if statements.iter().any(|statement| statement.actions.patterns.is_empty()) {
        return Err(Malformed::NoActions);
    }
    if is_identity {
        return check_identity(statements, flaw);
    }
    statements.iter().try_for_each(|statement| match kind {
        Kind::Trust => check_trust(statement),
        _ => check_resource(statement),
    })
}

/// What AWS's first parser refuses; else the first resource that the second will.
fn of_first_parser(statements: &[Statement], legacy: &[String]) -> Result<Option<Malformed>, Malformed> {
    if let Some(hint) = legacy.first() {
        return Err(Malformed::Legacy(hint.clone()));
    }
    let mut flaw = None;
    for resources in statements.iter().filter_map(|statement| statement.resources.as_ref()) {
        // Of several, AWS names the first in alphabetical order.
        let mut sorted: Vec<_> = resources.patterns.iter().collect();
        sorted.sort();
        flaw = flaw.or_else(|| sorted.into_iter().find_map(|resource| flaw_of(resource)));
        let cannot_be_read = |resource: &&String| {
            let has_all_parts = resource.matches(':').count() >= 5;
            *resource != "*" && ((!has_all_parts && resource.contains("::")) || resource.split(':').nth(2) == Some(""))
        };
        if let (None, Some(resource)) = (&flaw, resources.patterns.iter().find(cannot_be_read)) {
            return Err(Malformed::Legacy(format!("resource `{resource}` lacks parts of an ARN")));
        }
    }
    Ok(flaw)
}

/// Why a resource is neither `*` nor an ARN.
fn flaw_of(resource: &str) -> Option<Malformed> {
    if resource == "*" {
        return None;
    }
    let mut parts = resource.splitn(6, ':').skip(1);
    let Some(partition) = parts.next() else { return Some(Malformed::Resource(resource.to_owned())) };
    if !PARTITIONS.contains(&partition) {
        let rest: Vec<_> = parts.collect();
        let padded: Vec<_> = (0..4).map(|at| rest.get(at).copied().unwrap_or("*")).collect();
        let shown = format!("arn:{partition}:{}", padded.join(":"));
        return Some(Malformed::Partition { partition: partition.to_owned(), shown });
    }
    let Some(service) = parts.next() else { return Some(Malformed::ResourceVendor) };
    let (region, account) = (parts.next().unwrap_or_default(), parts.next());
    let last = parts.next()?;
    match service {
        "iam" if !matches!(region, "" | "*") => Some(Malformed::IamRegion(resource.to_owned())),
        // Access points and the like lie in a region and in an account.
        "s3" if !matches!(region, "" | "*") && account == Some("") => Some(Malformed::S3Region(resource.to_owned())),
        "iam" if !is_iam_path(last) => Some(Malformed::IamPath),
        _ => None,
    }
}

fn is_iam_path(path: &str) -> bool {
    let kind = path.split('/').next().unwrap_or_default();
    // A wildcard may stand for any of them.
    path == "root" || kind.contains(['*', '?', '$']) || IAM_PATHS.iter().any(|start| path.starts_with(start))
}

fn check_identity(statements: &[Statement], flaw: Option<Malformed>) -> Result<(), Malformed> {
    if statements.iter().any(|statement| statement.principals.is_some()) {
        return Err(Malformed::Principal);
    }
    if let Some(flaw) = flaw {
        return Err(flaw);
    }
    statements.iter().try_for_each(|statement| check_actions(&statement.actions))?;
    let has_resources = |part: &Part| !part.patterns.is_empty();
    match statements.iter().all(|statement| statement.resources.as_ref().is_some_and(has_resources)) {
        true => Ok(()),
        false => Err(Malformed::NoResources),
    }
}

fn check_actions(actions: &Part) -> Result<(), Malformed> {
    actions.patterns.iter().try_for_each(|action| check_action(action))
}

fn check_action(action: &str) -> Result<(), Malformed> {
    if action == "*" {
        return Ok(());
    }
    let (vendor, name) = action.split_once(':').ok_or(Malformed::Vendor)?;
    if name.contains(':') {
        return Err(Malformed::Colons);
    }
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'.');
    let is_name = vendor == "*" || (!vendor.is_empty() && vendor.bytes().all(is_letter));
    if is_name { Ok(()) } else { Err(Malformed::VendorName(vendor.to_owned())) }
}

fn check_resource(statement: &Statement) -> Result<(), Malformed> {
    let Some(principals) = &statement.principals else { return Err(Malformed::NoPrincipal) };
    if principals.negated && statement.effect == Effect::Allow {
        let hint = "`NotPrincipal` is for `Deny` alone; name who is allowed in `Principal`";
        return Err(Malformed::Syntax(Kind::Resource, hint.to_owned()));
    }
    if statement.resources.as_ref().is_none_or(|resources| resources.patterns.is_empty()) {
        return Err(Malformed::NoResources);
    }
    check_actions(&statement.actions)
}

fn check_trust(statement: &Statement) -> Result<(), Malformed> {
    if statement.resources.is_some() {
        return Err(Malformed::Prohibited("Resource"));
    }
    match &statement.principals {
        None => return Err(Malformed::NoPrincipal),
        Some(principals) if principals.negated => return Err(Malformed::Prohibited("NotPrincipal")),
        Some(_) => {}
    }
    let is_of_sts = |pattern: &String| {
        pattern.get(..4).is_some_and(|vendor| vendor.eq_ignore_ascii_case("sts:"))
            && STS.iter().any(|action| action_matches(pattern, action))
    };
    match statement.actions.patterns.iter().all(is_of_sts) {
        true => Ok(()),
        false => Err(Malformed::NotAssumeRole),
    }
}

/// Whether AWS's first parser takes a text for a date: parts of ISO 8601, of which all but the year may be missing, or seconds.
pub(crate) fn is_date(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    if !text.contains(['t', '-']) {
        return text.parse::<i64>().is_ok_and(|seconds| seconds >= 0);
    }
    let (date, time) = text.split_once('t').unwrap_or((&text, ""));
    let (sign, unsigned) = date.strip_prefix('-').map_or((1, date), |unsigned| (-1, unsigned));
    let mut parts = unsigned.split('-');
    let year = parts.next().and_then(|year| year.parse::<i64>().ok()).map(|year| sign * year);
    let is_between = |part: Option<&str>, least: u32, most: u32| {
        part.is_none_or(|part| part.parse().is_ok_and(|number: u32| (least..=most).contains(&number)))
    };
    year.is_some_and(|year| (-292_275_054..=292_278_993).contains(&year))
        && is_between(parts.next(), 1, 12)
        && is_between(parts.next(), 1, 31)
        && parts.next().is_none()
        && is_time(time, is_between)
}

fn is_time(time: &str, is_between: impl Fn(Option<&str>, u32, u32) -> bool) -> bool {
    let (time, zone) = time.split_at(time.find(['z', '+', '-']).unwrap_or(time.len()));
    let mut parts = time.split(':');
    let hours = parts.next().filter(|hours| !hours.is_empty());
    if !is_between(hours, 0, 23) || !is_between(parts.next(), 0, 59) {
        return false;
    }
    let (seconds, fraction) = match parts.next().map(|seconds| (seconds, seconds.split_once('.'))) {
        Some((_, Some((whole, fraction)))) => (Some(whole), Some(fraction)),
        Some((whole, None)) => (Some(whole), None),
        None => (None, None),
    };
    let is_pair =
        |part: Option<&str>, most: u32| part.is_none_or(|part| part.len() == 2 && is_between(Some(part), 0, most));
    let mut offset = zone.get(1..).unwrap_or_default().split(':');
    let is_zone = match zone {
        "" | "z" => true,
        zone => {
            !zone.starts_with('z')
                && is_pair(offset.next(), 23)
                && is_pair(offset.next(), 59)
                && offset.next().is_none()
        }
    };
    parts.next().is_none() && is_between(seconds, 0, 59) && is_between(fraction, 0, 999_999_999) && is_zone
}
