//! Names that come twice in one object: which values they leave behind.
//!
//! Invariant: the whole event is read, one heap entry for each open object or array and each of its names.

use std::collections::HashMap;

use crate::error::EventError;
use crate::scan::{Broken, Scan, unescape};

/// Finds where the values lie whose name comes again later in the same object, in rising order.
pub(crate) fn superseded(event: &[u8], out: &mut Vec<usize>) -> Result<(), EventError> {
    let mut scan = Scan::new(event);
    let mut open: Vec<Option<HashMap<Vec<u8>, usize>>> = Vec::new();
    loop {
        let Some(byte) = scan.token() else { return Err(EventError::Malformed(scan.pos)) };
        let broken = |scan: &Scan<'_>| EventError::Malformed(scan.pos);
        match byte {
            b'{' | b'[' => {
                open.push((byte == b'{').then(HashMap::new));
                scan.pos += 1;
            }
            b'}' | b']' => {
                open.pop();
                scan.pos += 1;
            }
            b',' => scan.pos += 1,
            _ => scan.skip_value().map_err(|Broken| broken(&scan))?,
        }
        if open.is_empty() {
            out.sort_unstable();
            return Ok(());
        }
        if matches!(byte, b'{' | b',')
            && let Some(Some(names)) = open.last_mut()
            && scan.token() == Some(b'"')
        {
            let (raw, _) = scan.string().map_err(|Broken| broken(&scan))?;
            let mut name = Vec::new();
            unescape(raw, &mut name).map_err(|_| broken(&scan))?;
            if scan.token() != Some(b':') {
                return Err(broken(&scan));
            }
            scan.pos += 1;
            scan.token();
            out.extend(names.insert(name, scan.pos));
        }
    }
}
