//! `neargate image`.

use crate::harness::Place;
use neargate_testkit::needs::needs;

#[needs()]
fn an_image_comes_and_goes() {
    let place = Place::new();
    place.write("content/etc/motd", "hello\n");
    let built = place.run(&["image", "build", "content", "--tag", "corp/app:1.0", "--cmd", "/bin/true"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    assert!(built.stdout.starts_with("sha256:"), "{}", built.stdout);
    let listed = place.run(&["image", "ls"]);
    assert!(listed.stdout.contains("corp/app:1.0") && listed.stdout.contains(built.stdout.trim()), "{}", listed.stdout);
    let removed = place.run(&["image", "rm", "corp/app:1.0", "corp/other:1"]);
    assert_eq!(removed.code, 2);
    assert!(removed.stderr.contains("there is no image `corp/other:1`"), "{}", removed.stderr);
    assert!(!place.run(&["image", "ls"]).stdout.contains("corp/app"));
}

#[needs()]
fn what_is_imported_has_a_name() {
    let place = Place::new();
    place.write("notes.tar", "no archive");
    let ran = place.run(&["image", "import", "notes.tar"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("NG-R0107"), "{}", ran.stderr);
}
