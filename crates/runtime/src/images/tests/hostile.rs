//! Images made to do harm, or damaged on their way: each is refused by name and leaves nothing behind.

use std::fs;

use proptest::prelude::*;

use super::super::Digest;
use super::super::archive::Kind::{self, Directory, File, HardLink, Symlink};
use super::make::{Layout, Place, gzip, member, tar, tar_of};

/// The layer is refused with this code; nothing is extracted and nothing outside is touched.
fn refused(code: &str, layers: &[Vec<u8>]) {
    let place = Place::new();
    fs::write(place.path("outside"), "safe").unwrap();
    let image = place.image("corp/evil:1", layers);
    let extracted_before = layers.len() - 1;
    let beside_before = beside(&place);
    let problem = place.store.rootfs(&image).unwrap_err();
    assert_eq!(problem.code.0, code, "{problem}");
    assert!(problem.path.starts_with("layer sha256:"), "{problem}");
    let kept: Vec<String> = place.files();
    assert!(!kept.iter().any(|file| file.starts_with("tmp/")), "{kept:?}");
    assert_eq!(place.layers().len(), extracted_before, "{kept:?}");
    assert_eq!(beside(&place), beside_before);
    assert_eq!(fs::read_to_string(place.path("outside")).unwrap(), "safe");
}

