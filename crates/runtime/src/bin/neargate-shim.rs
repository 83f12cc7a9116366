//! The shim alone, for tests and measurements; the product's command contains it.

fn main() {
    std::process::exit(neargate_runtime::shim_entry().unwrap_or(2));
}
