//! Spools: what is written comes back, and nothing else.

use super::*;
use crate::secret::SpoolKey;
use crate::spec::TaskId;

fn seal(key: u8, task: char, index: usize) -> FrameSeal {
    let task = TaskId::parse(&task.to_string().repeat(32)).unwrap();
    FrameSeal::new(&SpoolKey::new([key; 32]), &task, index).unwrap()
}

fn ours() -> FrameSeal {
    seal(1, 'a', 0)
}

fn written(chunks: &[&[u8]]) -> (tempfile::TempDir, SpoolReader, u64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    let mut writer = SpoolWriter::open(&path, ours()).unwrap();
    let mut splitter = LineSplitter::default();
    for chunk in chunks {
        splitter.feed(Stream::Stdout, Timestamp(5), chunk, &mut writer);
    }
    splitter.finish(Stream::Stdout, Timestamp(6), &mut writer);
    writer.flush().unwrap();
    let end = writer.end();
    (dir, SpoolReader::open(&path, 0, ours()).unwrap(), end)
}

/// All lines up to the end, or what is wrong.
fn read_all(path: &Path, end: u64, seal: FrameSeal) -> io::Result<OutputLines> {
    let mut reader = SpoolReader::open(path, 0, seal)?;
    let mut lines = OutputLines::default();
    while reader.offset() < end {
        reader.read(end)?.iter().for_each(|line| lines.push(line));
    }
    Ok(lines)
}

fn texts(lines: &OutputLines) -> Vec<String> {
    lines.iter().map(|l| format!("{}{}", String::from_utf8_lossy(l.bytes), if l.partial { "…" } else { "" })).collect()
}

#[test]
fn lines_come_back_as_they_were_written_whatever_the_reads_were() {
    let (_dir, mut reader, end) = written(&[b"a\nb", b"c\n\n", b"tail"]);
    assert_eq!(texts(&reader.read(end).unwrap()), ["a", "bc", "", "tail"]);
    assert_eq!(reader.offset(), end);
    assert!(reader.read(end).unwrap().is_empty());
}

#[test]
fn a_long_line_is_cut_and_marked() {
    let long = vec![b'x'; LINE_BYTES_MAX + 3];
    let (_dir, mut reader, end) = written(&[&long, b"\nnext\n"]);
    let lines = reader.read(end).unwrap();
    assert_eq!(
        lines.iter().map(|l| (l.bytes.len(), l.partial)).collect::<Vec<_>>(),
        [(LINE_BYTES_MAX, true), (3, false), (4, false)]
    );
}

/// A frame for each of the chunks.
fn written_in_frames(chunks: &[&[u8]]) -> (tempfile::TempDir, SpoolReader, u64) {
    let (dir, reader, _) = written(&[]);
    let mut writer = SpoolWriter::open(&dir.path().join("spool"), ours()).unwrap();
    let mut splitter = LineSplitter::default();
    for chunk in chunks {
        splitter.feed(Stream::Stdout, Timestamp(5), chunk, &mut writer);
        assert_eq!(writer.flush().unwrap(), Flushed::Whole);
    }
    let end = writer.end();
    (dir, reader, end)
}

#[test]
fn a_torn_frame_is_left_for_later() {
    let (_dir, mut reader, end) = written_in_frames(&[b"one\n", b"two\n"]);
    assert_eq!(texts(&reader.read(end - 1).unwrap()), ["one"]);
    assert!(reader.read(end - 1).is_err());
    assert_eq!(texts(&reader.read(end).unwrap()), ["two"]);
}

#[test]
fn released_space_keeps_offsets() {
    let (dir, mut reader, end) = written_in_frames(&[b"one\n", b"two\n"]);
    reader.read(end - 1).unwrap();
    release(&dir.path().join("spool"), reader.offset()).unwrap();
    let mut again = SpoolReader::open(&dir.path().join("spool"), reader.offset(), ours()).unwrap();
    assert_eq!(texts(&again.read(end).unwrap()), ["two"]);
}

