//! Internet gateways: recorded; no route leads outside.

use neargate_kernel::{Accesses, Cx, Fault, Operation};
use neargate_shape::OperationShape;

use super::{anything, creates, on, real};
use crate::api;
use crate::default_vpc;
use crate::errors::Ec2Error;
use crate::kind::Kind;
use crate::list::{Field, Listed, Query, each, list, text};
use crate::state::{InternetGateway, NetworkInterface, Vpc, forget, known};
use crate::tags;

/// `CreateInternetGateway` makes a gateway that is not attached.
pub(crate) struct CreateInternetGateway;

impl Operation for CreateInternetGateway {
    const SHAPE: &'static OperationShape = &api::CREATE_INTERNET_GATEWAY;
    type Input = api::CreateInternetGatewayInput;
    type Output = api::CreateInternetGatewayOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        creates(cx, "CreateInternetGateway", Kind::InternetGateway, input.tag_specifications.as_ref(), None)
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let id = Kind::InternetGateway.id(cx);
        cx.put(&id, InternetGateway::default());
        tags::specify(cx, Kind::InternetGateway, &id, input.tag_specifications.as_ref())?;
        let internet_gateway = Some(view(cx, &id, &InternetGateway::default()));
        Ok(api::CreateInternetGatewayOutput { internet_gateway })
    }
}

/// `DeleteInternetGateway` takes a gateway away that is not attached.
pub(crate) struct DeleteInternetGateway;

impl Operation for DeleteInternetGateway {
    const SHAPE: &'static OperationShape = &api::DELETE_INTERNET_GATEWAY;
    type Input = api::DeleteInternetGatewayInput;
    type Output = api::DeleteInternetGatewayOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        on(cx, "DeleteInternetGateway", Kind::InternetGateway, &input.internet_gateway_id).into()
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let id = input.internet_gateway_id;
        if known::<InternetGateway>(cx, &id)?.vpc.is_some() {
            let text = format!("The internetGateway '{id}' has dependencies and cannot be deleted.");
            return Err(Ec2Error::Dependency(text).into());
        }
        forget::<InternetGateway>(cx, &id);
        Ok(api::DeleteInternetGatewayOutput::default())
    }
}

/// `AttachInternetGateway` attaches a gateway to a VPC that has none.
pub(crate) struct AttachInternetGateway;

impl Operation for AttachInternetGateway {
    const SHAPE: &'static OperationShape = &api::ATTACH_INTERNET_GATEWAY;
    type Input = api::AttachInternetGatewayInput;
    type Output = api::AttachInternetGatewayOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let action = "AttachInternetGateway";
        Accesses::new(on(cx, action, Kind::InternetGateway, &input.internet_gateway_id)).and([on(
            cx,
            action,
            Kind::Vpc,
            &input.vpc_id,
        )])
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let (id, vpc) = (input.internet_gateway_id, input.vpc_id);
        let gateway = known::<InternetGateway>(cx, &id)?;
        known::<Vpc>(cx, &vpc)?;
        if let Some(attached) = gateway.vpc {
            let text = format!("resource {id} is already attached to network {attached}");
            return Err(Ec2Error::AlreadyAssociated(text).into());
        }
        if cx.scan::<InternetGateway>("").any(|(_, other)| other.vpc.as_ref() == Some(&vpc)) {
            let text = format!("Network {vpc} already has an internet gateway attached");
            return Err(Ec2Error::InvalidValue(text).into());
        }
        cx.put(&id, InternetGateway { vpc: Some(vpc) });
        cx.not_simulated("ec2:AttachInternetGateway", "recorded; no route leads outside yet");
        Ok(api::AttachInternetGatewayOutput::default())
    }
}

/// `DetachInternetGateway` detaches a gateway from a VPC without public addresses.
pub(crate) struct DetachInternetGateway;

impl Operation for DetachInternetGateway {
    const SHAPE: &'static OperationShape = &api::DETACH_INTERNET_GATEWAY;
    type Input = api::DetachInternetGatewayInput;
    type Output = api::DetachInternetGatewayOutput;

    fn access(cx: &Cx<'_>, input: &Self::Input) -> Accesses {
        let action = "DetachInternetGateway";
        Accesses::new(on(cx, action, Kind::InternetGateway, &input.internet_gateway_id)).and([on(
            cx,
            action,
            Kind::Vpc,
            &input.vpc_id,
        )])
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        let (id, vpc) = (input.internet_gateway_id, input.vpc_id);
        if known::<InternetGateway>(cx, &id)?.vpc.as_ref() != Some(&vpc) {
            return Err(Ec2Error::NotAttached { gateway: id, vpc }.into());
        }
        if cx.scan::<NetworkInterface>("").any(|(_, it)| it.vpc == vpc && it.public_ip.is_some()) {
            let text = format!(
                "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching \
                 the gateway."
            );
            return Err(Ec2Error::Dependency(text).into());
        }
        cx.put(&id, InternetGateway { vpc: None });
        Ok(api::DetachInternetGatewayOutput::default())
    }
}

/// `DescribeInternetGateways` lists internet gateways.
pub(crate) struct DescribeInternetGateways;

impl Operation for DescribeInternetGateways {
    const SHAPE: &'static OperationShape = &api::DESCRIBE_INTERNET_GATEWAYS;
    type Input = api::DescribeInternetGatewaysInput;
    type Output = api::DescribeInternetGatewaysOutput;

    fn access(_: &Cx<'_>, _: &Self::Input) -> Accesses {
        anything("DescribeInternetGateways")
    }

    fn apply(cx: &mut Cx<'_>, input: Self::Input) -> Result<Self::Output, Fault> {
        real(input.dry_run)?;
        default_vpc::ensure(cx);
        let (max_results, next_token) = (input.max_results, input.next_token);
        let query = Query { ids: input.internet_gateway_ids, filters: input.filters, max_results, next_token };
        let all = cx.scan::<InternetGateway>("").map(|(id, gateway)| view(cx, id, gateway)).collect();
        let (gateways, next_token) = list(all, query)?;
        Ok(api::DescribeInternetGatewaysOutput { internet_gateways: Some(gateways), next_token })
    }
}

impl Listed for api::InternetGateway {
    const FIELDS: &'static [Field<Self>] = &[
        ("attachment.state", |it| each(&it.attachments, |a| a.state.clone())),
        ("attachment.vpc-id", |it| each(&it.attachments, |a| a.vpc_id.clone())),
        ("internet-gateway-id", |it| text(&it.internet_gateway_id)),
        ("owner-id", |it| text(&it.owner_id)),
    ];

    fn id(&self) -> &str {
        self.internet_gateway_id.as_deref().unwrap_or_default()
    }

    fn tags(&self) -> &[api::Tag] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn missing(id: &str) -> Ec2Error {
        Kind::InternetGateway.missing(id)
    }
}

fn view(cx: &Cx<'_>, id: &str, gateway: &InternetGateway) -> api::InternetGateway {
    // EC2 says `available` here, which its own model does not list.
    let attached = |vpc: &String| api::InternetGatewayAttachment {
        state: Some("available".to_owned()),
        vpc_id: Some(vpc.clone()),
    };
    api::InternetGateway {
        attachments: Some(gateway.vpc.iter().map(attached).collect()),
        internet_gateway_id: Some(id.to_owned()),
        owner_id: Some(cx.scope.account.to_string()),
        tags: tags::view(cx, id),
    }
}
