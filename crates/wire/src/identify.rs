//! Which service and operation a request means.
//!
//! Invariant: nothing here trusts the request; a credential scope only chooses between services that would fit.

use neargate_shape::{OperationShape, Protocol, ServiceShape};

use crate::form::form_value;
use crate::message::Request;
use crate::sigv4;

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
/// method and path among the services that have paths. The credential scope decides between several.
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
        let in_scope = |service: &&&'static ServiceShape| Some(service.signing_name) == scope.as_deref();
        let found = candidates.clone().find(in_scope).or_else(|| match &scope {
            Some(_) => None,
            None => candidates.find(|service| Some(service.api_version) == version.as_deref() && has(service, &action)),
        });
        return match found {
            Some(service) => named(service, &action),
            None => Identified::UnknownService(scope.unwrap_or_default()),
        };
    }
    let mut rest = services.iter().filter(|service| matches!(service.protocol, Protocol::RestJson | Protocol::RestXml));
    let fits = |service: &&'static ServiceShape| {
        let operation = service.operations.iter().find(|operation| routes(operation, request))?;
        Some(Identified::Operation(service, operation))
    };
    match &scope {
        Some(scope) => match rest.find(|service| service.signing_name == scope) {
            Some(service) => {
                let path = format!("{} {}", request.method, request.path);
                fits(service).unwrap_or(Identified::UnknownOperation(service, path))
            }
            None => Identified::UnknownService(scope.clone()),
        },
        None => rest.find_map(fits).unwrap_or(Identified::NoApi),
    }
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