/// As where the file system refuses to make holes.
#[test]
fn without_holes_the_writer_starts_over_once_all_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    let (bytes_max, mut seen) = (64 * 1024, vec![]);
    let mut writer = SpoolWriter::open(&path, ours()).unwrap();
    let mut reader = SpoolReader::open(&path, 0, ours()).unwrap();
    for round in 0..4 {
        let mut written = vec![];
        while !writer.is_full(bytes_max) {
            let text = format!("{round} {} {}", written.len(), "x".repeat(1000));
            writer.push(Stream::Stdout, false, Timestamp(9), text.as_bytes());
            assert_eq!(writer.flush().unwrap(), Flushed::Whole);
            written.push(text);
        }
        assert!(written.len() > 50, "{}", written.len());
        assert!(fs::metadata(&path).unwrap().len() < 2 * bytes_max, "it does not grow");
        let (end, mut lines) = (writer.end(), vec![]);
        assert_eq!(end_of(&path).unwrap(), end);
        while reader.offset() < end {
            lines.extend(texts(&reader.read(end).unwrap()));
            assert!(writer.is_full(bytes_max), "not all is released");
            note_released(&path, reader.offset() - 1).unwrap();
            assert!(writer.is_full(bytes_max), "not all is released");
        }
        assert_eq!(lines, written, "round {round}");
        note_released(&path, reader.offset()).unwrap();
        // A reader and a writer that begin later find the same offsets.
        if round == 1 {
            writer = SpoolWriter::open(&path, ours()).unwrap();
            reader = SpoolReader::open(&path, end, ours()).unwrap();
        }
        assert_eq!((writer.end(), reader.offset()), (end, end));
        seen.push(end);
    }
    assert!(seen.is_sorted());
    assert!(!writer.is_full(bytes_max));
    assert_eq!(release(&path, writer.end()).unwrap(), Release::Nothing, "the new file is empty");
    let mut late = SpoolReader::open(&path, 0, ours()).unwrap();
    assert_eq!((late.offset(), late.read(writer.end()).unwrap().len()), (writer.end(), 0));
    writer.push(Stream::Stdout, false, Timestamp(9), b"later");
    writer.flush().unwrap();
    assert_eq!(texts(&late.read(writer.end()).unwrap()), ["later"]);
    assert_eq!(release(&path, writer.end()).unwrap(), Release::Hole, "a later file has holes where there are any");
    assert_eq!(texts(&reader.read(writer.end()).unwrap_or_default()), [""; 0], "what was released is gone");
}

/// The place of the new file leads to a device that has no room.
#[test]
fn a_full_disk_does_not_keep_the_writer_from_starting_over() {
    let (dir, mut reader, end) = written_in_frames(&[b"one\n", b"two\n"]);
    let path = dir.path().join("spool");
    let (next, length) = (path.with_extension("next"), || fs::metadata(&path).unwrap().len());
    assert_eq!(released(&path), Some(0), "the note is there before it is needed");
    let mut writer = SpoolWriter::open(&path, ours()).unwrap();
    assert_eq!(texts(&reader.read(end).unwrap()), ["one", "two"]);
    std::os::unix::fs::symlink("/dev/full", &next).unwrap();
    assert!(writer.is_full(0) && length() == end, "not all is released");
    note_released(&path, end).unwrap();
    for _ in 0..2 {
        assert!(writer.is_full(0));
        assert!(writer.is_full(1 << 20), "there is nothing to write to");
        assert_eq!((writer.end(), length()), (end, HEADER.len() as u64), "its room is given back");
    }
    // Nothing is lost of what still comes, nor do offsets go back for a writer that begins then.
    for text in [b"six", b"ten"] {
        writer = SpoolWriter::open(&path, ours()).unwrap();
        writer.push(Stream::Stdout, false, Timestamp(9), text);
        assert_eq!(writer.flush().unwrap(), Flushed::NoRoom);
        assert_eq!((writer.end(), length()), (end, HEADER.len() as u64));
    }
    assert!(writer.is_full(1 << 20) && reader.read(end).unwrap().is_empty());
    fs::remove_file(&next).unwrap();
    assert_eq!(writer.flush().unwrap(), Flushed::Whole);
    assert!(!writer.is_full(1 << 20) && writer.end() > end);
    assert_eq!(texts(&reader.read(writer.end()).unwrap()), ["ten"]);
}

