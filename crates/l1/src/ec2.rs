//! `AWS::EC2` resources.
//!
//! Invariant: written by `cargo xtask codegen l1` from cfn-lint 1.58.0; edit the generator, not this file.

use crate::Value;

crate::resource! {
    Eip "AWS::EC2::EIP" {
        address "Address" Value<String>,
        domain "Domain" Value<String>,
        instance_id "InstanceId" Value<String>,
        ipam_pool_id "IpamPoolId" Value<String>,
        network_border_group "NetworkBorderGroup" Value<String>,
        public_ipv4_pool "PublicIpv4Pool" Value<String>,
        tags "Tags" Value<Vec<Value<eip::Tag>>>,
        transfer_address "TransferAddress" Value<String>,
    }
    required []
    attributes ["PublicIp", "AllocationId"]
    tags List
}

/// Property types of [`Eip`].
pub mod eip {
    use crate::Value;

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }
}

crate::resource! {
    InternetGateway "AWS::EC2::InternetGateway" {
        tags "Tags" Value<Vec<Value<internet_gateway::Tag>>>,
    }
    required []
    attributes ["InternetGatewayId"]
    tags List
}

/// Property types of [`InternetGateway`].
pub mod internet_gateway {
    use crate::Value;

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }
}

crate::resource! {
    NatGateway "AWS::EC2::NatGateway" {
        allocation_id "AllocationId" Value<String>,
        availability_mode "AvailabilityMode" Value<String>,
        availability_zone_addresses "AvailabilityZoneAddresses" Value<Vec<Value<nat_gateway::AvailabilityZoneAddress>>>,
        connectivity_type "ConnectivityType" Value<String>,
        max_drain_duration_seconds "MaxDrainDurationSeconds" Value<i64>,
        private_ip_address "PrivateIpAddress" Value<String>,
        secondary_allocation_ids "SecondaryAllocationIds" Value<Vec<Value<String>>>,
        secondary_private_ip_address_count "SecondaryPrivateIpAddressCount" Value<i64>,
        secondary_private_ip_addresses "SecondaryPrivateIpAddresses" Value<Vec<Value<String>>>,
        subnet_id "SubnetId" Value<String>,
        tags "Tags" Value<Vec<Value<nat_gateway::Tag>>>,
        vpc_id "VpcId" Value<String>,
    }
    required []
    attributes ["NatGatewayId", "EniId", "AutoProvisionZones", "AutoScalingIps", "RouteTableId"]
    tags List
}

/// Property types of [`NatGateway`].
pub mod nat_gateway {
    use crate::Value;

    crate::shape! {
        AvailabilityZoneAddress {
            allocation_ids "AllocationIds" Value<Vec<Value<String>>>,
            availability_zone "AvailabilityZone" Value<String>,
            availability_zone_id "AvailabilityZoneId" Value<String>,
        }
        required ["AllocationIds"]
    }

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }
}

crate::resource! {
    Route "AWS::EC2::Route" {
        carrier_gateway_id "CarrierGatewayId" Value<String>,
        core_network_arn "CoreNetworkArn" Value<String>,
        destination_cidr_block "DestinationCidrBlock" Value<String>,
        destination_ipv6_cidr_block "DestinationIpv6CidrBlock" Value<String>,
        destination_prefix_list_id "DestinationPrefixListId" Value<String>,
        egress_only_internet_gateway_id "EgressOnlyInternetGatewayId" Value<String>,
        gateway_id "GatewayId" Value<String>,
        instance_id "InstanceId" Value<String>,
        local_gateway_id "LocalGatewayId" Value<String>,
        nat_gateway_id "NatGatewayId" Value<String>,
        network_interface_id "NetworkInterfaceId" Value<String>,
        odb_network_arn "OdbNetworkArn" Value<String>,
        route_table_id "RouteTableId" Value<String>,
        transit_gateway_id "TransitGatewayId" Value<String>,
        vpc_endpoint_id "VpcEndpointId" Value<String>,
        vpc_peering_connection_id "VpcPeeringConnectionId" Value<String>,
    }
    required ["RouteTableId"]
    attributes ["CidrBlock"]
    tags None
}