fn beside(place: &Place) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(place.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn paths_with_dots_are_refused() {
    for path in ["../outside", "a/../../outside", "a/..", "..", "/../outside"] {
        refused("NG-R0108", &[tar(&[(File, path, "evil")])]);
    }
}

#[test]
fn links_that_leave_the_image_are_not_followed() {
    refused("NG-R0108", &[tar(&[(Symlink, "a", "../../../.."), (File, "a/outside", "evil")])]);
    refused("NG-R0108", &[tar(&[(Symlink, "a", "b/../../.."), (Directory, "b/", ""), (File, "a/outside", "evil")])]);
    refused("NG-R0108", &[tar(&[(Symlink, "a", "..")]), tar(&[(File, "a/outside", "evil")])]);
    refused("NG-R0108", &[tar(&[(Symlink, "a", "b"), (Symlink, "b", "a"), (File, "a/x", "evil")])]);
    refused("NG-R0108", &[tar(&[(File, "a", ""), (File, "a/x", "evil")])]);
}

#[test]
fn an_absolute_link_leads_into_the_image_and_not_out_of_it() {
    let place = Place::new();
    let target = place.path("outside-dir");
    fs::create_dir(&target).unwrap();
    let link = target.to_str().unwrap();
    let image = place.image("corp/evil:1", &[tar(&[(Symlink, "a", link), (File, "a/file", "kept inside")])]);
    let rootfs = place.store.rootfs(&image).unwrap();
    let inside = rootfs.lower_dirs[0].join(link.trim_start_matches('/')).join("file");
    assert_eq!(fs::read_to_string(inside).unwrap(), "kept inside");
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn a_file_replaces_a_link_instead_of_writing_through_it() {
    let place = Place::new();
    let victim = place.path("outside");
    fs::write(&victim, "safe").unwrap();
    let link = victim.to_str().unwrap();
    let layer = tar(&[(Symlink, "a", link), (File, "a", "evil"), (Symlink, "b", link), (Directory, "b/", "")]);
    let rootfs = place.store.rootfs(&place.image("corp/evil:1", &[layer])).unwrap();
    assert_eq!(fs::read_to_string(rootfs.lower_dirs[0].join("a")).unwrap(), "evil");
    assert!(rootfs.lower_dirs[0].join("b").symlink_metadata().unwrap().is_dir());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "safe");
}

#[test]
fn hard_links_reach_nothing_outside() {
    for target in ["../outside", "/../outside", "a/../../outside"] {
        refused("NG-R0108", &[tar(&[(HardLink, "x", target)])]);
    }
    refused("NG-R0107", &[tar(&[(HardLink, "x", "/etc/passwd")])]);
    refused("NG-R0107", &[tar(&[(Directory, "d/", ""), (HardLink, "x", "d")])]);
    refused("NG-R0108", &[tar(&[(Symlink, "a", "../.."), (HardLink, "x", "a/outside")])]);
}

#[test]
fn whiteouts_name_files_of_their_own_directory() {
    for path in [".wh..", ".wh...", ".wh."] {
        refused("NG-R0108", &[tar(&[(Directory, "d/", "")]), tar(&[(File, &format!("d/{path}"), "")])]);
    }
}

#[test]
fn the_root_directory_stays_one() {
    refused("NG-R0108", &[tar(&[(Symlink, "./", "/tmp")])]);
    refused(
        "NG-R0108",
        &[tar(&[(File, "/", "")])].map(|mut layer: Vec<u8>| {
            // A path that ends in a slash is a directory's, so take it away and leave a dot.
            layer[0] = b'.';
            let sum: u32 = (0..512).map(|at| if (148..156).contains(&at) { 32 } else { u32::from(layer[at]) }).sum();
            layer[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
            layer
        }),
    );
}

#[test]
fn layers_that_are_cut_short_are_refused() {
    let whole = tar(&[(File, "a", &"text".repeat(1000)), (File, "b", "more")]);
    refused("NG-R0107", &[whole[..2000].to_vec()]);
    refused("NG-R0107", &[b"this is no archive".to_vec()]);
}

#[test]
fn a_layer_damaged_in_the_store_is_refused_by_its_digest() {
    let place = Place::new();
    let image = place.image("corp/app:1", &[gzip(&tar(&[(File, "a", &"text".repeat(1000))]))]);
    let blob = place.store.dir().join("blobs/sha256").join(image.layers[0].digest.hex());
    let mut bytes = fs::read(&blob).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&blob, &bytes).unwrap();
    assert_eq!(place.store.rootfs(&image).unwrap_err().code.0, "NG-R0106");
    fs::write(&blob, &bytes[..middle]).unwrap();
    assert_eq!(place.store.rootfs(&image).unwrap_err().code.0, "NG-R0106");
    fs::remove_file(&blob).unwrap();
    assert_eq!(place.store.rootfs(&image).unwrap_err().code.0, "NG-R0105");
    assert!(!place.files().iter().any(|file| file.starts_with("tmp/")) && place.layers().is_empty());
}

#[test]
fn a_layer_that_is_not_the_one_its_configuration_names_is_refused() {
    let place = Place::new();
    let mut image = place.image("corp/app:1", &[gzip(&tar(&[(File, "a", "1")]))]);
    image.layers[0].diff_id = Digest::of(b"another");
    assert_eq!(place.store.rootfs(&image).unwrap_err().code.0, "NG-R0106");
    assert!(place.layers().is_empty());
}

#[test]
fn an_import_with_a_wrong_digest_changes_nothing() {
    let place = Place::new();
    let layout = place.path("layout");
    let good = tar(&[(File, "a", "1")]);
    Layout::new(&layout).image(Some("corp/app:1"), std::slice::from_ref(&good), "amd64").finish();
    let before = place.files();
    let blob = layout.join("blobs/sha256").join(Digest::of(&good).hex());
    let mut bytes = good.clone();
    bytes[600] ^= 1;
    fs::write(&blob, &bytes).unwrap();
    assert_eq!(place.store.import(&layout, None).unwrap_err().code.0, "NG-R0106");
    fs::write(&blob, &good[..700]).unwrap();
    assert_eq!(place.store.import(&layout, None).unwrap_err().code.0, "NG-R0106");
    fs::remove_file(&blob).unwrap();
    assert_eq!(place.store.import(&layout, None).unwrap_err().code.0, "NG-R0107");
    assert_eq!(place.files(), before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever paths and links a layer is made of, nothing beside the store changes and no temporary file stays.
    #[test]
    fn no_mixture_of_paths_and_links_gets_out(
        members in proptest::collection::vec(
            (
                prop_oneof![Just(Kind::File), Just(Kind::Directory), Just(Kind::Symlink), Just(Kind::HardLink)],
                "(/|\\./)?([ab]|\\.\\.|\\.wh\\.[ab]|\\.wh\\.\\.\\.|c{250})(/([ab]|\\.\\.|\\.wh\\.a)){0,3}/?",
                "(\\.\\./|/)?([ab]|\\.\\.)(/([ab]|\\.\\.)){0,3}",
            ),
            1..12,
        ),
    ) {
        let place = Place::new();
        fs::write(place.path("a"), "safe").unwrap();
        fs::create_dir(place.path("b")).unwrap();
        let (first, second) = members.split_at(members.len() / 2);
        let layer = |members: &[(Kind, String, String)]| {
            tar_of(members.iter().map(|(kind, path, link)| (member(*kind, path, link), link.as_str())))
        };
        let image = place.image("corp/evil:1", &[layer(first), layer(second)]);
        let before = beside(&place);
        let outcome = place.store.rootfs(&image);
        prop_assert_eq!(beside(&place), before);
        prop_assert_eq!(fs::read_to_string(place.path("a")).unwrap(), "safe");
        prop_assert_eq!(fs::read_dir(place.path("b")).unwrap().count(), 0);
        prop_assert!(!place.files().iter().any(|file| file.starts_with("tmp/")));
        if let Err(problem) = outcome {
            prop_assert!(matches!(problem.code.0, "NG-R0103" | "NG-R0107" | "NG-R0108"), "{}", problem);
        }
    }
}
