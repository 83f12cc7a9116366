//! The properties of the resource types that run here.
//!
//! Invariant: written by `cargo xtask codegen l1` from cfn-lint 1.58.0; edit the generator, not this file.
// @generated

use neargate_shape::ResourceShape;

/// The type's description.
pub fn find(name: &str) -> Option<&'static ResourceShape> {
    TYPES.binary_search_by_key(&name, |it| it.name).ok().and_then(|at| TYPES.get(at).copied())
}

/// Every type, sorted by name.
#[rustfmt::skip]
pub static TYPES: &[&ResourceShape] = &[
    &EC2_EIP,
    &EC2_INTERNET_GATEWAY,
    &EC2_NAT_GATEWAY,
    &EC2_ROUTE,
    &EC2_ROUTE_TABLE,
    &EC2_SECURITY_GROUP,
    &EC2_SECURITY_GROUP_EGRESS,
    &EC2_SECURITY_GROUP_INGRESS,
    &EC2_SUBNET,
    &EC2_SUBNET_ROUTE_TABLE_ASSOCIATION,
    &EC2_VPC,
    &EC2_VPC_GATEWAY_ATTACHMENT,
    &ECS_CLUSTER,
    &ECS_CLUSTER_CAPACITY_PROVIDER_ASSOCIATIONS,
    &ECS_TASK_DEFINITION,
    &EVENTS_EVENT_BUS,
    &EVENTS_RULE,
    &IAM_MANAGED_POLICY,
    &IAM_POLICY,
    &IAM_ROLE,
    &IAM_ROLE_POLICY,
    &KMS_ALIAS,
    &KMS_KEY,
    &LAMBDA_FUNCTION,
    &LOGS_LOG_GROUP,
    &LOGS_LOG_STREAM,
    &SSM_PARAMETER,
    &SECRETSMANAGER_RESOURCE_POLICY,
    &SECRETSMANAGER_SECRET,
];

