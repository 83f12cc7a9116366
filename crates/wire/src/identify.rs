//! Which service and operation a request means.
//!
//! Invariant: nothing here trusts the request; a credential scope only chooses between services that would fit. Where a request fits
//! no service of its scope's name and one of another, it means that one, and its scope is wrong.

use neargate_shape::{OperationShape, Protocol, ServiceShape};

use crate::form::form_value;
use crate::message::Request;
use crate::sigv4;
use crate::spoken::is_of_aws;

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

/// Finds service and operation: from `X-Amz-Target`, from `Action` and `Version` in a form or the query string, else from
/// method and path among the services that have paths. The credential scope decides between several. It is not compared with what
/// was found.
pub fn identify(services: &[&'static ServiceShape], request: &Request<'_>) -> Identified {
    let scope = sigv4::claim(request).map(|claim| claim.service);
    if let Some(target) = request.header("x-amz-target") {
        let (prefix, name) = target.rsplit_once('.').unwrap_or(("", target));
        return match services.iter().find(|service| !prefix.is_empty() && service.target_prefix == prefix) {
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
    let mut rest = services.iter().filter(|service| matches!(service.protocol, Protocol::RestJson | Protocol::RestXml));
    let fits = |service: &&'static ServiceShape| {
        let operation = service.operations.iter().find(|operation| routes(operation, request))?;
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

/// Whether method and path fit an operation's template; `{Name}` fits one segment, `{Name+}` all that follow.
fn routes(operation: &OperationShape, request: &Request<'_>) -> bool {
    let template = operation.http_uri.split('?').next().unwrap_or_default();
    let mut segments = request.path.trim_end_matches('/').split('/');
    let mut fits = operation.http_method == request.method;
    for wanted in template.trim_end_matches('/').split('/') {
        match segments.next() {
            Some(segment) if wanted.starts_with('{') => {
                fits &= !segment.is_empty();
                if wanted.ends_with("+}") {
                    return fits;
                }
            }
            Some(segment) => fits &= segment == wanted,
            None => return false,
        }
    }
    fits && segments.next().is_none()
}
