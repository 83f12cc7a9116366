//! Amazon ECR, as far as pulling needs it.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECR/latest/userguide/>.

mod repository;

pub use repository::Repository;