crate::resource! {
    RouteTable "AWS::EC2::RouteTable" {
        tags "Tags" Value<Vec<Value<route_table::Tag>>>,
        vpc_id "VpcId" Value<String>,
    }
    required ["VpcId"]
    attributes ["RouteTableId"]
    tags List
}

/// Property types of [`RouteTable`].
pub mod route_table {
    use crate::Value;

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }
}

crate::resource! {
    SecurityGroup "AWS::EC2::SecurityGroup" {
        group_description "GroupDescription" Value<String>,
        group_name "GroupName" Value<String>,
        security_group_egress "SecurityGroupEgress" Value<Vec<Value<security_group::Egress>>>,
        security_group_ingress "SecurityGroupIngress" Value<Vec<Value<security_group::Ingress>>>,
        tags "Tags" Value<Vec<Value<security_group::Tag>>>,
        vpc_id "VpcId" Value<String>,
    }
    required ["GroupDescription"]
    attributes ["Id", "GroupId"]
    tags List
}

/// Property types of [`SecurityGroup`].
pub mod security_group {
    use crate::Value;

    crate::shape! {
        Egress {
            cidr_ip "CidrIp" Value<String>,
            cidr_ipv6 "CidrIpv6" Value<String>,
            description "Description" Value<String>,
            destination_prefix_list_id "DestinationPrefixListId" Value<String>,
            destination_security_group_id "DestinationSecurityGroupId" Value<String>,
            from_port "FromPort" Value<i64>,
            ip_protocol "IpProtocol" Value<String>,
            to_port "ToPort" Value<i64>,
        }
        required ["IpProtocol"]
    }

    crate::shape! {
        Ingress {
            cidr_ip "CidrIp" Value<String>,
            cidr_ipv6 "CidrIpv6" Value<String>,
            description "Description" Value<String>,
            from_port "FromPort" Value<i64>,
            ip_protocol "IpProtocol" Value<String>,
            source_prefix_list_id "SourcePrefixListId" Value<String>,
            source_security_group_id "SourceSecurityGroupId" Value<String>,
            source_security_group_name "SourceSecurityGroupName" Value<String>,
            source_security_group_owner_id "SourceSecurityGroupOwnerId" Value<String>,
            to_port "ToPort" Value<i64>,
        }
        required ["IpProtocol"]
    }

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }
}

crate::resource! {
    SecurityGroupEgress "AWS::EC2::SecurityGroupEgress" {
        cidr_ip "CidrIp" Value<String>,
        cidr_ipv6 "CidrIpv6" Value<String>,
        description "Description" Value<String>,
        destination_prefix_list_id "DestinationPrefixListId" Value<String>,
        destination_security_group_id "DestinationSecurityGroupId" Value<String>,
        from_port "FromPort" Value<i64>,
        group_id "GroupId" Value<String>,
        ip_protocol "IpProtocol" Value<String>,
        to_port "ToPort" Value<i64>,
    }
    required ["GroupId", "IpProtocol"]
    attributes ["Id"]
    tags None
}

crate::resource! {
    SecurityGroupIngress "AWS::EC2::SecurityGroupIngress" {
        cidr_ip "CidrIp" Value<String>,
        cidr_ipv6 "CidrIpv6" Value<String>,
        description "Description" Value<String>,
        from_port "FromPort" Value<i64>,
        group_id "GroupId" Value<String>,
        group_name "GroupName" Value<String>,
        ip_protocol "IpProtocol" Value<String>,
        source_prefix_list_id "SourcePrefixListId" Value<String>,
        source_security_group_id "SourceSecurityGroupId" Value<String>,
        source_security_group_name "SourceSecurityGroupName" Value<String>,
        source_security_group_owner_id "SourceSecurityGroupOwnerId" Value<String>,
        to_port "ToPort" Value<i64>,
    }
    required ["IpProtocol"]
    attributes ["Id"]
    tags None
}

