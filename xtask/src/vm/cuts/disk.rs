//! A disk with a volatile cache: what was written and not flushed may be lost, in part, when the power is cut.
//!
//! Writes wait in the order in which they came until a flush takes all of them to the medium, which is a file. A cut
//! draws for each waiting write whether it had reached the medium, whole, in some of its sectors, or not at all.
//!
//! Invariant: what was written before a flush that was answered is on the medium, unless the disk lies.
//!
//! Invariant: the cache is bounded; what is more goes to the medium early, as disks do.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The unit that is written whole or not at all.
pub(super) const SECTOR: u64 = 512;
const CACHE_BYTES_MAX: usize = 64 << 20;

/// Random numbers that a seed repeats.
#[derive(Clone, Debug)]
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next of 2⁶⁴ numbers (SplitMix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

/// What became of writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) writes: u64,
    pub(super) flushes: u64,
    /// Of the writes that waited when the power was cut.
    pub(super) kept: u64,
    pub(super) torn: u64,
    pub(super) lost: u64,
}

#[derive(Debug)]
struct Write {
    offset: u64,
    data: Vec<u8>,
}

/// A disk.
#[derive(Debug)]
pub(super) struct Disk {
    medium: File,
    bytes: u64,
    waiting: VecDeque<Write>,
    waiting_bytes: usize,
    /// The newest content of each sector that waits.
    newest: HashMap<u64, [u8; SECTOR as usize]>,
    lies: bool,
    /// After so many further writes the power goes.
    writes_left: Option<u64>,
    pub(super) counts: Counts,
}

impl Disk {
    /// A disk whose medium is that file. One that lies answers a flush without doing it.
    pub(super) fn new(medium: File, lies: bool) -> io::Result<Self> {
        let bytes = medium.metadata()?.len();
        let (waiting, newest, counts) = (VecDeque::new(), HashMap::new(), Counts::default());
        Ok(Self { medium, bytes, waiting, waiting_bytes: 0, newest, lies, writes_left: None, counts })
    }

    /// The power goes with the so-many-th write from now on, while that one waits.
    pub(super) fn lose_power_after(&mut self, writes: u64) {
        self.writes_left = Some(writes);
    }

    /// Whether the power is gone: nothing is answered any more.
    pub(super) fn is_dead(&self) -> bool {
        self.writes_left == Some(0)
    }

