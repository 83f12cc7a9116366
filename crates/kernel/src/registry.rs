//! What services there are and what each can do: composed once, then only read.

use std::collections::BTreeMap;

use neargate_shape::{Protocol, ServiceShape, Value, refusal, validate};

use crate::{
    Authorizer, Cx, Effect, EventSink, Fault, Job, LinesPart, Networks, OperationEntry, Report, ResourceType, Store,
};

/// Does the work of a due job.
pub type JobHandler = fn(&mut Cx<'_>, &Job) -> Result<(), Fault>;
/// Takes a driver's report about an effect.
pub type ReportHandler = fn(&mut Cx<'_>, &Effect, &Report) -> Result<(), Fault>;

/// Everything one AWS service brings along.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its names, protocol and operations, those it lacks included.
    pub shape: &'static ServiceShape,
    /// The operations it has.
    pub operations: Vec<OperationEntry>,
    /// The CloudFormation resource types it has.
    pub resources: Vec<&'static dyn ResourceType>,
    /// Handlers of its jobs, by name.
    pub jobs: Vec<(&'static str, JobHandler)>,
    /// Handlers of its drivers' reports, by driver.
    pub reports: Vec<(&'static str, ReportHandler)>,
    /// Registers its records.
    pub records: fn(&mut Store),
}

/// The services that others reach through narrow ports.
#[derive(Clone, Copy)]
pub struct Ports {
    /// IAM.
    pub authorizer: &'static dyn Authorizer,
    /// EventBridge.
    pub events: &'static dyn EventSink,
    /// EC2.
    pub networks: &'static dyn Networks,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}

/// All services.
#[derive(Debug)]
pub struct Registry {
    services: BTreeMap<&'static str, Service>,
    resources: BTreeMap<&'static str, &'static dyn ResourceType>,
    jobs: BTreeMap<&'static str, JobHandler>,
    reports: BTreeMap<&'static str, ReportHandler>,
    /// The ports.
    pub ports: Ports,
}

impl Registry {
    /// Composes services.
    pub fn new(ports: Ports, services: Vec<Service>) -> Self {
        let mut registry = Self {
            services: BTreeMap::new(),
            resources: BTreeMap::new(),
            jobs: BTreeMap::new(),
            reports: BTreeMap::new(),
            ports,
        };
        for service in services {
            registry.resources.extend(service.resources.iter().map(|resource| (resource.type_name(), *resource)));
            registry.jobs.extend(service.jobs.iter().copied());
            registry.reports.extend(service.reports.iter().copied());
            registry.services.insert(service.shape.name, service);
        }
        registry
    }

    /// Every service, by name.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// A service by its short name, such as `ecs`.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name)
    }

    /// An operation, or the 501 that names it.
    pub fn operation(&self, service: &str, operation: &str) -> Result<&OperationEntry, Fault> {
        let found = self.services.get(service).and_then(|s| s.operations.iter().find(|o| o.shape.name == operation));
        found.ok_or_else(|| Fault::not_implemented(service, operation))
    }

    /// Validates an input in AWS's words, then decodes, authorises and applies it.
    pub(crate) fn invoke(&self, cx: &mut Cx<'_>, service: &str, operation: &str, input: Value) -> Result<Value, Fault> {
        let entry = self.operation(service, operation)?;
        let protocol = self.services.get(service).map_or(Protocol::AwsJson11, |service| service.shape.protocol);
        match refusal(protocol, &validate((entry.shape.input)(), &input)) {
            Some((code, message)) => Err(Fault::sender(entry.refusal.unwrap_or(code), message)),
            None => (entry.invoke)(cx, input).map_err(|fault| fault.into_denial_of(protocol)),
        }
    }

    /// The same with borrowed texts, where the operation takes them.
    pub(crate) fn invoke_with_lines(
        &self,
        cx: &mut Cx<'_>,
        service: &str,
        operation: &str,
        input: &Value,
        lines: LinesPart<'_>,
    ) -> Result<(), Fault> {
        let take = self.operation(service, operation)?.take_lines;
        let take = take.ok_or_else(|| Fault::internal(format!("{service}:{operation} takes no borrowed texts")))?;
        let protocol = self.services.get(service).map_or(Protocol::AwsJson11, |service| service.shape.protocol);
        take(cx, input, lines).map_err(|fault| fault.into_denial_of(protocol))
    }

    /// A CloudFormation resource type, where a service has it.
    pub fn resource(&self, type_name: &str) -> Option<&'static dyn ResourceType> {
        self.resources.get(type_name).copied()
    }

    /// The names of all resource types.
    pub fn resource_names(&self) -> impl Iterator<Item = &'static str> {
        self.resources.keys().copied()
    }

    pub(crate) fn job(&self, handler: &str) -> Option<JobHandler> {
        self.jobs.get(handler).copied()
    }

    pub(crate) fn report(&self, driver: &str) -> Option<ReportHandler> {
        self.reports.get(driver).copied()
    }

    pub(crate) fn register_records(&self, store: &mut Store) {
        for service in self.services.values() {
            (service.records)(store);
        }
    }
}
