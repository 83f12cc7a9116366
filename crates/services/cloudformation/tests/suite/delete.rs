//! Stacks taken away, and those that resist.

use expect_test::expect;
use neargate_testkit::Harness;
use serde_json::json;

use crate::toys::{STUCK, ids};
use crate::{call, check, create, delete, events, harness, refused, resources, settle, status, template, with};

fn stick(names: &[&str]) {
    STUCK.with_borrow_mut(|stuck| *stuck = names.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn what_cannot_be_deleted_fails_the_deletion_and_is_tried_again() {
    let mut harness = harness();
    create(&mut harness, "s", json!({ "A": {}, "B": { "Refs": ["A"] }, "C": {}, "D": { "Steps": 2 } }));
    stick(&["B"]);
    delete(&mut harness, "s");
    assert_eq!(status(&mut harness, "s"), "DELETE_FAILED: The following resource(s) failed to delete: [B]. ");
    assert_eq!(ids(&harness), ["A-1", "B-2"]);
    delete(&mut harness, "s");
    assert!(status(&mut harness, "s").starts_with("DELETE_FAILED"));
    stick(&[]);
    delete(&mut harness, "s");
    check(
        &events(&mut harness, "s"),
        expect![[r#"
        s | CREATE_IN_PROGRESS | - | User Initiated
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-1 | Resource creation Initiated
        A | CREATE_COMPLETE | A-1 | -
        B | CREATE_IN_PROGRESS | - | -
        B | CREATE_IN_PROGRESS | B-2 | Resource creation Initiated
        B | CREATE_COMPLETE | B-2 | -
        C | CREATE_IN_PROGRESS | - | -
        C | CREATE_IN_PROGRESS | C-3 | Resource creation Initiated
        C | CREATE_COMPLETE | C-3 | -
        D | CREATE_IN_PROGRESS | - | -
        D | CREATE_IN_PROGRESS | D-4 | Resource creation Initiated
        D | CREATE_COMPLETE | D-4 | -
        s | CREATE_COMPLETE | - | -
        s | DELETE_IN_PROGRESS | - | User Initiated
        D | DELETE_IN_PROGRESS | D-4 | -
        C | DELETE_IN_PROGRESS | C-3 | -
        C | DELETE_COMPLETE | C-3 | -
        B | DELETE_IN_PROGRESS | B-2 | -
        B | DELETE_FAILED | B-2 | Resource handler returned message: "cannot delete B
        D | DELETE_COMPLETE | D-4 | -
        s | DELETE_FAILED | - | The following resource(s) failed to delete: [B].
        s | DELETE_IN_PROGRESS | - | User Initiated
        B | DELETE_IN_PROGRESS | B-2 | -
        B | DELETE_FAILED | B-2 | Resource handler returned message: "cannot delete B
        s | DELETE_FAILED | - | The following resource(s) failed to delete: [B].
        s | DELETE_IN_PROGRESS | - | User Initiated
        B | DELETE_IN_PROGRESS | B-2 | -
        B | DELETE_COMPLETE | B-2 | -
        A | DELETE_IN_PROGRESS | A-1 | -
        A | DELETE_COMPLETE | A-1 | -
        s | DELETE_COMPLETE | - | -
    "#]],
    );
    assert_eq!(ids(&harness), [""; 0]);
}

#[test]
fn what_resists_can_be_retained_by_name_or_by_force() {
    let mut harness = harness();
    for (name, how) in
        [("s", json!({ "RetainResources": ["B"] })), ("t", json!({ "DeletionMode": "FORCE_DELETE_STACK" }))]
    {
        create(&mut harness, name, json!({ "A": {}, "B": { "DependsOn": "A" } }));
        let mut input = json!({ "StackName": name });
        input.as_object_mut().unwrap().extend(how.as_object().unwrap().clone());
        let text = refused(&mut harness, "DeleteStack", input.clone());
        assert!(text.contains("only when the stack is in the DELETE_FAILED state."), "{text}");
        stick(&["B"]);
        delete(&mut harness, name);
        stick(&[]);
        call(&mut harness, "DeleteStack", input);
        settle(&mut harness);
        assert!(events(&mut harness, name).contains("B | DELETE_SKIPPED"));
    }
    assert_eq!(
        refused(&mut harness, "DescribeStacks", json!({ "StackName": "s" })),
        "ValidationError: Stack with id s does not exist"
    );
}

#[test]
fn retained_resources_are_skipped() {
    let mut harness = harness();
    let retained = json!({ "DeletionPolicy": "RetainExceptOnCreate" });
    create(&mut harness, "s", json!({ "A": { "DeletionPolicy": "Retain" }, "B": { "Refs": ["A"] }, "C": retained }));
    delete(&mut harness, "s");
    assert_eq!(ids(&harness), ["A-1", "C-3"]);
    check(
        &events(&mut harness, "s"),
        expect![[r#"
        s | CREATE_IN_PROGRESS | - | User Initiated
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-1 | Resource creation Initiated
        A | CREATE_COMPLETE | A-1 | -
        B | CREATE_IN_PROGRESS | - | -
        B | CREATE_IN_PROGRESS | B-2 | Resource creation Initiated
        B | CREATE_COMPLETE | B-2 | -
        C | CREATE_IN_PROGRESS | - | -
        C | CREATE_IN_PROGRESS | C-3 | Resource creation Initiated
        C | CREATE_COMPLETE | C-3 | -
        s | CREATE_COMPLETE | - | -
        s | DELETE_IN_PROGRESS | - | User Initiated
        C | DELETE_SKIPPED | C-3 | -
        B | DELETE_IN_PROGRESS | B-2 | -
        B | DELETE_COMPLETE | B-2 | -
        A | DELETE_SKIPPED | A-1 | -
        s | DELETE_COMPLETE | - | -
    "#]],
    );
}

#[test]
fn a_protected_stack_is_not_deleted() {
    let mut harness = harness();
    let input = with("s", &template(json!({ "A": {} })), json!({ "EnableTerminationProtection": true }));
    call(&mut harness, "CreateStack", input);
    let text = refused(&mut harness, "DeleteStack", json!({ "StackName": "s" }));
    assert_eq!(text, "ValidationError: Stack [s] cannot be deleted while TerminationProtection is enabled");

    let protect = |is_on: bool| json!({ "StackName": "s", "EnableTerminationProtection": is_on });
    let described = |harness: &mut Harness| {
        call(harness, "DescribeStacks", json!({ "StackName": "s" }))["Stacks"][0]["EnableTerminationProtection"].clone()
    };
    call(&mut harness, "UpdateTerminationProtection", protect(false));
    assert_eq!(described(&mut harness), json!(false));
    call(&mut harness, "UpdateTerminationProtection", protect(true));
    assert_eq!(described(&mut harness), json!(true));
    call(&mut harness, "UpdateTerminationProtection", protect(false));
    delete(&mut harness, "s");
    let text = refused(&mut harness, "UpdateTerminationProtection", protect(true));
    assert!(text.contains("does not exist"), "{text}");
}

#[test]
fn a_stack_is_deleted_in_the_middle_of_its_creation() {
    let mut harness = harness();
    let slow = template(
        json!({ "A": {}, "B": { "Refs": ["A"], "Steps": 5, "Known": true }, "C": { "Refs": ["A"], "Steps": 2 }, "D": { "Refs": ["B"] } }),
    );
    call(&mut harness, "CreateStack", with("s", &slow, json!({})));
    harness.pass(1000);
    delete(&mut harness, "s");
    assert_eq!((status(&mut harness, "s").as_str(), ids(&harness)), ("DELETE_COMPLETE", vec![]));
    check(
        &events(&mut harness, "s"),
        expect![[r#"
        s | CREATE_IN_PROGRESS | - | User Initiated
        A | CREATE_IN_PROGRESS | - | -
        A | CREATE_IN_PROGRESS | A-1 | Resource creation Initiated
        A | CREATE_COMPLETE | A-1 | -
        B | CREATE_IN_PROGRESS | - | -
        B | CREATE_IN_PROGRESS | B-2 | Resource creation Initiated
        C | CREATE_IN_PROGRESS | - | -
        s | DELETE_IN_PROGRESS | - | User Initiated
        B | CREATE_FAILED | B-2 | Resource creation cancelled
        B | DELETE_IN_PROGRESS | B-2 | -
        C | CREATE_IN_PROGRESS | C-3 | Resource creation Initiated
        C | CREATE_COMPLETE | C-3 | -
        C | DELETE_IN_PROGRESS | C-3 | -
        C | DELETE_COMPLETE | C-3 | -
        B | DELETE_COMPLETE | B-2 | -
        A | DELETE_IN_PROGRESS | A-1 | -
        A | DELETE_COMPLETE | A-1 | -
        s | DELETE_COMPLETE | - | -
    "#]],
    );
    create(&mut harness, "s", json!({ "A": {} }));
    assert_eq!(resources(&mut harness, "s"), ["A A-4 CREATE_COMPLETE"]);
}

#[test]
fn a_stack_is_not_deleted_in_the_middle_of_an_update_and_twice_is_once() {
    let mut harness = harness();
    create(&mut harness, "s", json!({ "A": { "Steps": 1 } }));
    call(&mut harness, "UpdateStack", with("s", &template(json!({ "A": { "Steps": 2 } })), json!({})));
    let text = refused(&mut harness, "DeleteStack", json!({ "StackName": "s" }));
    assert_eq!(text, "ValidationError: Stack [s] cannot be deleted while in status UPDATE_IN_PROGRESS");
    let text = refused(&mut harness, "UpdateStack", with("s", &template(json!({ "A": {} })), json!({})));
    assert!(text.ends_with("is in UPDATE_IN_PROGRESS state and can not be updated."), "{text}");
    settle(&mut harness);
    call(&mut harness, "DeleteStack", json!({ "StackName": "s" }));
    call(&mut harness, "DeleteStack", json!({ "StackName": "s" }));
    settle(&mut harness);
    delete(&mut harness, "s");
    let deletions = events(&mut harness, "s").matches("s | DELETE_IN_PROGRESS").count();
    assert_eq!((status(&mut harness, "s").as_str(), deletions), ("DELETE_COMPLETE", 1));
}

#[test]
fn a_rollback_that_fails_says_so_and_can_be_deleted() {
    let mut harness = harness();
    stick(&["A"]);
    create(&mut harness, "s", json!({ "A": {}, "B": { "Refs": ["A"], "Fail": "create" } }));
    assert_eq!(status(&mut harness, "s"), "ROLLBACK_FAILED: The following resource(s) failed to delete: [A]. ");
    stick(&[]);
    delete(&mut harness, "s");
    assert_eq!((status(&mut harness, "s").as_str(), ids(&harness)), ("DELETE_COMPLETE", vec![]));
}