    /// Its size in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads whole sectors, as they were written last.
    pub(super) fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.check(offset, length)?;
        let mut data = vec![0; length];
        self.medium.read_exact_at(&mut data, offset)?;
        for (number, sector) in (offset / SECTOR..).zip(data.chunks_mut(SECTOR as usize)) {
            if let Some(newest) = self.newest.get(&number) {
                sector.copy_from_slice(newest);
            }
        }
        Ok(data)
    }

    /// Takes whole sectors into the cache.
    pub(super) fn write(&mut self, offset: u64, data: Vec<u8>) -> io::Result<()> {
        self.check(offset, data.len())?;
        for (number, sector) in (offset / SECTOR..).zip(data.chunks(SECTOR as usize)) {
            self.newest.insert(number, sector.try_into().map_err(|_| io::ErrorKind::InvalidInput)?);
        }
        self.counts.writes += 1;
        self.waiting_bytes += data.len();
        self.waiting.push_back(Write { offset, data });
        self.writes_left = self.writes_left.map(|left| left.saturating_sub(1));
        if self.waiting_bytes > CACHE_BYTES_MAX { self.destage() } else { Ok(()) }
    }

    /// Takes what waits to the medium.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.counts.flushes += 1;
        if self.lies { Ok(()) } else { self.destage() }
    }

    /// What a cut of the power leaves, ready for the next boot. `kept_percent` of the waiting writes had reached the medium, a quarter of the others in part.
    pub(super) fn cut(&mut self, draw: &mut Draw, kept_percent: u64) -> io::Result<()> {
        for write in std::mem::take(&mut self.waiting) {
            if draw.below(100) < kept_percent {
                self.medium.write_all_at(&write.data, write.offset)?;
                self.counts.kept += 1;
            } else if kept_percent > 0 && write.data.len() > SECTOR as usize && draw.below(4) == 0 {
                for (offset, sector) in
                    (write.offset..).step_by(SECTOR as usize).zip(write.data.chunks(SECTOR as usize))
                {
                    if draw.below(2) == 0 {
                        self.medium.write_all_at(sector, offset)?;
                    }
                }
                self.counts.torn += 1;
            } else {
                self.counts.lost += 1;
            }
        }
        self.newest.clear();
        self.waiting_bytes = 0;
        self.writes_left = None;
        Ok(())
    }

    fn destage(&mut self) -> io::Result<()> {
        for write in std::mem::take(&mut self.waiting) {
            self.medium.write_all_at(&write.data, write.offset)?;
        }
        self.newest.clear();
        self.waiting_bytes = 0;
        Ok(())
    }

    fn check(&self, offset: u64, length: usize) -> io::Result<()> {
        let is_whole = offset.is_multiple_of(SECTOR) && length.is_multiple_of(SECTOR as usize);
        let is_within = offset.checked_add(length as u64).is_some_and(|end| end <= self.bytes);
        if is_whole && is_within { Ok(()) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTORS: u64 = 64;

    fn disk(lies: bool) -> Disk {
        let file = tempfile::tempfile().unwrap();
        file.set_len(SECTORS * SECTOR).unwrap();
        Disk::new(file, lies).unwrap()
    }

    fn sector(disk: &Disk, number: u64) -> u8 {
        let data = disk.read(number * SECTOR, SECTOR as usize).unwrap();
        assert!(data.iter().all(|byte| *byte == data[0]), "half a sector");
        data[0]
    }

    fn put(disk: &mut Disk, first: u64, sectors: usize, value: u8) {
        disk.write(first * SECTOR, vec![value; sectors * SECTOR as usize]).unwrap();
    }

    #[test]
    fn what_was_flushed_outlives_every_cut() {
        for (seed, kept) in (0..50).zip([0, 10, 50, 90, 100].into_iter().cycle()) {
            let mut disk = disk(false);
            put(&mut disk, 0, 8, 1);
            disk.flush().unwrap();
            put(&mut disk, 8, 8, 2);
            put(&mut disk, 0, 1, 3);
            assert_eq!((sector(&disk, 0), sector(&disk, 1), sector(&disk, 8)), (3, 1, 2));
            disk.cut(&mut Draw::new(seed), kept).unwrap();
            assert!([1, 3].contains(&sector(&disk, 0)), "sector 0 holds what was never there");
            assert!((1..8).all(|number| sector(&disk, number) == 1), "a flushed sector is lost");
            assert!((8..16).all(|number| [0, 2].contains(&sector(&disk, number))));
            assert_eq!(disk.counts.kept + disk.counts.torn + disk.counts.lost, 2);
        }
    }

    #[test]
    fn a_cut_keeps_tears_and_loses_what_waits() {
        let mut total = Counts::default();
        for seed in 0..50 {
            let mut disk = disk(false);
            (0..8_u8).for_each(|number| put(&mut disk, u64::from(number) * 8, 8, number + 1));
            disk.cut(&mut Draw::new(seed), 50).unwrap();
            let is_whole =
                |number: u64| (1..8).all(|more| sector(&disk, number * 8) == sector(&disk, number * 8 + more));
            let torn = (0..8).filter(|number| !is_whole(*number)).count() as u64;
            // All sectors of a torn write, or none, may be there.
            assert!(torn <= disk.counts.torn);
            total.kept += disk.counts.kept;
            total.torn += disk.counts.torn;
            total.lost += disk.counts.lost;
        }
        assert!(total.kept > 100 && total.torn > 20 && total.lost > 50, "{total:?}");
    }

    #[test]
    fn the_power_goes_while_a_write_waits() {
        let mut disk = disk(false);
        disk.lose_power_after(2);
        put(&mut disk, 0, 1, 1);
        disk.flush().unwrap();
        assert!(!disk.is_dead());
        put(&mut disk, 1, 1, 2);
        assert!(disk.is_dead());
        disk.cut(&mut Draw::new(1), 0).unwrap();
        assert!(!disk.is_dead());
        assert_eq!((sector(&disk, 0), sector(&disk, 1)), (1, 0));
    }

    #[test]
    fn a_lying_disk_loses_what_it_said_to_have_flushed() {
        let mut disk = disk(true);
        put(&mut disk, 0, 8, 1);
        disk.flush().unwrap();
        assert_eq!(sector(&disk, 0), 1);
        disk.cut(&mut Draw::new(1), 0).unwrap();
        assert_eq!(sector(&disk, 0), 0);
    }

    #[test]
    fn writes_are_whole_sectors_within_the_disk() {
        let mut disk = disk(false);
        for (offset, length) in [(1, 512), (0, 100), (SECTORS * SECTOR, 512), (u64::MAX - 511, 512)] {
            assert!(disk.write(offset, vec![0; length]).is_err(), "{offset} {length}");
            assert!(disk.read(offset, length).is_err(), "{offset} {length}");
        }
    }
}
