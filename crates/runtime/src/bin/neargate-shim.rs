//! The shim alone, for tests and measurements; the product's command contains it.

#[cfg(target_os = "linux")]
fn main() {
    std::process::exit(neargate_runtime::shim_entry().unwrap_or(2));
}

#[cfg(not(target_os = "linux"))]
fn main() {
    std::process::exit(2);
}
