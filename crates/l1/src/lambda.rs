//! `AWS::Lambda` resources.
//!
//! Invariant: written by `cargo xtask codegen l1` from cfn-lint 1.58.0; edit the generator, not this file.

use crate::Value;

crate::resource! {
    Function "AWS::Lambda::Function" {
        architectures "Architectures" Value<Vec<Value<String>>>,
        capacity_provider_config "CapacityProviderConfig" Value<function::CapacityProviderConfig>,
        code "Code" Value<function::Code>,
        code_signing_config_arn "CodeSigningConfigArn" Value<String>,
        dead_letter_config "DeadLetterConfig" Value<function::DeadLetterConfig>,
        description "Description" Value<String>,
        durable_config "DurableConfig" Value<function::DurableConfig>,
        environment "Environment" Value<function::Environment>,
        ephemeral_storage "EphemeralStorage" Value<function::EphemeralStorage>,
        file_system_configs "FileSystemConfigs" Value<Vec<Value<function::FileSystemConfig>>>,
        function_name "FunctionName" Value<String>,
        function_scaling_config "FunctionScalingConfig" Value<function::FunctionScalingConfig>,
        handler "Handler" Value<String>,
        image_config "ImageConfig" Value<function::ImageConfig>,
        kms_key_arn "KmsKeyArn" Value<String>,
        layers "Layers" Value<Vec<Value<String>>>,
        logging_config "LoggingConfig" Value<function::LoggingConfig>,
        memory_size "MemorySize" Value<i64>,
        package_type "PackageType" Value<String>,
        publish_to_latest_published "PublishToLatestPublished" Value<bool>,
        recursive_loop "RecursiveLoop" Value<String>,
        reserved_concurrent_executions "ReservedConcurrentExecutions" Value<i64>,
        role "Role" Value<String>,
        runtime "Runtime" Value<String>,
        runtime_management_config "RuntimeManagementConfig" Value<function::RuntimeManagementConfig>,
        snap_start "SnapStart" Value<function::SnapStart>,
        tags "Tags" Value<Vec<Value<function::Tag>>>,
        tenancy_config "TenancyConfig" Value<function::TenancyConfig>,
        timeout "Timeout" Value<i64>,
        tracing_config "TracingConfig" Value<function::TracingConfig>,
        vpc_config "VpcConfig" Value<function::VpcConfig>,
    }
    required ["Code", "Role"]
    attributes ["SnapStartResponse", "SnapStartResponse.ApplyOn", "SnapStartResponse.OptimizationStatus", "Arn"]
    tags List
}

/// Property types of [`Function`].
pub mod function {
    use std::collections::BTreeMap;

    use crate::{Json, Value};

    crate::shape! {
        CapacityProviderConfig {
            lambda_managed_instances_capacity_provider_config "LambdaManagedInstancesCapacityProviderConfig" Value<LambdaManagedInstancesCapacityProviderConfig>,
        }
        required ["LambdaManagedInstancesCapacityProviderConfig"]
    }

    crate::shape! {
        Code {
            image_uri "ImageUri" Value<String>,
            s3_bucket "S3Bucket" Value<String>,
            s3_key "S3Key" Value<String>,
            s3_object_storage_mode "S3ObjectStorageMode" Value<String>,
            s3_object_version "S3ObjectVersion" Value<String>,
            source_kms_key_arn "SourceKMSKeyArn" Value<String>,
            zip_file "ZipFile" Value<String>,
        }
        required []
    }

    crate::shape! {
        DeadLetterConfig {
            target_arn "TargetArn" Value<String>,
        }
        required []
    }

    crate::shape! {
        DurableConfig {
            execution_timeout "ExecutionTimeout" Value<i64>,
            kms_key_arn "KMSKeyArn" Value<String>,
            retention_period_in_days "RetentionPeriodInDays" Value<i64>,
        }
        required ["ExecutionTimeout"]
    }

    crate::shape! {
        Environment {
            variables "Variables" Value<BTreeMap<String, Json>>,
        }
        required []
    }

    crate::shape! {
        EphemeralStorage {
            size "Size" Value<i64>,
        }
        required ["Size"]
    }

    crate::shape! {
        FileSystemConfig {
            arn "Arn" Value<String>,
            local_mount_path "LocalMountPath" Value<String>,
            s3_files_config "S3FilesConfig" Value<S3FilesConfig>,
        }
        required ["Arn", "LocalMountPath"]
    }

    crate::shape! {
        FunctionScalingConfig {
            max_execution_environments "MaxExecutionEnvironments" Value<i64>,
            min_execution_environments "MinExecutionEnvironments" Value<i64>,
        }
        required []
    }

    crate::shape! {
        ImageConfig {
            command "Command" Value<Vec<Value<String>>>,
            entry_point "EntryPoint" Value<Vec<Value<String>>>,
            working_directory "WorkingDirectory" Value<String>,
        }
        required []
    }

    crate::shape! {
        LambdaManagedInstancesCapacityProviderConfig {
            capacity_provider_arn "CapacityProviderArn" Value<String>,
            execution_environment_memory_gib_per_v_cpu "ExecutionEnvironmentMemoryGiBPerVCpu" Value<f64>,
            per_execution_environment_max_concurrency "PerExecutionEnvironmentMaxConcurrency" Value<i64>,
        }
        required ["CapacityProviderArn"]
    }

    crate::shape! {
        LoggingConfig {
            application_log_level "ApplicationLogLevel" Value<String>,
            log_format "LogFormat" Value<String>,
            log_group "LogGroup" Value<String>,
            system_log_level "SystemLogLevel" Value<String>,
        }
        required []
    }

    crate::shape! {
        RuntimeManagementConfig {
            runtime_version_arn "RuntimeVersionArn" Value<String>,
            update_runtime_on "UpdateRuntimeOn" Value<String>,
        }
        required ["UpdateRuntimeOn"]
    }

    crate::shape! {
        S3FilesConfig {
            direct_s3_read "DirectS3Read" Value<String>,
        }
        required []
    }

    crate::shape! {
        SnapStart {
            apply_on "ApplyOn" Value<String>,
        }
        required ["ApplyOn"]
    }

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key"]
    }

    crate::shape! {
        TenancyConfig {
            tenant_isolation_mode "TenantIsolationMode" Value<String>,
        }
        required ["TenantIsolationMode"]
    }

    crate::shape! {
        TracingConfig {
            mode "Mode" Value<String>,
        }
        required []
    }

    crate::shape! {
        VpcConfig {
            ipv6_allowed_for_dual_stack "Ipv6AllowedForDualStack" Value<bool>,
            security_group_ids "SecurityGroupIds" Value<Vec<Value<String>>>,
            subnet_ids "SubnetIds" Value<Vec<Value<String>>>,
        }
        required []
    }
}
