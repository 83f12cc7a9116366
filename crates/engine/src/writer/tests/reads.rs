//! Calls that only read are answered without the writer; what does more goes through it.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use neargate_api::sts as api;
use neargate_kernel::{
    Accesses, Core, Cx, Fault, MemorySegments, Operation, OperationEntry, Principal, Record, Registry, Request, Service,
};
use neargate_shape::{OperationShape, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::Writer;
use super::{DRIVER, Thing, scope};

/// A record that is not published.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Inner;

impl Record for Inner {
    const TABLE: &'static str = "test.inner";
}

/// Says that it reads, and does what the request's id says.
struct Look;

impl Operation for Look {
    const SHAPE: &'static OperationShape = &api::GET_CALLER_IDENTITY;
    const READS: bool = true;
    type Input = api::GetCallerIdentityInput;
    type Output = api::GetCallerIdentityOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        Accesses::none("a test's own")
    }

    fn apply(cx: &mut Cx<'_>, _: Self::Input) -> Result<Self::Output, Fault> {
        let things = cx.scan::<Thing>("").count();
        match cx.request_id.as_str() {
            "inner" => drop(cx.get::<Inner>("a").cloned()),
            "scan" => drop(cx.scan::<Inner>("").count()),
            "put" => cx.put("b", Thing(1)),
            "put inner" => cx.put("b", Inner),
            "put back" => drop(cx.attempt(|cx| {
                cx.put("b", Thing(1));
                Err::<(), _>(Fault::validation("no"))
            })),
            "delete" => cx.delete::<Thing>("a"),
            "emit" => drop(cx.emit(DRIVER, json!({}))),
            "notice" => cx.not_simulated("test", "not acted on"),
            "segment" => drop(cx.read_segment("s", 0, 1).map_err(|error| Fault::internal(error.to_string()))?),
            "secret" => drop(cx.secret_bytes(1)?),
            "panic" => panic!("as asked for"),
            "fault" => return Err(Fault::validation("no")),
            _ => {}
        }
        Ok(api::GetCallerIdentityOutput { account: Some(things.to_string()), ..Default::default() })
    }
}

fn core(reads: bool) -> Core {
    let entry = if reads { OperationEntry::of::<Look>() } else { OperationEntry::of::<Twin>() };
    let service = Service {
        shape: &api::SERVICE,
        operations: vec![entry],
        resources: vec![],
        jobs: vec![],
        reports: vec![],
        records: |store| {
            store.register::<Thing>();
            store.register::<Inner>();
        },
    };
    let registry = Registry::new(neargate_testkit::open_ports(), vec![service]);
    let mut core = Core::open(registry, vec![], Box::new(MemorySegments::default()), 1).unwrap();
    let root = Principal::root(&scope().account);
    let (result, _) = core.perform(crate::wall::now(), &scope(), root, |cx| {
        cx.put("a", Thing(1));
        cx.put("a", Inner);
        Ok(())
    });
    result.unwrap();
    core
}

/// The same without the word that it reads.
struct Twin;

impl Operation for Twin {
    const SHAPE: &'static OperationShape = &api::GET_CALLER_IDENTITY;
    type Input = api::GetCallerIdentityInput;
    type Output = api::GetCallerIdentityOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        Look::access(cx, input)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        Look::apply(cx, input)
    }
}

fn request(id: &str) -> Request {
    Request {
        scope: scope(),
        principal: Principal::root(&scope().account),
        service: "sts".to_owned(),
        operation: "GetCallerIdentity".to_owned(),
        input: Value::Structure(vec![]),
        request_id: id.to_owned(),
        client: None,
    }
}

/// What a call is answered where no writer runs; `None` where it waits for one.
fn answered(writer: &Writer, id: &str) -> Option<Result<String, &'static str>> {
    let mut call = pin!(writer.call(request(id)));
    let Poll::Ready(answer) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { return None };
    let (reply, notices) = answer.unwrap();
    assert_eq!(notices, []);
    let account = |output: Value| output.get("Account").and_then(Value::as_str).unwrap().to_owned();
    Some(reply.map(account).map_err(|fault| fault.code))
}

#[test]
fn what_only_reads_waits_for_nobody_and_anything_else_does() {
    let writer = Writer::new(&core(true));
    let shown = || format!("{:?}", writer.snapshot().read(|store| format!("{store:?}")));
    let before = shown();
    assert_eq!(answered(&writer, "plain"), Some(Ok("1".to_owned())));
    assert_eq!(answered(&writer, "fault"), Some(Err("ValidationException")));
    // A part of a command that put everything back has read, no more.
    assert_eq!(answered(&writer, "put back"), Some(Ok("1".to_owned())));
    for id in ["inner", "scan", "put", "put inner", "delete", "emit", "notice", "segment", "secret", "panic"] {
        assert_eq!(answered(&writer, id), None, "{id}");
        assert_eq!(answered(&writer, "plain"), Some(Ok("1".to_owned())), "after {id}");
    }
    assert_eq!(shown(), before);
    let (calls, _) = writer.lanes.len();
    assert_eq!(calls, 10, "each of them lies in the lane");
}

#[test]
fn an_operation_that_does_not_say_that_it_reads_is_the_writers() {
    assert_eq!(answered(&Writer::new(&core(false)), "plain"), None);
}
