//! Stacks changed, and changes taken back.

use expect_test::expect;
use serde_json::json;

use crate::toys::{STUCK, deeds, ids, world};
use crate::{call, check, create, events, harness, refused, resources, settle, status, template, update, with};

/// The events since the update began.
fn update_events(harness: &mut neargate_testkit::Harness, name: &str) -> String {
    let all = events(harness, name);
    let at = all.rfind(&format!("{name} | UPDATE_IN_PROGRESS")).unwrap();
    all[at..].to_owned()
}

#[test]
fn an_update_changes_replaces_adds_and_removes() {
    let mut harness = harness();
    let before = json!({
        "Same": {}, "Changed": { "Value": 1, "Refs": ["Replaced"], "Steps": 1 }, "Replaced": { "Kind": "a", "Refs": ["Gone"] },
        "Gone": {}, "User": { "Refs": ["Changed"] },
    });
    create(&mut harness, "s", before);
    let made = deeds(&harness).len();
    let after = json!({
        "Same": {}, "Changed": { "Value": 2, "Refs": ["Replaced"], "Steps": 1 }, "Replaced": { "Kind": "b" }, "New": {},
        "User": { "Refs": ["Changed"] },
    });
    update(&mut harness, "s", after);
    assert_eq!(
        deeds(&harness)[made..],
        ["make Replaced-6", "make New-7", "change Changed-4", "delete Replaced-3", "delete Gone-2"]
    );
    check(
        &update_events(&mut harness, "s"),
        expect![[r#"
            s | UPDATE_IN_PROGRESS | - | User Initiated
            Replaced | UPDATE_IN_PROGRESS | Replaced-3 | Requested update requires the creation of a new physical resource; hence creating one.
            Replaced | UPDATE_IN_PROGRESS | Replaced-6 | Resource creation Initiated
            Replaced | UPDATE_COMPLETE | Replaced-6 | -
            Changed | UPDATE_IN_PROGRESS | Changed-4 | -
            New | CREATE_IN_PROGRESS | - | -
            New | CREATE_IN_PROGRESS | New-7 | Resource creation Initiated
            New | CREATE_COMPLETE | New-7 | -
            Changed | UPDATE_COMPLETE | Changed-4 | -
            s | UPDATE_COMPLETE_CLEANUP_IN_PROGRESS | - | -
            Replaced | DELETE_IN_PROGRESS | Replaced-3 | -
            Replaced | DELETE_COMPLETE | Replaced-3 | -
            Gone | DELETE_IN_PROGRESS | Gone-2 | -
            Gone | DELETE_COMPLETE | Gone-2 | -
            s | UPDATE_COMPLETE | - | -
        "#]],
    );
    assert_eq!(resources(&mut harness, "s").len(), 5);
}

#[test]
fn an_update_that_changes_nothing_is_refused() {
    let mut harness = harness();
    create(&mut harness, "s", json!({ "A": { "Value": 1 } }));
    let pretty = serde_json::to_string_pretty(&template(json!({ "A": { "Value": 1 } }))).unwrap();
    for input in [
        with("s", &template(json!({ "A": { "Value": 1 } })), json!({})),
        json!({ "StackName": "s", "TemplateBody": pretty }),
        json!({ "StackName": "s", "UsePreviousTemplate": true }),
    ] {
        assert_eq!(refused(&mut harness, "UpdateStack", input), "ValidationError: No updates are to be performed.");
    }
    assert_eq!(status(&mut harness, "s"), "CREATE_COMPLETE");
}

#[test]
fn an_update_of_outputs_alone_touches_no_resource() {
    let mut harness = harness();
    create(&mut harness, "s", json!({ "A": { "Value": 1 } }));
    let mut wanted = template(json!({ "A": { "Value": 1 } }));
    wanted["Outputs"] = json!({ "O": { "Value": { "Ref": "A" } } });
    call(&mut harness, "UpdateStack", with("s", &wanted, json!({})));
    settle(&mut harness);
    assert_eq!(deeds(&harness), ["make A-1"]);
    check(
        &update_events(&mut harness, "s"),
        expect![[r#"
        s | UPDATE_IN_PROGRESS | - | User Initiated
        s | UPDATE_COMPLETE_CLEANUP_IN_PROGRESS | - | -
        s | UPDATE_COMPLETE | - | -
    "#]],
    );
}

#[test]
fn a_failed_update_puts_everything_back() {
    let mut harness = harness();
    let before = json!({
        "Changed": { "Value": 1 }, "Replaced": { "Kind": "a", "Refs": ["Changed"] }, "Gone": { "Refs": ["Changed"] },
        "Last": { "Value": 1, "Refs": ["Replaced"] },
    });
    create(&mut harness, "s", before);
    let (was, held) = (world(&harness), resources(&mut harness, "s"));
    let after = json!({
        "Changed": { "Value": 2, "Steps": 1 }, "Replaced": { "Kind": "b", "Refs": ["Changed"] }, "New": {},
        "Kept": { "DeletionPolicy": "RetainExceptOnCreate" },
        "Last": { "Value": 2, "Refs": ["Replaced", "New"], "Fail": "update" }, "Never": { "Refs": ["Last"] },
    });
    update(&mut harness, "s", after);
    assert_eq!(world(&harness), was);
    let short = |lines: &[String]| lines.iter().map(|it| it.rsplit_once(' ').unwrap().0.to_owned()).collect::<Vec<_>>();
    assert_eq!(short(&resources(&mut harness, "s")), short(&held));
    check(
        &update_events(&mut harness, "s"),
        expect![[r#"
            s | UPDATE_IN_PROGRESS | - | User Initiated
            Changed | UPDATE_IN_PROGRESS | Changed-1 | -
            New | CREATE_IN_PROGRESS | - | -
            New | CREATE_IN_PROGRESS | New-5 | Resource creation Initiated
            New | CREATE_COMPLETE | New-5 | -
            Kept | CREATE_IN_PROGRESS | - | -
            Kept | CREATE_IN_PROGRESS | Kept-6 | Resource creation Initiated
            Kept | CREATE_COMPLETE | Kept-6 | -
            Changed | UPDATE_COMPLETE | Changed-1 | -
            Replaced | UPDATE_IN_PROGRESS | Replaced-2 | Requested update requires the creation of a new physical resource; hence creating one.
            Replaced | UPDATE_IN_PROGRESS | Replaced-7 | Resource creation Initiated
            Replaced | UPDATE_COMPLETE | Replaced-7 | -
            Last | UPDATE_IN_PROGRESS | Last-4 | -
            Last | UPDATE_FAILED | Last-4 | Resource handler returned message: "cannot update Last
            s | UPDATE_ROLLBACK_IN_PROGRESS | - | The following resource(s) failed to update: [Last].
            Changed | UPDATE_IN_PROGRESS | Changed-1 | -
            Changed | UPDATE_COMPLETE | Changed-1 | -
            Replaced | UPDATE_IN_PROGRESS | Replaced-2 | -
            Replaced | UPDATE_COMPLETE | Replaced-2 | -
            Last | UPDATE_IN_PROGRESS | Last-4 | -
            Last | UPDATE_COMPLETE | Last-4 | -
            s | UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS | - | -
            Replaced | DELETE_IN_PROGRESS | Replaced-7 | -
            Replaced | DELETE_COMPLETE | Replaced-7 | -
            New | DELETE_IN_PROGRESS | New-5 | -
            New | DELETE_COMPLETE | New-5 | -
            Kept | DELETE_IN_PROGRESS | Kept-6 | -
            Kept | DELETE_COMPLETE | Kept-6 | -
            s | UPDATE_ROLLBACK_COMPLETE | - | -
        "#]],
    );
    let template = call(&mut harness, "GetTemplate", json!({ "StackName": "s" }));
    assert!(!template["TemplateBody"].as_str().unwrap().contains("Never"));
}

#[test]
fn an_update_that_fails_to_make_says_so_and_cancels_what_is_under_way() {
    let mut harness = harness();
    create(&mut harness, "s", json!({ "A": { "Value": 1 }, "B": { "Value": 1 } }));
    update(
        &mut harness,
        "s",
        json!({ "A": { "Value": 2, "Steps": 5 }, "B": { "Value": 2, "Fail": "update" }, "C": { "Fail": "create" } }),
    );
    check(
        &update_events(&mut harness, "s"),
        expect![[r#"
        s | UPDATE_IN_PROGRESS | - | User Initiated
        A | UPDATE_IN_PROGRESS | A-1 | -
        B | UPDATE_IN_PROGRESS | B-2 | -
        B | UPDATE_FAILED | B-2 | Resource handler returned message: "cannot update B
        A | UPDATE_FAILED | A-1 | Resource update cancelled
        s | UPDATE_ROLLBACK_IN_PROGRESS | - | The following resource(s) failed to update: [A, B].
        A | UPDATE_IN_PROGRESS | A-1 | -
        A | UPDATE_COMPLETE | A-1 | -
        B | UPDATE_IN_PROGRESS | B-2 | -
        B | UPDATE_COMPLETE | B-2 | -
        s | UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS | - | -
        s | UPDATE_ROLLBACK_COMPLETE | - | -
    "#]],
    );
}

#[test]
fn a_rollback_that_fails_stops_and_the_stack_can_be_deleted() {
    let mut harness = harness();
    create(
        &mut harness,
        "s",
        json!({ "A": { "Value": 1, "Fail": "update" }, "B": { "Refs": ["A"] }, "R": { "Kind": "a" } }),
    );
    update(
        &mut harness,
        "s",
        json!({ "A": { "Value": 2 }, "B": { "Refs": ["A"], "Fail": "update" }, "R": { "Kind": "b" } }),
    );
    check(
        &update_events(&mut harness, "s"),
        expect![[r#"
        s | UPDATE_IN_PROGRESS | - | User Initiated
        A | UPDATE_IN_PROGRESS | A-1 | -
        A | UPDATE_COMPLETE | A-1 | -
        B | UPDATE_IN_PROGRESS | B-2 | -
        B | UPDATE_FAILED | B-2 | Resource handler returned message: "cannot update B
        s | UPDATE_ROLLBACK_IN_PROGRESS | - | The following resource(s) failed to update: [B].
        A | UPDATE_IN_PROGRESS | A-1 | -
        A | UPDATE_FAILED | A-1 | Resource handler returned message: "cannot update A
        s | UPDATE_ROLLBACK_FAILED | - | The following resource(s) failed to update: [A].
    "#]],
    );
    let input = with("s", &template(json!({ "A": {} })), json!({}));
    assert!(
        refused(&mut harness, "UpdateStack", input)
            .ends_with("is in UPDATE_ROLLBACK_FAILED state and can not be updated.")
    );
    crate::delete(&mut harness, "s");
    assert_eq!((status(&mut harness, "s").as_str(), ids(&harness)), ("DELETE_COMPLETE", vec![]));
}

#[test]
fn an_update_that_failed_and_stayed_goes_on_or_back_to_where_it_began() {
    let mut harness = harness();
    create(&mut harness, "s", json!({ "A": { "Value": 1 }, "B": { "Value": 1, "Refs": ["A"] }, "R": { "Kind": "a" } }));
    let was = world(&harness);
    let broken = template(
        json!({ "A": { "Value": 2 }, "B": { "Value": 2, "Refs": ["A"], "Fail": "update" }, "R": { "Kind": "b" } }),
    );
    call(&mut harness, "UpdateStack", with("s", &broken, json!({ "DisableRollback": true })));
    settle(&mut harness);
    assert_eq!(status(&mut harness, "s"), "UPDATE_FAILED: The following resource(s) failed to update: [B]. ");
    update(
        &mut harness,
        "s",
        json!({ "A": { "Value": 3 }, "B": { "Value": 3, "Refs": ["A"], "Fail": "update" }, "R": { "Kind": "c" } }),
    );
    assert!(status(&mut harness, "s").starts_with("UPDATE_ROLLBACK_COMPLETE"), "{}", status(&mut harness, "s"));
    assert_eq!(world(&harness), was);
    call(&mut harness, "UpdateStack", with("s", &broken, json!({ "DisableRollback": true })));
    settle(&mut harness);
    update(&mut harness, "s", json!({ "A": { "Value": 4 }, "B": { "Value": 4, "Refs": ["A"] }, "R": { "Kind": "d" } }));
    assert_eq!(status(&mut harness, "s"), "UPDATE_COMPLETE");
    assert_eq!(ids(&harness).len(), 3);
}

#[test]
fn a_clean_up_that_fails_leaves_the_rest_and_says_so() {
    let mut harness = harness();
    create(&mut harness, "s", json!({ "Gone": {}, "Replaced": { "Kind": "a" }, "Z": {} }));
    STUCK.with_borrow_mut(|stuck| stuck.extend(["Gone".to_owned(), "Replaced".to_owned()]));
    update(&mut harness, "s", json!({ "Replaced": { "Kind": "b" } }));
    check(
        &update_events(&mut harness, "s"),
        expect![[r#"
            s | UPDATE_IN_PROGRESS | - | User Initiated
            Replaced | UPDATE_IN_PROGRESS | Replaced-2 | Requested update requires the creation of a new physical resource; hence creating one.
            Replaced | UPDATE_IN_PROGRESS | Replaced-4 | Resource creation Initiated
            Replaced | UPDATE_COMPLETE | Replaced-4 | -
            s | UPDATE_COMPLETE_CLEANUP_IN_PROGRESS | - | -
            Z | DELETE_IN_PROGRESS | Z-3 | -
            Z | DELETE_COMPLETE | Z-3 | -
            Replaced | DELETE_IN_PROGRESS | Replaced-2 | -
            Replaced | DELETE_FAILED | Replaced-2 | Resource handler returned message: "cannot delete Replaced
            Gone | DELETE_IN_PROGRESS | Gone-1 | -
            Gone | DELETE_FAILED | Gone-1 | Resource handler returned message: "cannot delete Gone
            s | UPDATE_COMPLETE | - | Update successful. One or more resources could not be deleted.
        "#]],
    );
    STUCK.with_borrow_mut(std::collections::BTreeSet::clear);
    update(&mut harness, "s", json!({ "Replaced": { "Kind": "b", "Value": 1 } }));
    assert_eq!(
        (status(&mut harness, "s").as_str(), ids(&harness)),
        ("UPDATE_COMPLETE", vec!["Replaced-2".into(), "Replaced-4".into()])
    );
}

#[test]
fn replaced_and_removed_resources_stay_where_their_policy_says() {
    let mut harness = harness();
    let before = json!({ "R": { "Kind": "a", "UpdateReplacePolicy": "Retain" }, "G": { "DeletionPolicy": "Retain" } });
    create(&mut harness, "s", before);
    update(&mut harness, "s", json!({ "R": { "Kind": "b", "UpdateReplacePolicy": "Retain", "Steps": 2 } }));
    assert_eq!(ids(&harness), ["G-2", "R-1", "R-3"]);
    check(
        &update_events(&mut harness, "s"),
        expect![[r#"
            s | UPDATE_IN_PROGRESS | - | User Initiated
            R | UPDATE_IN_PROGRESS | R-1 | Requested update requires the creation of a new physical resource; hence creating one.
            R | UPDATE_IN_PROGRESS | R-3 | Resource creation Initiated
            R | UPDATE_COMPLETE | R-3 | -
            s | UPDATE_COMPLETE_CLEANUP_IN_PROGRESS | - | -
            R | DELETE_SKIPPED | R-1 | -
            G | DELETE_SKIPPED | G-2 | -
            s | UPDATE_COMPLETE | - | -
        "#]],
    );
    assert_eq!(resources(&mut harness, "s"), ["R R-3 UPDATE_COMPLETE"]);
}

#[test]
fn slow_replacements_are_deleted_in_as_many_steps() {
    let mut harness = harness();
    create(
        &mut harness,
        "s",
        json!({ "A": { "Kind": "a", "Steps": 3 }, "B": { "Kind": "a", "Refs": ["A"], "Steps": 2, "Known": true } }),
    );
    update(
        &mut harness,
        "s",
        json!({ "A": { "Kind": "b", "Steps": 3 }, "B": { "Kind": "b", "Refs": ["A"], "Steps": 2, "Known": true } }),
    );
    assert_eq!(deeds(&harness)[2..], ["make A-3", "make B-4", "delete B-2", "delete A-1"]);
    assert_eq!(status(&mut harness, "s"), "UPDATE_COMPLETE");
}
