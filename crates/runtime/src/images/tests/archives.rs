//! The tar format: what is written reads back, and nothing that is read can panic or take memory without bound.

use std::io::Read;

use proptest::prelude::*;

use super::super::archive::{Archive, ArchiveWriter, Kind, Member};
use super::make::{gzip, zstd};

fn any_member() -> impl Strategy<Value = (Member, Vec<u8>)> {
    let kind = prop_oneof![
        3 => Just(Kind::File),
        1 => Just(Kind::Directory),
        1 => Just(Kind::Symlink),
        1 => Just(Kind::HardLink),
        1 => Just(Kind::CharDevice),
        1 => Just(Kind::Fifo),
    ];
    let name = prop_oneof![3 => "[a-z./]{1,30}[a-z]", 1 => "[a-z/]{90,300}[a-z]"];
    let link = "[a-z./]{1,130}";
    let numbers = (0..0o7777_u32, any::<u32>(), any::<u32>(), 0..0o7777_7777_i64);
    let attribute =
        proptest::collection::vec(("user\\.[a-z]{1,5}", proptest::collection::vec(any::<u8>(), 0..20)), 0..3);
    let content = proptest::collection::vec(any::<u8>(), 0..1500);
    (kind, name, link, numbers, attribute, content).prop_map(
        |(kind, path, link, (mode, uid, gid, mtime_s), xattrs, content)| {
            let mut member = Member { kind, path: path.into_bytes(), mode, uid, gid, mtime_s, ..Member::default() };
            member.xattrs = xattrs.into_iter().map(|(name, value)| (name.into_bytes(), value)).collect();
            match kind {
                Kind::File => member.size_bytes = content.len() as u64,
                Kind::Symlink | Kind::HardLink => member.link = link.into_bytes(),
                Kind::CharDevice => (member.device_major, member.device_minor) = (1, 3),
                _ => {}
            }
            let content = if kind == Kind::File { content } else { vec![] };
            (member, content)
        },
    )
}

fn read_all(bytes: &[u8]) -> Result<Vec<(Member, Vec<u8>)>, neargate_base::Diagnostic> {
    let mut archive = Archive::new(bytes);
    let mut members = Vec::new();
    while let Some(member) = archive.next_member()? {
        let mut content = Vec::new();
        // A content that is cut short shows as an error of the next member, too.
        let _ = archive.read_to_end(&mut content);
        members.push((member, content));
    }
    Ok(members)
}

proptest! {
    #[test]
    fn what_is_written_reads_back(members in proptest::collection::vec(any_member(), 0..6)) {
        let mut writer = ArchiveWriter::new(Vec::new());
        for (member, content) in &members {
            writer.add(member, &mut content.as_slice()).unwrap();
        }
        let bytes = writer.finish().unwrap();
        prop_assert_eq!(read_all(&bytes).unwrap(), members);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let _ = read_all(&bytes);
    }

    #[test]
    fn a_damaged_archive_is_read_or_refused(
        members in proptest::collection::vec(any_member(), 1..4),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut writer = ArchiveWriter::new(Vec::new());
        for (member, content) in &members {
            writer.add(member, &mut content.as_slice()).unwrap();
        }
        let mut bytes = writer.finish().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        let _ = read_all(&bytes);
    }

    #[test]
    fn compressed_streams_give_the_plain_ones_again(bytes in proptest::collection::vec(0..4_u8, 0..5000)) {
        // Several frames one after another are one stream, and zstd has frames to skip.
        let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        for stream in [
            [gzip(&bytes), gzip(&bytes)].concat(),
            [zstd(&bytes), skippable.clone(), zstd(&bytes)].concat(),
            [skippable, zstd(&bytes), zstd(&bytes)].concat(),
        ] {
            let mut plain = Vec::new();
            super::super::compression::plain(stream.as_slice()).unwrap().read_to_end(&mut plain).unwrap();
            prop_assert_eq!(&plain, &[bytes.clone(), bytes.clone()].concat());
        }
    }
}

#[test]
fn an_archive_without_its_last_blocks_is_refused_unless_it_ends_between_members() {
    let whole = super::make::tar(&[(Kind::File, "a", "some text"), (Kind::File, "b", "more")]);
    assert_eq!(read_all(&whole[..1024]).unwrap().len(), 1, "one whole member");
    for cut in [100, 511, 513, 600, 1100] {
        assert_eq!(read_all(&whole[..cut]).unwrap_err().code.0, "NG-R0107", "cut at {cut}");
    }
}

#[test]
fn sparse_files_are_refused_by_name() {
    let mut bytes = super::make::tar(&[(Kind::File, "a", "text")]);
    bytes[156] = b'S';
    let sum: u32 = (0..512).map(|at| if (148..156).contains(&at) { 32 } else { u32::from(bytes[at]) }).sum();
    bytes[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    let problem = read_all(&bytes).unwrap_err();
    assert_eq!((problem.code.0, problem.message.contains("sparse")), ("NG-R0110", true));
}