#[test]
fn a_note_that_is_not_whole_releases_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    assert_eq!(released(&path), None);
    for offset in [0, 1, u64::MAX, 1 << 40] {
        note_released(&path, offset).unwrap();
        assert_eq!(released(&path), Some(offset));
    }
    let note = path.with_extension("released");
    let whole = fs::read(&note).unwrap();
    for cut in 0..whole.len() {
        fs::write(&note, [&whole[..cut], &[7; 16][cut..]].concat()).unwrap();
        assert_eq!(released(&path), None, "{cut}");
    }
}

#[test]
fn every_offset_that_was_given_out_can_be_resumed_at() {
    let (dir, mut reader, end) = written_in_frames(&[b"one\n", b"two\nthree\n"]);
    let path = dir.path().join("spool");
    let frame = |line: &str| (FRAME_HEAD_BYTES + LINE_HEAD_BYTES + line.len() + TAG_BYTES) as u64;
    assert_eq!(texts(&reader.read(8 + frame("one")).unwrap()), ["one"]);
    let mut again = SpoolReader::open(&path, reader.offset(), ours()).unwrap();
    assert_eq!(texts(&again.read(end).unwrap()), ["two", "three"]);
    let mut amid = SpoolReader::open(&path, reader.offset() + 1, ours()).unwrap();
    assert_eq!(amid.read(end).unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_writer_goes_on_where_the_one_before_ended() {
    let (dir, _, _) = written(&[b"one\n"]);
    let path = dir.path().join("spool");
    let mut writer = SpoolWriter::open(&path, ours()).unwrap();
    writer.push(Stream::Stderr, false, Timestamp(9), b"two");
    writer.flush().unwrap();
    assert_eq!(texts(&read_all(&path, writer.end(), ours()).unwrap()), ["one", "two"]);
}

#[test]
fn what_could_not_be_sealed_or_written_is_cut_off_and_its_nonces_are_not_used_again() {
    let (dir, _, _) = written(&[b"one\n"]);
    let path = dir.path().join("spool");
    let mut writer = SpoolWriter::open(&path, ours()).unwrap();
    let nonce_of = |writer: &SpoolWriter| writer.batch[LENGTH_BYTES..FRAME_HEAD_BYTES].to_vec();
    writer.push(Stream::Stdout, false, Timestamp(9), b"lost");
    writer.close_frame();
    let first = nonce_of(&writer);
    writer.failed = Some(io::Error::other("broken"));
    assert!(writer.flush().is_err());
    assert!(!writer.is_stuck());
    writer.push(Stream::Stdout, false, Timestamp(9), b"kept");
    writer.close_frame();
    assert_ne!(nonce_of(&writer), first);
    writer.flush().unwrap();
    assert_eq!(texts(&read_all(&path, writer.end(), ours()).unwrap()), ["one", "kept"]);
}

#[test]
fn without_room_nothing_is_lost() {
    let (dir, _, _) = written(&[b"one\n"]);
    let path = dir.path().join("spool");
    let mut writer = SpoolWriter::open(&path, ours()).unwrap();
    let end = writer.end();
    for text in [b"two", b"six"] {
        writer.push(Stream::Stdout, false, Timestamp(9), text);
        writer.failed = Some(io::ErrorKind::StorageFull.into());
        assert_eq!(writer.flush().unwrap(), Flushed::NoRoom);
        assert!(writer.is_stuck());
        assert_eq!((writer.end(), std::fs::metadata(&path).unwrap().len()), (end, end));
    }
    assert_eq!(writer.flush().unwrap(), Flushed::Whole);
    assert!(!writer.is_stuck());
    assert_eq!(texts(&read_all(&path, writer.end(), ours()).unwrap()), ["one", "two", "six"]);
}

#[test]
fn batches_and_frames_keep_to_their_bounds() {
    let chunk = b"\n".repeat(64 * 1024);
    let (_dir, mut reader, end) = written(&[&chunk, &[b'x'; 4 * LINE_BYTES_MAX], b"\n"]);
    let (mut lines, mut bytes) = (0, 0);
    while reader.offset() < end {
        let batch = reader.read(end).unwrap();
        assert!(batch.len() < BATCH_LINES_MIN + FRAME_BYTES_MAX / LINE_HEAD_BYTES, "{}", batch.len());
        lines += batch.len();
        bytes += batch.iter().map(|line| line.bytes.len()).sum::<usize>();
    }
    assert_eq!((lines, bytes), (64 * 1024 + 4, 4 * LINE_BYTES_MAX));
}

#[test]
fn a_spool_in_the_clear_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    std::fs::write(&path, b"NGSP\x01\0\0\0").unwrap();
    assert_eq!(SpoolReader::open(&path, 0, ours()).unwrap_err().to_string(), "no output spool of this version");
    assert_eq!(SpoolWriter::open(&path, ours()).unwrap_err().to_string(), "no output spool of this version");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 8);
}

