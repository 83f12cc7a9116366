//! Tests of the image store as a whole, on real directories.

mod archives;
mod builds;
mod hostile;
mod imports;
mod layers;
mod make;
mod memory;
mod references;
mod stores;
