//! Reference parsing: Docker's rules in a table, and properties.

use proptest::prelude::*;

use super::super::Reference;

#[test]
fn references_are_normalised_as_docker_does() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    for (text, full) in [
        ("alpine", "docker.io/library/alpine:latest"),
        ("alpine:3.20", "docker.io/library/alpine:3.20"),
        ("corp/my-proj:1.0", "docker.io/corp/my-proj:1.0"),
        ("docker.io/alpine", "docker.io/library/alpine:latest"),
        ("index.docker.io/corp/app", "docker.io/corp/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app:v1", "localhost:5000/app:v1"),
        ("registry:5000/app", "registry:5000/app:latest"),
        ("[::1]:5000/app", "[::1]:5000/app:latest"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/etl:7", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/etl:7"),
        ("public.ecr.aws/docker/library/mysql:8", "public.ecr.aws/docker/library/mysql:8"),
        ("a/b__c/d--e.f_g", "docker.io/a/b__c/d--e.f_g:latest"),
    ] {
        assert_eq!(Reference::parse(text).unwrap().to_string(), full, "{text}");
    }
    let pinned = Reference::parse(&format!("corp/app:1@{digest}")).unwrap();
    assert_eq!(pinned.to_string(), format!("docker.io/corp/app:1@{digest}"));
    let untagged = Reference::parse(&format!("corp/app@{digest}")).unwrap();
    assert_eq!((untagged.tag(), untagged.to_string()), (None, format!("docker.io/corp/app@{digest}")));
}

#[test]
fn what_is_no_reference_is_refused_with_its_reason() {
    let id = "ab".repeat(32);
    for (text, reason) in [
        ("", "empty"),
        ("Corp/App", "no registry host|lowercase"),
        ("corp/App", "lowercase"),
        ("app:", "tag"),
        ("app:-x", "tag"),
        ("a//b", "empty"),
        ("a/../b", "joined"),
        ("-a", "joined"),
        ("a___b", "joined"),
        ("host:99999/app", "port"),
        ("a@sha256:12", "digest"),
        ("a b", "joined"),
        (id.as_str(), "image id"),
    ] {
        let message = Reference::parse(text).expect_err(text).message;
        assert!(reason.split('|').any(|reason| message.contains(reason)), "{text}: {message}");
    }
}

#[test]
fn familiar_names_leave_out_what_docker_adds() {
    for (text, familiar) in
        [("alpine", "alpine:latest"), ("corp/app:1", "corp/app:1"), ("localhost:5000/a", "localhost:5000/a:latest")]
    {
        assert_eq!(Reference::parse(text).unwrap().familiar(), familiar);
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_and_the_normal_form_is_stable(text in "\\PC{0,60}|[a-zA-Z0-9./:@_-]{0,60}") {
        if let Ok(reference) = Reference::parse(&text) {
            prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference.clone());
            prop_assert_eq!(Reference::parse(&reference.familiar()).unwrap(), reference);
        }
    }

    #[test]
    fn well_formed_references_keep_their_parts(
        host in "[a-z]{1,8}(\\.[a-z]{2,5}){1,2}(:[1-9][0-9]{0,3})?",
        path in "[a-z0-9]{1,8}([._-][a-z0-9]{1,5})?(/[a-z0-9]{1,8}){0,3}",
        tag in "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}",
    ) {
        let reference = Reference::parse(&format!("{host}/{path}:{tag}")).unwrap();
        prop_assert_eq!(reference.tag(), Some(tag.as_str()));
        if host != "docker.io" && host != "index.docker.io" {
            prop_assert_eq!((reference.domain(), reference.path()), (host.as_str(), path.as_str()));
        }
    }
}
