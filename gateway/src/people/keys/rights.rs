//! A key never grants more than its maker and its owner have. Checked when it is made and changed, so that nobody is
//! surprised later; what holds for the owner holds for each request besides.

use super::{KeyRecord, Known, Maker, Refusal};
use crate::config::ModelPattern;
use crate::people::records::UserRecord;

/// Whether a key may be as it is drafted.
pub(super) fn check(known: &Known, maker: &Maker, key: &KeyRecord) -> Result<(), Refusal> {
    if let Maker::Member(user) = maker {
        if key.owner.as_ref() != Some(user) {
            return Err(Refusal::Forbidden("you make keys for yourself only".to_owned()));
        }
        for (path, is_set) in
            [("tags", !key.tags.is_empty()), ("preferences", key.preferences), ("log", key.log.is_some())]
        {
            // What decides on the way of a request is the operator's: tags stand in conditions.
            if is_set {
                return Err(Refusal::Forbidden(format!("`{path}` is for operators")));
            }
        }
    }
    if let Some(team) = key.team.as_ref().filter(|team| known.team(team).is_none()) {
        return Err(Refusal::invalid("team", format!("there is no team `{team}`")));
    }
    let Some(owner) = &key.owner else { return Ok(()) };
    let Some(owner) = known.users.get(owner) else {
        return Err(Refusal::invalid("owner", format!("there is no user `{owner}`")));
    };
    if let Some(team) = key.team.as_ref().filter(|team| !owner.teams.contains(team)) {
        return Err(Refusal::invalid("team", format!("the owner does not belong to the team `{team}`")));
    }
    within(known, owner, key)
}

/// Whether a key may be changed so. What an operator made or changed is theirs: its owner may use it no further than they
/// said, and put an end to it.
pub(super) fn check_change(
    known: &Known,
    maker: &Maker,
    before: &KeyRecord,
    after: &mut KeyRecord,
) -> Result<(), Refusal> {
    let is_operator = matches!(maker, Maker::Operator(_));
    if is_operator {
        after.by_owner = false;
        after.locked = after.disabled;
        return check(known, maker, after);
    }
    if before.locked && !after.disabled {
        return Err(Refusal::Forbidden("an operator disabled this key".to_owned()));
    }
    if before.by_owner {
        return check(known, maker, after);
    }
    let allowed = KeyRecord { note: after.note.clone(), disabled: after.disabled, ..before.clone() };
    if allowed != *after {
        let message =
            "an operator made this key: you may rename what it is for, disable, rotate and revoke it";
        return Err(Refusal::Forbidden(message.to_owned()));
    }
    Ok(())
}

/// Nothing of it may be wider than what its owner has.
fn within(known: &Known, owner: &UserRecord, key: &KeyRecord) -> Result<(), Refusal> {
    let tier = owner.tier.as_deref().and_then(|name| known.tiers.get(name));
    let lists = [owner.models.as_deref(), tier.and_then(|tier| tier.models.as_deref())];
    for list in lists.into_iter().flatten() {
        for (index, wanted) in key.models.iter().flatten().enumerate() {
            if !covered(list, wanted) {
                let message = format!("the owner may not ask for `{wanted}`");
                return Err(Refusal::invalid(format!("models[{index}]"), message));
            }
        }
    }
    if !owner.addresses.is_empty() {
        for (index, wanted) in key.addresses.iter().enumerate() {
            if !owner.addresses.iter().any(|range| range.covers(wanted)) {
                let message = format!("the owner's keys may not be used from all of {wanted}");
                return Err(Refusal::invalid(format!("addresses[{index}]"), message));
            }
        }
    }
    match key.allowed.beyond(&known.limits_of(owner)) {
        None => Ok(()),
        Some((path, most)) => {
            Err(Refusal::invalid(path, format!("it is more than its owner may, which is {most}")))
        }
    }
}

/// All that a pattern stands for is allowed. A `*` in what is wanted is text like any other here, and only a `*` of the
/// list fits it: so whatever may stand for the one may stand for the other.
fn covered(list: &[ModelPattern], wanted: &ModelPattern) -> bool {
    list.iter().any(|allowed| allowed.matches(wanted.as_str()))
}