crate::resource! {
    Subnet "AWS::EC2::Subnet" {
        assign_ipv6_address_on_creation "AssignIpv6AddressOnCreation" Value<bool>,
        availability_zone "AvailabilityZone" Value<String>,
        availability_zone_id "AvailabilityZoneId" Value<String>,
        cidr_block "CidrBlock" Value<String>,
        enable_dns64 "EnableDns64" Value<bool>,
        enable_lni_at_device_index "EnableLniAtDeviceIndex" Value<i64>,
        ipv4_ipam_pool_id "Ipv4IpamPoolId" Value<String>,
        ipv4_netmask_length "Ipv4NetmaskLength" Value<i64>,
        ipv6_cidr_block "Ipv6CidrBlock" Value<String>,
        ipv6_ipam_pool_id "Ipv6IpamPoolId" Value<String>,
        ipv6_native "Ipv6Native" Value<bool>,
        ipv6_netmask_length "Ipv6NetmaskLength" Value<i64>,
        map_public_ip_on_launch "MapPublicIpOnLaunch" Value<bool>,
        outpost_arn "OutpostArn" Value<String>,
        private_dns_name_options_on_launch "PrivateDnsNameOptionsOnLaunch" Value<subnet::PrivateDnsNameOptionsOnLaunch>,
        tags "Tags" Value<Vec<Value<subnet::Tag>>>,
        vpc_id "VpcId" Value<String>,
    }
    required ["VpcId"]
    attributes ["NetworkAclAssociationId", "SubnetId", "Ipv6CidrBlocks", "BlockPublicAccessStates"]
    tags List
}

/// Property types of [`Subnet`].
pub mod subnet {
    use crate::Value;

    crate::shape! {
        PrivateDnsNameOptionsOnLaunch {
            enable_resource_name_dns_aaaa_record "EnableResourceNameDnsAAAARecord" Value<bool>,
            enable_resource_name_dns_a_record "EnableResourceNameDnsARecord" Value<bool>,
            hostname_type "HostnameType" Value<String>,
        }
        required []
    }

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }
}

crate::resource! {
    SubnetRouteTableAssociation "AWS::EC2::SubnetRouteTableAssociation" {
        route_table_id "RouteTableId" Value<String>,
        subnet_id "SubnetId" Value<String>,
    }
    required ["RouteTableId", "SubnetId"]
    attributes ["Id"]
    tags None
}

crate::resource! {
    Vpc "AWS::EC2::VPC" {
        cidr_block "CidrBlock" Value<String>,
        enable_dns_hostnames "EnableDnsHostnames" Value<bool>,
        enable_dns_support "EnableDnsSupport" Value<bool>,
        instance_tenancy "InstanceTenancy" Value<String>,
        ipv4_ipam_pool_id "Ipv4IpamPoolId" Value<String>,
        ipv4_netmask_length "Ipv4NetmaskLength" Value<i64>,
        tags "Tags" Value<Vec<Value<vpc::Tag>>>,
        vpc_encryption_control "VpcEncryptionControl" Value<vpc::VpcEncryptionControl>,
    }
    required []
    attributes ["CidrBlockAssociations", "DefaultNetworkAcl", "DefaultSecurityGroup", "Ipv6CidrBlocks", "VpcId", "VpcEncryptionControl.VpcId", "VpcEncryptionControl.VpcEncryptionControlId", "VpcEncryptionControl.State", "VpcEncryptionControl.StateMessage", "VpcEncryptionControl.ResourceExclusions", "VpcEncryptionControl.ResourceExclusions.InternetGateway", "VpcEncryptionControl.ResourceExclusions.InternetGateway.State", "VpcEncryptionControl.ResourceExclusions.InternetGateway.StateMessage", "VpcEncryptionControl.ResourceExclusions.EgressOnlyInternetGateway", "VpcEncryptionControl.ResourceExclusions.EgressOnlyInternetGateway.State", "VpcEncryptionControl.ResourceExclusions.EgressOnlyInternetGateway.StateMessage", "VpcEncryptionControl.ResourceExclusions.NatGateway", "VpcEncryptionControl.ResourceExclusions.NatGateway.State", "VpcEncryptionControl.ResourceExclusions.NatGateway.StateMessage", "VpcEncryptionControl.ResourceExclusions.VirtualPrivateGateway", "VpcEncryptionControl.ResourceExclusions.VirtualPrivateGateway.State", "VpcEncryptionControl.ResourceExclusions.VirtualPrivateGateway.StateMessage", "VpcEncryptionControl.ResourceExclusions.VpcPeering", "VpcEncryptionControl.ResourceExclusions.VpcPeering.State", "VpcEncryptionControl.ResourceExclusions.VpcPeering.StateMessage", "VpcEncryptionControl.ResourceExclusions.Lambda", "VpcEncryptionControl.ResourceExclusions.Lambda.State", "VpcEncryptionControl.ResourceExclusions.Lambda.StateMessage", "VpcEncryptionControl.ResourceExclusions.VpcLattice", "VpcEncryptionControl.ResourceExclusions.VpcLattice.State", "VpcEncryptionControl.ResourceExclusions.VpcLattice.StateMessage", "VpcEncryptionControl.ResourceExclusions.ElasticFileSystem", "VpcEncryptionControl.ResourceExclusions.ElasticFileSystem.State", "VpcEncryptionControl.ResourceExclusions.ElasticFileSystem.StateMessage"]
    tags List
}

