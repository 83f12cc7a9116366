//! The CPU and memory pairs that Fargate has.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html>.

/// Memory for one CPU size, in MiB: from, to, step.
struct Row {
    cpu_units: u32,
    memory_mib: (u32, u32, u32),
}

const ROWS: [Row; 7] = [
    Row { cpu_units: 256, memory_mib: (512, 2048, 512) },
    Row { cpu_units: 512, memory_mib: (1024, 4096, 1024) },
    Row { cpu_units: 1024, memory_mib: (2048, 8192, 1024) },
    Row { cpu_units: 2048, memory_mib: (4096, 16_384, 1024) },
    Row { cpu_units: 4096, memory_mib: (8192, 30_720, 1024) },
    Row { cpu_units: 8192, memory_mib: (16_384, 61_440, 4096) },
    Row { cpu_units: 16_384, memory_mib: (32_768, 122_880, 8192) },
];

/// The largest CPU size, whose memory follows no steps.
const LARGEST_CPU_UNITS: u32 = 32_768;
const LARGEST_MEMORY_MIB: [u32; 3] = [61_440, 122_880, 249_856];

/// Whether Fargate runs a task of this size.
pub(crate) fn is_size(cpu_units: u32, memory_mib: u32) -> bool {
    if cpu_units == LARGEST_CPU_UNITS {
        return LARGEST_MEMORY_MIB.contains(&memory_mib);
    }
    ROWS.iter().find(|row| row.cpu_units == cpu_units).is_some_and(|row| {
        let (from, to, step) = row.memory_mib;
        (from..=to).contains(&memory_mib)
            && (memory_mib - from).is_multiple_of(step)
            && (cpu_units, memory_mib) != (256, 1536)
    })
}

/// What would be valid near an invalid pair, for a hint.
pub(crate) fn nearest(cpu_units: u32, memory_mib: u32) -> String {
    match ROWS.iter().find(|row| row.cpu_units == cpu_units) {
        None if cpu_units == LARGEST_CPU_UNITS => "cpu 32768 goes with 61440, 122880 or 249856 MiB".to_owned(),
        None => "cpu must be one of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768".to_owned(),
        Some(Row { memory_mib: (from, to, step), .. }) => {
            let fits = ROWS.iter().find(|row| is_size(row.cpu_units, memory_mib)).map(|row| row.cpu_units);
            let other = fits.map_or(String::new(), |cpu| format!("; {memory_mib} MiB goes with cpu {cpu}"));
            match cpu_units {
                256 => format!("cpu 256 goes with 512, 1024 or 2048 MiB{other}"),
                _ => format!("cpu {cpu_units} goes with {from} to {to} MiB in steps of {step}{other}"),
            }
        }
    }
}

/// `"256"`, `".25 vCPU"` and `"1 vCPU"` alike, in CPU units.
pub(crate) fn parse_cpu(text: &str) -> Option<u32> {
    parse(text, "vcpu")
}

/// `"512"`, `"2GB"` and `"0.5 GB"` alike, in MiB.
pub(crate) fn parse_memory(text: &str) -> Option<u32> {
    parse(text, "gb")
}

fn parse(text: &str, unit: &str) -> Option<u32> {
    let lower = text.trim().to_ascii_lowercase();
    let Some(number) = lower.strip_suffix(unit) else { return lower.parse().ok() };
    let (whole, fraction) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
    let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let thousandths: u32 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    whole.checked_mul(1024)?.checked_add(thousandths * 1024 / 1000)
}

#[cfg(test)]
mod tests {
    use super::{ROWS, is_size, parse_cpu, parse_memory};

    #[test]
    fn exactly_the_documented_pairs_are_sizes() {
        let all: usize = ROWS
            .iter()
            .map(|row| (0..=130_000).step_by(256).filter(|memory| is_size(row.cpu_units, *memory)).count())
            .sum();
        assert_eq!(all, 3 + 4 + 7 + 13 + 23 + 12 + 12);
        assert!(is_size(256, 512) && is_size(2048, 4096) && is_size(16_384, 122_880));
        assert!(is_size(32_768, 61_440) && is_size(32_768, 122_880) && is_size(32_768, 249_856));
        assert!(!is_size(32_768, 65_536) && !is_size(32_768, 131_072));
        assert!(!is_size(256, 1536) && !is_size(256, 4096) && !is_size(300, 512) && !is_size(8192, 17_408));
    }

    #[test]
    fn units_are_understood() {
        for (text, units) in [("256", 256), (".25 vCPU", 256), ("1 vCPU", 1024), ("0.5vcpu", 512), ("16 VCPU", 16_384)]
        {
            assert_eq!(parse_cpu(text), Some(units), "{text}");
        }
        for (text, mib) in [("512", 512), ("2GB", 2048), ("0.5 GB", 512), ("30 gb", 30_720)] {
            assert_eq!(parse_memory(text), Some(mib), "{text}");
        }
        assert_eq!(parse_cpu("many"), None);
        assert_eq!(parse_memory("-1"), None);
    }
}
