//! Tasks, looked at and stopped.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{items_max, pages};
use crate::access::{on_new, on_task};
use crate::api;
use crate::errors::EcsError;
use crate::lifecycle::{advance, end};
use crate::state::{Task, cluster, cluster_arn, cluster_name, task_id};

/// Tasks that one call describes.
const TASKS_MAX: usize = 100;

/// `DescribeTasks` describes tasks of one cluster, by id or ARN.
pub(crate) struct DescribeTasks;

impl Operation for DescribeTasks {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_TASKS;
    const READS: bool = true;
    type Input = api::DescribeTasksInput;
    type Output = api::DescribeTasksOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let access = |task: &String| on_task(cx, "ecs:DescribeTasks", input.cluster.as_deref(), task);
        // More than there may be are refused whole.
        Accesses::each(input.tasks.iter().take(TASKS_MAX).map(access), || {
            let cluster = cluster_arn(cx, &cluster_name(input.cluster.as_deref()));
            on_new("ecs:DescribeTasks", "*").with("ecs:cluster", cluster)
        })
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        if input.tasks.is_empty() {
            return Err(EcsError::InvalidParameter("Tasks cannot be empty.".to_owned()).into());
        }
        if input.tasks.len() > TASKS_MAX {
            return Err(EcsError::InvalidParameter(format!("Tasks cannot be greater than {TASKS_MAX}.")).into());
        }
        let cluster = cluster(cx, input.cluster.as_deref())?;
        let with_tags = input.include.iter().flatten().any(|field| field == "TAGS");
        let (mut tasks, mut failures) = (vec![], vec![]);
        for reference in &input.tasks {
            let id = task_id(reference);
            match cx.get::<Task>(id).filter(|task| task.cluster == cluster.name) {
                Some(task) => {
                    let view = task.to_api();
                    let tags = if with_tags { view.tags.clone() } else { Some(vec![]) };
                    tasks.push(api::Task { tags, ..view });
                }
                None => {
                    let arn = cx.scope.arn("ecs", &format!("task/{}/{id}", cluster.name));
                    failures.push(api::Failure { arn: Some(arn), reason: Some("MISSING".to_owned()), detail: None });
                }
            }
        }
        Ok(api::DescribeTasksOutput { tasks: Some(tasks), failures: Some(failures) })
    }
}

/// `ListTasks` lists ARNs of tasks, those that are to run unless asked otherwise.
pub(crate) struct ListTasks;

impl Operation for ListTasks {
    const SHAPE: &'static OperationShape = &api::LIST_TASKS;
    const READS: bool = true;
    type Input = api::ListTasksInput;
    type Output = api::ListTasksOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let cluster = cluster_arn(cx, &cluster_name(input.cluster.as_deref()));
        on_new("ecs:ListTasks", "*").with("ecs:cluster", cluster).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let cluster = cluster(cx, input.cluster.as_deref())?;
        let desired = input.desired_status.as_deref().unwrap_or("RUNNING");
        let family = |task: &Task| {
            let definition = task.view.task_definition_arn.as_deref().unwrap_or_default();
            definition.rsplit('/').next().and_then(|name| name.rsplit_once(':')).map(|(family, _)| family.to_owned())
        };
        let fits = |task: &Task| {
            task.cluster == cluster.name
                && task.view.desired_status.as_deref() == Some(desired)
                && (input.family.is_none() || family(task) == input.family)
                && (input.started_by.is_none() || task.view.started_by == input.started_by)
                && (input.launch_type.is_none() || task.view.launch_type == input.launch_type)
                && input.service_name.is_none()
                && input.container_instance.is_none()
        };
        let found = cx.scan::<Task>("").map(|(_, task)| task).filter(|task| fits(task));
        let filter = (&cluster.name, desired, &input.family, &input.started_by, &input.launch_type);
        let filter = (filter, &input.service_name, &input.container_instance);
        let pages = pages(cx, "ListTasks", filter, input.next_token.as_deref())?;
        let arns = found.map(|task| task.arn().to_owned());
        let (arns, next_token) = pages.sorted(arns, String::as_str, items_max(input.max_results));
        Ok(api::ListTasksOutput { task_arns: Some(arns), next_token })
    }
}

/// `StopTask` ends a task: the stop signal to each container, SIGKILL after its stop timeout.
pub(crate) struct StopTask;

impl Operation for StopTask {
    const SHAPE: &'static OperationShape = &api::STOP_TASK;
    type Input = api::StopTaskInput;
    type Output = api::StopTaskOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on_task(cx, "ecs:StopTask", input.cluster.as_deref(), &input.task).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        let cluster = cluster(cx, input.cluster.as_deref())?;
        let id = task_id(&input.task);
        if cx.get::<Task>(id).is_none_or(|task| task.cluster != cluster.name) {
            return Err(EcsError::TaskNotFound.into());
        }
        let reason = input.reason.unwrap_or_else(|| "Task stopped by user".to_owned());
        end(cx, id, "UserInitiated", &reason)?;
        advance(cx, id)?;
        Ok(api::StopTaskOutput { task: cx.get::<Task>(id).map(Task::to_api) })
    }
}
