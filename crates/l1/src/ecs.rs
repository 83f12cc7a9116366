//! `AWS::ECS` resources.
//!
//! Invariant: written by `cargo xtask codegen l1` from cfn-lint 1.58.0; edit the generator, not this file.

use crate::Value;

crate::resource! {
    Cluster "AWS::ECS::Cluster" {
        capacity_providers "CapacityProviders" Value<Vec<Value<String>>>,
        cluster_name "ClusterName" Value<String>,
        cluster_settings "ClusterSettings" Value<Vec<Value<cluster::ClusterSettings>>>,
        configuration "Configuration" Value<cluster::ClusterConfiguration>,
        default_capacity_provider_strategy "DefaultCapacityProviderStrategy" Value<Vec<Value<cluster::CapacityProviderStrategyItem>>>,
        service_connect_defaults "ServiceConnectDefaults" Value<cluster::ServiceConnectDefaults>,
        tags "Tags" Value<Vec<Value<cluster::Tag>>>,
    }
    required []
    attributes ["Arn"]
    tags List
}

/// Property types of [`Cluster`].
pub mod cluster {
    use crate::Value;

    crate::shape! {
        CapacityProviderStrategyItem {
            base "Base" Value<i64>,
            capacity_provider "CapacityProvider" Value<String>,
            weight "Weight" Value<i64>,
        }
        required []
    }

    crate::shape! {
        ClusterConfiguration {
            execute_command_configuration "ExecuteCommandConfiguration" Value<ExecuteCommandConfiguration>,
            managed_storage_configuration "ManagedStorageConfiguration" Value<ManagedStorageConfiguration>,
        }
        required []
    }

    crate::shape! {
        ClusterSettings {
            name "Name" Value<String>,
            value "Value" Value<String>,
        }
        required []
    }

    crate::shape! {
        ExecuteCommandConfiguration {
            kms_key_id "KmsKeyId" Value<String>,
            log_configuration "LogConfiguration" Value<ExecuteCommandLogConfiguration>,
            logging "Logging" Value<String>,
        }
        required []
    }

    crate::shape! {
        ExecuteCommandLogConfiguration {
            cloud_watch_encryption_enabled "CloudWatchEncryptionEnabled" Value<bool>,
            cloud_watch_log_group_name "CloudWatchLogGroupName" Value<String>,
            s3_bucket_name "S3BucketName" Value<String>,
            s3_encryption_enabled "S3EncryptionEnabled" Value<bool>,
            s3_key_prefix "S3KeyPrefix" Value<String>,
        }
        required []
    }

    crate::shape! {
        ManagedStorageConfiguration {
            fargate_ephemeral_storage_kms_key_id "FargateEphemeralStorageKmsKeyId" Value<String>,
            kms_key_id "KmsKeyId" Value<String>,
        }
        required []
    }

    crate::shape! {
        ServiceConnectDefaults {
            namespace "Namespace" Value<String>,
        }
        required []
    }

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required []
    }
}

crate::resource! {
    TaskDefinition "AWS::ECS::TaskDefinition" {
        container_definitions "ContainerDefinitions" Value<Vec<Value<task_definition::ContainerDefinition>>>,
        cpu "Cpu" Value<String>,
        enable_fault_injection "EnableFaultInjection" Value<bool>,
        ephemeral_storage "EphemeralStorage" Value<task_definition::EphemeralStorage>,
        execution_role_arn "ExecutionRoleArn" Value<String>,
        family "Family" Value<String>,
        inference_accelerators "InferenceAccelerators" Value<Vec<Value<task_definition::InferenceAccelerator>>>,
        ipc_mode "IpcMode" Value<String>,
        memory "Memory" Value<String>,
        network_mode "NetworkMode" Value<String>,
        pid_mode "PidMode" Value<String>,
        placement_constraints "PlacementConstraints" Value<Vec<Value<task_definition::TaskDefinitionPlacementConstraint>>>,
        proxy_configuration "ProxyConfiguration" Value<task_definition::ProxyConfiguration>,
        requires_compatibilities "RequiresCompatibilities" Value<Vec<Value<String>>>,
        runtime_platform "RuntimePlatform" Value<task_definition::RuntimePlatform>,
        tags "Tags" Value<Vec<Value<task_definition::Tag>>>,
        task_role_arn "TaskRoleArn" Value<String>,
        volumes "Volumes" Value<Vec<Value<task_definition::Volume>>>,
    }
    required []
    attributes ["TaskDefinitionArn"]
    tags List
}