/// `AWS::EC2::EIP`.
#[rustfmt::skip]
pub static EC2_EIP: ResourceShape = ResourceShape {
    name: "AWS::EC2::EIP",
    shapes: &[
        ("", &[("Address", ""), ("Domain", ""), ("InstanceId", ""), ("IpamPoolId", ""), ("NetworkBorderGroup", ""), ("PublicIpv4Pool", ""), ("Tags", "Tag"), ("TransferAddress", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("Tag", &["Key", "Value"])],
    create_only: &["Address", "IpamPoolId", "NetworkBorderGroup", "TransferAddress"],
    read_only: &["AllocationId", "PublicIp"],
    primary_id: &["PublicIp", "AllocationId"],
    tags: Some("Tags"),
};

/// `AWS::EC2::InternetGateway`.
#[rustfmt::skip]
pub static EC2_INTERNET_GATEWAY: ResourceShape = ResourceShape {
    name: "AWS::EC2::InternetGateway",
    shapes: &[
        ("", &[("Tags", "Tag"), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("Tag", &["Key", "Value"])],
    create_only: &[],
    read_only: &["InternetGatewayId"],
    primary_id: &["InternetGatewayId"],
    tags: Some("Tags"),
};

/// `AWS::EC2::NatGateway`.
#[rustfmt::skip]
pub static EC2_NAT_GATEWAY: ResourceShape = ResourceShape {
    name: "AWS::EC2::NatGateway",
    shapes: &[
        ("", &[("AllocationId", ""), ("AvailabilityMode", ""), ("AvailabilityZoneAddresses", "AvailabilityZoneAddress"), ("ConnectivityType", ""), ("MaxDrainDurationSeconds", ""), ("PrivateIpAddress", ""), ("SecondaryAllocationIds", ""), ("SecondaryPrivateIpAddressCount", ""), ("SecondaryPrivateIpAddresses", ""), ("SubnetId", ""), ("Tags", "Tag"), ("VpcId", ""), ]),
        ("AvailabilityZoneAddress", &[("AllocationIds", ""), ("AvailabilityZone", ""), ("AvailabilityZoneId", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("AvailabilityZoneAddress", &["AllocationIds"]), ("Tag", &["Key", "Value"])],
    create_only: &["AllocationId", "AvailabilityMode", "ConnectivityType", "PrivateIpAddress", "SubnetId", "VpcId"],
    read_only: &["AutoProvisionZones", "AutoScalingIps", "EniId", "NatGatewayId", "RouteTableId"],
    primary_id: &["NatGatewayId"],
    tags: Some("Tags"),
};

/// `AWS::EC2::Route`.
#[rustfmt::skip]
pub static EC2_ROUTE: ResourceShape = ResourceShape {
    name: "AWS::EC2::Route",
    shapes: &[
        ("", &[("CarrierGatewayId", ""), ("CoreNetworkArn", ""), ("DestinationCidrBlock", ""), ("DestinationIpv6CidrBlock", ""), ("DestinationPrefixListId", ""), ("EgressOnlyInternetGatewayId", ""), ("GatewayId", ""), ("InstanceId", ""), ("LocalGatewayId", ""), ("NatGatewayId", ""), ("NetworkInterfaceId", ""), ("OdbNetworkArn", ""), ("RouteTableId", ""), ("TransitGatewayId", ""), ("VpcEndpointId", ""), ("VpcPeeringConnectionId", ""), ]),
    ],
    required: &[("", &["RouteTableId"])],
    create_only: &["DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId", "RouteTableId"],
    read_only: &["CidrBlock"],
    primary_id: &["RouteTableId", "CidrBlock"],
    tags: None,
};

/// `AWS::EC2::RouteTable`.
#[rustfmt::skip]
pub static EC2_ROUTE_TABLE: ResourceShape = ResourceShape {
    name: "AWS::EC2::RouteTable",
    shapes: &[
        ("", &[("Tags", "Tag"), ("VpcId", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("", &["VpcId"]), ("Tag", &["Key", "Value"])],
    create_only: &["VpcId"],
    read_only: &["RouteTableId"],
    primary_id: &["RouteTableId"],
    tags: Some("Tags"),
};

/// `AWS::EC2::SecurityGroup`.
#[rustfmt::skip]
pub static EC2_SECURITY_GROUP: ResourceShape = ResourceShape {
    name: "AWS::EC2::SecurityGroup",
    shapes: &[
        ("", &[("GroupDescription", ""), ("GroupName", ""), ("SecurityGroupEgress", "Egress"), ("SecurityGroupIngress", "Ingress"), ("Tags", "Tag"), ("VpcId", ""), ]),
        ("Egress", &[("CidrIp", ""), ("CidrIpv6", ""), ("Description", ""), ("DestinationPrefixListId", ""), ("DestinationSecurityGroupId", ""), ("FromPort", ""), ("IpProtocol", ""), ("ToPort", ""), ]),
        ("Ingress", &[("CidrIp", ""), ("CidrIpv6", ""), ("Description", ""), ("FromPort", ""), ("IpProtocol", ""), ("SourcePrefixListId", ""), ("SourceSecurityGroupId", ""), ("SourceSecurityGroupName", ""), ("SourceSecurityGroupOwnerId", ""), ("ToPort", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("", &["GroupDescription"]), ("Egress", &["IpProtocol"]), ("Ingress", &["IpProtocol"]), ("Tag", &["Key", "Value"])],
    create_only: &["GroupDescription", "GroupName", "VpcId"],
    read_only: &["GroupId", "Id"],
    primary_id: &["Id"],
    tags: Some("Tags"),
};

/// `AWS::EC2::SecurityGroupEgress`.
#[rustfmt::skip]
pub static EC2_SECURITY_GROUP_EGRESS: ResourceShape = ResourceShape {
    name: "AWS::EC2::SecurityGroupEgress",
    shapes: &[
        ("", &[("CidrIp", ""), ("CidrIpv6", ""), ("Description", ""), ("DestinationPrefixListId", ""), ("DestinationSecurityGroupId", ""), ("FromPort", ""), ("GroupId", ""), ("IpProtocol", ""), ("ToPort", ""), ]),
    ],
    required: &[("", &["GroupId", "IpProtocol"])],
    create_only: &["CidrIp", "CidrIpv6", "DestinationPrefixListId", "DestinationSecurityGroupId", "FromPort", "GroupId", "IpProtocol", "ToPort"],
    read_only: &["Id"],
    primary_id: &["Id"],
    tags: None,
};

/// `AWS::EC2::SecurityGroupIngress`.
#[rustfmt::skip]
pub static EC2_SECURITY_GROUP_INGRESS: ResourceShape = ResourceShape {
    name: "AWS::EC2::SecurityGroupIngress",
    shapes: &[
        ("", &[("CidrIp", ""), ("CidrIpv6", ""), ("Description", ""), ("FromPort", ""), ("GroupId", ""), ("GroupName", ""), ("IpProtocol", ""), ("SourcePrefixListId", ""), ("SourceSecurityGroupId", ""), ("SourceSecurityGroupName", ""), ("SourceSecurityGroupOwnerId", ""), ("ToPort", ""), ]),
    ],
    required: &[("", &["IpProtocol"])],
    create_only: &["CidrIp", "CidrIpv6", "FromPort", "GroupId", "GroupName", "IpProtocol", "SourcePrefixListId", "SourceSecurityGroupId", "SourceSecurityGroupName", "SourceSecurityGroupOwnerId", "ToPort"],
    read_only: &["Id"],
    primary_id: &["Id"],
    tags: None,
};

/// `AWS::EC2::Subnet`.
#[rustfmt::skip]
pub static EC2_SUBNET: ResourceShape = ResourceShape {
    name: "AWS::EC2::Subnet",
    shapes: &[
        ("", &[("AssignIpv6AddressOnCreation", ""), ("AvailabilityZone", ""), ("AvailabilityZoneId", ""), ("CidrBlock", ""), ("EnableDns64", ""), ("EnableLniAtDeviceIndex", ""), ("Ipv4IpamPoolId", ""), ("Ipv4NetmaskLength", ""), ("Ipv6CidrBlock", ""), ("Ipv6IpamPoolId", ""), ("Ipv6Native", ""), ("Ipv6NetmaskLength", ""), ("MapPublicIpOnLaunch", ""), ("OutpostArn", ""), ("PrivateDnsNameOptionsOnLaunch", "PrivateDnsNameOptionsOnLaunch"), ("Tags", "Tag"), ("VpcId", ""), ]),
        ("PrivateDnsNameOptionsOnLaunch", &[("EnableResourceNameDnsAAAARecord", ""), ("EnableResourceNameDnsARecord", ""), ("HostnameType", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("", &["VpcId"]), ("Tag", &["Key", "Value"])],
    create_only: &["AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6IpamPoolId", "Ipv6Native", "Ipv6NetmaskLength", "OutpostArn", "VpcId"],
    read_only: &["BlockPublicAccessStates", "Ipv6CidrBlocks", "NetworkAclAssociationId", "SubnetId"],
    primary_id: &["SubnetId"],
    tags: Some("Tags"),
};

/// `AWS::EC2::SubnetRouteTableAssociation`.
#[rustfmt::skip]
pub static EC2_SUBNET_ROUTE_TABLE_ASSOCIATION: ResourceShape = ResourceShape {
    name: "AWS::EC2::SubnetRouteTableAssociation",
    shapes: &[
        ("", &[("RouteTableId", ""), ("SubnetId", ""), ]),
    ],
    required: &[("", &["RouteTableId", "SubnetId"])],
    create_only: &["RouteTableId", "SubnetId"],
    read_only: &["Id"],
    primary_id: &["Id"],
    tags: None,
};

/// `AWS::EC2::VPC`.
#[rustfmt::skip]
pub static EC2_VPC: ResourceShape = ResourceShape {
    name: "AWS::EC2::VPC",
    shapes: &[
        ("", &[("CidrBlock", ""), ("EnableDnsHostnames", ""), ("EnableDnsSupport", ""), ("InstanceTenancy", ""), ("Ipv4IpamPoolId", ""), ("Ipv4NetmaskLength", ""), ("Tags", "Tag"), ("VpcEncryptionControl", "VpcEncryptionControl"), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
        ("VpcEncryptionControl", &[("EgressOnlyInternetGatewayExclusion", ""), ("ElasticFileSystemExclusion", ""), ("InternetGatewayExclusion", ""), ("LambdaExclusion", ""), ("Mode", ""), ("NatGatewayExclusion", ""), ("ResourceExclusions", "VpcEncryptionControlExclusions"), ("State", ""), ("StateMessage", ""), ("VirtualPrivateGatewayExclusion", ""), ("VpcEncryptionControlId", ""), ("VpcId", ""), ("VpcLatticeExclusion", ""), ("VpcPeeringExclusion", ""), ]),
        ("VpcEncryptionControlExclusion", &[("State", ""), ("StateMessage", ""), ]),
        ("VpcEncryptionControlExclusions", &[("EgressOnlyInternetGateway", "VpcEncryptionControlExclusion"), ("ElasticFileSystem", "VpcEncryptionControlExclusion"), ("InternetGateway", "VpcEncryptionControlExclusion"), ("Lambda", "VpcEncryptionControlExclusion"), ("NatGateway", "VpcEncryptionControlExclusion"), ("VirtualPrivateGateway", "VpcEncryptionControlExclusion"), ("VpcLattice", "VpcEncryptionControlExclusion"), ("VpcPeering", "VpcEncryptionControlExclusion"), ]),
    ],
    required: &[("Tag", &["Key", "Value"])],
    create_only: &["CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength", "VpcEncryptionControl"],
    read_only: &["CidrBlockAssociations", "DefaultNetworkAcl", "DefaultSecurityGroup", "Ipv6CidrBlocks", "VpcEncryptionControl/ResourceExclusions", "VpcEncryptionControl/ResourceExclusions/EgressOnlyInternetGateway", "VpcEncryptionControl/ResourceExclusions/EgressOnlyInternetGateway/State", "VpcEncryptionControl/ResourceExclusions/EgressOnlyInternetGateway/StateMessage", "VpcEncryptionControl/ResourceExclusions/ElasticFileSystem", "VpcEncryptionControl/ResourceExclusions/ElasticFileSystem/State", "VpcEncryptionControl/ResourceExclusions/ElasticFileSystem/StateMessage", "VpcEncryptionControl/ResourceExclusions/InternetGateway", "VpcEncryptionControl/ResourceExclusions/InternetGateway/State", "VpcEncryptionControl/ResourceExclusions/InternetGateway/StateMessage", "VpcEncryptionControl/ResourceExclusions/Lambda", "VpcEncryptionControl/ResourceExclusions/Lambda/State", "VpcEncryptionControl/ResourceExclusions/Lambda/StateMessage", "VpcEncryptionControl/ResourceExclusions/NatGateway", "VpcEncryptionControl/ResourceExclusions/NatGateway/State", "VpcEncryptionControl/ResourceExclusions/NatGateway/StateMessage", "VpcEncryptionControl/ResourceExclusions/VirtualPrivateGateway", "VpcEncryptionControl/ResourceExclusions/VirtualPrivateGateway/State", "VpcEncryptionControl/ResourceExclusions/VirtualPrivateGateway/StateMessage", "VpcEncryptionControl/ResourceExclusions/VpcLattice", "VpcEncryptionControl/ResourceExclusions/VpcLattice/State", "VpcEncryptionControl/ResourceExclusions/VpcLattice/StateMessage", "VpcEncryptionControl/ResourceExclusions/VpcPeering", "VpcEncryptionControl/ResourceExclusions/VpcPeering/State", "VpcEncryptionControl/ResourceExclusions/VpcPeering/StateMessage", "VpcEncryptionControl/State", "VpcEncryptionControl/StateMessage", "VpcEncryptionControl/VpcEncryptionControlId", "VpcEncryptionControl/VpcId", "VpcId"],
    primary_id: &["VpcId"],
    tags: Some("Tags"),
};

/// `AWS::EC2::VPCGatewayAttachment`.
#[rustfmt::skip]
pub static EC2_VPC_GATEWAY_ATTACHMENT: ResourceShape = ResourceShape {
    name: "AWS::EC2::VPCGatewayAttachment",
    shapes: &[
        ("", &[("InternetGatewayId", ""), ("VpcId", ""), ("VpnGatewayId", ""), ]),
    ],
    required: &[("", &["VpcId"])],
    create_only: &["VpcId"],
    read_only: &["AttachmentType"],
    primary_id: &["AttachmentType", "VpcId"],
    tags: None,
};

/// `AWS::ECS::Cluster`.
#[rustfmt::skip]
pub static ECS_CLUSTER: ResourceShape = ResourceShape {
    name: "AWS::ECS::Cluster",
    shapes: &[
        ("", &[("CapacityProviders", ""), ("ClusterName", ""), ("ClusterSettings", "ClusterSettings"), ("Configuration", "ClusterConfiguration"), ("DefaultCapacityProviderStrategy", "CapacityProviderStrategyItem"), ("ServiceConnectDefaults", "ServiceConnectDefaults"), ("Tags", "Tag"), ]),
        ("CapacityProviderStrategyItem", &[("Base", ""), ("CapacityProvider", ""), ("Weight", ""), ]),
        ("ClusterConfiguration", &[("ExecuteCommandConfiguration", "ExecuteCommandConfiguration"), ("ManagedStorageConfiguration", "ManagedStorageConfiguration"), ]),
        ("ClusterSettings", &[("Name", ""), ("Value", ""), ]),
        ("ExecuteCommandConfiguration", &[("KmsKeyId", ""), ("LogConfiguration", "ExecuteCommandLogConfiguration"), ("Logging", ""), ]),
        ("ExecuteCommandLogConfiguration", &[("CloudWatchEncryptionEnabled", ""), ("CloudWatchLogGroupName", ""), ("S3BucketName", ""), ("S3EncryptionEnabled", ""), ("S3KeyPrefix", ""), ]),
        ("ManagedStorageConfiguration", &[("FargateEphemeralStorageKmsKeyId", ""), ("KmsKeyId", ""), ]),
        ("ServiceConnectDefaults", &[("Namespace", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[],
    create_only: &["ClusterName"],
    read_only: &["Arn"],
    primary_id: &["ClusterName"],
    tags: Some("Tags"),
};

/// `AWS::ECS::ClusterCapacityProviderAssociations`.
#[rustfmt::skip]
pub static ECS_CLUSTER_CAPACITY_PROVIDER_ASSOCIATIONS: ResourceShape = ResourceShape {
    name: "AWS::ECS::ClusterCapacityProviderAssociations",
    shapes: &[
        ("", &[("CapacityProviders", ""), ("Cluster", ""), ("DefaultCapacityProviderStrategy", "CapacityProviderStrategy"), ]),
        ("CapacityProviderStrategy", &[("Base", ""), ("CapacityProvider", ""), ("Weight", ""), ]),
    ],
    required: &[("", &["Cluster", "DefaultCapacityProviderStrategy"]), ("CapacityProviderStrategy", &["CapacityProvider"])],
    create_only: &["Cluster"],
    read_only: &[],
    primary_id: &["Cluster"],
    tags: None,
};

/// `AWS::ECS::TaskDefinition`.
#[rustfmt::skip]
pub static ECS_TASK_DEFINITION: ResourceShape = ResourceShape {
    name: "AWS::ECS::TaskDefinition",
    shapes: &[
        ("", &[("ContainerDefinitions", "ContainerDefinition"), ("Cpu", ""), ("EnableFaultInjection", ""), ("EphemeralStorage", "EphemeralStorage"), ("ExecutionRoleArn", ""), ("Family", ""), ("InferenceAccelerators", "InferenceAccelerator"), ("IpcMode", ""), ("Memory", ""), ("NetworkMode", ""), ("PidMode", ""), ("PlacementConstraints", "TaskDefinitionPlacementConstraint"), ("ProxyConfiguration", "ProxyConfiguration"), ("RequiresCompatibilities", ""), ("RuntimePlatform", "RuntimePlatform"), ("Tags", "Tag"), ("TaskRoleArn", ""), ("Volumes", "Volume"), ]),
        ("AuthorizationConfig", &[("AccessPointId", ""), ("IAM", ""), ]),
        ("ContainerDefinition", &[("Command", ""), ("Cpu", ""), ("CredentialSpecs", ""), ("DependsOn", "ContainerDependency"), ("DisableNetworking", ""), ("DnsSearchDomains", ""), ("DnsServers", ""), ("DockerLabels", ""), ("DockerSecurityOptions", ""), ("EntryPoint", ""), ("Environment", "KeyValuePair"), ("EnvironmentFiles", "EnvironmentFile"), ("Essential", ""), ("ExtraHosts", "HostEntry"), ("FirelensConfiguration", "FirelensConfiguration"), ("HealthCheck", "HealthCheck"), ("Hostname", ""), ("Image", ""), ("Interactive", ""), ("Links", ""), ("LinuxParameters", "LinuxParameters"), ("LogConfiguration", "LogConfiguration"), ("Memory", ""), ("MemoryReservation", ""), ("MountPoints", "MountPoint"), ("Name", ""), ("PortMappings", "PortMapping"), ("Privileged", ""), ("PseudoTerminal", ""), ("ReadonlyRootFilesystem", ""), ("RepositoryCredentials", "RepositoryCredentials"), ("ResourceRequirements", "ResourceRequirement"), ("RestartPolicy", "RestartPolicy"), ("Secrets", "Secret"), ("StartTimeout", ""), ("StopTimeout", ""), ("SystemControls", "SystemControl"), ("Ulimits", "Ulimit"), ("User", ""), ("VersionConsistency", ""), ("VolumesFrom", "VolumeFrom"), ("WorkingDirectory", ""), ]),
        ("ContainerDependency", &[("Condition", ""), ("ContainerName", ""), ]),
        ("Device", &[("ContainerPath", ""), ("HostPath", ""), ("Permissions", ""), ]),
        ("DockerVolumeConfiguration", &[("Autoprovision", ""), ("Driver", ""), ("DriverOpts", ""), ("Labels", ""), ("Scope", ""), ]),
        ("EfsVolumeConfiguration", &[("AuthorizationConfig", "AuthorizationConfig"), ("FilesystemId", ""), ("RootDirectory", ""), ("TransitEncryption", ""), ("TransitEncryptionPort", ""), ]),
        ("EnvironmentFile", &[("Type", ""), ("Value", ""), ]),
        ("EphemeralStorage", &[("SizeInGiB", ""), ]),
        ("FSxAuthorizationConfig", &[("CredentialsParameter", ""), ("Domain", ""), ]),
        ("FSxWindowsFileServerVolumeConfiguration", &[("AuthorizationConfig", "FSxAuthorizationConfig"), ("FileSystemId", ""), ("RootDirectory", ""), ]),
        ("FirelensConfiguration", &[("Options", ""), ("Type", ""), ]),
        ("HealthCheck", &[("Command", ""), ("Interval", ""), ("Retries", ""), ("StartPeriod", ""), ("Timeout", ""), ]),
        ("HostEntry", &[("Hostname", ""), ("IpAddress", ""), ]),
        ("HostVolumeProperties", &[("SourcePath", ""), ]),
        ("InferenceAccelerator", &[("DeviceName", ""), ("DeviceType", ""), ]),
        ("KernelCapabilities", &[("Add", ""), ("Drop", ""), ]),
        ("KeyValuePair", &[("Name", ""), ("Value", ""), ]),
        ("LinuxParameters", &[("Capabilities", "KernelCapabilities"), ("Devices", "Device"), ("InitProcessEnabled", ""), ("MaxSwap", ""), ("SharedMemorySize", ""), ("Swappiness", ""), ("Tmpfs", "Tmpfs"), ]),
        ("LogConfiguration", &[("LogDriver", ""), ("Options", ""), ("SecretOptions", "Secret"), ]),
        ("MountPoint", &[("ContainerPath", ""), ("ReadOnly", ""), ("SourceVolume", ""), ]),
        ("NvidiaMpsAllocation", &[("MaxComputePercent", ""), ("Memory", ""), ]),
        ("PortMapping", &[("AppProtocol", ""), ("ContainerPort", ""), ("ContainerPortRange", ""), ("HostPort", ""), ("Name", ""), ("Protocol", ""), ]),
        ("ProxyConfiguration", &[("ContainerName", ""), ("ProxyConfigurationProperties", "KeyValuePair"), ("Type", ""), ]),
        ("RepositoryCredentials", &[("CredentialsParameter", ""), ]),
        ("ResourceRequirement", &[("SharingStrategy", "SharingStrategy"), ("Type", ""), ("Value", ""), ]),
        ("RestartPolicy", &[("Enabled", ""), ("IgnoredExitCodes", ""), ("RestartAttemptPeriod", ""), ]),
        ("RuntimePlatform", &[("CpuArchitecture", ""), ("OperatingSystemFamily", ""), ]),
        ("S3FilesVolumeConfiguration", &[("AccessPointArn", ""), ("FileSystemArn", ""), ("RootDirectory", ""), ("TransitEncryptionPort", ""), ]),
        ("Secret", &[("Name", ""), ("ValueFrom", ""), ]),
        ("SharingStrategy", &[("NvidiaMps", "NvidiaMpsAllocation"), ]),
        ("SystemControl", &[("Namespace", ""), ("Value", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
        ("TaskDefinitionPlacementConstraint", &[("Expression", ""), ("Type", ""), ]),
        ("Tmpfs", &[("ContainerPath", ""), ("MountOptions", ""), ("Size", ""), ]),
        ("Ulimit", &[("HardLimit", ""), ("Name", ""), ("SoftLimit", ""), ]),
        ("Volume", &[("ConfiguredAtLaunch", ""), ("DockerVolumeConfiguration", "DockerVolumeConfiguration"), ("EFSVolumeConfiguration", "EfsVolumeConfiguration"), ("FSxWindowsFileServerVolumeConfiguration", "FSxWindowsFileServerVolumeConfiguration"), ("Host", "HostVolumeProperties"), ("Name", ""), ("S3FilesVolumeConfiguration", "S3FilesVolumeConfiguration"), ]),
        ("VolumeFrom", &[("ReadOnly", ""), ("SourceContainer", ""), ]),
    ],
    required: &[("ContainerDefinition", &["Image", "Name"]), ("EfsVolumeConfiguration", &["FilesystemId"]), ("FSxAuthorizationConfig", &["CredentialsParameter", "Domain"]), ("FSxWindowsFileServerVolumeConfiguration", &["FileSystemId", "RootDirectory"]), ("LogConfiguration", &["LogDriver"]), ("NvidiaMpsAllocation", &["Memory"]), ("ProxyConfiguration", &["ContainerName"]), ("ResourceRequirement", &["Type"]), ("S3FilesVolumeConfiguration", &["FileSystemArn"]), ("Secret", &["Name", "ValueFrom"]), ("SharingStrategy", &["NvidiaMps"]), ("TaskDefinitionPlacementConstraint", &["Type"]), ("Tmpfs", &["Size"]), ("Ulimit", &["HardLimit", "Name", "SoftLimit"])],
    create_only: &["ContainerDefinitions", "Cpu", "EnableFaultInjection", "EphemeralStorage", "ExecutionRoleArn", "Family", "InferenceAccelerators", "IpcMode", "Memory", "NetworkMode", "PidMode", "PlacementConstraints", "ProxyConfiguration", "RequiresCompatibilities", "RuntimePlatform", "TaskRoleArn", "Volumes"],
    read_only: &["TaskDefinitionArn"],
    primary_id: &["TaskDefinitionArn"],
    tags: Some("Tags"),
};

/// `AWS::Events::EventBus`.
#[rustfmt::skip]
pub static EVENTS_EVENT_BUS: ResourceShape = ResourceShape {
    name: "AWS::Events::EventBus",
    shapes: &[
        ("", &[("DeadLetterConfig", "DeadLetterConfig"), ("Description", ""), ("EventSourceName", ""), ("KmsKeyIdentifier", ""), ("LogConfig", "LogConfig"), ("Name", ""), ("Policy", ""), ("Tags", "Tag"), ]),
        ("DeadLetterConfig", &[("Arn", ""), ]),
        ("LogConfig", &[("IncludeDetail", ""), ("Level", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("", &["Name"]), ("Tag", &["Key", "Value"])],
    create_only: &["Name"],
    read_only: &["Arn"],
    primary_id: &["Name"],
    tags: Some("Tags"),
};

/// `AWS::Events::Rule`.
#[rustfmt::skip]
pub static EVENTS_RULE: ResourceShape = ResourceShape {
    name: "AWS::Events::Rule",
    shapes: &[
        ("", &[("Description", ""), ("EventBusName", ""), ("EventPattern", ""), ("Name", ""), ("RoleArn", ""), ("ScheduleExpression", ""), ("State", ""), ("Tags", "Tag"), ("Targets", "Target"), ]),
        ("AppSyncParameters", &[("GraphQLOperation", ""), ]),
        ("AwsVpcConfiguration", &[("AssignPublicIp", ""), ("SecurityGroups", ""), ("Subnets", ""), ]),
        ("BatchArrayProperties", &[("Size", ""), ]),
        ("BatchParameters", &[("ArrayProperties", "BatchArrayProperties"), ("JobDefinition", ""), ("JobName", ""), ("RetryStrategy", "BatchRetryStrategy"), ]),
        ("BatchRetryStrategy", &[("Attempts", ""), ]),
        ("CapacityProviderStrategyItem", &[("Base", ""), ("CapacityProvider", ""), ("Weight", ""), ]),
        ("DeadLetterConfig", &[("Arn", ""), ]),
        ("EcsParameters", &[("CapacityProviderStrategy", "CapacityProviderStrategyItem"), ("EnableECSManagedTags", ""), ("EnableExecuteCommand", ""), ("Group", ""), ("LaunchType", ""), ("NetworkConfiguration", "NetworkConfiguration"), ("PlacementConstraints", "PlacementConstraint"), ("PlacementStrategies", "PlacementStrategy"), ("PlatformVersion", ""), ("PropagateTags", ""), ("ReferenceId", ""), ("TagList", "Tag"), ("TaskCount", ""), ("TaskDefinitionArn", ""), ]),
        ("HttpParameters", &[("HeaderParameters", ""), ("PathParameterValues", ""), ("QueryStringParameters", ""), ]),
        ("InputTransformer", &[("InputPathsMap", ""), ("InputTemplate", ""), ]),
        ("KinesisParameters", &[("PartitionKeyPath", ""), ]),
        ("NetworkConfiguration", &[("AwsVpcConfiguration", "AwsVpcConfiguration"), ]),
        ("PlacementConstraint", &[("Expression", ""), ("Type", ""), ]),
        ("PlacementStrategy", &[("Field", ""), ("Type", ""), ]),
        ("RedshiftDataParameters", &[("Database", ""), ("DbUser", ""), ("SecretManagerArn", ""), ("Sql", ""), ("Sqls", ""), ("StatementName", ""), ("WithEvent", ""), ]),
        ("RetryPolicy", &[("MaximumEventAgeInSeconds", ""), ("MaximumRetryAttempts", ""), ]),
        ("RunCommandParameters", &[("RunCommandTargets", "RunCommandTarget"), ]),
        ("RunCommandTarget", &[("Key", ""), ("Values", ""), ]),
        ("SageMakerPipelineParameter", &[("Name", ""), ("Value", ""), ]),
        ("SageMakerPipelineParameters", &[("PipelineParameterList", "SageMakerPipelineParameter"), ]),
        ("SqsParameters", &[("MessageGroupId", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
        ("Target", &[("AppSyncParameters", "AppSyncParameters"), ("Arn", ""), ("BatchParameters", "BatchParameters"), ("DeadLetterConfig", "DeadLetterConfig"), ("EcsParameters", "EcsParameters"), ("HttpParameters", "HttpParameters"), ("Id", ""), ("Input", ""), ("InputPath", ""), ("InputTransformer", "InputTransformer"), ("KinesisParameters", "KinesisParameters"), ("RedshiftDataParameters", "RedshiftDataParameters"), ("RetryPolicy", "RetryPolicy"), ("RoleArn", ""), ("RunCommandParameters", "RunCommandParameters"), ("SageMakerPipelineParameters", "SageMakerPipelineParameters"), ("SqsParameters", "SqsParameters"), ]),
    ],
    required: &[("AppSyncParameters", &["GraphQLOperation"]), ("AwsVpcConfiguration", &["Subnets"]), ("BatchParameters", &["JobDefinition", "JobName"]), ("CapacityProviderStrategyItem", &["CapacityProvider"]), ("EcsParameters", &["TaskDefinitionArn"]), ("InputTransformer", &["InputTemplate"]), ("KinesisParameters", &["PartitionKeyPath"]), ("RedshiftDataParameters", &["Database"]), ("RunCommandParameters", &["RunCommandTargets"]), ("RunCommandTarget", &["Key", "Values"]), ("SageMakerPipelineParameter", &["Name", "Value"]), ("SqsParameters", &["MessageGroupId"]), ("Target", &["Arn", "Id"])],
    create_only: &["Name"],
    read_only: &["Arn", "RuleName"],
    primary_id: &["Arn"],
    tags: Some("Tags"),
};

/// `AWS::IAM::ManagedPolicy`.
#[rustfmt::skip]
pub static IAM_MANAGED_POLICY: ResourceShape = ResourceShape {
    name: "AWS::IAM::ManagedPolicy",
    shapes: &[
        ("", &[("Description", ""), ("Groups", ""), ("ManagedPolicyName", ""), ("Path", ""), ("PolicyDocument", ""), ("Roles", ""), ("Users", ""), ]),
    ],
    required: &[("", &["PolicyDocument"])],
    create_only: &["Description", "ManagedPolicyName", "Path"],
    read_only: &["AttachmentCount", "CreateDate", "DefaultVersionId", "IsAttachable", "PermissionsBoundaryUsageCount", "PolicyArn", "PolicyId", "UpdateDate"],
    primary_id: &["PolicyArn"],
    tags: None,
};

/// `AWS::IAM::Policy`.
#[rustfmt::skip]
pub static IAM_POLICY: ResourceShape = ResourceShape {
    name: "AWS::IAM::Policy",
    shapes: &[
        ("", &[("Groups", ""), ("PolicyDocument", ""), ("PolicyName", ""), ("Roles", ""), ("Users", ""), ]),
    ],
    required: &[("", &["PolicyDocument", "PolicyName"])],
    create_only: &[],
    read_only: &["Id"],
    primary_id: &["Id"],
    tags: None,
};

/// `AWS::IAM::Role`.
#[rustfmt::skip]
pub static IAM_ROLE: ResourceShape = ResourceShape {
    name: "AWS::IAM::Role",
    shapes: &[
        ("", &[("AssumeRolePolicyDocument", ""), ("Description", ""), ("ManagedPolicyArns", ""), ("MaxSessionDuration", ""), ("Path", ""), ("PermissionsBoundary", ""), ("Policies", "Policy"), ("RoleName", ""), ("Tags", "Tag"), ]),
        ("Policy", &[("PolicyDocument", ""), ("PolicyName", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("", &["AssumeRolePolicyDocument"]), ("Policy", &["PolicyDocument", "PolicyName"]), ("Tag", &["Key", "Value"])],
    create_only: &["Path", "RoleName"],
    read_only: &["Arn", "RoleId"],
    primary_id: &["RoleName"],
    tags: Some("Tags"),
};

/// `AWS::IAM::RolePolicy`.
#[rustfmt::skip]
pub static IAM_ROLE_POLICY: ResourceShape = ResourceShape {
    name: "AWS::IAM::RolePolicy",
    shapes: &[
        ("", &[("PolicyDocument", ""), ("PolicyName", ""), ("RoleName", ""), ]),
    ],
    required: &[("", &["PolicyName", "RoleName"])],
    create_only: &["PolicyName", "RoleName"],
    read_only: &[],
    primary_id: &["PolicyName", "RoleName"],
    tags: None,
};

/// `AWS::KMS::Alias`.
#[rustfmt::skip]
pub static KMS_ALIAS: ResourceShape = ResourceShape {
    name: "AWS::KMS::Alias",
    shapes: &[
        ("", &[("AliasName", ""), ("TargetKeyId", ""), ]),
    ],
    required: &[("", &["AliasName", "TargetKeyId"])],
    create_only: &["AliasName"],
    read_only: &[],
    primary_id: &["AliasName"],
    tags: None,
};

/// `AWS::KMS::Key`.
#[rustfmt::skip]
pub static KMS_KEY: ResourceShape = ResourceShape {
    name: "AWS::KMS::Key",
    shapes: &[
        ("", &[("BypassPolicyLockoutSafetyCheck", ""), ("Description", ""), ("EnableKeyRotation", ""), ("Enabled", ""), ("KeyPolicy", ""), ("KeySpec", ""), ("KeyUsage", ""), ("MultiRegion", ""), ("Origin", ""), ("PendingWindowInDays", ""), ("RotationPeriodInDays", ""), ("Tags", "Tag"), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("Tag", &["Key", "Value"])],
    create_only: &[],
    read_only: &["Arn", "KeyId"],
    primary_id: &["KeyId"],
    tags: Some("Tags"),
};

/// `AWS::Lambda::Function`.
#[rustfmt::skip]
pub static LAMBDA_FUNCTION: ResourceShape = ResourceShape {
    name: "AWS::Lambda::Function",
    shapes: &[
        ("", &[("Architectures", ""), ("CapacityProviderConfig", "CapacityProviderConfig"), ("Code", "Code"), ("CodeSigningConfigArn", ""), ("DeadLetterConfig", "DeadLetterConfig"), ("Description", ""), ("DurableConfig", "DurableConfig"), ("Environment", "Environment"), ("EphemeralStorage", "EphemeralStorage"), ("FileSystemConfigs", "FileSystemConfig"), ("FunctionName", ""), ("FunctionScalingConfig", "FunctionScalingConfig"), ("Handler", ""), ("ImageConfig", "ImageConfig"), ("KmsKeyArn", ""), ("Layers", ""), ("LoggingConfig", "LoggingConfig"), ("MemorySize", ""), ("PackageType", ""), ("PublishToLatestPublished", ""), ("RecursiveLoop", ""), ("ReservedConcurrentExecutions", ""), ("Role", ""), ("Runtime", ""), ("RuntimeManagementConfig", "RuntimeManagementConfig"), ("SnapStart", "SnapStart"), ("Tags", "Tag"), ("TenancyConfig", "TenancyConfig"), ("Timeout", ""), ("TracingConfig", "TracingConfig"), ("VpcConfig", "VpcConfig"), ]),
        ("CapacityProviderConfig", &[("LambdaManagedInstancesCapacityProviderConfig", "LambdaManagedInstancesCapacityProviderConfig"), ]),
        ("Code", &[("ImageUri", ""), ("S3Bucket", ""), ("S3Key", ""), ("S3ObjectStorageMode", ""), ("S3ObjectVersion", ""), ("SourceKMSKeyArn", ""), ("ZipFile", ""), ]),
        ("DeadLetterConfig", &[("TargetArn", ""), ]),
        ("DurableConfig", &[("ExecutionTimeout", ""), ("KMSKeyArn", ""), ("RetentionPeriodInDays", ""), ]),
        ("Environment", &[("Variables", ""), ]),
        ("EphemeralStorage", &[("Size", ""), ]),
        ("FileSystemConfig", &[("Arn", ""), ("LocalMountPath", ""), ("S3FilesConfig", "S3FilesConfig"), ]),
        ("FunctionScalingConfig", &[("MaxExecutionEnvironments", ""), ("MinExecutionEnvironments", ""), ]),
        ("ImageConfig", &[("Command", ""), ("EntryPoint", ""), ("WorkingDirectory", ""), ]),
        ("LambdaManagedInstancesCapacityProviderConfig", &[("CapacityProviderArn", ""), ("ExecutionEnvironmentMemoryGiBPerVCpu", ""), ("PerExecutionEnvironmentMaxConcurrency", ""), ]),
        ("LoggingConfig", &[("ApplicationLogLevel", ""), ("LogFormat", ""), ("LogGroup", ""), ("SystemLogLevel", ""), ]),
        ("RuntimeManagementConfig", &[("RuntimeVersionArn", ""), ("UpdateRuntimeOn", ""), ]),
        ("S3FilesConfig", &[("DirectS3Read", ""), ]),
        ("SnapStart", &[("ApplyOn", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
        ("TenancyConfig", &[("TenantIsolationMode", ""), ]),
        ("TracingConfig", &[("Mode", ""), ]),
        ("VpcConfig", &[("Ipv6AllowedForDualStack", ""), ("SecurityGroupIds", ""), ("SubnetIds", ""), ]),
    ],
    required: &[("", &["Code", "Role"]), ("CapacityProviderConfig", &["LambdaManagedInstancesCapacityProviderConfig"]), ("DurableConfig", &["ExecutionTimeout"]), ("EphemeralStorage", &["Size"]), ("FileSystemConfig", &["Arn", "LocalMountPath"]), ("LambdaManagedInstancesCapacityProviderConfig", &["CapacityProviderArn"]), ("RuntimeManagementConfig", &["UpdateRuntimeOn"]), ("SnapStart", &["ApplyOn"]), ("Tag", &["Key"]), ("TenancyConfig", &["TenantIsolationMode"])],
    create_only: &["FunctionName", "PackageType", "TenancyConfig"],
    read_only: &["Arn", "SnapStartResponse", "SnapStartResponse/ApplyOn", "SnapStartResponse/OptimizationStatus"],
    primary_id: &["FunctionName"],
    tags: Some("Tags"),
};

/// `AWS::Logs::LogGroup`.
#[rustfmt::skip]
pub static LOGS_LOG_GROUP: ResourceShape = ResourceShape {
    name: "AWS::Logs::LogGroup",
    shapes: &[
        ("", &[("BearerTokenAuthenticationEnabled", ""), ("DataProtectionPolicy", ""), ("DeletionProtectionEnabled", ""), ("FieldIndexPolicies", ""), ("KmsKeyId", ""), ("LogGroupClass", ""), ("LogGroupName", ""), ("ResourcePolicyDocument", ""), ("RetentionInDays", ""), ("Tags", "Tag"), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("Tag", &["Key", "Value"])],
    create_only: &["LogGroupName"],
    read_only: &["Arn"],
    primary_id: &["LogGroupName"],
    tags: Some("Tags"),
};

/// `AWS::Logs::LogStream`.
#[rustfmt::skip]
pub static LOGS_LOG_STREAM: ResourceShape = ResourceShape {
    name: "AWS::Logs::LogStream",
    shapes: &[
        ("", &[("LogGroupName", ""), ("LogStreamName", ""), ]),
    ],
    required: &[("", &["LogGroupName"])],
    create_only: &["LogGroupName", "LogStreamName"],
    read_only: &[],
    primary_id: &["LogGroupName", "LogStreamName"],
    tags: None,
};

/// `AWS::SSM::Parameter`.
#[rustfmt::skip]
pub static SSM_PARAMETER: ResourceShape = ResourceShape {
    name: "AWS::SSM::Parameter",
    shapes: &[
        ("", &[("AllowedPattern", ""), ("DataType", ""), ("Description", ""), ("Name", ""), ("Policies", ""), ("Tags", ""), ("Tier", ""), ("Type", ""), ("Value", ""), ]),
    ],
    required: &[("", &["Type", "Value"])],
    create_only: &["Name"],
    read_only: &["Arn"],
    primary_id: &["Name"],
    tags: Some("Tags"),
};

/// `AWS::SecretsManager::ResourcePolicy`.
#[rustfmt::skip]
pub static SECRETSMANAGER_RESOURCE_POLICY: ResourceShape = ResourceShape {
    name: "AWS::SecretsManager::ResourcePolicy",
    shapes: &[
        ("", &[("BlockPublicPolicy", ""), ("ResourcePolicy", ""), ("SecretId", ""), ]),
    ],
    required: &[("", &["ResourcePolicy", "SecretId"])],
    create_only: &["SecretId"],
    read_only: &["Id"],
    primary_id: &["Id"],
    tags: None,
};

/// `AWS::SecretsManager::Secret`.
#[rustfmt::skip]
pub static SECRETSMANAGER_SECRET: ResourceShape = ResourceShape {
    name: "AWS::SecretsManager::Secret",
    shapes: &[
        ("", &[("Description", ""), ("GenerateSecretString", "GenerateSecretString"), ("KmsKeyId", ""), ("Name", ""), ("ReplicaRegions", "ReplicaRegion"), ("SecretString", ""), ("Tags", "Tag"), ("Type", ""), ]),
        ("GenerateSecretString", &[("ExcludeCharacters", ""), ("ExcludeLowercase", ""), ("ExcludeNumbers", ""), ("ExcludePunctuation", ""), ("ExcludeUppercase", ""), ("GenerateStringKey", ""), ("IncludeSpace", ""), ("PasswordLength", ""), ("RequireEachIncludedType", ""), ("SecretStringTemplate", ""), ]),
        ("ReplicaRegion", &[("KmsKeyId", ""), ("Region", ""), ]),
        ("Tag", &[("Key", ""), ("Value", ""), ]),
    ],
    required: &[("ReplicaRegion", &["Region"]), ("Tag", &["Key", "Value"])],
    create_only: &["Name"],
    read_only: &["Id"],
    primary_id: &["Id"],
    tags: Some("Tags"),
};
