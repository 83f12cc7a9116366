//! Capacity providers: which there are, which a cluster has, and which of a strategy's a task goes to.
//!
//! Follows <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>.
//!
//! Invariant: a strategy names providers of its cluster only.

use neargate_base::Arn;

use crate::api::CapacityProviderStrategyItem as Item;
use crate::errors::EcsError;

/// The providers that every account has. Those of Auto Scaling groups cannot be made here.
pub(crate) const PROVIDERS: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

/// Providers that one strategy may name.
const STRATEGY_ITEMS_MAX: usize = 20;

/// A provider's name in a name or an ARN.
pub(crate) fn provider_name(reference: &str) -> String {
    reference.parse::<Arn>().map_or_else(|_| reference.to_owned(), |arn| arn.resource_name().to_owned())
}

/// Providers that a cluster is to have: all of them must exist.
pub(crate) fn check_providers(references: &[String]) -> Result<Vec<String>, EcsError> {
    let mut names: Vec<String> = vec![];
    for name in references.iter().map(|reference| provider_name(reference)) {
        if !PROVIDERS.contains(&name.as_str()) {
            return Err(EcsError::UnknownProvider(name));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// A strategy of a cluster that has these providers.
pub(crate) fn check_strategy(items: &[Item], providers: &[String]) -> Result<Vec<Item>, EcsError> {
    let refused = |text: &str| Err(EcsError::InvalidParameter(text.to_owned()));
    if items.len() > STRATEGY_ITEMS_MAX {
        return refused("A capacity provider strategy can contain a maximum of 20 capacity providers.");
    }
    let mut checked: Vec<Item> = vec![];
    for item in items {
        let capacity_provider = provider_name(&item.capacity_provider);
        if !providers.contains(&capacity_provider) {
            return Err(EcsError::ProviderNotOfCluster { provider: capacity_provider, has: providers.to_vec() });
        }
        if checked.iter().any(|other| other.capacity_provider == capacity_provider) {
            return refused("A capacity provider strategy cannot contain duplicate capacity providers.");
        }
        checked.push(Item { capacity_provider, ..item.clone() });
    }
    if checked.iter().filter(|item| item.base.unwrap_or(0) > 0).count() > 1 {
        return refused(
            "A capacity provider strategy cannot contain more than one capacity provider with a base value.",
        );
    }
    Ok(checked)
}

/// The provider of each of so many tasks: the base first, then by weight. `Err` where no provider has a weight.
pub(crate) fn place(items: &[Item], count: usize) -> Result<Vec<String>, EcsError> {
    // One provider alone needs no weight.
    let weight = |item: &Item| match item.weight {
        None if items.len() == 1 => 1,
        weight => u64::try_from(weight.unwrap_or(0)).unwrap_or(0),
    };
    if !items.iter().any(|item| weight(item) > 0) {
        return Err(EcsError::NoWeight);
    }
    let mut placed = vec![];
    for item in items {
        let base = usize::try_from(item.base.unwrap_or(0)).unwrap_or(0);
        let room = count.saturating_sub(placed.len());
        placed.extend(std::iter::repeat_n(item.capacity_provider.clone(), base.min(room)));
    }
    let mut beyond = vec![0_u64; items.len()];
    while placed.len() < count {
        // The one that is furthest behind its share; of equals the first.
        let shares = items.iter().zip(beyond.iter_mut()).filter(|(item, _)| weight(item) > 0);
        let behind =
            shares.min_by(|(one, has), (other, had)| ((**has + 1) * weight(other)).cmp(&((**had + 1) * weight(one))));
        let Some((item, has)) = behind else { break };
        *has += 1;
        placed.push(item.capacity_provider.clone());
    }
    Ok(placed)
}

#[cfg(test)]
mod tests {
    use super::{check_strategy, place};
    use crate::api::CapacityProviderStrategyItem as Item;

    fn item(name: &str, base: Option<i32>, weight: Option<i32>) -> Item {
        Item { capacity_provider: name.to_owned(), base, weight }
    }

    fn counts(items: &[Item], count: usize) -> Option<(usize, usize)> {
        let placed = place(items, count).ok()?;
        assert_eq!(placed.len(), count);
        let of = |name: &str| placed.iter().filter(|it| *it == name).count();
        Some((of("FARGATE"), of("FARGATE_SPOT")))
    }

    #[test]
    fn tasks_go_to_the_base_first_and_then_by_weight() {
        let both = |base, weight, spot| [item("FARGATE", base, weight), item("FARGATE_SPOT", None, spot)];
        for (items, count, expected) in [
            (both(None, Some(1), Some(2)), 9, (3, 6)),
            (both(None, Some(1), Some(2)), 1, (0, 1)),
            (both(Some(2), Some(1), Some(1)), 2, (2, 0)),
            (both(Some(2), Some(1), Some(1)), 6, (4, 2)),
            (both(Some(1), Some(0), Some(4)), 5, (1, 4)),
            (both(Some(9), Some(1), Some(1)), 3, (3, 0)),
            (both(None, Some(1), None), 4, (4, 0)),
        ] {
            assert_eq!(counts(&items, count), Some(expected), "{items:?}");
        }
        assert_eq!(counts(&[item("FARGATE_SPOT", None, None)], 3), Some((0, 3)), "one alone needs no weight");
        for nothing in [both(None, None, None).to_vec(), vec![item("FARGATE", None, Some(0))], vec![]] {
            assert_eq!(counts(&nothing, 1), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_strategy_names_providers_of_its_cluster() {
        let has = ["FARGATE".to_owned()];
        let by_arn = item("arn:aws:ecs:eu-west-1:000000000000:capacity-provider/FARGATE", None, None);
        assert_eq!(check_strategy(&[by_arn], &has).unwrap()[0].capacity_provider, "FARGATE");
        assert!(check_strategy(&[item("FARGATE_SPOT", None, None)], &has).is_err());
        assert!(check_strategy(&[item("FARGATE", None, None), item("FARGATE", None, None)], &has).is_err());
        let has = ["FARGATE".to_owned(), "FARGATE_SPOT".to_owned()];
        let two_bases = [item("FARGATE", Some(1), Some(1)), item("FARGATE_SPOT", Some(1), Some(1))];
        assert!(check_strategy(&two_bases, &has).is_err());
    }
}