/// Property types of [`TaskDefinition`].
pub mod task_definition {
    use std::collections::BTreeMap;

    use crate::Value;

    crate::shape! {
        AuthorizationConfig {
            access_point_id "AccessPointId" Value<String>,
            iam "IAM" Value<String>,
        }
        required []
    }

    crate::shape! {
        ContainerDefinition {
            command "Command" Value<Vec<Value<String>>>,
            cpu "Cpu" Value<i64>,
            credential_specs "CredentialSpecs" Value<Vec<Value<String>>>,
            depends_on "DependsOn" Value<Vec<Value<ContainerDependency>>>,
            disable_networking "DisableNetworking" Value<bool>,
            dns_search_domains "DnsSearchDomains" Value<Vec<Value<String>>>,
            dns_servers "DnsServers" Value<Vec<Value<String>>>,
            docker_labels "DockerLabels" Value<BTreeMap<String, Value<String>>>,
            docker_security_options "DockerSecurityOptions" Value<Vec<Value<String>>>,
            entry_point "EntryPoint" Value<Vec<Value<String>>>,
            environment "Environment" Value<Vec<Value<KeyValuePair>>>,
            environment_files "EnvironmentFiles" Value<Vec<Value<EnvironmentFile>>>,
            essential "Essential" Value<bool>,
            extra_hosts "ExtraHosts" Value<Vec<Value<HostEntry>>>,
            firelens_configuration "FirelensConfiguration" Value<FirelensConfiguration>,
            health_check "HealthCheck" Value<HealthCheck>,
            hostname "Hostname" Value<String>,
            image "Image" Value<String>,
            interactive "Interactive" Value<bool>,
            links "Links" Value<Vec<Value<String>>>,
            linux_parameters "LinuxParameters" Value<LinuxParameters>,
            log_configuration "LogConfiguration" Value<LogConfiguration>,
            memory "Memory" Value<i64>,
            memory_reservation "MemoryReservation" Value<i64>,
            mount_points "MountPoints" Value<Vec<Value<MountPoint>>>,
            name "Name" Value<String>,
            port_mappings "PortMappings" Value<Vec<Value<PortMapping>>>,
            privileged "Privileged" Value<bool>,
            pseudo_terminal "PseudoTerminal" Value<bool>,
            readonly_root_filesystem "ReadonlyRootFilesystem" Value<bool>,
            repository_credentials "RepositoryCredentials" Value<RepositoryCredentials>,
            resource_requirements "ResourceRequirements" Value<Vec<Value<ResourceRequirement>>>,
            restart_policy "RestartPolicy" Value<RestartPolicy>,
            secrets "Secrets" Value<Vec<Value<Secret>>>,
            start_timeout "StartTimeout" Value<i64>,
            stop_timeout "StopTimeout" Value<i64>,
            system_controls "SystemControls" Value<Vec<Value<SystemControl>>>,
            ulimits "Ulimits" Value<Vec<Value<Ulimit>>>,
            user "User" Value<String>,
            version_consistency "VersionConsistency" Value<String>,
            volumes_from "VolumesFrom" Value<Vec<Value<VolumeFrom>>>,
            working_directory "WorkingDirectory" Value<String>,
        }
        required ["Image", "Name"]
    }

    crate::shape! {
        ContainerDependency {
            condition "Condition" Value<String>,
            container_name "ContainerName" Value<String>,
        }
        required []
    }

    crate::shape! {
        Device {
            container_path "ContainerPath" Value<String>,
            host_path "HostPath" Value<String>,
            permissions "Permissions" Value<Vec<Value<String>>>,
        }
        required []
    }

