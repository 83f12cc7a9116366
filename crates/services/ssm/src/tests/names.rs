use crate::errors::SsmError;
use crate::name::{Reference, Selector, check, check_path, is_under};

#[test]
fn references() {
    let read = |text: &str| {
        let Reference { name, scope, selector } = Reference::read(text);
        (name, scope.map(|scope| format!("{}/{}", scope.account, scope.region)), selector)
    };
    assert_eq!(read("/a/b"), ("/a/b".to_owned(), None, Selector::Latest));
    assert_eq!(read("a:3"), ("a".to_owned(), None, Selector::Version(3)));
    assert_eq!(read("/a:prod"), ("/a".to_owned(), None, Selector::Label("prod".to_owned())));
    assert_eq!(
        read("arn:aws:ssm:eu-west-1:1:parameter/a/b:7"),
        ("/a/b".to_owned(), Some("1/eu-west-1".to_owned()), Selector::Version(7))
    );
    assert_eq!(
        read("arn:aws:ssm:eu-west-1:1:parameter/a"),
        ("/a".to_owned(), Some("1/eu-west-1".to_owned()), Selector::Latest)
    );
}

#[test]
fn names_that_may_and_may_not_be() {
    for name in ["a", "/a", "/a/b.c-d_e", "a.b", "/my/aws/x", &format!("/{}", ["l"; 15].join("/"))] {
        assert_eq!(check(name), Ok(()), "{name}");
    }
    let reserved = |name: &str| SsmError::ReservedName(name.to_owned());
    for (name, error) in [
        ("awsome", SsmError::NamePrefix),
        ("/ssm", SsmError::NamePrefix),
        ("/AWS/x", reserved("/AWS/x")),
        ("/ssm/x", SsmError::NameSpelling),
        ("a/b", SsmError::NameNotQualified),
        ("a b", SsmError::NameSpelling),
        ("/a//b", SsmError::NameSpelling),
        ("/a/", SsmError::NameSpelling),
        ("a:1", SsmError::NameSpelling),
        (&format!("/{}", ["l"; 16].join("/")), SsmError::HierarchyLevels),
    ] {
        assert_eq!(check(name), Err(error), "{name}");
    }
}

#[test]
fn paths() {
    for (path, name, recursive, under) in [
        ("/", "a", false, true),
        ("/", "/a", false, true),
        ("/", "/a/b", false, false),
        ("/", "/a/b", true, true),
        ("/a", "/a/b", false, true),
        ("/a/", "/a/b", false, true),
        ("/a", "/ab", true, false),
        ("/a", "/a", true, false),
        ("/a", "/a/b/c", false, false),
    ] {
        assert_eq!(is_under(name, &check_path(path).unwrap(), recursive), under, "{path} {name} {recursive}");
    }
    for path in ["a", "", "/a//", "//", "/a b"] {
        assert_eq!(check_path(path), Err(SsmError::PathSpelling), "{path}");
    }
}
