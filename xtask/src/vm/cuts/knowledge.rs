//! What the client was told before the power was cut, and what an engine that was started afterwards holds.
//!
//! Invariant: what was acknowledged is expected of every later engine. What was tried and not acknowledged may be there or not.

use std::collections::{BTreeMap, BTreeSet};

/// How far a stack came: the last thing that was asked for, and whether it was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stack {
    CreateTried,
    Create,
    Created,
    DeleteTried,
    Delete,
    Deleted,
}

/// Everything that an engine holds.
#[derive(Debug, Default)]
struct Holding {
    parameters: BTreeMap<String, u64>,
    logs: BTreeMap<String, u32>,
    marks: BTreeMap<String, u32>,
    tasks: BTreeMap<String, u32>,
    stacks: BTreeMap<String, String>,
    values: BTreeSet<String>,
    groups: BTreeSet<String>,
}

/// What the drill knows.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    parameters: BTreeMap<String, u64>,
    logs: BTreeSet<String>,
    events: BTreeSet<String>,
    stacks: BTreeMap<String, Stack>,
    /// The processes of each marker's task, by boot.
    runs: BTreeMap<String, BTreeSet<(u32, String)>>,
    holding: Holding,
    /// Acknowledged calls by kind.
    pub(super) acknowledged: BTreeMap<String, u64>,
    /// Acknowledged since the last boot.
    pub(super) acknowledged_here: u64,
}

/// What a line means to the drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A fact among others.
    Fact,
    /// A call was acknowledged.
    Acknowledged,
    /// All that the engine holds was told: what is not as it must be.
    Told(Vec<String>),
    /// Not of the client.
    Other,
}

impl Knowledge {
    /// A new boot begins.
    pub(super) fn boot(&mut self) {
        self.acknowledged_here = 0;
        self.holding = Holding::default();
    }

    /// How many tasks' processes were seen.
    pub(super) fn runs(&self) -> usize {
        self.runs.values().map(BTreeSet::len).sum()
    }

    /// Takes in a line of the guest.
    pub(super) fn hear(&mut self, boot: u32, line: &str) -> Heard {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["have", fact @ ..] => self.holding.hear(fact),
            ["run", marker, process] => {
                self.runs.entry((*marker).to_owned()).or_default().insert((boot, (*process).to_owned()));
            }
            ["try", "create", name] => self.stack(name, Stack::CreateTried),
            ["try", "delete", name] => self.stack(name, Stack::DeleteTried),
            ["try", ..] => {}
            ["ack", kind, fact @ ..] => {
                self.acknowledge(kind, fact);
                return Heard::Acknowledged;
            }
            ["dumped"] => return Heard::Told(self.check()),
            _ => return Heard::Other,
        }
        Heard::Fact
    }

    fn stack(&mut self, name: &str, state: Stack) {
        self.stacks.insert(name.to_owned(), state);
    }

    fn acknowledge(&mut self, kind: &str, fact: &[&str]) {
        *self.acknowledged.entry(kind.to_owned()).or_default() += 1;
        self.acknowledged_here += 1;
        match (kind, fact) {
            ("parameter", [name, value]) => {
                self.parameters.insert((*name).to_owned(), value.parse().unwrap_or(0));
            }
            ("log", [message]) => drop(self.logs.insert((*message).to_owned())),
            ("event", [marker]) => drop(self.events.insert((*marker).to_owned())),
            ("create", [name]) => self.stack(name, Stack::Create),
            ("created", [name]) => self.stack(name, Stack::Created),
            ("delete", [name]) => self.stack(name, Stack::Delete),
            ("deleted", [name]) => self.stack(name, Stack::Deleted),
            _ => {}
        }
    }

    /// What is not as it must be.
    fn check(&self) -> Vec<String> {
        let holding = &self.holding;
        let mut faults = vec![];
        for (name, acknowledged) in &self.parameters {
            let found = holding.parameters.get(name).copied().unwrap_or(0);
            // The next one may have been on its way.
            if found != *acknowledged && found != acknowledged + 1 {
                faults.push(format!("parameter `{name}`: acknowledged {acknowledged}, found {found}"));
            }
        }
        let times = |found: &BTreeMap<String, u32>, name: &String| found.get(name).copied().unwrap_or(0);
        let lost = |kind: &str, acknowledged: &BTreeSet<String>, found: &BTreeMap<String, u32>| -> Vec<String> {
            let lost = acknowledged.iter().filter(|name| times(found, name) == 0);
            lost.map(|name| format!("{kind} `{name}`: acknowledged and lost")).collect()
        };
        faults.extend(lost("log event", &self.logs, &holding.logs));
        faults.extend(lost("task of event", &self.events, &holding.tasks));
        let kinds =
            [("log event", &holding.logs), ("task of event", &holding.tasks), ("output of task", &holding.marks)];
        for (kind, found) in kinds {
            let twice = found.iter().filter(|(name, times)| **times > 1 && *name != "none");
            faults.extend(twice.map(|(name, times)| format!("{kind} `{name}` is there {times} times")));
        }
        let twice = self.runs.iter().filter(|(_, runs)| runs.len() > 1);
        faults.extend(
            twice.map(|(marker, runs)| format!("the task of event `{marker}` ran {} times: {runs:?}", runs.len())),
        );
        faults.extend(self.check_stacks());
        faults
    }

    fn check_stacks(&self) -> Vec<String> {
        let holding = &self.holding;
        let mut faults = vec![];
        for (name, state) in &self.stacks {
            let status = holding.stacks.get(name).map(String::as_str);
            let is_right = match state {
                Stack::CreateTried | Stack::DeleteTried => matches!(status, None | Some("CREATE_COMPLETE")),
                Stack::Create | Stack::Created => status == Some("CREATE_COMPLETE"),
                Stack::Delete | Stack::Deleted => status.is_none(),
            };
            if !is_right {
                faults.push(format!("stack `{name}`: {state:?} and found {status:?}"));
            }
        }
        let own = |(name, _): &(&String, &String)| name.starts_with("stack-");
        let stacks: BTreeSet<String> = holding.stacks.iter().filter(own).map(|(name, _)| name.clone()).collect();
        for (kind, found) in [("parameters", &holding.values), ("log groups", &holding.groups)] {
            let differing: Vec<&String> = stacks.symmetric_difference(found).collect();
            if !differing.is_empty() {
                faults.push(format!("stacks and their {kind} differ: {differing:?}"));
            }
        }
        faults
    }
}