#[test]
fn frames_of_another_container_task_or_key_are_refused() {
    let (dir, _, end) = written(&[b"one\n"]);
    let path = dir.path().join("spool");
    for other in [seal(2, 'a', 0), seal(1, 'b', 0), seal(1, 'a', 1)] {
        assert_eq!(read_all(&path, end, other).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
    assert_eq!(texts(&read_all(&path, end, ours()).unwrap()), ["one"]);
}

#[test]
fn frames_that_changed_places_are_refused() {
    let (dir, _, end) = written_in_frames(&[b"one\n", b"two\n"]);
    let path = dir.path().join("spool");
    let bytes = std::fs::read(&path).unwrap();
    let (header, frames) = bytes.split_at(HEADER.len());
    let (first, second) = frames.split_at(frames.len() / 2);
    std::fs::write(&path, [header, second, first].concat()).unwrap();
    assert_eq!(read_all(&path, end, ours()).unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_flipped_bit_is_refused_wherever_it_is() {
    let (dir, _, end) = written_in_frames(&[b"one\n", b"\nthree\n"]);
    let path = dir.path().join("spool");
    let whole = std::fs::read(&path).unwrap();
    let lines = texts(&read_all(&path, end, ours()).unwrap());
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &bytes).unwrap();
        assert!(read_all(&path, end, ours()).is_err(), "bit {bit}");
        // The lines before it are given out all the same, and nothing else.
        if let Ok(mut reader) = SpoolReader::open(&path, 0, ours())
            && let Ok(before) = reader.read(end)
        {
            assert!(!before.is_empty() && lines.starts_with(&texts(&before)), "bit {bit}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_in_any_chunks_come_back(chunks in proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40), 0..20)) {
        let all: Vec<u8> = chunks.concat();
        let (dir, mut reader, end) = written(&chunks.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let lines: Vec<Vec<u8>> = reader.read(end).unwrap().iter().map(|l| l.bytes.to_vec()).collect();
        let mut expected: Vec<Vec<u8>> = all.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        if expected.last().is_some_and(Vec::is_empty) { expected.pop(); }
        proptest::prop_assert_eq!(lines, expected);
        let bytes = std::fs::read(dir.path().join("spool")).unwrap();
        for line in all.split(|b| *b == b'\n').filter(|line| line.len() >= 8) {
            proptest::prop_assert!(!bytes.windows(line.len()).any(|window| window == line));
        }
    }
}
