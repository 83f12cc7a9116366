//! The sizes that Fargate has.

/// CPU units, least and most memory, and the step between, in MiB.
const SIZES: [(i64, i64, i64, i64); 7] = [
    (256, 512, 2048, 1024),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
    (8192, 16_384, 61_440, 4096),
    (16_384, 32_768, 122_880, 8192),
];

/// The largest CPU size, whose memory follows no steps.
const LARGEST: (i64, [i64; 3]) = (32_768, [61_440, 122_880, 249_856]);

/// Whether Fargate has tasks of this size: CPU units (1024 are a vCPU) and memory in MiB.
#[must_use]
pub const fn is_fargate_size(cpu: i64, memory_mib: i64) -> bool {
    let (largest, [little, middle, much]) = LARGEST;
    if cpu == largest {
        return memory_mib == little || memory_mib == middle || memory_mib == much;
    }
    let mut rest: &[(i64, i64, i64, i64)] = &SIZES;
    while let [(units, least, most, step), tail @ ..] = rest {
        if *units == cpu {
            // The smallest size has half a step at its beginning: 512, 1024, 2048.
            return memory_mib >= *least && memory_mib <= *most && (memory_mib == *least || memory_mib % *step == 0);
        }
        rest = tail;
    }
    false
}

/// A size that Fargate has; one that it has not does not compile.
///
/// ```
/// use neargate_constructs::ecs::FargateSize;
///
/// const SIZE: FargateSize = FargateSize::of::<2048, 4096>();
/// assert_eq!((SIZE.cpu, SIZE.memory_limit_mib), (2048, 4096));
/// ```
///
/// ```compile_fail
/// use neargate_constructs::ecs::FargateSize;
///
/// let size = FargateSize::of::<256, 4096>();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FargateSize {
    /// CPU units: 1024 are a vCPU.
    pub cpu: i64,
    /// Memory in MiB.
    pub memory_limit_mib: i64,
}

impl FargateSize {
    /// The size, checked by the compiler.
    #[must_use]
    pub const fn of<const CPU: i64, const MEMORY_MIB: i64>() -> Self {
        const { assert!(is_fargate_size(CPU, MEMORY_MIB), "Fargate has no task of this CPU and memory") };
        Self { cpu: CPU, memory_limit_mib: MEMORY_MIB }
    }
}

/// The sizes nearest to one that Fargate has not: the memory nearest for that CPU, and the least CPU that goes with that memory.
#[must_use]
pub fn nearest_fargate_sizes(cpu: i64, memory_mib: i64) -> Vec<FargateSize> {
    let size = |cpu: i64, memory_limit_mib: i64| FargateSize { cpu, memory_limit_mib };
    let all = || {
        let steps = SIZES.iter().flat_map(move |(units, least, most, step)| {
            let rest = (1..)
                .map(move |n| n * step)
                .skip_while(move |memory| memory <= least)
                .take_while(move |memory| memory <= most);
            std::iter::once(*least).chain(rest).map(move |memory| size(*units, memory))
        });
        steps.chain(LARGEST.1.into_iter().map(move |memory| size(LARGEST.0, memory)))
    };
    let units = SIZES.iter().map(|(units, ..)| *units).chain([LARGEST.0]);
    let near_cpu = units.min_by_key(|units| (units - cpu).abs()).unwrap_or_default();
    let same_cpu =
        all().filter(|size| size.cpu == near_cpu).min_by_key(|size| (size.memory_limit_mib - memory_mib).abs());
    let enough = all()
        .filter(|size| size.memory_limit_mib >= memory_mib && size.cpu >= cpu)
        .min_by_key(|size| (size.memory_limit_mib, size.cpu));
    let mut found: Vec<FargateSize> = same_cpu.into_iter().chain(enough).collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::{SIZES, is_fargate_size, nearest_fargate_sizes};

    #[test]
    fn the_table_is_aws_s() {
        let expected: [(i64, &[i64]); 2] = [
            (256, &[512, 1024, 2048]),
            (8192, &[16_384, 20_480, 24_576, 28_672, 32_768, 36_864, 40_960, 45_056, 49_152, 53_248, 57_344, 61_440]),
        ];
        for (cpu, memories) in expected {
            let valid: Vec<i64> = (0..130_000).filter(|memory| is_fargate_size(cpu, *memory)).collect();
            assert_eq!(valid, memories);
        }
        let count = SIZES.map(|(cpu, ..)| (0..=122_880).filter(|memory| is_fargate_size(cpu, *memory)).count());
        assert_eq!(count, [3, 4, 7, 13, 23, 12, 12]);
        let largest: Vec<i64> = (0..260_000).filter(|memory| is_fargate_size(32_768, *memory)).collect();
        assert_eq!(largest, [61_440, 122_880, 249_856]);
        assert!(!is_fargate_size(0, 512) && !is_fargate_size(128, 512));
    }

    #[test]
    fn the_nearest_sizes_are_valid_and_near() {
        let check = |cpu, memory, expected: &[(i64, i64)]| {
            let found: Vec<_> =
                nearest_fargate_sizes(cpu, memory).iter().map(|size| (size.cpu, size.memory_limit_mib)).collect();
            assert_eq!(found, expected);
            assert!(found.iter().all(|(cpu, memory)| is_fargate_size(*cpu, *memory)));
        };
        check(256, 4096, &[(256, 2048), (512, 4096)]);
        check(256, 700, &[(256, 512), (256, 1024)]);
        check(300, 600, &[(256, 512), (512, 1024)]);
        check(4096, 512, &[(4096, 8192)]);
        check(16_384, 200_000, &[(16_384, 122_880), (32_768, 249_856)]);
        check(32_768, 999_999, &[(32_768, 249_856)]);
    }
}