    crate::shape! {
        DockerVolumeConfiguration {
            autoprovision "Autoprovision" Value<bool>,
            driver "Driver" Value<String>,
            driver_opts "DriverOpts" Value<BTreeMap<String, Value<String>>>,
            labels "Labels" Value<BTreeMap<String, Value<String>>>,
            scope "Scope" Value<String>,
        }
        required []
    }

    crate::shape! {
        EfsVolumeConfiguration {
            authorization_config "AuthorizationConfig" Value<AuthorizationConfig>,
            filesystem_id "FilesystemId" Value<String>,
            root_directory "RootDirectory" Value<String>,
            transit_encryption "TransitEncryption" Value<String>,
            transit_encryption_port "TransitEncryptionPort" Value<i64>,
        }
        required ["FilesystemId"]
    }

    crate::shape! {
        EnvironmentFile {
            r#type "Type" Value<String>,
            value "Value" Value<String>,
        }
        required []
    }

    crate::shape! {
        EphemeralStorage {
            size_in_gib "SizeInGiB" Value<i64>,
        }
        required []
    }

    crate::shape! {
        FSxAuthorizationConfig {
            credentials_parameter "CredentialsParameter" Value<String>,
            domain "Domain" Value<String>,
        }
        required ["CredentialsParameter", "Domain"]
    }

    crate::shape! {
        FSxWindowsFileServerVolumeConfiguration {
            authorization_config "AuthorizationConfig" Value<FSxAuthorizationConfig>,
            file_system_id "FileSystemId" Value<String>,
            root_directory "RootDirectory" Value<String>,
        }
        required ["FileSystemId", "RootDirectory"]
    }

    crate::shape! {
        FirelensConfiguration {
            options "Options" Value<BTreeMap<String, Value<String>>>,
            r#type "Type" Value<String>,
        }
        required []
    }

    crate::shape! {
        HealthCheck {
            command "Command" Value<Vec<Value<String>>>,
            interval "Interval" Value<i64>,
            retries "Retries" Value<i64>,
            start_period "StartPeriod" Value<i64>,
            timeout "Timeout" Value<i64>,
        }
        required []
    }

    crate::shape! {
        HostEntry {
            hostname "Hostname" Value<String>,
            ip_address "IpAddress" Value<String>,
        }
        required []
    }

    crate::shape! {
        HostVolumeProperties {
            source_path "SourcePath" Value<String>,
        }
        required []
    }

    crate::shape! {
        InferenceAccelerator {
            device_name "DeviceName" Value<String>,
            device_type "DeviceType" Value<String>,
        }
        required []
    }

    crate::shape! {
        KernelCapabilities {
            add "Add" Value<Vec<Value<String>>>,
            drop "Drop" Value<Vec<Value<String>>>,
        }
        required []
    }

    crate::shape! {
        KeyValuePair {
            name "Name" Value<String>,
            value "Value" Value<String>,
        }
        required []
    }

    crate::shape! {
        LinuxParameters {
            capabilities "Capabilities" Value<KernelCapabilities>,
            devices "Devices" Value<Vec<Value<Device>>>,
            init_process_enabled "InitProcessEnabled" Value<bool>,
            max_swap "MaxSwap" Value<i64>,
            shared_memory_size "SharedMemorySize" Value<i64>,
            swappiness "Swappiness" Value<i64>,
            tmpfs "Tmpfs" Value<Vec<Value<Tmpfs>>>,
        }
        required []
    }

    crate::shape! {
        LogConfiguration {
            log_driver "LogDriver" Value<String>,
            options "Options" Value<BTreeMap<String, Value<String>>>,
            secret_options "SecretOptions" Value<Vec<Value<Secret>>>,
        }
        required ["LogDriver"]
    }

    crate::shape! {
        MountPoint {
            container_path "ContainerPath" Value<String>,
            read_only "ReadOnly" Value<bool>,
            source_volume "SourceVolume" Value<String>,
        }
        required []
    }

    crate::shape! {
        NvidiaMpsAllocation {
            max_compute_percent "MaxComputePercent" Value<i64>,
            memory "Memory" Value<i64>,
        }
        required ["Memory"]
    }

