//! The VPC part of Amazon EC2.

pub mod api;
mod cidr;
mod errors;
mod interfaces;
mod kind;
mod state;
mod tags;
mod zones;

pub use interfaces::Interfaces;

use neargate_kernel::Service;

/// The service.
pub fn service() -> Service {
    Service {
        shape: &api::SERVICE,
        operations: vec![],
        resources: vec![],
        jobs: vec![],
        reports: vec![],
        records: |store| {
            store.register::<state::Vpc>();
            store.register::<state::Subnet>();
            store.register::<state::RouteTable>();
            store.register::<state::InternetGateway>();
            store.register::<state::Address>();
            store.register::<state::NatGateway>();
            store.register::<state::SecurityGroup>();
            store.register::<state::NetworkInterface>();
            store.register::<state::TagSet>();
        },
    }
}
