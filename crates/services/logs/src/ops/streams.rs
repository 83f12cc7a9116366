//! Log streams.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{cut, invalid, invalid_token};
use crate::access::{on_group, on_stream};
use crate::api;
use crate::errors::LogsError;
use crate::expire::forget_stream;
use crate::state::{LEDGER, LogStream, group, ledger, named_group, stream, stream_arn, stream_key};

/// `CreateLogStream` makes a stream.
pub(crate) struct CreateLogStream;

impl Operation for CreateLogStream {
    const SHAPE: &'static OperationShape = &api::CREATE_LOG_STREAM;
    type Input = api::CreateLogStreamInput;
    type Output = api::CreateLogStreamOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_stream(cx, "logs:CreateLogStream", &input.log_group_name, &input.log_stream_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let key = stream_key(&input.log_group_name, &input.log_stream_name);
        group(cx, &input.log_group_name)?;
        if cx.get::<LogStream>(&key).is_some() {
            return Err(LogsError::StreamExists.into());
        }
        let mut ledger = ledger(cx);
        ledger.streams += 1;
        let number = ledger.streams;
        cx.put(LEDGER, ledger);
        let stream = LogStream {
            name: input.log_stream_name,
            number,
            created_at: cx.time(),
            first_event: None,
            last_event: None,
            last_ingestion: None,
            events: 0,
            segments: 0,
            stored_bytes: 0,
        };
        cx.put(&key, stream);
        Ok(api::CreateLogStreamOutput::default())
    }
}

/// `DeleteLogStream` deletes a stream and its events.
pub(crate) struct DeleteLogStream;

impl Operation for DeleteLogStream {
    const SHAPE: &'static OperationShape = &api::DELETE_LOG_STREAM;
    type Input = api::DeleteLogStreamInput;
    type Output = api::DeleteLogStreamOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_stream(cx, "logs:DeleteLogStream", &input.log_group_name, &input.log_stream_name).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let stream = stream(cx, &input.log_group_name, &input.log_stream_name)?;
        forget_stream(cx, &input.log_group_name, &stream);
        Ok(api::DeleteLogStreamOutput::default())
    }
}

/// `DescribeLogStreams` lists streams by name or by the time of their last event.
pub(crate) struct DescribeLogStreams;

impl Operation for DescribeLogStreams {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_LOG_STREAMS;
    type Input = api::DescribeLogStreamsInput;
    type Output = api::DescribeLogStreamsOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let group =
            named_group(cx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref()).unwrap_or_default();
        on_group(cx, "logs:DescribeLogStreams", &group).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let group_name = named_group(cx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
        group(cx, &group_name)?;
        let by_time = input.order_by.as_deref() == Some("LastEventTime");
        let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
        if by_time && !prefix.is_empty() {
            return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix.").into());
        }
        let descending = input.descending.unwrap_or(false);
        let order = |stream: &LogStream| {
            let time = if by_time { stream.last_event.map_or(-1, |time| time.millis()) } else { 0 };
            (time, stream.name.clone())
        };
        let after =
            input.next_token.as_deref().map(|token| parse_token(token).ok_or_else(invalid_token)).transpose()?;
        let is_left = |stream: &LogStream| {
            after.as_ref().is_none_or(|after| if descending { order(stream) < *after } else { order(stream) > *after })
        };
        let key = stream_key(&group_name, prefix);
        let mut streams: Vec<_> =
            cx.scan::<LogStream>(&key).map(|(_, stream)| stream).filter(|it| is_left(it)).collect();
        if by_time {
            streams.sort_by_cached_key(|stream| order(stream));
        }
        if descending {
            streams.reverse();
        }
        let (page, has_more) = cut(streams.into_iter(), input.limit);
        let next_token = page.last().filter(|_| has_more).map(|stream| {
            let (time, name) = order(stream);
            format!("{time}@{name}")
        });
        let log_streams = page.into_iter().map(|stream| stream.to_api(cx, &group_name)).collect();
        Ok(api::DescribeLogStreamsOutput { log_streams: Some(log_streams), next_token })
    }
}

/// `time@name` of the last stream of the page before.
fn parse_token(token: &str) -> Option<(i64, String)> {
    let (time, name) = token.split_once('@')?;
    Some((time.parse().ok()?, name.to_owned()))
}

impl LogStream {
    /// The token that writers needed once; any is accepted.
    pub(crate) fn sequence_token(&self) -> String {
        format!("{:056}", u128::from(self.number) << 64 | u128::from(self.events))
    }

    fn to_api(&self, cx: &Cx<'_>, group: &str) -> api::LogStream {
        api::LogStream {
            log_stream_name: Some(self.name.clone()),
            creation_time: Some(self.created_at.millis()),
            first_event_timestamp: self.first_event.map(|time| time.millis()),
            last_event_timestamp: self.last_event.map(|time| time.millis()),
            last_ingestion_time: self.last_ingestion.map(|time| time.millis()),
            upload_sequence_token: self.last_ingestion.map(|_| self.sequence_token()),
            arn: Some(stream_arn(cx, group, &self.name)),
            // AWS has said zero for every stream since 2019; the group has the sum.
            stored_bytes: Some(0),
        }
    }
}
