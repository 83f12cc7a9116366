//! `AWS::Events` resources.
//!
//! Invariant: written by `cargo xtask codegen l1` from cfn-lint 1.58.0; edit the generator, not this file.

use crate::{Json, Value};

crate::resource! {
    Rule "AWS::Events::Rule" {
        description "Description" Value<String>,
        event_bus_name "EventBusName" Value<String>,
        event_pattern "EventPattern" Json,
        name "Name" Value<String>,
        role_arn "RoleArn" Value<String>,
        schedule_expression "ScheduleExpression" Value<String>,
        state "State" Value<String>,
        tags "Tags" Value<Vec<Value<rule::Tag>>>,
        targets "Targets" Value<Vec<Value<rule::Target>>>,
    }
    required []
    attributes ["Arn", "RuleName"]
    tags List
}

/// Property types of [`Rule`].
pub mod rule {
    use std::collections::BTreeMap;

    use crate::Value;

    crate::shape! {
        AppSyncParameters {
            graph_ql_operation "GraphQLOperation" Value<String>,
        }
        required ["GraphQLOperation"]
    }

    crate::shape! {
        AwsVpcConfiguration {
            assign_public_ip "AssignPublicIp" Value<String>,
            security_groups "SecurityGroups" Value<Vec<Value<String>>>,
            subnets "Subnets" Value<Vec<Value<String>>>,
        }
        required ["Subnets"]
    }

    crate::shape! {
        BatchArrayProperties {
            size "Size" Value<i64>,
        }
        required []
    }

    crate::shape! {
        BatchParameters {
            array_properties "ArrayProperties" Value<BatchArrayProperties>,
            job_definition "JobDefinition" Value<String>,
            job_name "JobName" Value<String>,
            retry_strategy "RetryStrategy" Value<BatchRetryStrategy>,
        }
        required ["JobDefinition", "JobName"]
    }

    crate::shape! {
        BatchRetryStrategy {
            attempts "Attempts" Value<i64>,
        }
        required []
    }

    crate::shape! {
        CapacityProviderStrategyItem {
            base "Base" Value<i64>,
            capacity_provider "CapacityProvider" Value<String>,
            weight "Weight" Value<i64>,
        }
        required ["CapacityProvider"]
    }

    crate::shape! {
        DeadLetterConfig {
            arn "Arn" Value<String>,
        }
        required []
    }

    crate::shape! {
        EcsParameters {
            capacity_provider_strategy "CapacityProviderStrategy" Value<Vec<Value<CapacityProviderStrategyItem>>>,
            enable_ecs_managed_tags "EnableECSManagedTags" Value<bool>,
            enable_execute_command "EnableExecuteCommand" Value<bool>,
            group "Group" Value<String>,
            launch_type "LaunchType" Value<String>,
            network_configuration "NetworkConfiguration" Value<NetworkConfiguration>,
            placement_constraints "PlacementConstraints" Value<Vec<Value<PlacementConstraint>>>,
            placement_strategies "PlacementStrategies" Value<Vec<Value<PlacementStrategy>>>,
            platform_version "PlatformVersion" Value<String>,
            propagate_tags "PropagateTags" Value<String>,
            reference_id "ReferenceId" Value<String>,
            tag_list "TagList" Value<Vec<Value<Tag>>>,
            task_count "TaskCount" Value<i64>,
            task_definition_arn "TaskDefinitionArn" Value<String>,
        }
        required ["TaskDefinitionArn"]
    }

    crate::shape! {
        HttpParameters {
            header_parameters "HeaderParameters" Value<BTreeMap<String, Value<String>>>,
            path_parameter_values "PathParameterValues" Value<Vec<Value<String>>>,
            query_string_parameters "QueryStringParameters" Value<BTreeMap<String, Value<String>>>,
        }
        required []
    }

    crate::shape! {
        InputTransformer {
            input_paths_map "InputPathsMap" Value<BTreeMap<String, Value<String>>>,
            input_template "InputTemplate" Value<String>,
        }
        required ["InputTemplate"]
    }

    crate::shape! {
        KinesisParameters {
            partition_key_path "PartitionKeyPath" Value<String>,
        }
        required ["PartitionKeyPath"]
    }

    crate::shape! {
        NetworkConfiguration {
            aws_vpc_configuration "AwsVpcConfiguration" Value<AwsVpcConfiguration>,
        }
        required []
    }

    crate::shape! {
        PlacementConstraint {
            expression "Expression" Value<String>,
            r#type "Type" Value<String>,
        }
        required []
    }

    crate::shape! {
        PlacementStrategy {
            field "Field" Value<String>,
            r#type "Type" Value<String>,
        }
        required []
    }

    crate::shape! {
        RedshiftDataParameters {
            database "Database" Value<String>,
            db_user "DbUser" Value<String>,
            secret_manager_arn "SecretManagerArn" Value<String>,
            sql "Sql" Value<String>,
            sqls "Sqls" Value<Vec<Value<String>>>,
            statement_name "StatementName" Value<String>,
            with_event "WithEvent" Value<bool>,
        }
        required ["Database"]
    }

    crate::shape! {
        RetryPolicy {
            maximum_event_age_in_seconds "MaximumEventAgeInSeconds" Value<i64>,
            maximum_retry_attempts "MaximumRetryAttempts" Value<i64>,
        }
        required []
    }

    crate::shape! {
        RunCommandParameters {
            run_command_targets "RunCommandTargets" Value<Vec<Value<RunCommandTarget>>>,
        }
        required ["RunCommandTargets"]
    }

    crate::shape! {
        RunCommandTarget {
            key "Key" Value<String>,
            values "Values" Value<Vec<Value<String>>>,
        }
        required ["Key", "Values"]
    }

    crate::shape! {
        SageMakerPipelineParameter {
            name "Name" Value<String>,
            value "Value" Value<String>,
        }
        required ["Name", "Value"]
    }

    crate::shape! {
        SageMakerPipelineParameters {
            pipeline_parameter_list "PipelineParameterList" Value<Vec<Value<SageMakerPipelineParameter>>>,
        }
        required []
    }

    crate::shape! {
        SqsParameters {
            message_group_id "MessageGroupId" Value<String>,
        }
        required ["MessageGroupId"]
    }

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required []
    }

    crate::shape! {
        Target {
            app_sync_parameters "AppSyncParameters" Value<AppSyncParameters>,
            arn "Arn" Value<String>,
            batch_parameters "BatchParameters" Value<BatchParameters>,
            dead_letter_config "DeadLetterConfig" Value<DeadLetterConfig>,
            ecs_parameters "EcsParameters" Value<EcsParameters>,
            http_parameters "HttpParameters" Value<HttpParameters>,
            id "Id" Value<String>,
            input "Input" Value<String>,
            input_path "InputPath" Value<String>,
            input_transformer "InputTransformer" Value<InputTransformer>,
            kinesis_parameters "KinesisParameters" Value<KinesisParameters>,
            redshift_data_parameters "RedshiftDataParameters" Value<RedshiftDataParameters>,
            retry_policy "RetryPolicy" Value<RetryPolicy>,
            role_arn "RoleArn" Value<String>,
            run_command_parameters "RunCommandParameters" Value<RunCommandParameters>,
            sage_maker_pipeline_parameters "SageMakerPipelineParameters" Value<SageMakerPipelineParameters>,
            sqs_parameters "SqsParameters" Value<SqsParameters>,
        }
        required ["Arn", "Id"]
    }
}