    crate::shape! {
        PortMapping {
            app_protocol "AppProtocol" Value<String>,
            container_port "ContainerPort" Value<i64>,
            container_port_range "ContainerPortRange" Value<String>,
            host_port "HostPort" Value<i64>,
            name "Name" Value<String>,
            protocol "Protocol" Value<String>,
        }
        required []
    }

    crate::shape! {
        ProxyConfiguration {
            container_name "ContainerName" Value<String>,
            proxy_configuration_properties "ProxyConfigurationProperties" Value<Vec<Value<KeyValuePair>>>,
            r#type "Type" Value<String>,
        }
        required ["ContainerName"]
    }

    crate::shape! {
        RepositoryCredentials {
            credentials_parameter "CredentialsParameter" Value<String>,
        }
        required []
    }

    crate::shape! {
        ResourceRequirement {
            sharing_strategy "SharingStrategy" Value<SharingStrategy>,
            r#type "Type" Value<String>,
            value "Value" Value<String>,
        }
        required ["Type"]
    }

    crate::shape! {
        RestartPolicy {
            enabled "Enabled" Value<bool>,
            ignored_exit_codes "IgnoredExitCodes" Value<Vec<Value<i64>>>,
            restart_attempt_period "RestartAttemptPeriod" Value<i64>,
        }
        required []
    }

    crate::shape! {
        RuntimePlatform {
            cpu_architecture "CpuArchitecture" Value<String>,
            operating_system_family "OperatingSystemFamily" Value<String>,
        }
        required []
    }

    crate::shape! {
        S3FilesVolumeConfiguration {
            access_point_arn "AccessPointArn" Value<String>,
            file_system_arn "FileSystemArn" Value<String>,
            root_directory "RootDirectory" Value<String>,
            transit_encryption_port "TransitEncryptionPort" Value<i64>,
        }
        required ["FileSystemArn"]
    }

    crate::shape! {
        Secret {
            name "Name" Value<String>,
            value_from "ValueFrom" Value<String>,
        }
        required ["Name", "ValueFrom"]
    }

    crate::shape! {
        SharingStrategy {
            nvidia_mps "NvidiaMps" Value<NvidiaMpsAllocation>,
        }
        required ["NvidiaMps"]
    }

    crate::shape! {
        SystemControl {
            namespace "Namespace" Value<String>,
            value "Value" Value<String>,
        }
        required []
    }

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required []
    }

    crate::shape! {
        TaskDefinitionPlacementConstraint {
            expression "Expression" Value<String>,
            r#type "Type" Value<String>,
        }
        required ["Type"]
    }

    crate::shape! {
        Tmpfs {
            container_path "ContainerPath" Value<String>,
            mount_options "MountOptions" Value<Vec<Value<String>>>,
            size "Size" Value<i64>,
        }
        required ["Size"]
    }

    crate::shape! {
        Ulimit {
            hard_limit "HardLimit" Value<i64>,
            name "Name" Value<String>,
            soft_limit "SoftLimit" Value<i64>,
        }
        required ["HardLimit", "Name", "SoftLimit"]
    }

    crate::shape! {
        Volume {
            configured_at_launch "ConfiguredAtLaunch" Value<bool>,
            docker_volume_configuration "DockerVolumeConfiguration" Value<DockerVolumeConfiguration>,
            efs_volume_configuration "EFSVolumeConfiguration" Value<EfsVolumeConfiguration>,
            f_sx_windows_file_server_volume_configuration "FSxWindowsFileServerVolumeConfiguration" Value<FSxWindowsFileServerVolumeConfiguration>,
            host "Host" Value<HostVolumeProperties>,
            name "Name" Value<String>,
            s3_files_volume_configuration "S3FilesVolumeConfiguration" Value<S3FilesVolumeConfiguration>,
        }
        required []
    }

    crate::shape! {
        VolumeFrom {
            read_only "ReadOnly" Value<bool>,
            source_container "SourceContainer" Value<String>,
        }
        required []
    }
}
