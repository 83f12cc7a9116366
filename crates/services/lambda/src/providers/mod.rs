//! What the functions do that serve custom resources, where that is known: those that the CDK itself brings.
//!
//! Functions are not run. What the CDK's own do for `Custom::…` resources is no secret, and most apps have one of them, so it is
//! done here. What any other does is not known, and its resources are refused.
//!
//! Invariant: each acts through operations as its function's role, as the function would, and who makes the stack must be allowed to
//! invoke the function.
//!
//! Invariant: only the role of a function that the CDK brings for just this is acted as. What any other function would do with its
//! role is not known, so nobody gets the use of it.

mod cross_region;
mod custom;
mod known;
mod log_retention;
mod sdk_call;

pub(crate) use cross_region::{ExportReader, ExportWriter};
pub(crate) use custom::CustomResource;
pub(crate) use log_retention::LogRetention;
pub(crate) use sdk_call::SdkCall;

use known::Known;
use neargate_base::Region;
use neargate_kernel::{Access, Cx, Fault, ResourceRequest};
use serde_json::Value as Json;

use crate::errors::LambdaError;
use crate::functions::check_role;
use crate::state::{FunctionRecord, arn};

/// The property of every custom resource that names the function that serves it.
const SERVICE_TOKEN: &str = "ServiceToken";

/// The function that serves a custom resource.
#[derive(Clone, Debug)]
struct Provider {
    name: String,
    arn: String,
    role: String,
}

impl Provider {
    /// The function that the resource names, which must be the known one. Whoever makes the stack invokes it.
    fn of(cx: &Cx<'_>, request: &ResourceRequest<'_>, known: Known) -> Result<Self, Fault> {
        let token = request.text(SERVICE_TOKEN).unwrap_or_default();
        cx.authorize(&Access::new("lambda:InvokeFunction", token))?;
        let name = token.rsplit(":function:").next().unwrap_or_default().to_owned();
        let function = cx.get::<FunctionRecord>(&name).filter(|_| arn(&cx.scope, &name) == token);
        let Some(function) = function else { return Err(LambdaError::NotFound(token.to_owned()).into()) };
        if !known.is(&name, function) {
            return Err(known.refusal(token));
        }
        let role = function.configuration.role.clone().unwrap_or_default();
        Ok(Self { name, arn: token.to_owned(), role })
    }

    /// Works as the function.
    fn act<T>(&self, cx: &mut Cx<'_>, work: impl FnOnce(&mut Cx<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let role = check_role(cx, &self.role, &self.arn)?;
        cx.as_principal(role, work)
    }
}

/// Works in another region, which there must be; `None` stays here.
fn in_region<T>(
    cx: &mut Cx<'_>,
    region: Option<&str>,
    work: impl FnOnce(&mut Cx<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    match region.filter(|region| !Region::exists(region)) {
        Some(region) => Err(Fault::validation(format!("there is no region `{region}`"))),
        None => cx.in_region(region, work),
    }
}

/// An object's texts, by name; numbers and booleans as they are written.
fn texts(object: Option<&Json>) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    object.and_then(Json::as_object).into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}
