//! Which service and operation a request means.
//!
//! Invariant: nothing here trusts the request; a credential scope only chooses between services that would fit. Where a request fits
//! no service of its scope's name and one of another, it means that one, and its scope is wrong.

use neargate_shape::{Location, OperationShape, Protocol, ServiceShape};

use crate::form::{form_value, parse_form};
use crate::message::Request;
use crate::spoken::is_of_aws;
use crate::{rpcv2cbor, sigv4};

/// What a request means.
#[derive(Clone, Debug)]
pub enum Identified {
    /// An operation that exists here.
    Operation(&'static ServiceShape, &'static OperationShape),
    /// An operation that AWS has and we do not.
    Unimplemented(&'static ServiceShape, String),
    /// A known service that has no such operation.
    UnknownOperation(&'static ServiceShape, String),
    /// A service that does not exist here; its name as far as the request tells it.
    UnknownService(String),
    /// No request to an AWS API.
    NoApi,
}

/// Finds service and operation: from `X-Amz-Target`, from the path of Smithy's RPC v2, from `Action` and `Version` in a form or the
/// query string, else from method, path, query string and headers among the services that have paths. The credential scope decides
/// between several. It is not compared with what was found.
pub fn identify(services: &[&'static ServiceShape], request: &Request<'_>) -> Identified {
    let scope = sigv4::claim(request).map(|claim| claim.service);
    if let Some(target) = request.header("x-amz-target") {
        let (prefix, name) = target.rsplit_once('.').unwrap_or(("", target));
        return match services.iter().find(|service| !prefix.is_empty() && service.target_prefix == prefix) {
            Some(service) => named(service, name),
            None => Identified::UnknownService(scope.unwrap_or_else(|| prefix.to_owned())),
        };
    }
    if request.header(rpcv2cbor::PROTOCOL.0) == Some(rpcv2cbor::PROTOCOL.1) {
        let mut parts = request.path.rsplitn(5, '/');
        let (name, operation) = (parts.next().unwrap_or_default(), parts.next() == Some("operation"));
        let (prefix, service) = (parts.next().unwrap_or_default(), parts.next() == Some("service"));
        let mut speaking = services.iter().filter(|service| service.protocol == Protocol::RpcV2Cbor);
        return match speaking.find(|found| operation && service && found.target_prefix == prefix) {
            Some(service) => named(service, name),
            None => Identified::UnknownService(scope.unwrap_or_else(|| prefix.to_owned())),
        };
    }
    if let Some((action, version)) = action(request) {
        let speaks = |service: &&&ServiceShape| matches!(service.protocol, Protocol::Query | Protocol::Ec2);
        let mut candidates = services.iter().filter(speaks);
        let in_scope = candidates.clone().find(|service| Some(service.signing_name) == scope.as_deref());
        let is_own = |service: &&ServiceShape| {
            version.as_deref().is_none_or(|version| version == service.api_version) || has(service, &action)
        };
        let by_version =
            || candidates.find(|service| Some(service.api_version) == version.as_deref() && has(service, &action));
        return match in_scope.filter(|service| is_own(service)).or_else(by_version).or(in_scope) {
            Some(service) => named(service, &action),
            None => Identified::UnknownService(scope.unwrap_or_default()),
        };
    }
    let has_paths = |protocol| matches!(protocol, Protocol::RestJson | Protocol::RestXml | Protocol::S3);
    let mut rest = services.iter().filter(|service| has_paths(service.protocol));
    let keys: Vec<(String, String)> = parse_form(request.query.as_bytes());
    let fits = |service: &&'static ServiceShape| {
        let fitting =
            service.operations.iter().filter_map(|operation| Some((fit(operation, request, &keys)?, operation)));
        // Of two that fit alike, the first by name.
        let (_, operation) = fitting.reduce(|best, other| if other.0 > best.0 { other } else { best })?;
        Some(Identified::Operation(service, operation))
    };
    let Some(scope) = scope else { return rest.find_map(fits).unwrap_or(Identified::NoApi) };
    if let Some(service) = rest.clone().find(|service| service.signing_name == scope) {
        let path = format!("{} {}", request.method, request.path);
        return fits(service).unwrap_or(Identified::UnknownOperation(service, path));
    }
    // A service of AWS's that is not here has paths that may look like those of one that is.
    let is_elsewhere = is_of_aws(&scope) && !services.iter().any(|service| service.signing_name == scope);
    let meant = if is_elsewhere { None } else { rest.find_map(fits) };
    meant.unwrap_or(Identified::UnknownService(scope))
}

fn named(service: &'static ServiceShape, name: &str) -> Identified {
    match service.operation(name) {
        Some(operation) => Identified::Operation(service, operation),
        None if service.is_unimplemented(name) => Identified::Unimplemented(service, name.to_owned()),
        None => Identified::UnknownOperation(service, name.to_owned()),
    }
}

fn has(service: &ServiceShape, name: &str) -> bool {
    service.operation(name).is_some() || service.is_unimplemented(name)
}

/// `Action` and `Version`, from the query string or from a body that says it is a form, or says nothing and is posted to `/`.
fn action(request: &Request<'_>) -> Option<(String, Option<String>)> {
    let content_type = request.header("content-type").unwrap_or_default();
    let untyped = content_type.is_empty() && request.method == "POST" && request.path == "/";
    let is_form = untyped || content_type.starts_with("application/x-www-form-urlencoded");
    let body = if is_form { request.body } else { &[] };
    let get = |name: &str| form_value(request.query.as_bytes(), name).or_else(|| form_value(body, name));
    Some((get("Action")?, get("Version")))
}

/// How well a request fits an operation; `None` where it does not. The more of what an operation asks for is there, the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// Whether all required members of query string and headers are there.
    is_complete: bool,
    /// How many parameters that the template has, and required members, are there.
    given: usize,
}

fn fit(operation: &OperationShape, request: &Request<'_>, query: &[(String, String)]) -> Option<Fit> {
    let (path, fixed) = operation.http_uri.split_once('?').unwrap_or((operation.http_uri, ""));
    if operation.http_method != request.method || !path_fits(path, request.path) {
        return None;
    }
    let fixed = parse_form(fixed.as_bytes());
    let has = |(key, value): &(String, String)| query.iter().any(|(k, v)| k == key && (value.is_empty() || v == value));
    if !fixed.iter().all(has) {
        return None;
    }
    let required = (operation.input)().members().iter().filter(|member| member.required);
    let (mut is_complete, mut given) = (true, fixed.len());
    for member in required {
        let name = member.message_name();
        let is_there = match member.location {
            Location::Query => query.iter().any(|(key, _)| key == name),
            Location::Header => request.header(name).is_some(),
            _ => continue,
        };
        is_complete &= is_there;
        given += usize::from(is_there);
    }
    Some(Fit { is_complete, given })
}

/// Whether a path fits a template; `{Name}` fits one segment, `{Name+}` all that follow. A slash at the end may be missing or too
/// many, but not where a name takes all that follows.
fn path_fits(template: &str, path: &str) -> bool {
    let is_greedy = template.ends_with("+}");
    let (template, path) = match path.strip_suffix('/') {
        Some(trimmed) if !is_greedy => (template.trim_end_matches('/'), trimmed),
        _ if !is_greedy => (template.trim_end_matches('/'), path),
        _ => (template, path),
    };
    let mut rest = Some(path);
    for wanted in template.split('/') {
        let Some(now) = rest else { return false };
        if wanted.ends_with("+}") {
            return !now.is_empty();
        }
        let (segment, after) = now.split_once('/').map_or((now, None), |(segment, after)| (segment, Some(after)));
        if wanted.starts_with('{') && segment.is_empty() || !wanted.starts_with('{') && segment != wanted {
            return false;
        }
        rest = after;
    }
    rest.is_none()
}

#[cfg(test)]
mod tests {
    use super::path_fits;

    #[test]
    fn paths_fit_templates_segment_by_segment() {
        for (template, path, fits) in [
            ("/", "/", true),
            ("/", "/a", false),
            ("/{B}", "/a", true),
            ("/{B}", "/a/", true),
            ("/{B}", "/a//", false),
            ("/{B}", "/", false),
            ("/{B}/{K+}", "/a", false),
            ("/{B}/{K+}", "/a/", false),
            ("/{B}/{K+}", "/a//", true),
            ("/{B}/{K+}", "/a/b/c/", true),
            ("/2015/functions/", "/2015/functions", true),
            ("/2015/functions/", "/2015/functions/", true),
            ("/2015/functions/{F}/code", "/2015/functions/x/code", true),
            ("/2015/functions/{F}/code", "/2015/functions//code", false),
            ("/2015/functions/{F}/code", "/2015/functions/x", false),
        ] {
            assert_eq!(path_fits(template, path), fits, "{template} {path}");
        }
    }
}