/// Property types of [`Vpc`].
pub mod vpc {
    use crate::Value;

    crate::shape! {
        Tag {
            key "Key" Value<String>,
            value "Value" Value<String>,
        }
        required ["Key", "Value"]
    }

    crate::shape! {
        VpcEncryptionControl {
            egress_only_internet_gateway_exclusion "EgressOnlyInternetGatewayExclusion" Value<String>,
            elastic_file_system_exclusion "ElasticFileSystemExclusion" Value<String>,
            internet_gateway_exclusion "InternetGatewayExclusion" Value<String>,
            lambda_exclusion "LambdaExclusion" Value<String>,
            mode "Mode" Value<String>,
            nat_gateway_exclusion "NatGatewayExclusion" Value<String>,
            resource_exclusions "ResourceExclusions" Value<VpcEncryptionControlExclusions>,
            state "State" Value<String>,
            state_message "StateMessage" Value<String>,
            virtual_private_gateway_exclusion "VirtualPrivateGatewayExclusion" Value<String>,
            vpc_encryption_control_id "VpcEncryptionControlId" Value<String>,
            vpc_id "VpcId" Value<String>,
            vpc_lattice_exclusion "VpcLatticeExclusion" Value<String>,
            vpc_peering_exclusion "VpcPeeringExclusion" Value<String>,
        }
        required []
    }

    crate::shape! {
        VpcEncryptionControlExclusion {
            state "State" Value<String>,
            state_message "StateMessage" Value<String>,
        }
        required []
    }

    crate::shape! {
        VpcEncryptionControlExclusions {
            egress_only_internet_gateway "EgressOnlyInternetGateway" Value<VpcEncryptionControlExclusion>,
            elastic_file_system "ElasticFileSystem" Value<VpcEncryptionControlExclusion>,
            internet_gateway "InternetGateway" Value<VpcEncryptionControlExclusion>,
            lambda "Lambda" Value<VpcEncryptionControlExclusion>,
            nat_gateway "NatGateway" Value<VpcEncryptionControlExclusion>,
            virtual_private_gateway "VirtualPrivateGateway" Value<VpcEncryptionControlExclusion>,
            vpc_lattice "VpcLattice" Value<VpcEncryptionControlExclusion>,
            vpc_peering "VpcPeering" Value<VpcEncryptionControlExclusion>,
        }
        required []
    }
}

crate::resource! {
    VpcGatewayAttachment "AWS::EC2::VPCGatewayAttachment" {
        internet_gateway_id "InternetGatewayId" Value<String>,
        vpc_id "VpcId" Value<String>,
        vpn_gateway_id "VpnGatewayId" Value<String>,
    }
    required ["VpcId"]
    attributes ["AttachmentType"]
    tags None
}