impl Holding {
    fn hear(&mut self, fact: &[&str]) {
        let count = |found: &mut BTreeMap<String, u32>, name: &str| *found.entry(name.to_owned()).or_default() += 1;
        match fact {
            ["parameter", name, value] => {
                self.parameters.insert((*name).to_owned(), value.parse().unwrap_or(0));
            }
            ["log", message] => count(&mut self.logs, message),
            // What the container prints: `ran` and its marker.
            ["mark", "ran", marker] => count(&mut self.marks, marker),
            ["task", marker, _] => count(&mut self.tasks, marker),
            ["stack", name, status] => drop(self.stacks.insert((*name).to_owned(), (*status).to_owned())),
            ["value", name] => drop(self.values.insert((*name).to_owned())),
            ["group", name] => drop(self.groups.insert((*name).to_owned())),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "try parameter /drill/0 1\nack parameter /drill/0 1\ntry log 1-0\nack log 1-0\ntry event 1-0\nack event 1-0\n\
                          run 1-0 77\ntry create stack-1-0\nack create stack-1-0";
    const HELD: &str = "have parameter /drill/0 1\nhave log 1-0\nhave mark ran 1-0\nhave task 1-0 EssentialContainerExited\n\
                        have stack stack-1-0 CREATE_COMPLETE\nhave stack task CREATE_COMPLETE\nhave value stack-1-0\nhave group stack-1-0";

    fn faults(before: &str, after: &str) -> Vec<String> {
        let mut knowledge = Knowledge::default();
        before.lines().for_each(|line| drop(knowledge.hear(1, line)));
        knowledge.boot();
        after.lines().for_each(|line| drop(knowledge.hear(2, line)));
        match knowledge.hear(2, "dumped") {
            Heard::Told(faults) => faults,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_wrong_where_all_is_there() {
        assert_eq!(faults(BEFORE, HELD), Vec::<String>::new());
        let further =
            "\ntry parameter /drill/0 2\ntry log 1-1\ntry event 1-1\ntry create stack-1-1\ntry delete stack-1-0";
        assert_eq!(faults(&format!("{BEFORE}{further}"), HELD), Vec::<String>::new());
        let more = HELD.replace("/drill/0 1", "/drill/0 2") + "\nhave log 1-1\nhave task 1-1 none";
        assert_eq!(faults(&format!("{BEFORE}{further}"), &more), Vec::<String>::new());
    }

    #[test]
    fn every_loss_and_every_repetition_is_found() {
        for line in HELD.lines().filter(|line| !line.contains("mark") && !line.contains("stack task")) {
            let rest: Vec<&str> = HELD.lines().filter(|other| *other != line).collect();
            assert_ne!(faults(BEFORE, &rest.join("\n")), Vec::<String>::new(), "without `{line}`");
        }
        for line in ["have log 1-0", "have mark ran 1-0", "have task 1-0 none", "run 1-0 78", "have value stack-0-0"] {
            assert_eq!(faults(BEFORE, &format!("{HELD}\n{line}")).len(), 1, "with `{line}`");
        }
        let changed = [("/drill/0 1", "/drill/0 3"), ("stack-1-0 CREATE_COMPLETE", "stack-1-0 ROLLBACK_COMPLETE")];
        for (was, is) in changed {
            assert_eq!(faults(BEFORE, &HELD.replace(was, is)).len(), 1, "{is}");
        }
        let deleted = format!("{BEFORE}\ntry delete stack-1-0\nack delete stack-1-0");
        assert_eq!(faults(&deleted, HELD).len(), 1);
    }
}
