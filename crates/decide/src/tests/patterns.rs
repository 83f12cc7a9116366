use super::super::pattern::{Case, action_matches, arn_like, like, resource_matches};
use super::super::{Context, Truth};

#[test]
fn actions_ignore_case_and_know_wildcards() {
    for (pattern, action, fits) in [
        ("*", "ecs:RunTask", true),
        ("ecs:*", "ecs:RunTask", true),
        ("ECS:runtask", "ecs:RunTask", true),
        ("ecs:Run????", "ecs:RunTask", true),
        ("ecs:Run???", "ecs:RunTask", false),
        ("ecs:*Task", "ecs:RunTask", true),
        ("ecs:*Task", "ecs:RunTasks", false),
        ("ec2:*", "ecs:RunTask", false),
        ("ecs:R*n*k", "ecs:RunTask", true),
    ] {
        assert_eq!(action_matches(pattern, action), fits, "{pattern} {action}");
    }
}

#[test]
fn resources_complete_short_patterns_and_keep_wildcards_in_their_part() {
    let task = "arn:aws:ecs:eu-west-1:000000000000:task/c/1";
    let stream = "arn:aws:logs:eu-west-1:000000000000:log-group:/g:log-stream:s:1";
    for (pattern, arn, fits) in [
        ("*", task, true),
        ("arn:aws:ecs", task, true),
        ("arn:aws:ecs:*:*:task/*", task, true),
        ("arn:aws:ecs:eu-west-1:*:task/c/*", task, true),
        ("arn:aws:ecs:*:task/c/1", task, false),
        ("arn:aws:ecs:eu-*1:000000000000:task/c/1", task, true),
        ("arn:aws:e*s:000000000000:task/c/1", task, false),
        ("arn:aws:ecs:eu?west?1:000000000000:task/c/?", task, true),
        ("arn:aws:ecs:eu-west-1?000000000000:task/c/1", task, false),
        ("arn:aws:ecs:*:*:task/C/1", task, false),
        ("arn:aws:logs:*:*:log-group:/g:*", stream, true),
        ("arn:aws:logs:*:*:log-group:*:1", stream, true),
        ("arn:aws:logs:*:*:log-group:/g", stream, false),
    ] {
        assert_eq!(resource_matches(pattern, arn, None), Truth::from(fits), "{pattern} {arn}");
    }
}

#[test]
fn the_arn_operators_compare_part_by_part() {
    let arn = "arn:aws:ecs:eu-west-1:000000000000:cluster/c";
    for (pattern, fits) in [
        (arn, true),
        ("arn:aws:ecs:*:*:cluster/*", true),
        ("arn:*:cluster/c", false),
        ("arn:aws:ecs:*:cluster/c", false),
        ("*", false),
    ] {
        assert_eq!(arn_like(pattern, arn, None), Truth::from(fits), "{pattern}");
    }
}

#[test]
fn variables_stand_for_letters_and_escapes_for_themselves() {
    let context = Context::default()
        .with("aws:username", vec!["a*".to_owned()])
        .with("many", vec!["1".to_owned(), "2".to_owned()]);
    for (pattern, text, fits) in [
        ("home/${aws:username}/*", "home/a*/x", true),
        ("home/${AWS:UserName}/*", "home/a*/x", true),
        ("home/${aws:username}/*", "home/ab/x", false),
        ("${absent}", "", false),
        ("${absent, 'every one'}!", "every one!", true),
        ("${absent, unquoted}", "unquoted", false),
        ("${many}", "1", false),
        ("a${*}c${?}d${$}", "a*c?d$", true),
        ("a${*}c", "abc", false),
        ("${unclosed", "${unclosed", true),
    ] {
        assert_eq!(like(pattern, text, Case::Matters, Some(&context)), Truth::from(fits), "{pattern} {text}");
    }
    let old = like("${aws:username}", "${aws:username}", Case::Matters, None);
    assert_eq!(old, Truth::Yes, "no variables in the old version");
    let of_user = arn_like("arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/a*", Some(&context));
    assert_eq!(of_user, Truth::Yes, "a variable's colon splits nothing");
}
